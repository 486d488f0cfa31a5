"""Writing groups over HTTP, on both engines: what it costs, how much one request does, whose groups a client changes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event

from app.emergency.rules import KEY_TAG
from app.kit.models import new_id
from app.scim.groups import MOST_CHANGED, MOST_TAGS
from tests.phonebooks.phones import newest
from tests.scim.clients import made, patch, provisioner, refused
from tests.support.application import World
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
GROUPS = "/scim/v2/Groups"
SCHEMA = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}


def values(people: Any) -> list[dict[str, str]]:  # noqa: ANN401 — ids
    """Write members."""
    return [{"value": str(each)} for each in people]


async def group(client: httpx.AsyncClient, *people: UUID | str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a group
    """Make a group of these people."""
    body = {**SCHEMA, "displayName": f"组{new_id().hex}", "members": values(people), **members}
    answer = await client.post(GROUPS, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def members_of(told: dict[str, Any]) -> set[str]:
    return {each["value"] for each in told.get("members", ())}


async def tags_of(world: World, person: UUID | str) -> list[str]:
    card = await (await world.as_("hr")).get(f"/v1/contacts/{person}")
    found: list[str] = card.json()["tags"]
    return found


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """Note what is run inside transactions."""
    engine, run = world.application.database.engine.sync_engine, list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        run.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_what_a_group_costs_goes_by_the_hundred_of_its_members(shared: World) -> None:
    """Each member had thirteen statements once, and one of a renamed group twenty-five."""
    client = await provisioner(shared)
    people = [(await add_person(shared)).id for _ in range(150)]
    made_here = await group(client)
    path, new = f"{GROUPS}/{made_here['id']}", f"组{new_id().hex}"
    for told, sent, left in (
        ("add", patch({"op": "add", "path": "members", "value": values(people)}), 150),
        ("rename", patch({"op": "replace", "value": {"displayName": new}}), 150),
        ("remove", patch({"op": "remove", "path": "members", "value": values(people[10:])}), 10),
        ("put", {**SCHEMA, "displayName": new, "members": values(people)}, 150),
        ("delete", None, 0),
    ):
        with statements(shared) as run:
            if sent is None:
                answer = await client.delete(path)
            else:
                answer = await client.request("PUT" if told == "put" else "PATCH", path, json=sent)
        assert answer.status_code in {200, 204}, answer.text
        assert len(run) <= 10 + 2 * 9, (told, run)
        if sent is not None:
            assert len(members_of(answer.json())) == left
    assert await tags_of(shared, people[0]) == []


async def test_one_request_changes_so_many_memberships_and_no_more(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_CHANGED == 2000
    client = await provisioner(shared)
    people = [(await add_person(shared)).id for _ in range(5)]
    made_here = await group(client, *people[:2])
    path = f"{GROUPS}/{made_here['id']}"
    monkeypatch.setattr("app.scim.groups.MOST_CHANGED", 2)
    three = patch({"op": "add", "path": "members", "value": values(people[2:])})
    refused(await client.patch(path, json=three), 400, "invalidValue")
    many = {**SCHEMA, "displayName": f"of {people[0]}", "members": values(people)}
    refused(await client.post(GROUPS, json=many), 400, "invalidValue")
    assert (await client.get(path)).json() == made_here
    for some in (people[2:4], people[3:]):
        answer = await client.patch(path, json=patch({"op": "add", "path": "members", "value": values(some)}))
        assert answer.status_code == 200, answer.text
    assert len(members_of((await client.get(path)).json())) == 5
    refused(
        await client.patch(path, json=patch({"op": "replace", "value": {"displayName": f"now {people[0]}"}})),
        400,
        "invalidValue",
    )
    refused(await client.delete(path), 400, "invalidValue")
    whole = {**SCHEMA, "displayName": made_here["displayName"], "members": values(people[:3])}
    assert len(members_of((await client.put(path, json=whole)).json())) == 3


async def test_of_more_members_than_an_answer_tells_none_is_told(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await provisioner(shared)
    people = [(await add_person(shared)).id for _ in range(3)]
    path = f"{GROUPS}/{(await group(client, *people))['id']}"
    monkeypatch.setattr("app.scim.groups.MOST_MEMBERS", 2)
    refused(await client.get(path), 400, "tooMany")
    refused(await client.get(GROUPS, params={"count": 200}), 400, "tooMany")
    assert (await client.get(path, params={"excludedAttributes": "members"})).status_code == 200


async def test_a_card_has_so_many_tags_and_no_more(shared: World) -> None:
    client, person = await provisioner(shared), await add_person(shared, tags=[f"{at}" for at in range(MOST_TAGS)])
    made_here = await group(client)
    sent = patch({"op": "add", "path": "members", "value": values([person.id])})
    refused(await client.patch(f"{GROUPS}/{made_here['id']}", json=sent), 400, "invalidValue")


async def test_a_group_is_changed_by_who_made_it_and_read_by_others(shared: World) -> None:
    mine, other = await provisioner(shared), await provisioner(shared, "okta")
    person = await add_person(shared)
    made_here = await group(mine, person.id, externalId=f"x{new_id().hex}")
    path = f"{GROUPS}/{made_here['id']}"
    read = (await other.get(path)).json()
    assert (read["displayName"], read["members"]) == (made_here["displayName"], made_here["members"])
    assert "externalId" not in read
    told = {**SCHEMA, "displayName": "another", "externalId": "taken-over"}
    for answer in (
        await other.patch(path, json=patch({"op": "replace", "value": {"displayName": "another"}})),
        await other.patch(path, json=patch({"op": "replace", "value": {"externalId": "taken-over"}})),
        await other.patch(path, json=patch({"op": "remove", "path": "members"})),
        await other.put(path, json=told),
        await other.delete(path),
    ):
        refused(answer, 403, "mutability")
    refused(await other.post(GROUPS, json={**SCHEMA, "displayName": made_here["displayName"]}), 409, "uniqueness")
    assert (await mine.get(path)).json() == made_here
    await shared.settle()
    assert (await newest(shared, "scim.group.read")).actor_id == "entra"


async def test_a_tag_of_the_company_is_no_clients_to_take_over(shared: World) -> None:
    client, hr = await provisioner(shared), await shared.as_("hr")
    carried, offered, hidden = (f"t{new_id().hex}" for _ in range(3))
    person = await add_person(shared, tags=[carried])
    assert (await hr.post("/v1/tags", json={"name": offered})).status_code == 201
    await add_person(shared, tags=[hidden], status="prehire")
    mine = await group(client, person.id)
    for name in (carried, offered):
        refused(await client.post(GROUPS, json={**SCHEMA, "displayName": name}), 409, "uniqueness")
        renamed = patch({"op": "replace", "value": {"displayName": name}})
        refused(await client.patch(f"{GROUPS}/{mine['id']}", json=renamed), 409, "uniqueness")
    assert await tags_of(shared, person.id) == [carried, mine["displayName"]]
    free = await group(client, displayName=hidden)
    assert "members" not in free, "what hidden people carry is in nobody's way, and is not told"


@pytest.mark.parametrize("name", [KEY_TAG, "department_head"])
async def test_a_tag_that_came_to_decide_who_sees_whom_is_left_alone(
    shared: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    client, person, other = await provisioner(shared), await add_person(shared), await add_person(shared)
    refused(await client.post(GROUPS, json={**SCHEMA, "displayName": name}), 400, "mutability")
    made_here = await group(client, person.id)
    monkeypatch.setattr("app.scim.groups._kept_back", lambda _: frozenset({made_here["displayName"]}))
    path = f"{GROUPS}/{made_here['id']}"
    for answer in (
        await client.patch(path, json=patch({"op": "add", "path": "members", "value": values([other.id])})),
        await client.patch(path, json=patch({"op": "remove", "path": "members"})),
        await client.patch(path, json=patch({"op": "replace", "value": {"displayName": f"t{new_id().hex}"}})),
        await client.delete(path),
    ):
        refused(answer, 400, "mutability")
    assert (await client.get(path)).json() == made_here


async def test_who_adds_at_once_adds_both_and_who_means_a_version_is_told(shared: World) -> None:
    client, people = await provisioner(shared), [(await add_person(shared)).id for _ in range(6)]
    made_here = await group(client)
    path = f"{GROUPS}/{made_here['id']}"
    sent = [patch({"op": "add", "path": "members", "value": values([each])}) for each in people]
    answers = await asyncio.gather(*(client.patch(path, json=each) for each in sent[:4]))
    assert [each.status_code for each in answers] == [200] * 4
    now = (await client.get(path)).json()
    assert members_of(now) == {str(each) for each in people[:4]}
    stale, fresh = {"If-Match": made_here["meta"]["version"]}, {"If-Match": now["meta"]["version"]}
    refused(await client.patch(path, json=sent[4], headers=stale), 412)
    refused(await client.delete(path, headers=stale), 412)
    both = await asyncio.gather(*(client.patch(path, json=each, headers=fresh) for each in sent[4:]))
    assert sorted(each.status_code for each in both) == [200, 412]
    assert len(members_of((await client.get(path)).json())) == 5
    assert (await client.patch(path, json=sent[4], headers={"If-Match": "*"})).status_code == 200


async def test_who_is_renamed_and_joined_at_once_carries_one_name(shared: World) -> None:
    client, one, two = await provisioner(shared), await add_person(shared), await add_person(shared)
    made_here = await group(client, one.id)
    path, name = f"{GROUPS}/{made_here['id']}", f"组{new_id().hex}"
    await asyncio.gather(
        client.patch(path, json=patch({"op": "replace", "value": {"displayName": name}})),
        client.patch(path, json=patch({"op": "add", "path": "members", "value": values([two.id])})),
    )
    assert [await tags_of(shared, each.id) for each in (one, two)] == [[name], [name]]
    gone, joined = await asyncio.gather(
        client.delete(path),
        client.patch(path, json=patch({"op": "add", "path": "members", "value": values([two.id])})),
    )
    assert (gone.status_code, joined.status_code in {200, 404}) == (204, True)
    assert [await tags_of(shared, each.id) for each in (one, two)] == [[], []]


async def test_whoever_is_asked_about_is_named_in_the_record(shared: World) -> None:
    client = await provisioner(shared)
    user, other = await made(client), await made(client)
    made_here = await group(client, user["id"])
    asked = {"excludedAttributes": "members", "count": "0"}
    for question, named in (
        (f'members eq "{user["id"].upper()}"', {user["id"]}),
        (f'not (members.value eq "{user["id"]}")', {user["id"]}),
        (f'members eq "{other["id"]}"', set()),
        ('members sw "0"', {user["id"]}),
        ("members pr", {user["id"]}),
    ):
        answer = await client.get(GROUPS, params={**asked, "filter": f'id eq "{made_here["id"]}" and {question}'})
        assert answer.status_code == 200, answer.text
        cohorts = (await newest(shared, "scim.group.list")).cohorts
        assert {str(each) for cohort in cohorts for each in cohort.contacts} == named, question


async def test_a_group_that_is_read_in_part_has_no_version(shared: World) -> None:
    client = await provisioner(shared)
    made_here = await group(client)
    path = f"{GROUPS}/{made_here['id']}"
    part = await client.get(path, params={"excludedAttributes": "members"})
    assert "version" not in part.json()["meta"]
    assert "etag" not in part.headers
    assert (await client.get(path)).headers["etag"] == made_here["meta"]["version"]


async def test_a_person_who_is_hidden_joins_no_group(shared: World) -> None:
    client, hidden = await provisioner(shared), await add_person(shared, status="prehire")
    made_here = await group(client)
    for each in (hidden.id, new_id(), "nobody"):
        sent = patch({"op": "add", "path": "members", "value": values([each])})
        refused(await client.patch(f"{GROUPS}/{made_here['id']}", json=sent), 400, "invalidValue")
