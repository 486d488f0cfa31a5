"""``duanhao numbers hold`` to ``retire`` against a running service: each does its one thing, and says how the number stands."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from typer.testing import CliRunner

from app.cli.root import app
from tests.numbers.calls import add_pool, allocate, it_client, release
from tests.support.application import World
from tests.support.server import free_port
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Shell:
    """Runs commands with a caller's token."""

    def __init__(self, url: str, token: str) -> None:
        self._environment = {"DUANHAO_URL": url, "DUANHAO_TOKEN": token}

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Give the exit code of ``duanhao numbers …`` and what it says, which is where complaints go when it complains."""
        called = ["numbers", *arguments]
        done = await asyncio.to_thread(CliRunner().invoke, app, called, env=self._environment)
        return done.exit_code, done.stdout if done.exit_code == 0 else done.stderr

    async def does(self, *arguments: str) -> str:
        """Give the output of what must succeed."""
        code, output = await self.run(*arguments)
        assert code == 0, output
        return output.strip()


@pytest_asyncio.fixture(loop_scope="session")
async def shell(shared: World) -> AsyncIterator[Shell]:
    """Serve the shared company, and call it as the IT scripts."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(shared.app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — uvicorn offers a flag and no event
        await asyncio.sleep(0.01)
    try:
        yield Shell(f"http://127.0.0.1:{port}", await shared.token("it-scripts"))
    finally:
        server.should_exit = True
        await serving


async def test_holds_are_made_seen_extended_and_dropped(shared: World, shell: Shell) -> None:
    pool = await add_pool(shared, 5)
    made = json.loads(await shell.does("hold", pool.code, "--purpose", "热线", "--count", "2", "--json"))
    assert made["numbers"] == [pool.digits(0), pool.digits(1)]
    line = await shell.does("hold", pool.code, "--purpose", "热线", "--digits", pool.digits(4), "--minutes", "5")
    assert f"{pool.code}: {pool.digits(4)} · until" in line
    listed = await shell.does("holds", "--pool", pool.code)
    assert listed.splitlines()[1].startswith(f"{made['id']} {pool.code}: {pool.digits(0)} {pool.digits(1)}")
    assert "more" in await shell.does("holds", "--pool", pool.code, "--limit", "1")
    longer = json.loads(await shell.does("extend", made["id"], "--minutes", "45", "--json"))
    assert longer["expires_at"] > made["expires_at"]
    assert "dropped" in await shell.does("drop", made["id"])
    code, output = await shell.run("drop", made["id"])
    assert (code, "hold_over" in output) == (1, True)
    assert (await shell.run("extend", "01890000-0000-7000-8000-000000000000"))[0] == 2
    assert (await shell.run("hold", pool.code, "--purpose", "热线", "--count", "5"))[0] == 1
    assert await shell.does("holds", "--pool", "nowhere") == "none 无"


async def test_numbers_are_passed_on_and_taken_aside(shared: World, shell: Shell) -> None:
    pool, one, two = await add_pool(shared, 6, confirms=True), await add_person(shared), await add_person(shared)
    first, second = await allocate(shared, pool, one.id, 2)
    assert await shell.does("confirm", first) == f"{first} assigned"
    assert await shell.does("transfer", first, "--to", str(two.id)) == f"{first} assigned"
    assert (await shell.run("transfer", first, "--to", str(two.id)))[0] == 2
    assert (await shell.does("swap", first, second)).splitlines() == [f"{first} assigned", f"{second} provisioning"]
    await release(shared, first)
    assert await shell.does("restore", first) == f"{first} provisioning"
    assert await shell.does("block", first, "--reason", "harassed") == f"{first} blocked"
    assert await shell.does("unblock", first) == f"{first} blocks ended 已解除"
    assert "retired" in await shell.does("retire", first)
    third = pool.digits(3)
    until = "2099-01-31T18:00:00+08:00"
    assert (await shell.does("reserve", third, "--purpose", "总机", "--until", until)).startswith(
        f"{third} reserved · "
    )
    assert "ended" in await shell.does("unreserve", third, "--domain", "main")
    assert (await shell.run("unreserve", third))[0] == 1
    assert (await shell.run("block", third, "--reason", "boredom"))[0] == 2
    seen = (await (await it_client(shared)).get("/v1/numbers", params={"pool": pool.code})).json()["items"]
    assert [each["state"] for each in seen[:4]] == ["retired", "provisioning", "available", "available"]
