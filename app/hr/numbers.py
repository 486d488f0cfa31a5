"""What personnel events ask of the short numbers; ``app.numbers`` does it, and composition brings the two together."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork


class Numbers(Protocol):
    """Gives and takes short numbers as people come and go, in the transaction of the event."""

    async def number_for_joiner(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, department_id: UUID | None
    ) -> Sequence[str]:
        """Allocate from the nearest pool up the tree that takes joiners, else from the company's; none such gives nothing.

        Somebody who comes back while a number of theirs is in quarantine gets that one. Raises ``PoolExhausted`` before changing anything.
        """
        ...

    async def end_assignments(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> Sequence[str]:
        """Put every number of the contact into quarantine; give the digits."""
        ...

    async def bring_along(self, unit: UnitOfWork, author: Author, *, from_id: UUID, to_id: UUID) -> int:
        """Give the numbers that a department holds, and the pools that it owns, to another; give how many numbers those are."""
        ...
