"""``/v1/me/totp``: one-time codes of the signed-in person, for the front end's page of settings."""

from datetime import datetime
from typing import Annotated, ClassVar, Final

import orjson
from fastapi import Depends, Request, Response
from pydantic import Field

from app.auth.errors import AccountNotFound, FreshSignInRequired, TotpEnrolled, TotpNotBegun, WrongCode
from app.auth.scopes import Scope
from app.auth.second_proof import SecondProof
from app.auth.subject import Person
from app.kit.errors import InsufficientScope, Invalid, TooMany, Unauthenticated, Unavailable
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.kit.schemas import Input, Output
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import ViewerGuard
from app.permissions.standing import Viewer

router = GuardedRouter(prefix="/v1", tags=["me"])


class OwnProofGuard(ViewerGuard):
    """For what people do to their own way of signing in: nobody's card, and a standing that is read afresh."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


class TotpState(Output):
    """Whether the caller has one-time codes."""

    enrolled: bool
    confirmed_at: datetime | None = Field(examples=["2026-11-22T01:00:00Z"])


class TotpSetUp(Output):
    """A set-up, told this once."""

    secret: str = Field(description="Base32, to be typed into an app", examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    uri: str = Field(
        description="The same for a QR code",
        examples=["otpauth://totp/Duanhao:demo-staff?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Duanhao"],
    )
    expires_at: datetime = Field(description="Until when the first code is awaited", examples=["2026-11-22T01:10:00Z"])


class TotpConfirmation(Input):
    """The first code of a set-up."""

    code: str = Field(min_length=6, max_length=16, examples=["123456"])


_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    AccountNotFound,
    Invalid,
    Unavailable,
)


async def _proof(request: Request) -> SecondProof:
    found: SecondProof = request.app.state.application.sign_in.second_proof
    return found


Own = Annotated[Viewer, Depends(OwnProofGuard(Scope.CONTACTS_READ))]
Proof = Annotated[SecondProof, Depends(_proof)]


def _person(viewer: Viewer) -> Person:
    """Give the person who asks; a service account signs in with its secret and has no second proof."""
    if not isinstance(viewer.subject, Person):
        raise NoContact
    return viewer.subject


def _told(content: Output, status: int = 200) -> Response:
    body = orjson.dumps(content.model_dump(), option=orjson.OPT_UTC_Z)
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/me/totp", summary="Read whether one has one-time codes", response_model=TotpState, responses=responses(*_PROBLEMS)
)
async def read_totp(viewer: Own, proof: Proof) -> Response:
    """Tell whether the caller's account has one-time codes, and since when. Secrets are never read back."""
    since = await proof.confirmed_at(_person(viewer))
    return _told(TotpState(enrolled=since is not None, confirmed_at=since))


@router.post(
    "/me/totp",
    summary="Begin to set up one-time codes",
    response_model=TotpSetUp,
    status_code=201,
    responses=responses(*_PROBLEMS, FreshSignInRequired, TotpEnrolled),
)
async def begin_totp(viewer: Own, proof: Proof) -> Response:
    """Make a secret for an authenticator app (RFC 6238) and tell it, this once. Only within ten minutes of a sign-in here.

    Otherwise 401 `insufficient_user_authentication` (RFC 9470): lead the person through `/oauth/authorize` again.
    """
    secret, uri, ends = await proof.begin(_person(viewer))
    return _told(TotpSetUp(secret=secret, uri=uri, expires_at=ends), 201)


@router.post(
    "/me/totp/confirmations",
    summary="Confirm one-time codes with the first one",
    response_model=TotpState,
    responses=responses(*_PROBLEMS, TotpNotBegun, WrongCode, TooMany),
)
async def confirm_totp(viewer: Own, proof: Proof, body: TotpConfirmation) -> Response:
    """Take the first code of the app; from now on `acr_values=urn:duanhao:acr:step-up` can be met."""
    return _told(TotpState(enrolled=True, confirmed_at=await proof.confirm(_person(viewer), body.code)))


@router.delete(
    "/me/totp",
    summary="Remove one's one-time codes",
    status_code=204,
    response_class=Response,
    responses=responses(*_PROBLEMS, FreshSignInRequired, TotpNotBegun),
)
async def remove_totp(viewer: Own, proof: Proof) -> Response:
    """Remove them, to stop or to set up another app. Only within ten minutes of a sign-in with a one-time code."""
    await proof.remove(_person(viewer))
    return Response(status_code=204)
