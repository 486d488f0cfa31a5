"""What a provisioning client's writes cause: joins, moves, updates, departures and returns, through the services that take them from HR.

Each write is one transaction. What is a personnel event goes through ``Applier`` as an event of the source ``scim:<client>`` that happens
now, so that the leaver transaction, numbers and accounts follow as they do for HR, and leavers are counted with HR's (``hr.leavers``). What
is none (another employee number, archiving) goes through ``ContactWriter``. Who has left is no event's subject: what is written of them
stays on their card until they come back.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.contacts.errors import UnknownDepartment
from app.contacts.fields import CATALOGUE
from app.contacts.members import PEOPLE
from app.contacts.naming import Naming
from app.contacts.repository import ContactRepository
from app.contacts.rows import closed
from app.contacts.writer import ContactWriter
from app.departments.tree import Node, Tree
from app.disclosure.records import Record
from app.hr.applying import Applier
from app.hr.leavers import Leavers
from app.hr.schemas import HrEventIn
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound, PreconditionFailed
from app.kit.models import new_id
from app.kit.problems import from_validation
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer, author_of
from app.scim.errors import DepartmentMissing, NotWritable
from app.scim.mapping import GENERATED, LEFT, Said, changes, name_in, unsaid_in
from app.scim.reading import PURPOSE, SeenUser
from app.scim.repository import Link, ScimRepository

_KIND: Final = "employee"
_LONGEST_SOURCE: Final = 64
_OF_A_MOVE: Final = ("title", "manager", "dotted_manager")
_NO_EVENT: Final = frozenset({"external_id", "active", "employee_no", "department"})
_MEMBERS: Final = ("user_name", "alias", "title", "manager", "dotted_manager", "worker_kind", "email", "mobile")
_JOINING: Final = (*_MEMBERS, "office_phone")


class UserWriter:
    """Writes users."""

    def __init__(
        self,
        *,
        database: Database,
        applier: Applier,
        leavers: Leavers,
        writer: ContactWriter,
        contacts: ContactRepository,
        naming: Naming,
        rows: ScimRepository,
        clock: Clock,
        parking: str | None,
    ) -> None:
        """Take the store, what applies events, counts leavers and writes contacts, links, clock, and who has no department's department."""
        self._database, self._applier, self._writer, self._contacts = database, applier, writer, contacts
        self._leavers, self._naming = leavers, naming
        self._rows, self._clock, self._parking = rows, clock, parking

    async def create(self, viewer: Viewer, said: Said) -> UUID:
        """Let somebody join; one who is not ``active`` is known and was never here: no number, an account that is closed.

        Raises ``NotPermitted``, ``DepartmentMissing``, ``Invalid`` for what cannot be read, ``ExternalIdTaken``, and as
        ``Applier.apply`` does (``DuplicateUserName``, ``DuplicateEmployeeNumber``, ``UnknownDepartment`` …).
        """
        department = self._department(viewer.tree, said["department"]) or self._parked(viewer.tree)
        self._demand(viewer, said, department)
        given = {name: said[name] for name in _JOINING if said[name] is not None}
        given |= {"name": name_in(said) or said["user_name"], "department": department.code}
        number = said["employee_no"] or _generated()
        async with self._database.unit_of_work() as unit:
            if said["active"] is False:
                identity = await self._unjoined(viewer, unit, number, given)
            else:
                effect = await self._applier.apply(viewer, unit, self._event(viewer, "joined", number, given))
                if effect.contact_id is None:
                    raise NotFound
                identity = effect.contact_id
            link = Link(viewer.standing.client_id, identity, said["external_id"], unsaid_in(said, new=True))
            await self._rows.keep(unit.session, link)
        return identity

    async def update(self, viewer: Viewer, seen: SeenUser, before: Said, after: Said) -> None:
        """Write what ``after`` says otherwise than ``before``, of a user who is still as ``seen``.

        Raises ``PreconditionFailed``, ``NotWritable``, and as ``create`` does.
        """
        told = changes(before, after)
        async with self._database.unit_of_work() as unit:
            record = await self._still(viewer, unit, seen)
            number = record.public["employee_no"]
            if number is None:
                number = await self._numbered(viewer, unit, record)
                record = await self._locked(viewer, unit, record.subject)
            if told.get("worker_kind", "") is None:
                del told["worker_kind"]
            if record.cohort.status == LEFT and after["active"] is not True:
                await self._amend_gone(viewer, unit, record, told)
            else:
                await self._apply(viewer, unit, record, number, told, after)
            link = Link(viewer.standing.client_id, record.subject, after["external_id"], unsaid_in(after))
            if link != seen.link:
                await self._rows.keep(unit.session, link)

    async def archive(self, viewer: Viewer, seen: SeenUser) -> None:
        """Take somebody out of the directory: they leave, if they have not, and are archived. Raises as ``update`` does."""
        async with self._database.unit_of_work() as unit:
            record = await self._still(viewer, unit, seen)
            if record.cohort.status != LEFT:
                number = record.public["employee_no"] or await self._numbered(viewer, unit, record)
                await self._leave(viewer, unit, number)
                record = await self._locked(viewer, unit, record.subject)
            else:
                self._refuse_uneditable(viewer, record, {})
            await self._writer.archive(unit, author_of(viewer), record)
            await self._rows.forget(unit.session, record.subject)

    async def _apply(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        record: Record,
        number: str,
        told: Mapping[str, Any],
        after: Said,
    ) -> None:
        """Say to HR's services what happened, in the order in which it can: back, elsewhere, otherwise, renumbered, gone."""
        rest = {name: value for name, value in told.items() if name not in _NO_EVENT}
        there = record.public["department"] is not None and record.cohort.departments
        now = viewer.tree.nodes.get(record.cohort.departments[0]) if there else None
        node = self._department(viewer.tree, told["department"]) if told.get("department") is not None else None
        if node is None and "department" in told:
            node = self._parked_or_none(viewer.tree)
        if record.cohort.status == LEFT:
            back: dict[str, Any] = {name: after[name] for name in _OF_A_MOVE if after[name] is not None}
            place = node or now or self._parked(viewer.tree)
            back |= {name: value for name, value in rest.items() if value is not None}
            event = self._event(viewer, "rehired", number, {**back, "department": place.code})
            await self._applier.apply(viewer, unit, event)
            rest = {name: value for name, value in rest.items() if value is None}
        elif node is not None and (now is None or node.id != now.id):
            moved: dict[str, Any] = {name: rest.pop(name) for name in _OF_A_MOVE if name in rest}
            event = self._event(viewer, "moved", number, {**moved, "department": node.code})
            await self._applier.apply(viewer, unit, event)
        if rest:
            await self._applier.apply(viewer, unit, self._event(viewer, "updated", number, rest))
        if "employee_no" in told:
            fresh = await self._locked(viewer, unit, record.subject)
            number = told["employee_no"] or _generated()
            await self._amend(viewer, unit, fresh, {"employee_no": self._number(viewer, number)})
        if after["active"] is False:
            await self._leave(viewer, unit, number)

    async def _leave(self, viewer: Viewer, unit: UnitOfWork, number: str) -> None:
        """Let somebody go, counted among those whom the client lets go."""
        event = self._event(viewer, "left", number, {})
        effect = await self._applier.apply(viewer, unit, event)
        if effect.contact_id is not None and not effect.superseded:
            await self._leavers.enter(viewer, unit, event, effect.contact_id)

    async def _amend_gone(self, viewer: Viewer, unit: UnitOfWork, record: Record, told: Mapping[str, Any]) -> None:
        """Write on the card of somebody who has left what is no event; under another user name an account would open again."""
        if "user_name" in told:
            raise NotWritable
        given = {name: value for name, value in told.items() if name not in {"external_id", "active"}}
        if "employee_no" in given:
            given["employee_no"] = self._number(viewer, given["employee_no"] or _generated())
        if "department" in given:
            node = self._department(viewer.tree, given.pop("department")) or self._parked_or_none(viewer.tree)
            given |= {} if node is None else {"department": node.code}
        if given:
            await self._amend(viewer, unit, record, given)

    async def _amend(self, viewer: Viewer, unit: UnitOfWork, record: Record, given: Mapping[str, Any]) -> None:
        self._refuse_uneditable(viewer, record, given)
        named = {name: UUID(str(given[name])) for name in PEOPLE if given.get(name) is not None}
        named = await self._naming.named(viewer, {**given, **named})
        await self._writer.amend(unit, author_of(viewer), viewer.tree, record, named)

    async def _unjoined(self, viewer: Viewer, unit: UnitOfWork, number: str, given: Mapping[str, Any]) -> UUID:
        read = self._event(viewer, "joined", number, given).data
        members = {**(await self._naming.named(viewer, read.given())), "employee_no": number}
        written = await self._writer.create(unit, author_of(viewer), viewer.tree, _KIND, members)
        await self._writer.hide(unit, author_of(viewer), written.record)
        return written.record.subject

    async def _numbered(self, viewer: Viewer, unit: UnitOfWork, record: Record) -> str:
        """Give an employee number to somebody who has none: an event is about one."""
        number = _generated()
        await self._amend(viewer, unit, record, {"employee_no": number})
        return number

    async def _still(self, viewer: Viewer, unit: UnitOfWork, seen: SeenUser) -> Record:
        record = await self._locked(viewer, unit, seen.record.subject)
        if record.mac != seen.record.mac:
            raise PreconditionFailed
        return record

    async def _locked(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Record:
        loaded = await self._contacts.for_change(unit.session, identity)
        if loaded is None:
            raise NotFound
        return closed(*loaded, viewer.tree)

    def _number(self, viewer: Viewer, number: str) -> str:
        return self._event(viewer, "left", number, {}).subject

    def _event(self, viewer: Viewer, what: str, number: str, data: Mapping[str, Any]) -> HrEventIn:
        """Write an event of now; raise ``Invalid`` for what no event can say."""
        try:
            return HrEventIn.model_validate(
                {
                    "id": str(new_id()),
                    "source": f"scim:{viewer.standing.client_id}"[:_LONGEST_SOURCE],
                    "type": f"employee.{what}",
                    "subject": number,
                    "time": self._clock.now(),
                    "data": dict(data),
                }
            )
        except ValidationError as error:
            faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
            raise from_validation(RequestValidationError(faults)) from None

    def _demand(self, viewer: Viewer, said: Said, department: Node) -> None:
        """Raise ``NotPermitted`` unless the client may write such a person, and would see whom it made."""
        key = CohortKey(_KIND, said["worker_kind"] or "regular", "active", "normal", (department.id,))
        given = [name for name in _JOINING if said[name] is not None]
        classes = _classes(_KIND, given)
        cohort = viewer.plan(PURPOSE).cohort(key, new_id())
        if not (cohort.visible and cohort.edits >= classes):
            raise NotPermitted

    def _refuse_uneditable(self, viewer: Viewer, record: Record, given: Mapping[str, Any]) -> None:
        classes = _classes(record.cohort.kind, given)
        if not viewer.plan(PURPOSE).cohort(record.cohort, record.subject).edits >= classes:
            raise NotPermitted

    @staticmethod
    def _department(tree: Tree, named: str | None) -> Node | None:
        """Find a department by code or id, else by a name or path that only one has; raise ``UnknownDepartment``."""
        if named is None:
            return None
        node = tree.find(named)
        if node is None:
            alike = [each for each in tree.nodes.values() if named in {each.name, tree.path(each.id)}]
            node = alike[0] if len(alike) == 1 else None
        if node is None:
            pointer = "/department"
            raise UnknownDepartment(pointer)
        return node

    def _parked_or_none(self, tree: Tree) -> Node | None:
        return None if self._parking is None else tree.by_code.get(self._parking)

    def _parked(self, tree: Tree) -> Node:
        node = self._parked_or_none(tree)
        if node is None:
            raise DepartmentMissing
        return node


def _classes(kind: str, names: Iterable[str]) -> frozenset[FieldClass]:
    fields = (CATALOGUE.protects(kind, name) for name in names)
    return frozenset({FieldClass.C1, *(field.field_class for field in fields if field is not None)})


def _generated() -> str:
    return GENERATED + new_id().hex[-24:]
