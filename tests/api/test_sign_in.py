"""Signing in as a browser meets it, on both engines: what leads to a code, what leads nowhere, and what nobody can tell apart."""

import asyncio
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest
from structlog.testing import capture_logs

from app.auth.errors import MalformedRedirect, RedirectExists, RedirectNotFound
from app.auth.oauth import MAX_FORM_BYTES
from app.auth.sign_in_tickets import LIFETIME_SECONDS
from tests.support.signing import (
    CALLBACK,
    FORM,
    OTHER_CALLBACK,
    PASSWORD,
    STEP_UP,
    Browser,
    Signing,
    parsed,
    returned,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

ISSUER: Final = "http://127.0.0.1:8000"
NEW: Final = "eleven loud magpies"
TAGS: Final = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "h1",
    "p",
    "form",
    "input",
    "label",
    "div",
    "button",
}


def told(answer: httpx.Response, name: str) -> tuple[int, str, dict[str, str]]:
    """Give all that an answer says, but for the name that was typed and what is made anew each time."""
    ignored = {"x-request-id", "content-length"}
    headers = {key: value for key, value in answer.headers.items() if key not in ignored}
    text = answer.text.replace(name, "NAME")
    for value in parsed(answer).hidden.values():
        text = text.replace(value, "HIDDEN")
    return answer.status_code, text, headers


async def codes(signing: Signing) -> int:
    """Count the codes there are."""
    return int((await signing.run("SELECT count(*) FROM authorization_code"))[0][0])


async def test_a_person_signs_in_and_the_front_end_gets_a_code_its_state_and_our_name(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser(state="a b&c=d?#%")
    answer = await browser.sign_in(person.name.upper())
    assert answer.headers["Location"].startswith(f"{CALLBACK}?code=")
    found = returned(answer)
    assert found == {"code": found["code"], "state": "a b&c=d?#%", "iss": ISSUER}
    assert len(found["code"]) == 43
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert answer.text == ""
    assert await signing.events(person) == [("sign_in.complete", "allowed", None)]


async def test_an_address_with_a_query_keeps_it(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser(client_id="portal", redirect_uri=OTHER_CALLBACK)
    answer = await browser.sign_in(person.name)
    assert answer.headers["Location"].startswith(f"{OTHER_CALLBACK}&code=")
    assert returned(answer)["tenant"] == "1"


@pytest.mark.parametrize(("asked", "language", "title"), [("zh-CN,en;q=0.5", "zh", "登录"), ("en", "en", "Sign in")])
async def test_the_page_is_plain_and_fenced(signing: Signing, asked: str, language: str, title: str) -> None:
    browser = signing.browser(client_id="portal", redirect_uri=OTHER_CALLBACK)
    browser.http.headers["Accept-Language"] = asked
    answer = await browser.ask()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Language"] == language
    directives = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    style = directives.pop("style-src")
    assert directives == {
        "default-src": "'none'",
        "form-action": "'self' https://portal.example.com",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert style.startswith("'sha256-")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    page = parsed(answer)
    assert set(page.tags) <= TAGS
    assert page.handlers == []
    assert page.asked == ["user_name", "password", "change"]
    assert "Portal &lt;b&gt;&amp;" in answer.text
    assert title in answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"redirect_uri": CALLBACK + "#x"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": CALLBACK.replace("https", "http")},
        {"redirect_uri": "https://intranet.example.com:443/callback"},
        {"redirect_uri": "https://intranet.example.com@evil.example/callback"},
        {"redirect_uri": "https://intranet.example.com/callback/../evil"},
        {"redirect_uri": "//evil.example"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": OTHER_CALLBACK},
        {"redirect_uri": None},
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "siem"},
        {"client_id": "Intranet"},
        {"client_id": "'; DROP TABLE client --"},
    ],
    ids=str,
)
async def test_nobody_is_led_where_no_client_has_registered(signing: Signing, changes: dict[str, Any]) -> None:
    browser = signing.browser()
    for rest in ({}, {"response_type": "token"}, {"code_challenge": None}):
        answer = await browser.ask(**{**rest, **changes})
        assert answer.status_code == 400
        assert "Location" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert "evil" not in answer.text
        assert parsed(answer).asked == []
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_disabled_client_leads_nowhere_not_even_from_a_page_that_is_open(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser(client_id="closing", redirect_uri=CALLBACK)
    application = signing.world.application
    async with application.database.unit_of_work() as unit:
        from app.auth.clients import NewClient  # noqa: PLC0415 — of this test alone

        await application.clients.add(unit.session, NewClient("closing", "Closing", confidential=False))
        await application.sign_in.redirects.add(unit.session, "closing", [CALLBACK], at=signing.clock.now())
    assert (await browser.ask()).status_code == 200
    async with application.database.unit_of_work() as unit:
        await application.clients.disable(unit.session, "closing")
    assert (await browser.send(user_name=person.name, password=PASSWORD)).status_code == 400
    assert (await browser.ask()).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error", "state"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request", True),
        ({"code_challenge_method": None}, "invalid_request", True),
        ({"code_challenge_method": "plain"}, "invalid_request", True),
        ({"state": None}, "invalid_request", False),
        ({"response_type": "token"}, "unsupported_response_type", True),
        ({"scope": "everything"}, "invalid_scope", True),
        ({"prompt": "none"}, "login_required", True),
        ({"acr_values": "urn:other"}, "unmet_authentication_requirements", True),
    ],
    ids=str,
)
async def test_the_client_is_told_by_redirect_what_is_wrong(
    signing: Signing,
    changes: dict[str, Any],
    error: str,
    state: bool,  # noqa: FBT001 — a column of the table
) -> None:
    answer = await signing.browser().ask(**changes)
    found = returned(answer)
    assert answer.headers["Location"].startswith(CALLBACK)
    assert (found["error"], found["iss"]) == (error, ISSUER)
    assert found.get("state") == ("af0ifjsldkj" if state else None)
    assert "code" not in found


async def test_a_state_that_would_end_a_header_is_refused_and_not_repeated(signing: Signing) -> None:
    answer = await signing.browser().ask(state="x\r\nSet-Cookie: a=b")
    assert "state" not in returned(answer)
    assert "\r" not in answer.headers["Location"]
    assert "set-cookie" not in answer.headers


async def test_who_has_an_account_cannot_be_told_from_who_has_none(signing: Signing) -> None:
    known, ended, suspended = await signing.person(), await signing.person(), await signing.person()
    bare, tampered = await signing.person(None), await signing.person()
    first = await signing.person(None)
    await signing.give(first.name, "nine grey pigeons here")
    async with signing.world.application.database.unit_of_work() as unit:
        await signing.world.application.accounts.disable(unit.session, ended.name)
        await signing.world.application.accounts.suspend(unit.session, suspended.name)
    await signing.run(f"UPDATE user_account SET tier = 'T5' WHERE user_name_key = '{tampered.name}'")
    signing.clock.advance(days=8)
    attempts = [
        (known.name, "wrong wrong wrong"),
        (known.name, PASSWORD + " "),
        (known.name, ""),
        (known.name, "x" * 200),
        ("no-such-name", PASSWORD),
        ("no such name", PASSWORD),
        ("", PASSWORD),
        ("不存在的人", PASSWORD),
        (ended.name, PASSWORD),
        (suspended.name, PASSWORD),
        (bare.name, PASSWORD),
        (tampered.name, PASSWORD),
        (first.name, "nine grey pigeons here"),
        ("intranet", PASSWORD),
    ]
    hasher, looks, work = signing.world.application.sign_in._hasher, [], []
    for name, password in attempts:
        browser = signing.browser()
        assert (await browser.ask()).status_code == 200
        before, rows = hasher.computed, await signing.run("SELECT sum(count) FROM sign_in_failure")
        answer = await browser.send(user_name=name or "", password=password)
        after = await signing.run("SELECT sum(count) FROM sign_in_failure")
        work.append((hasher.computed - before, int(after[0][0]) - int(rows[0][0] or 0)))
        looks.append(told(answer, name or "\x00"))
    shown = [(status, text.replace(' value="NAME"', ""), headers) for status, text, headers in looks]
    assert [each for each in shown if each != shown[0]] == []
    assert shown[0][0] == 403
    assert set(work) == {(1, 1)}
    reasons = {code for person in (known, ended, suspended, bare, first) for *_, code in await signing.events(person)}
    assert reasons == {
        "wrong_password",
        "account_disabled",
        "account_suspended",
        "no_password",
        "first_password_expired",
    }


async def test_an_unknown_name_goes_to_the_security_log_without_being_named(signing: Signing) -> None:
    with capture_logs() as lines:
        await signing.browser().sign_in("my-password-by-mistake")
    (line,) = [each for each in lines if each["event"] == "sign_in_failed"]
    assert line["reason"] == "unknown_account"
    assert line["address"].startswith("198.51.")
    assert "my-password" not in str(lines)


async def test_what_was_typed_stands_in_the_page_as_text(signing: Signing) -> None:
    for name in (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' autofocus onfocus='alert(1)",
        "&quot;",
    ):
        answer = await signing.browser().sign_in(name)
        page = parsed(answer)
        assert answer.status_code == 403
        assert "script" not in page.tags
        assert "img" not in page.tags
        assert page.handlers == []


async def test_a_name_fails_twenty_times_and_then_waits_whoever_it_is(signing: Signing) -> None:
    known = await signing.person()
    answers = []
    for name in (known.name, "nobody-at-all"):
        for _ in range(20):
            browser = signing.browser()
            assert (await browser.sign_in(name, "wrong wrong wrong")).status_code == 403
        browser = signing.browser()
        computed = signing.world.application.sign_in._hasher.computed
        answers.append(await browser.sign_in(name, PASSWORD))
        assert signing.world.application.sign_in._hasher.computed == computed
    assert told(answers[0], "-") == told(answers[1], "-")
    assert (answers[0].status_code, answers[0].headers["Retry-After"]) == (429, "3600")
    assert (await signing.events(known))[-2:] == [
        ("sign_in.fail", "refused", "wrong_password"),
        ("sign_in.lock", "refused", "locked"),
    ]
    signing.clock.advance(seconds=3600)
    assert "code" in returned(await signing.browser().sign_in(known.name))
    assert await signing.run("SELECT count(*) FROM sign_in_failure WHERE count > 1 AND key IS NULL") == [(0,)]
    for _ in range(19):
        assert (await signing.browser().sign_in(known.name, "wrong wrong wrong")).status_code == 403
    assert "code" in returned(await signing.browser().sign_in(known.name))


async def test_one_address_waits_for_itself_alone(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    assert (await browser.ask()).status_code == 200
    for _ in range(10):
        assert (await browser.send(user_name=person.name, password="wrong wrong wrong")).status_code == 403
    waiting = await browser.send(user_name=person.name, password=PASSWORD)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (429, "60")
    assert "code" in returned(await signing.browser().sign_in(person.name))


async def test_a_burst_of_guesses_at_one_name_is_counted_whole(signing: Signing) -> None:
    person = await signing.person()
    browsers = [signing.browser() for _ in range(12)]
    for each in browsers:
        await each.ask()
    answers = await asyncio.gather(
        *(each.send(user_name=person.name, password=f"guess number {at}") for at, each in enumerate(browsers))
    )
    statuses = [each.status_code for each in answers]
    assert set(statuses) <= {403, 429}
    failed = [each for each in await signing.events(person) if each[0] == "sign_in.fail"]
    assert len(failed) == statuses.count(403) >= 1


SITES: Final = {"another site": "cross-site", "another host of ours": "same-site"}


async def forged(browser: Browser, signing: Signing, way: str) -> httpx.Response:
    """Send a form that the page did not make for this browser."""
    person = await signing.person()
    typed = {"user_name": person.name, "password": PASSWORD}
    await browser.ask()
    match way:
        case "no cookie":
            browser.http.cookies.clear()
        case "another browser's cookie":
            other = signing.browser()
            await other.ask()
            browser.http.cookies = other.http.cookies
        case "an invented cookie":
            browser.http.cookies.clear()
            browser.http.cookies.set("duanhao-sign-in", "A" * 43)
        case "no request":
            browser.hidden = {}
        case "an altered request":
            text = browser.hidden["request"]
            browser.hidden = {"request": text[:60] + ("A" if text[60] != "A" else "B") + text[61:]}
        case "a proof for a request":
            step = await browser.send(user_name=person.name, password=PASSWORD, change="yes")
            browser.hidden = {"request": parsed(step).hidden["proof"]}
        case "a request for a proof":
            browser.hidden = {**browser.hidden, "proof": browser.hidden["request"]}
        case "a page that lay open too long":
            signing.clock.advance(seconds=LIFETIME_SECONDS)
        case _:
            return await browser.send({"Sec-Fetch-Site": SITES[way]}, **typed)
    return await browser.send(**typed)


@pytest.mark.parametrize(
    "way",
    [
        "no cookie",
        "another browser's cookie",
        "an invented cookie",
        "no request",
        "an altered request",
        "a proof for a request",
        "a request for a proof",
        "a page that lay open too long",
        "another site",
        "another host of ours",
    ],
)
async def test_a_form_that_the_page_did_not_make_signs_nobody_in(signing: Signing, way: str) -> None:
    before = await codes(signing)
    answer = await forged(signing.browser(), signing, way)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert parsed(answer).asked == []
    assert await codes(signing) == before


async def test_a_form_from_the_page_itself_is_taken(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    await browser.ask()
    answer = await browser.send({"Sec-Fetch-Site": "same-origin"}, user_name=person.name, password=PASSWORD)
    assert "code" in returned(answer)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"x=" + b"y" * MAX_FORM_BYTES),
        (FORM, b"x=y&" * 100),
        (FORM, b"x=%ff"),
        (FORM, "名=值".encode()),
        (FORM, b"request=a&request=b"),
        (FORM, b""),
        ("application/json", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"request=a"),
    ],
    ids=str,
)
async def test_what_is_no_form_is_a_page_that_says_so(signing: Signing, content_type: str, body: bytes) -> None:
    browser = signing.browser()
    answer = await browser.http.post("/oauth/authorize", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 400
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_form_of_many_megabytes_is_refused_at_the_edge(signing: Signing) -> None:
    content = b"x=" + b"y" * 2_000_000
    answer = await signing.browser().http.post("/oauth/authorize", content=content, headers={"Content-Type": FORM})
    assert answer.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_none_of_the_page(signing: Signing, method: str) -> None:
    assert (await signing.browser().http.request(method, "/oauth/authorize")).status_code == 405


async def test_a_first_password_leads_through_its_change_and_to_nothing_else(signing: Signing) -> None:
    person, browser = await signing.person(None), signing.browser()
    await signing.give(person.name, "given by the operator")
    answer = await browser.sign_in(person.name, "given by the operator")
    assert (answer.status_code, parsed(answer).asked) == (200, ["new_password", "again"])
    assert parsed(answer).hidden["user_name"] == person.name, "a password manager has to know whose it is"
    for new, again, words in (
        ("short", "short", "at least 12"),
        (NEW, NEW + "x", "not the same"),
        (f"my {person.name} secret", f"my {person.name} secret", "user name"),
        ("password1234", "password1234", "guessed"),
        ("given by the operator", "given by the operator", "lately"),
        ("", "", "at least 12"),
    ):
        refused = await browser.send(new_password=new, again=again)
        assert (refused.status_code, words in refused.text) == (400, True), new
    done = await browser.send(new_password=NEW, again=NEW)
    assert "code" in returned(done)
    assert (await signing.browser().sign_in(person.name, "given by the operator")).status_code == 403
    assert "code" in returned(await signing.browser().sign_in(person.name, NEW))
    assert [each[0] for each in await signing.events(person)] == [
        "password.change",
        "sign_in.complete",
        "sign_in.fail",
        "sign_in.complete",
    ]


async def test_a_proof_is_good_for_its_own_question_and_until_something_changes(signing: Signing) -> None:
    person, browser = await signing.person(None), signing.browser()
    await signing.give(person.name, "given by the operator")
    await browser.sign_in(person.name, "given by the operator")
    proven, question = dict(browser.hidden), browser.hidden["request"]
    await browser.ask(state="another-question")
    assert browser.hidden["request"] != question
    browser.hidden = {**browser.hidden, "proof": proven["proof"]}
    assert (await browser.send(new_password=NEW, again=NEW)).status_code == 400
    async with signing.world.application.database.unit_of_work() as unit:
        await signing.world.application.accounts.suspend(unit.session, person.name)
    browser.hidden = proven
    assert (await browser.send(new_password=NEW, again=NEW)).status_code == 400
    async with signing.world.application.database.unit_of_work() as unit:
        await signing.world.application.accounts.activate(unit.session, person.name)
    browser.hidden = proven
    assert (await browser.send(new_password=NEW, again=NEW)).status_code == 400


async def test_a_proof_is_over_after_five_minutes(signing: Signing) -> None:
    person, browser = await signing.person(None), signing.browser()
    await signing.give(person.name, "given by the operator")
    await browser.sign_in(person.name, "given by the operator")
    signing.clock.advance(seconds=300)
    assert (await browser.send(new_password=NEW, again=NEW)).status_code == 400


async def test_passwords_grow_old_and_do_not_come_back(signing: Signing) -> None:
    person = await signing.person("alpha heron lake 0")
    for at in range(1, 6):
        signing.clock.advance(days=366)
        browser = signing.browser()
        due = await browser.sign_in(person.name, f"alpha heron lake {at - 1}")
        assert parsed(due).asked == ["new_password", "again"]
        for before in range(at):
            again = f"alpha heron lake {before}"
            assert (await browser.send(new_password=again, again=again)).status_code == 400
        new = f"alpha heron lake {at}"
        assert "code" in returned(await browser.send(new_password=new, again=new))
    signing.clock.advance(days=366)
    browser = signing.browser()
    await browser.sign_in(person.name, "alpha heron lake 5")
    forgotten = "alpha heron lake 0"
    assert "code" in returned(await browser.send(new_password=forgotten, again=forgotten))


async def test_a_password_is_changed_when_its_person_wants_to(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    tokens = await signing.browser().tokens(person.name)
    await browser.ask()
    form = await browser.send(user_name=person.name, password=PASSWORD, change="yes")
    assert parsed(form).asked == ["new_password", "again"]
    code = returned(await browser.send(new_password=NEW, again=NEW))["code"]
    assert (await browser.exchange(code)).status_code == 200
    assert (await browser.call(tokens["access_token"])).status_code == 401
    assert (await browser.refresh(tokens["refresh_token"])).status_code == 400


async def test_a_password_is_kept_as_its_hash_and_in_no_log(signing: Signing) -> None:
    person = await signing.person()
    with capture_logs() as lines:
        await signing.browser().code(person.name)
        await signing.browser().sign_in(person.name, "wrong heron wrong heron")
    rows = await signing.run(f"SELECT password_hash FROM user_account WHERE user_name_key = '{person.name}'")
    assert rows[0][0].startswith("$argon2id$")
    everything = str(lines) + str(await signing.run("SELECT * FROM password"))
    assert "heron" not in everything


async def test_a_step_up_asks_for_a_code_after_the_password(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    phone = await browser.enrol(person.name)
    form = await browser.sign_in(person.name, acr_values=STEP_UP)
    assert (form.status_code, parsed(form).asked) == (200, ["code"])
    for typed in ("", "000000" if phone.code() != "000000" else "111111", phone.code(2), phone.code(-2)):
        refused = await browser.send(code=typed)
        assert (refused.status_code, parsed(refused).asked) == (403, ["code"])
    skipped = await browser.send(new_password=NEW, again=NEW)
    assert skipped.status_code == 403
    code = returned(await browser.send(code=phone.code()))["code"]
    token = (await browser.exchange(code)).json()["access_token"]
    assert (await browser.call(token)).json()["standing"]["step_up"] is True
    signing.clock.advance(seconds=601)
    assert (await browser.call(token)).json()["standing"]["step_up"] is False


async def test_a_code_is_taken_once_also_by_two_at_once(signing: Signing) -> None:
    person, first, second = await signing.person(), signing.browser(), signing.browser()
    phone = await first.enrol(person.name)
    for browser in (first, second):
        await browser.sign_in(person.name, acr_values=STEP_UP)
    shown = phone.code()
    answers = await asyncio.gather(first.send(code=shown), second.send(code=shown))
    assert sorted(each.status_code for each in answers) in ([303, 403], [303, 429])
    for browser in (first, second):
        await browser.sign_in(person.name, acr_values=STEP_UP)
        assert (await browser.send(code=shown)).status_code == 403
        assert (await browser.send(code=phone.code(-1))).status_code == 403
    reasons = [code for action, _, code in await signing.events(person) if action == "sign_in.fail"]
    assert "code_reused" in reasons


async def test_codes_are_guessed_twenty_times_at_most(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    phone = await browser.enrol(person.name)
    for at in range(20):
        each = signing.browser()
        await each.sign_in(person.name, acr_values=STEP_UP)
        assert (await each.send(code=f"{at:06}" if f"{at:06}" != phone.code() else "999999")).status_code == 403
    last = signing.browser()
    await last.sign_in(person.name, acr_values=STEP_UP)
    assert (await last.send(code=phone.code())).status_code == 429


async def test_without_codes_a_step_up_is_told_to_be_unmet(signing: Signing) -> None:
    person = await signing.person()
    found = returned(await signing.browser().sign_in(person.name, acr_values=STEP_UP))
    assert (found["error"], found["state"]) == ("unmet_authentication_requirements", "af0ifjsldkj")
    assert (await signing.events(person))[-1] == ("sign_in.fail", "refused", "unmet_authentication_requirements")


async def test_who_has_codes_changes_no_password_without_one(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    phone = await browser.enrol(person.name)
    await signing.give(person.name, "given by the operator")
    form = await browser.sign_in(person.name, "given by the operator")
    assert parsed(form).asked == ["code"]
    assert (await browser.send(new_password=NEW, again=NEW)).status_code == 403
    form = await browser.send(code=phone.code())
    assert parsed(form).asked == ["new_password", "again"]
    assert "code" in returned(await browser.send(new_password=NEW, again=NEW))


async def test_scopes_are_those_that_the_person_may_have(signing: Signing) -> None:
    person = await signing.person()
    tokens = await signing.browser().tokens(person.name, scope="contacts:read hr:write")
    assert tokens["scope"] == "contacts:read"
    found = returned(await signing.browser().sign_in(person.name, scope="hr:write"))
    assert found["error"] == "invalid_scope"


async def test_two_pages_of_one_browser_are_both_good(signing: Signing) -> None:
    person, browser = await signing.person(), signing.browser()
    await browser.ask(state="one")
    first = dict(browser.hidden)
    await browser.ask(state="two")
    browser.hidden = first
    assert returned(await browser.send(user_name=person.name, password=PASSWORD))["state"] == "one"


async def test_addresses_are_kept_listed_and_taken_back(signing: Signing) -> None:
    redirects, database = signing.world.application.sign_in.redirects, signing.world.application.database
    now, uris = signing.clock.now(), ["https://a.example.com/1", "https://a.example.com/2"]
    async with database.unit_of_work() as unit:
        await redirects.add(unit.session, "directory-sync", uris, at=now)
    assert await redirects.of(database.reader, "directory-sync") == uris
    for refused, error in ((uris[0], RedirectExists), ("https://a.example.com/#", MalformedRedirect)):
        with pytest.raises(error):
            async with database.unit_of_work() as unit:
                await redirects.add(unit.session, "directory-sync", ["https://a.example.com/3", refused], at=now)
    await signing.run("UPDATE redirect_uri SET uri = 'https://evil.example/' WHERE uri = 'https://a.example.com/2'")
    assert await redirects.of(database.reader, "directory-sync") == uris[:1]
    await signing.run("UPDATE redirect_uri SET client_id = 'siem' WHERE uri = 'https://a.example.com/1'")
    assert await redirects.of(database.reader, "siem") == []
    assert await redirects.of(database.reader, "directory-sync") == []
    with pytest.raises(RedirectNotFound):
        async with database.unit_of_work() as unit:
            await redirects.remove(unit.session, "directory-sync", uris[0])


async def test_a_password_row_that_sql_wrote_lets_nobody_in(signing: Signing) -> None:
    person = await signing.person(None)
    await signing.give(person.name, "given by the operator")
    condition = f"account_id = (SELECT id FROM user_account WHERE user_name_key = '{person.name}')"
    await signing.run(f"UPDATE password SET temporary = false WHERE {condition}")
    assert (await signing.browser().sign_in(person.name, "given by the operator")).status_code == 403


async def test_the_question_is_asked_by_get_alone_and_leaves_nothing_behind(signing: Signing) -> None:
    tables = ("authorization_code", "token_family", "refresh_token", "sign_in_failure", "audit_intent")
    await signing.world.settle()
    before = [await signing.run(f"SELECT count(*) FROM {table}") for table in tables]
    for _ in range(5):
        await signing.browser().ask()
    browser = signing.browser()
    await browser.http.post("/oauth/authorize", content=urlencode(browser.question()), headers={"Content-Type": FORM})
    assert [await signing.run(f"SELECT count(*) FROM {table}") for table in tables] == before


async def test_without_a_store_the_page_says_to_try_again(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.kit.errors import Unavailable  # noqa: PLC0415 — of this test alone

    person, browser = await signing.person(), signing.browser()
    await browser.ask()

    def gone(*_: object, **__: object) -> None:
        raise Unavailable

    page = signing.world.application.sign_in.page
    monkeypatch.setattr(page._families, "add_code", gone)
    answer = await browser.send(user_name=person.name, password=PASSWORD)
    assert (answer.status_code, "Location" in answer.headers) == (503, False)
    monkeypatch.setattr(page._redirects, "of", gone)
    assert (await browser.ask()).status_code == 503
