"""The HTTP face of the sign-in page: where a front end leads a browser, and where the page's own form goes.

Both are open: whoever comes is not signed in yet. What the page answers, headers and all, is made by ``app.auth.sign_in``.
"""

from typing import Any, Final

from fastapi import Request, Response

from app.auth.oauth import MAX_FORM_BYTES
from app.auth.sign_in import Browser, SignIn
from app.auth.sign_in_page import Page
from app.kit.context import current_request
from app.kit.routing import GuardedRouter, public

router = GuardedRouter(tags=["tokens"])

_HTML: Final[dict[str, Any]] = {"text/html": {"schema": {"type": "string"}}}


def _parameter(name: str, description: str, example: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


_QUESTION: Final[dict[str, Any]] = {
    "parameters": [
        _parameter("response_type", "`code`", "code", required=True),
        _parameter("client_id", "A front end", "intranet", required=True),
        _parameter(
            "redirect_uri",
            "Exactly as registered: `duanhao clients redirect-uris`",
            "https://intranet.example.com/callback",
            required=True,
        ),
        _parameter(
            "state", "1 to 512 printable ASCII characters, repeated in the answer", "af0ifjsldkj", required=True
        ),
        _parameter(
            "code_challenge",
            "BASE64URL(SHA-256(code_verifier)), RFC 7636",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URW…",
            required=True,
        ),
        _parameter("code_challenge_method", "`S256`", "S256", required=True),
        _parameter("scope", "Scopes separated by spaces; absent means all that the person may have", "contacts:read"),
        _parameter("acr_values", "`urn:duanhao:acr:step-up` asks for a one-time code too", "urn:duanhao:acr:step-up"),
        _parameter("max_age", "Seconds; every sign-in here is a new one, so any age is met", "600"),
        _parameter("prompt", "`login`; `none` is answered `login_required`", "login"),
    ]
}
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["request"],
                    "properties": {
                        "request": {"type": "string", "description": "As the page carries it, bound to its cookie"},
                        "user_name": {"type": "string"},
                        "password": {"type": "string", "format": "password"},
                        "change": {"type": "string", "description": "Present when a new password is wanted"},
                        "proof": {"type": "string", "description": "As the page carries it, after the password"},
                        "code": {"type": "string"},
                        "new_password": {"type": "string", "format": "password"},
                        "again": {"type": "string", "format": "password"},
                    },
                },
                "examples": {"first": {"value": {"request": "…", "user_name": "demo-staff", "password": "…"}}},
            }
        },
    }
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The page", "content": _HTML},
    303: {"description": "Back to the front end: `code`, `state` and `iss`, or `error`, `state` and `iss`"},
    400: {"description": "A page that says what is wrong; nobody is led anywhere", "content": _HTML},
    503: {"description": "A page that says to try again", "content": _HTML},
}
_FORM_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    **_ANSWERS,
    403: {"description": "The page again: what was typed is not right", "content": _HTML},
    429: {"description": "Too many attempts; `Retry-After` says for how long", "content": _HTML},
}


def _page(request: Request) -> SignIn:
    page: SignIn = request.app.state.application.sign_in.page
    return page


def _browser(request: Request) -> Browser:
    context = current_request()
    return Browser(
        cookies=request.cookies,
        language="zh" if context is not None and context.language == "zh" else "en",
        address=context.address if context is not None else None,
        site=request.headers.get("sec-fetch-site"),
    )


def _response(page: Page) -> Response:
    return Response(page.body, status_code=page.status, headers=dict(page.headers))


@router.get(
    "/oauth/authorize", summary="Sign a person in", response_class=Response, responses=_ANSWERS, openapi_extra=_QUESTION
)
@public("whoever comes here is not signed in yet")
async def begin_sign_in(request: Request) -> Response:
    """Show the sign-in page to the browser that a front end has led here (authorization code with PKCE, OAuth 2.1)."""
    return _response(await _page(request).begin(request.scope["query_string"], _browser(request)))


@router.post(
    "/oauth/authorize",
    summary="Send the sign-in page's form",
    response_class=Response,
    responses=_FORM_ANSWERS,
    openapi_extra=_FORM,
)
@public("the form proves that it comes from the page, and the person in it who they are")
async def proceed_with_sign_in(request: Request) -> Response:
    """Take what was typed and show what is asked next, or lead back to the front end. For the page itself, not for programs."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            break
    content_type = request.headers.get("content-type", "")
    return _response(await _page(request).proceed(bytes(body), content_type, _browser(request)))
