"""The department service on each engine, with nobody in the directory but whom a test puts there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from app.audit.authors import Author
from app.audit.events import EventDraft, decode_event
from app.audit.models import AuditIntent
from app.auth import epochs
from app.contacts.models import Contact, ContactDepartment
from app.crypto.rowmac import RowSigner
from app.departments.models import Department
from app.departments.repository import DepartmentRepository
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.service import DepartmentService, Kept
from app.departments.tree import DEPARTMENTS, Node, Tree
from app.kit.db import Database
from app.kit.models import new_id
from tests.support.clock import FrozenClock
from tests.support.stores import TestStore

AUTHOR = Author(type="operator", id="os:test")


@dataclass(slots=True)
class Office:
    """The service, and short ways to write with it and to see what it wrote."""

    database: Database
    rows: DepartmentRepository
    clock: FrozenClock
    service: DepartmentService = field(init=False)

    def __post_init__(self) -> None:
        self.service = DepartmentService(self.rows, self.clock, region="CN")

    async def create(self, code: str, parent: str | None = None, **members: Any) -> Kept:  # noqa: ANN401 — members
        """Add a department in a transaction of its own."""
        new = DepartmentCreate.model_validate({"code": code, "name": f"部门{code}", "parent": parent, **members})
        async with self.database.unit_of_work() as unit:
            return await self.service.create(unit, AUTHOR, new)

    async def amend(self, seen: Node, **members: Any) -> Kept:  # noqa: ANN401 — members
        """Change a department in a transaction of its own."""
        async with self.database.unit_of_work() as unit:
            return await self.service.amend(unit, AUTHOR, seen, DepartmentAmend.model_validate(members))

    async def remove(self, seen: Node) -> None:
        """Remove a department in a transaction of its own."""
        async with self.database.unit_of_work() as unit:
            await self.service.remove(unit, AUTHOR, seen)

    async def tree(self) -> Tree:
        """Read the tree as standing does."""
        return await self.rows.tree(self.database.reader, epoch=0)

    async def epoch(self) -> int:
        """Read the counter of the tree."""
        return await epochs.value(self.database.reader, DEPARTMENTS)

    async def intents(self) -> list[EventDraft]:
        """Read the events that wait to be moved into the log, oldest first."""
        async with self.database.session() as session:
            payloads = await session.scalars(select(AuditIntent.payload).order_by(AuditIntent.seq))
            return [decode_event(payload) for payload in payloads]

    async def contents(self) -> tuple[list[Any], int, int]:
        """Read every row, the counter and the number of intents: what a refusal must leave as it was."""
        async with self.database.session() as session:
            rows = (await session.execute(select(*Department.__table__.c).order_by(Department.id))).all()
        return [tuple(row) for row in rows], await self.epoch(), len(await self.intents())

    async def contact(self, status: str = "active", *, department: UUID | None = None, member: bool = True) -> UUID:
        """Put somebody into the directory."""
        identity, now = new_id(), self.clock.now()
        async with self.database.unit_of_work() as unit:
            await unit.session.execute(
                insert(Contact).values(
                    id=identity,
                    kind="employee",
                    status=status,
                    secrecy="normal",
                    department_id=department,
                    memberships=[],
                    short_numbers=[],
                    tags=[],
                    archive=None,
                    digests=b"",
                    mac=b"",
                    created_at=now,
                    updated_at=now,
                )
            )
            if department is not None and member:
                await unit.session.execute(
                    insert(ContactDepartment).values(contact_id=identity, department_id=department)
                )
        return identity

    async def edit(self, statement: Any) -> None:  # noqa: ANN401 — a statement
        """Change a row past the service."""
        async with self.database.unit_of_work() as unit:
            await unit.session.execute(statement)


@pytest.fixture
async def office(store: TestStore) -> AsyncIterator[Office]:
    """Open the store."""
    database = Database(store.settings)
    yield Office(database, DepartmentRepository(RowSigner(b"d" * 32)), FrozenClock())
    await database.close()
