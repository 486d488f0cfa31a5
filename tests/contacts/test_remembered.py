"""A page is made of what is remembered only while the store vouches for every row of it, whoever changes what by which road."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from app.kit.db import Prepared, Row
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.shared import Added, Company, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Fetched:
    """How many values the store was asked for."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen to the reader."""
        self.values = 0
        reader = world.application.database.reader
        fetch = reader.fetch_raw

        async def counted(prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
            rows = await fetch(prepared, values)
            if "FROM contact" in prepared.sql:
                self.values += sum(map(len, rows))
            return rows

        monkeypatch.setattr(reader, "fetch_raw", counted)
        monkeypatch.setattr(reader, "fetch_points", counted)


@dataclasses.dataclass(frozen=True, slots=True)
class Team:
    """A department of the test's own, and who is in it."""

    world: World
    code: str
    people: tuple[Added, ...]

    async def titles(self) -> dict[str, str | None]:
        """List the department as HR sees it: id to title."""
        answer = await (await self.world.as_("hr")).get("/v1/contacts", params={"department": self.code})
        assert answer.status_code == 200
        return {each["id"]: each["title"] for each in answer.json()["items"]}


@pytest_asyncio.fixture(loop_scope="session")
async def team(shared: World) -> Team:
    """Three people, listed once."""
    code = await add_department(shared)
    found = Team(shared, code, tuple([await add_person(shared, department=code, title="before") for _ in range(3)]))
    await found.titles()
    return found


async def test_a_page_that_nobody_changed_is_not_fetched_again(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = Fetched(team.world, monkeypatch)
    before = await team.titles()
    assert set(before) == {str(each.id) for each in team.people}
    assert fetched.values <= 1, "at most one value, which vouches for all of it"
    await add_person(team.world, department=team.code)
    assert len(await team.titles()) == len(before) + 1
    assert fetched.values > len(team.people), "and whoever is new is fetched, and counted here"


@pytest.mark.parametrize("title", ["after", "before", None])
async def test_a_plain_column_edited_by_hand_is_shown_as_it_is_now(
    team: Team, company: Company, title: str | None
) -> None:
    one = team.people[1]
    async with Intruder(company.store).edited("contact", "id", one.id, title=title):
        assert (await team.titles())[str(one.id)] == title
    assert (await team.titles())[str(one.id)] == "before"


@pytest.mark.parametrize(
    ("table", "key", "edit"),
    [
        ("contact", "id", {"mac": b"\x00" * 32}),
        ("contact", "id", {"mac": b"\x00" * 33}),
        ("contact", "id", {"mobile": None}),
        ("contact", "id", {"secrecy": "executive"}),
        ("data_key", "subject_id", {"wrapped": b"\x00" * 92}),
        ("data_key", "subject_id", {"version": 2}),
    ],
)
async def test_what_stands_under_the_mac_is_seen_to_be_edited_each_time(
    team: Team, company: Company, table: str, key: str, edit: dict[str, Any]
) -> None:
    one = team.people[0]
    async with Intruder(company.store).edited(table, key, one.id, **edit):
        for _ in range(2):
            with capture_logs() as logged:
                assert set(await team.titles()) == {str(each.id) for each in team.people[1:]}
            assert any(str(one.id) in str(line.values()) for line in logged)
    assert len(await team.titles()) == 3


async def test_a_row_that_was_written_again_as_it_was_is_the_same_card(team: Team, company: Company) -> None:
    before = await team.titles()
    await Intruder(company.store).run("UPDATE contact SET title = title WHERE department_id IS NOT NULL")
    assert await team.titles() == before


async def test_who_comes_and_who_goes_is_seen_at_once(team: Team) -> None:
    newcomer = await add_person(team.world, department=team.code, title="new")
    assert (await team.titles())[str(newcomer.id)] == "new"
    hr = await team.world.as_("hr")
    moved = await hr.patch(team.people[2].path, json={"department": "RD"}, headers={"If-Match": "*"})
    assert moved.status_code == 200
    assert set(await team.titles()) == {str(each.id) for each in (*team.people[:2], newcomer)}


async def test_what_is_remembered_stays_within_bounds(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = team.world.application.contact_rows._remembered
    monkeypatch.setattr("app.contacts.remembered._MOST_RECORDS", 2)
    monkeypatch.setattr("app.contacts.remembered._MOST_ON_PAGES", 2)
    for memory in (remembered._made, remembered._marked, remembered._pages):
        memory.clear()
    remembered._on_pages = 0
    assert len(await team.titles()) == 3
    assert len(await team.titles()) == 3
    assert len(remembered._made) <= 2
    assert len(remembered._marked) <= 2
    assert remembered._on_pages == sum(len(page.records) for page in remembered._pages.values()) <= 2
