"""Groups over HTTP, on both engines: departments are read alone, a client's own groups are tags."""

import pytest

from tests.phonebooks.phones import newest
from tests.scim.clients import ENTERPRISE, made, patch, provisioner, refused
from tests.support.application import World
from tests.support.shared import add_department

pytestmark = pytest.mark.asyncio(loop_scope="session")
GROUPS = "/scim/v2/Groups"
SCHEMA = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}


async def test_a_department_is_a_group_that_is_read_alone(shared: World) -> None:
    client, code = await provisioner(shared), await add_department(shared)
    user = await made(client, **{ENTERPRISE: {"department": code}})
    path = f"{GROUPS}/{shared.departments[code]}"
    told = (await client.get(path)).json()
    assert (told["displayName"], [each["value"] for each in told["members"]]) == (f"临时{code}", [user["id"]])
    (cohort,) = (await newest(shared, "scim.group.read")).cohorts
    assert [str(each) for each in cohort.contacts] == [user["id"]]
    bare = await client.get(path, params={"excludedAttributes": "members"})
    assert "members" not in bare.json()
    assert (await newest(shared, "scim.group.read")).cohorts == ()
    asked = {"filter": f'id eq "{shared.departments[code]}" and members eq "{user["id"]}"', "attributes": "id"}
    assert (await client.get(GROUPS, params=asked)).json()["totalResults"] == 1
    asked["filter"] = asked["filter"].replace(user["id"], str(shared.people["hr"]))
    assert (await client.get(GROUPS, params=asked)).json()["totalResults"] == 0
    refused(
        await client.patch(path, json=patch({"op": "replace", "path": "displayName", "value": "x"})), 400, "mutability"
    )
    refused(await client.delete(path), 400, "mutability")


async def test_a_group_of_a_client_is_a_tag_of_its_members(shared: World) -> None:
    client = await provisioner(shared)
    one, two = await made(client), await made(client)
    body = {
        **SCHEMA,
        "displayName": f"登山{one['id'][-6:]}",
        "externalId": one["id"],
        "members": [{"value": one["id"]}],
    }
    answer = await client.post(GROUPS, json=body)
    assert answer.status_code == 201, answer.text
    group = answer.json()
    path = f"{GROUPS}/{group['id']}"
    hr = await shared.as_("hr")
    assert (await hr.get(f"/v1/contacts/{one['id']}")).json()["tags"] == [body["displayName"]]
    refused(await client.post(GROUPS, json=body), 409, "uniqueness")
    joined = await client.patch(path, json=patch({"op": "Add", "path": "members", "value": [{"value": two["id"]}]}))
    assert {each["value"] for each in joined.json()["members"]} == {one["id"], two["id"]}
    renamed = await client.patch(
        path, json=patch({"op": "replace", "value": {"id": group["id"], "displayName": body["displayName"] + "队"}})
    )
    assert renamed.json()["id"] == group["id"]
    assert (await hr.get(f"/v1/contacts/{two['id']}")).json()["tags"] == [body["displayName"] + "队"]
    parted = await client.patch(path, json=patch({"op": "Remove", "path": "members", "value": [{"value": two["id"]}]}))
    assert [each["value"] for each in parted.json()["members"]] == [one["id"]]
    found = (await client.get(GROUPS, params={"filter": f'externalId eq "{one["id"]}"'})).json()
    assert [each["id"] for each in found["Resources"]] == [group["id"]]
    nobody = patch({"op": "Add", "path": "members", "value": [{"value": group["id"]}]})
    refused(await client.patch(path, json=nobody), 400, "invalidValue")
    assert (await client.delete(path)).status_code == 204
    refused(await client.get(path), 404)
    assert (await hr.get(f"/v1/contacts/{one['id']}")).json()["tags"] == []


@pytest.mark.parametrize("name", ["department_head", "safety_officer", "x" * 65, " edge "])
async def test_a_tag_that_policy_reads_is_not_given_by_provisioning(shared: World, name: str) -> None:
    refused(await (await provisioner(shared)).post(GROUPS, json={**SCHEMA, "displayName": name}), 400, "mutability")
