"""``keys rotate`` beside a service that runs: it takes the new keys up, and what the old ones signed lives as long as it should."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jose import jws
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app.cli.keys import app
from app.config import Settings
from app.crypto.rotation import RotationRefused
from app.kit.errors import Unavailable
from tests.support.application import World


@contextmanager
def settings_of(settings: Settings) -> Iterator[None]:
    """Put where the store is into the environment, as an operator does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DUANHAO_DATA_DIR", str(settings.data_dir))
        if settings.database.url is not None:
            patch.setenv("DUANHAO_DATABASE__URL", settings.database.url.get_secret_value())
        yield


def run(settings: Settings, *arguments: str | Path) -> Result:
    with settings_of(settings):
        return CliRunner().invoke(app, [str(each) for each in arguments])


class Operator:
    """Runs ``keys`` beside the service, and asks the service."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def keys(self, *arguments: str) -> Result:
        """Run a command in a thread, then let the service's next look at its keys come."""
        result = await asyncio.to_thread(run, self.world.application.settings, *arguments)
        await asyncio.sleep(1.05)
        return result

    async def done(self, *arguments: str) -> list[str]:
        result = await self.keys(*arguments)
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    async def published(self) -> list[str]:
        answer = await (await self.world.as_(None)).get("/.well-known/jwks.json")
        return [key["kid"] for key in answer.json()["keys"]]

    async def status(self, token: str) -> int:
        http = await self.world.as_(None)
        return (await http.get("/v1/departments", headers={"Authorization": f"Bearer {token}"})).status_code

    async def later(self, days: float) -> None:
        """Move what the store knows of its keys into the past."""
        postgresql = self.world.application.database.dialect == "postgresql"
        moved = f"since - interval '{days} days'" if postgresql else f"since - {int(days * 86_400_000_000)}"
        async with self.world.application.database.unit_of_work() as unit:
            await unit.session.execute(text(f"UPDATE signing_key SET since = {moved} WHERE since IS NOT NULL"))


def kid_of(token: str) -> str:
    header: dict[str, Any] = jws.get_unverified_header(token)
    return str(header["kid"])


async def test_token_keys_turn_while_the_service_runs(world: World) -> None:
    operator = Operator(world)
    first_token = await world.token("staff")
    (first,) = await operator.published()
    assert kid_of(first_token) == first

    began, published = await operator.done("rotate", "token")
    assert began == "no other key signs yet"
    second = published.removeprefix("next: ")
    assert await operator.published() == [first, second], "who keeps our key set has the next key before it signs"
    assert kid_of(await world.token("staff")) == first

    early = await operator.keys("rotate", "token")
    assert isinstance(early.exception, RotationRefused)
    assert await operator.published() == [first, second]

    await operator.later(days=0.02)
    signs, published = await operator.done("rotate", "token")
    assert signs == f"signs now: {second}"
    third = published.removeprefix("next: ")
    assert await operator.published() == [second, third, first]
    second_token = await world.token("staff")
    assert kid_of(second_token) == second
    assert [await operator.status(token) for token in (first_token, second_token)] == [200, 200]

    await operator.later(days=31)
    signs, published, retired = await operator.done("rotate", "token")
    fourth = published.removeprefix("next: ")
    assert (signs, retired) == (f"signs now: {third}", f"retired: {first}")
    assert set(await operator.published()) == {third, fourth, second}
    assert [await operator.status(token) for token in (first_token, second_token)] == [401, 200]

    lines = await operator.done("status")
    assert any(line.startswith(f"token current {third} since 20") for line in lines)
    assert any(line.startswith(f"token next {fourth} since 20") for line in lines)
    await world.settle()
    found = await (await world.as_("infosec")).get("/v1/access-events", params={"action": "keys.rotate"})
    assert len(found.json()["items"]) == 3, "the refused turn left nothing"


async def test_after_a_compromise_nothing_of_before_is_trusted(sqlite_world: World) -> None:
    operator = Operator(sqlite_world)
    await operator.done("rotate", "token")
    before = await operator.published()
    token = await sqlite_world.token("staff")
    assert await operator.status(token) == 200
    signs, published, retired = await operator.done("rotate", "token", "--compromised")
    assert retired == f"retired: {before[0]}"
    assert await operator.published() == [signs.removeprefix("signs now: "), published.removeprefix("next: ")]
    assert set(before).isdisjoint(await operator.published()), "a key that waited may be known too"
    assert await operator.status(token) == 401
    assert await operator.status(await sqlite_world.token("staff")) == 200


async def test_a_new_root_key_changes_nothing_for_callers(sqlite_world: World) -> None:
    operator = Operator(sqlite_world)
    token = await sqlite_world.token("staff")
    (before,) = [line for line in await operator.done("status") if line.startswith("root ")]
    (told,) = await operator.done("rotate", "root")
    (after,) = [line for line in await operator.done("status") if line.startswith("root ")]
    assert before.split()[1] != after.split()[1] == told.split()[1]
    assert await operator.status(token) == 200
    http: httpx.AsyncClient = await sqlite_world.as_("staff")
    body = {"fields": ["mobile"], "purpose": "work_contact", "reason": "a reason that is long enough"}
    answer = await http.post(f"/v1/contacts/{sqlite_world.people['colleague']}/reveals", json=body)
    assert answer.status_code == 200


async def test_without_a_store_to_ask_the_keys_of_before_are_published(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = Operator(sqlite_world)
    before = await operator.published()

    async def silent(*_: object) -> int:
        raise Unavailable

    await asyncio.sleep(1.05)
    monkeypatch.setattr("app.auth.key_renewal.epochs.value", silent)
    assert await operator.published() == before
