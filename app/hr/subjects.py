"""Whom an event is about, and whether its sender may write what it says: shared by everything that an event can do.

Policy decides by the ``edit`` power of the sender's plan, over the classes of the members that are given. A person who left is hidden from
every service account, and so has no cohort that could be edited; whoever brings them back is asked for the cohort that they come back to.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.repository import Account
from app.contacts.errors import UnknownContact
from app.contacts.members import PEOPLE, MemberReader, refuse_oneself
from app.contacts.naming import Naming
from app.contacts.parting import Parting
from app.contacts.record import membership_departments
from app.contacts.repository import ContactRepository
from app.contacts.rows import closed
from app.contacts.writer import ContactWriter
from app.crypto.datakey import WrappedDataKey
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.hr.errors import UnknownApplicant, UnknownSubject
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.errors import Problem
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.given import GivenRights
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer

KIND: Final = "employee"
APPLICANT: Final = "applicant"
GONE: Final = "left"
PERSONNEL: Final = CohortKey(KIND, None, "active", "normal", ())
"""Whoever may not write an employee's card sends no personnel events, whatever they are about."""
ARCHIVED: Final = "archived"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event did: to whom, with the key to seal its payload with; which numbers it brought; and what of it could not be done.

    ``superseded``: nothing, because later events have said otherwise of everything that it says.
    """

    contact_id: UUID | None = None
    key: WrappedDataKey | None = None
    numbers: tuple[str, ...] = ()
    problem: Problem | None = None
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """Where people are found and changed."""

    contacts: ContactRepository
    members: MemberReader
    naming: Naming
    writer: ContactWriter
    accounts: UserAccounts
    given: GivenRights
    parting: Parting


class Subjects:
    """Finds people by employee number and asks policy about them."""

    def __init__(self, people: People) -> None:
        """Take where people are found."""
        self._people = people

    async def find(self, unit: UnitOfWork, tree: Tree, employee_no: str) -> Record | None:
        """Load and lock whoever has this employee number; ``None`` also for a row that cannot be read."""
        identity = await self._people.contacts.by_employee_no(unit.session, employee_no)
        loaded = None if identity is None else await self._people.contacts.for_change(unit.session, identity)
        return None if loaded is None else closed(*loaded, tree)

    async def known(self, unit: UnitOfWork, tree: Tree, employee_no: str) -> Record:
        """As ``find``; raise ``UnknownSubject``."""
        record = await self.find(unit, tree, employee_no)
        if record is None:
            raise UnknownSubject
        return record

    async def hold(self, unit: UnitOfWork, employee_no: str) -> None:
        """Lock what is locked before the card of whoever has this employee number (``Parting.hold``)."""
        identity = await self._people.contacts.by_employee_no(unit.session, employee_no)
        if identity is not None:
            await self._people.parting.hold(unit, identity)

    async def former(self, unit: UnitOfWork, tree: Tree, employee_no: str) -> Record | None:
        """Load and lock whoever had this employee number and is in the archive by now."""
        identity = await self._people.parting.archived(unit, employee_no)
        loaded = None if identity is None else await self._people.contacts.for_change(unit.session, identity)
        return None if loaded is None else closed(*loaded, tree)

    async def applicant(self, unit: UnitOfWork, tree: Tree, identity: UUID) -> Record:
        """Load and lock an applicant; raise ``UnknownApplicant``, also for somebody who is known and is none."""
        loaded = await self._people.contacts.for_change(unit.session, identity)
        record = None if loaded is None else closed(*loaded, tree)
        if record is None or record.cohort.kind != APPLICANT or record.cohort.status != "active":
            raise UnknownApplicant
        return record

    async def person(self, viewer: Viewer, unit: UnitOfWork, named: str, pointer: str) -> UUID:
        """Give the id of a person named by employee number or id; raise ``UnknownContact`` alike for nobody and for a stranger."""
        try:
            identity: UUID | None = UUID(named)
        except ValueError:
            identity = await self._people.contacts.by_employee_no(unit.session, named)
        if identity is None or not await self._people.naming.may_name(viewer, identity):
            raise UnknownContact(pointer)
        return identity

    async def told_of(self, viewer: Viewer, contacts: Iterable[UUID]) -> frozenset[UUID]:
        """Name those of these contacts of whom ``viewer`` may be told."""
        asked = list(contacts)
        known = await asyncio.gather(*(self._people.naming.may_name(viewer, each) for each in asked))
        return frozenset(each for each, is_known in zip(asked, known, strict=True) if is_known)

    async def with_people(
        self, viewer: Viewer, unit: UnitOfWork, given: Mapping[str, Any], about: UUID | None = None
    ) -> dict[str, Any]:
        """Replace people named by employee number with their ids; raise ``UnknownContact`` and ``NamesOneself``."""
        named = {name: given[name] for name in PEOPLE if given.get(name) is not None}
        found = {name: await self.person(viewer, unit, who, f"/data/{name}") for name, who in named.items()}
        refuse_oneself(about, found, "/data")
        return {**given, **found}

    async def account(self, unit: UnitOfWork, contact_id: UUID) -> Account | None:
        """Find somebody's account; one whose row was edited past us, which is reported and refused everywhere, counts as none."""
        try:
            return await self._people.accounts.by_contact(unit.session, contact_id)
        except AccountRefused:
            return None

    def classes(self, given: Iterable[str]) -> frozenset[FieldClass]:
        """Name the classes of members that an employee's card carries; raise ``NotCollected`` for those that none does."""
        return self._people.members.classes_of(KIND, dict.fromkeys(given))

    def demand(
        self, viewer: Viewer, key: CohortKey, classes: frozenset[FieldClass], *, about: UUID | None = None
    ) -> None:
        """Raise ``NotPermitted`` unless policy lets ``viewer`` edit C1 and ``classes`` of such a contact; the refusal names ``about``."""
        cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(key, about or new_id())
        if cohort.edits >= classes | {FieldClass.C1}:
            return
        context = current_request()
        if context is not None:
            context.sought = about
        raise NotPermitted


def placed(tree: Tree, given: Mapping[str, Any], *, otherwise: tuple[UUID, ...] = ()) -> tuple[UUID, ...]:
    """List the departments that ``given`` puts somebody into, the main one first; those that do not exist are left out."""
    main = otherwise[0] if otherwise else None
    further = otherwise[1:]
    if given.get("department") is not None:
        node = tree.find(given["department"])
        main = None if node is None else node.id
    if given.get("memberships") is not None:
        found = [tree.find(each.department) for each in given["memberships"]]
        further = tuple(node.id for node in found if node is not None)
    return membership_departments(main, [{"department_id": str(each)} for each in further])
