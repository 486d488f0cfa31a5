"""Re-tagging: who was there before tags were, a directory that grows, other kinds, another key; cut off, raced, and with the log down."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from app.audit.matching import EventFilter
from app.composition import open_application
from app.contacts.models import Contact, SearchPlan, SearchTag
from app.contacts.tag_rules import DEFAULT_KINDS, Population
from app.contacts.tag_upkeep import TagUpkeep
from app.contacts.tagged import TaggedContacts
from app.crypto.tags import TagKeys
from app.kit.errors import LogUnavailable
from app.lookups import retagging
from app.lookups.retagging import Retagger, TagPolicy
from app.permissions.outcomes import Tag
from app.worker import Worker
from tests.contacts.partners import add_partner
from tests.lookups.asking import ask, found, stored, tags, without_log
from tests.support.application import World, opened_world
from tests.support.company import PEOPLE
from tests.support.shared import add_person
from tests.support.stores import SqliteTestStore

EVERYBODY: Final = len(PEOPLE)
NOBODY: Final = UUID(int=0)


async def plan(world: World, **values: Any) -> None:  # noqa: ANN401 — columns of the plan
    """Write into the plan's row what a test needs it to say."""
    async with world.application.database.session() as session, session.begin():
        await session.execute(update(SearchPlan).values(**values))


async def before_there_were_tags(world: World) -> None:
    """Make the store what the migration makes of one with people in it."""
    await plan(world, generation=0, bits={})
    async with world.application.database.session() as session, session.begin():
        await session.execute(delete(SearchTag))


async def planned(world: World) -> tuple[int, Mapping[str, int], Any]:
    async with world.application.database.session() as session:
        row = (await session.scalars(select(SearchPlan))).one()
    return row.generation, row.bits, row.next_bits


def retagger(world: World, *, kinds: frozenset[Tag] = DEFAULT_KINDS, keys: TagKeys | None = None) -> Retagger:
    """Build a job with other choices than the application's own."""
    application = world.application
    return Retagger(
        database=application.database,
        upkeep=TagUpkeep(application.database.reader),
        tagger=application.lookups.tagger,
        keys=keys or TagKeys(application.keyring),
        repository=application.contact_rows,
        gate=application.gate,
        standings=application.standings,
        sealer=application.sealer,
        policy=TagPolicy(kinds, "strict"),
        clock=application.clock,
    )


async def test_who_was_there_before_tags_were_is_tagged_by_the_worker(world: World) -> None:
    partner = await add_partner(world)
    await before_there_were_tags(world)
    answer = await ask(world, "staff", numbers=[PEOPLE["colleague"].mobile])
    assert (answer.status_code, answer.json()["code"]) == (503, "lookups_not_ready")
    assert await found(world, "staff", employee_nos=["E2102"]) == [str(world.people["colleague"])]
    worker = Worker(world.application)
    while await worker.round():
        pass
    assert await planned(world) == (1, dict.fromkeys(sorted(kind.value for kind in DEFAULT_KINDS), 0), None)
    assert await stored(world) == 3 * EVERYBODY + 3
    assert await tags(world, partner.id) == {
        ("mobile.exact", "business_phone"),
        ("email.exact", "business_email"),
        ("name.exact", "name"),
    }
    assert await found(world, "staff", numbers=[PEOPLE["colleague"].mobile]) == [str(world.people["colleague"])]
    ends = [{"digits": PEOPLE["colleague"].mobile[-4:], "department": "RD"}]
    assert await found(world, "staff", last4=ends) == [str(world.people["colleague"])]


async def test_what_the_job_opened_is_on_record_as_used_and_nobody_looked(world: World) -> None:
    await before_there_were_tags(world)
    before = world.application.opener.opened
    report = await retagger(world).run()
    assert (report.tagged, report.left, report.generation.number) == (EVERYBODY, 0, 1)
    assert world.application.opener.opened - before == 2 * EVERYBODY
    page = await world.application.events.search(EventFilter(action=retagging.ACTION), limit=10)
    (event,) = [each.event for each in page.events]
    assert (event.actor_type, event.actor_id, event.purpose, event.count) == ("system", "job:retag", None, EVERYBODY)
    assert {state for each in event.cohorts for state in each.states.values()} == {"used"}
    seen = (await (await world.as_("colleague")).get("/v1/me/viewed-by")).json()["items"]
    assert seen == []
    query = {"contact": str(world.people["colleague"]), "state": "used"}
    told = (await (await world.as_("infosec")).get("/v1/access-events", params=query)).json()["items"]
    assert [each["contacts"][0]["fields"] for each in told] == [{"email": "used", "mobile": "used"}]


async def test_nothing_is_opened_or_tagged_while_the_log_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await before_there_were_tags(world)
    before = world.application.opener.opened
    without_log(world, monkeypatch)
    with pytest.raises(LogUnavailable):
        await retagger(world).run()
    assert (world.application.opener.opened, await stored(world)) == (before, 0)
    monkeypatch.undo()
    await retagger(world).run()
    assert await stored(world) == 3 * EVERYBODY


async def test_a_job_that_is_cut_off_goes_on_where_it_stood(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retagging, "_STRETCH", 4)
    await before_there_were_tags(world)
    first = retagger(world)
    for _ in range(2):
        assert await first.step()
    done = await stored(world)
    assert 0 < done < 3 * EVERYBODY
    assert (await ask(world, "staff", numbers=[PEOPLE["colleague"].mobile])).status_code == 503
    report = await retagger(world).run()
    assert report.tagged == EVERYBODY - done // 3
    assert await stored(world) == 3 * EVERYBODY


async def test_a_directory_that_has_grown_is_planned_anew_and_answers_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.contacts.tag_rules.SHARED", {"strict": 1})
    monkeypatch.setattr(retagging, "_STRETCH", 4)
    job, me = retagger(world), str(world.people["colleague"])
    assert await job.step()
    generation, bits, following = await planned(world)
    assert (generation, bits["mobile.exact"], following["mobile.exact"]) == (1, 0, 3)
    assert await found(world, "staff", numbers=[PEOPLE["colleague"].mobile]) == [me]
    late = await add_person(world)
    changed = await (await world.as_("hr")).patch(
        f"/v1/contacts/{me}", json={"mobile": "13700009907"}, headers={"If-Match": "*"}
    )
    assert changed.status_code == 200
    while await job.step():
        pass
    generation, bits, following = await planned(world)
    assert (generation, bits["mobile.exact"], following) == (2, 3, None)
    assert await stored(world) == 3 * (EVERYBODY + 1)
    assert await found(world, "staff", numbers=[late.mobile, "13700009907", PEOPLE["colleague"].mobile]) == [
        str(late.id),
        me,
        None,
    ]
    assert (await retagger(world).run()).tagged == 0


async def test_a_contact_that_changes_while_it_is_being_tagged_is_tagged_as_it_is_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await before_there_were_tags(world)
    job, changing = retagger(world), world.people["colleague"]
    opened = world.application.gate.open_for_upkeep

    async def meanwhile(*arguments: Any) -> Any:  # noqa: ANN401 — passed through
        values = await opened(*arguments)
        changed = await (await world.as_("hr")).patch(
            f"/v1/contacts/{changing}", json={"mobile": "13700009908"}, headers={"If-Match": "*"}
        )
        assert changed.status_code == 200
        monkeypatch.undo()
        return values

    monkeypatch.setattr(world.application.gate, "open_for_upkeep", meanwhile)
    await job.run()
    old = PEOPLE["colleague"].mobile
    assert await found(world, "staff", numbers=[old, "13700009908"]) == [None, str(changing)]
    assert len(await tags(world, changing)) == 3


async def test_kinds_that_are_switched_on_and_off(world: World) -> None:
    only = frozenset({Tag.WECHAT, Tag.ID_NUMBER})
    report = await retagger(world, kinds=only).run()
    assert {each.kind: each.values for each in report.spreads} == {Tag.WECHAT: EVERYBODY - 1, Tag.ID_NUMBER: 3}
    assert await tags(world, world.people["staff"]) == {("wechat.exact", "wechat"), ("id_number.exact", "id_number")}
    added = await add_person(world)
    assert await tags(world, added.id) == {("wechat.exact", "wechat")}
    tagged = TaggedContacts(
        world.application.database.reader, world.application.sealer, TagKeys(world.application.keyring)
    )
    generation = await tagged.generation()
    (hit,) = await tagged.by_value(generation, Tag.WECHAT, [f"wy_{added.number}_x"])
    assert [each.contact_id for each in hit.matches] == [added.id]
    assert (await ask(world, "staff", numbers=["13800002102"])).status_code == 503
    await retagger(world).run()
    assert await tags(world, added.id) == {
        ("mobile.exact", "mobile"),
        ("mobile.last4", "mobile"),
        ("email.exact", "email"),
    }
    assert await stored(world) == 3 * (EVERYBODY + 1)


class Turned:
    """The keyring after a rotation of its ``index`` key."""

    def __init__(self, world: World) -> None:
        self._keyring = world.application.keyring

    def mac_key(self, label: str, *, version: int | None = None) -> bytes:
        return self._keyring.mac_key(f"{label}/{version}")

    def current_version(self, purpose: str) -> int:
        del purpose
        return 2


async def test_another_version_of_the_key_has_everybody_tagged_anew(world: World) -> None:
    report = await retagger(world, keys=TagKeys(Turned(world))).run()
    assert (report.generation.number, report.generation.key_version, report.tagged) == (2, 2, EVERYBODY)
    assert await stored(world) == 3 * EVERYBODY


async def test_a_row_that_was_edited_is_passed_over_and_reported(world: World) -> None:
    await before_there_were_tags(world)
    async with world.application.database.session() as session, session.begin():
        await session.execute(update(Contact).where(Contact.id == world.people["core"]).values(secrecy="protected"))
    report = await retagger(world).run()
    assert (report.tagged, report.left) == (EVERYBODY - 1, 1)
    assert await tags(world, world.people["core"]) == set()


async def test_two_jobs_at_once_do_what_one_does(world: World) -> None:
    await before_there_were_tags(world)
    one, other = retagger(world), retagger(world)
    going = [True, True]
    while any(going):
        going = [await one.step() if going[0] else False, await other.step() if going[1] else False]
    async with world.application.database.session() as session:
        counted = await session.scalar(select(func.count()).select_from(SearchTag))
    assert counted == 3 * EVERYBODY


async def test_an_empty_store_is_planned_for_those_who_are_coming(
    sqlite_store: SqliteTestStore,
) -> None:
    async with open_application(sqlite_store.settings) as application:
        upkeep = TagUpkeep(application.database.reader)
        coming = Population(dict.fromkeys(DEFAULT_KINDS, 10_000), {})
        async with application.database.unit_of_work() as unit:
            await application.lookups.retagger.foresee(unit, coming)
        assert (await upkeep.plans())[0].bits["mobile.exact"] == 7
    async with opened_world(sqlite_store.settings) as world:
        async with world.application.database.unit_of_work() as unit:
            await world.application.lookups.retagger.foresee(unit, Population({}, {}))
        assert (await planned(world))[1]["mobile.exact"] == 7
        report = await retagger(world).run()
        assert (report.generation.number, report.generation.bits["mobile.exact"], report.tagged) == (2, 0, EVERYBODY)


async def test_once_everybody_is_tagged_only_the_plan_is_looked_at(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = retagger(sqlite_world)
    await job.run()
    async with sqlite_world.application.database.session() as session, session.begin():
        await session.execute(delete(SearchTag).where(SearchTag.contact_id == sqlite_world.people["core"]))
    monkeypatch.setattr(job, "_due", 0.0)
    assert not await job.step()
    assert await tags(sqlite_world, sqlite_world.people["core"]) == set()
    monkeypatch.setattr(job, "_due", 0.0)
    monkeypatch.setattr(job, "_everybody", 0.0)
    while await job.step():
        pass
    assert len(await tags(sqlite_world, sqlite_world.people["core"])) == 3
