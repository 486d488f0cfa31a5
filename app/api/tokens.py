"""The HTTP face of the built-in issuer: the token endpoint, its keys, its description.

All three are open: the first authenticates the client itself, the others say nothing that is not public. ``/oauth``
keeps the error shapes of RFC 6749; they are values made by the service, so no handler is involved.
"""

from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from app.api.oauth_forms import OAuthError, asked
from app.auth.issuer import TOKEN_EXCHANGE
from app.auth.service import TokenService
from app.kit.routing import GuardedRouter, public
from app.kit.schemas import Output

router = GuardedRouter(tags=["tokens"])


def token_service(request: Request) -> TokenService:
    """Give the service that composition put into the application's state."""
    service: TokenService = request.app.state.tokens
    return service


Tokens = Annotated[TokenService, Depends(token_service)]


class TokenAnswer(Output):
    """A token (RFC 6749 section 5.1)."""

    access_token: str = Field(description="JWT access token (RFC 9068)", examples=["eyJhbGciOiJFUzI1NiIs…"])
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds", examples=[3600])
    scope: str = Field(examples=["hr:write scim"])
    refresh_token: str | None = Field(
        None, description="For people: good once, for the next answer of this kind", examples=["WbuGJSstw-cM…"]
    )
    issued_token_type: str | None = Field(None, description="Of an exchange (RFC 8693 section 2.2.1)")


class JsonWebKeySet(Output):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]] = Field(
        examples=[[{"kty": "EC", "crv": "P-256", "kid": "2026-11", "use": "sig", "alg": "ES256"}]]
    )


_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {
                            "type": "string",
                            "enum": ["client_credentials", "authorization_code", "refresh_token", TOKEN_EXCHANGE],
                        },
                        "scope": {
                            "type": "string",
                            "description": "Scopes separated by spaces; absent means all of the client's",
                        },
                        "subject_token": {
                            "type": "string",
                            "description": "Of an exchange: the access token of the person for whom the client will act",
                        },
                        "subject_token_type": {
                            "type": "string",
                            "enum": ["urn:ietf:params:oauth:token-type:access_token"],
                        },
                        "client_id": {"type": "string", "description": "For client_secret_post and front ends"},
                        "client_secret": {"type": "string", "description": "For client_secret_post"},
                        "code": {"type": "string", "description": "For authorization_code, good once, 60 s"},
                        "code_verifier": {"type": "string", "description": "For authorization_code (RFC 7636)"},
                        "redirect_uri": {"type": "string", "description": "For authorization_code: as it was asked"},
                        "refresh_token": {"type": "string", "description": "For refresh_token, good once"},
                    },
                },
                "examples": {
                    "post": {
                        "value": {"grant_type": "client_credentials", "client_id": "hr-system", "scope": "hr:write"}
                    },
                    "exchange": {
                        "value": {
                            "grant_type": TOKEN_EXCHANGE,
                            "subject_token": "eyJhbGciOiJFUzI1NiIs…",
                            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
                            "scope": "contacts:read",
                        }
                    },
                },
            }
        },
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": OAuthError,
        "description": "`invalid_request`, `invalid_grant`, `unsupported_grant_type`, `invalid_scope`, `unauthorized_client`, "
        "`invalid_target`",
    },
    401: {"model": OAuthError, "description": "`invalid_client`"},
    429: {"model": OAuthError, "description": "`slow_down`; `Retry-After` says for how long"},
    503: {"model": OAuthError, "description": "`temporarily_unavailable`"},
}
_PUBLIC_FOR_MINUTES = {"Cache-Control": "public, max-age=300"}


@router.post(
    "/oauth/token", summary="Get an access token", response_model=TokenAnswer, responses=_REFUSALS, openapi_extra=_FORM
)
@public("the client authenticates itself in the request")
async def create_token(request: Request, tokens: Tokens) -> Response:
    """Exchange a client's id and secret for a token of its own, or a person's code or refresh token for theirs.

    `client_secret_basic` or `client_secret_post`; a front end without a secret sends its `client_id`. A back end that may exchanges a
    person's access token for a narrower one with which it acts for that person (RFC 8693).
    """
    form = await asked(request)
    await tokens.issuer.refresh()
    answer = await tokens.token_endpoint(
        body=form.body,
        content_type=form.content_type,
        authorization=form.authorization,
        address=form.address,
    )
    return JSONResponse(answer.body, status_code=answer.status, headers=dict(answer.headers))


@router.get("/.well-known/jwks.json", summary="Keys that verify our tokens", response_model=JsonWebKeySet)
@public("public keys")
async def read_key_set(tokens: Tokens) -> Response:
    """Give the key that signs now, the next one, and those of before whose tokens may still be out."""
    await tokens.issuer.refresh()
    return JSONResponse(tokens.issuer.jwks(), headers=_PUBLIC_FOR_MINUTES)


@router.get("/.well-known/oauth-authorization-server", summary="Description of the built-in issuer")
@public("addresses and capabilities, nothing else")
async def read_metadata(tokens: Tokens) -> dict[str, Any]:
    """Describe the built-in issuer (RFC 8414)."""
    return tokens.issuer.metadata()
