"""Imports as the composition root sees them: what routes call, what the worker runs and sweeps."""

from collections.abc import Callable, Mapping

from app.approvals.persons import Persons
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.disclosure.showing import Showing
from app.imports.keeping import ImportKeeper
from app.imports.kinds import ImportKind
from app.imports.reading import ImportReader
from app.imports.repository import ImportRepository
from app.imports.running import ImportRunner
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.permissions.jobs import JobQueue


class ImportDesk:
    """Takes in, runs, shows and lets go of files."""

    def __init__(
        self,
        showing: Showing,
        kinds: Mapping[str, ImportKind],
        *,
        key: Callable[[str], bytes],
        jobs: JobQueue,
        persons: Persons,
        database: Database,
        idempotency: Idempotency,
    ) -> None:
        """Take what desks share, the kinds by name, the keys, where jobs are asked for, who is one person, and the stores."""
        self.rows = ImportRepository(RowSigner(key("import")), SecretBox(key("import-box")))
        self.reader = ImportReader(showing, rows=self.rows, kinds=kinds)
        self.keeper = ImportKeeper(
            rows=self.rows,
            kinds=kinds,
            jobs=jobs,
            database=database,
            idempotency=idempotency,
            digests=key("import-digest"),
            clock=showing.clock,
        )
        self.runner = ImportRunner(rows=self.rows, kinds=kinds, persons=persons, database=database, clock=showing.clock)

    async def sweep(self) -> int:
        """End what nobody finished, and forget what is long past; give of how many."""
        return await self.keeper.sweep()
