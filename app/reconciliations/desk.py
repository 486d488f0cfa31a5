"""Reconciliations as the composition root sees them: what routes call, what jobs run, what is swept, and what a request may release."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from app.contacts.headcount import HeadCount
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.secretbox import SecretBox
from app.disclosure.showing import Showing
from app.hr.fusing import limits_of
from app.hr.service import HrService
from app.hr.subjects import People
from app.intake import ReconciliationsSettings
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.permissions.jobs import JobQueue
from app.reconciliations.allowing import Applications, Fuse
from app.reconciliations.applying import Application
from app.reconciliations.comparing import Comparer
from app.reconciliations.keeping import ReconciliationKeeper
from app.reconciliations.repository import ReconciliationRepository
from app.reconciliations.running import Comparison
from app.reconciliations.showing import ReconciliationReader

LABEL: Final = "reconciliation"


def reconciliation_rows(key: Callable[[str], bytes]) -> ReconciliationRepository:
    """Make the rows of reconciliations."""
    return ReconciliationRepository(RowSigner(key(LABEL)), SecretBox(key("reconciliation-box")))


class Queue(Protocol):
    """The desk of jobs."""

    @property
    def service(self) -> JobQueue:
        """Where jobs are asked for."""
        ...


class Governed(Protocol):
    """What other desks brought together."""

    people: People

    @property
    def jobs(self) -> Queue:
        """The desk of jobs."""
        ...


class ReconciliationDesk:
    """Takes in, compares, shows, applies and lets go of head-counts."""

    def __init__(
        self,
        showing: Showing,
        settings: ReconciliationsSettings,
        events: HrService,
        governed: Governed,
        database: Database,
        idempotency: Idempotency,
        sealer: Sealer,
        key: Callable[[str], bytes],
    ) -> None:
        """Take what desks share, the limits, who takes events about whom, where jobs are asked for, the stores, sealer and keys."""
        self.rows = reconciliation_rows(key)
        people, jobs = governed.people, governed.jobs.service
        clock, kept = showing.clock, timedelta(days=settings.kept_days)
        limits = limits_of(settings)
        heads = HeadCount(sealer)
        comparer = Comparer(heads, people.members)
        self.fuse = Fuse(rows=self.rows, heads=heads, limits=limits, clock=clock)
        self.reader = ReconciliationReader(showing, rows=self.rows, fuse=self.fuse)
        self.keeper = ReconciliationKeeper(
            rows=self.rows,
            jobs=jobs,
            database=database,
            idempotency=idempotency,
            digests=key("reconciliation-digest"),
            kept=kept,
            clock=clock,
        )
        self.applications = Applications(
            rows=self.rows, fuse=self.fuse, jobs=jobs, idempotency=idempotency, kept=kept, clock=clock
        )
        self.comparison = Comparison(rows=self.rows, heads=heads, comparer=comparer, database=database, clock=clock)
        self.application = Application(
            rows=self.rows,
            heads=heads,
            comparer=comparer,
            events=events,
            database=database,
            clock=clock,
        )

    async def sweep(self) -> int:
        """Give up what was not applied in time, and forget what is long past; give of how many."""
        return await self.keeper.sweep()
