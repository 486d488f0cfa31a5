"""What keeping contacts asks of what leavers and movers have; ``app.departures`` does it, and composition brings the two together."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.departments.tree import Tree
from app.kit.db import UnitOfWork
from app.kit.errors import Problem


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move brought: digits that were given, and what of it could not be done."""

    numbers: Sequence[str] = ()
    problem: Problem | None = None


class Parting(Protocol):
    """Ends, hands on and re-routes what somebody has, in the transaction of their leaving or moving."""

    async def hold(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Lock what is locked before people are; call it before the card of whoever goes is locked."""
        ...

    async def archived(self, unit: UnitOfWork, employee_no: str) -> UUID | None:
        """Find somebody who had this employee number and whose card is in the archive."""
        ...

    async def returned(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Say that somebody is back: their card is not taken away any more."""
        ...

    async def leave(
        self,
        unit: UnitOfWork,
        author: Author,
        contact_id: UUID,
        close: Callable[[], Awaitable[None]],
        *,
        to: UUID | None = None,
    ) -> None:
        """Let somebody go: ``close`` closes their card, ``to`` is whom their place is handed over to; nobody: the next head."""
        ...

    async def move(
        self, unit: UnitOfWork, author: Author, contact_id: UUID, tree: Tree, before: tuple[UUID, ...]
    ) -> Moved:
        """Do what moving from the departments ``before``, the main one first, to those on the card by now means."""
        ...
