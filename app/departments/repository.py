"""All queries on departments, and the MACs that make their rows believable. Nothing here commits.

Contacts and numbers stand above departments, so the facts that a department needs of them, who could hold a position, whether anybody
belongs here and whether a number does, are asked of their tables by name.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import String, column, delete, exists, insert, or_, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner, RowValue
from app.departments.models import Department
from app.departments.tree import Node, Tree
from app.kit.models import Id, Instant

_TABLE: Final = Department.__tablename__
_CONTACT: Final = table("contact", column("id", Id()), column("status", String), column("department_id", Id()))
_MEMBERSHIP: Final = table("contact_department", column("department_id", Id()))
_POOL: Final = table("number_pool", column("department_id", Id()))
_ASSIGNMENT: Final = table(
    "number_assignment", column("holder_type", String), column("holder_id", Id()), column("ended_at", Instant())
)
_IN_OFFICE: Final = ("active", "frozen", "leaving")

_log = structlog.get_logger("duanhao.security")

_COLUMNS: Final[tuple[Any, ...]] = (
    Department.id,
    Department.code,
    Department.name,
    Department.parent_id,
    Department.head_id,
    Department.deputy_id,
    Department.order,
    Department.region,
    Department.legal_entity,
    Department.protected,
    Department.row_version,
    Department.mac,
)
_ALL: Final = Query(select(*_COLUMNS))


class DepartmentRepository:
    """Rows of ``department``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def tree(self, source: Source, *, epoch: int) -> Tree:
        """Load every department; rows that somebody edited past us are left out, with what hangs below, and reported."""
        nodes, distrusted = [], []
        for *values, mac in await _ALL.rows(source):
            node = Node(*values)
            if self._signer.verify(_TABLE, _covered(node), mac):
                nodes.append(node)
            else:
                _log.error("row_mac_mismatch", table=_TABLE, row=str(node.id))
                distrusted.append(node.id)
        return Tree(nodes, epoch=epoch, distrusted=distrusted)

    async def insert(self, session: AsyncSession, node: Node, *, at: datetime) -> None:
        """Add a row."""
        await session.execute(insert(Department).values(**self._row(node), id=node.id, created_at=at, updated_at=at))

    async def update(self, session: AsyncSession, node: Node, *, seen: int, at: datetime) -> bool:
        """Replace the row if it still has the row version ``seen``; tell whether it had."""
        statement = update(Department).where(Department.id == node.id, Department.row_version == seen)
        changed = await session.execute(statement.values(**self._row(node), updated_at=at).returning(Department.id))
        return changed.first() is not None

    async def delete(self, session: AsyncSession, node: Node) -> bool:
        """Delete the row if it is still the one that was seen; tell whether it was."""
        statement = delete(Department).where(Department.id == node.id, Department.row_version == node.row_version)
        return (await session.execute(statement.returning(Department.id))).first() is not None

    async def is_empty(self, session: AsyncSession, identity: UUID) -> bool:
        """Tell whether nothing hangs below the department and nobody belongs to it, archived contacts included."""
        used = or_(
            exists().where(Department.parent_id == identity),
            exists(select(_CONTACT.c.id).where(_CONTACT.c.department_id == identity)),
            exists(select(_MEMBERSHIP.c.department_id).where(_MEMBERSHIP.c.department_id == identity)),
        )
        return not await session.scalar(select(used))

    async def lock(self, session: AsyncSession, identity: UUID) -> None:
        """Let nobody make anything a department's until the transaction ends (SQLite has one writer anyway)."""
        await session.execute(select(Department.id).where(Department.id == identity).with_for_update())

    async def has_numbers(self, session: AsyncSession, identity: UUID) -> bool:
        """Tell whether the department owns a pool of numbers or holds a number."""
        holds = select(_ASSIGNMENT.c.holder_id).where(
            _ASSIGNMENT.c.holder_id == identity,
            _ASSIGNMENT.c.holder_type == "department",
            _ASSIGNMENT.c.ended_at.is_(None),
        )
        owns = select(_POOL.c.department_id).where(_POOL.c.department_id == identity)
        return bool(await session.scalar(select(or_(exists(owns), exists(holds)))))

    async def in_office(self, session: AsyncSession, identities: Iterable[UUID]) -> set[UUID]:
        """Tell which of these contacts are in the directory and could hold a position."""
        wanted = sorted(identities)
        if not wanted:
            return set()
        statement = select(_CONTACT.c.id).where(_CONTACT.c.id.in_(wanted), _CONTACT.c.status.in_(_IN_OFFICE))
        return set(await session.scalars(statement))

    def _row(self, node: Node) -> dict[str, Any]:
        return {
            "code": node.code,
            "name": node.name,
            "parent_id": node.parent_id,
            "head_id": node.head_id,
            "deputy_id": node.deputy_id,
            "order": node.order,
            "region": node.region,
            "legal_entity": node.legal_entity,
            "protected": node.protected,
            "row_version": node.row_version,
            "mac": self._signer.sign(_TABLE, _covered(node)),
        }


def _covered(node: Node) -> tuple[RowValue, ...]:
    return (
        node.id,
        node.code,
        node.name,
        node.parent_id,
        node.head_id,
        node.deputy_id,
        node.order,
        node.region,
        node.legal_entity,
        node.protected,
        node.row_version,
    )
