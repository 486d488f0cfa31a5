"""The door: which header is read, what is logged, and which scopes are enough.

And the vocabulary of names and scopes.
"""

from typing import Final

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from app.auth.errors import TokenExpired, TokenRejected, TokenRequired
from app.auth.guard import bearer, require, require_any
from app.auth.reasons import Reason
from app.auth.scopes import PERSON_SCOPES, ROLE_SCOPES, VOCABULARY, Scope, known, scopes_of_person, written
from app.auth.subject import Operator, Person, Service, System, is_client_id, user_name_key
from app.kit.context import RequestContext, enter_request
from app.kit.errors import InsufficientScope
from tests.auth.world import World

Headers = list[tuple[bytes, bytes]]


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": list(headers)})


MISSING: Final[list[Headers]] = [
    [],
    [(b"x-authorization", b"Bearer a.b.c")],
    [(b"authorization", b"")],
    [(b"authorization", b"Bearer")],
    [(b"authorization", b"Basic aHI6eA==")],
    [(b"authorization", b"BearerX a.b.c")],
    [(b"authorization", b"a.b.c")],
    [(b"cookie", b"access_token=a.b.c")],
]


@pytest.mark.parametrize("headers", MISSING)
async def test_without_a_bearer_token_one_is_asked_for(quick: World, headers: Headers) -> None:
    with capture_logs() as logs, pytest.raises(TokenRequired) as refused:
        await quick.authenticator.subject(request(*headers))
    assert (refused.value.status, refused.value.code) == (401, "token_required")
    assert refused.value.headers == {"WWW-Authenticate": 'Bearer realm="duanhao"'}
    assert [line["event"] for line in logs] == ["token_missing"]


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER "])
def test_the_scheme_is_read_in_any_case(scheme: bytes) -> None:
    assert bearer([(b"accept", b"*/*"), (b"authorization", scheme + b"a.b.c")]) == "a.b.c"


@pytest.mark.parametrize("second", [b"Bearer a.b.c", b"Basic aHI6eA==", b""])
def test_two_headers_are_refused_even_when_equal(second: bytes) -> None:
    with pytest.raises(TokenRejected) as refused:
        bearer([(b"authorization", b"Bearer a.b.c"), (b"authorization", second)])
    assert refused.value.reason is Reason.AUTHORIZATION_HEADER


async def test_the_subject_of_a_good_token(quick: World) -> None:
    header = (b"authorization", b"Bearer " + quick.forge.signed().encode())
    subject = await quick.authenticator.subject(request(header))
    assert isinstance(subject, Person)


async def test_a_refusal_is_logged_with_its_reason_and_without_the_token(quick: World) -> None:
    enter_request(RequestContext("request-1", "192.0.2.7"))
    for token, reason, kind in (
        (quick.forge.signed(aud="payroll"), "audience", TokenRejected),
        (quick.forge.signed(iat=1, nbf=1, exp=2), "expired", TokenExpired),
        ("\xff", "segments", TokenRejected),
    ):
        with capture_logs() as logs, pytest.raises(kind) as refused:
            await quick.authenticator.subject(request((b"authorization", b"Bearer " + token.encode("latin-1"))))
        assert logs == [
            {
                "event": "token_refused",
                "log_level": "warning",
                "reason": reason,
                "address": "192.0.2.7",
                "request_id": "request-1",
            }
        ]
        assert refused.value.headers["WWW-Authenticate"].startswith('Bearer realm="duanhao", error="invalid_token"')
        assert token not in refused.value.headers["WWW-Authenticate"]


def test_scopes_are_demanded_all_or_one_of_several() -> None:
    subject = Service("siem", frozenset({"access-log:read"}))
    require(subject, {Scope.ACCESS_LOG_READ})
    require_any(subject, {Scope.ACCESS_LOG_READ, Scope.SCIM})
    for demand, scopes in ((require, {Scope.ACCESS_LOG_READ, Scope.SCIM}), (require_any, {Scope.SCIM, Scope.HR_WRITE})):
        with pytest.raises(InsufficientScope) as refused:
            demand(subject, scopes)
        assert (refused.value.status, refused.value.code) == (403, "insufficient_scope")
        expected = f'Bearer realm="duanhao", error="insufficient_scope", scope="{" ".join(sorted(scopes))}"'
        assert refused.value.headers["WWW-Authenticate"] == expected


# -- vocabulary ------------------------------------------------------------------------------------------------------


def test_scopes_are_in_alphabetical_order_and_tables_use_no_other() -> None:
    assert [scope.value for scope in Scope] == sorted(VOCABULARY)
    assert PERSON_SCOPES.union(*ROLE_SCOPES.values()) <= VOCABULARY
    assert written({Scope.SCIM, Scope.HR_WRITE}) == "hr:write scim"
    assert known(["openid", "scim", "User.Read"]) == {"scim"}


@pytest.mark.parametrize(
    ("roles", "more"),
    [
        ((), set()),
        (("employee", "executive", "no_such_role"), set()),
        (("hr",), {"contacts:write", "departments:write", "engagements:write", "hr:settle"}),
        (("dept_head",), {"contacts:write", "engagements:write"}),
        (("customer_service", "production", "sales"), set()),
        (("deputy",), {"contacts:write"}),
        (("auditor",), {"access-log:read"}),
        (("infosec",), {"access-log:read", "policy:admin"}),
        (("committee",), {"policy:admin"}),
        (("it",), {"departments:write", "numbers:admin", "numbers:allocate", "webhooks:admin"}),
    ],
)
def test_what_roles_add(roles: tuple[str, ...], more: set[str]) -> None:
    assert scopes_of_person(roles) == PERSON_SCOPES | more


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Demo-Staff", "demo-staff"),
        ("张三", "张三"),
        ("É@x", "é@x"),
        ("E\N{COMBINING ACUTE ACCENT}@x", None),
        ("\N{KELVIN SIGN}", None),
        ("\N{ZERO WIDTH SPACE}a", None),
        ("a\N{NO-BREAK SPACE}b", None),
        ("\ud800", None),
        ("", None),
    ],
)
def test_the_kept_form_of_a_name(name: str, key: str | None) -> None:
    assert user_name_key(name) == key


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("hr-system", True),
        ("a1", True),
        ("a", False),
        ("Hr", False),
        ("hr_system", False),
        ("hr\n", False),
        ("é1", False),
    ],
)
def test_what_a_client_may_be_called(value: str, expected: bool) -> None:  # noqa: FBT001 — a column of the table
    assert is_client_id(value) is expected


def test_subjects_are_values() -> None:
    subjects = {System("mover"), Operator("root"), Service("siem", frozenset()), Person("a", "b", frozenset())}
    assert len(subjects | {System("mover"), Person("a", "b", frozenset())}) == 4
    for subject in subjects:
        for name in ("scopes", "extra"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(subject, name, frozenset())
