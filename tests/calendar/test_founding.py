"""What a start takes over from the package: once, never over what somebody set, and never to answer a question."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import pytest
from sqlalchemy import select, text

from app.calendar import package
from app.calendar.models import CalendarDay, CalendarYear
from app.calendar.rules import LAW, Entry, Kind
from app.kit.models import new_id
from tests.calendar.calls import NOTICE, actions, day, due, epoch, revise
from tests.support.application import World

KNOWN: Final = package.announced()
NEXT: Final = max(KNOWN) + 1


def newer(monkeypatch: pytest.MonkeyPatch, more: Mapping[date, Entry]) -> str:
    """Let the package be a version that knows another year."""
    source = f"chinesecalendar 99.{new_id().hex[:8]}"
    days = {at: Entry(each.kind, source, each.name_zh, each.name_en) for at, each in more.items()}
    december = {at: each for at, each in days.items() if at.year == NEXT - 1}
    following = {at: each for at, each in days.items() if at.year == NEXT}
    found = {**KNOWN, NEXT - 1: {**KNOWN[NEXT - 1], **december}, NEXT: following}
    monkeypatch.setattr(package, "source", lambda: source)
    monkeypatch.setattr(package, "announced", lambda: found)
    return source


async def years(world: World) -> dict[int, tuple[str, str]]:
    reader = world.application.database.reader
    rows = await reader.fetch(reader.prepare(select(CalendarYear.year, CalendarYear.status, CalendarYear.source)))
    return {year: (status, source) for year, status, source in rows}


FESTIVAL: Final = {
    date(NEXT - 1, 12, 31): Entry(Kind.OFF, "x", "元旦", "New Year's Day"),
    date(NEXT, 1, 1): Entry(Kind.OFF, "x", "元旦", "New Year's Day"),
    date(NEXT, 2, 8): Entry(Kind.OFF, "x", "春节", "Spring Festival"),
    date(NEXT, 2, 20): Entry(Kind.WORKING, "x", "春节调休", "Worked in exchange for Spring Festival"),
    date(NEXT, 10, 1): Entry(Kind.OFF, "x", "国庆节", "National Day"),
}


async def test_the_first_start_takes_over_what_the_package_knows_as_an_event(world: World) -> None:
    source = package.source()
    found = await years(world)
    assert found == {**dict.fromkeys(KNOWN, ("confirmed", source)), NEXT: ("predicted", LAW)}
    assert await epoch(world) == len(KNOWN)
    told = await actions(world)
    assert [(each["action"], each["actor"]["id"]) for each in told] == [("calendar.take_over", "installer")]
    assert (await day(world, "2026-02-14"))["source"] == source
    page = await (await world.as_("staff")).get("/v1/calendar/revisions", params={"limit": "1"})
    (newest,) = page.json()["items"]
    assert (newest["kind"], newest["year"], newest["epoch"]) == ("package", max(KNOWN), len(KNOWN))
    (festival,) = [each for each in newest["changes"] if each["date"] == "2026-02-14"]
    assert festival["before"] == {"kind": "off", "status": "predicted", "source": LAW}
    assert festival["after"] == {"kind": "working", "status": "confirmed", "source": source}


async def test_a_start_that_finds_it_all_changes_nothing(world: World) -> None:
    assert await world.application.calendar.found() == 0
    assert await epoch(world) == len(KNOWN)


async def test_a_newer_package_that_knows_no_new_year_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "source", lambda: "chinesecalendar 99.0.0")
    assert await world.application.calendar.found() == 0
    assert (await day(world, "2026-02-14"))["source"] == next(iter(KNOWN[2026].values())).source


async def test_a_newer_package_brings_its_new_year_once_and_nothing_over_the_companys_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [{"date": f"{NEXT}-02-08", "kind": "working"}, {"date": f"{NEXT}-03-08", "kind": "off"}]
    await revise(world, "hr", {"source": "own", "days": own})
    before = await due(world, f"{NEXT}-01-29T10:00:00+08:00", 8)
    source = newer(monkeypatch, FESTIVAL)
    desk = world.application.calendar
    assert sorted(await asyncio.gather(desk.found(), desk.found(), desk.found())) == [0, 0, 1]
    assert await desk.found() == 0
    assert (await years(world))[NEXT] == ("confirmed", source)
    assert (await years(world))[NEXT + 1] == ("predicted", LAW)
    told = {each: await day(world, each) for each in (f"{NEXT}-02-08", f"{NEXT}-03-08", f"{NEXT}-02-20")}
    assert [(each["kind"], each["source"]) for each in told.values()] == [
        ("working", "own"),
        ("off", "own"),
        ("working", source),
    ]
    page = await (await world.as_("hr")).get("/v1/calendar/revisions", params={"limit": "1"})
    changed = {each["date"] for each in page.json()["items"][0]["changes"]}
    assert {f"{NEXT - 1}-12-31", f"{NEXT}-02-20"} <= changed
    assert changed.isdisjoint({f"{NEXT}-02-08", f"{NEXT}-03-08"})
    turn = await day(world, f"{NEXT - 1}-12-31")
    assert (turn["kind"], turn["name_zh"], turn["source"]) == ("off", "元旦", source)
    after = await due(world, f"{NEXT}-01-29T10:00:00+08:00", 8)
    assert (before["predicted"], after["predicted"]) == (True, False)
    assert after["epoch"] == before["epoch"] + 1
    answer = await (await world.as_("hr")).delete(f"/v1/calendar/days/{NEXT}-02-08")
    assert answer.status_code == 204
    assert (await day(world, f"{NEXT}-02-08"))["kind"] == "off"  # published underneath


async def test_a_year_that_somebody_confirmed_is_not_taken_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await revise(world, "steward", NOTICE)
    newer(monkeypatch, FESTIVAL)
    assert await world.application.calendar.found() == 0
    assert (await years(world))[NEXT] == ("confirmed", NOTICE["source"])
    assert (await day(world, f"{NEXT - 1}-12-31"))["kind"] == "working"


async def test_no_answer_asks_the_package(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "chinese_calendar"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(package, "announced", _asked)
    monkeypatch.setattr(package, "source", _asked)
    for year in (2020, 2026, NEXT, NEXT + 20):
        answer = await (await world.as_("staff")).get(f"/v1/calendar?from={year}-01-01&to={year}-12-31")
        assert answer.status_code == 200
        assert answer.json()["predicted"] is (year >= NEXT)


def _asked() -> Any:  # noqa: ANN401 — it never answers
    message = "the package was asked"
    raise AssertionError(message)


async def test_what_is_in_the_store_is_what_the_package_says(world: World) -> None:
    import chinese_calendar  # type: ignore[import-untyped]  # noqa: PLC0415 — the other tests must do without

    calendar = await world.application.calendar.service.current()
    first = date(2004, 1, 1).toordinal()
    days = [date.fromordinal(each) for each in range(first, date(NEXT, 1, 1).toordinal())]
    assert len(days) > 8000
    assert [each for each in days if calendar.is_working(each) is not chinese_calendar.is_workday(each)] == []
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(NEXT, 1, 4))


async def test_a_revision_that_was_rolled_back_is_forgotten(world: World) -> None:
    service, database = world.application.calendar.service, world.application.database
    held = await service.current()
    async with database.session() as session, session.begin() as transaction:
        seq = await service._rows.next_seq(session)
        assert seq == held.epoch + 1
        await session.execute(text("DELETE FROM calendar_day"))
        assert (await service.calendars.read(session)).is_working(date(2026, 2, 17))
        await transaction.rollback()
    assert not (await service.current()).is_working(date(2026, 2, 17))
    rows = await database.reader.fetch(database.reader.prepare(select(CalendarDay.date)))
    assert len(rows) == sum(map(len, KNOWN.values()))
