"""Codes and refresh tokens at the token endpoint, on both engines: good once, for their client, while their person stands as they did."""

import asyncio
import base64
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson
import pytest

from tests.support.signing import CALLBACK, PASSWORD, STEP_UP, Browser, Signing, challenge_of, returned, stored

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED: Final = {
    "error": "invalid_grant",
    "error_description": "The grant is not valid, is over, or was used before",
}
REUSED: Final = ("refresh_token.reuse", "refused", "invalid_grant")


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def is_refused(answer: httpx.Response) -> bool:
    assert (answer.status_code, answer.json()) == (400, REFUSED), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return True


async def counts(signing: Signing) -> list[int]:
    tables = ("token_family", "refresh_token", "revoked_token")
    return [int((await signing.run(f"SELECT count(*) FROM {table}"))[0][0]) for table in tables]


async def test_a_code_becomes_tokens_that_say_how_and_when(signing: Signing) -> None:
    person, browser = await signing.person(roles=("hr",)), signing.browser()
    signed_in = int(signing.clock.now().timestamp())
    code = await browser.code(person.name)
    signing.clock.advance(seconds=5)
    answer = await browser.exchange(code)
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert "contacts:write" in body["scope"].split()
    found = claims(body["access_token"])
    assert (found["sub"], found["client_id"]) == (person.name, "intranet")
    assert (found["acr"], found["auth_time"]) == ("urn:duanhao:acr:password", signed_in)
    assert found["scope"] == body["scope"]
    assert (await browser.call(body["access_token"])).status_code == 200


async def test_a_token_after_a_step_up_says_so(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    phone = await browser.enrol(person.name)
    await browser.sign_in(person.name, acr_values=STEP_UP)
    code = returned(await browser.send(code=phone.code()))["code"]
    tokens = (await browser.exchange(code)).json()
    found = claims(tokens["access_token"])
    assert (found["acr"], found["auth_time"]) == (STEP_UP, int(signing.clock.now().timestamp()))
    signing.clock.advance(seconds=700)
    renewed = claims((await browser.refresh(tokens["refresh_token"])).json()["access_token"])
    assert (renewed["acr"], renewed["auth_time"]) == (STEP_UP, found["auth_time"])


WRONG: Final[list[tuple[str, dict[str, str | None], str]]] = [
    ("another verifier", {"code_verifier": "x" * 43}, "invalid_grant"),
    ("verifier too short", {"code_verifier": "x" * 42}, "invalid_grant"),
    ("verifier too long", {"code_verifier": "x" * 129}, "invalid_grant"),
    ("verifier of odd characters", {"code_verifier": "é" * 50}, "invalid_grant"),
    ("another client", {"client_id": "portal"}, "invalid_grant"),
    ("another address", {"redirect_uri": "https://evil.example/"}, "invalid_grant"),
    ("the address and more", {"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
]


@pytest.mark.parametrize(("name", "changes", "error"), WRONG, ids=[each[0] for each in WRONG])
async def test_a_code_that_is_shown_wrongly_is_spent(
    signing: Signing, name: str, changes: dict[str, str | None], error: str
) -> None:
    person, browser = await signing.person(), signing.browser()
    code, before = await browser.code(person.name), await counts(signing)
    answer = await browser.exchange(code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error), name
    assert is_refused(await browser.exchange(code))
    assert await counts(signing) == before


async def test_the_challenge_itself_is_no_verifier(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    code = await browser.code(person.name)
    assert is_refused(await browser.exchange(code, code_verifier=challenge_of(browser.verifier)))


async def test_no_verifier_is_no_downgrade(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    code = await browser.code(person.name)
    for changes in ({"code_verifier": None}, {"code_verifier": ""}):
        answer = await browser.exchange(code, **changes)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert (await browser.exchange(code)).status_code == 200


async def test_the_address_may_be_left_out_as_in_oauth_2_1(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    assert (await browser.exchange(await browser.code(person.name), redirect_uri=None)).status_code == 200


@pytest.mark.parametrize(("seconds", "good"), [(59, True), (60, False), (61, False)])
async def test_a_code_lives_sixty_seconds(signing: Signing, seconds: int, good: bool) -> None:  # noqa: FBT001 — a column of the table
    person, browser = await signing.person(), signing.browser()
    code = await browser.code(person.name)
    signing.clock.advance(seconds=seconds)
    assert ((await browser.exchange(code)).status_code == 200) is good


@pytest.mark.parametrize("how", ["rightly", "with another verifier", "by another client", "late"])
async def test_a_code_shown_again_ends_everything_that_came_of_it(signing: Signing, how: str) -> None:
    person, browser, other = await signing.person(), signing.browser(), signing.browser()
    untouched = await other.tokens(person.name)
    code = await browser.code(person.name)
    first = (await browser.exchange(code)).json()
    second = (await browser.refresh(first["refresh_token"])).json()
    changes: dict[str, str | None] = {}
    match how:
        case "with another verifier":
            changes = {"code_verifier": "x" * 43}
        case "by another client":
            changes = {"client_id": "portal"}
        case "late":
            signing.clock.advance(minutes=30)
        case _:
            assert how == "rightly"
    assert is_refused(await browser.exchange(code, **changes))
    for tokens in (first, second):
        assert (await browser.call(tokens["access_token"])).status_code == 401
        assert is_refused(await browser.refresh(tokens["refresh_token"]))
    assert (await other.call(untouched["access_token"])).status_code == 200
    assert (await other.refresh(untouched["refresh_token"])).status_code == 200
    events = await signing.events(person)
    assert events.count(("authorization_code.reuse", "refused", "invalid_grant")) == 1
    assert REUSED not in events


async def test_two_at_once_with_one_code_get_nothing_that_lasts(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    code = await browser.code(person.name)
    answers = await asyncio.gather(*(browser.exchange(code) for _ in range(5)))
    good = [each.json() for each in answers if each.status_code == 200]
    assert len(good) == 1
    assert (await browser.call(good[0]["access_token"])).status_code == 401
    assert is_refused(await browser.refresh(good[0]["refresh_token"]))


async def test_an_invented_code_is_refused_alike(signing: Signing) -> None:
    browser = signing.browser()
    for code in ("x", "A" * 43, "é" * 10, "x" * 4000):
        assert is_refused(await browser.exchange(code))


CLIENTS: Final[list[tuple[str, dict[str, str | None], int, str]]] = [
    ("nobody", {"client_id": "nobody"}, 401, "invalid_client"),
    ("none", {"client_id": None}, 401, "invalid_client"),
    ("odd", {"client_id": "x' OR 1=1"}, 401, "invalid_client"),
    ("secret of a front end", {"client_secret": "something"}, 401, "invalid_client"),
    ("confidential without its secret", {"client_id": "backend"}, 401, "invalid_client"),
    ("confidential with a wrong secret", {"client_id": "backend", "client_secret": "x"}, 401, "invalid_client"),
]


@pytest.mark.parametrize(("name", "changes", "status", "error"), CLIENTS, ids=[each[0] for each in CLIENTS])
async def test_a_client_that_is_none_spends_nothing(
    signing: Signing, name: str, changes: dict[str, str | None], status: int, error: str
) -> None:
    person, browser = await signing.person(), signing.browser()
    code = await browser.code(person.name)
    answer = await browser.exchange(code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error), name
    tokens = (await browser.exchange(code)).json()
    refused = await browser.refresh(tokens["refresh_token"], **{key: value or "" for key, value in changes.items()})
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert (await browser.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_confidential_client_shows_its_secret_too(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser(client_id="backend")
    code = await browser.code(person.name)
    tokens = (await browser.exchange(code, client_secret=signing.secret)).json()
    assert claims(tokens["access_token"])["client_id"] == "backend"
    pair = base64.b64encode(f"backend:{signing.secret}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answer = await browser.http.post("/oauth/token", data=form, headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 200


async def test_refresh_tokens_follow_each_other(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    seen = {tokens["refresh_token"]}
    for _ in range(4):
        signing.clock.advance(hours=1)
        answer = await browser.refresh(tokens["refresh_token"])
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        seen.add(tokens["refresh_token"])
        assert (await browser.call(tokens["access_token"])).status_code == 200
    assert len(seen) == 5


async def test_refresh_tokens_are_kept_as_hashes(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    code = await browser.code(person.name)
    tokens = (await browser.exchange(code)).json()
    for table, text in (("authorization_code", code), ("refresh_token", tokens["refresh_token"])):
        rows = await signing.run(f"SELECT * FROM {table}")
        assert any(stored(text) in row for row in rows)
        assert text not in str(rows)
        assert text.encode().hex() not in str(rows)


async def test_a_refresh_token_used_again_ends_the_family(signing: Signing) -> None:
    person, browser, other = await signing.person(), signing.browser(), signing.browser()
    untouched = await other.tokens(person.name)
    first = await browser.tokens(person.name)
    second = (await browser.refresh(first["refresh_token"])).json()
    third = (await browser.refresh(second["refresh_token"])).json()
    assert is_refused(await browser.refresh(first["refresh_token"]))
    for tokens in (first, second, third):
        assert (await browser.call(tokens["access_token"])).status_code == 401
        assert is_refused(await browser.refresh(tokens["refresh_token"]))
    assert (await other.refresh(untouched["refresh_token"])).status_code == 200
    assert (await signing.events(person)).count(REUSED) == 1


@pytest.mark.parametrize("many", [2, 6])
async def test_a_refresh_token_used_by_several_at_once_lasts_for_none(signing: Signing, many: int) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    answers = await asyncio.gather(*(browser.refresh(tokens["refresh_token"]) for _ in range(many)))
    good = [each.json() for each in answers if each.status_code == 200]
    assert len(good) == 1
    assert sorted(each.status_code for each in answers) == [200, *[400] * (many - 1)]
    assert (await browser.call(good[0]["access_token"])).status_code == 401
    assert is_refused(await browser.refresh(good[0]["refresh_token"]))
    assert (await signing.events(person)).count(REUSED) == 1


async def test_a_refresh_token_in_another_clients_hands_ends_the_family(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    assert is_refused(await browser.refresh(tokens["refresh_token"], client_id="portal"))
    assert is_refused(await browser.refresh(tokens["refresh_token"]))
    assert REUSED in await signing.events(person)


async def test_a_refresh_token_that_is_not_used_is_over(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    signing.clock.advance(hours=12)
    assert is_refused(await browser.refresh(tokens["refresh_token"]))
    assert (await signing.events(person)).count(REUSED) == 0


async def test_a_sign_in_is_over_after_a_week_however_busy(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    for _ in range(15):
        signing.clock.advance(hours=11)
        answer = await browser.refresh(tokens["refresh_token"])
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
    signing.clock.advance(hours=3)
    assert is_refused(await browser.refresh(tokens["refresh_token"]))


async def end(signing: Signing, browser: Browser, name: str, way: str) -> None:
    """End what a person may do."""
    application = signing.world.application
    identity = signing.world.people[name]
    async with application.database.unit_of_work() as unit:
        match way:
            case "suspended":
                await application.accounts.suspend(unit.session, name)
            case "suspended and back":
                await application.accounts.suspend(unit.session, name)
                await application.accounts.activate(unit.session, name)
            case "disabled":
                await application.accounts.disable(unit.session, name)
            case "another standing":
                await application.accounts.set_standing(unit.session, name, tier="T1", roles=("hr",))
            case _:
                assert way in {"left", "another password"}
    if way == "left":
        token = await signing.world.token("hr")
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        gone = await browser.http.delete(f"/v1/contacts/{identity}", headers=headers)
        assert gone.status_code == 204
    if way == "another password":
        await signing.give(name, "given by the operator")


@pytest.mark.parametrize(
    "way", ["left", "suspended", "suspended and back", "disabled", "another standing", "another password"]
)
async def test_what_ends_a_persons_tokens_ends_codes_and_refresh_tokens(signing: Signing, way: str) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens, code = await browser.tokens(person.name), await browser.code(person.name)
    await end(signing, browser, person.name, way)
    assert is_refused(await browser.refresh(tokens["refresh_token"]))
    assert is_refused(await browser.exchange(code))
    assert (await browser.call(tokens["access_token"])).status_code == 401
    assert (await signing.events(person)).count(REUSED) == 0


async def test_who_has_left_and_comes_back_needs_a_new_password(signing: Signing) -> None:
    person, application = await signing.person(), signing.world.application
    async with application.database.unit_of_work() as unit:
        await application.accounts.disable(unit.session, person.name)
        await application.accounts.activate(unit.session, person.name)
    assert (await signing.browser().sign_in(person.name)).status_code == 403


async def test_a_disabled_client_carries_nothing_on(signing: Signing) -> None:
    from app.auth.clients import NewClient  # noqa: PLC0415 — of this test alone

    person, application = await signing.person(), signing.world.application
    browser = signing.browser(client_id="ending")
    async with application.database.unit_of_work() as unit:
        await application.clients.add(unit.session, NewClient("ending", "Ending", confidential=False))
        await application.sign_in.redirects.add(unit.session, "ending", [CALLBACK], at=signing.clock.now())
    tokens, code = await browser.tokens(person.name), await browser.code(person.name)
    async with application.database.unit_of_work() as unit:
        await application.clients.disable(unit.session, "ending")
    for answer in (await browser.refresh(tokens["refresh_token"]), await browser.exchange(code)):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_refresh_asks_for_no_more_than_was_given(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name, scope="contacts:read numbers:read")
    narrow = (await browser.refresh(tokens["refresh_token"], scope="numbers:read")).json()
    assert narrow["scope"] == "numbers:read"
    for scope in ("contacts:reveal", "numbers:read contacts:reveal", "hr:write"):
        beyond = await browser.refresh(narrow["refresh_token"], scope=scope)
        assert (beyond.status_code, beyond.json()["error"]) == (400, "invalid_scope")
    malformed = await browser.refresh(narrow["refresh_token"], scope="a  b")
    assert (malformed.status_code, malformed.json()["error"]) == (400, "invalid_scope")
    whole = (await browser.refresh(narrow["refresh_token"])).json()
    assert whole["scope"] == "contacts:read numbers:read"


async def test_an_invented_refresh_token_is_refused_alike(signing: Signing) -> None:
    browser = signing.browser()
    for text in ("x", "A" * 43, "é", "x" * 4000):
        assert is_refused(await browser.refresh(text))
    missing = await browser.http.post("/oauth/token", data={"grant_type": "refresh_token", "client_id": "intranet"})
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


TAMPERING: Final = [
    ("refresh_token", "UPDATE refresh_token SET used_at = NULL WHERE used_at IS NOT NULL"),
    ("refresh_token", "UPDATE refresh_token SET expires_at = access_expires_at"),
    ("token_family", "UPDATE token_family SET ended_at = NULL WHERE ended_at IS NOT NULL"),
    ("token_family", "UPDATE token_family SET epoch = epoch + 1"),
    ("token_family", "UPDATE token_family SET acr = 'urn:duanhao:acr:step-up'"),
]


@pytest.mark.parametrize(("table", "statement"), TAMPERING, ids=[each[1][7:60] for each in TAMPERING])
async def test_sql_revives_and_raises_nothing(signing: Signing, table: str, statement: str) -> None:
    person, browser = await signing.person(), signing.browser()
    first = await browser.tokens(person.name)
    second = (await browser.refresh(first["refresh_token"])).json()
    if "ended_at" in statement:
        assert is_refused(await browser.refresh(first["refresh_token"]))
    rows = await signing.run(f"SELECT count(*) FROM {table}")
    assert rows[0][0] > 0
    await signing.run(statement)
    shown = first if "used_at" in statement else second
    assert is_refused(await browser.refresh(shown["refresh_token"]))


async def test_sql_moves_no_code_to_another_account(signing: Signing) -> None:
    person, other, browser = await signing.person(), await signing.person(), signing.browser()
    code = await browser.code(person.name)
    await signing.run(
        "UPDATE authorization_code SET account_id = (SELECT id FROM user_account WHERE user_name_key ="
        f" '{other.name}') WHERE used_at IS NULL"
    )
    assert is_refused(await browser.exchange(code))


async def test_what_is_over_is_forgotten_a_day_later_and_nothing_else(signing: Signing) -> None:
    application, person, browser = signing.world.application, await signing.person(), signing.browser()

    async def swept() -> tuple[list[int], int]:
        async with application.database.unit_of_work() as unit:
            await application.sign_in.forget_expired(unit.session)
        failures = await signing.run("SELECT count(*) FROM sign_in_failure")
        codes = await signing.run("SELECT count(*) FROM authorization_code")
        return [*(await counts(signing))[:2], int(codes[0][0])], int(failures[0][0])

    signing.clock.advance(days=10)
    assert await swept() == ([0, 0, 0], 0)
    tokens = await browser.tokens(person.name)
    await browser.sign_in(person.name, "wrong wrong wrong")
    assert await swept() == ([1, 1, 1], 1)
    signing.clock.advance(hours=11)
    tokens = (await browser.refresh(tokens["refresh_token"])).json()
    signing.clock.advance(hours=11)
    tokens = (await browser.refresh(tokens["refresh_token"])).json()
    signing.clock.advance(hours=4)
    assert await swept() == ([1, 3, 0], 0)
    signing.clock.advance(hours=7)
    assert (await browser.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_clients_own_refresh_token_can_be_ended(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens, database = await browser.tokens(person.name), signing.world.application.database
    grants = signing.world.application.sign_in.grants
    async with database.unit_of_work() as unit:
        assert not await grants.end(unit, tokens["refresh_token"], "portal")
        assert not await grants.end(unit, "unknown", "intranet")
    assert (await browser.call(tokens["access_token"])).status_code == 200
    async with database.unit_of_work() as unit:
        assert await grants.end(unit, tokens["refresh_token"], "intranet")
    assert (await browser.call(tokens["access_token"])).status_code == 401
    assert is_refused(await browser.refresh(tokens["refresh_token"]))


async def test_there_is_no_password_grant(signing: Signing) -> None:
    person = await signing.person()
    form = {"grant_type": "password", "client_id": "intranet", "username": person.name, "password": PASSWORD}
    answer = await signing.browser().http.post("/oauth/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    form |= {"client_id": "backend", "client_secret": signing.secret}
    answer = await signing.browser().http.post("/oauth/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_the_description_says_what_is_served(signing: Signing) -> None:
    document = (await signing.browser().http.get("/.well-known/oauth-authorization-server")).json()
    assert document["authorization_endpoint"] == document["issuer"] + "/oauth/authorize"
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert {"authorization_code", "refresh_token", "client_credentials"} <= set(document["grant_types_supported"])
    assert "password" not in document["grant_types_supported"]
    assert "none" in document["token_endpoint_auth_methods_supported"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert STEP_UP in document["acr_values_supported"]
    assert timedelta(seconds=60) >= signing.world.application.sign_in.page._code_life
