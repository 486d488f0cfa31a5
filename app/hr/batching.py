"""Many personnel events at once: each in a transaction of its own, in the order given, and none is held up by another.

An event that is refused stores nothing, and is told as refused among the others; the refusal is on record as that of a single event is. A
failure of ours ends the batch with the answer that it has: what stands before it is done, and sending the batch again tells it again. Each
event meets the tree and the rights that the one before it left.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, get_args

from app.audit.authors import written
from app.audit.intents import add_intent
from app.auth.errors import AccountRefused
from app.hr.fusing import LeaverFuse
from app.hr.models import EventState
from app.hr.schemas import REFUSED, EventProblem, HrBatchItem, HrBatchReceipt, HrEventIn, Sent
from app.hr.service import ACTION, HrService, Told, receipt_of
from app.hr.source_errors import ForeignSource
from app.hr.taking import HrTaking
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Database
from app.kit.errors import Invalid, Problem
from app.kit.problems import ProblemError
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer, author_of

_REFUSALS: Final = (Invalid, NotPermitted, AccountRefused, ForeignSource)
"""What a single event is refused with; everything else is a failure of ours."""


class HrBatches:
    """Takes batches."""

    def __init__(
        self, *, database: Database, service: HrService, taking: HrTaking, fuse: LeaverFuse, clock: Clock
    ) -> None:
        """Take where transactions come from, who is admitted, what takes one event, what counts leavers, and the clock."""
        self._database, self._service, self._taking, self._clock = database, service, taking, clock
        self._fuse = fuse

    async def take(self, viewer: Viewer, batch: Sequence[Sent]) -> HrBatchReceipt:
        """Take events one after the other; tell of each what became of it, or why it was refused.

        Raises ``NotPermitted`` for a sender of whom none is taken, and ``FuseBlown``, with nothing taken, where too many would leave.
        """
        self._service.admit(viewer)
        readable = [sent.event for sent in batch if isinstance(sent.event, HrEventIn)]
        await self._fuse.demand(self._database.reader, viewer, readable)
        items = []
        for at, sent in enumerate(batch):
            try:
                items.append(_taken(await self._one(viewer, sent.event)))
            except _REFUSALS as refused:
                await self._record(viewer, refused)
                items.append(_refused(refused, sent.name, f"/events/{at}"))
        counts = Counter(item.state for item in items)
        return HrBatchReceipt(
            counts={state: counts[state] for state in (*get_args(EventState), REFUSED)},
            replayed=sum(item.replayed for item in items),
            items=items,
        )

    async def _one(self, viewer: Viewer, event: HrEventIn | Invalid) -> Told:
        if isinstance(event, Invalid):
            raise event
        return await self._taking.take(viewer, event, afresh=True)

    async def _record(self, viewer: Viewer, refused: Problem) -> None:
        """Put a refusal on record: no subject, because what was refused was not believed."""
        event = replace(written(author_of(viewer), ACTION, self._clock.now()), decision="refused", code=refused.code)
        async with self._database.unit_of_work() as unit:
            await add_intent(unit.session, event)


def _taken(told: Told) -> HrBatchItem:
    return HrBatchItem(**dict(receipt_of(told)), replayed=told.replayed)


def _refused(problem: Problem, name: str | None, place: str) -> HrBatchItem:
    context = current_request()
    chinese = context is not None and context.language == "zh"
    return HrBatchItem(
        id=name,
        state=REFUSED,
        contact_id=None,
        numbers=[],
        problem=EventProblem(code=problem.code, detail=problem.detail_zh if chinese else problem.detail),
        errors=[
            ProblemError(
                pointer=f"{place}{each.pointer}", code=each.code, detail=each.detail_zh if chinese else each.detail
            )
            for each in problem.errors
        ],
    )
