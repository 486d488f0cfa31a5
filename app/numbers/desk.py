"""The number plan as the composition root sees it: what routes call, what the worker calls, what the HR system's events call.

Repositories of this package hold no state and are nobody else's, so they are made here and the root hands in only what it shares.
"""

from datetime import timedelta

from app.contacts.repository import ContactRepository
from app.contacts.writer import ContactWriter
from app.disclosure.gate import Gate
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors
from app.notices.teller import Teller
from app.numbers.adopting import NumberAdoption
from app.numbers.alarms import PoolAlarms
from app.numbers.domains import DomainKeeper
from app.numbers.expecting import Announced, Expecting
from app.numbers.hold_pages import HoldPages
from app.numbers.holders import HolderNames
from app.numbers.holding import HoldService
from app.numbers.holds import HoldKeeper
from app.numbers.importing import NumberPlanImport
from app.numbers.keeping import NumberKeeper
from app.numbers.lookup import NumberLookup
from app.numbers.moving import MoveKeeper
from app.numbers.naming import NumberNames
from app.numbers.parting import NumberParting
from app.numbers.personnel import PersonnelNumbers
from app.numbers.plan_reading import PlanReader
from app.numbers.plan_repository import PlanRepository
from app.numbers.pool_repository import PoolRepository
from app.numbers.pools import PoolKeeper
from app.numbers.ranges import RangeKeeper
from app.numbers.reading import NumberReader
from app.numbers.repository import NumberRepository
from app.numbers.service import NumberService
from app.numbers.siding import NumberSides
from app.numbers.sweeping import NumberSweep
from app.numbers.telling import NumberTelling, SubscriberTeller
from app.numbers.transferring import NumberMoves
from app.numbers.validating import NumberValidator
from app.permissions.jobs import JobBooking
from app.permissions.standing import Standings


class NumberDesk:
    """Reads, keeps, gives out and takes back."""

    def __init__(
        self,
        *,
        contacts: ContactRepository,
        writer: ContactWriter,
        gate: Gate,
        standings: Standings,
        cursors: Cursors,
        database: Database,
        idempotency: Idempotency,
        jobs: JobBooking,
        teller: SubscriberTeller,
        announced: Announced,
        reference_key: bytes,
        clock: Clock,
        utc_offset: timedelta,
        longest_hold: timedelta,
    ) -> None:
        """Take the contacts, the gate, who viewers are, the store, where long work is booked, who tells programs, and who knows joiners.

        ``reference_key`` makes what numbers are called there; ``utc_offset``: when the company's day begins.
        """
        reader = database.reader
        plan, numbers, lookup, rows = PoolRepository(), NumberRepository(), NumberLookup(), PlanRepository()
        self._expecting = Expecting(announced, pools=plan, standings=standings, utc_offset=utc_offset)
        self._plan, self._numbers, self._clock, self._utc_offset = plan, numbers, clock, utc_offset
        names = NumberNames(reference_key)
        self.telling = NumberTelling(teller, names, clock)
        self.service = NumberService(
            plan=plan, numbers=numbers, writer=writer, standings=standings, telling=self.telling, clock=clock
        )
        self.reader = NumberReader(
            plan=plan,
            numbers=numbers,
            lookup=lookup,
            contacts=contacts,
            gate=gate,
            standings=standings,
            cursors=cursors,
            names=names,
            reader=reader,
            clock=clock,
            utc_offset=utc_offset,
        )
        holders = HolderNames(self.reader)
        self.keeper = NumberKeeper(
            service=self.service,
            plan=plan,
            names=holders,
            source=reader,
            database=database,
            idempotency=idempotency,
            clock=clock,
        )
        self.plan = PlanReader(
            pools=plan,
            plan=rows,
            lookup=lookup,
            expecting=self._expecting,
            gate=gate,
            standings=standings,
            reader=reader,
            clock=clock,
            utc_offset=utc_offset,
        )
        self.pools = PoolKeeper(plan=plan, reader=self.plan, idempotency=idempotency, clock=clock)
        self.domains = DomainKeeper(pools=plan, plan=rows, reader=self.plan, idempotency=idempotency, clock=clock)
        self.ranges = RangeKeeper(pools=plan, plan=rows, source=reader, idempotency=idempotency, jobs=jobs, clock=clock)
        self.validator = NumberValidator(
            pools=plan, plan=rows, numbers=self.reader, gate=gate, standings=standings, reader=reader, clock=clock
        )
        self.moves = NumberMoves(service=self.service, numbers=numbers, clock=clock)
        self.personnel = PersonnelNumbers(
            service=self.service, moves=self.moves, numbers=numbers, pools=plan, clock=clock
        )
        sides = NumberSides(service=self.service, numbers=numbers, clock=clock)
        self.mover = MoveKeeper(moves=self.moves, sides=sides, names=holders, idempotency=idempotency, clock=clock)
        self.holding = HoldService(numbers=numbers, telling=self.telling, clock=clock)
        self.parting = NumberParting(service=self.service, holds=self.holding, clock=clock)
        self.hold_pages = HoldPages(
            pools=plan,
            numbers=self.reader,
            gate=gate,
            standings=standings,
            cursors=cursors,
            reader=reader,
            clock=clock,
        )
        self.holds = HoldKeeper(
            service=self.holding,
            plan=plan,
            reader=self.reader,
            source=reader,
            idempotency=idempotency,
            clock=clock,
            longest=longest_hold,
        )

    def importing(self, database: Database) -> NumberPlanImport:
        """Make what takes over a live number plan."""
        adoption = NumberAdoption(handing=self.service.handing, numbers=self._numbers, clock=self._clock)
        return NumberPlanImport(
            adoption=adoption,
            names=HolderNames(self.reader),
            pools=self._plan,
            ranges=PlanRepository(),
            database=database,
        )

    def alarms(self, database: Database, teller: Teller) -> PoolAlarms:
        """Make what the worker calls to find pools that run out; it tells people and so is made after whoever tells them."""
        return PoolAlarms(
            database=database,
            pools=self._plan,
            expecting=self._expecting,
            teller=teller,
            clock=self._clock,
            utc_offset=self._utc_offset,
        )

    def sweeper(self, database: Database, teller: Teller) -> NumberSweep:
        """Make what the worker calls, which tells people and so is made after whoever tells them."""
        return NumberSweep(
            database=database,
            handing=self.service.handing,
            numbers=self._numbers,
            holding=self.holding,
            teller=teller,
            clock=self._clock,
        )
