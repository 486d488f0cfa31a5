"""Purging: what a purge would reach, and doing it, in the transaction of whoever decided it.

Every key of history of the quarters in reach is destroyed, but those of contacts that are held: whom an open request is about, and whom the
request itself names to be kept. What was written before history had keys of its own is under the key of the card and cannot go without it;
it is counted as left. Card, reasons in the log and later history stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Select

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.audit.note import Signer
from app.contacts.past_counts import contacts_of, gone, reached, these
from app.crypto.history_purging import KeptKey, destroy, live_keys
from app.history.errors import HistoryMoved
from app.history.repository import Purge, PurgeRepository
from app.history.rules import Tally, certified, cutoff, moment, newest
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.query import Source


class Holds(Protocol):
    """Contacts whose history must stay for now."""

    async def contacts(self, source: Source) -> frozenset[UUID]:
        """Give them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which history: all before a quarter, of everybody, of some departments, or of some contacts; never of those to be kept."""

    before: date
    quarter: int
    departments: frozenset[UUID] | None = None
    contacts: frozenset[UUID] | None = None
    keep: frozenset[UUID] = frozenset()

    def among(self) -> Select[UUID] | None:
        """Select whose; ``None`` for everybody."""
        if self.contacts is not None:
            return these(self.contacts)
        return None if self.departments is None else contacts_of(self.departments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By whose leave: the request, who filed it, whose word it rests on, how it named its reach, and the root over what was approved."""

    request: UUID
    root: str
    filed_by: UUID
    decided_by: tuple[UUID, ...]
    scope: Mapping[str, Any]


class HistoryPurger:
    """Purges."""

    def __init__(
        self,
        *,
        rows: PurgeRepository,
        signer: Signer,
        holds: tuple[Holds, ...],
        kept: int,
        utc_offset: timedelta,
        clock: Clock,
    ) -> None:
        """Take the rows, who signs, who holds what, how many whole quarters stay, where a quarter begins, and the clock."""
        self._rows, self._signer, self._holds = rows, signer, holds
        self._kept, self._utc_offset, self._clock = kept, utc_offset, clock

    def newest(self) -> date:
        """Give the latest day that a purge may name now."""
        return newest(self._clock.now(), self._kept, self._utc_offset)

    def quarter(self, before: date) -> int | None:
        """Give the quarter before which everything goes; ``None`` for a day that begins none."""
        return cutoff(before)

    async def tallied(self, source: Source, reach: Reach) -> Tally:
        """Count the keys in reach, of those too that are held at the moment: holds come and go, and what is approved is the reach."""
        tally = Tally()
        async for page in live_keys(source, reach.quarter, reach.among()):
            for key in page:
                if key.subject not in reach.keep:
                    tally.add(key)
        return tally

    async def foretold(self, source: Source, reach: Reach, tally: Tally) -> dict[str, Any]:
        """Say what would go and what would stay, in counts."""
        changes, left = await reached(source, reach.quarter, moment(reach.before, self._utc_offset), reach.among())
        held = await self._held(source) & tally.subjects
        return {**tally.told(), "changes": changes, "left": left, "held": len(held)}

    async def purge(self, unit: UnitOfWork, author: Author, reach: Reach, order: Order) -> Mapping[str, Any]:
        """Destroy the keys, keep the certificate, put it on record; give what the certificate states.

        Raises ``HistoryMoved`` when what is in reach is not what was approved, or another purge destroys some of it at the same time.
        """
        session, now = unit.session, self._clock.now()
        held = await self._held(session)
        whole, going, spared = Tally(), list[KeptKey](), set[UUID]()
        async for page in live_keys(session, reach.quarter, reach.among()):
            for key in page:
                if key.subject not in reach.keep:
                    whole.add(key)
                if key.subject in held or key.subject in reach.keep:
                    spared.add(key.subject)
                else:
                    going.append(key)
        if whole.root != order.root:
            raise HistoryMoved
        tally = whole if len(going) == whole.tree.size else Tally.of(going)
        if await destroy(session, [key.handle for key in going], purge=order.request, at=now) != len(going):
            raise HistoryMoved
        changes, left = await gone(session, order.request, moment(reach.before, self._utc_offset), reach.among())
        statement = {
            "request": str(order.request),
            "at": _written(now),
            "before": reach.before.isoformat(),
            "scope": dict(order.scope),
            **tally.told(),
            "changes": changes,
            "left": left,
            "held": len(spared),
            "root": tally.root,
            "filed_by": str(order.filed_by),
            "decided_by": [str(each) for each in order.decided_by],
        }
        await self._rows.add(session, Purge(order.request, now, certified(self._signer, statement)))
        told = {name: statement[name] for name in ("request", "before", "subjects", "keys", "held", "left", "root")}
        await add_intent(session, written(author, "history.purge", now, query=told))
        return statement

    async def _held(self, source: Source) -> frozenset[UUID]:
        return frozenset().union(*[await each.contacts(source) for each in self._holds])


def _written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
