"""What personnel events ask of business facts; ``app.engagements`` does it, and composition brings the two together."""

from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork


class Engagements(Protocol):
    """Ends what people are assigned to as they move or leave, in the transaction of the event."""

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End every assignment of a person, ``cause`` being ``left`` or ``moved``; give how many. The facts stay, for a new owner."""
        ...
