"""What becomes of a device when its person leaves or moves, in the transaction of that: it stays, it goes along, or it is handed over.

Who leaves, leaves every device: it is ``to_hand_over``, the nearest head above is told, and has until a working day that is named. One
that follows its person cannot call from that moment; one that stands in a place goes on until the day is over. Who moves takes along what
follows them; what stands in a place is handed over there. Assigning it to somebody confirms the hand-over. What nobody has handed over by
the day is suspended and its secrets end. A device whose person is gone by a path that missed it is found by the sweep.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import String, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.resolving import Organisation, Persons
from app.audit.authors import Author
from app.auth.roles import Role
from app.calendar.joints import Calendar
from app.devices.repository import DeviceRepository
from app.devices.rules import Assignment, Device, State, Step, allows
from app.devices.service import DeviceService
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import Id, Instant
from app.kit.query import Query

SWEEPER: Final = Author(type="system", id="devices")
LEFT, MOVED = "left", "moved"
_CONTACTS: Final = table("contact", column("id", Id()), column("status", String()))
_ASSIGNMENTS: Final = table(
    "device_assignment", column("holder_id", Id()), column("holder_type", String()), column("ended_at", Instant())
)
_MISSED: Final = Query(
    select(_ASSIGNMENTS.c.holder_id)
    .distinct()
    .join(_CONTACTS, _CONTACTS.c.id == _ASSIGNMENTS.c.holder_id)
    .where(
        _ASSIGNMENTS.c.holder_type == "contact",
        _ASSIGNMENTS.c.ended_at.is_(None),
        _CONTACTS.c.status.in_(("left", "archived")),
    )
    .limit(100)
)


class DeviceHandovers:
    """Hands devices over."""

    def __init__(
        self,
        *,
        rows: DeviceRepository,
        service: DeviceService,
        organisation: Organisation,
        persons: Persons,
        calendar: Calendar,
        database: Database,
        clock: Clock,
        days: int,
    ) -> None:
        """Take the rows, what writes them, positions, natural persons, working days, store, clock, and how many days there are."""
        self._rows, self._service = rows, service
        self._organisation, self._persons, self._calendar = organisation, persons, calendar
        self._database, self._clock, self._days = database, clock, days

    async def end_all(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str, to: UUID | None = None
    ) -> int:
        """Do what ``cause``, ``left`` or ``moved``, means for every device of somebody; give how many were taken from them.

        Whoever is named hands them over, else the next head.
        """
        held = await self._rows.held_by(unit.session, contact_id)
        return sum([await self._pass_on(unit, author, each, cause, to) for each in sorted(held, key=_by_device)])

    async def sweep(self) -> int:
        """Hand over what a leaving missed, and suspend what nobody handed over in time; each in a transaction of its own."""
        done = 0
        for (gone,) in await _MISSED.rows(self._database.reader):
            async with self._database.unit_of_work() as unit:
                done += await self.end_all(unit, SWEEPER, contact_id=gone, cause=LEFT)
        for late in await self._rows.due(self._database.reader, self._clock.now()):
            async with self._database.unit_of_work() as unit:
                done += await self._overdue(unit, late)
        return done

    async def _pass_on(
        self, unit: UnitOfWork, author: Author, held: Assignment, cause: str, to: UUID | None = None
    ) -> bool:
        device = await self._rows.locked(unit.session, held.device_id)
        if device is None:
            return False
        if cause == MOVED and device.follows == "person":
            facts = await self._organisation.facts(unit.session, [held.holder_id])
            department = facts[held.holder_id].department if held.holder_id in facts else None
            await self._service.place(unit, author, device, department)
            return False
        if not allows(device.state, Step.HAND_OVER):
            return False
        days = await self._calendar.current(unit.session)
        await self._service.hand_over(
            unit,
            author,
            device,
            held,
            cause=cause,
            answerable=to or await self._successor(unit.session, device, held.holder_id),
            due=days.due(self._clock.now(), self._days).at,
        )
        return True

    async def _overdue(self, unit: UnitOfWork, identity: UUID) -> bool:
        device = await self._rows.locked(unit.session, identity)
        now = self._clock.now()
        if device is None or device.state is not State.TO_HAND_OVER or device.due_at is None or device.due_at > now:
            return False
        after = await self._service.shut(
            unit, SWEEPER, device, State.SUSPENDED, "device.suspend", None, cause="not_handed_over"
        )
        await self._service.notices.tell(unit, "device.overdue", after, person=device.answerable_id, roles=("it",))
        return True

    async def _successor(self, session: AsyncSession, device: Device, former: UUID) -> UUID | None:
        """Give who hands it over: the nearest head above the device who is there and somebody else, else IT, else administration."""
        tree = await self._organisation.tree(session)
        place = device.department_id
        nodes = () if place is None or place not in tree.nodes else reversed(tree.ancestry(place))
        wanted = [node.head_id for node in nodes if node.head_id is not None]
        for role in (Role.IT, Role.ADMINISTRATION):
            wanted += await self._organisation.holders(session, role)
        persons = await self._persons.of(session, [former, *wanted])
        able = await self._organisation.facts(session, wanted)
        return next(
            (each for each in wanted if persons[each] != persons[former] and each in able and able[each].in_office),
            None,
        )


def _by_device(held: Assignment) -> UUID:
    return held.device_id
