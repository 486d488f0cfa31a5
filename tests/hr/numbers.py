"""Short numbers for tests of personnel events: one pool that behaves as the numbers service promises, in the transaction of the caller.

What a transaction did counts once it is durable, as with rows; the card shows the digits because they are written to the contact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork
from app.numbers.errors import PoolExhausted


@dataclass(slots=True)
class FakeNumbers:
    """A pool: free digits in order, who holds which, and whose wait in quarantine."""

    free: list[str] | None = None
    held: dict[str, UUID] = field(default_factory=dict)
    quarantined: dict[str, UUID] = field(default_factory=dict)
    asked: list[tuple[str, UUID, UUID | str | None]] = field(default_factory=list)
    _under_way: dict[int, "FakeNumbers"] = field(default_factory=dict)

    async def number_for_joiner(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, department_id: UUID | None
    ) -> Sequence[str]:
        """Give back what waits for the same holder, else the first free one."""
        assert author.id
        self.asked.append(("join", contact_id, department_id))
        mine = self._within(unit)
        if mine.free is None:
            return ()
        waiting = [digits for digits, who in mine.quarantined.items() if who == contact_id]
        if not waiting and not mine.free:
            raise PoolExhausted(requested=1, available=0)
        digits = waiting[0] if waiting else mine.free[0]
        if waiting:
            del mine.quarantined[digits]
        else:
            mine.free.remove(digits)
        mine.held[digits] = contact_id
        return (digits,)

    async def end_assignments(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str, among: object = None
    ) -> Sequence[str]:
        """Move what the contact holds into quarantine; the pool is the company's, so moves touch nothing."""
        assert author.id
        if among is not None:
            return ()
        self.asked.append(("end", contact_id, cause))
        mine = self._within(unit)
        ended = [digits for digits, who in mine.held.items() if who == contact_id]
        for digits in ended:
            mine.quarantined[digits] = mine.held.pop(digits)
        return ended

    async def bring_along(self, unit: UnitOfWork, author: Author, *, from_id: UUID, to_id: UUID) -> int:
        """Give what one holds to another."""
        assert author.id
        mine = self._within(unit)
        held = [digits for digits, who in mine.held.items() if who == from_id]
        mine.held.update(dict.fromkeys(held, to_id))
        return len(held)

    def _within(self, unit: UnitOfWork) -> "FakeNumbers":
        """Give the pool as a transaction sees it; what it did there counts once that is durable."""
        mine = self._under_way.get(id(unit))
        if mine is None:
            free = None if self.free is None else list(self.free)
            mine = self._under_way[id(unit)] = FakeNumbers(free, dict(self.held), dict(self.quarantined))
            unit.after_commit(lambda: self._take_over(mine))
            unit.at_end(lambda: self._forget(unit))
        return mine

    def _forget(self, unit: UnitOfWork) -> None:
        self._under_way.pop(id(unit), None)

    def _take_over(self, done: "FakeNumbers") -> None:
        if self.free is not None and done.free is not None:
            self.free[:] = done.free
        for now, then in ((self.held, done.held), (self.quarantined, done.quarantined)):
            now.clear()
            now.update(then)
