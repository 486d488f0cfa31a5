"""The question that a front end asks by leading a browser to ``/oauth/authorize``: what of it is taken. Pure.

OAuth 2.1: the code flow alone, with PKCE by SHA-256 and nothing less; ``plain``, and leaving the method out, which would mean ``plain``,
are refused. ``state`` is demanded, for front ends that would forget to tie the answer to a browser. Whatever is wrong before the client
and its address are known is answered with a page and never with a redirect; the rest is told to the client (RFC 6749 section 4.1.2.1).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from app.auth.scopes import VOCABULARY

ACR_PASSWORD: Final = "urn:duanhao:acr:password"  # noqa: S105 — the name of a way to sign in
ACR_STEP_UP: Final = "urn:duanhao:acr:step-up"
MAX_QUERY_BYTES: Final = 4096

_MAX_PARAMETERS: Final = 32
_STATE: Final = re.compile(r"[\x20-\x7e]{1,512}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_WORDS: Final = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
_PROMPTS: Final = frozenset({"login", "consent", "select_account"})
_LISTED: Final = frozenset({"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge"}) | {
    "code_challenge_method",
    "acr_values",
    "max_age",
    "prompt",
    "response_mode",
}


class Unanswerable(Exception):
    """Nobody can be told by redirect: the client or its address is not known for sure."""


class AuthorizationRefused(Exception):
    """The client is told; ``error`` is a code of RFC 6749, or of OpenID Connect where that one has none."""

    def __init__(self, error: str, description: str) -> None:
        """Say which, and in ASCII why."""
        super().__init__(error)
        self.error, self.description = error, description


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A question that is answered when its person has signed in. ``scopes`` is ``None`` for all that the person's token may carry."""

    client_id: str
    redirect_uri: str
    state: str
    challenge: str
    scopes: frozenset[str] | None
    step_up: bool

    def written(self) -> dict[str, Any]:
        """Give it as JSON can say it."""
        return {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "challenge": self.challenge,
            "scopes": None if self.scopes is None else sorted(self.scopes),
            "step_up": self.step_up,
        }

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> "AuthorizationRequest":
        """Give back what ``written`` gave."""
        scopes = written["scopes"]
        return cls(**{**written, "scopes": None if scopes is None else frozenset(scopes)})


def read_query(query: bytes) -> dict[str, str]:
    """Read the parameters; an empty one counts as absent, one that is not known is ignored.

    Raises ``Unanswerable`` for what is no query, or gives a parameter of ours twice.
    """
    if len(query) > MAX_QUERY_BYTES:
        raise Unanswerable
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError as error:
        raise Unanswerable from error
    names = [name for name, _ in pairs if name in _LISTED]
    if len(names) != len(set(names)):
        raise Unanswerable
    return {name: value for name, value in pairs if value}


def state_of(parameters: Mapping[str, str]) -> str | None:
    """Give the state to be repeated, also beside a refusal; ``None`` when there is none that could be."""
    state = parameters.get("state", "")
    return state if _STATE.fullmatch(state) else None


def read_request(parameters: Mapping[str, str]) -> AuthorizationRequest:
    """Read the question of a client that is known, at an address that is registered; raise ``AuthorizationRefused``."""
    kind = parameters.get("response_type")
    if kind is None:
        raise AuthorizationRefused("invalid_request", "response_type is missing")
    if kind != "code":
        raise AuthorizationRefused("unsupported_response_type", "Only response_type=code is served")
    if parameters.get("response_mode", "query") != "query":
        raise AuthorizationRefused("invalid_request", "Only response_mode=query is served")
    state = state_of(parameters)
    if state is None:
        raise AuthorizationRefused("invalid_request", "state is missing, or not 1 to 512 printable ASCII characters")
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or _CHALLENGE.fullmatch(challenge) is None:
        raise AuthorizationRefused("invalid_request", "PKCE with code_challenge_method=S256 is required")
    step_up = _is_step_up(parameters.get("acr_values"))
    _check_freshness(parameters)
    return AuthorizationRequest(
        client_id=parameters["client_id"],
        redirect_uri=parameters["redirect_uri"],
        state=state,
        challenge=challenge,
        scopes=_scopes(parameters.get("scope")),
        step_up=step_up,
    )


def _scopes(scope: str | None) -> frozenset[str] | None:
    if scope is None:
        return None
    asked = frozenset(scope.split(" ")) if _WORDS.fullmatch(scope) else frozenset({""})
    if not asked <= VOCABULARY:
        raise AuthorizationRefused("invalid_scope", "A scope is malformed or not known")
    return asked


def _is_step_up(acr_values: str | None) -> bool:
    """Tell whether a one-time code is asked for: the first class of the list that is known here counts (RFC 9470 section 5)."""
    if acr_values is None:
        return False
    for name in acr_values.split(" ") if _WORDS.fullmatch(acr_values) else ():
        if name in {ACR_PASSWORD, ACR_STEP_UP}:
            return name == ACR_STEP_UP
    raise AuthorizationRefused("unmet_authentication_requirements", "None of acr_values is known here")


def _check_freshness(parameters: Mapping[str, str]) -> None:
    """Check ``max_age`` and ``prompt``: every sign-in here is a new one, so any age is met and none is silent."""
    if _SECONDS.fullmatch(parameters.get("max_age", "0")) is None:
        raise AuthorizationRefused("invalid_request", "max_age is a number of seconds")
    prompts = frozenset(parameters.get("prompt", "login").split(" "))
    if prompts == {"none"}:
        raise AuthorizationRefused("login_required", "Nobody is signed in without the page")
    if not prompts <= _PROMPTS:
        raise AuthorizationRefused("invalid_request", "prompt is not known")
