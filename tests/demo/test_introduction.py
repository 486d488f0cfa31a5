"""What a first start prints: calls that work when pasted, in two languages; what was there stays, and production gets none of it."""

import asyncio
import base64
import io
import re
import shlex
import shutil
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
import typer
from typer.testing import CliRunner

from app.audit.repository import EventFilter, FoundEvent
from app.cli.demo import app, introduce
from app.composition import open_application
from app.config import KeysSettings, Settings
from app.demo.introduction import TOKEN_SECONDS, Caller
from app.main import create_app
from tests.demo.small import small
from tests.support.application import opened_world
from tests.support.stores import SqliteTestStore, settings_for

URL = "http://127.0.0.1:8000"
CONTACTS = len(small().contacts)
DEPARTMENTS = len(small().departments)


def introduced(settings: Settings, url: str = URL) -> str:
    """Start as ``serve --demo`` does, and give what it prints."""
    with redirect_stdout(io.StringIO()) as printed:
        introduce(settings, url)
    return printed.getvalue()


@pytest.fixture(scope="module")
def first(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """Start once on an empty store: its settings, and what was printed."""
    folder = tmp_path_factory.mktemp("introduced") / "var"
    shutil.copytree(sqlite_template, folder)
    folder.chmod(0o700)
    settings = settings_for(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.demo.loader.company", small)
        return settings, introduced(settings)


@dataclass(frozen=True, slots=True)
class Printed:
    """A command as a shell reads it."""

    token: str
    address: str
    body: str | None


def printed_calls(printed: str) -> list[Printed]:
    """Read the commands as a shell would."""
    found = []
    for line in printed.splitlines():
        if line.startswith("curl"):
            program, quiet, header, authorization, address, *sent = shlex.split(line)
            assert (program, quiet, header) == ("curl", "-s", "-H")
            assert sent[:-1] in ([], ["-H", "Content-Type: application/json", "-d"])
            found.append(
                Printed(authorization.removeprefix("Authorization: Bearer "), address, sent[-1] if sent else None)
            )
    return found


def expiry(token: str) -> int:
    """Read when a token ends."""
    payload = token.split(".")[1]
    end: int = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
    return end


async def pasted(settings: Settings, calls: list[Printed]) -> list[Any]:
    """Make the calls in order and give their answers; each must be a success."""
    async with open_application(settings) as application:
        transport = httpx.ASGITransport(app=create_app(settings, application))
        answers = []
        async with httpx.AsyncClient(transport=transport) as client:
            for each in calls:
                headers = {"Authorization": f"Bearer {each.token}", "Content-Type": "application/json"}
                method = "GET" if each.body is None else "POST"
                answer = await client.request(method, each.address, headers=headers, content=each.body)
                assert answer.is_success, answer.text
                answers.append(answer.json())
        return answers


async def token_events(settings: Settings) -> list[FoundEvent]:
    async with open_application(settings) as application:
        return (await application.events.search(EventFilter(action="token.mint"), limit=100)).events


async def minted(settings: Settings, names: list[str]) -> set[UUID]:
    async with open_application(settings) as application:
        reader = application.database.reader
        return {UUID((await application.tokens.mint(reader, name)).jti) for name in names}


def test_a_first_start_says_what_there_is(first: tuple[Settings, str]) -> None:
    _, printed = first
    assert f"{URL}/docs" in printed
    assert f"{CONTACTS} contacts, {DEPARTMENTS} departments, loaded" in printed
    assert f"{CONTACTS} 个联系人、{DEPARTMENTS} 个部门，已载入" in printed
    for at, caller in enumerate(Caller, start=1):
        assert f"\n{at}. {caller.en}: " in printed
        assert f"\n   {caller.zh}：" in printed
    assert f"{TOKEN_SECONDS // 3600} hours" in printed
    assert f"{TOKEN_SECONDS // 3600} 小时内有效" in printed


def test_the_calls_work_as_they_are_printed(first: tuple[Settings, str]) -> None:
    settings, printed = first
    calls = printed_calls(printed)
    assert all(0 <= TOKEN_SECONDS - (expiry(each.token) - time.time()) < 600 for each in calls)
    joined, card, numbers, looks = asyncio.run(pasted(settings, calls))
    assert (joined["state"], len(joined["numbers"])) == ("applied", 1)
    assert [each["state"] for each in numbers["numbers"]] == ["assigned"]
    assert card["user_name"] == "demo-colleague"
    states = {card[name]["state"] for name in ("email", "mobile", "fax", "id_number")}
    assert states == {"shown", "masked", "empty", "withheld"}
    look = looks["items"][0]
    assert (look["id"], look["action"]) == (card["disclosure"]["event_id"], "contact.read")
    assert look["contacts"][0]["fields"]["mobile"] == "masked"


def test_a_second_start_keeps_the_data_and_prints_fresh_calls(first: tuple[Settings, str]) -> None:
    settings, printed = first
    before = printed_calls(printed)
    again = introduced(settings, "http://0.0.0.0:8123")
    assert "kept as it was" in again
    assert "保留原有数据" in again
    after = printed_calls(again)
    assert [each.address.replace(":8123", ":8000") for each in after] == [each.address for each in before]
    assert {each.token for each in before}.isdisjoint(each.token for each in after)
    first_time, second_time = (asyncio.run(pasted(settings, calls)) for calls in (before, after))
    assert (first_time[0], first_time[2]) == (second_time[0], second_time[2])


def test_tokens_of_the_calls_are_on_record(first: tuple[Settings, str]) -> None:
    settings, _ = first
    before = {each.event.id for each in asyncio.run(token_events(settings))}
    calls = printed_calls(introduced(settings))
    events = [each.event for each in asyncio.run(token_events(settings)) if each.event.id not in before]
    assert len(events) == len(calls) == 4
    assert all(each.actor_type == "operator" and str(each.actor_id).startswith("os:") for each in events)
    assert not re.search("demo-(staff|infosec)|hr-system|it-scripts", str([each.query for each in events]))


def test_everybody_who_is_named_can_have_a_token(first: tuple[Settings, str]) -> None:
    settings, printed = first
    line = next(line for line in printed.splitlines() if line.startswith("NAME"))
    names = line.partition("：")[2].split(", ")
    assert len(names) == 20
    assert len(asyncio.run(minted(settings, names))) == 20


def test_a_store_of_somebody_elses_gets_no_calls(sqlite_store: SqliteTestStore) -> None:
    async def founded() -> None:
        async with opened_world(sqlite_store.settings):
            pass

    asyncio.run(founded())
    printed = introduced(sqlite_store.settings)
    assert printed_calls(printed) == []
    assert "other data than the demo" in printed
    assert "库中不是演示数据" in printed


def test_the_command_loads_an_empty_store_and_refuses_any_other(
    sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUANHAO_DATA_DIR", str(sqlite_store.settings.data_dir))
    first, second = (CliRunner().invoke(app, ["load"], catch_exceptions=False) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 2)
    assert f"{CONTACTS} contacts, {DEPARTMENTS} departments, loaded" in first.stdout
    assert f"the store is not empty · 数据库非空: {CONTACTS} contacts" in second.stderr
    assert second.stdout == ""


def test_production_gets_no_demo(sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    production = Settings(
        env="production",
        data_dir=sqlite_store.settings.data_dir,
        keys=KeysSettings(file=sqlite_store.settings.root_key_file),
    )
    with pytest.raises(typer.BadParameter, match="production takes no demo"):
        introduce(production, URL)
    monkeypatch.setenv("DUANHAO_ENV", "production")
    monkeypatch.setenv("DUANHAO_KEYS__PROVIDER", "env")
    result = CliRunner().invoke(app, ["load"])
    assert result.exit_code == 2
    assert not sqlite_store.settings.root_key_file.exists()
