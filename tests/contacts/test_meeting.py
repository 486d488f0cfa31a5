"""Sets that are kept ready find what is found without them, hit by hit, also when people change after they were made."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from app.contacts.criteria import Criteria
from app.contacts.finding import ContactFinder
from app.contacts.meeting import Meeting, Meetings
from app.contacts.models import Contact
from app.contacts.posted import PostedKeys
from app.contacts.search import wanted
from app.contacts.tiers import Position
from app.kit.straight import Writes
from app.permissions.outcomes import Purpose
from app.permissions.pack import load
from app.permissions.plan import Plan
from app.postings.service import Postings
from benchmarks.searching import Recording
from tests.contacts.test_finding import PIECES, company
from tests.contacts.test_several_words import FIRST, OTHER, crowd, steps_of_a_search
from tests.support.application import OPERATOR, World
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="function")


class Nowhere(Meetings):
    """Has no sets."""

    async def of(self, criteria: Criteria) -> Meeting | None:
        """Begin none."""
        del criteria
        return None


class Counted(Meetings):
    """Counts the meetings that it begins."""

    begun = 0

    async def of(self, criteria: Criteria) -> Meeting | None:
        """Begin one as any other does."""
        found = await super().of(criteria)
        self.begun += found is not None
        return found


async def make_sets(world: World, *, least: int) -> int:
    """Make a generation of sets of at least so many keys."""
    application = world.application
    keys = PostedKeys(application.database.reader)
    return await Postings(
        application.database, application.changes.sequencer, keys, application.clock, least=least, small=0
    ).make()


async def pages(world: World, who: str, q: str, limit: int, **begun: Any) -> list[Position]:  # noqa: ANN401 — of a finder
    """Search from everybody, page by page to the end."""
    application, viewer = world.application, await world.viewer(who)
    plan = Plan(load("default"), viewer.standing, Purpose.WORK_CONTACT, application.clock.now())
    asked = Criteria(wanted=wanted(q, viewer.tree))
    finder = ContactFinder(application.database.reader, application.contact_rows, few=-1, many=-1, **begun)
    found: list[Position] = []
    after = None
    while True:
        hits = await finder.search(asked, plan, after=after, limit=limit, tree=viewer.tree)
        found += [each.position for each in hits]
        if len(hits) < limit:
            return found
        after = hits[-1].position


async def change(world: World, identity: UUID, **members: str) -> None:
    """Change members of somebody, as the people of HR do."""
    client, path = await world.as_("hr"), f"/v1/contacts/{identity}"
    seen = await client.get(path)
    answer = await client.patch(path, json=members, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code == 200, answer.text


async def carry(world: World, identity: UUID, numbers: list[str]) -> None:
    """Give numbers to somebody, as an allocation does."""
    cards = world.application.contact_writer.cards
    async with world.application.database.unit_of_work() as unit:
        card, writes = await cards.locked(unit.session, identity, among={"active"}), Writes()
        assert cards.put(writes, OPERATOR, card, {"short_numbers": numbers})
        await writes.run(unit.session)


PREPARED: Final[set[Path]] = set()


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.sampled_from([each for each in PIECES if each.strip()]), min_size=2, max_size=3),
    who=st.sampled_from(("staff", "intern", "hr", "steward")),
    limit=st.sampled_from((1, 3, 50)),
    asked=st.sampled_from((0, 1, 1_024)),
)
async def test_words_meet_where_they_are_found_without_sets(
    world: World, pieces: list[str], who: str, limit: int, asked: int
) -> None:
    """Some joined, some were renamed and some left after the sets were made, of which those from two keys on are kept."""
    place = world.application.settings.data_dir
    if place not in PREPARED:
        people = [each for each in await company(world, 3) if each.status == "active"]
        await make_sets(world, least=2)
        for at, person in enumerate(people[:9]):
            await change(
                world, person.id, **(({"name": "王小海"}, {"title": "高级工程师"}, {"alias": "Li Na"})[at % 3])
            )
        for person in people[9:12]:
            await carry(world, person.id, ["61299"])
        await add_person(world, name="王明海", title="工程师")
        PREPARED.add(place)
    q = " ".join(pieces)
    meetings = Counted(world.application.database.reader)
    found = await pages(world, who, q, limit, look=1, asked=asked, meetings=meetings)
    event("sets are read" if meetings.begun else "no sets are read")
    event("somebody is found" if found else "nobody is found")
    assert found == await pages(world, who, q, limit, look=1, meetings=Nowhere(world.application.database.reader)), (
        q,
        who,
        limit,
        asked,
    )


async def two_words(world: World, first: str, other: str, **begun: Any) -> list[UUID]:  # noqa: ANN401 — of a finder
    """Search with sets, looking at one candidate first; tell who is found."""
    meetings = Counted(world.application.database.reader, **begun)
    found = await pages(world, "hr", f"{first} {other}", 20, look=1, meetings=meetings)
    assert bool(meetings.begun) == (begun.get("most_changed") != 0)
    return [each.id for each in found]


async def test_who_changes_is_found_and_lost_at_once(world: World) -> None:
    """No sets are made in between."""
    code = await add_department(world)
    people = [await add_person(world, department=code, name=f"甲乙{at}", title="天工 地匠") for at in "一三二四"]
    ids = [each.id for each in people]
    await make_sets(world, least=2)
    assert await two_words(world, "天工", "地匠") == ids
    await change(world, ids[0], title="天工")
    assert await two_words(world, "天工", "地匠") == ids[1:]
    joined = await add_person(world, department=code, name="甲乙五", title="天工 地匠")
    assert set(await two_words(world, "天工", "地匠")) == {*ids[1:], joined.id}
    client = await world.as_("hr")
    seen = await client.get(people[1].path)
    assert (await client.delete(people[1].path, headers={"If-Match": seen.headers["ETag"]})).status_code == 204
    assert set(await two_words(world, "天工", "地匠")) == {*ids[2:], joined.id}


async def test_who_is_of_no_department_is_in_the_sets_too(world: World) -> None:
    code = await add_department(world)
    people = [
        await add_person(world, department=where, name=f"甲乙{at}", title="天工 地匠")
        for at, where in (("一", None), ("三", code), ("二", None))
    ]
    await make_sets(world, least=2)
    assert await two_words(world, "天工", "地匠") == [each.id for each in people]


async def test_who_stands_in_a_better_tier_is_not_compared_again_in_the_next(world: World) -> None:
    """Everybody who has the very title is in the set of those whose title begins with it."""
    run = []
    for more in (20, 40):
        for at in range(more):
            await add_person(world, name=f"甲{at}", alias="地匠", title="天工")
        await add_person(world, name="乙", alias="地匠", title="天工长")
        await make_sets(world, least=2)
        viewer, reader = await world.viewer("hr"), Recording(world.application.database.reader)
        plan = Plan(load("default"), viewer.standing, Purpose.WORK_CONTACT, world.application.clock.now())
        finder = ContactFinder(reader, world.application.contact_rows, few=-1, many=-1, look=1)
        asked = Criteria(wanted=wanted("天工 地匠", viewer.tree))
        limit = {20: 21, 40: 62}[more]
        hits = await finder.search(asked, plan, after=None, limit=limit, tree=viewer.tree)
        assert len(hits) == limit
        run.append(len(reader.run))
    assert run[0] == run[1]


async def test_too_many_changes_make_sets_useless_and_nothing_else(world: World) -> None:
    people = [await add_person(world, name=f"甲乙{at}", title="天工 地匠") for at in "一三二"]
    await make_sets(world, least=2)
    await change(world, people[0].id, title="天工")
    assert await two_words(world, "天工", "地匠", most_changed=0) == [each.id for each in people[1:]]


def with_cards(path: Path) -> None:
    """Give a row of contacts to everybody who has keys alone: a copy of somebody's, without what one alone may have."""
    columns = [column.name for column in cast("Table", Contact.__table__).columns]
    own = {"id": "k.contact_id", "user_name": "NULL", "user_name_key": "NULL", "employee_no": "NULL"}
    copied = ", ".join(own.get(each, f"c.{each}") for each in columns)
    with closing(sqlite3.connect(path)) as store, store:
        store.execute(
            f"INSERT INTO contact ({', '.join(columns)}) SELECT {copied} FROM (SELECT * FROM contact LIMIT 1) c, "
            "(SELECT DISTINCT contact_id FROM contact_key WHERE contact_id NOT IN (SELECT id FROM contact)) k"
        )


async def test_the_work_of_words_that_never_meet_does_not_grow(sqlite_world: World) -> None:
    """Read one by one, it is three times as much for three times as many people."""
    path, found = sqlite_world.application.database.business_path, []
    for each in (6_000, 18_000):
        crowd(path, each)
        with_cards(path)
        await make_sets(sqlite_world, least=2_048)
        found.append(await steps_of_a_search(sqlite_world, f"{FIRST} {OTHER}"))
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("DELETE FROM contact_key WHERE term IN (?, ?)", (FIRST, OTHER))
        store.execute("DELETE FROM contact WHERE id < ?", (UUID(int=1 << 32).bytes,))
    assert found[1] < found[0] * 1.2
