"""How many people a provisioning client lets go: by one bulk request, judged ahead as a batch of events is, and one after the other."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from scim2_models import BulkOperation, PatchOp, Resource
from structlog.testing import capture_logs

from app.audit.repository import EventFilter
from app.hr.fuse import Limits
from app.scim.ending import ended
from app.scim.resources import User, described
from app.scim.shims import standard_patch
from tests.scim.clients import a_user, made, patch, provisioner
from tests.scim.test_bulk import BULK, bulk, creation
from tests.support.application import World, opened_world
from tests.support.shared import kept_store

loop = pytest.mark.asyncio(loop_scope="session")
SOMEBODY = UUID("01936b00-0000-7000-8000-000000000001")
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
MANY = Limits(people=2, percent_of_many=1, percent_of_few=80)
OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}


def operation(method: str | None, path: str, data: Any) -> BulkOperation[Resource[Any]]:  # noqa: ANN401 — what a request carries
    """Write an operation as it was read."""
    named = None if method is None else BulkOperation.Method(method)
    read: Any = BulkOperation[User](method=named, path=path, data=data)
    found: BulkOperation[Resource[Any]] = read
    return found


PATCHES: list[tuple[list[dict[str, Any]], bool]] = [
    ([OFF], True),
    ([{"op": "Replace", "path": "Active", "value": "False"}], True),
    ([{"op": "Add", "path": f"{CORE}:active", "value": False}], True),
    ([{"op": "replace", "value": {"active": False}}], True),
    ([{"op": "Replace", "value": {"ACTIVE": "False", "title": "甲"}}], True),
    ([{"op": "replace", "value": {f"{CORE}:active": False}}], True),
    ([{"op": "Replace", "path": "active", "value": [{"$ref": None, "value": "False"}]}], True),
    ([{"op": "replace", "path": "title", "value": "甲"}, OFF], True),
    ([{"op": "add", "path": 'emails[type eq "work"].value', "value": "a@example.com"}, OFF], True),
    ([{"op": "replace", "value": {"active": "perhaps"}}, OFF], True),
    ([OFF, ON], False),
    ([ON], False),
    ([{"op": "replace", "path": "active", "value": "True"}], False),
    ([{"op": "remove", "path": "active"}], False),
    ([{"op": "replace", "path": "title", "value": "False"}], False),
    ([{"op": "replace", "value": {"title": "甲"}}], False),
]


@pytest.mark.parametrize(("operations", "ends"), PATCHES)
def test_a_patch_ends_whom_it_leaves_inactive_however_it_is_spelled(
    operations: list[dict[str, Any]], *, ends: bool
) -> None:
    with described():
        said = PatchOp[User].model_validate(standard_patch(patch(*operations)))
        assert ended(operation("PATCH", f"/Users/{SOMEBODY}", said)) == (SOMEBODY if ends else None)


@pytest.mark.parametrize(
    ("method", "path", "data", "ends"),
    [
        ("DELETE", f"/Users/{SOMEBODY}", None, True),
        ("DELETE", f"Users/{SOMEBODY}", None, True),
        ("DELETE", "/Users/bulkId:one", None, False),
        ("PUT", f"/Users/{SOMEBODY}", User(user_name="a", active=False), True),
        ("PUT", f"/Users/{SOMEBODY}", User(user_name="a", active=True), False),
        ("PUT", f"/Users/{SOMEBODY}", User(user_name="a"), False),
        ("PUT", f"/Users/{SOMEBODY}", None, False),
        ("PATCH", f"/Users/{SOMEBODY}", None, False),
        ("POST", "/Users", User(user_name="a", active=False), False),
        (None, f"/Users/{SOMEBODY}", None, False),
    ],
)
def test_an_operation_ends_whom_it_deletes_or_replaces_by_somebody_inactive(
    method: str | None, path: str, data: User | None, *, ends: bool
) -> None:
    assert ended(operation(method, path, data)) == (SOMEBODY if ends else None)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["sqlite", "postgresql"])
async def few(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Give a company, on each engine in turn, to which these tests alone add people: ``MANY`` is a share of everybody in service.

    So few are in it that three are more than one in a hundred; in the shared company, to which every test adds, they are not for long.
    """
    with kept_store(request, tmp_path_factory) as store:
        async with opened_world(store.settings) as world:
            yield world


@contextmanager
def limited(world: World, limits: Limits) -> Iterator[None]:
    """Let so many people go at once."""
    fuse: Any = world.application.hr.leavers.fuse
    before, fuse._limits = fuse._limits, limits
    try:
        yield
    finally:
        fuse._limits = before


def put_inactive(user: dict[str, Any]) -> dict[str, Any]:
    return {"method": "PUT", "path": f"/Users/{user['id']}", "data": {**user, "active": False}}


def patched(user: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    return {"method": "PATCH", "path": f"/Users/{user['id']}", "data": patch(*operations)}


def deleted(user: dict[str, Any]) -> dict[str, Any]:
    return {"method": "DELETE", "path": f"/Users/{user['id']}"}


async def sent(client: httpx.AsyncClient, *operations: dict[str, Any], **members: Any) -> list[dict[str, Any]]:  # noqa: ANN401 — members of the request
    answer = await client.post(BULK, json=bulk(*operations, **members))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["Operations"]
    return found


def statuses(told: list[dict[str, Any]]) -> list[str]:
    return [each["status"] for each in told]


def alarms(logs: Any, event: str) -> list[tuple[str, str, str, int]]:  # noqa: ANN401 — what was captured
    return [(log["client_id"], log["reason"], log["extent"], log["leavers"]) for log in logs if log["event"] == event]


async def active(client: httpx.AsyncClient, *users: dict[str, Any]) -> list[bool]:
    return [(await client.get(f"/scim/v2/Users/{each['id']}")).json()["active"] for each in users]


@loop
async def test_a_bulk_request_that_would_end_too_many_ends_none_and_does_the_rest(few: World) -> None:
    client = await provisioner(few, "wrong-filter")
    users = [await made(client) for _ in range(4)]
    operations = [
        deleted(users[0]),
        patched(users[3], {"op": "replace", "path": "title", "value": "经理"}),
        put_inactive(users[1]),
        creation("new", a_user()),
        patched(users[2], {"op": "Replace", "path": "active", "value": "False"}),
        deleted(users[0]),
        patched(users[3], OFF, ON),
    ]
    with limited(few, MANY), capture_logs() as logs:
        told = await sent(client, *operations)
    assert statuses(told) == ["409", "200", "409", "201", "409", "409", "200"]
    assert alarms(logs, "fuse_blown") == [("wrong-filter", "too_many_leave", "this_batch", 3)]
    errors = [each["response"] for each in told if each["status"] == "409"]
    assert {each.get("scimType") for each in errors} == {None}
    (detail,) = {each["detail"] for each in errors}
    assert all(each in detail for each in ("3 people", "more than 2", "1 %", "80 %", "hr.mass_leaving")), detail
    await few.settle()
    seen = await few.application.events.search(EventFilter(contact_id=UUID(users[0]["id"])), limit=20)
    assert [each.event.action for each in seen.events].count("scim.read") == 1, (
        "who is not let go is not looked at either"
    )
    assert await active(client, *users) == [True] * 4
    assert (await client.get(f"/scim/v2/Users/{users[3]['id']}")).json()["title"] == "经理"


@loop
async def test_as_many_as_may_go_and_what_follows_within_a_day_is_added(few: World) -> None:
    client = await provisioner(few, "in-parts")
    users = [await made(client) for _ in range(4)]
    with limited(few, MANY), capture_logs() as logs:
        assert statuses(await sent(client, deleted(users[0]), patched(users[1], OFF))) == ["204", "200"]
        assert statuses(await sent(client, patched(users[1], OFF), put_inactive(users[2]))) == ["200", "409"]
        assert statuses(await sent(client, deleted(users[1]))) == ["204"], "who has left already leaves nobody more"
        other = await provisioner(few, "of-another")
        assert statuses(await sent(other, deleted(users[3]))) == ["204"], "each client is counted by itself"
    assert alarms(logs, "fuse_blown") == [("in-parts", "too_many_leave", "day", 3)]
    assert await active(client, users[2]) == [True]


@loop
async def test_the_client_stops_at_as_many_refusals_as_it_says(few: World) -> None:
    client = await provisioner(few, "stops")
    users = [await made(client) for _ in range(3)]
    with limited(few, MANY):
        assert statuses(await sent(client, *map(deleted, users), failOnErrors=2)) == ["409", "409"]
    assert await active(client, *users) == [True] * 3


@loop
async def test_who_is_not_there_is_not_counted_and_answered_as_ever(few: World) -> None:
    client = await provisioner(few, "knows-few")
    users = [await made(client) for _ in range(2)]
    absent = [{"method": "DELETE", "path": f"/Users/{SOMEBODY}"}, {"method": "DELETE", "path": "/Users/x"}]
    with limited(few, MANY):
        told = await sent(client, *absent, *map(deleted, users), {"method": "DELETE", "path": f"/Groups/{SOMEBODY}"})
    assert statuses(told) == ["404", "404", "204", "204", "404"]


@loop
async def test_who_is_made_by_the_request_itself_is_counted_when_they_are_ended(few: World) -> None:
    client = await provisioner(few, "made-and-ended")
    users = [await made(client) for _ in range(2)]
    ending = {"method": "DELETE", "path": "/Users/bulkId:one"}
    with limited(few, MANY), capture_logs() as logs:
        told = await sent(client, creation("one", a_user()), *map(deleted, users), ending)
    assert statuses(told) == ["201", "204", "204", "409"]
    assert alarms(logs, "fuse_blown") == [("made-and-ended", "too_many_leave", "day", 3)]


@loop
async def test_single_requests_are_done_and_a_day_of_many_is_told(few: World) -> None:
    client = await provisioner(few, "one-by-one")
    users = [await made(client) for _ in range(4)]
    told = []
    with limited(few, MANY):
        for at, user in enumerate(users):
            path = f"/scim/v2/Users/{user['id']}"
            with capture_logs() as logs:
                match at % 3:
                    case 0:
                        answer = await client.patch(path, json=patch(OFF))
                    case 1:
                        answer = await client.put(path, json={**user, "active": False})
                    case _:
                        answer = await client.delete(path)
            assert answer.status_code in {200, 204}, answer.text
            told.append([each[3] for each in alarms(logs, "many_leave")])
        await client.delete(f"/scim/v2/Users/{users[0]['id']}")
    assert told == [[], [], [], [4]], "as of single events: looked at once for every so many"


@loop
async def test_departures_by_provisioning_stand_in_the_ledger(few: World) -> None:
    client = await provisioner(few, "entered")
    user = await made(client)
    await client.patch(f"/scim/v2/Users/{user['id']}", json=patch(OFF))
    await client.patch(f"/scim/v2/Users/{user['id']}", json=patch(OFF))
    await client.delete(f"/scim/v2/Users/{user['id']}")
    listed = await (await few.as_("hr")).get("/v1/hr/events", params={"source": "scim:entered"})
    assert listed.status_code == 200, listed.text
    found = [(each["type"], each["state"]) for each in listed.json()["items"]]
    assert found == [("employee.left", "applied")]
