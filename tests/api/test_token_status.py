"""Taking tokens back and asking about them: who may, what is said, and that nothing is said where nothing may be."""

from typing import Any, Final

import httpx
import pytest

from app.auth.oauth import MAX_FORM_BYTES
from app.kit.db import UnitOfWork
from tests.auth.forge import STRANGER, Forge
from tests.support.application import World
from tests.support.clients import Asker, add_client, token_through
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORM: Final = "application/x-www-form-urlencoded"
INACTIVE: Final = {"active": False}


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    kept = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}
    return answer.status_code, answer.content, kept


async def works(world: World, token: str) -> bool:
    answer = await (await world.as_(None)).get("/v1/departments", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


# -- revoke ----------------------------------------------------------------------------------------------------------


async def test_a_front_end_takes_back_what_was_issued_to_it_at_once_and_on_record(shared: World) -> None:
    person, portal = await add_person(shared), await add_client(shared, confidential=False, scopes=())
    token = await token_through(shared, person.name, portal.client_id)
    other = await token_through(shared, person.name, portal.client_id)
    assert await works(shared, token)
    answer = await portal.ask("/oauth/revoke", token=token, token_type_hint="access_token")
    assert told(answer)[:2] == (200, b"{}")
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert not await works(shared, token)
    assert await works(shared, other), "one token, not all of them"
    again = await portal.ask("/oauth/revoke", token=token, token_type_hint="refresh_token")
    assert told(again) == told(answer), "taken back is as good as never there"
    await shared.settle()
    found = await (await shared.as_("infosec")).get(
        "/v1/access-events", params={"action": "token.revoke", "actor": portal.client_id}
    )
    assert [each["client_id"] for each in found.json()["items"]] == [portal.client_id]


async def test_a_service_account_takes_back_its_own_with_its_secret(shared: World) -> None:
    sync = await add_client(shared)
    token = (await sync.ask("/oauth/token", grant_type="client_credentials")).json()["access_token"]
    nameless = Asker(shared, sync.client_id, None)
    refused = await nameless.ask("/oauth/revoke", token=token)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), "who has a secret shows it"
    assert await works(shared, token)
    assert (await sync.ask("/oauth/revoke", token=token)).status_code == 200
    assert not await works(shared, token)


async def test_nobody_takes_back_another_clients_token(shared: World) -> None:
    person, sync = await add_person(shared), await add_client(shared)
    token = await token_through(shared, person.name, "intranet")
    answer = await sync.ask("/oauth/revoke", token=token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await works(shared, token)


async def test_what_is_no_token_is_as_good_as_taken_back(shared: World) -> None:
    sync, person = await add_client(shared), await add_person(shared)
    good = await token_through(shared, person.name, "intranet")
    for nonsense in ("x", "a.b.c", "....", good[:-4] + "AAAA", "é" * 40, "x" * 3000):
        answer = await sync.ask("/oauth/revoke", token=nonsense)
        assert told(answer)[:2] == (200, b"{}"), nonsense
    assert await works(shared, good)


class Refresh:
    """Somebody who keeps refresh tokens."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.known = "opaque-refresh-token"

    async def end(self, unit: UnitOfWork, text: str, client_id: str) -> bool:
        assert unit.session is not None
        self.asked.append((text, client_id))
        return text == self.known


async def test_a_refresh_token_is_taken_back_through_whoever_keeps_them(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, portal = Refresh(), await add_client(shared, confidential=False, scopes=())
    monkeypatch.setattr(shared.application.token_desk.door, "_refresh", keeper)
    for text in (keeper.known, "another-one"):
        assert (await portal.ask("/oauth/revoke", token=text, token_type_hint="access_token")).status_code == 200
    assert keeper.asked == [(keeper.known, portal.client_id), ("another-one", portal.client_id)]
    await shared.settle()
    found = await (await shared.as_("infosec")).get(
        "/v1/access-events", params={"action": "token.revoke", "actor": portal.client_id}
    )
    assert len(found.json()["items"]) == 1, "what was nobody's leaves no event"


# -- introspect ------------------------------------------------------------------------------------------------------


async def test_a_good_token_of_a_person_is_described(shared: World) -> None:
    person, api = await add_person(shared), await add_client(shared)
    token = await token_through(shared, person.name, "intranet", "contacts:read", "hr:write", acr="mfa", auth_time=1)
    found = await api.introspect(token, token_type_hint="access_token")
    times = {name: found.pop(name) for name in ("exp", "iat", "nbf", "jti")}
    assert times["exp"] - times["iat"] == 600
    assert found == {
        "active": True,
        "token_type": "Bearer",
        "client_id": "intranet",
        "sub": person.name,
        "username": person.name,
        "scope": "contacts:read",
        "iss": "http://127.0.0.1:8000",
        "aud": "duanhao",
        "acr": "mfa",
        "auth_time": 1,
    }


async def test_a_service_accounts_and_an_acting_back_ends_are_too(shared: World) -> None:
    person, api = await add_person(shared), await add_client(shared, exchanges=True)
    own = await api.introspect((await api.ask("/oauth/token", grant_type="client_credentials")).json()["access_token"])
    assert (own["sub"], own["client_id"], "username" in own) == (api.client_id, api.client_id, False)
    acting = (await api.exchange(await token_through(shared, person.name, "intranet"))).json()["access_token"]
    found = await api.introspect(acting)
    assert (found["sub"], found["client_id"], found["act"]) == (person.name, api.client_id, {"sub": api.client_id})
    assert "front_end" not in found


async def test_every_token_that_is_not_good_is_one_answer(shared: World) -> None:
    person, api = await add_person(shared), await add_client(shared)
    application = shared.application
    good = await token_through(shared, person.name, "intranet")
    issuer = application.tokens.issuer
    gone, portal = await add_person(shared), await add_client(shared, confidential=False, scopes=())
    of_gone, of_portal = (
        await token_through(shared, gone.name, "intranet"),
        await token_through(shared, gone.name, portal.client_id),
    )
    revoked = await token_through(shared, person.name, portal.client_id)
    assert (await portal.ask("/oauth/revoke", token=revoked)).status_code == 200
    async with application.database.unit_of_work() as unit:
        await application.accounts.disable(unit.session, gone.name)
    head, body, signature = good.split(".")
    forge = Forge(int(application.clock.now().timestamp()))
    claims: dict[str, Any] = {"iss": issuer.issuer, "aud": issuer.audience}
    common: dict[str, Any] = {"subject": person.name, "client_id": "intranet", "scopes": frozenset(), "epoch": 0}
    bad = {
        "nonsense": "nonsense",
        "another signature": f"{head}.{body}.{signature[:-6]}AAAAAA",
        "another issuer": forge.signed(),
        "a stranger's key": forge.signed(key=STRANGER, **claims),
        "another audience": issuer.issue(**common, lifetime=60, more={"aud": "payroll"}).text,
        "over": issuer.issue(**common, lifetime=-5).text,
        "over within the leeway": issuer.issue(
            **common, lifetime=60, more={"iat": 1, "nbf": 1, "exp": forge.now - 5}
        ).text,
        "person unknown": issuer.issue(**{**common, "subject": "nobody-here"}, lifetime=60).text,
        "another epoch": issuer.issue(**{**common, "epoch": 9}, lifetime=60).text,
        "ended person": of_gone,
        "ended person, other front end": of_portal,
        "revoked": revoked,
        "a refresh token": "opaque-refresh-token",
        "long": "x" * 7000,
    }
    answers = {name: told(await api.ask("/oauth/introspect", token=token)) for name, token in bad.items()}
    assert {answer[:2] for answer in answers.values()} == {(200, b'{"active":false}')}
    assert len({repr(answer) for answer in answers.values()}) == 1
    assert (await api.introspect(good))["active"]


async def test_only_clients_with_a_secret_may_ask(shared: World) -> None:
    person, api = await add_person(shared), await add_client(shared)
    token = await token_through(shared, person.name, "intranet")
    portal = await add_client(shared, confidential=False, scopes=())
    disabled = await add_client(shared)
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.clients.disable(unit.session, disabled.client_id)
    askers = (
        portal,
        disabled,
        Asker(shared, api.client_id, "wrong"),
        Asker(shared, api.client_id, None),
        Asker(shared, "nobody-at-all", "x"),
    )
    answers = [await each.ask("/oauth/introspect", token=token) for each in askers]
    assert len({repr(told(answer)) for answer in answers}) == 1
    assert (answers[0].status_code, answers[0].json()["error"]) == (401, "invalid_client")
    assert answers[0].headers["www-authenticate"].startswith("Basic ")
    http = await shared.as_(None)
    bearer = await http.post("/oauth/introspect", data={"token": token}, headers={"Authorization": f"Bearer {token}"})
    assert bearer.status_code == 401


@pytest.mark.parametrize("path", ["/oauth/revoke", "/oauth/introspect"])
async def test_malformed_requests_are_refused_in_the_words_of_the_protocol(shared: World, path: str) -> None:
    api, http = await add_client(shared), await shared.as_(None)
    proof = f"client_id={api.client_id}&client_secret={api.secret}"
    for content, kind in (
        (proof, FORM),
        (f"{proof}&token=", FORM),
        (f"{proof}&token=a&token=b", FORM),
        (f"{proof}&token=a", "application/json"),
        (f"{proof}&token=" + "a" * MAX_FORM_BYTES, FORM),
        ('{"token":"a"}', "application/json"),
        (f"{proof}&token=%FF", FORM),
    ):
        answer = await http.post(path, content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), content[:80]
        assert answer.headers["cache-control"] == "no-store"
    assert (await http.get(path)).status_code == 405


async def test_guessing_secrets_is_throttled_here_as_at_the_token_endpoint(shared: World) -> None:
    api = await add_client(shared)
    wrong = Asker(shared, api.client_id, "wrong")
    for at in range(10):
        assert (
            await wrong.ask(
                ("/oauth/revoke", "/oauth/introspect", "/oauth/token")[at % 3],
                token="x",
                grant_type="client_credentials",
            )
        ).status_code == 401
    answer = await api.ask("/oauth/introspect", token="x")
    assert (answer.status_code, answer.json()["error"]) == (429, "slow_down")
    assert int(answer.headers["retry-after"]) > 0


async def test_the_description_of_the_issuer_names_both(shared: World) -> None:
    document = (await (await shared.as_(None)).get("/.well-known/oauth-authorization-server")).json()
    assert document["revocation_endpoint"].endswith("/oauth/revoke")
    assert document["introspection_endpoint"].endswith("/oauth/introspect")
    assert "none" in document["revocation_endpoint_auth_methods_supported"]
    assert "none" not in document["introspection_endpoint_auth_methods_supported"]
