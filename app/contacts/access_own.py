"""Who may call what front ends ask beside cards, and what each of it can refuse."""

from typing import Annotated, ClassVar, Final

from fastapi import Depends, Request

from app.auth.scopes import Scope
from app.contacts.desk import FrontDesk
from app.contacts.errors import ConsentRequired, NotCollected, TooManyPixels, UnreadableImage
from app.kit.errors import (
    BodyTooLarge,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    UnsupportedMediaType,
)
from app.permissions.errors import NotPermitted
from app.permissions.guard import ViewerGuard
from app.permissions.standing import Viewer


class GuideGuard(ViewerGuard):
    """For routes that tell the rules and nobody's data: no permit, and a standing that is read afresh because no record compares it."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


Guided = Annotated[Viewer, Depends(GuideGuard(Scope.CONTACTS_READ))]

PHOTO_PROBLEMS: Final = (
    NotPermitted,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    BodyTooLarge,
    UnsupportedMediaType,
    Invalid,
    NotCollected,
    ConsentRequired,
    UnreadableImage,
    TooManyPixels,
)


async def _desk(request: Request) -> FrontDesk:
    desk: FrontDesk = request.app.state.application.front
    return desk


Front = Annotated[FrontDesk, Depends(_desk)]
