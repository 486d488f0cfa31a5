"""A look is decided with the rights of now: once more when they moved while it was being recorded, and before anything is refused.

A remembered standing is safe for showing, because the log compares its epochs with the record. No record compares them for a refusal, so
a refusal is said only under a standing that was read afresh.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from app.audit.errors import EpochMoved
from app.kit.context import current_request
from app.kit.errors import NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

_T = TypeVar("_T")


class CurrentRights:
    """Runs looks."""

    def __init__(self, standings: Standings) -> None:
        """Take who viewers are."""
        self._standings = standings

    async def of(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        """Do ``attempt`` for ``viewer``, and once more with their rights of now where that matters; raise what it raises then."""
        try:
            return await attempt(viewer)
        except EpochMoved:
            return await attempt(await self._standings.of(viewer.subject, fresh=True))
        except (NotFound, NotPermitted):
            current = await self._standings.of(viewer.subject, fresh=True)
            if current.standing == viewer.standing:
                raise
            return await attempt(current)


def seek(action: str, purpose: Purpose, identity: UUID | None = None, fields: tuple[str, ...] = ()) -> None:
    """Say what the request is about to do, to whom, and which fields it asks for, should it be refused.

    ``fields`` are names of the catalogue alone (``Catalogue.named``): they go into the log as they are.
    """
    context = current_request()
    if context is not None:
        context.sought, context.action, context.purpose = identity, action, purpose.value
        context.fields = fields
