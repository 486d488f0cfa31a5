"""All queries on departments, and the MACs that make their rows believable. Nothing here commits."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.departments.models import Department
from app.departments.tree import Node, Tree

_log = structlog.get_logger("duanhao.security")

_ALL: Final = Query(
    select(
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
        Department.mac,
    )
)


def _covered(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(values)


class DepartmentRepository:
    """Rows of ``department``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def tree(self, source: Source, *, epoch: int) -> Tree:
        """Load every department; rows that somebody edited past us are left out, with what hangs below, and reported."""
        nodes, distrusted = [], []
        for *values, mac in await _ALL.rows(source):
            if self._signer.verify("department", _covered(values), mac):
                nodes.append(Node(*values))
            else:
                _log.error("row_mac_mismatch", table="department", row=str(values[0]))
                distrusted.append(values[0])
        return Tree(nodes, epoch=epoch, distrusted=distrusted)

    async def by_id(self, session: AsyncSession, identity: UUID) -> Department | None:
        """Load one row for a change, locked until the transaction ends."""
        return await session.scalar(select(Department).where(Department.id == identity).with_for_update())

    def sign(self, row: Department) -> None:
        """Write the row's MAC anew after a change."""
        values = (
            row.id,
            row.code,
            row.name,
            row.parent_id,
            row.head_id,
            row.deputy_id,
            row.order,
            row.region,
            row.legal_entity,
            row.protected,
        )
        row.mac = self._signer.sign("department", values)
