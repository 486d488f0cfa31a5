"""Whom a system that provisions people can find: employees and temporary staff, by their plain names, newest first, cut by its plan.

Everything here gives ids, or times; the rows themselves come from the repository, and pass policy and the gate like any. Nothing commits.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, String, bindparam, func, select

from app.contacts.criteria import COLUMNS
from app.contacts.models import Contact, ContactDepartment, ContactTag, Tag
from app.kit.db import Reader
from app.kit.query import Query
from app.permissions.outcomes import Power
from app.permissions.plan import Plan
from app.permissions.predicate import visible

KINDS: Final = ("employee", "temporary")
_AT_ONCE: Final = 500
_BY_USER_NAME: Final = Query(select(Contact.id).where(Contact.user_name_key == bindparam("key", type_=String())))
_OFFERED: Final = Query(select(Tag.name).where(Tag.name == bindparam("tag", type_=String())))
_BY_EMPLOYEE_NO: Final = Query(select(Contact.id).where(Contact.employee_no == bindparam("number", type_=String())))


class ProvisionedContacts:
    """Finds people for a provisioning client."""

    def __init__(self, reader: Reader) -> None:
        """Take the reader."""
        self._reader = reader

    async def page(self, plan: Plan, powers: Iterable[Power], *, passed: int, most: int) -> list[UUID]:
        """List whom ``plan`` shows with ``powers`` over them, the newest first, after ``passed`` others."""
        statement = (
            select(Contact.id)
            .where(*_shown(plan, powers))
            .order_by(Contact.id.desc())
            .limit(bindparam("most", 1, type_=Integer()))
            .offset(bindparam("passed", 0, type_=Integer()))
        )
        rows = await self._reader.fetch(self._reader.prepare(statement), {"most": most, "passed": passed})
        return [identity for (identity,) in rows]

    async def count(self, plan: Plan) -> int:
        """Count whom ``page`` would list in the end."""
        statement = select(func.count()).select_from(Contact).where(*_shown(plan, (Power.COUNT,)))
        return int((await self._reader.fetch(self._reader.prepare(statement)))[0][0])

    async def by_user_name(self, key: str) -> list[UUID]:
        """Find who has a user name, in the form under which they are kept."""
        return [identity for (identity,) in await _BY_USER_NAME.rows(self._reader, key=key)]

    async def by_employee_no(self, number: str) -> list[UUID]:
        """Find who has an employee number."""
        return [identity for (identity,) in await _BY_EMPLOYEE_NO.rows(self._reader, number=number)]

    async def times(self, identities: Sequence[UUID]) -> dict[UUID, tuple[datetime, datetime]]:
        """Give when contacts were made and when they last changed."""
        found: dict[UUID, tuple[datetime, datetime]] = {}
        for at in range(0, len(identities), _AT_ONCE):
            statement = select(Contact.id, Contact.created_at, Contact.updated_at)
            some = statement.where(Contact.id.in_(identities[at : at + _AT_ONCE]))
            rows = await self._reader.fetch(self._reader.prepare(some))
            found.update((identity, (made, changed)) for identity, made, changed in rows)
        return found

    async def in_departments(self, plan: Plan, departments: Sequence[UUID], *, most: int) -> Mapping[UUID, list[UUID]]:
        """Give who belongs to each of these departments, of whom ``plan`` shows; ``most`` in all."""
        side = ContactDepartment.department_id
        statement = select(side, Contact.id).join(ContactDepartment, ContactDepartment.contact_id == Contact.id)
        return await self._grouped(statement, side.in_(departments), plan, most)

    async def tagged(self, plan: Plan, tags: Sequence[str], *, most: int) -> Mapping[str, list[UUID]]:
        """Give who carries each of these tags, of whom ``plan`` shows; ``most`` in all."""
        statement = select(ContactTag.tag, Contact.id).join(ContactTag, ContactTag.contact_id == Contact.id)
        return await self._grouped(statement, ContactTag.tag.in_(tags), plan, most)

    async def knows_tag(self, plan: Plan, tag: str) -> bool:
        """Tell whether the company offers a tag, or somebody carries it of whom ``plan`` shows."""
        if await _OFFERED.rows(self._reader, tag=tag):
            return True
        return bool(await self.tagged(plan, [tag], most=1))

    async def _grouped(
        self, statement: Select[Any, UUID], narrowed: ColumnElement[bool], plan: Plan, most: int
    ) -> dict[Any, list[UUID]]:
        some = statement.where(narrowed, *_shown(plan, (Power.MATCH,))).order_by(Contact.id)
        rows = await self._reader.fetch(
            self._reader.prepare(some.limit(bindparam("most", 1, type_=Integer()))), {"most": most}
        )
        found: dict[Any, list[UUID]] = {}
        for group, identity in rows:
            found.setdefault(group, []).append(identity)
        return found


def _shown(plan: Plan, powers: Iterable[Power]) -> tuple[ColumnElement[bool], ...]:
    return visible(plan, COLUMNS, powers), Contact.kind.in_(KINDS)
