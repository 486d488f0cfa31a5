"""Taking personnel events: each once, whole or not at all, and put on record either way.

One transaction per event. The ledger row is entered first, so that a repeat meets it and two posts of one event queue there. What the event
does runs under a savepoint: an event that cannot be applied leaves the row with its problem and nothing else; a failure of ours leaves
nothing, and the source sends it again.

``employee.joined`` makes the contact at once, in force. design/security.md wants the payload sealed under the contact's key and "a
``prehire`` row made when a subject is first seen": here a subject is first kept by a ``joined`` that applies, so the row that owns the key
is made with it; rows that stay ``prehire`` come with scheduling. A ``joined`` that cannot make a contact leaves no row and no key, and
therefore hashes and the problem only.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.fields import CATALOGUE
from app.contacts.members import MemberReader
from app.crypto.sealer import Sealer
from app.hr.applying import Applier
from app.hr.data import JoinedData, PersonData
from app.hr.errors import UNRESOLVED, EventIdReused
from app.hr.models import EventState, HrEvent
from app.hr.repository import HrLedger
from app.hr.schemas import EventProblem, HrEventIn, HrReceipt
from app.hr.subjects import KIND, Effect, Subjects
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.errors import Invalid, Problem
from app.kit.models import new_id
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer, author_of

ACTION: Final = "hr.event"
_PAYLOAD: Final = "hr.payload"
PERSONNEL: Final = CohortKey(KIND, None, "active", "normal", ())
"""Whoever may not write an employee's card sends no personnel events, whatever they are about."""


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """Keys of the ledger's hashes, from the keyring: one for subjects, one for bodies."""

    subject: bytes
    body: bytes

    def of_subject(self, subject: str) -> bytes:
        """Hash an employee number or a department's code."""
        return hmac.digest(self.subject, subject.encode(), "sha256")

    def of_body(self, body: bytes) -> bytes:
        """Hash an event as ``HrEventIn.canonical`` writes it."""
        return hmac.digest(self.body, body, "sha256")


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
        applier: Applier,
        subjects: Subjects,
        members: MemberReader,
        sealer: Sealer,
        keys: LedgerKeys,
        clock: Clock,
    ) -> None:
        """Take the ledger, what applies events, whom they are about, how members are read, sealer and keys of the ledger, and the clock."""
        self._ledger, self._applier, self._subjects = ledger, applier, subjects
        self._members, self._sealer, self._keys, self._clock = members, sealer, keys, clock

    async def take(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Told:
        """Enter and apply one event, or tell again what became of it.

        Raises ``NotPermitted``; ``Invalid`` for a value that cannot be read, ``NotCollected`` and ``EventIdReused``. Then nothing was
        stored. An event that is well formed and cannot be applied is told as ``failed``.
        """
        self.admit(viewer)
        await self._refuse_unreadable(viewer, unit, event)
        body = event.canonical()
        row = self._row(viewer, event, body)
        known = await self._ledger.claim(unit.session, row)
        if known is not None:
            if not hmac.compare_digest(known.body_hash, row.body_hash):
                raise EventIdReused
            return _told(known, replayed=True)
        try:
            async with unit.session.begin_nested():
                effect = await self._applier.apply(viewer, unit, event)
            row.state, row.numbers, row.problem = "applied", list(effect.numbers) or None, _kept(effect.problem)
        except UNRESOLVED as problem:
            effect = await self._about(viewer, unit, event)
            row.state, row.problem = "failed", _kept(problem)
        if effect.contact_id is not None and effect.key is not None:
            row.contact_id = effect.contact_id
            row.payload = self._sealer.existing(effect.contact_id, effect.key).seal(_PAYLOAD, body.decode())
        await self._put_on_record(viewer, unit, row)
        return _told(row)

    def admit(self, viewer: Viewer) -> None:
        """Raise ``NotPermitted`` for a sender of whom no event is taken, whatever it is about."""
        context = current_request()
        if context is not None:
            context.action = ACTION
        self._subjects.demand(viewer, PERSONNEL, frozenset())

    async def _about(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Effect:
        """Find whom an event that failed is about; a ``joined`` that failed may be about somebody else than the number's holder."""
        if not event.type.startswith("employee.") or isinstance(event.data, JoinedData):
            return Effect()
        record = await self._subjects.find(unit, viewer.tree, event.subject)
        return Effect() if record is None else Effect(record.subject, record.key)

    async def _refuse_unreadable(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> None:
        if not isinstance(event.data, PersonData):
            return
        given = event.data.given()
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

    async def _put_on_record(self, viewer: Viewer, unit: UnitOfWork, row: HrEvent) -> None:
        query: dict[str, Any] = {"type": row.type, "state": row.state, "entry": str(row.id)}
        if row.problem is not None:
            query["problem"] = row.problem["code"]
        contacts = () if row.contact_id is None else (row.contact_id,)
        await add_intent(
            unit.session, written(author_of(viewer), ACTION, self._clock.now(), contacts=contacts, query=query)
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


def _kept(problem: Problem | None) -> dict[str, str] | None:
    if problem is None:
        return None
    return {"code": problem.code, "detail": problem.title, "detail_zh": problem.title_zh}


def _told(row: HrEvent, *, replayed: bool = False) -> Told:
    return Told(row.event_id, row.state, row.contact_id, row.problem, tuple(row.numbers or ()), replayed)
