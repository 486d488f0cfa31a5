"""``users`` and ``clients`` as an operator types them for sign-in: what is printed, what is put on record, what is refused."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from app.audit.events import decode_event
from app.cli import giving
from app.cli.root import app
from app.kit.errors import Problem
from tests.support.signing import PASSWORD, Signing, opened_signing, parsed, returned
from tests.support.stores import SqliteTestStore

NEW: Final = "eleven loud magpies"


@pytest.fixture
def named(sqlite_store: SqliteTestStore) -> Iterator[SqliteTestStore]:
    """Name a store in the environment, as an operator does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DUANHAO_")]:
            patch.delenv(name)
        patch.setenv("DUANHAO_DATA_DIR", str(sqlite_store.settings.data_dir))
        patch.setenv("DUANHAO_SIGN_IN__ARGON2_MEMORY_KIB", "19456")
        yield sqlite_store


@pytest.fixture
async def signing(named: SqliteTestStore) -> AsyncIterator[Signing]:
    """Serve the store that the commands work on."""
    async with opened_signing(named) as found:
        yield found


async def run(*arguments: str, typed: str | None = None) -> Result:
    """Run a command beside the service; a refusal of ours is left as it was raised."""
    done = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), typed)
    assert done.exception is None or isinstance(done.exception, Problem | SystemExit), done.exception
    return done


def refusal(done: Result) -> str:
    """Give the code of what a command was refused for."""
    assert isinstance(done.exception, Problem)
    return done.exception.code


async def operators(signing: Signing) -> list[tuple[str, str]]:
    """List action and query of the operator's events, as they lie in the log."""
    await signing.world.settle()
    async with signing.world.application.database.log_engine.connect() as connection:
        rows = await connection.exec_driver_sql('SELECT payload FROM event ORDER BY "index"')
        events = [decode_event(bytes(row[0])) for row in rows]
    return [(each.action, str(each.query)) for each in events if each.actor_type == "operator" and each.query]


async def test_a_first_password_is_printed_once_and_leads_through_its_change(signing: Signing) -> None:
    signing.clock.move_to(datetime.now(UTC))
    done = await run("users", "set-password", "staff")
    (password,) = done.stdout.split()
    assert len(password) == 23
    browser = signing.browser()
    signing.clock.move_to(datetime.now(UTC))
    form = await browser.sign_in("staff", password)
    assert parsed(form).asked == ["new_password", "again"]
    assert "code" in returned(await browser.send(new_password=NEW, again=NEW))
    actions = await operators(signing)
    assert actions[-1][0] == "account.set_password"
    assert password not in str(actions)
    assert "staff" not in str(actions[-1])


@pytest.mark.usefixtures("signing")
async def test_an_operator_may_type_one_that_keeps_the_rules() -> None:
    done = await run("users", "set-password", "staff", "--prompt", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in done.output
    refused = await run("users", "set-password", "staff", "--prompt", typed="password1234\npassword1234\n")
    assert refusal(refused) == "password_refused"


@pytest.mark.usefixtures("signing")
async def test_nobody_has_no_password_and_no_codes() -> None:
    assert refusal(await run("users", "set-password", "nobody")) == "account_not_found"
    assert refusal(await run("users", "reset-totp", "nobody")) == "account_not_found"
    assert refusal(await run("users", "reset-totp", "staff")) == "totp_not_begun"


async def test_codes_of_a_lost_phone_are_reset(signing: Signing) -> None:
    person = await signing.person()
    await signing.browser().enrol(person.name)
    assert (await run("users", "reset-totp", person.name)).exit_code == 0
    token = (await signing.browser().tokens(person.name))["access_token"]
    assert (await signing.browser().call(token, "/v1/me/totp")).json()["enrolled"] is False
    assert (await operators(signing))[-1][0] == "account.reset_totp"


async def test_addresses_are_registered_listed_and_taken_back(
    signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What two operators are asked is ``test_no_bypass``'s to show; here the second has come."""

    async def come(*asked: object, **how: object) -> None:
        del asked, how

    monkeypatch.setattr(giving, "second", come)
    one, two = "https://one.example.com/cb", "https://two.example.com/cb"
    await run("clients", "add", "portal-2", "--name", "Portal", "--front-end", "--redirect-uri", one)
    assert (await run("clients", "redirect-uris", "portal-2")).stdout.split() == [one]
    done = await run("clients", "redirect-uris", "portal-2", "--add", two, "--remove", one)
    assert done.stdout.split() == [two]
    actions = await operators(signing)
    assert [each[0] for each in actions[-2:]] == ["client.create", "client.redirect_uris"]
    assert two in actions[-1][1]
    for arguments, code in (
        (("portal-2", "--add", "http://evil.example/"), "malformed_redirect_uri"),
        (("portal-2", "--add", two), "redirect_uri_exists"),
        (("portal-2", "--remove", one), "redirect_uri_not_found"),
        (("nobody",), "client_not_found"),
    ):
        assert refusal(await run("clients", "redirect-uris", *arguments)) == code
    assert (await run("clients", "redirect-uris", "portal-2")).stdout.split() == [two]
    refused = await run("clients", "add", "portal-3", "--name", "x", "--front-end", "--redirect-uri", one + "#x")
    assert refusal(refused) == "malformed_redirect_uri"
    assert "portal-3" not in (await run("clients", "list")).stdout
