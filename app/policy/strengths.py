"""Mask strength as a job: how many real contacts share each masked value, for whoever governs the masks.

The job opens what its asker would be shown, masked or clear, page by page, each page on record before it is opened; it keeps counts and no
value. What the asker would not be shown at all is not measured.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.fields import CATALOGUE
from app.contacts.repository import ContactRepository
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.strength import Strength, Tally
from app.kit.db import UnitOfWork
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.permissions.jobs import JobQueue, JobRun
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of
from app.policy.showing import admit_reader

MEASURE: Final = "policy.mask_strength"
STRENGTHS: Final = "/v1/policy/mask-strengths"
ENOUGH: Final = 5
"""With fewer than so many, oneself counted, a masked value nearly names a person."""
_PAGE: Final = 200
_FIRST: Final = UUID(int=0)


class MaskStrengths:
    """Measures."""

    def __init__(
        self, showing: Showing, *, contacts: ContactRepository, jobs: JobQueue, idempotency: Idempotency
    ) -> None:
        """Take what desks share, the rows, where jobs are asked for, and what makes a repeated call harmless."""
        self._gate, self._clock = showing.gate, showing.clock
        self._contacts, self._jobs, self._idempotency = contacts, jobs, idempotency

    async def ask(self, viewer: Viewer, unit: UnitOfWork, key: str | None) -> Answer:
        """Ask for a measurement once per ``key``. Raises ``NotPermitted`` and ``TooManyJobs``."""

        async def work() -> Receipt:
            total = await self._contacts.size()
            job = await self._jobs.submit(unit, viewer, MEASURE, {}, total=total)
            await add_intent(unit.session, written(author_of(viewer), MEASURE, self._clock.now()))
            return Receipt(job, {"job_id": str(job)}, 202)

        call = Call(viewer.caller, "POST", STRENGTHS, key)
        return await self._idempotency.run(unit, call, {}, allowed=lambda: admit_reader(viewer), work=work)

    async def work(self, run: JobRun) -> Mapping[str, Any]:
        """Do what a job asks, as long as whoever asked may. Implements ``permissions.jobs.JobHandler``."""
        tally, after, done = Tally(CATALOGUE), _FIRST, 0
        total = await self._contacts.size()
        while True:
            viewer = await run.viewer()
            admit_reader(viewer)
            records = await self._contacts.walk(after, viewer.tree, limit=_PAGE)
            if not records:
                break
            await self._gate.measure(viewer, records, Look(action=MEASURE, purpose=Purpose.AUDIT), tally)
            after, done = records[-1].subject, done + len(records)
            await run.advance(done, max(total, done))
        strengths = list(tally.strengths())
        measured = {each.field for each in strengths}
        return {
            "enough": ENOUGH,
            "strengths": [_told(each) for each in strengths],
            "unmeasured": sorted(field.name for field in CATALOGUE.protected if field.name not in measured),
        }


def _told(each: Strength) -> dict[str, Any]:
    return {
        "field": each.field,
        "class": each.field_class.value,
        "outcome": each.outcome.name.lower(),
        "contacts": each.contacts,
        "least": each.least,
        "median": each.median,
        "alone": each.alone,
        "weak": each.is_weak(ENOUGH),
    }
