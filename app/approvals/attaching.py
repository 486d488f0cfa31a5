"""Files that are put to a request after it was filed. What they hold is not our business here: an id, and what stands for the content.

They are part of what is asked and of the digest that decisions are signed over. So they come before anybody has said anything, or while
the request is to be filed anew, when everything that was said is void; never in between. All who have to do with a request may bring one,
and may read them; who only oversees learns that they are there, and who is asked for a separate consent alone learns not even that: a file
may name others who are asked.
"""

from typing import Final, Protocol
from uuid import UUID

from app.approvals.advancing import Advancing
from app.approvals.errors import NotOpen, TooManyAttachments
from app.approvals.request import Attached, Request
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.errors import NoContact
from app.permissions.standing import Viewer, author_of

MOST: Final = 10
"""How many files a request has at most."""


class Concerns(Protocol):
    """Whom a request concerns."""

    async def concerns(self, source: Source, viewer: Viewer, request: Request) -> bool:
        """Tell whether they have to do with it."""
        ...


class Attaching:
    """Puts files to requests."""

    def __init__(self, *, advancing: Advancing, sight: Concerns, clock: Clock) -> None:
        """Take what brings requests on, whom they concern, and the clock."""
        self._advancing, self._sight, self._clock = advancing, sight, clock
        self._requests = advancing.requests

    async def concerning(self, source: Source, viewer: Viewer, identity: UUID) -> Request:
        """Give a request that concerns the caller; raise ``NotFound`` for any other, ``NoContact`` to who is nobody here."""
        return await self._concerning(source, viewer, await self._requests.one(source, identity))

    async def held(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Request:
        """Lock a request so that a file can be put to it; raise as ``concerning``, ``NotOpen`` and ``TooManyAttachments``."""
        request = await self._concerning(unit.session, viewer, await self._requests.locked(unit.session, identity))
        refuse_closed(request)
        return request

    async def attach(self, viewer: Viewer, unit: UnitOfWork, request: Request, attached: Attached) -> Request:
        """Put a file to a request that is ``held``."""
        after = request.happened(
            request.course,
            self._clock.now(),
            attachments=(*request.attachments, attached),
            digest=self._requests.extended(request.digest, attached),
        )
        await self._advancing.told(unit, author_of(viewer), "request.attach", after, attachment=str(attached.id))
        await self._requests.save(unit.session, request, after)
        return after

    async def _concerning(self, source: Source, viewer: Viewer, request: Request | None) -> Request:
        if viewer.standing.contact_id is None:
            raise NoContact
        if request is None or not await self._sight.concerns(source, viewer, request):
            raise NotFound
        if request.lone(viewer.standing.contact_id):
            raise NotFound
        return request


def refuse_closed(request: Request) -> None:
    """Raise ``NotOpen`` or ``TooManyAttachments`` when a request takes no file, or none more."""
    if not request.takes_files:
        raise NotOpen
    if len(request.attachments) >= MOST:
        raise TooManyAttachments
