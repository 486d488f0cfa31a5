"""Named guards of reviews, what routes call, and the problems that every look or answer can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.campaigns.errors import ItemAnswered, ItemUnopened, NotInPost, OwnRight, UnfitEnd, UnfitVerdict
from app.campaigns.keeping import CampaignKeeper
from app.campaigns.reading import CampaignPages
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, EpochMoved)
WRITE_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid, Unavailable)
START_PROBLEMS: Final = (*WRITE_PROBLEMS, NotPermitted)
ANSWER_PROBLEMS: Final = (
    *WRITE_PROBLEMS,
    NotFound,
    NotInPost,
    OwnRight,
    ItemAnswered,
    ItemUnopened,
    UnfitVerdict,
    UnfitEnd,
)

CampaignsRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
CampaignsAnswer = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]


async def _pages(request: Request) -> CampaignPages:
    pages: CampaignPages = request.app.state.application.campaigns.pages
    return pages


async def _keeper(request: Request) -> CampaignKeeper:
    keeper: CampaignKeeper = request.app.state.application.campaigns.keeper
    return keeper


Named = Annotated[UUID, Path(alias="item", description="Id of the item.")]
Pages = Annotated[CampaignPages, Depends(_pages)]
Keeper = Annotated[CampaignKeeper, Depends(_keeper)]
