"""The question of a front end, read strictly: what is taken, what the client is told, and what nobody is told by redirect."""

from typing import Final
from urllib.parse import urlencode

import pytest

from app.auth.authorization import (
    MAX_QUERY_BYTES,
    AuthorizationRefused,
    AuthorizationRequest,
    Unanswerable,
    read_query,
    read_request,
    state_of,
)

CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
RIGHT: Final = {
    "response_type": "code",
    "client_id": "intranet",
    "redirect_uri": "https://intranet.example.com/callback",
    "state": "af0ifjsldkj",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def read(**changes: str | None) -> AuthorizationRequest:
    parameters = {**RIGHT, **changes}
    return read_request({name: value for name, value in parameters.items() if value is not None})


def test_a_right_question_is_read_whole() -> None:
    asked = read(scope="contacts:read numbers:read", acr_values="urn:duanhao:acr:step-up", max_age="0", prompt="login")
    assert asked == AuthorizationRequest(
        "intranet",
        "https://intranet.example.com/callback",
        "af0ifjsldkj",
        CHALLENGE,
        frozenset({"contacts:read", "numbers:read"}),
        step_up=True,
    )
    assert AuthorizationRequest.read(asked.written()) == asked
    assert read().scopes is None


REFUSED: Final[list[tuple[str, str, dict[str, str | None]]]] = [
    ("no response type", "invalid_request", {"response_type": None}),
    ("implicit", "unsupported_response_type", {"response_type": "token"}),
    ("hybrid", "unsupported_response_type", {"response_type": "code token"}),
    ("in another case", "unsupported_response_type", {"response_type": "Code"}),
    ("answer in a fragment", "invalid_request", {"response_mode": "fragment"}),
    ("answer in a form", "invalid_request", {"response_mode": "form_post"}),
    ("no state", "invalid_request", {"state": None}),
    ("state with a line end", "invalid_request", {"state": "a\r\nSet-Cookie: b"}),
    ("state beyond ASCII", "invalid_request", {"state": "状态"}),
    ("state too long", "invalid_request", {"state": "x" * 513}),
    ("no challenge", "invalid_request", {"code_challenge": None}),
    ("no PKCE at all", "invalid_request", {"code_challenge": None, "code_challenge_method": None}),
    ("method left out, which means plain", "invalid_request", {"code_challenge_method": None}),
    ("plain", "invalid_request", {"code_challenge_method": "plain"}),
    ("method in another case", "invalid_request", {"code_challenge_method": "s256"}),
    ("challenge too short", "invalid_request", {"code_challenge": CHALLENGE[:-1]}),
    ("challenge too long", "invalid_request", {"code_challenge": CHALLENGE + "A"}),
    ("challenge padded", "invalid_request", {"code_challenge": CHALLENGE[:-1] + "="}),
    ("challenge with a line end", "invalid_request", {"code_challenge": CHALLENGE[:-1] + "\n"}),
    ("scope unknown", "invalid_scope", {"scope": "contacts:read everything"}),
    ("scope malformed", "invalid_scope", {"scope": "contacts:read  numbers:read"}),
    ("scope of OpenID", "invalid_scope", {"scope": "openid"}),
    ("class unknown", "unmet_authentication_requirements", {"acr_values": "urn:other"}),
    ("age no number", "invalid_request", {"max_age": "-1"}),
    ("age in words", "invalid_request", {"max_age": "ten"}),
    ("silent", "login_required", {"prompt": "none"}),
    ("silent and not", "invalid_request", {"prompt": "none login"}),
    ("prompt unknown", "invalid_request", {"prompt": "register"}),
]


@pytest.mark.parametrize(("name", "error", "changes"), REFUSED, ids=[each[0] for each in REFUSED])
def test_the_client_is_told_what_is_wrong(name: str, error: str, changes: dict[str, str | None]) -> None:
    with pytest.raises(AuthorizationRefused) as refused:
        read(**changes)
    assert refused.value.error == error, name
    assert refused.value.description.isascii()


def test_the_first_class_that_is_known_counts() -> None:
    assert read(acr_values="urn:other urn:duanhao:acr:step-up").step_up
    assert not read(acr_values="urn:duanhao:acr:password urn:duanhao:acr:step-up").step_up


@pytest.mark.parametrize("name", RIGHT)
def test_a_parameter_given_twice_is_answered_by_nobody(name: str) -> None:
    query = urlencode([*RIGHT.items(), (name, RIGHT[name])]).encode()
    with pytest.raises(Unanswerable):
        read_query(query)


@pytest.mark.parametrize(
    "query", [b"a", b"state=%ff", "state=状".encode(), b"x=y&" * 40, b"state=" + b"x" * MAX_QUERY_BYTES]
)
def test_what_is_no_query_is_answered_by_nobody(query: bytes) -> None:
    with pytest.raises(Unanswerable):
        read_query(query)


def test_unknown_parameters_are_ignored_and_empty_ones_absent() -> None:
    assert read_query(b"nonce=1&nonce=2&state=&client_id=x") == {"nonce": "2", "client_id": "x"}
    assert read_query(b"") == {}


def test_a_state_that_cannot_be_repeated_is_not() -> None:
    assert state_of({"state": "a b~"}) == "a b~"
    assert state_of({"state": "a\nb"}) is None
    assert state_of({}) is None
