"""Named guards of addresses outside, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.notices.keeping import WebhookKeeper
from app.notices.reading import WebhookPages
from app.notices.replaying import Replayer
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

_ALWAYS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, NotPermitted, Invalid)
LOOK_PROBLEMS: Final = (*_ALWAYS, LogUnavailable, EpochMoved)
WRITE_PROBLEMS: Final = (*_ALWAYS, Unavailable)

WebhooksRead = Annotated[Viewer, Depends(LookGuard(Scope.WEBHOOKS_ADMIN))]
WebhooksWrite = Annotated[Viewer, Depends(WriteGuard(Scope.WEBHOOKS_ADMIN))]


async def _pages(request: Request) -> WebhookPages:
    pages: WebhookPages = request.app.state.application.notices.pages
    return pages


async def _keeper(request: Request) -> WebhookKeeper:
    keeper: WebhookKeeper = request.app.state.application.notices.keeper
    return keeper


async def _replayer(request: Request) -> Replayer:
    replayer: Replayer = request.app.state.application.notices.replayer
    return replayer


Pages = Annotated[WebhookPages, Depends(_pages)]
Keeper = Annotated[WebhookKeeper, Depends(_keeper)]
Replays = Annotated[Replayer, Depends(_replayer)]
