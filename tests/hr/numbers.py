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

    async def number_for_joiner(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, department_id: UUID | None
    ) -> Sequence[str]:
        """Give back what waits for the same holder, else the first free one."""
        assert author.id
        self.asked.append(("join", contact_id, department_id))
        if self.free is None:
            return ()
        waiting = [digits for digits, who in self.quarantined.items() if who == contact_id]
        if not waiting and not self.free:
            raise PoolExhausted(requested=1, available=0)
        digits = waiting[0] if waiting else self.free[0]

        def assign() -> None:
            if waiting:
                del self.quarantined[digits]
            elif self.free is not None:
                self.free.remove(digits)
            self.held[digits] = contact_id

        unit.after_commit(assign)
        return (digits,)

    async def end_assignments(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> Sequence[str]:
        """Move what the contact holds into quarantine."""
        assert author.id
        self.asked.append(("end", contact_id, cause))
        ended = [digits for digits, who in self.held.items() if who == contact_id]

        def quarantine() -> None:
            for digits in ended:
                self.quarantined[digits] = self.held.pop(digits)

        unit.after_commit(quarantine)
        return ended
