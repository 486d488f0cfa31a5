"""Which handler does which kind of work: outbox work that a transaction promised, and jobs that somebody asked for."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from app.contacts.jobs import FORGET_RECEIPTS, forget_receipts
from app.imports.desk import ImportDesk
from app.imports.keeping import WORK as IMPORT
from app.jobs.booking import advanced
from app.kit.clock import SystemClock
from app.kit.db import UnitOfWork
from app.kit.outbox import Handler
from app.numbers.jobs import CLASSIFY, MATERIALISE, RESCHEDULE, classify, materialise, reschedule
from app.permissions.jobs import JobHandler, Piece
from app.policy.desk import PolicyDesk
from app.policy.simulations import SIMULATE
from app.policy.strengths import MEASURE
from app.reconciliations.allowing import APPLY
from app.reconciliations.desk import ReconciliationDesk
from app.reconciliations.keeping import COMPARE

PieceHandler = Callable[[UnitOfWork, Mapping[str, Any]], Awaitable[Piece | None]]
"""Does the next piece of long work; ``None`` when nothing was left of it."""


def booked(handler: PieceHandler) -> Handler:
    """Make outbox work of long work whose promise names a job in ``job_id``: what it did is told there, in its own transaction."""

    async def work(unit: UnitOfWork, payload: Mapping[str, Any]) -> None:
        piece = await handler(unit, payload)
        if piece is not None and "job_id" in payload:
            await advanced(unit.session, UUID(payload["job_id"]), piece, now=SystemClock().now())

    return work


HANDLERS: Final[Mapping[str, Handler]] = {
    FORGET_RECEIPTS: forget_receipts,
    MATERIALISE: booked(materialise),
    CLASSIFY: classify,
    RESCHEDULE: reschedule,
}


class Desks(Protocol):
    """What handlers of jobs belong to."""

    @property
    def imports(self) -> ImportDesk:
        """Files of others taken over."""
        ...

    @property
    def policy(self) -> PolicyDesk:
        """Simulations, and the strength of masks."""
        ...

    @property
    def reconciliations(self) -> ReconciliationDesk:
        """Head-counts held against the directory."""
        ...


def job_handlers(desks: Desks) -> Mapping[str, JobHandler]:
    """Give the handler of every kind of job."""
    return {
        SIMULATE: desks.policy.simulations.work,
        MEASURE: desks.policy.strengths.work,
        IMPORT: desks.imports.runner.work,
        COMPARE: desks.reconciliations.comparison.work,
        APPLY: desks.reconciliations.application.work,
    }
