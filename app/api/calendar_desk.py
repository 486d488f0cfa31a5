"""Working days as the composition root sees them: what routes call, what approvals count by, and what a start takes over."""

from datetime import timedelta
from typing import Final

from app.api.calendar_keeping import CalendarKeeper
from app.api.calendar_reading import CalendarPages
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.calendar import package
from app.calendar.service import By, CalendarService
from app.deadlines import CalendarSettings
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors
from app.notices.service import Notices

INSTALLER: Final = Author(type="system", id="installer")


class CalendarDesk:
    """The calendar of now, its pages, its keeper."""

    def __init__(
        self,
        settings: CalendarSettings,
        *,
        database: Database,
        cursors: Cursors,
        idempotency: Idempotency,
        clock: Clock,
        utc_offset: timedelta,
        teller: Notices,
    ) -> None:
        """Take when a working day ends, the store, the key of cursors, what makes a repeat harmless, the clocks, and who tells."""
        self.service = CalendarService(
            reader=database.reader, clock=clock, cut_off=settings.cut_off, utc_offset=utc_offset
        )
        self.calendars = self.service.calendars
        self.pages = CalendarPages(service=self.service, cursors=cursors)
        self.keeper = CalendarKeeper(
            service=self.service, idempotency=idempotency, clock=clock, utc_offset=utc_offset, teller=teller
        )
        self._database, self._clock = database, clock

    async def found(self) -> int:
        """Take over the years that the package knows and the store does not, once for each version of it; tell how many.

        Processes that start together queue, and all but one find nothing to do.
        """
        current, source = await self.service.current(), package.source()
        if await self.service.last_package() == source:
            return 0
        announced = package.announced()
        if announced.keys() <= current.years.keys():
            return 0
        async with self._database.unit_of_work() as unit:
            by = By(INSTALLER.type, INSTALLER.id)
            taken = await self.service.take_over(unit.session, by, source, announced)
            if taken:
                query = {"source": source, "years": [each.year for each in taken]}
                await add_intent(unit.session, written(INSTALLER, "calendar.take_over", self._clock.now(), query=query))
        return len(taken)
