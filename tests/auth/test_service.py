"""Tokens of the command line, revocations, and the throttle of the token endpoint."""

from datetime import timedelta
from typing import Any, Final

import pytest
from jose import jws
from structlog.testing import capture_logs

from app.auth.compact import strict_object
from app.auth.errors import AccountNotFound, MintRefused, TokenRejected
from app.auth.issuer import AccessToken
from app.auth.repository import is_revoked
from app.auth.scopes import PERSON_SCOPES
from app.auth.service import MAX_MINTED_SECONDS
from app.auth.subject import Person, Service
from app.auth.throttle import Throttle
from app.kit.limits import network_of
from tests.auth.forge import AUDIENCE, ISSUER, ec_jwk
from tests.auth.forge import OURS as KEY
from tests.auth.world import World
from tests.support.clock import FrozenClock


async def test_a_minted_token_of_a_person_is_what_the_front_end_would_get(world: World) -> None:
    token = await world.tokens.mint(world.database.reader, "Demo-Staff")
    subject = await world.verifier.verify(token.text)
    assert subject == Person(
        user_name="demo-staff",
        client_id="intranet",
        scopes=PERSON_SCOPES,
        issuer=ISSUER,
        jti=token.jti,
    )
    assert token.text not in repr(token)


async def test_a_minted_token_has_every_claim_of_rfc_9068(quick: World) -> None:
    token = await quick.tokens.mint(quick.database.reader, "hr-system", lifetime_seconds=90, scopes=("hr:write",))
    header = jws.get_unverified_header(token.text)
    claims = strict_object(jws.verify(token.text, ec_jwk("ours", KEY.public_key()), "ES256"))
    now = int(quick.clock.now().timestamp())
    assert header == {"alg": "ES256", "kid": "ours", "typ": "at+jwt"}
    assert claims == {
        "iss": ISSUER,
        "sub": "hr-system",
        "aud": AUDIENCE,
        "exp": now + 90,
        "nbf": now,
        "iat": now,
        "jti": token.jti,
        "client_id": "hr-system",
        "scope": "hr:write",
        "epoch": 0,
    }
    assert await quick.verifier.verify(token.text) == Service("hr-system", frozenset({"hr:write"}))


REFUSED: Final[list[tuple[str, bool, dict[str, Any]]]] = [
    ("demo-staff", True, {"reason": "ticket 7"}),
    ("hr-system", True, {}),
    ("hr-system", True, {"reason": "  "}),
    ("hr-system", False, {"scopes": ("numbers:admin",)}),
    ("demo-staff", False, {"scopes": ("access-log:read",)}),
    ("demo-staff", False, {"lifetime_seconds": 0}),
    ("demo-staff", False, {"lifetime_seconds": -5}),
    ("demo-staff", False, {"lifetime_seconds": MAX_MINTED_SECONDS + 1}),
]


@pytest.mark.parametrize(("name", "production", "options"), REFUSED)
async def test_some_tokens_are_not_made(quick: World, name: str, production: bool, options: dict[str, Any]) -> None:  # noqa: FBT001 — a column of the table
    with pytest.raises(MintRefused):
        await quick.service(production=production).mint(quick.database.reader, name, **options)


async def test_in_production_a_service_account_gets_one_with_a_reason(quick: World) -> None:
    token = await quick.service(production=True).mint(quick.database.reader, "hr-system", reason="ticket 7")
    assert isinstance(await quick.verifier.verify(token.text), Service)


async def test_nobody_gets_no_token_and_neither_does_who_is_not_active(quick: World) -> None:
    with pytest.raises(AccountNotFound):
        await quick.tokens.mint(quick.database.reader, "demo-nobody")
    with pytest.raises(MintRefused):
        await quick.service(front_end="extranet").mint(quick.database.reader, "demo-staff")
    async with quick.database.unit_of_work() as unit:
        await quick.accounts.suspend(unit.session, "demo-staff")
        await quick.clients.disable(unit.session, "hr-system")
    for name in ("demo-staff", "hr-system"):
        with pytest.raises(MintRefused):
            await quick.tokens.mint(quick.database.reader, name)


async def test_a_front_end_has_a_token_with_no_scope(quick: World) -> None:
    token = await quick.tokens.mint(quick.database.reader, "intranet")
    assert await quick.verifier.verify(token.text) == Service("intranet", frozenset())


async def test_a_token_from_before_a_reactivation_stays_dead(quick: World) -> None:
    old = await quick.tokens.mint(quick.database.reader, "demo-staff")
    async with quick.database.unit_of_work() as unit:
        await quick.accounts.suspend(unit.session, "demo-staff")
        await quick.accounts.activate(unit.session, "demo-staff")
    with pytest.raises(TokenRejected):
        await quick.verifier.verify(old.text)
    new: AccessToken = await quick.tokens.mint(quick.database.reader, "demo-staff")
    assert isinstance(await quick.verifier.verify(new.text), Person)


async def test_revocations_are_kept_a_day_beyond_their_token_and_may_be_repeated(world: World) -> None:
    reader = world.database.reader
    for jti, days in (("old", -2), ("young", 1)):
        async with world.database.unit_of_work() as unit:
            expires = world.clock.now() + timedelta(days=days)
            await world.tokens.revoke(unit.session, jti, expires_at=expires)
            await world.tokens.revoke(unit.session, jti, expires_at=expires, issuer=ISSUER)
    async with world.database.unit_of_work() as unit:
        assert await world.tokens.forget_revoked(unit.session) == 1
    assert (await is_revoked(reader, "old"), await is_revoked(reader, "young")) == (False, True)


# -- throttle --------------------------------------------------------------------------------------------------------


def test_ten_failures_close_one_client_at_one_address_for_the_rest_of_the_minute() -> None:
    clock = FrozenClock()
    throttle = Throttle(clock)
    for _ in range(10):
        assert throttle.wait("siem", "192.0.2.1") == 0
        throttle.failed("siem", "192.0.2.1")
    assert throttle.wait("siem", "192.0.2.1") == 60
    assert throttle.wait("siem", "192.0.2.2") == 0
    assert throttle.wait("hr-system", "192.0.2.1") == 0
    clock.advance(seconds=59.9)
    assert throttle.wait("siem", "192.0.2.1") == 1
    clock.advance(seconds=0.1)
    assert throttle.wait("siem", "192.0.2.1") == 0
    throttle.failed("siem", "192.0.2.1")
    assert throttle.wait("siem", "192.0.2.1") == 0


def test_fifty_failures_close_an_address_whatever_it_asks_for() -> None:
    throttle = Throttle(FrozenClock())
    for number in range(50):
        throttle.failed(f"client-{number}", "2001:db8:1:2::1")
    assert throttle.wait("fresh", "2001:db8:1:2:ffff::9") == 60
    assert throttle.wait("fresh", "2001:db8:1:3::1") == 0


def test_success_forgets_the_failures_of_the_pair_alone() -> None:
    throttle = Throttle(FrozenClock())
    for _ in range(10):
        throttle.failed("siem", None)
    throttle.succeeded("siem", None)
    assert throttle.wait("siem", None) == 0
    for number in range(40):
        throttle.failed(f"client-{number}", None)
    assert throttle.wait("siem", None) > 0


def test_the_throttle_forgets_rather_than_grow() -> None:
    throttle = Throttle(FrozenClock(), capacity=100)
    for number in range(1000):
        throttle.failed("x" * number, f"198.51.{number // 250}.{number % 250}")
    assert len(throttle) == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::5:6:7:8", "2001:db8::"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str | None, network: str) -> None:
    assert network_of(address) == network


async def test_the_security_log_names_a_client_only_when_the_name_is_one(quick: World) -> None:
    forms = (b"client_id=siem&client_secret=x", b"client_id=138%2B0000%2B1234&client_secret=x")
    with capture_logs() as logs:
        for form in forms:
            await quick.tokens.token_endpoint(
                body=b"grant_type=client_credentials&" + form,
                content_type="application/x-www-form-urlencoded",
                authorization=(),
                address="192.0.2.1",
            )
    assert [(line["event"], line["client_id"]) for line in logs] == [
        ("client_refused", "siem"),
        ("client_refused", "(malformed)"),
    ]
