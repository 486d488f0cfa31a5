"""The number plan as the composition root sees it: what routes call, what the worker calls, what the HR system's events call.

Repositories of this package hold no state and are nobody else's, so they are made here and the root hands in only what it shares.
"""

from datetime import timedelta

from app.contacts.repository import ContactRepository
from app.contacts.writer import ContactWriter
from app.disclosure.gate import Gate
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors
from app.numbers.keeping import NumberKeeper
from app.numbers.lookup import NumberLookup
from app.numbers.pool_repository import PoolRepository
from app.numbers.pools import PoolKeeper
from app.numbers.reading import NumberReader
from app.numbers.repository import NumberRepository
from app.numbers.service import NumberService
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
        reader: Reader,
        idempotency: Idempotency,
        clock: Clock,
        utc_offset: timedelta,
    ) -> None:
        """Take the contacts, the gate, who viewers are, the stores, and when the company's day begins (east of UTC)."""
        plan, numbers = PoolRepository(), NumberRepository()
        self.service = NumberService(plan=plan, numbers=numbers, writer=writer, standings=standings, clock=clock)
        self.reader = NumberReader(
            plan=plan,
            numbers=numbers,
            lookup=NumberLookup(),
            contacts=contacts,
            gate=gate,
            standings=standings,
            cursors=cursors,
            reader=reader,
            clock=clock,
            utc_offset=utc_offset,
        )
        self.keeper = NumberKeeper(
            service=self.service, plan=plan, reader=self.reader, source=reader, idempotency=idempotency, clock=clock
        )
        self.pools = PoolKeeper(plan=plan, reader=self.reader, source=reader, idempotency=idempotency, clock=clock)
