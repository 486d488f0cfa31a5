"""All queries on working days: the calendar of now, remembered until a revision; and the rows, for who keeps it. Nothing here commits.

How something that waits goes by it: what is due is worked out once, by ``current``, and kept with its ``Due`` and the calendar's ``epoch``.
When ``Calendars.epoch`` has moved, whatever is still open, and all of it that was predicted, is worked out again from the same beginning,
and both values are kept: what was told first, and what holds now. Nothing is ever looked up elsewhere.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, time, timedelta
from typing import Final, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, func, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar.models import CalendarDay, CalendarRevision, CalendarYear
from app.calendar.revisions import PACKAGE, PUBLISHED, Revision, Said
from app.calendar.rules import CUT_OFF, UTC_OFFSET, Entry, Kind, Status, WorkCalendar
from app.kit.db import Row
from app.kit.models import Id
from app.kit.query import Query, Source

_DAYS: Final = cast("Table", CalendarDay.__table__)
_YEARS: Final = cast("Table", CalendarYear.__table__)
_REVISIONS: Final = cast("Table", CalendarRevision.__table__)
_QUEUE: Final = select(func.pg_advisory_xact_lock(literal_column("7240610027")))


_EPOCH: Final = Query(select(func.coalesce(func.max(CalendarRevision.seq), 0)), by_key=True)
_EVERY_DAY: Final = Query(
    select(
        CalendarDay.date,
        CalendarDay.kind,
        CalendarDay.source,
        CalendarDay.name_zh,
        CalendarDay.name_en,
    ).order_by(CalendarDay.layer.desc(), CalendarDay.date)
)
"""The company's days after the published ones, so that they win."""
_EVERY_YEAR: Final = Query(select(CalendarYear.year, CalendarYear.source).where(CalendarYear.status == "confirmed"))
_LAST_PACKAGE: Final = Query(
    select(CalendarRevision.source)
    .where(CalendarRevision.kind == PACKAGE)
    .order_by(CalendarRevision.seq.desc())
    .limit(1)
)
_TOLD: Final = select(*(_REVISIONS.c[name] for name in Revision.__slots__))
_BEFORE: Final = Query(
    _TOLD.where(CalendarRevision.seq < bindparam("before"))
    .order_by(CalendarRevision.seq.desc())
    .limit(bindparam("most"))
)
_BY_ID: Final = Query(_TOLD.where(CalendarRevision.id == bindparam("id", type_=Id())), by_key=True)


class Calendars:
    """Gives the calendar of now."""

    def __init__(self, *, cut_off: time = CUT_OFF, utc_offset: timedelta = UTC_OFFSET) -> None:
        """Take how the clocks here go; every calendar counts by them."""
        self._cut_off, self._utc_offset = cut_off, utc_offset
        self._remembered: WorkCalendar | None = None

    async def epoch(self, source: Source) -> int:
        """Give the number that every revision moves: what was worked out under another one may not hold any more."""
        ((found,),) = await _EPOCH.rows(source)
        return int(found)

    async def current(self, source: Source) -> WorkCalendar:
        """Give the calendar as it is. What a session sees of its own revision is not remembered: it may be rolled back."""
        epoch = await self.epoch(source)
        while self._remembered is None or self._remembered.epoch != epoch:
            calendar = await self.read(source)
            if isinstance(source, AsyncSession):
                return calendar
            epoch = await self.epoch(source)
            if calendar.epoch == epoch:
                self._remembered = calendar
        return self._remembered

    async def read(self, source: Source) -> WorkCalendar:
        """Give the calendar as the rows have it, whatever is remembered."""
        epoch = await self.epoch(source)
        days = {day: Entry(Kind(kind), told, zh, en) for day, kind, told, zh, en in await _EVERY_DAY.rows(source)}
        years = dict[int, str]((year, told) for year, told in await _EVERY_YEAR.rows(source))
        return WorkCalendar(days, years, epoch=epoch, cut_off=self._cut_off, utc_offset=self._utc_offset)


class CalendarRows:
    """Rows of the calendar, for who keeps it."""

    async def next_seq(self, session: AsyncSession) -> int:
        """Let those who revise queue (SQLite has one writer anyway), and give the number of the next revision."""
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(_QUEUE)
        ((found,),) = await _EPOCH.rows(session)
        return int(found) + 1

    async def add_days(self, session: AsyncSession, days: Iterable[Said]) -> None:
        """Add what layers say of days of which they said nothing."""
        rows = [
            {
                "date": each.day,
                "layer": each.layer,
                "kind": each.entry.kind.value,
                "name_zh": each.entry.name_zh,
                "name_en": each.entry.name_en,
                "source": each.entry.source,
                "year": each.year,
                "revision": each.revision,
            }
            for each in days
        ]
        if rows:
            await session.execute(insert(_DAYS), rows)

    async def drop_days(self, session: AsyncSession, layer: str, days: Collection[date]) -> int:
        """Forget what ``layer`` says of days; tell of how many it said something."""
        found = await session.scalars(
            delete(_DAYS).where(_DAYS.c.layer == layer, _DAYS.c.date.in_(sorted(days))).returning(_DAYS.c.date)
        )
        return len(found.all())

    async def drop_year(self, session: AsyncSession, year: int) -> None:
        """Forget what was announced for a year."""
        await session.execute(delete(_DAYS).where(_DAYS.c.layer == PUBLISHED, _DAYS.c.year == year))

    async def published(self, session: AsyncSession, first: date) -> frozenset[date]:
        """Tell of which days from ``first`` on something was published."""
        found = await session.scalars(select(_DAYS.c.date).where(_DAYS.c.layer == PUBLISHED, _DAYS.c.date >= first))
        return frozenset(found)

    async def set_years(self, session: AsyncSession, years: Mapping[int, tuple[Status, str, int]]) -> None:
        """Write how sure years are from now on, by which source and revision."""
        await session.execute(delete(_YEARS).where(_YEARS.c.year.in_(sorted(years))))
        rows = [
            {"year": year, "status": status.value, "source": source, "revision": revision}
            for year, (status, source, revision) in years.items()
        ]
        await session.execute(insert(_YEARS), rows)

    async def add(self, session: AsyncSession, revisions: Iterable[Revision]) -> None:
        """Append revisions, whose numbers follow ``next_seq``."""
        rows = [{name: getattr(each, name) for name in Revision.__slots__} for each in revisions]
        await session.execute(insert(_REVISIONS), rows)

    async def last_package(self, source: Source) -> str | None:
        """Name the version of the package whose years were taken over last."""
        rows = await _LAST_PACKAGE.rows(source)
        return rows[0][0] if rows else None

    async def page(self, source: Source, *, before: int, limit: int) -> tuple[list[Revision], int | None]:
        """List revisions, newest first, and the number at which the page ends when more follows."""
        rows = await _BEFORE.rows(source, before=before, most=limit + 1)
        found = [_revision(row) for row in rows[:limit]]
        return found, found[-1].seq if len(rows) > limit else None

    async def by_id(self, source: Source, identity: UUID) -> Revision | None:
        """Find one revision."""
        rows = await _BY_ID.rows(source, id=identity)
        return _revision(rows[0]) if rows else None


def _revision(row: Row) -> Revision:
    return Revision(**dict(zip(Revision.__slots__, row, strict=True)))
