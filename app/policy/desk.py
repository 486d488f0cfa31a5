"""The policy as the composition root sees it: what routes call, what commands call, what the start-up calls, what the worker runs."""

from datetime import timedelta

import orjson

from app.auth.repository import AccountRepository
from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.crypto.rowmac import RowSigner
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.permissions.evidence import Evidence
from app.permissions.jobs import JobQueue
from app.permissions.versions import VersionRepository
from app.policy.access_reports import AccessReports
from app.policy.clauses import Language, board, clauses_of
from app.policy.explanations import Explanations
from app.policy.keeping import PolicyKeeper
from app.policy.service import PolicyService
from app.policy.showing import PolicyReader
from app.policy.simulation_repository import SimulationRepository
from app.policy.simulations import Simulations
from app.policy.strengths import MaskStrengths


class PolicyDesk:
    """Shows, keeps, activates, simulates and explains."""

    def __init__(
        self,
        showing: Showing,
        *,
        signer: RowSigner,
        jobs: JobQueue,
        accounts: AccountRepository,
        contacts: ContactRepository,
        database: Database,
        idempotency: Idempotency,
        clock_here: timedelta,
        evidence: Evidence,
    ) -> None:
        """Take what desks share, the signer of the rows, who everybody is, and when a day begins."""
        versions, rows = VersionRepository(signer), SimulationRepository(signer)
        self.service = PolicyService(
            versions=versions, simulations=rows, classes=CATALOGUE.classes, clock=showing.clock
        )
        self.simulations = Simulations(
            rows=rows,
            versions=versions,
            jobs=jobs,
            standings=showing.standings,
            accounts=accounts,
            contacts=contacts,
            database=database,
            clock=showing.clock,
            clock_here=clock_here,
        )
        self.explanations = Explanations(
            contacts=contacts,
            gate=showing.gate,
            standings=showing.standings,
            accounts=accounts,
            reader=showing.reader,
            clock=showing.clock,
        )
        self.reports = AccessReports(showing, contacts=contacts, accounts=accounts)
        self.strengths = MaskStrengths(showing, contacts=contacts, jobs=jobs, idempotency=idempotency)
        self.evidence, self._versions, self._reader = evidence, versions, showing.reader
        self.reader = PolicyReader(showing, versions=versions, simulations=rows, classes=CATALOGUE.classes)
        self.keeper = PolicyKeeper(
            service=self.service,
            reader=self.reader,
            simulations=self.simulations,
            idempotency=idempotency,
        )

    async def clauses(self) -> bytes:
        """Tell which clause is carried out by which rules, held by which tests, and when they last decided."""
        _, version = await self._versions.in_force(self._reader)
        pack = version.pack()
        items = clauses_of(pack, await self.evidence.last())
        return orjson.dumps({"items": items, "policy_version": version.label})

    async def board(self, language: Language) -> str:
        """Write the rules in force for the notice board."""
        activation, version = await self._versions.in_force(self._reader)
        return board(version.pack(), activation.at, language)
