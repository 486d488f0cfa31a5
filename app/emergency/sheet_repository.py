"""All queries on nightly sheets and on the record of their openings, behind row MACs. Nothing here commits."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Date, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.emergency.models import EmergencyOpening, EmergencySheet
from app.emergency.rules import Sheet, SheetOpening
from app.kit.models import Id

_MOST_LISTED: Final = 100


class SheetRepository:
    """Rows of sheets and openings."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of both tables."""
        self.sheets = Rows(EmergencySheet, Sheet, signer)
        self.openings = Rows(EmergencyOpening, SheetOpening, signer)
        columns = self.sheets.table.c
        self._sheet = by_id(self.sheets)
        self._box = Query(select(columns.box).where(columns.id == bindparam("wanted", type_=Id())), by_key=True)
        self._of_day = Query(select(columns.custodian_id).where(columns.day == bindparam("day", type_=Date())))

    async def sheet(self, source: Source, identity: UUID) -> Sheet | None:
        """Find a sheet."""
        return next(iter(await self.sheets.find(source, self._sheet, wanted=identity)), None)

    async def box(self, source: Source, identity: UUID) -> bytes | None:
        """Give the sealed content of a sheet; ``None`` when it was replaced."""
        rows = await self._box.rows(source, wanted=identity)
        return None if not rows or rows[0][0] is None else bytes(rows[0][0])

    async def served(self, source: Source, day: date) -> frozenset[UUID]:
        """Name the custodians who have a sheet of this day."""
        return frozenset(row[0] for row in await self._of_day.rows(source, day=day))

    async def listed(self, source: Source, custodian_id: UUID | None) -> list[tuple[Sheet, bool]]:
        """List sheets, newest first, each with whether its content is kept; of everybody where nobody is named."""
        columns = self.sheets.table.c
        conditions: list[Any] = [] if custodian_id is None else [columns.custodian_id == custodian_id]
        statement = self.sheets.select(*conditions).order_by(columns.id.desc()).limit(_MOST_LISTED)
        found = self.sheets.read(await Query(statement).rows(source))
        kept = select(columns.id).where(columns.id.in_([each.id for each in found]), columns.box.is_not(None))
        there = {row[0] for row in await Query(kept).rows(source)} if found else set()
        return [(each, each.id in there) for each in found]

    async def keep(self, session: AsyncSession, sheet: Sheet, box: bytes) -> None:
        """Keep a sheet, and the content of no other of its custodian's."""
        columns = self.sheets.table.c
        await self.sheets.add(session, sheet, box=box)
        await session.execute(
            update(self.sheets.table)
            .where(columns.custodian_id == sheet.custodian_id, columns.id != sheet.id, columns.box.is_not(None))
            .values(box=None)
        )

    async def known(self, session: AsyncSession, custodian_id: UUID) -> dict[UUID, bytes]:
        """Give the opening records of a custodian that were uploaded: by id, the hash of each."""
        columns = self.openings.table.c
        statement = select(columns.id, columns.digest).where(columns.custodian_id == custodian_id)
        return {row[0]: bytes(row[1]) for row in await session.execute(statement)}

    async def add(self, session: AsyncSession, openings: Iterable[SheetOpening]) -> None:
        """Add opening records."""
        for each in openings:
            await self.openings.add(session, each)
