"""Changing what is known of days, inside the caller's transaction: each change a revision that keeps every changed day before and after.

Who may, and that it goes on record, is the caller's business. Those who revise queue, so a revision is always of what was there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar.announcement import Announcement
from app.calendar.repository import CalendarRows, Calendars
from app.calendar.revisions import COMPANY, PACKAGE, PUBLISHED, Revision, Said
from app.calendar.rules import LAW, STATUTORY, Entry, Status, WorkCalendar
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.models import new_id

_DAY: Final = timedelta(days=1)
_DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class By:
    """Who revises: the author's type and id, as the access log has them."""

    type: str
    id: str


class CalendarService:
    """Revises the calendar."""

    def __init__(self, *, reader: Reader, clock: Clock, cut_off: time, utc_offset: timedelta) -> None:
        """Take the store, the clock, when a working day ends, and how far the clocks here are ahead of UTC."""
        self._rows, self._reader, self._clock = CalendarRows(), reader, clock
        self.calendars = Calendars(cut_off=cut_off, utc_offset=utc_offset)

    async def current(self) -> WorkCalendar:
        """Give the calendar of now."""
        return await self.calendars.current(self._reader)

    async def page(self, *, before: int, limit: int) -> tuple[list[Revision], int | None]:
        """List revisions, newest first, and the number at which the page ends when more follows."""
        return await self._rows.page(self._reader, before=before, limit=limit)

    async def revision(self, identity: UUID) -> Revision | None:
        """Find one revision."""
        return await self._rows.by_id(self._reader, identity)

    async def last_package(self) -> str | None:
        """Name the version of the package whose years were taken over last."""
        return await self._rows.last_package(self._reader)

    async def set_days(self, session: AsyncSession, by: By, source: str, days: Mapping[date, Entry]) -> Revision:
        """Let the company have days worked or off, whatever was announced."""
        seq = await self._rows.next_seq(session)
        before = await self.calendars.current(session)
        await self._rows.drop_days(session, COMPANY, days)
        said = [_said(COMPANY, day, entry, day.year, seq) for day, entry in days.items()]
        await self._rows.add_days(session, said)
        return await self._revised(session, by, seq, "days", source, before, days)

    async def take_back(self, session: AsyncSession, by: By, day: date) -> Revision | None:
        """Let a day be again what was announced or is expected of it; ``None`` when the company had set nothing."""
        seq = await self._rows.next_seq(session)
        before = await self.calendars.current(session)
        if not await self._rows.drop_days(session, COMPANY, [day]):
            return None
        return await self._revised(session, by, seq, "withdrawal", before.day(day).source, before, [day])

    async def confirm(self, session: AsyncSession, by: By, told: Announcement) -> Revision:
        """Take a year's announcement, in place of what was known of it; what the company set for itself stays."""
        seq = await self._rows.next_seq(session)
        before = await self.calendars.current(session)
        entries = told.entries()
        await self._rows.drop_year(session, told.year)
        await self._rows.drop_days(session, PUBLISHED, entries)
        said = [_said(PUBLISHED, day, entry, told.year, seq) for day, entry in entries.items()]
        await self._rows.add_days(session, said)
        await self._rows.set_years(session, _years([told.year], before, told.source, {told.year: seq}))
        december = date(told.year - 1, _DECEMBER, 1)
        every = (december + each * _DAY for each in range((date(told.year, _DECEMBER, 31) - december).days + 1))
        return await self._revised(session, by, seq, "year", told.source, before, every, year=told.year)

    async def take_over(
        self, session: AsyncSession, by: By, source: str, announced: Mapping[int, Mapping[date, Entry]]
    ) -> list[Revision]:
        """Take the years that are not confirmed yet over from a package, and expect the year after the last of them.

        What is there already is not touched: a year that was confirmed before, whoever did, and days that were published or set before.
        """
        seq = await self._rows.next_seq(session)
        before = await self.calendars.current(session)
        new = sorted(announced.keys() - before.years.keys())
        if not new:
            return []
        numbers = {year: number for number, year in enumerate(new, seq)}
        there = await self._rows.published(session, date(new[0] - 1, _DECEMBER, 1))
        said = [
            _said(PUBLISHED, day, entry, year, numbers[year])
            for year in new
            for of in (year - 1, year)
            for day, entry in announced.get(of, {}).items()
            if (of == year or (day.month == _DECEMBER and of not in numbers)) and day not in there
        ]
        await self._rows.add_days(session, said)
        await self._rows.set_years(session, _years(new, before, source, numbers))
        after = await self.calendars.read(session)
        touched = {number: {date(year, *each) for each in STATUTORY} for year, number in numbers.items()}
        for each in said:
            touched[each.revision].add(each.day)
        revisions = [
            self._revision(by, number, PACKAGE, source, _changes(before, after, touched[number]), year=year)
            for year, number in numbers.items()
        ]
        await self._rows.add(session, revisions)
        return revisions

    async def _revised(
        self,
        session: AsyncSession,
        by: By,
        seq: int,
        kind: str,
        source: str,
        before: WorkCalendar,
        days: Iterable[date],
        *,
        year: int | None = None,
    ) -> Revision:
        after = await self.calendars.read(session)
        revision = self._revision(by, seq, kind, source, _changes(before, after, days), year=year)
        await self._rows.add(session, [revision])
        return revision

    def _revision(
        self, by: By, seq: int, kind: str, source: str, changes: list[dict[str, Any]], *, year: int | None
    ) -> Revision:
        return Revision(
            seq=seq,
            id=new_id(),
            at=self._clock.now(),
            kind=kind,
            year=year,
            source=source,
            actor_type=by.type,
            actor_id=by.id,
            changes=changes,
        )


def _said(layer: str, day: date, entry: Entry, year: int, revision: int) -> Said:
    return Said(day=day, layer=layer, entry=entry, year=year, revision=revision)


def _years(
    confirmed: Sequence[int], before: WorkCalendar, source: str, numbers: Mapping[int, int]
) -> dict[int, tuple[Status, str, int]]:
    """Write years as confirmed, and the one after the last of them as predicted where nobody announced it."""
    found = {year: (Status.CONFIRMED, source, numbers[year]) for year in confirmed}
    last = confirmed[-1]
    return found if last + 1 in before.years else {**found, last + 1: (Status.PREDICTED, LAW, numbers[last])}


def _changes(before: WorkCalendar, after: WorkCalendar, days: Iterable[date]) -> list[dict[str, Any]]:
    """List the days that were worked and are off, or the other way round, as they were and as they are."""
    return [
        {"date": day.isoformat(), "before": _told(before, day), "after": _told(after, day)}
        for day in sorted(days)
        if before.is_working(day) is not after.is_working(day)
    ]


def _told(calendar: WorkCalendar, day: date) -> dict[str, str]:
    found = calendar.day(day)
    return {"kind": found.kind.value, "status": found.status.value, "source": found.source}
