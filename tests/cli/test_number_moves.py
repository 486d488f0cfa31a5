"""``duanhao numbers hold`` to ``retire`` against a running service: each does its one thing, and says how the number stands."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.numbers.calls import add_pool, allocate, it_client, release
from tests.support.application import World
from tests.support.shared import add_person
from tests.support.shell import Shell, shell_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def shell(shared: World) -> AsyncIterator[Shell]:
    """Call the shared company as the IT scripts."""
    async with shell_of(shared, "numbers", "it-scripts") as opened:
        yield opened


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
    assert await shell.does("drop", made["id"]) == f"{made['id']} dropped already 此前已取消"
    other = json.loads(await shell.does("hold", pool.code, "--purpose", "热线", "--count", "1", "--json"))
    await allocate(shared, pool, (await add_person(shared)).id, hold=other["id"])
    code, output = await shell.run("drop", other["id"])
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
    assert (await shell.run("unreserve", first))[0] == 1
    assert await shell.does("unblock", first) == f"{first} blocks ended 已解除"
    assert await shell.does("unblock", first) == f"{first} blocks ended already 此前已解除"
    assert await shell.does("retire", first) == f"{first} retired 已废止"
    assert await shell.does("retire", first) == f"{first} retired already 此前已废止"
    assert json.loads(await shell.does("retire", first, "--json")) == {
        "digits": first,
        "state": "retired",
        "already": True,
    }
    assert (await shell.run("retire", second))[0] == 1
    third = pool.digits(3)
    until = "2099-01-31T18:00:00+08:00"
    assert (await shell.does("reserve", third, "--purpose", "总机", "--until", until)).startswith(
        f"{third} reserved · "
    )
    assert "ended" in await shell.does("unreserve", third, "--domain", "main")
    assert "already" in await shell.does("unreserve", third)
    assert (await shell.run("block", third, "--reason", "boredom"))[0] == 2
    seen = (await (await it_client(shared)).get("/v1/numbers", params={"pool": pool.code})).json()["items"]
    assert [each["state"] for each in seen[:4]] == ["retired", "provisioning", "available", "available"]
