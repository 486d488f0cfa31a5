"""A restore drill: what a backup of before a purge brings back is destroyed again by what was exported after it, and the doctor tells."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from app.cli.history import app
from app.cli.root import app as duanhao
from app.kit.models import new_id
from tests.cli.test_keys import settings_of
from tests.history.purges import envelopes, openable, purged, raw, told, with_a_past
from tests.history.restoring import again, copied
from tests.support.application import World, opened_world
from tests.support.postgres import Cluster
from tests.support.shared import Added
from tests.support.stores import SqliteTestStore, TestStore

pytestmark = pytest.mark.slow


def operated(store: TestStore, *arguments: str | Path, program: bool = False) -> str:
    """Run a command as an operator does; give what it prints."""
    with settings_of(store.settings):
        done = CliRunner().invoke(duanhao if program else app, [str(each) for each in arguments])
    assert done.exit_code in ({0, 1, 2} if program else {0}), done.output
    return done.output


def test_what_a_backup_brings_back_is_destroyed_again(
    store: TestStore, postgres_cluster: Cluster, tmp_path: Path
) -> None:
    file = tmp_path / "purges.jsonl"

    async def fill() -> tuple[World, Added, list[tuple[bytes, bytes]]]:
        async with opened_world(store.settings) as world:
            someone = await with_a_past(world)
            wrapped = await raw(world, "SELECT handle, wrapped FROM history_key WHERE quarter < 20194")
            await world.settle()
            return world, someone, [(bytes(one), bytes(two)) for one, two in wrapped]

    async def purge(world: World, someone: Added) -> UUID:
        async with again(store, world) as now:
            request = await purged(now, someone)
            assert (await told(now, someone, "title"))[0] is None
            await now.settle()
            return UUID(request)

    async def look(restored: TestStore, world: World, someone: Added) -> tuple[list[str | None], list[int]]:
        async with again(restored, world) as now:
            old = (await envelopes(now, someone.id))[:4]
            titles = await told(now, someone, "title")
            return titles, [await openable(now, someone.id, field, box) for field, _, box in old]

    world, someone, wrapped = asyncio.run(fill())
    assert len(wrapped) == 2
    backup = copied(store, postgres_cluster)
    request = asyncio.run(purge(world, someone))
    assert operated(store, "export", file) == f"1 purges written to {file}\n"
    if isinstance(store, SqliteTestStore):
        stored = b"".join(each.read_bytes() for each in store.settings.data_dir.glob("duanhao.sqlite3*"))
        assert all(handle in stored and key not in stored for handle, key in wrapped)

    assert asyncio.run(look(backup, world, someone)) == (["职务1", "职务2", "职务3"], [1] * 4)
    one = f"{request}: 2 of 2 keys were back and are destroyed, 0 were never here\n"
    assert operated(backup, "destroy-again", file) == one
    assert asyncio.run(look(backup, world, someone)) == ([None, "职务2", "职务3"], [0] * 4)
    assert "0 of 2 keys were back" in operated(backup, "destroy-again", file)
    assert "1 purges, each as certified" in operated(backup, "doctor", "--json", program=True)


def test_a_store_of_before_all_of_it_takes_note(store: TestStore, postgres_cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "purges.jsonl"

    async def fill() -> World:
        async with opened_world(store.settings) as world:
            await world.settle()
            return world

    async def purge(world: World) -> None:
        async with again(store, world) as now:
            await purged(now, await with_a_past(now))
            await now.settle()

    world = asyncio.run(fill())
    backup = copied(store, postgres_cluster)
    asyncio.run(purge(world))
    operated(store, "export", file)
    assert "0 of 2 keys were back and are destroyed, 2 were never here" in operated(backup, "destroy-again", file)
    assert "1 purges, each as certified" in operated(backup, "doctor", "--json", program=True)


def test_the_doctor_finds_what_went_without_a_certificate(store: TestStore) -> None:
    async def destroy() -> None:
        async with opened_world(store.settings) as world:
            someone = await with_a_past(world)
            request = await purged(world, someone)
            postgresql = store.dialect == "postgresql"
            for purge in (new_id(), UUID(request)):
                await raw(
                    world,
                    "UPDATE history_key SET wrapped = NULL, destroyed_at = created_at, purge_id = :purge WHERE handle ="
                    " (SELECT handle FROM history_key WHERE wrapped IS NOT NULL ORDER BY handle LIMIT 1)",
                    purge=purge if postgresql else purge.bytes,
                )
            await world.settle()

    asyncio.run(destroy())
    report = operated(store, "doctor", "--json", program=True)
    assert "1 keys of history are gone without a certificate" in report
    assert "1 of 1 purges are not as their certificates say" in report
