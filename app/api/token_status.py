"""The HTTP face of tokens that are out: taking one back (RFC 7009) and asking whether one is good (RFC 7662).

Both are open: the first takes a client's word and a token that was issued to it, the second authenticates the client itself. ``/oauth``
keeps the error shapes of RFC 6749.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.oauth_forms import OAuthError, asked, form
from app.auth.token_door import TokenDoor
from app.kit.routing import GuardedRouter, public
from app.kit.schemas import Output

router = GuardedRouter(tags=["tokens"])


def token_door(request: Request) -> TokenDoor:
    """Give the door that composition built."""
    door: TokenDoor = request.app.state.application.token_desk.door
    return door


Door = Annotated[TokenDoor, Depends(token_door)]


class TokenDescription(Output):
    """Whether a token is good, and then what it says (RFC 7662 section 2.2)."""

    active: bool = Field(examples=[True])
    scope: str | None = Field(None, examples=["contacts:read"])
    client_id: str | None = Field(None, examples=["intranet"])
    username: str | None = Field(None, description="Of a person's token", examples=["demo-staff"])
    token_type: str | None = Field(None, examples=["Bearer"])
    exp: int | None = None
    iat: int | None = None
    nbf: int | None = None
    sub: str | None = Field(None, examples=["demo-staff"])
    aud: str | list[str] | None = Field(None, examples=["duanhao"])
    iss: str | None = None
    jti: str | None = None
    acr: str | None = None
    auth_time: int | None = None
    act: dict[str, str] | None = Field(None, description="The back end that acts for the person (RFC 8693)")


_TOKEN: Final[dict[str, Any]] = {
    "token": {"type": "string", "description": "The token itself"},
    "token_type_hint": {"type": "string", "description": "Not needed, and ignored"},
    "client_id": {"type": "string", "description": "For client_secret_post"},
    "client_secret": {"type": "string", "description": "For client_secret_post"},
}
_EXAMPLE: Final = {"token": "eyJhbGciOiJFUzI1NiIs…", "client_id": "crm-backend", "client_secret": "…"}
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": OAuthError, "description": "`invalid_client`"},
    429: {"model": OAuthError, "description": "`slow_down`; `Retry-After` says for how long"},
    503: {"model": OAuthError, "description": "`temporarily_unavailable`"},
}


@router.post(
    "/oauth/revoke",
    summary="Take a token back",
    responses={
        200: {
            "description": "The token is good no more, or never was",
            "content": {"application/json": {"example": {}}},
        },
        400: {"model": OAuthError, "description": "`invalid_request`, `invalid_grant`: issued to another client"},
        **_REFUSALS,
    },
    openapi_extra=form(_TOKEN, required=["token"], example=_EXAMPLE),
)
@public("a client shows a token that was issued to it")
async def revoke_token(request: Request, door: Door) -> Response:
    """Take back an access token, or a refresh token with the whole sign-in that it carries on. A front end names itself by `client_id`."""
    answer = await door.revoke(await asked(request))
    return JSONResponse(answer.body, status_code=answer.status, headers=dict(answer.headers))


@router.post(
    "/oauth/introspect",
    summary="Ask whether an access token is good",
    response_model=TokenDescription,
    responses={400: {"model": OAuthError, "description": "`invalid_request`"}, **_REFUSALS},
    openapi_extra=form(_TOKEN, required=["token"], example=_EXAMPLE),
)
@public("the client authenticates itself in the request")
async def introspect_token(request: Request, door: Door) -> Response:
    """Tell a client that keeps a secret what a token says that is good now; of every other one, `{"active": false}` alone."""
    answer = await door.introspect(await asked(request))
    return JSONResponse(answer.body, status_code=answer.status, headers=dict(answer.headers))
