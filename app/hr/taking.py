"""One personnel event in a transaction of its own, whoever brings it: alone, or among others.

Undone because another transaction was in its way, it is taken once more (``kit.anew``), with the tree and the rights of then.
"""

from app.hr.schemas import HrEventIn
from app.hr.service import HrService, Told
from app.kit.anew import once_more
from app.kit.db import Database
from app.permissions.standing import Standings, Viewer


class HrTaking:
    """Takes one event."""

    def __init__(self, *, database: Database, service: HrService, standings: Standings) -> None:
        """Take where transactions come from, what takes an event in one, and who callers are."""
        self._database, self._service, self._standings = database, service, standings

    async def take(self, viewer: Viewer, event: HrEventIn, *, afresh: bool = False) -> Told:
        """Take an event as ``HrService.take`` does and raises; ``afresh``: what was done since ``viewer`` was read may have changed it."""

        async def attempt(again: bool) -> Told:  # noqa: FBT001 — as it is called
            current = await self._standings.of(viewer.subject, fresh=True) if again or afresh else viewer
            async with self._database.unit_of_work() as unit:
                return await self._service.take(current, unit, event)

        return await once_more(attempt)
