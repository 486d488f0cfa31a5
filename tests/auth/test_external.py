"""An issuer outside, of the shape of Entra: how its claims are read, and how its keys are fetched."""

import asyncio
import json
from typing import Any, Final

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa

from app.auth.errors import IssuerUnavailable, TokenRejected
from app.auth.external import MAX_BYTES, check_address, new_client
from app.auth.profile import external
from app.auth.reasons import Reason
from app.auth.subject import Person, Service
from tests.auth.forge import DROP, OURS, STRANGER, TENANT, TENANT_KEY, ec_jwk, rsa_jwk
from tests.auth.world import World, build, tenant_settings
from tests.support.clock import FrozenClock

RENEWED: Final = generate_rsa(public_exponent=65537, key_size=2048)
APPLICATION: Final[dict[str, Any]] = {
    "scp": DROP,
    "preferred_username": DROP,
    "azp": "hr-system",
    "sub": "5f0c3b1e-0000-4000-8000-00000000000c",
    "oid": "5f0c3b1e-0000-4000-8000-00000000000c",
    "roles": ["hr:write", "numbers:admin"],
}


async def reason(world: World, token: str) -> Reason:
    with pytest.raises(TokenRejected) as refused:
        await world.verifier.verify(token)
    return refused.value.reason


async def test_a_person_is_bound_by_the_configured_claim_and_nothing_else_is_believed(quick: World) -> None:
    subject = await quick.verifier.verify(quick.forge.entra(acr="mfa", auth_time=quick.forge.now - 60))
    assert subject == Person(
        user_name="demo-staff",
        client_id="intranet",
        scopes=frozenset({"contacts:read"}),
        acr="mfa",
        auth_time=quick.forge.now - 60,
        issuer=TENANT,
        jti="uti-0000000000000001",
    )


async def test_the_older_client_claim_does_as_well(quick: World) -> None:
    token = quick.forge.entra(azp=DROP, appid="5f0c3b1e-0000-4000-8000-00000000000a")
    assert (await quick.verifier.verify(token)).client_id == "intranet"


async def test_somebody_without_an_account_is_known_by_name_and_has_nothing(quick: World) -> None:
    subject = await quick.verifier.verify(quick.forge.entra(preferred_username="New.Hire@corp.example.test"))
    assert isinstance(subject, Person)
    assert subject.user_name == "new.hire@corp.example.test"
    assert await quick.accounts.by_user_name(quick.database.reader, subject.user_name) is None


async def test_an_application_acts_as_the_client_that_it_is_registered_as(quick: World) -> None:
    assert await quick.verifier.verify(quick.forge.entra(**APPLICATION)) == Service(
        "hr-system", frozenset({"hr:write"})
    )


@pytest.mark.parametrize("change", [{"oid": "another"}, {"idtyp": "user"}, {"roles": DROP}])
async def test_a_persons_token_without_scopes_does_not_pass_for_an_application(
    quick: World, change: dict[str, Any]
) -> None:
    token = quick.forge.entra(**{**APPLICATION, "preferred_username": "Demo-Staff@corp.example.test", **change})
    subject = await quick.verifier.verify(token)
    assert isinstance(subject, Person)
    assert subject.scopes == frozenset()


async def test_without_a_scope_claim_a_person_has_the_scopes_of_their_roles(quick: World) -> None:
    world = await build(quick.database, quick.clock, scope_claim=None, jti_claim=None)
    subject = await world.verifier.verify(world.forge.entra(scp=DROP, uti=DROP, roles="not even a list"))
    assert subject.scopes == {
        "approvals:use",
        "contacts:read",
        "contacts:reveal",
        "devices:read",
        "devices:write",
        "numbers:read",
    }
    await world.http.aclose()


async def test_epochs_bind_by_the_time_of_issue(quick: World) -> None:
    old = quick.forge.entra()
    await quick.verifier.verify(old)
    quick.clock.advance(seconds=10)
    async with quick.database.unit_of_work() as unit:
        await quick.accounts.suspend(unit.session, "demo-staff")
    assert await reason(quick, old) is Reason.EPOCH
    quick.clock.advance(seconds=10)
    fresh = quick.forge.entra(uti="uti-2")
    assert isinstance(await quick.verifier.verify(fresh), Person), "suspension caps in policy, not at the door"
    async with quick.database.unit_of_work() as unit:
        await quick.accounts.disable(unit.session, "demo-staff")
    assert await reason(quick, quick.forge.entra(uti="uti-3")) is Reason.SUBJECT_DISABLED


async def test_a_revocation_names_the_issuer(quick: World) -> None:
    token = quick.forge.entra(uti="0192f5c4-0000-7000-8000-000000000001")
    own = quick.forge.signed()
    async with quick.database.unit_of_work() as unit:
        await quick.tokens.revoke(
            unit.session,
            "0192f5c4-0000-7000-8000-000000000001",
            expires_at=quick.clock.now(),
            issuer=TENANT,
        )
    assert await reason(quick, token) is Reason.REVOKED
    await quick.verifier.verify(own)


@pytest.mark.parametrize(
    ("configured", "said", "expected"),
    [
        ({}, {"acr": "mfa"}, "mfa"),
        ({}, {"acr": "1"}, "1"),
        ({}, {"acr": ["pwd", "mfa"]}, "mfa"),
        ({}, {}, None),
        ({"acr_claim": "acrs"}, {"acr": "mfa", "acrs": ["c1", "c2"]}, "c1"),
        ({"acr_claim": "acrs"}, {"acr": "mfa"}, None),
        ({"second_proof": ("phr", "gold")}, {"acr": "gold"}, "urn:duanhao:acr:step-up"),
        ({"second_proof": ("phr", "gold")}, {"acr": "silver phr"}, "urn:duanhao:acr:step-up"),
        ({"second_proof": ("phr", "gold")}, {"acr": "mfa"}, None),
        ({"second_proof": ("phr",)}, {"acr": "urn:duanhao:acr:step-up"}, None),
        ({"second_proof": ()}, {"acr": "mfa"}, None),
    ],
    ids=str,
)
async def test_what_counts_as_a_second_proof_is_that_issuers_word(
    quick: World, configured: dict[str, Any], said: dict[str, Any], expected: str | None
) -> None:
    world = await build(quick.database, quick.clock, auth_time_claim="when", **configured)
    subject = await world.verifier.verify(world.forge.entra(**said, when=world.forge.now - 5, auth_time="not read"))
    assert isinstance(subject, Person)
    assert (subject.acr, subject.auth_time) == (expected, world.forge.now - 5)
    await world.http.aclose()


async def test_an_unregistered_front_end_is_taken_or_refused_as_configured(quick: World) -> None:
    token = quick.forge.entra(azp="5f0c3b1e-0000-4000-8000-0000000000ff")
    assert isinstance(await quick.verifier.verify(token), Person)
    world = await build(quick.database, quick.clock, registered_only=True)
    assert await reason(world, token) is Reason.CLIENT_UNKNOWN
    assert isinstance(await world.verifier.verify(world.forge.entra()), Person)
    await world.http.aclose()


async def test_a_claim_of_acting_for_somebody_means_nothing_from_outside(quick: World) -> None:
    subject = await quick.verifier.verify(quick.forge.entra(act={"sub": "hr-system", "epoch": 0}, front_end="x"))
    assert isinstance(subject, Person)
    assert (subject.client_id, subject.front_end) == ("intranet", None)


# -- keys ------------------------------------------------------------------------------------------------------------


async def test_the_key_set_is_fetched_once_and_an_unknown_kid_fetches_once_a_minute(quick: World) -> None:
    await asyncio.gather(*(quick.verifier.verify(quick.forge.entra(uti=f"u{n}")) for n in range(5)))
    assert len(quick.key_server.asked) == 1
    request = quick.key_server.asked[0]
    assert (request.method, request.headers["accept-encoding"]) == ("GET", "identity")
    for _ in range(5):
        assert await reason(quick, quick.forge.entra(header={"kid": "T2"})) is Reason.KID_UNKNOWN
    assert len(quick.key_server.asked) == 1
    quick.clock.advance(seconds=61)
    unknown = [reason(quick, quick.forge.entra(header={"kid": f"T{n}"})) for n in range(2, 9)]
    assert set(await asyncio.gather(*unknown)) == {Reason.KID_UNKNOWN}
    assert len(quick.key_server.asked) == 2


async def test_a_rotated_key_is_taken_and_a_withdrawn_one_goes_within_the_hour(quick: World) -> None:
    await quick.verifier.verify(quick.forge.entra())
    quick.key_server.document = {"keys": [rsa_jwk("T2", RENEWED.public_key())]}
    quick.clock.advance(minutes=2)
    await quick.verifier.verify(quick.forge.entra(key=RENEWED, header={"kid": "T2"}))
    assert await reason(quick, quick.forge.entra()) is Reason.KID_UNKNOWN
    quick.key_server.document = {"keys": [rsa_jwk("T3", RENEWED.public_key())]}
    quick.clock.advance(minutes=61)
    assert await reason(quick, quick.forge.entra(key=RENEWED, header={"kid": "T2"})) is Reason.KID_UNKNOWN


async def test_a_new_set_makes_remembered_tokens_be_looked_at_again(quick: World) -> None:
    token = quick.forge.entra()
    await quick.verifier.verify(token)
    quick.key_server.document = {"keys": [rsa_jwk("T2", RENEWED.public_key())]}
    quick.clock.advance(minutes=2)
    await quick.verifier.verify(quick.forge.entra(key=RENEWED, header={"kid": "T2"}))
    assert await reason(quick, token) is Reason.KID_UNKNOWN


async def test_another_key_under_the_old_id_makes_remembered_tokens_be_looked_at_again(quick: World) -> None:
    token = quick.forge.entra()
    await quick.verifier.verify(token)
    quick.key_server.document = {"keys": [rsa_jwk("T1", RENEWED.public_key())]}
    quick.clock.advance(minutes=61)
    fresh = quick.forge.entra(key=RENEWED, exp=quick.forge.now + 9000)
    await quick.verifier.verify(fresh)
    assert await reason(quick, quick.forge.entra(exp=quick.forge.now + 9000)) is Reason.SIGNATURE
    assert await reason(quick, token) is Reason.SIGNATURE


async def test_the_right_id_on_another_key_is_a_bad_signature(quick: World) -> None:
    assert await reason(quick, quick.forge.entra(key=RENEWED)) is Reason.SIGNATURE


@pytest.mark.parametrize(
    ("jwk", "expected"),
    [
        (rsa_jwk("T1", TENANT_KEY.public_key(), alg="RS512"), Reason.KEY_MISMATCH),
        (ec_jwk("T1", OURS.public_key()), Reason.KEY_MISMATCH),
        (rsa_jwk("T1", TENANT_KEY.public_key(), alg="RS256"), None),
    ],
)
async def test_a_key_whose_algorithm_disagrees_with_the_header_is_not_used(
    quick: World, jwk: dict[str, Any], expected: Reason | None
) -> None:
    quick.key_server.document = {"keys": [jwk]}
    if expected is None:
        await quick.verifier.verify(quick.forge.entra())
    else:
        assert await reason(quick, quick.forge.entra()) is expected


async def test_a_malformed_neighbour_does_not_break_the_set(quick: World) -> None:
    good = rsa_jwk("T1", TENANT_KEY.public_key())
    quick.key_server.document = {"keys": [{"kid": "T1"}, None, 7, ec_jwk("T1", STRANGER.public_key(), x="!"), good]}
    await quick.verifier.verify(quick.forge.entra())


GOOD_SET: Final = {"keys": [rsa_jwk("T1", TENANT_KEY.public_key())]}
UNREADABLE: Final[dict[str, httpx.Response | Exception]] = {
    "500": httpx.Response(500),
    "404": httpx.Response(404, json={"keys": []}),
    "redirect": httpx.Response(302, headers={"Location": "https://evil.example.test/keys"}),
    "no JSON": httpx.Response(200, text="<html>"),
    "duplicate members": httpx.Response(200, content=b'{"keys":[],"keys":[]}'),
    "no usable key": httpx.Response(200, json={"keys": [ec_jwk("T1", STRANGER.public_key(), use="enc")]}),
    "too long": httpx.Response(200, content=json.dumps(GOOD_SET).encode() + b" " * MAX_BYTES),
    "compressed": httpx.Response(200, headers={"Content-Encoding": "br"}, stream=httpx.ByteStream(b"{}")),
    "refused": httpx.ConnectError("refused"),
    "slow": httpx.ReadTimeout("slow"),
}


@pytest.mark.parametrize("response", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_set_is_503_at_first_and_later_leaves_the_old_one(
    quick: World, response: httpx.Response | Exception
) -> None:
    quick.key_server.response = response
    with pytest.raises(IssuerUnavailable) as unavailable:
        await quick.verifier.verify(quick.forge.entra())
    assert (unavailable.value.status, unavailable.value.headers) == (503, {"Retry-After": "60"})
    assert [request.url.host for request in quick.key_server.asked] == ["login.example.test"], "no redirect is followed"
    await quick.verifier.verify(quick.forge.signed())

    quick.key_server.response = None
    quick.clock.advance(seconds=61)
    await quick.verifier.verify(quick.forge.entra())
    quick.key_server.response = response
    quick.clock.advance(hours=23)
    await quick.verifier.verify(quick.forge.entra())
    quick.clock.advance(hours=2)
    with pytest.raises(IssuerUnavailable):
        await quick.verifier.verify(quick.forge.entra())


# -- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://login.example.test/keys", "ftp://login.example.test", "/keys", "https://me:pw@login.example.test/", ""],
)
def test_in_production_keys_come_over_https_only(url: str) -> None:
    with pytest.raises(ValueError, match="key set"):
        check_address(url, production=True)


def test_in_development_plain_http_will_do() -> None:
    assert check_address("http://127.0.0.1:8080/keys", production=False).host == "127.0.0.1"


async def test_the_client_follows_no_redirects() -> None:
    async with new_client() as client:
        assert client.follow_redirects is False


async def test_an_issuer_is_configured_once_and_with_algorithms_that_can_be_verified(quick: World) -> None:
    with pytest.raises(ValueError, match="twice"):
        quick.verifier.trust([external(tenant_settings(), quick.remote)])
    with pytest.raises(ValueError, match="algorithms"):
        external(tenant_settings(issuer="https://other.example.test", algorithms=("RS256", "PS256")), quick.remote)


async def test_an_elliptic_issuer_serves_as_well(quick: World) -> None:
    world = await build(quick.database, FrozenClock(quick.clock.now()), algorithms=("ES256",), types=("at+jwt", "JWT"))
    world.key_server.document = {"keys": [ec_jwk("E1", STRANGER.public_key())]}
    claims = world.forge.tenant_claims
    token = world.forge.signed(key=STRANGER, header={"kid": "E1"}, **claims)
    assert isinstance(await world.verifier.verify(token), Person)
    assert await reason(world, world.forge.entra()) is Reason.ALGORITHM
    await world.http.aclose()
