"""The words of RFC 6749: how a token request is read and what a refusal looks like. Pure.

Reading is strict where the standard lets a server be: every parameter at most once, one way of client authentication,
a form and nothing else. Parameters that are not known are ignored, as section 3.2 demands, and an empty one counts as
absent.
"""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

from app.auth.subject import is_plain

NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
MAX_FORM_BYTES: Final = 8192
MAX_SECRET: Final = 256

_FORM: Final = "application/x-www-form-urlencoded"
_MAX_PARAMETERS: Final = 32
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")


@dataclass(frozen=True, slots=True)
class OAuthAnswer:
    """What the token endpoint says, success or not."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str]


class Fault(Enum):
    """Every refusal: status, error code (RFC 6749 section 5.2; ``slow_down`` is RFC 8628), description in ASCII."""

    NOT_A_FORM = (400, "invalid_request", f"The body must be {_FORM}")
    TOO_LONG = (400, "invalid_request", "The body is too long")
    REPEATED = (400, "invalid_request", "A parameter is given twice")
    TWO_AUTHORIZATIONS = (400, "invalid_request", "Authorization is given twice")
    TWO_WAYS = (400, "invalid_request", "The client authenticates in two ways")
    NO_GRANT_TYPE = (400, "invalid_request", "grant_type is missing")
    GRANT_TYPE = (400, "unsupported_grant_type", "This grant type is not served here")
    CODE_MISSING = (400, "invalid_request", "code and code_verifier are required")
    REFRESH_MISSING = (400, "invalid_request", "refresh_token is missing")
    GRANT = (400, "invalid_grant", "The grant is not valid, is over, or was used before")
    SCOPE_MALFORMED = (400, "invalid_scope", "scope is malformed")
    SCOPE_BEYOND = (400, "invalid_scope", "A scope is not one of the client's")
    TOKEN_MISSING = (400, "invalid_request", "token is missing")
    NOT_YOURS = (400, "invalid_grant", "The token was issued to another client")
    EXCHANGE_MALFORMED = (400, "invalid_request", "A parameter of the exchange is missing or is not served here")
    SUBJECT_TOKEN = (400, "invalid_request", "The subject token cannot be exchanged by this client")
    EXCHANGE_FORBIDDEN = (400, "unauthorized_client", "The client may not exchange tokens")
    TARGET = (400, "invalid_target", "Tokens for that audience or resource are not issued here")
    CLIENT = (401, "invalid_client", "The client is unknown or its secret is wrong")
    TOO_FAST = (429, "slow_down", "Too many failures")
    UNAVAILABLE = (503, "temporarily_unavailable", "Try again later")


class OAuthFault(Exception):
    """A refusal in the words of the protocol."""

    def __init__(self, fault: Fault, *, retry_after: int | None = None) -> None:
        """Refuse; ``retry_after`` is seconds."""
        super().__init__(fault.name)
        self.fault, self.retry_after = fault, retry_after

    def answer(self) -> OAuthAnswer:
        """Write it."""
        status, error, description = self.fault.value
        headers = dict(NO_STORE)
        if self.fault is Fault.CLIENT:
            headers["WWW-Authenticate"] = 'Basic realm="duanhao", charset="UTF-8"'
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return OAuthAnswer(status, {"error": error, "error_description": description}, headers)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A client that asks for a token of its own. ``scopes`` is ``None`` when it asks for all of its own."""

    client_id: str
    secret: str = field(repr=False)
    grant_type: str
    scopes: frozenset[str] | None


def read_form(body: bytes, content_type: str) -> dict[str, str]:
    """Read a form, each parameter once, empty ones left out; raise ``OAuthFault``."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise OAuthFault(Fault.NOT_A_FORM)
    if len(body) > MAX_FORM_BYTES:
        raise OAuthFault(Fault.TOO_LONG)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError as error:
        raise OAuthFault(Fault.NOT_A_FORM) from error
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise OAuthFault(Fault.REPEATED)
    return {name: value for name, value in parameters.items() if value}


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise OAuthFault(Fault.CLIENT)
    try:
        name, colon, secret = b64decode(encoded, validate=True).partition(b":")
        decoded = (_unquoted(name), _unquoted(secret))
    except ValueError:
        raise OAuthFault(Fault.CLIENT) from None
    if not colon:
        raise OAuthFault(Fault.CLIENT)
    return decoded


def _unquoted(part: bytes) -> str:
    return unquote_to_bytes(part.replace(b"+", b" ")).decode()


def read_client(form: Mapping[str, str], authorization: Sequence[str]) -> tuple[str, str | None]:
    """Read which client asks, and its secret if it shows one, from its form and every ``Authorization`` header; raise ``OAuthFault``."""
    if len(authorization) > 1:
        raise OAuthFault(Fault.TWO_AUTHORIZATIONS)
    secret: str | None
    if authorization:
        if "client_secret" in form:
            raise OAuthFault(Fault.TWO_WAYS)
        client_id, secret = _basic(authorization[0])
        if form.get("client_id", client_id) != client_id:
            raise OAuthFault(Fault.REPEATED)
    else:
        client_id, secret = form.get("client_id", ""), form.get("client_secret")
    if not is_plain(client_id) or (secret is not None and not 0 < len(secret) <= MAX_SECRET):
        raise OAuthFault(Fault.CLIENT)
    return client_id, secret


def read_scopes(form: Mapping[str, str]) -> frozenset[str] | None:
    """Read which scopes are asked for, ``None`` for all that may be had; raise ``OAuthFault``."""
    scope = form.get("scope")
    if scope is not None and _SCOPE.fullmatch(scope) is None:
        raise OAuthFault(Fault.SCOPE_MALFORMED)
    return None if scope is None else frozenset(scope.split(" "))


def read_request(form: Mapping[str, str], authorization: Sequence[str]) -> TokenRequest:
    """Read a client's request for a token of its own; raise ``OAuthFault``."""
    if "grant_type" not in form and len(authorization) <= 1:
        raise OAuthFault(Fault.NO_GRANT_TYPE)
    client_id, secret = read_client(form, authorization)
    if secret is None:
        raise OAuthFault(Fault.CLIENT)
    return TokenRequest(client_id, secret, form["grant_type"], read_scopes(form))
