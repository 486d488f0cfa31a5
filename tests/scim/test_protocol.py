"""The protocol's small print over HTTP, on both engines: projections, conditions, searches by body, pages, media types, discovery."""

import json
from typing import Any

import httpx
import pytest

from app.kit.models import new_id
from tests.scim.clients import ENTERPRISE, a_user, made, patch, provisioner, refused
from tests.support.application import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
BASE = "/scim/v2"
USERS, GROUPS = f"{BASE}/Users", f"{BASE}/Groups"
CORE = "urn:ietf:params:scim:schemas:core:2.0"
SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}


async def a_group(client: httpx.AsyncClient, *people: str) -> dict[str, Any]:
    """Make a group."""
    members = [{"value": each} for each in people]
    body = {"schemas": [f"{CORE}:Group"], "displayName": f"组{new_id().hex}", "members": members}
    answer = await client.post(GROUPS, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(answer: httpx.Response) -> list[dict[str, Any]]:
    """Read a page; whatever is listed, its numbers are numbers."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/scim+json"), answer.text
    told = answer.json()
    assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert [type(told[name]) for name in ("totalResults", "startIndex", "itemsPerPage")] == [int, int, int]
    assert told["itemsPerPage"] == len(told["Resources"])
    found: list[dict[str, Any]] = told["Resources"]
    return found


async def test_whatever_is_answered_is_what_was_asked_for(shared: World) -> None:
    """``attributes`` and ``excludedAttributes`` on everything that answers with a resource."""
    client = await provisioner(shared)
    user = await made(client)
    group = await a_group(client, user["id"])
    title = patch({"op": "replace", "path": "title", "value": "经理"})
    name = patch({"op": "replace", "path": "displayName", "value": f"组{new_id().hex}"})
    only, without = {"attributes": "userName,displayName"}, {"excludedAttributes": "emails,members"}
    for path, resource, kept, change in (
        (f"{USERS}/{user['id']}", USERS, {"schemas", "id", "userName", "displayName"}, title),
        (f"{GROUPS}/{group['id']}", GROUPS, {"schemas", "id", "displayName"}, name),
    ):
        whole = (await client.get(path)).json()
        sought = {"filter": f'id eq "{whole["id"]}"'}
        told = [
            (await client.get(path, params=only)).json(),
            listed(await client.get(resource, params={**sought, **only}))[0],
            listed(
                await client.post(
                    f"{resource}/.search", json={**SEARCH, **sought, "attributes": ["userName", "displayName"]}
                )
            )[0],
            (await client.put(path, json=whole, params=only)).json(),
            (await client.patch(path, json=change, params=only)).json(),
        ]
        assert [each.keys() for each in told] == [kept] * 5
        excluded = [
            (await client.get(path, params=without)).json(),
            listed(await client.get(resource, params={**sought, **without}))[0],
            listed(
                await client.post(
                    f"{resource}/.search", json={**SEARCH, **sought, "excludedAttributes": ["emails", "members"]}
                )
            )[0],
            (await client.put(path, json=whole, params=without)).json(),
            (await client.patch(path, json=change, params=without)).json(),
        ]
        assert [{"emails", "members"} & each.keys() for each in excluded] == [set()] * 5
        assert [each["id"] for each in excluded] == [whole["id"]] * 5


async def test_everything_can_be_searched_by_body(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    group = await a_group(client, user["id"])
    asked = {
        **SEARCH,
        "filter": f'id eq "{user["id"]}" or id eq "{group["id"]}"',
        "attributes": ["id", "meta.resourceType"],
    }
    found = listed(await client.post(f"{BASE}/.search", json=asked))
    assert [each["id"] for each in found] == [user["id"], group["id"]]
    refused(await client.post(f"{BASE}/.search", json={**asked, "sortBy": "displayName"}), 501)
    refused(await client.post(f"{BASE}/.search", json={**asked, "filter": "id ex 1"}), 400, "invalidFilter")


async def test_a_change_may_say_which_version_it_means(shared: World) -> None:
    client = await provisioner(shared)
    group = await a_group(client, (await made(client))["id"])
    for path, told in ((USERS, await made(client)), (GROUPS, group)):
        whole, stale = f"{path}/{told['id']}", told["meta"]["version"]
        fresh = await client.get(whole)
        assert (fresh.headers["etag"], fresh.json()["meta"]["version"]) == (stale, stale)
        unchanged = await client.get(whole, headers={"If-None-Match": f'"other", {stale}'})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert (await client.get(whole, headers={"If-None-Match": '"other"'})).status_code == 200
        name = patch({"op": "replace", "path": "displayName", "value": f"新{new_id().hex[-8:]}"})
        changed = await client.patch(whole, json=name, headers={"If-Match": stale})
        assert (changed.status_code, changed.headers["etag"]) == (200, changed.json()["meta"]["version"])
        assert changed.headers["etag"] != stale
        for answer in (
            await client.patch(whole, json=name, headers={"If-Match": stale}),
            await client.put(whole, json=told, headers={"If-Match": stale}),
            await client.delete(whole, headers={"If-Match": stale}),
        ):
            refused(answer, 412)
        assert (await client.get(whole)).json() == changed.json()
        assert (await client.put(whole, json=told, headers={"If-Match": changed.headers["etag"]})).status_code == 200
        assert (await client.delete(whole, headers={"If-Match": "*"})).status_code == 204


async def test_conditions_are_joined_by_and(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client, title=f"级{new_id().hex[-8:]}")
    mail, number = user["emails"][0]["value"], user[ENTERPRISE]["employeeNumber"]
    true = [
        f'userName eq "{user["userName"].upper()}"',
        f'externalId eq "{user["externalId"]}"',
        f'emails[type eq "work"].value eq "{mail}"',
        f'emails[type eq "work" and value eq "{mail}"]',
        f'title eq "{user["title"]}"',
        f'{ENTERPRISE}:employeeNumber eq "{number}"',
        "active eq true",
        f'meta.created ge "{user["meta"]["created"]}"',
        'userType eq "employee"',
    ]
    for at, one in enumerate(true):
        for other in true[at:]:
            found = listed(await client.get(USERS, params={"filter": f"{one} and {other}", "attributes": "id"}))
            assert user["id"] in {each["id"] for each in found}, (one, other)
        none = f'{one} and userName eq "nobody.{new_id()}"'
        assert listed(await client.get(USERS, params={"filter": none})) == []


async def test_groups_are_ordered_and_paged(shared: World) -> None:
    client = await provisioner(shared)
    names = sorted(f"序{new_id().hex}" for _ in range(3))
    for each in names[::-1]:
        body = {"schemas": [f"{CORE}:Group"], "displayName": each}
        assert (await client.post(GROUPS, json=body)).status_code == 201
    asked = {"filter": " or ".join(f'displayName eq "{each}"' for each in names), "sortBy": "displayName"}
    for order, expected in (("ascending", names), ("descending", names[::-1])):
        pages = [
            (await client.get(GROUPS, params={**asked, "sortOrder": order, "startIndex": at, "count": 1})).json()
            for at in (1, 2, 3, 4)
        ]
        assert [each["totalResults"] for each in pages] == [3] * 4
        assert [each["displayName"] for page in pages for each in page["Resources"]] == expected
    for count, start in ((0, 1), (-5, 1), (5, 10**6)):
        answer = await client.get(GROUPS, params={**asked, "count": count, "startIndex": start})
        assert (listed(answer), answer.json()["totalResults"]) == ([], 3)


async def test_bodies_come_as_either_kind_of_json_with_meta_of_their_own(shared: World) -> None:
    client = await provisioner(shared)
    meta = {
        "resourceType": "User",
        "created": "2001-01-01T00:00:00Z",
        "version": 'W/"mine"',
        "location": "http://x.example",
    }
    for media in ("application/json", "application/scim+json", "application/scim+json; charset=utf-8"):
        body = json.dumps(a_user(meta=meta, id="mine")).encode()
        answer = await client.post(USERS, content=body, headers={"Content-Type": media})
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert told["id"] != "mine"
        assert told["meta"]["location"] == answer.headers["location"] == f"http://duanhao.test{USERS}/{told['id']}"
        assert (told["meta"]["version"], told["meta"]["resourceType"]) == (answer.headers["etag"], "User")
        assert not told["meta"]["created"].startswith("2001")
    group = {"schemas": [f"{CORE}:Group"], "displayName": f"组{new_id().hex}", "meta": {"resourceType": "Group"}}
    answer = await client.post(GROUPS, content=json.dumps(group).encode(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["meta"]["resourceType"]) == (201, "Group")


async def test_what_a_resource_cannot_be_without_is_asked_for(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    for name in (None, "", "   "):
        nameless = {each: value for each, value in a_user(userName=name).items() if value is not None}
        refused(await client.post(USERS, json=nameless), 400, "invalidValue")
        refused(await client.put(f"{USERS}/{user['id']}", json=nameless), 400, "invalidValue")
    answer = await client.patch(f"{USERS}/{user['id']}", json=patch({"op": "remove", "path": "userName"}))
    assert answer.status_code == 400
    nameless = {"schemas": [f"{CORE}:Group"]}
    assert refused(await client.post(GROUPS, json=nameless), 400, "invalidValue")
    assert (await client.get(f"{USERS}/{user['id']}")).json() == user


@pytest.mark.parametrize(
    "path", ["ServiceProviderConfig", "ResourceTypes", "ResourceTypes/User", "Schemas", f"Schemas/{CORE}:User"]
)
async def test_what_describes_the_service_is_read_alone(shared: World, path: str) -> None:
    client = await provisioner(shared)
    told = await client.get(f"{BASE}/{path}")
    assert (told.status_code, told.headers["content-type"]) == (200, "application/scim+json")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await client.request(method, f"{BASE}/{path}", json={})
        refused(answer, 405)
        assert "GET" in answer.headers["allow"]


async def test_what_is_nowhere_is_an_error_of_scim(shared: World) -> None:
    client = await provisioner(shared)
    for path in (
        f"Schemas/{CORE}:Nothing",
        "ResourceTypes/Nothing",
        "Nothing",
        f"Users/{new_id()}",
        f"Groups/{new_id()}",
        "Users/x/y",
    ):
        refused(await client.get(f"{BASE}/{path}"), 404)
    refused(await client.get(f"{BASE}/Me"), 501)
