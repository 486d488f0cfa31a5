"""Telling programs of what becomes of numbers: one notice for each change of a number, in the transaction of the change.

A notice names the number by an id (``naming``), never by its digits; who may look finds it by ``GET /v1/numbers?id=``. Its version is the
row's, and what changes no row but who shares a line has the version of before. A person who holds it is not named: nobody asks policy for
whoever keeps an address, and that question tells of the holder who may know. People are told apart from this (``sweeping``, ``alarms``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.clock import Clock
from app.kit.models import new_id
from app.kit.straight import Writes
from app.notices.notice import Notice
from app.numbers.naming import NumberNames
from app.numbers.repository import Assignment, Grant, Holder, NumberRow, Taken
from app.numbers.rules import PEOPLE, Cause, State, Verb

FAMILY: Final = "number"
TOLD: Final[Mapping[Verb, str]] = MappingProxyType(
    {
        Verb.OPEN: "opened",
        Verb.HOLD: "held",
        Verb.DROP: "hold_dropped",
        Verb.ALLOCATE: "allocated",
        Verb.PROVISION: "allocated",
        Verb.CONFIRM: "confirmed",
        Verb.RELEASE: "released",
        Verb.REST: "rested",
        Verb.REGAIN: "restored",
        Verb.REUSE: "allocated",
        Verb.TRANSFER: "transferred",
        Verb.RESERVE: "reserved",
        Verb.BLOCK: "blocked",
        Verb.UNBLOCK: "unblocked",
        Verb.RETIRE: "retired",
    }
)
"""How each verb of the rules is told: ``number.`` and this. Two verbs are told further: an exchange, and a hold that is over by time."""
SWAPPED: Final = "swapped"
HOLD_EXPIRED: Final = "hold_expired"
_LARGEST: Final = 9999
"""What a notice tells as a number is no greater."""


class SubscriberTeller(Protocol):
    """Who tells programs that subscribed."""

    async def listens(self, session: AsyncSession, family: str) -> bool:
        """Tell whether anybody does, as of some seconds ago."""
        ...

    def gather(self, writes: Writes, family: str, notices: Iterable[Notice]) -> None:
        """Put notices of a family among the writes of a transaction, to be kept where somebody subscribes to it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one number: its row and version, its pool, how it is told, and how it stands then."""

    row: int
    version: int
    pool_id: UUID
    kind: str
    state: State
    assignment: UUID | None = None
    holder: Holder | None = None
    cause: Cause | None = None
    hold: UUID | None = None
    until: datetime | None = None


class NumberTelling:
    """Tells of numbers."""

    def __init__(self, teller: SubscriberTeller, names: NumberNames, clock: Clock) -> None:
        """Take who tells, what numbers are called, and the clock."""
        self._teller, self._names, self._clock = teller, names, clock

    async def gather(self, session: AsyncSession, writes: Writes, changes: Iterable[Change]) -> None:
        """Put the notices of changes among the writes of their transaction; none are made where nobody listens."""
        if await self.listens(session):
            self.put(writes, changes)

    async def listens(self, session: AsyncSession) -> bool:
        """Tell whether any program is told of numbers."""
        return await self._teller.listens(session, FAMILY)

    def put(self, writes: Writes, changes: Iterable[Change]) -> None:
        """Put the notices of changes among the writes of their transaction, whoever listens."""
        now = self._clock.now()
        notices = [
            Notice(id=new_id(), type=f"{FAMILY}.{each.kind}", occurred_at=now, body={"number": self._about(each)})
            for each in changes
        ]
        self._teller.gather(writes, FAMILY, notices)

    def _about(self, change: Change) -> dict[str, Any]:
        holder = None if change.holder is None or change.holder.type in PEOPLE else change.holder
        further = {
            "assignment": change.assignment,
            "holder": None if holder is None else {"type": holder.type, "id": holder.id},
            "cause": None if change.cause is None else change.cause.value,
            "hold": change.hold,
            "until": change.until,
        }
        return {
            "id": self._names.of(change.row),
            "version": min(change.version, _LARGEST),
            "state": change.state.value,
            "pool": change.pool_id,
            **{name: value for name, value in further.items() if value is not None},
        }


def changed(number: NumberRow, verb: Verb, **further: Any) -> Change:  # noqa: ANN401 — members of a change
    """Write what became of a number that was loaded; it is given as it stands after."""
    return Change(
        row=number.id,
        version=number.version,
        pool_id=number.pool_id,
        kind=TOLD[verb],
        state=number.state,
        until=number.available_from,
        **further,
    )


def given_back(number: NumberRow, ended: Assignment, cause: Cause) -> Change:
    """Write that somebody lost a number, which is given as it stands after."""
    return changed(number, Verb.RELEASE, assignment=ended.id, holder=ended.holder, cause=cause)


def given_out(pool_id: UUID, grant: Grant, identity: UUID, taken: Taken, verb: Verb) -> Change:
    """Write that somebody was given a number that was just taken, in an assignment of this id."""
    return Change(
        row=taken.id,
        version=taken.version,
        pool_id=pool_id,
        kind=TOLD[verb],
        state=taken.state,
        assignment=identity,
        holder=grant.holder,
        until=grant.until,
    )
