"""Bulk over HTTP, on both engines: operations that refer to each other, fail alone, and are on record as requests of their own."""

from typing import Any
from uuid import UUID

import pytest

from app.audit.repository import EventFilter
from app.kit.models import new_id
from app.permissions.standing import Viewer
from app.scim.bounds import MOST_IN_BULK
from app.scim.writing import UserWriter
from tests.scim.clients import ENTERPRISE, a_user, patch, provisioner, refused
from tests.support.application import World
from tests.support.shared import add_department

pytestmark = pytest.mark.asyncio(loop_scope="session")
BULK = "/scim/v2/Bulk"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def bulk(*operations: dict[str, Any], **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of the request
    """Write the body of a bulk request."""
    schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]
    return {"schemas": schemas, "Operations": list(operations), **members}


def creation(name: str, data: dict[str, Any], path: str = "/Users") -> dict[str, Any]:
    """Write an operation that makes something under a name of the request's own."""
    return {"method": "POST", "path": path, "bulkId": name, "data": data}


async def test_operations_refer_to_each_other_and_fail_alone(shared: World) -> None:
    client, code = await provisioner(shared), await add_department(shared)
    one, two = (a_user(**{ENTERPRISE: {"department": code, **more}}) for more in ({"manager": "bulkId:two"}, {}))
    group = {"schemas": [GROUP], "displayName": f"批{new_id()}", "members": [{"value": "bulkId:one"}]}
    nobody = new_id()
    sent = bulk(
        creation("one", one),
        creation("two", two),
        creation("group", group, "/Groups"),
        creation("again", {**a_user(), "userName": one["userName"].upper()}),
        {"method": "PATCH", "path": "/Users/bulkId:one", "data": patch({"op": "Replace", "value": {"title": "经理"}})},
        {"method": "PATCH", "path": f"/Users/{nobody}", "data": patch({"op": "Remove", "path": "title"})},
        {
            "method": "PATCH",
            "path": f"/Groups/{shared.departments[code]}",
            "data": patch({"op": "Remove", "path": "members"}),
        },
        {"method": "PUT", "path": "/Users/bulkId:one", "version": 'W/"stale"', "data": one},
        {"method": "DELETE", "path": "/Users/bulkId:never"},
        creation("nameless", {"schemas": one["schemas"]}),
        {"method": "DELETE", "path": "/Users/bulkId:two"},
    )
    answer = await client.post(BULK, json=sent)
    assert answer.status_code == 200, answer.text
    told = answer.json()["Operations"]
    statuses = ["201", "201", "201", "409", "200", "404", "400", "412", "409", "400", "204"]
    assert [each["status"] for each in told] == statuses, answer.text
    kinds = [each["response"].get("scimType") for each in told if "response" in each]
    assert kinds == ["uniqueness", None, "mutability", None, None, "invalidValue"]
    assert not [each for each in told if ("data" in each or "path" in each)]
    identity = told[0]["location"].rpartition("/")[2]
    made = (await client.get(told[0]["location"])).json()
    assert (made["title"], made["meta"]["version"]) == ("经理", told[4]["version"])
    assert made[ENTERPRISE]["manager"]["value"] == told[1]["location"].rpartition("/")[2]
    members = (await client.get(told[2]["location"])).json()["members"]
    assert [each["value"] for each in members] == [identity]
    await shared.settle()
    refusals = await shared.application.events.search(EventFilter(contact_id=nobody), limit=2)
    assert [(each.event.decision, each.event.code) for each in refusals.events] == [("refused", "not_found")]
    looks = await shared.application.events.search(EventFilter(contact_id=UUID(identity)), limit=20)
    assert "scim.read" in {each.event.action for each in looks.events}


async def test_a_client_says_after_how_many_errors_to_stop(shared: World) -> None:
    client = await provisioner(shared)
    absent = [{"method": "DELETE", "path": f"/Users/{new_id()}"} for _ in range(3)]
    for most, ran in ((1, 1), (2, 2), (5, 3)):
        answer = await client.post(BULK, json=bulk(*absent, failOnErrors=most))
        assert [each["status"] for each in answer.json()["Operations"]] == ["404"] * ran


async def test_each_operation_has_the_rights_of_its_moment(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await provisioner(shared, "disabled-meanwhile")
    assert (await client.get("/scim/v2/Users", params={"count": 0})).status_code == 200
    create, done = UserWriter.create, list[UUID]()

    async def last(writer: UserWriter, viewer: Viewer, said: Any) -> UUID:  # noqa: ANN401 — what a user says
        done.append(await create(writer, viewer, said))
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.clients.disable(unit.session, "disabled-meanwhile")
        return done[-1]

    monkeypatch.setattr(UserWriter, "create", last)
    answer = await client.post(BULK, json=bulk(creation("a", a_user()), creation("b", a_user())))
    assert answer.status_code in {401, 403}, answer.text
    assert len(done) == 1


async def test_a_bulk_request_has_bounds_and_says_so(shared: World) -> None:
    client = await provisioner(shared)
    told = (await client.get("/scim/v2/ServiceProviderConfig")).json()["bulk"]
    assert told == {"supported": True, "maxOperations": 200, "maxPayloadSize": 1_048_576}
    nothing = {"method": "DELETE", "path": f"/Users/{new_id()}"}
    refused(await client.post(BULK, json=bulk(*[nothing] * 201)), 413)
    refused(await client.post(BULK, content=b" " * 1_048_577), 413)
    written = patch({"op": "replace", "value": {f"x{at}": 1 for at in range(MOST_IN_BULK // 4 + 1)}})
    many = [{"method": "PATCH", "path": f"/Users/{shared.people['hr']}", "data": written}] * 4
    refused(await client.post(BULK, json=bulk(*many)), 413)
    long = patch({"op": "remove", "path": "x" * 10_000})
    refused(await client.post(BULK, json=bulk({**many[0], "data": long})), 400, "invalidPath")
    odd: tuple[Any, ...] = (
        {},
        [],
        bulk(),
        {**bulk(), "Operations": [1]},
        bulk({"method": "PATCH", "path": 1, "data": 1}),
    )
    for body in odd:
        answer = await client.post(BULK, json=body)
        assert answer.status_code == 400 or [each["status"] for each in answer.json()["Operations"]] == ["400"]
    refused(await client.get(BULK), 405)
    refused(await (await shared.as_("hr")).post(BULK, json=bulk(nothing)), 403)
