"""Who holds a number, and who held it: told to those who may know of the holder, opaque to all others, on record for everybody."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import insert

from app.contacts.models import Contact
from app.kit.models import new_id
from app.numbers.models import NumberAssignment
from app.numbers.repository import Grant, Holder
from app.numbers.values import Wanted
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.support.application import OPERATOR, World
from tests.support.problems import problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPAQUE: Final = ("withheld", None)


def holders(item: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(each["type"], each["id"]) for each in item["holders"]]


async def hidden(world: World) -> Added:
    """Add somebody of whom only HR may know: they have not started."""
    return await add_person(world, status="prehire")


async def give_past_the_rules(world: World, pool: TestPool, person: Added) -> str:
    """Give somebody hidden a number, as the personnel events would."""
    async with world.application.database.unit_of_work() as unit:
        service = world.application.numbers.service
        found = await service._plan.pool(unit.session, pool.code)
        assert found is not None
        grant = Grant(holder=Holder("contact", person.id), role="short", caller="test", author=OPERATOR)
        return (await service.allocate(unit, found, grant, Wanted())).digits[0]


async def test_a_hidden_holder_is_opaque_and_not_found_by_id(shared: World) -> None:
    pool, secret, person = await add_pool(shared), await hidden(shared), await add_person(shared)
    digits = await give_past_the_rules(shared, pool, secret)
    (open_,) = await allocate(shared, pool, person.id)
    for reader, told in (("staff", OPAQUE), ("it-scripts", OPAQUE), ("hr", ("contact", str(secret.id)))):
        client = await shared.as_(reader)
        one = await client.get(f"/v1/numbers/{digits}")
        assert holders(one.json()) == [told]
        page = (await client.get("/v1/numbers", params={"pool": pool.code, "state": "assigned"})).json()
        assert [holders(each) for each in page["items"]] == [[told], [("contact", str(person.id))]]
        past = (await client.get(f"/v1/numbers/{digits}/history")).json()["items"]
        assert [(each["holder"]["type"], each["holder"]["id"]) for each in past] == [told]
        assert (told == OPAQUE) is (str(secret.id) not in one.text + str(page) + str(past))
    staff = await shared.as_("staff")
    none = await staff.get("/v1/numbers", params={"holder": str(new_id())})
    for asked in (secret.id, new_id()):
        found = await staff.get("/v1/numbers", params={"holder": str(asked)})
        assert found.json()["items"] == none.json()["items"] == []
        assert found.json()["next"] is none.json()["next"] is None
    assert len((await staff.get("/v1/numbers", params={"holder": str(person.id)})).json()["items"]) == 1
    del open_


async def test_a_holder_who_is_no_more_looks_like_a_hidden_one(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    staff = await shared.as_("staff")
    assert holders((await staff.get(f"/v1/numbers/{pool.digits()}")).json()) == [("contact", str(person.id))]
    assert (await (await shared.as_("hr")).delete(person.path, headers={"If-Match": "*"})).status_code == 204
    for reader in ("staff", "hr", "it-scripts"):
        client = await shared.as_(reader)
        told = (await client.get(f"/v1/numbers/{pool.digits()}")).json()
        assert (told["state"], holders(told)) == ("quarantined", [])
        (past,) = (await client.get(f"/v1/numbers/{pool.digits()}/history")).json()["items"]
        assert (past["holder"]["type"], past["holder"]["id"]) == OPAQUE


async def test_a_look_at_a_holder_is_on_record_for_the_holder(shared: World) -> None:
    pool, person, secret = await add_pool(shared), await add_person(shared), await hidden(shared)
    await allocate(shared, pool, person.id)
    await give_past_the_rules(shared, pool, secret)
    staff, siem = await shared.as_("staff"), await shared.as_("siem")
    one = (await staff.get(f"/v1/numbers/{pool.digits()}")).json()
    page = (await staff.get("/v1/numbers", params={"pool": pool.code})).json()
    past = (await staff.get(f"/v1/numbers/{pool.digits()}/history")).json()
    for action, answer in (("number.read", one), ("number.list", page), ("number.history", past)):
        event = (await siem.get(f"/v1/access-events/{answer['disclosure']['event_id']}")).json()
        assert event["action"] == action
        assert [each["id"] for each in event["contacts"]] == [str(person.id)], "nobody else was named"


async def test_numbers_are_paged_within_one_filter_and_caller(shared: World) -> None:
    pool = await add_pool(shared, 45)
    it = await it_client(shared)
    seen: list[str] = []
    used: str = ""
    cursor: str | None = None
    for size in (20, 20, 5):
        query = {"pool": pool.code, "limit": "20", **({"cursor": cursor} if cursor else {})}
        page = (await it.get("/v1/numbers", params=query)).json()
        assert len(page["items"]) == size
        seen += [each["digits"] for each in page["items"]]
        used, cursor = cursor or used, page["next"]
    assert cursor is None
    assert seen == [pool.digits(at) for at in range(45)]
    for client, query in (
        (it, {"state": "available"}),
        (await shared.as_("staff"), {"pool": pool.code, "limit": "20"}),
    ):
        problem(await client.get("/v1/numbers", params={**query, "cursor": used}), 422, "bad_cursor")


@pytest.mark.parametrize(
    ("query", "items"), [({"pool": "nowhere"}, 0), ({"digits": "99"}, 0), ({"state": "planned"}, 0)]
)
async def test_what_matches_nothing_is_an_empty_page(shared: World, query: dict[str, str], items: int) -> None:
    answer = await (await it_client(shared)).get("/v1/numbers", params=query)
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == items
    assert answer.json()["disclosure"]["event_id"]


async def test_a_number_that_is_not_there(shared: World) -> None:
    it = await it_client(shared)
    for path in ("/v1/numbers/999999", "/v1/numbers/999999/history"):
        problem(await it.get(path), 404, "not_found")
    problem(await it.post("/v1/numbers/999999/releases", json={}), 404, "not_found")
    problem(await it.get("/v1/numbers/9x9"), 422, "invalid_request")
    problem(await it.get("/v1/numbers", params={"limit": "201"}), 422, "invalid_request")
    problem(await it.get("/v1/numbers", params={"state": "happy"}), 422, "invalid_request")
    problem(await it.get("/v1/numbers/999999/history", params={"at": "yesterday"}), 422, "invalid_request")
    problem(await it.get("/v1/numbers/999999/history", params={"at": "2026-13-01"}), 422, "invalid_request")


async def test_history_tells_who_held_it_on_a_day_of_the_company(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    one, two = await add_person(shared), await add_person(shared)
    # Days of the company begin at 16:00 UTC.
    first = (datetime(2026, 3, 1, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, tzinfo=UTC))
    second = (datetime(2026, 3, 2, 18, tzinfo=UTC), datetime(2026, 3, 9, 10, tzinfo=UTC))
    await put_history(shared, pool, [(one, *first), (two, *second)])
    path = f"/v1/numbers/{pool.digits()}/history"
    everything = (await it.get(path)).json()["items"]
    assert [each["holder"]["id"] for each in everything] == [str(two.id), str(one.id)]
    assert [each["reason"] for each in everything] == ["moved", "moved"]
    expected = {
        "2026-03-01": [],
        "2026-03-02": [one],
        "2026-03-03": [two],
        "2026-03-09": [two],
        "2026-03-10": [],
        "2026-03-02T15:59:59Z": [one],
        "2026-03-02T16:00:00Z": [],
        "2026-03-03T02:00:00+08:00": [two],
    }
    for at, people in expected.items():
        told = (await it.get(path, params={"at": at})).json()["items"]
        assert [each["holder"]["id"] for each in told] == [str(each.id) for each in people], at
    page = (await it.get(path, params={"limit": "1"})).json()
    following = (await it.get(path, params={"limit": "1", "cursor": page["next"]})).json()
    assert [each["holder"]["id"] for each in (*page["items"], *following["items"])] == [str(two.id), str(one.id)]
    assert following["next"] is None


async def put_history(world: World, pool: TestPool, past: list[tuple[Added, datetime, datetime]]) -> None:
    """Write who held the first number of a pool, in the past."""
    async with world.application.database.unit_of_work() as unit:
        numbers = world.application.numbers.service._numbers
        (row,) = await numbers.named(unit.session, pool.digits(), domain=None)
        for person, begin, end in past:
            await unit.session.execute(
                insert(NumberAssignment).values(
                    id=new_id(),
                    number_id=row.id,
                    pool_id=row.pool_id,
                    holder_type="contact",
                    holder_id=person.id,
                    role="short",
                    started_at=begin,
                    ended_at=end,
                    cause="moved",
                    caller="test",
                    ordinal=0,
                    actor_type="operator",
                    actor_id="os:test",
                )
            )


async def test_who_gave_it_out_is_named_to_those_who_may_know_them(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    keeper = await add_person(shared, roles=("it",))
    client = await shared.as_(keeper.name)
    body = {"holder": {"type": "contact", "id": str(person.id)}}
    assert (await client.post(f"{pool.path}/allocations", json=body)).status_code == 201
    path = f"/v1/numbers/{pool.digits()}/history"
    assert (await client.get(path)).json()["items"][0]["by"] == {"type": "person", "id": str(keeper.id)}
    assert (await (await shared.as_("hr")).delete(keeper.path, headers={"If-Match": "*"})).status_code == 204
    assert (await (await shared.as_("staff")).get(path)).json()["items"][0]["by"] == {"type": "person", "id": None}


async def test_a_release_tells_nothing_of_the_holder(shared: World) -> None:
    pool, secret = await add_pool(shared), await hidden(shared)
    digits = await give_past_the_rules(shared, pool, secret)
    told = await release(shared, digits)
    assert str(secret.id) not in str(told)
    async with shared.application.database.session() as session:
        contact = await session.get_one(Contact, secret.id)
        assert contact.short_numbers == []


async def test_the_end_of_a_quarantine_is_told_while_it_lasts(shared: World) -> None:
    pool, person, it = await add_pool(shared), await add_person(shared), await it_client(shared)
    await allocate(shared, pool, person.id)
    told = await release(shared, pool.digits())
    seen = (await it.get(f"/v1/numbers/{pool.digits()}")).json()
    assert (seen["state"], seen["available_from"], seen["holders"]) == ("quarantined", told["available_from"], [])
    assert datetime.fromisoformat(seen["available_from"]) - datetime.now(UTC) > timedelta(days=89)
