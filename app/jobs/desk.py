"""Long work as the composition root sees it: what routes call, what asks for jobs, and what runs them."""

from collections.abc import Mapping

from app.auth.repository import AccountRepository, ClientRepository
from app.crypto.rowmac import RowSigner
from app.disclosure.showing import Showing
from app.jobs.reading import JobReader
from app.jobs.repository import JobRepository
from app.jobs.running import JobRunner
from app.jobs.service import JobService
from app.kit.clock import Clock
from app.kit.db import Database
from app.permissions.jobs import JobHandler


class JobDesk:
    """Takes in, shows, cancels and runs."""

    def __init__(
        self, showing: Showing, *, signer: RowSigner, accounts: AccountRepository, clients: ClientRepository
    ) -> None:
        """Take what desks share, the signer of the table, and where whoever asked is looked up."""
        self.rows = JobRepository(signer)
        self.service = JobService(repository=self.rows, clock=showing.clock)
        self.reader = JobReader(self.rows, showing)
        self._showing, self._accounts, self._clients = showing, accounts, clients

    def runner(
        self, database: Database, handlers: Mapping[str, JobHandler], *, clock: Clock | None = None
    ) -> JobRunner:
        """Make what runs jobs in this process; ``handlers`` say what each kind of work means."""
        return JobRunner(
            database=database,
            repository=self.rows,
            standings=self._showing.standings,
            accounts=self._accounts,
            clients=self._clients,
            handlers=handlers,
            clock=clock or self._showing.clock,
        )
