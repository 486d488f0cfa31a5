"""Keeping the directory for a caller: may they, have they seen what they change, and what they are told.

Order everywhere: the look first, logged, outside of any transaction; then the write. A receipt names C1 members and the version that the
writer's card now has, never a protected value.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from app.approvals.resolving import Persons
from app.contacts.forms import unpack_consents
from app.contacts.headcount import Head, HeadCount, differing
from app.contacts.members import MemberReader
from app.contacts.naming import Naming
from app.contacts.parting import Parting
from app.contacts.record import membership_departments
from app.contacts.schemas import ContactAmend, ContactCreate
from app.contacts.service import ContactService
from app.contacts.writer import ContactWriter, Written
from app.crypto.sealer import SubjectSealer
from app.disclosure.errors import ApprovalRequired
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import PreconditionFailed, Problem
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import CLASSES, FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer, author_of

_GOVERNING: Final = frozenset({"department", "manager", "memberships", "secrecy"})
_BY_REQUEST: Final = "contact.change"
_STAFF: Final = frozenset({"employee", "temporary"})


class ContactKeeper:
    """Creates, changes and removes contacts for a viewer."""

    def __init__(
        self,
        *,
        service: ContactService,
        writer: ContactWriter,
        members: MemberReader,
        naming: Naming,
        gate: Gate,
        parting: Parting,
        persons: Persons,
        idempotency: Idempotency,
        heads: HeadCount,
    ) -> None:
        """Take reading, writing, forms, naming, the gate, what becomes of what people have, who is who, repeats, and rows unopened."""
        self._service, self._writer, self._members, self.naming = service, writer, members, naming
        self.forms = members.forms
        self._gate, self._persons, self._idempotency = gate, persons, idempotency
        self._parting, self.heads = parting, heads

    async def create(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: ContactCreate) -> Answer:
        """Make a contact once per ``key``. Raises ``NotPermitted``, the refusals of the writer and of idempotency."""

        async def work() -> Receipt:
            named = await self.naming.named(viewer, body.given())
            return self._receipt(viewer, await self._made(viewer, unit, body.kind, named), None, status=201)

        call = Call(viewer.caller, "POST", "/v1/contacts", key)
        return await self._idempotency.run(
            unit,
            call,
            body.model_dump(mode="json", exclude_unset=True),
            allowed=lambda: self._may_create(viewer, body),
            work=work,
        )

    async def amend(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str, body: ContactAmend) -> Receipt:
        """Change a contact that the caller saw as ``seen``. Raises ``NotFound``, ``PreconditionFailed``, ``NotPermitted``."""
        record, card = await self._seen(viewer, identity, seen)
        given = body.given()
        if "department" in given:
            await self.hold(unit, identity)
        await self._refuse(viewer, unit, record, given)
        named = await self.naming.named(viewer, given)
        return self._receipt(viewer, await self._changed(viewer, unit, record, named), card, status=200)

    async def hold(self, unit: UnitOfWork, identity: UUID) -> None:
        """Lock what is locked before the row of somebody who may move is."""
        await self._parting.hold(unit, identity)

    async def make_told(self, viewer: Viewer, unit: UnitOfWork, body: ContactCreate) -> Written:
        """Make a contact of whom a file tells, for whoever hands the file in. Raises as ``create`` does.

        People whom it names are the caller's to have asked about (``Naming``).
        """
        self._may_create(viewer, body)
        return await self._made(viewer, unit, body.kind, body.given())

    async def amend_told(self, viewer: Viewer, unit: UnitOfWork, record: Record, body: ContactAmend) -> Written:
        """Change a contact of whom a file tells, as it is now, unseen; to whoever hands the file in nothing is shown of it.

        ``record`` is the row, loaded and locked, after ``hold`` where it may move. Raises as ``amend`` does; people whom it names are the
        caller's to have asked about.
        """
        given = body.given()
        await self._refuse(viewer, unit, record, given)
        return await self._changed(viewer, unit, record, given)

    def is_so(self, viewer: Viewer, head: Head, sealer: SubjectSealer, body: ContactAmend) -> bool:
        """Tell whether ``amend_told`` would change nothing of a row that was loaded closed: by digests, nothing is opened or awaited.

        ``False`` also where the viewer may not change these members or the form does not take them: that is for ``amend_told`` to say.
        """
        shape, given, cohort = head.shape, body.given(), head.shape.cohort
        if not _GOVERNING.isdisjoint(given):
            return False
        live, members = unpack_consents(shape.plain["consented"]), self._members
        try:
            self._may_edit(viewer, cohort, shape.identity, members.classes_of(cohort.kind, given))
            members.refuse_amended(cohort.kind, given, live, at=head.updated_at, before=head)
            said = members.parsed(viewer.tree, cohort.kind, given)
        except Problem:
            return False
        return not differing(shape, sealer, *said)

    async def archive(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str) -> None:
        """Take a contact out of the directory, and back what it has. Raises as ``amend`` does."""
        record, _ = await self._seen(viewer, identity, seen)
        self._may_edit(viewer, record.cohort, record.subject, frozenset(CLASSES))
        author = author_of(viewer)
        await self._parting.hold(unit, identity)
        await self._parting.leave(unit, author, identity, lambda: self._writer.archive(unit, author, record))

    async def _made(self, viewer: Viewer, unit: UnitOfWork, kind: str, given: Mapping[str, Any]) -> Written:
        plain = {name: value for name, value in given.items() if name != "kind"}
        return await self._writer.create(unit, author_of(viewer), viewer.tree, kind, plain)

    async def _changed(self, viewer: Viewer, unit: UnitOfWork, record: Record, given: Mapping[str, Any]) -> Written:
        author = author_of(viewer)
        written = await self._writer.amend(unit, author, viewer.tree, record, given)
        if "department" in written.changed and record.cohort.kind in _STAFF:
            await self._parting.move(unit, author, record.subject, viewer.tree, record.cohort.departments)
        return written

    async def _refuse(self, viewer: Viewer, unit: UnitOfWork, record: Record, given: Mapping[str, Any]) -> None:
        """Raise what speaks against the viewer's changing these members of the contact."""
        classes = self._members.classes_of(record.cohort.kind, given)
        self._may_edit(viewer, record.cohort, record.subject, classes, given.get("department"))
        await self._refuse_oneself(viewer, unit, record.subject, given)

    async def _refuse_oneself(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, given: Iterable[str]) -> None:
        """Raise ``ApprovalRequired`` for who would change on a card of their own what says who decides for them and what protects them."""
        me = viewer.standing.contact_id
        if me is None or _GOVERNING.isdisjoint(given):
            return
        persons = await self._persons.of(unit.session, [me, identity])
        if persons[me] == persons[identity]:
            raise ApprovalRequired(request_kind=_BY_REQUEST)

    async def _seen(self, viewer: Viewer, identity: UUID, seen: str) -> tuple[Record, bytes]:
        record, opened = await self._service.look(
            viewer, identity, Look(action="contact.read", purpose=Purpose.WORK_CONTACT)
        )
        (_, card, version), *_ = opened.cards
        if not names_version(seen, version):
            raise PreconditionFailed
        return record, card

    def _may_create(self, viewer: Viewer, body: ContactCreate) -> None:
        named = [body.department, *(each.department for each in body.memberships or ())]
        found = [node.id for name in named if name is not None and (node := viewer.tree.find(name)) is not None]
        departments = membership_departments(
            found[0] if found else None, [{"department_id": str(each)} for each in found[1:]]
        )
        key = CohortKey(body.kind, body.worker_kind, "active", body.secrecy or "normal", departments)
        cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(key, new_id())
        if not cohort.edits >= self._members.classes_of(body.kind, body.given()) | {FieldClass.C1}:
            raise NotPermitted

    def _may_edit(
        self,
        viewer: Viewer,
        key: CohortKey,
        subject: UUID,
        classes: frozenset[FieldClass],
        department: str | None = None,
    ) -> None:
        """Refuse unless the viewer may edit the contact where it is, and in the ``department`` to which it is to move.

        Raises ``ApprovalRequired`` where a request of one kind would change all of it, else ``NotPermitted``.
        """
        places, node = [key], None if department is None else viewer.tree.find(department)
        if node is not None:
            places.append(key._replace(departments=(node.id,)))
        for place in places:
            cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(place, subject)
            if not cohort.edits >= classes | {FieldClass.C1}:
                kinds = {cohort.edit_requests.get(each) for each in classes}
                if len(kinds) == 1 and (kind := kinds.pop()) is not None:
                    raise ApprovalRequired(request_kind=kind)
                raise NotPermitted

    def _receipt(self, viewer: Viewer, written: Written, before: bytes | None, *, status: int) -> Receipt:
        version = self._gate.foretell(viewer.plan(Purpose.WORK_CONTACT), before, written.record, written.values)
        body: dict[str, Any] = orjson.loads(orjson.dumps({**written.record.public, "version": version}))
        return Receipt(written.record.subject, body, status)
