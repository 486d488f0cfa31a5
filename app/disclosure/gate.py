"""The gate: the only code that turns a closed record into something to read.

In this order, for one contact or for a page: the row's MAC, the verdict of the plan, the record of the look, durable, with the viewer's
epochs compared; then, with the permit that the log gave, the boxes that the verdict allows; then the bytes. A row that does not verify,
and in a list a row that the plan calls invisible, is dropped and reported. Nothing is opened for a look that is not on record.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from app.audit.authors import Author, written
from app.audit.events import CohortEntry, EventDraft
from app.audit.stores import QuotaCharge
from app.audit.writer import AccessLog
from app.crypto.envelope import Box
from app.crypto.errors import SealBroken
from app.crypto.historykey import WrappedHistoryKey
from app.crypto.keyring import Opener
from app.crypto.permit import Permit
from app.disclosure.admissions import Admission, Admissions, admission
from app.disclosure.errors import ApprovalRequired, CaseMissing
from app.disclosure.looks import Look, counts, draft_of, entries, entry, note
from app.disclosure.masks import Told
from app.disclosure.opened import Opened
from app.disclosure.programs import REACHABLE, Program, Programs
from app.disclosure.records import Record, SealedFile
from app.disclosure.strength import Tally
from app.disclosure.upkeep import used
from app.disclosure.versions import Versions
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.errors import NotFound
from app.permissions import step_up
from app.permissions.errors import NotPermitted
from app.permissions.evidence import Evidence
from app.permissions.outcomes import FieldClass, Outcome, Power, Purpose, Reason, State
from app.permissions.plan import Cohort, Plan
from app.permissions.quotas import Quotas
from app.permissions.standing import Viewer

_log = structlog.get_logger("duanhao.security")
_NO_KEYS: Final[Mapping[bytes, WrappedHistoryKey]] = MappingProxyType({})


class Gate:
    """Discloses."""

    def __init__(
        self,
        *,
        log: AccessLog,
        opener: Opener,
        programs: Programs,
        quotas: Quotas,
        evidence: Evidence,
        version_key: bytes,
        clock: Clock,
    ) -> None:
        """Take the log, the opener, the catalogue's programs, what looks cost, and the key of versions (32 bytes, from the keyring)."""
        self._log, self._opener, self._programs, self._quotas = log, opener, programs, quotas
        self._evidence, self._admissions = evidence, Admissions()
        self.version, self._clock = Versions(version_key).of, clock

    def verdict(self, plan: Plan, record: Record) -> Cohort | None:
        """Give the verdict on one record whose row verifies; ``None`` when the viewer may not know of it."""
        if not self._intact(record):
            return None
        cohort = plan.cohort(record.cohort, record.subject)
        if cohort.visible:
            return cohort
        self._evidence.decided((cohort.rules,))
        return None

    async def disclose_one(self, viewer: Viewer, record: Record | None, look: Look) -> Opened:
        """Show one contact; raise ``NotFound`` alike when there is none, when it is not for ``viewer``, and when its row was edited.

        Raises ``LogUnavailable`` when the look cannot be recorded and ``EpochMoved`` when the viewer's rights have changed; then
        nothing was opened.
        """
        plan = viewer.plan(look.purpose)
        cohort = None if record is None else self.verdict(plan, record)
        if record is None or cohort is None:
            raise NotFound
        verdicts = [(record, cohort, self._programs.card(cohort, record.cohort.kind))]
        return await self._opened(viewer, plan, look, admission(plan, verdicts))

    async def disclose(
        self, viewer: Viewer, records: Sequence[Record], look: Look, *, taken: frozenset[str] | None = None
    ) -> Opened:
        """Show what ``viewer`` may see of ``records``, in their order; with ``taken``, what of these fields they may take along.

        A record that is not visible, or not to be taken, is dropped and reported, because the query should not have found it. An empty
        page is a look at nobody, and recorded too. Raises as ``disclose_one`` does.
        """
        plan = viewer.plan(look.purpose)
        page = self._admissions.of(plan, records) if taken is None else None
        if page is None:
            page = admission(plan, self._verdicts(plan, records, look.action, taken))
            if taken is None and len(page.admitted) == len(records):
                self._admissions.keep(plan, page)
        return await self._opened(viewer, plan, look, page)

    def _verdicts(
        self, plan: Plan, records: Sequence[Record], action: str, taken: frozenset[str] | None
    ) -> list[tuple[Record, Cohort, Program]]:
        """Judge the records of a page; report and leave out who should not have been found."""
        admitted: list[tuple[Record, Cohort, Program]] = []
        for record in records:
            cohort = self.verdict(plan, record)
            if cohort is None or (taken is not None and FieldClass.C1 not in cohort.powers[Power.EXPORT]):
                _log.error("row_not_disclosed", subject=str(record.subject), action=action)
                continue
            kind = record.cohort.kind
            program = self._programs.card(cohort, kind) if taken is None else self._programs.taken(cohort, kind, taken)
            admitted.append((record, cohort, program))
        return admitted

    async def _opened(self, viewer: Viewer, plan: Plan, look: Look, page: Admission) -> Opened:
        charge = self._quotas.contacts(viewer.standing, page.charged)
        draft = draft_of(viewer, plan, look, self._clock.now(), page.told, len(page.admitted))
        permit = await self._recorded(viewer, draft, page.scope, charge)
        self._evidence.decided(page.rules)
        cards = [self._card(permit, record, program) for record, program in page.admitted]
        return Opened(cards, note(viewer, plan, permit.event_id, page.obligations), permit.event_id)

    def foretell(
        self, plan: Plan, before: bytes | None, record: Record, values: Mapping[str, str | None]
    ) -> str | None:
        """Compute the version that a card will have after a write, without opening anything.

        ``before`` is the card as just disclosed to the same viewer (``None`` for a new contact), ``record`` the row as written, ``values``
        the plain values that the writer gave. ``None`` when the viewer's view of an untouched field changes with the write: then only a
        look can tell.
        """
        program = self._programs.card(plan.cohort(record.cohort, record.subject), record.cohort.kind)
        known: dict[str, Any] = orjson.loads(before) if before else {}
        members: list[bytes] = []
        for step in program.steps:
            if step.name in values or before is None or not step.opens:
                value = values.get(step.name)
                members.append(step.absent if value is None or not step.opens else step.present(value))
            elif known[step.name]["state"] in {step.state, State.EMPTY} and known[step.name].get("next") == step.next:
                members.append(b"," + orjson.dumps(step.name) + b":" + orjson.dumps(known[step.name]))
            else:
                return None
        return self.version(record.head + b"".join(members) + b"}")

    async def reveal(self, viewer: Viewer, record: Record, names: Sequence[str], look: Look) -> tuple[bytes, bytes]:
        """Open ``names`` of one visible record as far as a reveal goes; give the fields, as a rendered object, and the note.

        Raises as ``disclose`` does, and before anything is recorded as shown ``UnknownField``, ``ApprovalRequired`` or ``NotPermitted``, or
        instead of these two ``FreshSignInRequired`` where a second proof of identity would be enough; ``CaseMissing`` where policy asks for
        a case and ``look`` names none.
        """
        plan = viewer.plan(look.purpose)
        cohort = plan.cohort(record.cohort, record.subject)
        try:
            program = self._programs.reveal(cohort, record.cohort.kind, names)
        except (ApprovalRequired, NotPermitted):
            self._challenge(viewer, record, names, look.purpose)
            raise
        classes = self._programs.catalogue.classes
        if look.case is None and any(cohort.demanded(name, classes[name]) is Reason.CASE for name in names):
            raise CaseMissing
        charge = self._quotas.reveal(viewer.standing) if counts(viewer, record) else None
        draft = draft_of(viewer, plan, look, self._clock.now(), (entry(program, [record]),), 1)
        permit = await self._recorded(viewer, draft, {record.subject: program.scope}, charge)
        pattern = program.pattern(record.present)
        values = self._opener.open_boxes(permit, record.subject, record.key, pattern.opening(record.boxes))
        return b"{" + pattern.written(b"", values)[1:] + b"}", note(viewer, plan, permit.event_id, cohort.obligations)

    async def provide(self, viewer: Viewer, items: Sequence[tuple[Record, Sequence[str]]], look: Look) -> Opened:
        """Open the named fields of visible records, and nothing else of them, in one look.

        Raises as ``disclose`` does and, for a field of which no reveal shows more, as ``reveal`` does; then nothing was opened.
        """
        plan, admitted = viewer.plan(look.purpose), list[tuple[Record, Cohort, Program]]()
        for record, names in items:
            cohort = plan.cohort(record.cohort, record.subject)
            admitted.append((record, cohort, self._programs.reveal(cohort, record.cohort.kind, names)))
        return await self._opened(viewer, plan, look, admission(plan, admitted))

    async def disclose_matches(
        self,
        viewer: Viewer,
        look: Look,
        matches: Sequence[tuple[Record, Cohort, Mapping[str, str]]],
        *,
        count: int,
        quota: QuotaCharge,
    ) -> bytes:
        """Record, and charge, that ``viewer`` is told whose values are: each with its verdict and the states that it learns; give the note.

        Nothing is opened. Raises ``QuotaSpent``, and as ``disclose`` does.
        """
        plan = viewer.plan(look.purpose)
        entries = tuple(CohortEntry(states, (record.subject,)) for record, _, states in matches)
        permit = await self._recorded(
            viewer, draft_of(viewer, plan, look, self._clock.now(), entries, count), {}, quota
        )
        obligations = sorted({each for _, cohort, _ in matches for each in cohort.obligations})
        return note(viewer, plan, permit.event_id, obligations)

    async def open_for_upkeep(
        self,
        author: Author,
        action: str,
        records: Sequence[Record],
        names: frozenset[str],
        *,
        purpose: Purpose | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> list[dict[str, str]]:
        """Open ``names`` of records for the service's own work, on record before as ``used``; give what each has, edited rows nothing."""
        openings = [
            (each, [box for box in each.boxes if box is not None and box.name in names] if self._intact(each) else [])
            for each in records
        ]
        entries, scope = used(openings)
        if not scope:
            return [{} for _ in records]
        event = replace(written(author, action, self._clock.now(), query=query), cohorts=entries, count=len(scope))
        event = event if purpose is None else replace(event, purpose=purpose.value)
        permit = await self._log.permit(event, scope=scope)
        return [self._used(permit, record, boxes) if boxes else {} for record, boxes in openings]

    def _used(self, permit: Permit, record: Record, boxes: Sequence[Box]) -> dict[str, str]:
        """Open boxes of one record; who cannot be opened has nothing, and the alarm has been given."""
        try:
            values = self._opener.open_boxes(permit, record.subject, record.key, boxes)
        except SealBroken:
            return {}
        return {box.name: value for box, value in zip(boxes, values, strict=True)}

    def _intact(self, record: Record) -> bool:
        try:
            return self._opener.row_intact(record.subject, record.key, record.covered, record.mac)
        except SealBroken:
            return False

    async def disclose_plain(self, viewer: Viewer, look: Look, *, count: int, contacts: Sequence[UUID] = ()) -> bytes:
        """Record a look at what is stored plain (the log, the department tree); give the note that goes with the answer."""
        plan = viewer.plan(look.purpose)
        entries = (CohortEntry({}, tuple(contacts)),) if contacts else ()
        permit = await self._recorded(viewer, draft_of(viewer, plan, look, self._clock.now(), entries, count), {})
        return note(viewer, plan, permit.event_id, ())

    def untold(self, plan: Plan, record: Record) -> frozenset[str]:
        """Name the protected fields of whose changes the viewer may not even know: those that no reason would show."""
        cohort = plan.cohort(record.cohort, record.subject)
        plain = self._programs.catalogue.plain(record.cohort.kind)
        return frozenset(
            each.name
            for each in self._programs.catalogue.declared
            if each.name not in plain and cohort.revealed(each.name, each.field_class) is not Outcome.CLEAR
        )

    async def open_history(
        self,
        viewer: Viewer,
        record: Record,
        boxes: Sequence[tuple[str, bytes]],
        look: Look,
        *,
        past: Mapping[bytes, WrappedHistoryKey] = _NO_KEYS,
    ) -> tuple[list[Told], bytes]:
        """Open past values of one visible record, each as the card shows the field: clear or masked.

        ``boxes`` are (field name, envelope), none of them of an ``untold`` field; members that are not protected are C1. ``past`` are the
        keys of history that they name, by handle; those that name none of these are under the contact's own.
        """
        plan = viewer.plan(look.purpose)
        cohort = plan.cohort(record.cohort, record.subject)
        program = self._programs.card(cohort, record.cohort.kind)
        steps = {step.name: step for step in program.steps}
        states = {name: steps[name].state if name in steps else State.SHOWN.value for name, _ in boxes}
        draft = draft_of(viewer, plan, look, self._clock.now(), (CohortEntry(states, (record.subject,)),), 1)
        reached = any(name in steps and self._programs.catalogue.classes[name] in REACHABLE for name in states)
        charge = self._quotas.contacts(viewer.standing, int(reached and counts(viewer, record)))
        permit = await self._recorded(viewer, draft, {record.subject: frozenset(states)}, charge)
        values = self._opener.open_past(permit, record.subject, record.key, past, boxes)
        told = [
            steps[name].shown(value) if name in steps else value for (name, _), value in zip(boxes, values, strict=True)
        ]
        return told, note(viewer, plan, permit.event_id, cohort.obligations)

    async def open_apart(
        self,
        viewer: Viewer,
        record: Record | None,
        name: str,
        box: Callable[[Record], Awaitable[bytes | None]],
        look: Look,
    ) -> tuple[str, bytes]:
        """Open the one value ``name`` that is stored apart from the card; give it, clear, and the note.

        Raises ``NotFound`` alike when there is no such contact or it is not for ``viewer``, when the value is not shown clear to them, and
        when there is none. ``box`` gets it from the store and is asked only for who may see it, so that how long a refusal takes tells
        nothing of whether there is one. Otherwise raises as ``disclose_one`` does.
        """
        plan = viewer.plan(look.purpose)
        cohort = None if record is None else self.verdict(plan, record)
        field = self._programs.catalogue.apart[name]
        if (
            record is None
            or cohort is None
            or record.cohort.kind not in field.kinds
            or cohort.shown(name, field.field_class) is not Outcome.CLEAR
            or (sealed := await box(record)) is None
        ):
            raise NotFound
        entry = CohortEntry({name: State.SHOWN.value}, (record.subject,))
        charge = self._quotas.contacts(viewer.standing, int(field.field_class in REACHABLE and counts(viewer, record)))
        draft = draft_of(viewer, plan, look, self._clock.now(), (entry,), 1)
        permit = await self._recorded(viewer, draft, {record.subject: frozenset({name})}, charge)
        (value,) = self._opener.open_fields(permit, record.subject, record.key, [(name, sealed)])
        return value, note(viewer, plan, permit.event_id, cohort.obligations)

    async def open_file(
        self, viewer: Viewer, look: Look, sealed: SealedFile, *, contacts: Sequence[UUID] = ()
    ) -> tuple[bytes, bytes]:
        """Record a look at a file under a key of its own, and at whom it is about, then open it; give it whole, and the note.

        Who may look is the caller's to know: a file is no contact, and stands in the event by its own id. Raises ``SealBroken`` for a file
        that is not as it was sealed, and otherwise as ``disclose_plain`` does.
        """
        plan = viewer.plan(look.purpose)
        about = (CohortEntry({}, tuple(contacts)),) if contacts else ()
        told = (*about, CohortEntry({sealed.name: State.SHOWN.value}, (sealed.subject,)))
        draft = draft_of(viewer, plan, look, self._clock.now(), told, len(contacts))
        permit = await self._recorded(viewer, draft, {sealed.subject: frozenset({sealed.name})})
        content = self._opener.open_file(permit, sealed.subject, sealed.key, sealed.name, sealed.chunks)
        return content, note(viewer, plan, permit.event_id, ())

    async def measure(self, viewer: Viewer, records: Sequence[Record], look: Look, tally: Tally) -> None:
        """Open what ``viewer`` would see of ``records``, masked or clear, to count what masks leave; nothing of it is given to anybody.

        It costs no quota, since nobody is shown anything. Raises as ``disclose`` does.
        """
        plan = viewer.plan(look.purpose)
        verdicts = [(record, self.verdict(plan, record)) for record in records]
        admitted = [
            (record, self._programs.card(cohort, record.cohort.kind))
            for record, cohort in verdicts
            if cohort is not None
        ]
        told, scope = entries(admitted)
        permit = await self._recorded(
            viewer, draft_of(viewer, plan, look, self._clock.now(), told, len(admitted)), scope
        )
        for record, program in admitted:
            opening = program.pattern(record.present).opening(record.boxes)
            values = self._opener.open_boxes(permit, record.subject, record.key, opening)
            for box, value in zip(opening, values, strict=True):
                tally.add(box.name, value)

    def _challenge(self, viewer: Viewer, record: Record, names: Sequence[str], purpose: Purpose) -> None:
        """Raise ``FreshSignInRequired`` when a second proof is all that keeps the viewer from a reveal: by policy, not by value."""
        stronger = viewer.with_second_proof()
        if stronger is None:
            return
        try:
            cohort = stronger.plan(purpose).cohort(record.cohort, record.subject)
            self._programs.reveal(cohort, record.cohort.kind, names)
        except (ApprovalRequired, NotPermitted):
            return
        raise step_up.challenge()

    def _card(self, permit: Permit, record: Record, program: Program) -> tuple[UUID, bytes, str]:
        pattern = program.pattern(record.present)
        values = self._opener.open_boxes(permit, record.subject, record.key, pattern.opening(record.boxes))
        card = pattern.written(record.head, values) + b"}"
        return record.subject, card, self.version(card)

    def closed_card(self, record: Record) -> tuple[UUID, bytes, str]:
        """Write a card of whose boxes none is opened, for whom no look is on record; give it as an opened one."""
        card = self._programs.closed(record.cohort.kind).pattern(0).written(record.head, []) + b"}"
        return record.subject, card, self.version(card)

    async def _recorded(
        self,
        viewer: Viewer,
        draft: EventDraft,
        scope: Mapping[UUID, frozenset[str]],
        quota: QuotaCharge | None = None,
    ) -> Permit:
        permit = await self._log.permit(draft, scope=scope, epochs=viewer.standing.epochs, quota=quota)
        context = current_request()
        if context is not None:
            context.permit, context.event_id = permit, permit.event_id
        return permit
