"""Devices as the composition root sees them: the door that lets them in, what routes call, what personnel events and the worker call."""

from collections.abc import Callable

from app.approvals.resolving import Organisation, Persons
from app.calendar.joints import Calendar
from app.contacts.repository import ContactRepository
from app.devices.handovers import DeviceHandovers
from app.devices.joints import HeldNumbers
from app.devices.keeping import DeviceKeeper
from app.devices.principal import DeviceDoor, DeviceSecrets
from app.devices.reading import DevicePages
from app.devices.repository import DeviceRepository
from app.devices.service import DeviceService
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.kit.limits import Limiter
from app.notices.teller import Teller


class DeviceDesk:
    """Admits, shows, registers, assigns and retires."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: DeviceRepository,
        key: Callable[[str], bytes],
        contacts: ContactRepository,
        organisation: Organisation,
        persons: Persons,
        numbers: HeldNumbers,
        calendar: Calendar,
        teller: Teller,
        database: Database,
        limiter: Limiter | None,
        handover_days: int,
    ) -> None:
        """Take what desks share, the rows that standings read too, keys, people and positions, numbers, days, who tells, the store."""
        clock, people = showing.clock, Acquaintances(contacts, showing.gate)
        self.rows, self.kept = rows, DeviceSecrets(key("device-secret"))
        self.door = DeviceDoor(rows=rows, kept=self.kept, reader=showing.reader, clock=clock, limiter=limiter)
        self.service = DeviceService(
            rows=rows, kept=self.kept, contacts=contacts, numbers=numbers, teller=teller, clock=clock
        )
        self.pages = DevicePages(showing, rows=rows, people=people)
        self.keeper = DeviceKeeper(service=self.service, rows=rows, pages=self.pages, contacts=contacts, people=people)
        self.handovers = DeviceHandovers(
            rows=rows,
            service=self.service,
            organisation=organisation,
            persons=persons,
            calendar=calendar,
            database=database,
            clock=clock,
            days=handover_days,
        )

    async def sweep(self) -> int:
        """Do what is due about hand-overs; give how much that was."""
        return await self.handovers.sweep()
