"""Which handler does which kind of work: outbox work that a transaction promised, and jobs that somebody asked for."""

from collections.abc import Mapping
from typing import Final, Protocol

from app.contacts.jobs import FORGET_RECEIPTS, forget_receipts
from app.kit.outbox import Handler
from app.numbers.jobs import CLASSIFY, MATERIALISE, classify, materialise
from app.permissions.jobs import JobHandler
from app.policy.desk import PolicyDesk
from app.policy.simulations import SIMULATE
from app.policy.strengths import MEASURE

HANDLERS: Final[Mapping[str, Handler]] = {
    FORGET_RECEIPTS: forget_receipts,
    MATERIALISE: materialise,
    CLASSIFY: classify,
}


class Desks(Protocol):
    """What handlers of jobs belong to."""

    @property
    def policy(self) -> PolicyDesk:
        """Simulations, and the strength of masks."""
        ...


def job_handlers(desks: Desks) -> Mapping[str, JobHandler]:
    """Give the handler of every kind of job."""
    return {SIMULATE: desks.policy.simulations.work, MEASURE: desks.policy.strengths.work}
