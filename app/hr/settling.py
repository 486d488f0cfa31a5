"""What becomes of one event, in the caller's transaction: applied, scheduled, waiting, superseded or failed; and what that sets free.

Whoever settles an event has its row, and locks the subject first; so events of one person are settled one after the other, in whatever
process. What is applied runs under a savepoint: an event that cannot be applied leaves its row, with the problem and its box, and nothing
else. After each event that had its turn, what waits for the same subject is looked at again until nothing moves any more.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy.orm.attributes import flag_modified

from app.crypto.sealer import Sealer
from app.hr.applying import CLOCK_DIFFERENCE, Applier
from app.hr.backlog import PAYLOAD, Deferred, content
from app.hr.data import CancelledData, JoinedData, RehiredData
from app.hr.errors import (
    MISSING,
    UNRESOLVED,
    WAITS,
    AlreadyApplied,
    HeldUp,
    PayloadLost,
    Replaced,
    UnknownEvent,
    Withdrawn,
)
from app.hr.happenings import place_of
from app.hr.known import Known, KnownSubjects
from app.hr.models import HrEvent
from app.hr.ordering import Missing, Place, in_turn
from app.hr.repository import HrLedger, place_in
from app.hr.schemas import HrEventIn
from app.hr.subjects import Effect, Subjects
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import Forbidden, Invalid, Problem
from app.permissions.standing import Viewer

ANNOUNCED: Final = frozenset({"employee.joined", "employee.leaving", "employee.left", "employee.rehired"})
"""Types of which the latest announcement counts: one that is scheduled takes the place of another that is."""
_LAST: Final = 2**63 - 1
"""The largest sequence that the ledger takes."""
_WITHDRAWABLE: Final = frozenset({"scheduled", "waiting", "failed"})


class Owes(Protocol):
    """What is told what became of events: the deadlines of those that could not be applied run all the same."""

    async def settled(self, unit: UnitOfWork, event: HrEventIn, state: str, contact_id: UUID | None) -> None:
        """Take in which state the ledger keeps an event, and whom it is about, where that is known."""
        ...

    async def given_up(self, unit: UnitOfWork, row: HrEvent) -> None:
        """Take in that an event that was kept is to do nothing."""
        ...


class Settling:
    """Settles events."""

    def __init__(
        self,
        *,
        ledger: HrLedger,
        applier: Applier,
        known: KnownSubjects,
        subjects: Subjects,
        sealer: Sealer,
        timing: Owes,
        clock: Clock,
        wait: timedelta,
    ) -> None:
        """Take the ledger, what applies, what is known of subjects, the sealer, deadlines, the clock, and how long an event waits."""
        self._timing = timing
        self._ledger, self._applier, self._known = ledger, applier, known
        self._subjects, self._sealer, self._clock, self._wait_for = subjects, sealer, clock, wait

    async def settle(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        row: HrEvent,
        event: HrEventIn,
        *,
        again: bool = False,
        over: bool = False,
    ) -> None:
        """Say what becomes of ``event`` and do it; ``row`` is left as the ledger is to have it.

        ``again``: somebody has looked at what failed, so what holds up the others does not hold it. ``over``: it has waited long enough; a
        gap before it is passed over, and what else is missing makes it fail. Raises ``NotPermitted``, ``NotFound`` and ``Invalid``.
        """
        row.placed_at = place_of(event).at
        row.department_id = _expected_in(viewer, event)
        if not event.type.startswith("employee."):
            await self._change_structure(viewer, unit, row, event)
            return
        known = await self._known.locked(unit, event.subject)
        missing = await self.obstacle(unit, row, event, known, again=again, over=over)
        if missing is not None:
            await self._wait(viewer, unit, row, event, MISSING[missing]())
        elif self._is_later(event):
            await self._schedule(viewer, unit, row, event)
        elif isinstance(event.data, CancelledData):
            await self._withdraw(viewer, unit, row, event, event.data.event, over=over)
        else:
            await self._apply(viewer, unit, row, event, over=over)
        await self._timing.settled(unit, event, row.state, row.contact_id)
        if row.state not in ("waiting", "failed") and row.sequence is not None:
            await self.advance(unit, row, await self._known.locked(unit, event.subject))

    async def release(self, unit: UnitOfWork, backlog: Sequence[Deferred]) -> list[tuple[HrEvent, Deferred]]:
        """Settle what waited and waits no longer, in the order of events, until nothing moves; give what had its turn."""
        moved, waiting = list[tuple[HrEvent, Deferred]](), list(backlog)
        while waiting:
            for each in waiting:
                row = await self._ledger.lock(unit.session, each.id)
                if row is not None and row.state == "waiting":
                    if not await self.attend(unit, row, each):
                        continue
                    moved.append((row, each))
                waiting.remove(each)
                break
            else:
                break
        return moved

    async def attend(
        self, unit: UnitOfWork, row: HrEvent, deferred: Deferred, *, again: bool = False, over: bool = False
    ) -> bool:
        """Settle an event that was kept, and tell whether it had its turn; a sender who may not send it any more makes it fail."""
        event, viewer = deferred.event, deferred.viewer
        if event is None or viewer is None:
            if event is not None and row.state == "waiting":
                known = await self._known.locked(unit, event.subject)
                if await self.obstacle(unit, row, event, known, again=again, over=over) is not None:
                    row.next_at = row.wait_until
                    return False
            self._fail(row, deferred.problem or PayloadLost())
            if event is not None:
                await self._timing.settled(unit, event, row.state, row.contact_id)
            return True
        try:
            async with unit.session.begin_nested():
                await self.settle(viewer, unit, row, event, again=again, over=over)
        except (Forbidden, Invalid) as problem:
            await unit.session.refresh(row)
            self._fail(row, problem)
            await self._timing.settled(unit, event, row.state, row.contact_id)
        return row.state != "waiting"

    async def obstacle(
        self, unit: UnitOfWork, row: HrEvent, event: HrEventIn, known: Known, *, again: bool, over: bool
    ) -> Missing | None:
        """Say what an event of a person waits for before it is looked into; scheduled ones have had their turn."""
        if not event.type.startswith("employee."):
            return None
        place = place_of(event)
        if not again and any(each.before(place) for each in await self._ledger.holding(unit.session, row)):
            return Missing.DECISION
        if over or row.state == "scheduled":
            return None
        last = known.last(event.source)
        begins = isinstance(event.data, JoinedData) or not known.minted
        if in_turn(last, event.sequence, begins=begins):
            return None
        return Missing.PERSON if last is None else Missing.EARLIER

    async def advance(self, unit: UnitOfWork, row: HrEvent, known: Known) -> None:
        """Let the next of a source's events have its turn, and pass over those that had theirs before."""
        if row.sequence is None:
            return
        known, following = known.at(row.source, row.sequence), max(row.sequence, known.last(row.source) or 0) + 1
        while following <= _LAST and await self._ledger.settled(unit.session, row.subject_hash, row.source, following):
            known, following = known.at(row.source, following), following + 1
        await self._known.put(unit.session, known)

    async def give_up(self, unit: UnitOfWork, row: HrEvent, problem: Problem) -> None:
        """Keep an event as one that is to do nothing, for the reason that ``problem`` names."""
        self._void(row, problem)
        await self._timing.given_up(unit, row)

    async def pass_over(self, unit: UnitOfWork, row: HrEvent, known: Known) -> None:
        """Let the next of a source's events have its turn once one is given up, if that one's own turn had come."""
        last = known.last(row.source)
        if row.sequence is not None and last is not None and row.sequence <= last + 1:
            await self.advance(unit, row, known)

    async def _apply(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn, *, over: bool) -> None:
        try:
            async with unit.session.begin_nested():
                effect = await self._applier.apply(viewer, unit, event)
        except WAITS as problem:
            if over:
                await self._failed(viewer, unit, row, event, problem)
            else:
                await self._wait(viewer, unit, row, event, problem)
        except UNRESOLVED as problem:
            await self._failed(viewer, unit, row, event, problem)
        else:
            row.numbers = list(effect.numbers) or None
            self._end(row, "superseded" if effect.superseded else "applied", effect.problem)
            await self._seal(viewer, unit, row, event, effect)

    async def _change_structure(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn) -> None:
        if self._is_later(event):
            row.state, row.next_at, row.problem = "scheduled", row.placed_at, None
            await self._seal(viewer, unit, row, event, Effect())
            return
        try:
            async with unit.session.begin_nested():
                await self._applier.apply(viewer, unit, event)
        except UNRESOLVED as problem:
            await self._failed(viewer, unit, row, event, problem)
        else:
            self._end(row, "applied", None)

    async def _schedule(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn) -> None:
        """Keep it until it is due; of two announcements of one thing the one that was made later counts, whichever comes first."""
        row.state, row.next_at, row.wait_until, row.problem = "scheduled", row.placed_at, None, None
        await self._seal(viewer, unit, row, event, await self._about(viewer, unit, event))
        made = Place(event.time, event.source, event.sequence)
        for other in await self._ledger.scheduled(unit.session, row) if row.type in ANNOUNCED else ():
            earlier = made.before(Place(other.at, other.source, other.sequence))
            self._void(row if earlier else other, Replaced())

    async def _withdraw(
        self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn, named: str, *, over: bool
    ) -> None:
        target = await self._ledger.sent(unit.session, row, named)
        if target is None:
            settled = self._failed if over else self._wait
            await settled(viewer, unit, row, event, UnknownEvent())
            return
        state, problem = "applied", None
        if target.state in _WITHDRAWABLE:
            await self.give_up(unit, target, Withdrawn())
            await self.pass_over(unit, target, await self._known.locked(unit, event.subject))
        elif target.state == "applied" and not await self._unsaid(viewer, unit, event, target):
            state, problem = "superseded", AlreadyApplied()
        self._end(row, state, problem)
        about = await self._about(viewer, unit, event)
        if about.contact_id is None:
            self._let_go(row)
        else:
            await self._seal(viewer, unit, row, event, about)

    async def _unsaid(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn, target: HrEvent) -> bool:
        """Take back an announcement that has taken effect, where that can be."""
        if target.type != "employee.leaving":
            return False
        return await self._applier.stays(viewer, unit, event, place_in(target)) is not None

    async def _wait(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn, problem: Problem) -> None:
        """Keep it until what is missing comes; what is held up by a failure waits for whoever settles that, however long it takes."""
        if isinstance(problem, HeldUp):
            row.wait_until = None
        elif row.wait_until is None:
            row.wait_until = self._clock.now() + self._wait_for
        row.state, row.next_at, row.problem = "waiting", row.wait_until, kept_problem(problem)
        await self._seal(viewer, unit, row, event, await self._about(viewer, unit, event))

    async def _failed(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn, problem: Problem) -> None:
        self._fail(row, problem)
        await self._seal(viewer, unit, row, event, await self._about(viewer, unit, event))

    def _void(self, row: HrEvent, problem: Problem) -> None:
        """End what will never be done; what it says of somebody is not kept (docs/decisions/0058)."""
        self._end(row, "superseded", problem)
        self._let_go(row)

    def _let_go(self, row: HrEvent) -> None:
        row.payload = row.sealed_for = None

    def _fail(self, row: HrEvent, problem: Problem) -> None:
        self._end(row, "failed", problem)
        row.holds = row.type.startswith("employee.")

    def _end(self, row: HrEvent, state: Any, problem: Problem | None) -> None:  # noqa: ANN401 — one of the states
        row.state, row.problem, row.holds = state, kept_problem(problem), False
        row.next_at = row.wait_until = row.department_id = None
        flag_modified(row, "next_at")  # ``HrLedger.wake`` may have written it past the session

    async def _about(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Effect:
        """Find whom an event is about that was not applied; a ``joined`` may be about somebody else than the number's holder."""
        if not event.type.startswith("employee.") or isinstance(event.data, JoinedData):
            return Effect()
        record = await self._subjects.find(unit, viewer.tree, event.subject)
        return Effect() if record is None else Effect(record.subject, record.key)

    async def _seal(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent, event: HrEventIn, effect: Effect) -> None:
        """Keep what the event says, under the key of whom it is about; or under the one that their card is to have."""
        subject, key = effect.contact_id, effect.key
        row.contact_id = subject
        if subject is None or key is None:
            known = await self._known.locked(unit, event.subject, person=event.type.startswith("employee."))
            subject, key = known.id, await self._known.key(unit.session, known)
        if row.payload is None or row.sealed_for != subject:
            row.payload = self._sealer.existing(subject, key).seal(PAYLOAD, content(event, viewer))
            row.sealed_for = subject

    def _is_later(self, event: HrEventIn) -> bool:
        effective = event.data.effective_at
        return effective is not None and effective > self._clock.now() + CLOCK_DIFFERENCE


def _expected_in(viewer: Viewer, event: HrEventIn) -> UUID | None:
    """Say where the number plan is to expect somebody who is announced."""
    if not isinstance(event.data, JoinedData | RehiredData):
        return None
    node = viewer.tree.find(event.data.department)
    return None if node is None else node.id


def kept_problem(problem: Problem | None) -> dict[str, str] | None:
    """Write a problem as the ledger keeps it: its code, and what it says in both languages."""
    if problem is None:
        return None
    return {"code": problem.code, "detail": problem.title, "detail_zh": problem.title_zh}
