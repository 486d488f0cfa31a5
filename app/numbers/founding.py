"""Giving many people the numbers that they have from the start, for a store that is being filled: given digits, a few statements for all.

A number is taken as anybody takes it, with an assignment and an event for each holder. The cards are not touched: whoever fills the store
writes these numbers on them in the same transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intents
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.numbers.errors import NumberNotInPool
from app.numbers.pool_repository import Pool
from app.numbers.repository import Grant, Holder, NumberRepository

_AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstNumber:
    """A number that a contact has from the start, as ``short`` or ``extension``; ``until``: for how long."""

    digits: str
    holder: UUID
    role: str
    until: datetime | None = None


class NumberFounder:
    """Gives given numbers out by the batch."""

    def __init__(self, *, numbers: NumberRepository, clock: Clock) -> None:
        """Take the rows and the clock."""
        self._numbers, self._clock = numbers, clock

    async def give(self, unit: UnitOfWork, author: Author, pool: Pool, first: Sequence[FirstNumber]) -> None:
        """Give every number to its holder; raises ``NumberNotInPool`` when one of them is not free in ``pool``: roll back then."""
        if not first:
            return
        now = self._clock.now()
        taken: dict[str, Any] = {}
        for at in range(0, len(first), _AT_ONCE):
            wanted = [each.digits for each in first[at : at + _AT_ONCE]]
            taken |= {each.digits: each for each in await self._numbers.take_these(unit.session, pool.id, wanted, now)}
        if taken.keys() != {each.digits for each in first} or len(taken) != len(first):
            raise NumberNotInPool
        granted = [(new_id(), taken[each.digits], _grant(author, each)) for each in first]
        await self._numbers.assign_each(unit.session, pool.id, granted, now)
        await add_intents(
            unit.session,
            (
                written(
                    author,
                    "number.allocate",
                    now,
                    contacts=[each.holder],
                    fields=["short_numbers"],
                    query={"pool": pool.code, "numbers": [each.digits], "holder": f"contact:{each.holder}"},
                )
                for each in first
            ),
        )


def carried(first: Iterable[FirstNumber]) -> Mapping[str, Any]:
    """Write the members of a card that tell what one contact holds."""
    found: dict[str, Any] = {}
    for each in first:
        if each.role == "extension":
            found["extension"] = each.digits
        else:
            found.setdefault("short_numbers", []).append(each.digits)
    return found


def _grant(author: Author, first: FirstNumber) -> Grant:
    return Grant(
        holder=Holder("contact", first.holder),
        role=first.role,
        caller=f"{author.type}:{author.id}",
        author=author,
        until=first.until,
    )
