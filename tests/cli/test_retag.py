"""``keys retag``: whoever has no tag gets one, and how values lie on tags is told for people and for machines."""

import sqlite3
from contextlib import closing
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from app.cli.root import app
from app.config import Settings
from tests.support.application import opened_world
from tests.support.postgres import in_thread
from tests.support.stores import SqliteTestStore


async def _fill(settings: Settings) -> None:
    async with opened_world(settings):
        pass


@pytest.fixture
def untagged(sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch) -> SqliteTestStore:
    in_thread(_fill(sqlite_store.settings))
    with closing(sqlite3.connect(sqlite_store.business_path)) as file:
        file.execute("DELETE FROM search_tag")
        file.execute("UPDATE search_plan SET generation = 0, bits = '{}'")
        file.commit()
    monkeypatch.setenv("DUANHAO_DATA_DIR", str(sqlite_store.settings.data_dir))
    return sqlite_store


def test_everybody_is_tagged_and_the_spread_is_told(untagged: SqliteTestStore) -> None:
    done = CliRunner().invoke(app, ["keys", "retag"])
    assert done.exit_code == 0, done.output
    assert "generation 1: 14 contacts tagged" in done.output
    assert "mobile.exact: 14 values, 0 bits, 14 to 14 share a tag, 0 alone" in done.output
    with closing(sqlite3.connect(untagged.business_path)) as file:
        assert file.execute("SELECT count(*) FROM search_tag").fetchone() == (42,)


def test_a_machine_is_told_the_same_and_a_second_time_nothing_is_left(untagged: SqliteTestStore) -> None:
    del untagged
    told: list[dict[str, Any]] = []
    for _ in range(2):
        done = CliRunner().invoke(app, ["keys", "retag", "--json"])
        assert done.exit_code == 0, done.output
        told.append(orjson.loads(done.stdout))
    assert [each["tagged"] for each in told] == [14, 0]
    assert told[0]["kinds"] == told[1]["kinds"]
    assert told[1]["kinds"]["email.exact"] == {
        "values": 14,
        "bits": 0,
        "tags": 1,
        "alone": 0,
        "least": 14,
        "most": 14,
    }
