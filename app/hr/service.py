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
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.auth.accounts import UserAccounts
from app.contacts.errors import UnknownContact
from app.contacts.fields import CATALOGUE
from app.contacts.members import MemberReader
from app.contacts.repository import ContactRepository
from app.contacts.rows import closed
from app.contacts.writer import ContactWriter
from app.crypto.datakey import WrappedDataKey
from app.crypto.sealer import Sealer
from app.disclosure.records import Record
from app.hr.errors import UNRESOLVED, EffectiveAtNotSupported, EventIdReused, TypeNotSupported, UnknownSubject
from app.hr.models import EventState, HrEvent
from app.hr.repository import HrLedger
from app.hr.schemas import HrEventIn, JoinedData, LeftData
from app.kit.clock import Clock
from app.kit.db import Reader, UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound, Problem
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.repository import GrantRepository
from app.permissions.standing import Viewer, author_of

KIND: Final = "employee"
_PAYLOAD: Final = "hr.payload"
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far ahead a source's clock may be before "now" counts as the future (reference/directory-numbers.md, HR event intake, rule 1)."""


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """Keys of the ledger's hashes, from the keyring: one for subjects, one for bodies."""

    subject: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a source is told of its event. ``problem`` has ``code``, ``detail`` and ``detail_zh``."""

    event_id: str
    state: EventState
    contact_id: UUID | None
    problem: Mapping[str, str] | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an event did: to whom, and the key to seal its payload with."""

    contact_id: UUID
    key: WrappedDataKey


@dataclass(frozen=True, slots=True)
class People:
    """Where people are found and changed."""

    contacts: ContactRepository
    members: MemberReader
    writer: ContactWriter
    accounts: UserAccounts
    grants: GrantRepository


class HrService:
    """Takes personnel events."""

    def __init__(
        self, *, ledger: HrLedger, people: People, sealer: Sealer, keys: LedgerKeys, reader: Reader, clock: Clock
    ) -> None:
        """Take the ledger, what it acts on, the sealer of payloads, the keys of its hashes, the reader and the clock."""
        self._ledger, self._sealer, self._keys, self._reader, self._clock = ledger, sealer, keys, reader, clock
        self._contacts, self._members, self._writer = people.contacts, people.members, people.writer
        self._accounts, self._grants = people.accounts, people.grants

    async def take(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> Told:
        """Enter and apply one event, or tell again what became of it.

        Raises ``NotPermitted``; ``Invalid`` for a value that cannot be read, ``NotCollected`` and ``EventIdReused``. Then nothing was
        stored. An event that is well formed and cannot be applied is told as ``failed``.
        """
        self._demand(viewer, CohortKey(KIND, None, "active", "normal", ()), frozenset())
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
                effect: _Effect | None = await self._apply(viewer, unit, event)
            row.state = "applied"
        except UNRESOLVED as problem:
            effect = await self._about(unit, event)
            row.state, row.problem = "failed", _kept(problem)
        if effect is not None:
            row.contact_id = effect.contact_id
            row.payload = self._sealer.existing(effect.contact_id, effect.key).seal(_PAYLOAD, body.decode())
        await self._put_on_record(viewer, unit, row)
        return _told(row)

    async def outcome(self, viewer: Viewer, event_id: str, source: str | None) -> Told:
        """Tell what became of an event that the caller sent; raise ``NotFound``, or ``Invalid`` where only the source tells which."""
        client = viewer.standing.client_id
        if source is None:
            rows = await self._ledger.own(self._reader, client, event_id)
        else:
            rows = await self._ledger.of_source(self._reader, client, event_id, source)
        if not rows:
            raise NotFound
        if len(rows) > 1:
            raise Invalid(
                errors=[FieldError("?source", "missing", "Two sources use this id.", "该编号被多个来源使用。")]
            )
        _, state, contact_id, problem, _ = rows[0]
        return Told(event_id, state, contact_id, problem)

    async def _apply(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> _Effect:
        match event.data:
            case JoinedData() as data:
                self._refuse_future(data)
                return await self._join(viewer, unit, event.subject, data)
            case LeftData() as data:
                self._refuse_future(data)
                return await self._leave(viewer, unit, event.subject)
            case _:
                raise TypeNotSupported

    async def _join(self, viewer: Viewer, unit: UnitOfWork, subject: str, data: JoinedData) -> _Effect:
        given = data.members(subject)
        node = viewer.tree.find(data.department)
        departments = () if node is None else (node.id,)
        key = CohortKey(KIND, data.worker_kind, "active", "normal", departments)
        self._demand(viewer, key, self._members.classes_of(KIND, given))
        if data.manager is not None:
            given["manager"] = await self._manager(unit, data.manager)
        done = await self._writer.create(unit, author_of(viewer), viewer.tree, KIND, given)
        return _Effect(done.record.subject, done.record.key)

    async def _leave(self, viewer: Viewer, unit: UnitOfWork, subject: str) -> _Effect:
        found = await self._find(unit, viewer, subject)
        if found is None:
            raise UnknownSubject
        record, effect = found
        if record.cohort.status == "left":
            return effect
        self._demand(viewer, record.cohort, frozenset())
        account = await self._accounts.by_contact(unit.session, record.subject)
        if account is not None:
            await self._grants.end_all(unit.session, account.id, at=self._clock.now())
        await self._writer.hide(unit, author_of(viewer), record)
        return effect

    async def _find(self, unit: UnitOfWork, viewer: Viewer, subject: str) -> tuple[Record, _Effect] | None:
        identity = await self._contacts.by_employee_no(unit.session, subject)
        loaded = None if identity is None else await self._contacts.for_change(unit.session, identity)
        if loaded is None:
            return None
        contact, wrapped = loaded
        return closed(contact, wrapped, viewer.tree), _Effect(contact.id, wrapped)

    async def _manager(self, unit: UnitOfWork, named: str) -> UUID:
        try:
            return UUID(named)
        except ValueError:
            identity = await self._contacts.by_employee_no(unit.session, named)
        if identity is None:
            raise UnknownContact("/data/manager")
        return identity

    async def _about(self, unit: UnitOfWork, event: HrEventIn) -> _Effect | None:
        """Find whom an event that failed is about; a ``joined`` that failed may be about somebody else than the number's holder."""
        if not event.type.startswith("employee.") or isinstance(event.data, JoinedData):
            return None
        identity = await self._contacts.by_employee_no(unit.session, event.subject)
        loaded = None if identity is None else await self._contacts.for_change(unit.session, identity)
        return None if loaded is None else _Effect(loaded[0].id, loaded[1])

    async def _refuse_unreadable(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn) -> None:
        if not isinstance(event.data, JoinedData):
            return
        given = event.data.members(event.subject)
        try:
            self._members.classes_of(KIND, given)
            readable = {
                name: value for name, value in given.items() if name in CATALOGUE.by_name or name == "user_name"
            }
            await self._members.read(unit.session, viewer.tree, readable)
        except Invalid as fault:
            fault.errors = tuple(replace(each, pointer=f"/data{each.pointer}") for each in fault.errors)
            raise

    def _refuse_future(self, data: JoinedData | LeftData) -> None:
        if data.effective_at is not None and data.effective_at > self._clock.now() + _CLOCK_DIFFERENCE:
            raise EffectiveAtNotSupported

    def _demand(self, viewer: Viewer, key: CohortKey, classes: frozenset[FieldClass]) -> None:
        cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(key, new_id())
        if not cohort.edits >= classes | {FieldClass.C1}:
            raise NotPermitted

    def _row(self, viewer: Viewer, event: HrEventIn, body: bytes) -> HrEvent:
        return HrEvent(
            id=new_id(),
            source=event.source,
            event_id=event.id,
            client_id=viewer.standing.client_id,
            type=event.type,
            sequence=event.sequence,
            subject_hash=hmac.digest(self._keys.subject, event.subject.encode(), "sha256"),
            body_hash=hmac.digest(self._keys.body, body, "sha256"),
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
            unit.session, written(author_of(viewer), "hr.event", self._clock.now(), contacts=contacts, query=query)
        )


def _kept(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "detail": problem.title, "detail_zh": problem.title_zh}


def _told(row: HrEvent, *, replayed: bool = False) -> Told:
    return Told(row.event_id, row.state, row.contact_id, row.problem, replayed)
