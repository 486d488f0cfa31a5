"""What keeping contacts asks of the short numbers; ``app.numbers`` does it, and composition brings the two together."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork


class HeldNumbers(Protocol):
    """Takes back what a contact holds, in the transaction that takes the contact out of the directory."""

    async def end_assignments(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> Sequence[str]:
        """Put every number of the contact into quarantine; give the digits."""
        ...
