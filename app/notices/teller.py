"""What others need of notices, which they do not build themselves: somebody who tells."""

from typing import Protocol

from app.kit.db import UnitOfWork
from app.notices.notice import Notice


class Teller(Protocol):
    """Brings notices to people and programs."""

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Put a notice into the transaction of ``unit``."""
        ...
