"""A store in memory with behaviour: it can fail, wait, and refuse single events, by the rules of the real ones."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.audit.stores import (
    Appended,
    EntriesRejected,
    Entry,
    Known,
    QuotaKey,
    StoredHead,
    StoreUnavailable,
    check_floor,
    empty_head,
    plan,
)
from tests.audit.places import SIGNER

POISON: Final = "poison"
"""An event with this action is one that the store can never take."""


class FakeStore:
    """Keeps what it is given, batch by batch."""

    def __init__(self) -> None:
        """Be empty, quick and well."""
        self.head = empty_head(SIGNER)
        self.batches: list[list[Entry]] = []
        self.epochs: dict[str, int] = {}
        self.used: dict[QuotaKey, int] = {}
        self.ids: dict[UUID, tuple[int, bytes]] = {}
        self.broken = False
        self.attempts = 0
        self.packed = 0
        self.probes: list[bool] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.closed = False

    @property
    def events(self) -> list[UUID]:
        """Ids in the order of the log."""
        return [entry.id for batch in self.batches for entry in batch]

    def _check(self) -> None:
        if self.broken:
            message = "broken on purpose"
            raise StoreUnavailable(message)

    async def open(self) -> None:
        """Open, unless broken."""
        self._check()

    async def append(self, entries: Sequence[Entry]) -> Appended:
        """Write a batch when the gate is open."""
        self.attempts += 1
        self.entered.set()
        await self.gate.wait()
        self._check()
        if any(entry.action == POISON for entry in entries):
            raise EntriesRejected(POISON)
        known = Known(self.head.size - 1, self.ids, self.epochs, self.used)
        planned = plan(self.head, check_floor(self.head, known.last_leaf, 0), entries, known, SIGNER)
        for index, entry in enumerate(planned.fresh, planned.first):
            self.ids[entry.id] = (index, entry.leaf)
        if planned.fresh:
            self.batches.append(planned.fresh)
        self.packed += sum(len(entry.pages) for entry in planned.fresh)
        self.head = planned.head
        self.used |= planned.charged
        return Appended(planned.outcomes, self.head.size, self.head.note)

    async def unpack(self, *, wait: bool) -> bool:
        """Spread one page, when the gate is open; no other process is at it."""
        del wait
        await self.gate.wait()
        self._check()
        self.packed = max(self.packed - 1, 0)
        return self.packed > 0

    async def probe(self, *, durable: bool) -> None:
        """Answer how it is."""
        self.probes.append(durable)
        self._check()

    async def newest(self) -> StoredHead:
        """Give the head."""
        return self.head

    async def close(self) -> None:
        """Remember it."""
        self.closed = True
