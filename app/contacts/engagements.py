"""What keeping contacts asks of business facts; ``app.engagements`` does it, and composition brings the two together."""

from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork


class HeldEngagements(Protocol):
    """Ends what a contact is assigned to, and the facts about an external one, in the transaction of what happens to the contact."""

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End them, ``cause`` being ``left`` or ``moved``; give how many assignments ended."""
        ...
