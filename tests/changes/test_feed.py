"""The feed over HTTP: who is told what, that a hidden contact changes nothing in any answer, what polling costs, and what is on record."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from app.audit.authors import Author
from app.departments.schemas import DepartmentAmend
from tests.numbers.calls import add_pool, allocate, release
from tests.support.application import OPERATOR, World
from tests.support.pictures import picture
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/v1/changes"
EVERYTHING = {"If-Match": "*"}


async def here(world: World, name: str) -> int:
    """Ask from where to follow."""
    answer = await (await world.as_(name)).get(PATH)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert (page["items"], page["next"], page["since"]) == ([], None, page["latest"])
    latest: int = page["latest"]
    return latest


async def after(world: World, name: str, since: int, **query: Any) -> dict[str, Any]:  # noqa: ANN401 — query parameters
    answer = await (await world.as_(name)).get(PATH, params={"since": since, "limit": 200, **query})
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def told(world: World, name: str, since: int, about: UUID) -> list[tuple[str, tuple[str, ...]]]:
    page = await after(world, name, since)
    items = [each for found in page["items"] for each in found["items"] if each["id"] == str(about)]
    return [(each["change"], tuple(each["groups"])) for each in items]


async def patched(world: World, person: Added, **members: Any) -> httpx.Response:  # noqa: ANN401 — members of a card
    answer = await (await world.as_("hr")).patch(person.path, json=members, headers=EVERYTHING)
    assert answer.status_code == 200, answer.text
    return answer


async def test_each_change_is_told_once_in_order_and_by_its_kind(shared: World) -> None:
    application, since = shared.application, await here(shared, "staff")
    person = await add_person(shared)
    elsewhere = await add_department(shared)
    await patched(shared, person, title="工程师", tags=["甲"])
    await patched(shared, person, department=elsewhere, location="二层")
    pool = await add_pool(shared)
    (given,) = await allocate(shared, pool, person.id)
    await release(shared, given)
    hr = await shared.as_("hr")
    headers = {**EVERYTHING, "Content-Type": "image/jpeg"}
    photo = await hr.post(f"{person.path}/photo", content=picture(size=(300, 300)), headers=headers)
    assert photo.status_code == 200, photo.text
    page = await after(shared, "staff", since)
    versions = [each["version"] for each in page["items"]]
    assert versions == sorted(set(versions))
    assert page["latest"] == versions[-1]
    assert page["next"] is None
    assert await told(shared, "staff", since, person.id) == [
        ("created", ()),
        ("updated", ("card", "tags")),
        ("moved", ("card", "placement", "protected")),
        ("updated", ("numbers",)),
        ("updated", ("numbers",)),
        ("updated", ("protected",)),
    ]
    assert await told(shared, "staff", since, shared.departments[elsewhere]) == [("created", ())]
    bit_by_bit: list[Any] = []
    at: int | None = since
    while at is not None:
        part = await after(shared, "staff", at, limit=2)
        bit_by_bit += part["items"]
        at = part["next"]
    assert bit_by_bit == page["items"]
    assert application.contact_writer.tracer is not None


async def test_one_transaction_is_one_version(shared: World) -> None:
    application, since = shared.application, await here(shared, "staff")
    people = [await add_person(shared) for _ in range(3)]
    tree = await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        for each in people:
            record = await application.contact_rows.by_id(each.id, tree)
            assert record is not None
            await application.contact_writer.amend(unit, OPERATOR, tree, record, {"title": "一同"})
    page = await after(shared, "staff", since)
    assert len(page["items"]) == 4
    assert {each["id"] for each in page["items"][-1]["items"]} == {str(each.id) for each in people}
    numbers = [each["version"] for each in page["items"]]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


async def test_who_goes_out_of_sight_is_removed_and_who_comes_into_it_created(shared: World) -> None:
    application, since = shared.application, await here(shared, "outsider")
    gone, archived, guarded = [await add_person(shared) for _ in range(3)]
    hr = await shared.as_("hr")
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(gone.id, tree)
    assert record is not None
    seen = await here(shared, "outsider")
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    assert (await hr.delete(archived.path, headers=EVERYTHING)).status_code == 204
    await patched(shared, guarded, secrecy="protected")
    visible = (await (await shared.as_("outsider")).get(guarded.path)).status_code == 200
    for person in (gone, archived):
        assert await told(shared, "outsider", seen, person.id) == [("removed", ())]
        assert await told(shared, "outsider", since, person.id) == [("removed", ())]
    keeper = await told(shared, "steward", seen, gone.id)
    assert keeper in ([("left", ("status",))], [("left", ("status", "protected"))])
    if not visible:
        assert await told(shared, "outsider", seen, guarded.id) == [("removed", ())]
        silent = await after(shared, "outsider", seen)
        await patched(shared, guarded, title="看不见")
        assert without_note(await after(shared, "outsider", seen)) == without_note(silent)
        await patched(shared, guarded, secrecy="normal")
        assert await told(shared, "outsider", seen, guarded.id) == [("removed", ()), ("created", ())]


def without_note(page: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in page.items() if name != "disclosure"}


@pytest.mark.parametrize("caller", ["outsider", "intern", "directory-sync"])
async def test_what_a_caller_may_not_know_changes_neither_body_nor_tag(shared: World, caller: str) -> None:
    hidden = await add_person(shared, secrecy="normal")
    application = shared.application
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(hidden.id, tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    shown = await add_person(shared)
    client, since = await shared.as_(caller), await here(shared, caller)
    before = [await client.get(PATH), await client.get(PATH, params={"since": since})]
    record = await application.contact_rows.by_id(hidden.id, tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        changes = {"title": "无人知晓", "mobile": "13700008888", "department": "HR"}
        await application.contact_writer.amend(unit, OPERATOR, tree, record, changes)
    await patched(shared, shown, id_number="110105194912310038", home_address="甲路 9 号")
    again = [await client.get(PATH), await client.get(PATH, params={"since": since})]
    for old, new in zip(before, again, strict=True):
        assert without_note(new.json()) == without_note(old.json())
        assert new.headers["etag"] == old.headers["etag"]
        unchanged = await client.get(new.url, headers={"If-None-Match": old.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    future = await client.get(PATH, params={"since": since + 1_000_000})
    assert (future.status_code, future.json()["items"], future.json()["next"]) == (200, [], None)


async def test_departments_are_told_and_their_heads_to_those_who_may_know_of_them(shared: World) -> None:
    application, since = shared.application, await here(shared, "outsider")
    head, hidden = await add_person(shared), await add_person(shared)
    tree = await application.standings.tree()
    code = await add_department(shared)
    record = await application.contact_rows.by_id(hidden.id, tree)
    assert record is not None

    async def amended(**changes: Any) -> None:  # noqa: ANN401 — members of a department
        node = (await application.standings.tree()).by_code[code]
        async with application.database.unit_of_work() as unit:
            await application.departments.amend(unit, OPERATOR, node, DepartmentAmend(**changes))

    identity = shared.departments[code]
    await amended(name="改名部")
    await amended(parent="RD")
    await amended(head=head.id)
    await amended(deputy=hidden.id)
    expected = [
        ("created", ()),
        ("updated", ("card",)),
        ("moved", ("placement",)),
        ("updated", ("positions",)),
    ]
    assert await told(shared, "outsider", since, identity) == [*expected, ("updated", ("positions",))]
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    assert await told(shared, "outsider", since, identity) == expected
    await amended(head=None, deputy=None)
    async with application.database.unit_of_work() as unit:
        node = (await application.standings.tree()).by_code[code]
        await application.departments.remove(unit, Author(type="operator", id="os:test"), node)
    assert await told(shared, "outsider", since, identity) == [("removed", ())]


async def test_every_answer_is_on_record_with_whom_it_named(shared: World) -> None:
    since, person = await here(shared, "staff"), await add_person(shared)
    client = await shared.as_("staff")
    answer = await client.get(PATH, params={"since": since})
    unchanged = await client.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304
    log = await (await shared.as_("siem")).get("/v1/access-events", params={"contact": str(person.id), "limit": 5})
    events = [each for each in log.json()["items"] if each["action"] == "change.list"]
    assert len(events) == 2
    assert events[1]["id"] == answer.json()["disclosure"]["event_id"]


async def test_rights_that_become_others_are_told(shared: World) -> None:
    person = await add_person(shared)
    since = await here(shared, person.name)
    first = await after(shared, person.name, since)
    await patched(shared, await add_person(shared), title="别人")
    assert (await after(shared, person.name, since))["view"] == first["view"]
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.set_standing(unit.session, person.name, tier="T4", roles=("hr",))
    await shared._made.pop(person.name).aclose()
    assert (await after(shared, person.name, since))["view"] != first["view"]


@pytest.mark.parametrize(
    ("query", "code"),
    [({"since": -1}, "invalid_request"), ({"since": "x"}, "invalid_request"), ({"after": 1}, "invalid_request")],
)
async def test_what_cannot_be_read_is_refused(shared: World, query: dict[str, Any], code: str) -> None:
    answer = await (await shared.as_("staff")).get(PATH, params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
