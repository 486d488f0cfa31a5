"""From sign-in to sign-out: a refresh token is taken back with its whole sign-in, and a challenge leads to the sign-in that answers it."""

import re

import pytest

from tests.support.clients import Asker
from tests.support.problems import problem
from tests.support.signing import Signing, returned

pytestmark = pytest.mark.asyncio(loop_scope="session")

REVEAL = {"fields": ["id_number"], "purpose": "work_contact", "reason": "a reason that is long enough"}


async def test_taking_a_refresh_token_back_ends_the_sign_in_and_no_other(signing: Signing) -> None:
    person = await signing.person()
    browser, elsewhere = signing.browser(), signing.browser()
    here, there = await browser.tokens(person.name), await elsewhere.tokens(person.name)
    stranger = await Asker(signing.world, "portal", None).ask("/oauth/revoke", token=here["refresh_token"])
    assert stranger.status_code == 200
    assert (await browser.call(here["access_token"])).status_code == 200, "another front end's word counts for nothing"
    intranet = Asker(signing.world, "intranet", None)
    answer = await intranet.ask("/oauth/revoke", token=here["refresh_token"], token_type_hint="refresh_token")
    assert (answer.status_code, answer.content) == (200, b"{}")
    signing.clock.advance(seconds=2)
    assert (await browser.call(here["access_token"])).status_code == 401
    assert (await browser.refresh(here["refresh_token"])).status_code == 400
    assert (await elsewhere.call(there["access_token"])).status_code == 200
    assert (await elsewhere.refresh(there["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(signing: Signing) -> None:
    """Hard test 65."""
    person, browser = await signing.person(), signing.browser()
    tokens = await browser.tokens(person.name)
    problem(await browser.call(tokens["refresh_token"]), 401, "invalid_token")
    assert (await browser.refresh(tokens["access_token"])).status_code == 400
    api = Asker(signing.world, "backend", signing.secret)
    assert await api.introspect(tokens["refresh_token"]) == {"active": False}
    assert (await api.introspect(tokens["access_token"]))["username"] == person.name


async def test_the_challenge_is_answered_by_the_sign_in_that_it_names(signing: Signing) -> None:
    person = await signing.person(id_number="11010519491231002X")
    browser = signing.browser()
    phone = await browser.enrol(person.name)
    tokens = await browser.tokens(person.name)
    asked = await browser.call(tokens["access_token"], f"{person.path}/reveals", "POST", json=REVEAL)
    problem(asked, 401, "insufficient_user_authentication")
    acr_values = re.findall(r'acr_values="([^"]*)"', asked.headers["WWW-Authenticate"])[0]
    form = await browser.sign_in(person.name, acr_values=acr_values)
    assert form.status_code == 200
    code = returned(await browser.send(code=phone.code()))["code"]
    stronger = (await browser.exchange(code)).json()["access_token"]
    shown = await browser.call(stronger, f"{person.path}/reveals", "POST", json=REVEAL)
    assert shown.status_code == 200, shown.text
    assert shown.json()["fields"]["id_number"]["state"] == "shown"
    signing.clock.advance(seconds=601)
    again = await browser.call(stronger, f"{person.path}/reveals", "POST", json=REVEAL)
    problem(again, 401, "insufficient_user_authentication")
