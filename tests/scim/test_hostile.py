"""A provisioning client that wants more than it may, on both engines: odd texts, hidden people, and what an answer tells of them."""

import json
from datetime import date

import pytest

from app.kit.models import new_id
from tests.scim.clients import DIRECTORY, ENTERPRISE, a_user, made, patch, provisioner, refused
from tests.support.application import World
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
USERS, GROUPS = "/scim/v2/Users", "/scim/v2/Groups"
GROUP = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}
ODD = ("x" * 256, "x" * 5000, "a\u0000b", "a\u202eb", "a\nb", "a\u200bb")


@pytest.mark.parametrize("odd", ODD, ids=["long", "longer", "null", "direction", "line", "unseen"])
async def test_a_name_that_the_client_gives_is_a_short_plain_text(shared: World, odd: str) -> None:
    client = await provisioner(shared)
    user = await made(client)
    group = (await client.post(GROUPS, json={**GROUP, "displayName": f"t{new_id().hex}"})).json()
    named = {"op": "replace", "path": "externalId", "value": odd}
    for answer in (
        await client.post(USERS, json=a_user(externalId=odd)),
        await client.post(GROUPS, json={**GROUP, "displayName": f"t{new_id().hex}", "externalId": odd}),
        await client.patch(f"{USERS}/{user['id']}", json=patch(named)),
        await client.patch(f"{GROUPS}/{group['id']}", json=patch(named)),
        await client.put(
            f"{GROUPS}/{group['id']}", json={**GROUP, "displayName": group["displayName"], "externalId": odd}
        ),
    ):
        refused(answer, 400, "invalidValue")
    assert (await client.get(f"{USERS}/{user['id']}")).json() == user


@pytest.mark.parametrize("odd", ODD, ids=["long", "longer", "null", "direction", "line", "unseen"])
async def test_a_filter_by_such_a_text_finds_nobody(shared: World, odd: str) -> None:
    client = await provisioner(shared)
    for name in (
        "id",
        "externalId",
        "userName",
        "displayName",
        "title",
        f"{ENTERPRISE}:employeeNumber",
        f"{ENTERPRISE}:department",
    ):
        answer = await client.get(USERS, params={"filter": f"{name} eq {json.dumps(odd)}"})
        assert (answer.status_code, answer.json()["totalResults"]) == (200, 0), (name, answer.text)
    for name in ("emails", "phoneNumbers"):
        answer = await client.get(USERS, params={"filter": f"{name} eq {json.dumps(odd)}"})
        assert (answer.status_code, answer.json()["totalResults"]) == (200, 0), (name, answer.text)
    for name in ("id", "externalId", "displayName"):
        answer = await client.get(GROUPS, params={"filter": f"{name} eq {json.dumps(odd)}"})
        assert (answer.status_code, answer.json()["totalResults"]) == (200, 0), (name, answer.text)


@pytest.mark.parametrize("odd", [*ODD, "\ud800"], ids=["long", "longer", "null", "direction", "line", "unseen", "half"])
async def test_no_text_in_a_user_is_more_than_a_refusal(shared: World, odd: str) -> None:
    client = await provisioner(shared)
    user = await made(client)
    paths = (
        "displayName",
        "nickName",
        "title",
        "name.familyName",
        f"{ENTERPRISE}:employeeNumber",
        f"{ENTERPRISE}:department",
        f"{ENTERPRISE}:manager",
        f"{DIRECTORY}:workerKind",
        f"{DIRECTORY}:dottedManager",
        'emails[type eq "work"].value',
    )
    for path in paths:
        answer = await client.patch(
            f"{USERS}/{user['id']}", content=json.dumps(patch({"op": "replace", "path": path, "value": odd}))
        )
        assert answer.status_code == 400, (path, answer.text[:300])
    for path in () if odd == "\ud800" else (f"{USERS}/{odd[:2000]}", f"{GROUPS}/{odd[:2000]}"):
        refused(await client.get(path.replace("\u0000", "%00").replace("\n", "%0A")), 404)


async def test_whoever_is_hidden_is_nowhere(shared: World) -> None:
    client, code = await provisioner(shared), await add_department(shared)
    there = await made(client, **{ENTERPRISE: {"department": code}})
    hidden = await add_person(shared, department=code, status="prehire", title="幕僚")
    card = (await (await shared.as_("hr")).get(hidden.path)).json()
    refused(await client.get(f"{USERS}/{hidden.id}"), 404)
    refused(
        await client.patch(f"{USERS}/{hidden.id}", json=patch({"op": "replace", "path": "title", "value": "x"})), 404
    )
    refused(await client.put(f"{USERS}/{hidden.id}", json=a_user()), 404)
    refused(await client.delete(f"{USERS}/{hidden.id}"), 404)
    for asked in (
        f'id eq "{hidden.id}"',
        f'userName eq "{card["user_name"]}"',
        f'{ENTERPRISE}:employeeNumber eq "{card["employee_no"]}"',
        f'id eq "{hidden.id}" or userName eq "{card["user_name"]}" or title eq "幕僚"',
        f'emails eq "someone{hidden.number}@example.com"',
        f'phoneNumbers[type eq "mobile" and value eq "{hidden.mobile}"]',
    ):
        for more in ({}, {"count": 0}, {"sortBy": "title"}):
            told = (await client.get(USERS, params={"filter": asked, **more})).json()
            assert (told["totalResults"], told["Resources"]) == (0, []), asked
    group = (await client.get(f"{GROUPS}/{shared.departments[code]}")).json()
    assert [each["value"] for each in group["members"]] == [there["id"]]
    user = await made(client)
    named = {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": str(hidden.id)}}
    nobody = {**named, "value": {"value": str(new_id())}}
    answers = [await client.patch(f"{USERS}/{user['id']}", json=patch(each)) for each in (named, nobody)]
    assert [each.status_code for each in answers] == [400, 400]
    one, two = (each.json() for each in answers)
    assert one == two


async def test_a_superior_is_somebody_of_whom_the_client_may_know(shared: World) -> None:
    client, ended = (
        await provisioner(shared),
        await add_person(shared, kind="temporary", contract_until=date(2020, 1, 1)),
    )
    refused(await client.get(f"{USERS}/{ended.id}"), 404)
    user, told = await made(client), []
    for name in (str(ended.id), f"N{ended.number}", str(new_id()), "N0", "a\u0000b"):
        for path in (f"{ENTERPRISE}:manager", f"{DIRECTORY}:dottedManager"):
            sent = patch({"op": "replace", "path": path, "value": {"value": name}})
            answer = refused(await client.patch(f"{USERS}/{user['id']}", json=sent), 400, "invalidValue")
            told.append(answer["detail"].rpartition("/")[0])
        taken = a_user(**{ENTERPRISE: {"department": "RD", "manager": {"value": name}}})
        told.append(refused(await client.post(USERS, json=taken), 400, "invalidValue")["detail"].rpartition("/")[0])
    assert len(set(told)) == 1
    manager = await add_person(shared)
    for name in (str(manager.id), f"N{manager.number}"):
        sent = patch({"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": name}})
        answer = (await client.patch(f"{USERS}/{user['id']}", json=sent)).json()
        assert answer[ENTERPRISE]["manager"]["value"] == str(manager.id)
