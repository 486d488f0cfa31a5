"""Tags over HTTP on both engines: what is listed, counted and refused depends on whom the caller can see, and on nobody else."""

from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from app.audit.repository import EventFilter
from app.contacts.own_schemas import TagPage
from app.kit.models import new_id
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

#               GET  POST DELETE
CALLERS: Final = {
    None: (401, 401, 401),
    "staff": (200, 403, 403),
    "colleague": (200, 403, 403),
    "outsider": (200, 403, 403),
    "head": (200, 403, 403),
    "infosec": (200, 403, 403),
    "ceo": (200, 403, 403),
    "intern": (200, 403, 403),
    "it": (200, 403, 403),
    "hr": (200, 201, 204),
    "steward": (200, 201, 204),
    "directory-sync": (200, 403, 403),
    "hr-system": (403, 403, 403),
    "siem": (403, 403, 403),
}


def word() -> str:
    """Make a tag that nobody else has."""
    return f"t{new_id().hex}"


async def tags(world: World, who: str, **query: str) -> dict[str, tuple[bool, int]]:
    answer = await (await world.as_(who)).get("/v1/tags", params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    page = TagPage.model_validate_json(answer.content)
    return {each.name: (each.offered, each.contact_count) for each in page.items}


async def offer(world: World, name: str, who: str = "hr", **more: Any) -> httpx.Response:  # noqa: ANN401 — JSON
    return await (await world.as_(who)).post("/v1/tags", json={"name": name, **more})


async def carrying(world: World, *names: str, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    return await add_person(world, tags=list(names), **members)


@pytest.mark.parametrize("who", CALLERS)
async def test_who_may_do_what(shared: World, who: str | None) -> None:
    client, name = await shared.as_(who), word()
    if CALLERS[who][1] != 201:
        await offer(shared, name)
    found = [
        (await client.get("/v1/tags")).status_code,
        (await client.post("/v1/tags", json={"name": word() if CALLERS[who][1] != 201 else name})).status_code,
        (await client.delete(f"/v1/tags/{name}")).status_code,
    ]
    assert tuple(found) == CALLERS[who]


async def test_a_tag_is_offered_once_and_removed_once(shared: World) -> None:
    name = word()
    answer = await offer(shared, name, description="Feuerschutz")
    assert (answer.status_code, answer.json()) == (201, {"name": name, "description": "Feuerschutz"})
    assert await tags(shared, "intern", q=name) == {name: (True, 0)}
    problem(await offer(shared, name, who="steward"), 409, "duplicate_tag")
    client = await shared.as_("hr")
    assert (await client.delete(f"/v1/tags/{name}")).status_code == 204
    problem(await client.delete(f"/v1/tags/{name}"), 404, "not_found")
    assert await tags(shared, "hr", q=name) == {}


async def test_a_repeated_offer_is_one_offer(shared: World) -> None:
    client, name = await shared.as_("hr"), word()
    headers = {"Idempotency-Key": name}
    first = await client.post("/v1/tags", json={"name": name}, headers=headers)
    again = await client.post("/v1/tags", json={"name": name}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    problem(await client.post("/v1/tags", json={"name": word()}, headers=headers), 422, "idempotency_key_reused")


async def test_cards_carry_tags_that_are_not_offered_too(shared: World) -> None:
    name = word()
    someone = await add_person(shared)
    client = await shared.as_("hr")
    answer = await client.patch(someone.path, json={"tags": [name]}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    assert await tags(shared, "outsider", q=name) == {name: (False, 1)}
    listed = await (await shared.as_("outsider")).get("/v1/contacts", params={"tag": name})
    assert [each["id"] for each in listed.json()["items"]] == [str(someone.id)]
    problem(await (await shared.as_("staff")).patch(someone.path, json={"tags": []}), 403, "insufficient_scope")


async def test_a_tag_in_use_stays_and_no_card_is_changed(shared: World) -> None:
    name = word()
    await offer(shared, name)
    one, two = await carrying(shared, name), await carrying(shared, name)
    client = await shared.as_("hr")
    document = problem(await client.delete(f"/v1/tags/{name}"), 409, "tag_in_use")
    assert document["contact_count"] == 2
    for each in (one, two):
        assert (await client.get(each.path)).json()["tags"] == [name]
        assert (await client.patch(each.path, json={"tags": []}, headers={"If-Match": "*"})).status_code == 200
    assert (await client.delete(f"/v1/tags/{name}")).status_code == 204


class TestHiddenPeople:
    async def test_what_only_they_carry_is_not_listed_and_counts_nothing(self, shared: World) -> None:
        name = word()
        await carrying(shared, name, status="prehire")
        assert await tags(shared, "staff", q=name) == {}
        assert await tags(shared, "directory-sync", q=name) == {}
        assert await tags(shared, "hr", q=name) == {name: (False, 1)}
        await carrying(shared, name)
        assert await tags(shared, "staff", q=name) == {name: (False, 1)}
        assert await tags(shared, "hr", q=name) == {name: (False, 2)}

    async def test_nothing_tells_a_keeper_of_who_left(self, shared: World) -> None:
        """With and without somebody hidden who carries it, offering and removing answer alike."""
        told = []
        for hidden in (False, True):
            name = word()
            if hidden:
                await carrying(shared, name, status="left")
            client = await shared.as_("hr")
            answers = [
                await client.delete(f"/v1/tags/{name}"),
                await offer(shared, name),
                await client.get("/v1/tags", params={"q": name}),
                await client.delete(f"/v1/tags/{name}"),
            ]
            listed = answers[2].json()["items"]
            told.append(
                [
                    [answer.status_code for answer in answers],
                    [(each["name"] == name, each["offered"], each["contact_count"]) for each in listed],
                ]
            )
        assert told == [[[404, 201, 200, 204], [(True, True, 0)]]] * 2

    async def test_a_leavers_live_token_lists_nothing(self, shared: World) -> None:
        leaver = await add_person(shared, roles=("hr",), tier="T4")
        client = await shared.as_(leaver.name)
        assert (await client.get("/v1/tags")).status_code == 200
        await (await shared.as_("hr")).delete(leaver.path, headers={"If-Match": "*"})
        for method, path in (("GET", "/v1/tags"), ("POST", "/v1/tags"), ("DELETE", "/v1/tags/x")):
            answer = await client.request(method, path, json={"name": "x"} if method == "POST" else None)
            assert answer.status_code in {401, 403}


async def test_pages_lead_through_all_of_them_by_name(shared: World) -> None:
    stem = word()
    wanted = sorted(f"{stem}{at}" for at in range(5))
    for name in wanted[::2]:
        await offer(shared, name)
    await carrying(shared, *wanted)
    found: list[str] = []
    cursor: str | None = None
    client = await shared.as_("staff")
    for _ in range(5):
        query = {"q": stem, "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/v1/tags", params=query)).json()
        found += [each["name"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == wanted
    first = (await client.get("/v1/tags", params={"q": stem, "limit": "2"})).json()["next"]
    for who, query in (("head", {"q": stem}), ("staff", {"q": stem[:5]})):
        problem(await (await shared.as_(who)).get("/v1/tags", params={**query, "cursor": first}), 422, "bad_cursor")


async def test_looks_and_writes_are_on_record_without_the_word(shared: World) -> None:
    name = f"13800002101{word()}"[:40]
    await shared.settle()
    await offer(shared, name)
    await (await shared.as_("hr")).get("/v1/tags", params={"q": name})
    await (await shared.as_("hr")).delete(f"/v1/tags/{name}")
    await shared.settle()
    found = await shared.application.events.search(EventFilter(actor_id=str(shared.people["hr"])), limit=10)
    events = [each.event for each in found.events if each.event.action.startswith("tag.")][:3]
    assert {each.action for each in events} == {"tag.delete", "tag.list", "tag.create"}
    for each in events:
        assert name not in str(each)
        assert each.decision == "allowed"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("/name", "missing")),
        ({"name": ""}, ("/name", "too_short")),
        ({"name": "   "}, ("/name", "too_short")),
        ({"name": "x" * 65}, ("/name", "too_long")),
        ({"name": "a/b"}, ("/name", "invalid_text")),
        ({"name": "a\u0007"}, ("/name", "invalid_text")),
        ({"name": "x", "description": "x" * 201}, ("/description", "too_long")),
        ({"name": "x", "colour": "red"}, ("/colour", "unknown_member")),
        ({"name": ["x"]}, ("/name", "invalid_value")),
    ],
)
async def test_what_is_no_tag_is_refused(shared: World, body: dict[str, Any], fault: tuple[str, str]) -> None:
    answer = await (await shared.as_("hr")).post("/v1/tags", json=body)
    problem(answer, 422, "invalid_request")
    assert faults(answer) == [fault]


@pytest.mark.parametrize("name", ["消防安全员", "a b", "100%", "a?b#c", "c++", "x'; DROP TABLE tag; --", "_%"])
async def test_any_word_is_a_tag(shared: World, name: str) -> None:
    name = f"{name}{word()}"
    assert (await offer(shared, name)).status_code == 201
    assert await tags(shared, "staff", q=name) == {name: (True, 0)}
    answer = await (await shared.as_("hr")).delete(f"/v1/tags/{quote(name, safe='')}")
    assert answer.status_code == 204
