"""What every reader of numbers does with an answer: on record before it leaves, and not there only for whoever has current rights."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import orjson

from app.audit.errors import EpochMoved
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.numbers.pool_repository import Pool, PoolRepository
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

_T = TypeVar("_T")
PURPOSE: Final = Purpose.WORK_CONTACT


class Looks:
    """The part that readers share."""

    def __init__(self, *, pools: PoolRepository, gate: Gate, standings: Standings, reader: Reader) -> None:
        """Take the pools, the gate, who viewers are, and where to read."""
        self._pools, self._gate, self._standings, self._reader = pools, gate, standings, reader

    def versioned(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """Add to a rendering what its version is called."""
        return {**card, "version": self._gate.version(orjson.dumps(card))}

    async def _pool(self, named: str) -> Pool:
        pool = await self._pools.pool(self._reader, named)
        if pool is None:
            raise NotFound
        return pool

    async def _whole(self, viewer: Viewer, action: str, items: Sequence[Any], **query: str) -> Disclosed[Any]:
        """Answer with all of a list."""

        async def attempt(viewer: Viewer) -> Disclosed[Any]:
            body = {"items": items, "next": None}
            return Disclosed(await self._noted(viewer, action, body, count=len(items), query=query))

        return await self._with_current_rights(action, viewer, attempt)

    async def _noted(
        self,
        viewer: Viewer,
        action: str,
        body: Mapping[str, Any],
        *,
        count: int,
        query: Mapping[str, object],
        contacts: Iterable[Any] = (),
    ) -> bytes:
        """Put the look on record, and give the body with the note of it."""
        look = Look(action=action, purpose=PURPOSE, query=query or None)
        note = await self._gate.disclose_plain(viewer, look, count=count, contacts=sorted(contacts))
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)})

    async def _with_current_rights(self, action: str, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        context = current_request()
        if context is not None:
            context.action = action
        try:
            return await attempt(viewer)
        except (EpochMoved, NotFound):
            return await attempt(await self._standings.of(viewer.subject, fresh=True))
