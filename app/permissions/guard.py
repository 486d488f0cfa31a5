"""Route dependencies that give a ``Viewer``: who calls, with which scope, and with what standing.

One plain callable, not a generator, because a yielding dependency costs a quarter of the smallest request. Guards for looks use the
remembered standing, since the log compares its epochs; guards for everything else read it afresh.
"""

from typing import ClassVar, Final, Protocol

from fastapi import Request

from app.auth.errors import insufficient_scope
from app.auth.subject import Caller
from app.kit.context import current_request
from app.kit.routing import Guard
from app.permissions.standing import Standings, Viewer

_LONGEST_ACTION: Final = 64


class Authenticates(Protocol):
    """What tells who calls."""

    async def subject(self, request: Request) -> Caller:
        """Give the verified subject or raise."""
        ...


class Admits(Protocol):
    """What a guard needs of the application."""

    authenticator: Authenticates
    standings: Standings


class ViewerGuard(Guard):
    """Lets in a caller whose token carries one of ``scopes``."""

    fresh: ClassVar[bool] = False

    def __init__(self, *scopes: str) -> None:
        """Name the scopes, one of which is enough."""
        self.scopes = frozenset(scopes)

    async def __call__(self, request: Request) -> Viewer:
        """Give the viewer; raise 401, 403 ``insufficient_scope``, ``no_contact`` or ``account_suspended``.

        Asked a second time for one request (``GuardedRoute`` asks before a body is read, the framework after) it gives what it gave.
        """
        context = current_request()
        if context is not None and context.guard is self and isinstance(context.viewer, Viewer):
            return context.viewer
        application: Admits = request.app.state.application
        subject = await self.subject(request, application)
        if context is not None:
            context.client_id = subject.client_id
            context.disclosing = self.discloses
            context.subject = subject
            context.actor = subject.client_id
            context.action = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"[:_LONGEST_ACTION]
        if self.scopes.isdisjoint(subject.scopes):
            raise insufficient_scope(self.scopes)
        viewer = await application.standings.of(subject, fresh=self.fresh)
        if context is not None:
            context.viewer, context.guard = viewer, self
        return viewer

    async def subject(self, request: Request, application: Admits) -> Caller:
        """Give who calls: whoever the token names, unless a guard takes something else for one."""
        return await application.authenticator.subject(request)


class LookGuard(ViewerGuard):
    """For routes that disclose: without a permit their 2xx does not leave."""


class WriteGuard(ViewerGuard):
    """For routes that change something and answer a receipt."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True
