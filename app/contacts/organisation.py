"""The organisation as approvals ask about it: where people belong, who leads them, who holds a role; from rows that verify."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.resolving import PersonFacts
from app.auth import epochs
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.repository import Source
from app.auth.roles import Role
from app.contacts.repository import ContactRepository
from app.departments.repository import DepartmentRepository
from app.departments.tree import DEPARTMENTS, Tree

_IN_OFFICE: Final = frozenset({"active", "leaving"})
_LEADS_NOBODY: Final = frozenset({"intern", "outsourced"})


class CompanyOrganisation:
    """Reads positions and people."""

    def __init__(self, contacts: ContactRepository, accounts: UserAccounts, departments: DepartmentRepository) -> None:
        """Take the contacts, the accounts and the departments."""
        self._contacts, self._accounts, self._departments = contacts, accounts, departments
        self._tree: Tree | None = None

    async def tree(self, source: Source) -> Tree:
        """Give the department tree of now. What a session sees of its own change is not remembered: it may be rolled back."""
        epoch = await epochs.value(source, DEPARTMENTS)
        if self._tree is not None and self._tree.epoch == epoch:
            return self._tree
        tree = await self._departments.tree(source, epoch=epoch)
        if not isinstance(source, AsyncSession):
            self._tree = tree
        return tree

    async def facts(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, PersonFacts]:
        """Give what is known of contacts; here is who works here and has an account that is not ended, in office who is no intern too."""
        found = {}
        for each in dict.fromkeys(contacts):
            viewer = await self._contacts.viewer_facts(source, each)
            if viewer is None:
                continue
            try:
                account = await self._accounts.by_contact(source, each)
            except AccountRefused:
                account = None
            here = viewer.status in _IN_OFFICE and account is not None and account.state == "active"
            found[each] = PersonFacts(
                contact=each,
                department=viewer.department_id,
                manager=viewer.manager_id,
                here=here,
                in_office=here and viewer.worker_kind not in _LEADS_NOBODY,
            )
        return found

    async def hold(self, session: AsyncSession, contacts: Iterable[UUID]) -> None:
        """Lock the rows of these people, in one order everywhere; personnel events lock theirs before they do anything."""
        await self._contacts.hold(session, contacts)

    async def holders(self, source: Source, role: Role) -> Sequence[UUID]:
        """Give who holds a role, by account name; heads by position, by id."""
        if role is Role.DEPT_HEAD:
            tree = await self.tree(source)
            return sorted({node.head_id for node in tree.nodes.values() if node.head_id is not None})
        return [
            each.contact_id
            for each in await self._accounts.set_apart(source)
            if each.contact_id is not None and role in each.roles and each.state == "active"
        ]
