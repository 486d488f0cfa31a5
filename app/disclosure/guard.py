"""The last fence: an answer of a disclosing route starts only while its request holds a permit.

A route is disclosing unless its guard says otherwise, so a forgotten record of a look is a 500 in the first test that calls the route,
and never a leak. Pure ASGI; looks at two attributes of the request's context and passes everything on.
"""

from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.context import current_request
from app.kit.errors import Internal
from app.kit.problems import render

_log = structlog.get_logger("duanhao.security")


class DisclosureGuard:
    """ASGI middleware inside the request's edge."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; replace a 2xx or 304 that has no permit by a 500."""
        context = current_request()
        if scope["type"] != "http" or context is None:
            await self._app(scope, receive, send)
            return
        stopped = False

        async def checked(message: Message) -> None:
            nonlocal stopped
            if message["type"] == "http.response.start" and context.disclosing:
                status = message["status"]
                reveals = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.NOT_MODIFIED
                if reveals and context.permit is None:
                    stopped = True
                    _log.error("answer_without_permit", route=getattr(scope.get("route"), "path", None), status=status)
                    await render(Internal(), context)(scope, receive, send)
                    return
            if not stopped:
                await send(message)

        await self._app(scope, receive, checked)
