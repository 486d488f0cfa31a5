"""What keeping contacts asks of what others leave to be looked after; ``app.custody`` does it, and composition brings the two together."""

from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork


class Parting(Protocol):
    """Ends a person's stand-ins and hands on the service accounts that they answer for, in the transaction of their leaving."""

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End or pass on all of it, ``cause`` being ``left`` or ``suspended``; give how many they were."""
        ...
