"""Pushing, changing and ending business facts for a caller: may they, whom do they name, was it said before, and what are they told.

A person may who may edit the C1 of the contact, by the policy pack: the head of the department that owns it and the office that keeps the
book. A service account may whose scope is made for nothing else; it sees nothing of the contact, and one whom it cannot push about, an
employee among them, is nobody to it. No person puts themselves to work on a customer, under any account: rights come of it. What is
answered is a receipt of what the caller said.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from app.contacts.repository import ContactRepository
from app.contacts.rights import seek
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.engagements.errors import NotExternal, OwnAssignment
from app.engagements.reading import EngagementPages
from app.engagements.repository import EngagementRepository
from app.engagements.rules import CLOCK_DIFFERENCE, OPEN, PRESENT, SUBJECT
from app.engagements.schemas import EngagementAmend, EngagementBatch, EngagementCreate
from app.engagements.service import EngagementService, Entered, NewBusiness
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader, UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import FieldError, Invalid, NotFound, PreconditionFailed, Problem
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.query import Source
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.standing import Viewer, author_of


class Persons(Protocol):
    """Where the natural person behind a contact is read."""

    async def of(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, UUID]:
        """Give the person behind each contact; itself where nothing says otherwise."""
        ...


class EngagementKeeper:
    """Keeps facts for a viewer."""

    def __init__(
        self,
        *,
        service: EngagementService,
        rows: EngagementRepository,
        pages: EngagementPages,
        contacts: ContactRepository,
        gate: Gate,
        persons: Persons,
        reader: Reader,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take what does it, the rows, how facts are shown, contacts and gate, who is whom, the stores, what makes a repeat harmless."""
        self._service, self._rows, self._pages = service, rows, pages
        self._contacts, self._gate, self._persons = contacts, gate, persons
        self._reader, self._idempotency, self._clock = reader, idempotency, clock

    async def push(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, identity: UUID, body: EngagementCreate
    ) -> Answer:
        """Enter a fact, once per ``key`` and once per reference of its source.

        Raises ``NotFound``, ``NotPermitted``, ``OwnAssignment``, ``Invalid``, and what the service raises.
        """
        seek("engagement.create", Purpose.WORK_CONTACT, identity)
        await self._refuse(viewer, identity)
        self._refuse_times(body.since, body.until)
        entered: Entered | None = None

        async def work() -> Receipt:
            nonlocal entered
            entered = await self._entered(viewer, unit, identity, body)
            return await self._receipt(viewer, entered, status=201)

        call = Call(viewer.caller, "POST", collection(identity), key)
        answer = await self._idempotency.run(
            unit, call, key and body.model_dump(mode="json", exclude_unset=True), allowed=_allowed, work=work
        )
        return Answer(answer.receipt, replayed=answer.replayed or (entered is not None and entered.replayed))

    async def push_all(self, viewer: Viewer, unit: UnitOfWork, body: EngagementBatch) -> dict[str, Any]:
        """Enter many facts, each by itself; tell what became of each. Contacts are locked once and in order, for the whole batch."""
        seek("engagement.batch", Purpose.WORK_CONTACT)
        outcomes = dict[int, Entered | Problem]()
        told = dict[int, NewBusiness]()
        for at, item in enumerate(body.items):
            try:
                await self._refuse(viewer, item.contact)
                self._refuse_times(item.since, item.until)
                staff = await self._named(viewer, unit, item.staff)
                told[at] = self._new(viewer, item.contact, item, staff)
            except (NotFound, NotPermitted, OwnAssignment, Invalid) as refused:
                outcomes[at] = refused
        locked = await self._service.lock(unit.session, _named_by(told.values()))
        entered = await self._service.enter(unit, author_of(viewer), list(told.values()), locked)
        outcomes.update(zip(told, entered, strict=True))
        items = [await self._outcome(viewer, outcomes[at]) for at in range(len(body.items))]
        counts = {state: sum(each["state"] == state for each in items) for state in ("created", "replayed", "failed")}
        return {**counts, "items": items}

    async def _outcome(self, viewer: Viewer, outcome: Entered | Problem) -> dict[str, Any]:
        if isinstance(outcome, Problem):
            return _refusal(outcome)
        receipt = await self._receipt(viewer, outcome, status=201)
        return {"state": "replayed" if outcome.replayed else "created", "engagement": receipt.body, "problem": None}

    async def amend(
        self, viewer: Viewer, unit: UnitOfWork, place: tuple[UUID, UUID], seen: str, body: EngagementAmend
    ) -> Receipt:
        """Change a fact (its contact and id) that the caller was told as ``seen``. Raises as ``push`` does, and ``PreconditionFailed``."""
        identity, engagement = place
        seek("engagement.update", Purpose.WORK_CONTACT, identity)
        await self._refuse(viewer, identity, engagement)
        staff = None
        if "staff" in body.model_fields_set:
            now, there = self._clock.now(), (await self._rows.staff(unit.session, [engagement]))[engagement]
            at_work = {each.staff_id for each in there if each.live(now)}
            staff = await self._named(viewer, unit, body.staff, at_work=at_work)
        fact, locked = await self._service.held(
            unit.session, identity, engagement, [each for each in staff or () if each is not None]
        )
        before = await self._pages.seen_by(viewer, fact, (await self._rows.staff(unit.session, [fact.id]))[fact.id])
        if not names_version(seen, before["version"]):
            raise PreconditionFailed
        until = None
        if "until" in body.model_fields_set:
            self._refuse_times(None, body.until)
            until = body.until or OPEN
        entered = await self._service.change(unit, author_of(viewer), fact, locked, until=until, staff=staff)
        return await self._receipt(viewer, entered, status=200)

    async def end(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, engagement: UUID) -> None:
        """End a fact, and the rights of all who work on it, now; ended twice is ended once. Raises ``NotFound`` and ``NotPermitted``."""
        seek("engagement.end", Purpose.WORK_CONTACT, identity)
        await self._refuse(viewer, identity, engagement)
        fact, locked = await self._service.held(unit.session, identity, engagement)
        now = self._clock.now()
        if fact.live(now):
            await self._service.change(unit, author_of(viewer), fact, locked, until=now)

    async def _entered(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: EngagementCreate) -> Entered:
        new = self._new(viewer, identity, body, await self._named(viewer, unit, body.staff))
        locked = await self._service.lock(unit.session, _named_by([new]))
        (outcome,) = await self._service.enter(unit, author_of(viewer), [new], locked)
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    def _new(self, viewer: Viewer, identity: UUID, body: EngagementCreate, staff: Sequence[UUID | None]) -> NewBusiness:
        now = self._clock.now()
        said = [str(identity), sorted(set(body.staff)), body.since, body.until]
        return NewBusiness(
            contact_id=identity,
            kind=body.kind,
            reference=body.reference,
            source=viewer.caller,
            staff=tuple(staff),
            since=now if body.since is None else min(body.since, now),
            until=body.until or OPEN,
            body_hash=hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).digest(),
        )

    async def _named(
        self, viewer: Viewer, unit: UnitOfWork, staff: Sequence[str], *, at_work: Collection[UUID] = ()
    ) -> list[UUID | None]:
        """Find people by id or employee number; nobody stands for those who are not there or whom the viewer may not know of.

        Raises ``OwnAssignment`` for a viewer who is among them and not ``at_work`` already.
        """
        found: list[UUID | None] = []
        for each in staff:
            try:
                found.append(UUID(each))
            except ValueError:
                found.append(await self._contacts.by_employee_no(unit.session, each))
        known = await self._pages.may_name(viewer, [each for each in found if each is not None])
        await self._refuse_oneself(viewer, unit, [each for each in known if each not in at_work])
        return [each if each in known else None for each in found]

    async def _refuse_oneself(self, viewer: Viewer, unit: UnitOfWork, new: Sequence[UUID]) -> None:
        me = viewer.standing.contact_id
        if me is None or not new:
            return
        persons = await self._persons.of(unit.session, [me, *new])
        if persons[me] in {persons[each] for each in new}:
            raise OwnAssignment

    async def _refuse(self, viewer: Viewer, identity: UUID, engagement: UUID | None = None) -> None:
        """Raise unless the viewer may write facts about this contact; a service changes only what it pushed."""
        record = await self._contacts.by_id(identity, viewer.tree)
        if viewer.standing.contact_id is None:
            self._refuse_service(record)
            if engagement is not None:
                fact = await self._rows.fact(self._reader, engagement)
                if fact is None or fact.source != viewer.caller:
                    raise NotFound
            return
        plan = viewer.plan(Purpose.WORK_CONTACT)
        cohort = None if record is None else self._gate.verdict(plan, record)
        if record is None or cohort is None:
            raise NotFound
        if FieldClass.C1 not in cohort.edits:
            raise NotPermitted
        if record.cohort.kind != SUBJECT:
            raise NotExternal

    def _refuse_service(self, record: Record | None) -> None:
        if record is None or record.cohort.kind != SUBJECT or record.cohort.status not in PRESENT:
            raise NotFound

    def _refuse_times(self, since: datetime | None, until: datetime | None) -> None:
        now, faults = self._clock.now(), []
        if since is not None and since > now + CLOCK_DIFFERENCE:
            faults.append(FieldError("/since", "in_the_future", "This time has not come.", "该时间尚未到来。"))
        if until is not None and until <= now:
            faults.append(FieldError("/until", "in_the_past", "This time is over.", "该时间已过。"))
        if faults:
            raise Invalid(errors=faults)

    async def _receipt(self, viewer: Viewer, entered: Entered, *, status: int) -> Receipt:
        told = await self._pages.seen_by(viewer, entered.fact, entered.staff)
        body: dict[str, Any] = orjson.loads(orjson.dumps(told, option=orjson.OPT_UTC_Z))
        return Receipt(entered.fact.id, body, status)


def collection(identity: UUID) -> str:
    """Name the path under which the facts about a contact stand."""
    return f"/v1/contacts/{identity}/engagements"


def _named_by(told: Iterable[NewBusiness]) -> set[UUID]:
    """List every contact whom these facts name."""
    return {who for each in told for who in (each.contact_id, *each.staff) if who is not None}


def _allowed() -> None:
    """Ask nothing further: who may not was refused before, by the rights of now."""


def _refusal(refused: Problem) -> dict[str, Any]:
    context = current_request()
    chinese = context is not None and context.language == "zh"
    detail = refused.detail_zh if chinese else refused.detail
    problem = {"code": refused.code, "detail": detail, "pointers": [each.pointer for each in refused.errors]}
    return {"state": "failed", "engagement": None, "problem": problem}
