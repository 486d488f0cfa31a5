"""What the tables of contacts say of where people are and were: which departments, and since when. Queries only; whole pages at once."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, column, func, select, table

from app.auth.repository import Query, Source
from app.kit.models import Id, Instant

_PLACES: Final = table("contact_department", column("contact_id", Id()), column("department_id", Id()))
_CHANGES: Final = table(
    "contact_change",
    column("contact_id", Id()),
    column("row_version", Integer()),
    column("field", String()),
    column("at", Instant()),
)
_MOVED: Final = Query(
    select(func.max(_CHANGES.c.at, type_=Instant())).where(
        _CHANGES.c.contact_id == bindparam("contact", type_=Id()),
        _CHANGES.c.field == "department",
        _CHANGES.c.row_version > 1,
    )
)


class Places:
    """Reads them."""

    async def moved_at(self, source: Source, contact: UUID) -> datetime | None:
        """Tell when somebody last changed their main department; ``None`` when they never did."""
        rows = await _MOVED.rows(source, contact=contact)
        return rows[0][0] if rows else None

    async def outside(self, source: Source, contacts: Collection[UUID], departments: Collection[UUID]) -> int:
        """Count those of ``contacts`` who belong to none of ``departments``."""
        if not contacts:
            return 0
        inside = select(_PLACES.c.contact_id).where(
            _PLACES.c.contact_id.in_(sorted(contacts)), _PLACES.c.department_id.in_(sorted(departments))
        )
        rows = await Query(inside.distinct()).rows(source)
        return len(set(contacts)) - len(rows)
