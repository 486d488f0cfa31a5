"""Taking personnel events: each once, whole or not at all, and put on record either way.

One transaction per event. What waits for the same subject is opened before it begins, since opening takes a permit of the log. The ledger
row is entered first, so that a repeat meets it and two posts of one event queue there; then the event, and what it sets free, are settled.
A failure of ours leaves nothing, and the source sends the event again.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.contacts.fields import CATALOGUE
from app.contacts.members import PEOPLE, MemberReader, refuse_oneself
from app.hr.backlog import AUTHOR, Backlog, Deferred
from app.hr.data import PersonData
from app.hr.errors import EventIdReused
from app.hr.fusing import DEPARTURES, LeaverFuse
from app.hr.known import LedgerKeys
from app.hr.models import EventState, HrEvent
from app.hr.repository import HrLedger
from app.hr.schemas import EventProblem, HrEventIn, HrReceipt
from app.hr.settling import Settling
from app.hr.source_names import SourceNames
from app.hr.subjects import KIND, PERSONNEL, Subjects
from app.hr.telling import Telling
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, Invalid
from app.kit.models import new_id
from app.permissions.standing import Viewer, author_of

ACTION: Final = "hr.event"
_AHEAD: Final = timedelta(days=7)
"""How far ahead of now an event may say that it happened: what stands later wins over everything that is said before, departures too."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a source is told of its event. ``problem`` has ``code``, ``detail`` and ``detail_zh``."""

    event_id: str
    state: EventState
    contact_id: UUID | None
    problem: Mapping[str, str] | None
    numbers: tuple[str, ...] = ()
    replayed: bool = False


class HrService:
    """Takes personnel events."""

    def __init__(
        self,
        *,
        ledger: HrLedger,
        backlog: Backlog,
        settling: Settling,
        subjects: Subjects,
        members: MemberReader,
        telling: Telling,
        names: SourceNames,
        fuse: LeaverFuse,
        keys: LedgerKeys,
        clock: Clock,
    ) -> None:
        """Take the ledger, what opens and settles events, who asks policy, how members are read, who alerts, names, fuse, keys, clock."""
        self._names, self._fuse = names, fuse
        self._ledger, self._backlog, self._settling, self._telling = ledger, backlog, settling, telling
        self._subjects, self._members, self._keys, self._clock = subjects, members, keys, clock

    async def take(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Told:
        """As ``take_own``, of a sender, who is refused sources that are not theirs (``SourceNames.demand``) and happenings of next week."""
        self.admit(viewer)
        await self._names.demand(viewer, event.source)
        if event.time > self._clock.now() + _AHEAD:
            text = ("It cannot have happened by then: say `effective_at`.", "事件时间过于超前，请使用 effective_at。")
            raise Invalid(errors=[FieldError("/time", "in_the_future", *text)])
        told = await self.take_own(viewer, unit, event)
        if event.type in DEPARTURES and told.state == "applied" and not told.replayed:
            await self._fuse.watch(unit.session, viewer)
        return told

    async def take_own(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Told:
        """Enter and settle one event, or tell again what became of it; ``unit`` has not begun.

        Raises ``NotPermitted``; ``Invalid`` for a value that cannot be read, ``NotCollected`` and ``EventIdReused``; ``LogUnavailable``
        where something waits for the subject. Then nothing was stored. What is well formed and cannot be applied is told as ``failed``.
        """
        self.admit(viewer)
        person = event.type.startswith("employee.")
        backlog = await self._backlog.waiting(self._keys.of_subject(event.subject)) if person else []
        await self._refuse_unreadable(viewer, unit, event)
        row = self._row(viewer, event, event.canonical())
        known = await self._ledger.claim(unit.session, row)
        if known is not None:
            if not hmac.compare_digest(known.body_hash, row.body_hash):
                raise EventIdReused
            return told_of(known, replayed=True)
        await self._settling.settle(viewer, unit, row, event)
        await self.record(unit, row, author_of(viewer))
        if row.state != "waiting":
            await self.release(unit, row, backlog)
        return told_of(row)

    async def release(self, unit: UnitOfWork, settled: HrEvent, backlog: list[Deferred]) -> None:
        """Settle what waited for ``settled``, on record under whoever sent it; of what fails with nobody there to be told, alert.

        What began to wait after ``backlog`` was opened, or is beyond what one transaction looks at, is the worker's next.
        """
        await unit.session.flush()
        await self._ledger.wake(unit.session, settled.subject_hash, at=self._clock.now())
        for row, each in await self._settling.release(unit, backlog):
            await self.record(unit, row, AUTHOR if each.viewer is None else author_of(each.viewer))
            await self._telling.failed(unit, row)

    async def record(self, unit: UnitOfWork, row: HrEvent, author: Author) -> None:
        """Put on record what became of an event."""
        query: dict[str, Any] = {"type": row.type, "state": row.state, "entry": str(row.id)}
        if row.problem is not None:
            query["problem"] = row.problem["code"]
        contacts = () if row.contact_id is None else (row.contact_id,)
        await add_intent(unit.session, written(author, ACTION, self._clock.now(), contacts=contacts, query=query))

    def admit(self, viewer: Viewer) -> None:
        """Raise ``NotPermitted`` for a sender of whom no event is taken, whatever it is about."""
        context = current_request()
        if context is not None:
            context.action = ACTION
        self._subjects.demand(viewer, PERSONNEL, frozenset())

    async def _refuse_unreadable(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> None:
        if not isinstance(event.data, PersonData):
            return
        given = event.data.given()
        refuse_oneself(event.subject, {name: given.get(name) for name in PEOPLE}, "/data")
        try:
            self._subjects.classes(given)
            readable = {
                name: value
                for name, value in given.items()
                if CATALOGUE.protects(KIND, name) is not None or name == "user_name"
            }
            await self._members.read(unit.session, viewer.tree, KIND, readable)
        except Invalid as fault:
            fault.errors = tuple(replace(each, pointer=f"/data{each.pointer}") for each in fault.errors)
            raise

    def _row(self, viewer: Viewer, event: HrEventIn, body: bytes) -> HrEvent:
        return HrEvent(
            id=new_id(),
            source=event.source,
            event_id=event.id,
            client_id=viewer.standing.client_id,
            type=event.type,
            sequence=event.sequence,
            subject_hash=self._keys.of_subject(event.subject),
            body_hash=self._keys.of_body(body),
            at=event.time,
            received_at=self._clock.now(),
            state="waiting",
        )


def receipt_of(told: Told) -> HrReceipt:
    """Write what a source is told, in its language."""
    context = current_request()
    return HrReceipt(
        id=told.event_id,
        state=told.state,
        contact_id=told.contact_id,
        numbers=list(told.numbers),
        problem=EventProblem.of(told.problem, chinese=context is not None and context.language == "zh"),
    )


def told_of(row: HrEvent, *, replayed: bool = False) -> Told:
    """Tell what became of an event."""
    return Told(row.event_id, row.state, row.contact_id, row.problem, tuple(row.numbers or ()), replayed)
