"""``calendar``: a year shown as it is known, a notice taken by whoever holds the machine, on record; and what the doctor says of years."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli.root import app
from app.cli.session import login
from app.doctor.calendar import calendar
from app.doctor.findings import Level
from app.doctor.store import store_of
from tests.calendar.calls import NOTICE, actions, day
from tests.cli.test_audit import settings_of
from tests.support.application import World


async def beside(world: World, *arguments: str | Path, told: str | None = None) -> Result:
    """Run a command while the application of this test is open, as a server is."""
    with settings_of(world.application.settings):
        return await asyncio.to_thread(CliRunner().invoke, app, ["calendar", *map(str, arguments)], told)


async def test_a_year_is_shown(world: World) -> None:
    shown = await beside(world, "show", "2026")
    assert shown.exit_code == 0, shown.output
    first, *days = shown.stdout.splitlines()
    assert first.startswith("2026: confirmed · 已公布, chinesecalendar")
    assert any("2026-02-14 Sat  working · 上班  春节调休" in each for each in days)
    told = json.loads((await beside(world, "show", "2030", "--json")).stdout)
    assert (told["status"], [each["date"] for each in told["days"]]) == (
        "predicted",
        [f"2030-{each}" for each in ("01-01", "05-01", "05-02", "10-01", "10-02", "10-03")],
    )


async def test_a_notice_is_taken_on_record(world: World, tmp_path: Path) -> None:
    file = tmp_path / "2027.json"
    file.write_text(json.dumps(NOTICE), encoding="utf-8")
    taken = await beside(world, "import", file)
    assert taken.exit_code == 0, taken.output
    assert "2027 confirmed" in taken.stdout
    assert "2027-02-08  working → off" in taken.stdout
    assert (await day(world, "2027-02-08"))["source"] == NOTICE["source"]
    (*_, event) = await actions(world)
    assert (event["actor"]["type"], event["actor"]["id"]) == ("operator", f"os:{login()}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", "/source"),
        ("[", "Invalid JSON"),
        ('{"source": "x"}', "one_of"),
        (json.dumps({**NOTICE, "year": {**NOTICE["year"], "working_days": ["2027-02-22"]}}), "not_a_weekend"),
    ],
)
async def test_what_cannot_be_right_is_named_and_nothing_is_taken(world: World, text: str, fault: str) -> None:
    refused = await beside(world, "import", "-", told=text)
    assert refused.exit_code == 1
    assert fault in refused.stderr
    assert (await day(world, "2027-02-08"))["status"] == "predicted"


@pytest.mark.parametrize(
    ("now", "env", "level", "words"),
    [
        (datetime(2026, 11, 30, tzinfo=UTC), "production", Level.OK, "confirmed to 2026"),
        (datetime(2026, 12, 1, tzinfo=UTC), "production", Level.WARNING, "2027 is not confirmed"),
        (datetime(2027, 1, 1, tzinfo=UTC), "production", Level.WARNING, "2027 is not confirmed"),
        (datetime(2027, 1, 1, tzinfo=UTC), "development", Level.OK, "2027 is not confirmed"),
    ],
)
async def test_the_doctor_asks_for_the_year_in_time(
    world: World, now: datetime, env: str, level: Level, words: str
) -> None:
    settings = world.application.settings.model_copy(update={"env": env})
    (finding,) = [each async for each in calendar(settings, store_of(world.application.database), now)]
    assert (finding.check, finding.level) == ("calendar", level)
    assert words in finding.what.en
