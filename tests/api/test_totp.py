"""One-time codes over HTTP, on both engines: who may set them up, what is kept of them, and what a lost or stolen token cannot do."""

import base64
from typing import Any

import pytest

from app.auth import totp
from tests.support.problems import problem
from tests.support.signing import PASSWORD, STEP_UP, Signing, returned

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIRM = "/v1/me/totp/confirmations"


async def test_codes_are_begun_confirmed_used_and_removed(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    token = (await browser.tokens(person.name))["access_token"]
    assert (await browser.call(token, "/v1/me/totp")).json() == {"enrolled": False, "confirmed_at": None}
    begun = await browser.call(token, "/v1/me/totp", "POST")
    assert (begun.status_code, begun.headers["Cache-Control"]) == (201, "no-store")
    assert set(begun.json()) == {"secret", "uri", "expires_at"}
    assert (await browser.call(token, "/v1/me/totp")).json()["enrolled"] is False
    secret = base64.b32decode(begun.json()["secret"])
    now = signing.clock.now().timestamp()
    code = totp.code_at(secret, totp.step_of(now))
    wrong = "000000" if code != "000000" else "111111"
    problem(await browser.call(token, CONFIRM, "POST", json={"code": wrong}), 403, "wrong_code")
    done = await browser.call(token, CONFIRM, "POST", json={"code": code})
    assert (done.status_code, done.json()["enrolled"]) == (200, True)
    assert (await browser.call(token, "/v1/me/totp")).json()["confirmed_at"] is not None
    problem(await browser.call(token, CONFIRM, "POST", json={"code": code}), 404, "totp_not_begun")
    signing.clock.advance(seconds=30)
    await browser.sign_in(person.name, acr_values=STEP_UP)
    after = totp.code_at(secret, totp.step_of(signing.clock.now().timestamp()))
    fresh = (await browser.exchange(returned(await browser.send(code=after))["code"])).json()["access_token"]
    assert (await browser.call(fresh, "/v1/me/totp", "DELETE")).status_code == 204
    assert (await browser.call(fresh, "/v1/me/totp")).json()["enrolled"] is False
    problem(await browser.call(fresh, "/v1/me/totp", "DELETE"), 404, "totp_not_begun")
    actions = [each for each in await signing.events(person) if not each[0].startswith("sign_in")]
    assert [each[0] for each in actions if each[1] == "allowed"] == ["totp.begin", "totp.enrol", "totp.remove"]
    assert ("POST /v1/me/totp/confirmations", "refused", "wrong_code") in actions


async def test_a_token_that_was_picked_up_later_sets_nothing_up(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    signing.clock.advance(seconds=601)
    answer = await browser.call(tokens["access_token"], "/v1/me/totp", "POST")
    problem(answer, 401, "insufficient_user_authentication")
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'max_age="600"' in challenge
    renewed = (await browser.refresh(tokens["refresh_token"])).json()["access_token"]
    problem(await browser.call(renewed, "/v1/me/totp", "POST"), 401, "insufficient_user_authentication")
    minted = await signing.world.token(person.name)
    problem(await browser.call(minted, "/v1/me/totp", "POST"), 401, "insufficient_user_authentication")


async def test_codes_that_work_are_neither_replaced_nor_removed_by_a_password_alone(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    phone = await browser.enrol(person.name)
    token = (await browser.tokens(person.name))["access_token"]
    problem(await browser.call(token, "/v1/me/totp", "POST"), 409, "totp_enrolled")
    refused = await browser.call(token, "/v1/me/totp", "DELETE")
    problem(refused, 401, "insufficient_user_authentication")
    assert f'acr_values="{STEP_UP}"' in refused.headers["WWW-Authenticate"]
    await browser.sign_in(person.name, acr_values=STEP_UP)
    assert "code" in returned(await browser.send(code=phone.code()))


async def test_a_set_up_waits_ten_minutes(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    token = (await browser.tokens(person.name))["access_token"]
    secret = base64.b32decode((await browser.call(token, "/v1/me/totp", "POST")).json()["secret"])
    signing.clock.advance(seconds=600)
    code = totp.code_at(secret, totp.step_of(signing.clock.now().timestamp()))
    problem(await browser.call(token, CONFIRM, "POST", json={"code": code}), 404, "totp_not_begun")


async def test_a_set_up_that_is_begun_anew_forgets_the_first(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    token = (await browser.tokens(person.name))["access_token"]
    first, second = [
        base64.b32decode((await browser.call(token, "/v1/me/totp", "POST")).json()["secret"]) for _ in range(2)
    ]
    step = totp.step_of(signing.clock.now().timestamp())
    old = await browser.call(token, CONFIRM, "POST", json={"code": totp.code_at(first, step)})
    problem(old, 403, "wrong_code")
    assert (await browser.call(token, CONFIRM, "POST", json={"code": totp.code_at(second, step)})).status_code == 200


async def test_a_first_code_is_guessed_ten_times_a_minute_at_most(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    token = (await browser.tokens(person.name))["access_token"]
    secret = base64.b32decode((await browser.call(token, "/v1/me/totp", "POST")).json()["secret"])
    code = totp.code_at(secret, totp.step_of(signing.clock.now().timestamp()))
    for at in range(10):
        typed = f"{at:06}" if f"{at:06}" != code else "999999"
        assert (await browser.call(token, CONFIRM, "POST", json={"code": typed})).status_code == 403
    waiting = await browser.call(token, CONFIRM, "POST", json={"code": code})
    problem(waiting, 429, "too_many_requests")
    assert int(waiting.headers["Retry-After"]) > 0


async def test_the_secret_lies_in_a_box_of_its_own_row(signing: Signing) -> None:
    person, other, browser = await signing.person(), await signing.person(), signing.browser()
    phones = [await browser.enrol(each.name) for each in (person, other)]
    rows = await signing.run("SELECT * FROM totp")
    for phone in phones:
        for form in (phone.secret, totp.written_secret(phone.secret).encode()):
            assert not any(form in bytes(value) for row in rows for value in row if isinstance(value, bytes))
            assert form.decode("latin-1") not in str(rows)
    condition = "account_id = (SELECT id FROM user_account WHERE user_name_key = '{}')"
    theirs = condition.format(other.name)
    await signing.run(
        f"UPDATE totp SET secret = (SELECT secret FROM totp WHERE {theirs}), mac = (SELECT mac FROM totp WHERE {theirs})"
        f" WHERE {condition.format(person.name)}"
    )
    found = returned(await signing.browser().sign_in(person.name, acr_values=STEP_UP))
    assert found["error"] == "unmet_authentication_requirements"


async def test_sql_does_not_turn_the_last_step_back(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    await browser.enrol(person.name)
    condition = f"account_id = (SELECT id FROM user_account WHERE user_name_key = '{person.name}')"
    await signing.run(f"UPDATE totp SET last_step = 0 WHERE {condition}")
    found = returned(await browser.sign_in(person.name, acr_values=STEP_UP))
    assert found["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": "12345"}, {"code": 123456}, {"code": "1" * 17}, {"code": "123456", "x": 1}]
)
async def test_a_body_that_is_none_is_a_problem_document(signing: Signing, body: dict[str, Any]) -> None:
    person, browser = await signing.person(), signing.browser()
    token = (await browser.tokens(person.name))["access_token"]
    problem(await browser.call(token, CONFIRM, "POST", json=body), 422, "invalid_request")


async def test_service_accounts_and_strangers_have_no_codes(signing: Signing) -> None:
    browser = signing.browser()
    token = await signing.world.token("directory-sync")
    for method, path in (("GET", "/v1/me/totp"), ("POST", "/v1/me/totp"), ("DELETE", "/v1/me/totp")):
        problem(await browser.call(token, path, method), 403, "no_contact")
        problem(await browser.call("x", path, method), 401, "invalid_token")


async def test_an_operator_takes_away_what_a_lost_phone_held(signing: Signing) -> None:
    person, browser, application = await signing.person(), signing.browser(), signing.world.application
    await browser.enrol(person.name)
    async with application.database.unit_of_work() as unit:
        await application.sign_in.remove_codes(unit.session, person.name)
    token = (await browser.tokens(person.name, PASSWORD))["access_token"]
    assert (await browser.call(token, "/v1/me/totp")).json()["enrolled"] is False
