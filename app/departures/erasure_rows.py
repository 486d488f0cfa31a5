"""All queries on erasures. Nothing here commits."""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.history_purging import lives_of
from app.crypto.stored import has_key
from app.departures.certificates import Erasure
from app.departures.models import ErasureRow
from app.kit.query import Query, Source

_COLUMNS: Final = (ErasureRow.id, ErasureRow.contact_id, ErasureRow.at, ErasureRow.note)
_WHOSE: Final[ColumnElement[UUID]] = ErasureRow.contact_id.expression
_BACK: Final = Query(select(*_COLUMNS).where(or_(exists(has_key(_WHOSE)), exists(lives_of(_WHOSE)))).limit(1000))


class ErasureRows:
    """Rows of ``erasure``."""

    async def add(self, session: AsyncSession, erasure: Erasure) -> None:
        """Keep one; a second of the same contact breaks the table's own rule."""
        session.add(ErasureRow(id=erasure.id, contact_id=erasure.contact_id, at=erasure.at, note=erasure.note))
        await session.flush()

    async def back(self, source: Source) -> list[Erasure]:
        """Name those who were erased and have a key all the same: a table of keys came out of a backup."""
        return [Erasure(*row) for row in await _BACK.rows(source)]
