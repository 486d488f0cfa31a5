"""Devices over HTTP on both engines: registering, who has one, who is told of it, secrets, loss, return and retirement."""

from typing import Any

import pytest

from app.auth.clients import NewClient
from app.devices.schemas import DevicePage, DeviceRead, DeviceRegistered, DeviceView
from tests.devices.calls import admits, assign, call, read, register
from tests.numbers.calls import add_pool, it_client
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def actions_on(world: World, device: str) -> list[str]:
    """Name what the log has of a device, oldest first."""
    await world.settle()
    answer = await (await world.as_("auditor")).get("/v1/access-events", params={"limit": "200"})
    assert answer.status_code == 200, answer.text
    found = []
    for each in answer.json()["items"]:
        if each["action"].startswith("device.") and each["purpose"] is None and each["decision"] == "allowed":
            event = (await (await world.as_("auditor")).get(f"/v1/access-events/{each['id']}")).json()
            if (event["query"] or {}).get("device") == device:
                found.append(each["action"])
    return found[::-1]


async def test_a_device_goes_from_stock_to_a_desk_and_back_and_every_step_is_on_record(shared: World) -> None:
    person = await add_person(shared)
    told = await register(shared, serial="ab 12-9981", mac_address="00-15-65-AA-00-01", department="SALES")
    device, secret = told["id"], told["secret"]
    assert (told["state"], told["serial"], told["mac_address"]) == ("in_stock", "AB12-9981", "00:15:65:aa:00:01")
    assert len(secret) == 32
    assert not await admits(shared, device, secret)

    told = await assign(shared, device, f"N{person.number}")
    assert (told["state"], told["holder"]["id"]) == ("in_use", str(person.id))
    assert told["department"] == str(shared.departments["RD"])
    assert await admits(shared, device, secret)
    assert await assign(shared, device, person.id) == told, "given again to who has it, nothing changes"

    other = await add_person(shared)
    assert (await assign(shared, device, other.id))["holder"]["id"] == str(other.id)
    seen = await read(shared, "it", device)
    assert [(each["id"], each["cause"]) for each in seen["holders"]] == [
        (str(other.id), None),
        (str(person.id), "reassigned"),
    ]
    assert "secret" not in seen
    told = (await call(shared, other.name, "POST", f"/{device}/returns", status=200)).json()
    assert (told["state"], told["holder"]) == ("in_stock", None)
    assert not await admits(shared, device, secret)
    problem(await call(shared, "it", "POST", f"/{device}/returns"), 409, "device_state")
    assert await actions_on(shared, device) == [
        "device.register",
        "device.assign",
        "device.assign",
        "device.return",
    ]


async def test_everybody_is_told_of_what_they_have_and_heads_of_what_stands_with_theirs(shared: World) -> None:
    person, stranger = await add_person(shared), await add_person(shared, department="SALES")
    device = (await register(shared))["id"]
    await assign(shared, device, person.id)
    for who, serial in ((person.name, True), ("it", True), ("infosec", True), ("head", False)):
        seen = await read(shared, who, device)
        assert (seen["serial"] is not None, seen["mac_address"] is not None) == (serial, serial), who
        listed = await call(shared, who, "GET", f"?holder={person.id}", status=200)
        assert device in {each["id"] for each in listed.json()["items"]}, who
    for who in (stranger.name, "outsider", "colleague", "hr"):
        problem(await call(shared, who, "GET", f"/{device}"), 404, "device_not_found")
        problem(await call(shared, who, "POST", f"/{device}/losses"), 404, "device_not_found")
        listed = await call(shared, who, "GET", f"?holder={person.id}", status=200)
        assert listed.json()["items"] == [], who


async def test_nobody_finds_others_devices_by_their_numbers(shared: World) -> None:
    person = await add_person(shared)
    told = await register(shared)
    await assign(shared, told["id"], person.id)
    for query in (f"?serial={told['serial']}", f"?mac_address={told['mac_address']}"):
        assert len((await call(shared, "it", "GET", query, status=200)).json()["items"]) == 1
        assert (await call(shared, "head", "GET", query, status=200)).json()["items"] == []
        assert len((await call(shared, person.name, "GET", query, status=200)).json()["items"]) == 1


async def test_pages_follow_one_another_by_cursor(shared: World) -> None:
    vendor = "snom"
    made = [(await register(shared, vendor=vendor))["id"] for _ in range(3)]
    first = (await call(shared, "it", "GET", f"?vendor={vendor}&limit=2", status=200)).json()
    second = (await call(shared, "it", "GET", f"?vendor={vendor}&limit=2&cursor={first['next']}", status=200)).json()
    assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None
    problem(await call(shared, "infosec", "GET", f"?vendor={vendor}&limit=2&cursor={first['next']}"), 422, "bad_cursor")


async def test_only_those_who_look_after_devices_register_change_and_retire_them(shared: World) -> None:
    person = await add_person(shared)
    device = (await register(shared))["id"]
    version = (await assign(shared, device, person.id))["version"]
    given: dict[str, Any] = {"kind": "gateway", "vendor": "acme", "model": "G1"}
    problem(await call(shared, person.name, "POST", "", **given), 403, "not_permitted")
    seen = {"If-Match": f'"{version}"'}
    for who in (person.name, "head"):
        problem(await call(shared, who, "PATCH", f"/{device}", headers=seen, label="x"), 403, "not_permitted")
        problem(await call(shared, who, "POST", f"/{device}/secrets"), 403, "not_permitted")
        problem(await call(shared, who, "DELETE", f"/{device}"), 403, "not_permitted")
    own = {"type": "contact", "id": str(person.id)}
    problem(await call(shared, person.name, "POST", f"/{device}/assignments", holder=own), 403, "not_permitted")


async def test_a_program_with_the_scope_looks_after_devices(shared: World) -> None:
    application = shared.application
    async with application.database.unit_of_work() as unit:
        await application.clients.add(
            unit.session, NewClient("asset-sync", "Assets", scopes=("devices:read", "devices:write"))
        )
    told = await call(shared, "asset-sync", "POST", "", status=201, kind="softphone", vendor="linphone", model="5")
    device = told.json()["id"]
    named = {"type": "room", "id": "A-301"}
    told = await call(shared, "asset-sync", "POST", f"/{device}/assignments", status=201, holder=named)
    assert told.json()["holder"]["code"] == "A-301"
    assert (await call(shared, "asset-sync", "GET", "?kind=softphone", status=200)).json()["items"]
    whom = {"type": "contact", "id": str(shared.people["staff"])}
    problem(
        await call(shared, "asset-sync", "POST", f"/{device}/assignments", holder=whom), 422, "device_holder_unknown"
    )
    problem(await call(shared, "directory-sync", "GET"), 403, "insufficient_scope")


async def test_a_change_names_the_version_that_was_seen(shared: World) -> None:
    told = await register(shared)
    device, seen = told["id"], {"If-Match": f'"{told["version"]}"'}
    problem(await call(shared, "it", "PATCH", f"/{device}", label="前台"), 428, "precondition_required")
    after = (
        await call(shared, "it", "PATCH", f"/{device}", status=200, headers=seen, label="前台", department="RD")
    ).json()
    assert (after["label"], after["department"]) == ("前台", str(shared.departments["RD"]))
    problem(await call(shared, "it", "PATCH", f"/{device}", headers=seen, label="2"), 412, "precondition_failed")
    seen = {"If-Match": f'"{after["version"]}"'}
    problem(await call(shared, "it", "PATCH", f"/{device}", headers=seen, department="XX"), 422, "device_place_unknown")
    cleared = (await call(shared, "it", "PATCH", f"/{device}", status=200, headers=seen, label=None, room="B-2")).json()
    assert (cleared["label"], cleared["room"], cleared["model"]) == (None, "B-2", "T54W")


async def test_a_suspended_device_is_shut_out_until_it_is_let_in_again(shared: World) -> None:
    told = await register(shared)
    device, secret = told["id"], told["secret"]
    version = (await assign(shared, device, "RD", "department"))["version"]
    for suspended, state in ((True, "suspended"), (False, "in_use")):
        seen = {"If-Match": f'"{version}"'}
        after = (await call(shared, "it", "PATCH", f"/{device}", status=200, headers=seen, suspended=suspended)).json()
        version = after["version"]
        assert after["state"] == state
        assert await admits(shared, device, secret) is not suspended


async def test_of_two_secrets_the_older_one_is_good_for_a_while_and_a_third_ends_it(shared: World) -> None:
    told = await register(shared)
    device, first = told["id"], told["secret"]
    await assign(shared, device, "RD", "department")
    second = (await call(shared, "it", "POST", f"/{device}/secrets", status=201)).json()
    assert await admits(shared, device, first)
    assert await admits(shared, device, second["secret"])
    third = (await call(shared, "it", "POST", f"/{device}/secrets", status=201)).json()
    assert [await admits(shared, device, each) for each in (first, second["secret"], third["secret"])] == [
        False,
        True,
        True,
    ]
    last = (await call(shared, "it", "POST", f"/{device}/secrets", status=201, overlap_hours=0)).json()
    assert [await admits(shared, device, each) for each in (third["secret"], last["secret"])] == [False, True]


async def test_who_has_a_device_reports_it_lost_and_it_is_shut_out_at_once(shared: World) -> None:
    person = await add_person(shared)
    told = await register(shared, follows="person")
    device, secret = told["id"], told["secret"]
    await assign(shared, device, person.id)
    assert await admits(shared, device, secret)
    lost = (await call(shared, person.name, "POST", f"/{device}/losses", status=200)).json()
    assert lost["state"] == "lost"
    assert not await admits(shared, device, secret)
    problem(await call(shared, person.name, "POST", f"/{device}/losses"), 409, "device_state")
    problem(await call(shared, "it", "POST", f"/{device}/secrets"), 409, "device_state")
    assert (await assign(shared, device, person.id))["state"] == "in_use"
    assert not await admits(shared, device, secret), "found again, it needs another secret"


async def test_one_apparatus_is_registered_once_until_it_is_retired(shared: World) -> None:
    told = await register(shared)
    again: dict[str, Any] = {"kind": "desk_phone", "vendor": "yealink", "model": "T54W"}
    for member in ("serial", "mac_address"):
        problem(await call(shared, "it", "POST", "", **again, **{member: told[member]}), 409, "device_exists")
    await call(shared, "it", "DELETE", f"/{told['id']}", status=204)
    await call(shared, "it", "DELETE", f"/{told['id']}", status=204)
    assert (await read(shared, "it", told["id"]))["state"] == "retired"
    await call(shared, "it", "POST", "", status=201, **again, serial=told["serial"], mac_address=told["mac_address"])


async def test_a_device_holds_numbers_and_they_rest_when_it_is_retired(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    device = (await register(shared))["id"]
    body = {"holder": {"type": "device", "id": device}, "count": 2}
    given = await it.post(f"{pool.path}/allocations", json=body)
    assert given.status_code == 201, given.text
    digits = [each["digits"] for each in given.json()["numbers"]]
    seen = (await it.get(f"/v1/numbers/{digits[0]}")).json()
    assert (seen["state"], seen["holders"][0]["type"], seen["holders"][0]["id"]) == ("assigned", "device", device)
    nobody = {"holder": {"type": "device", "id": str(shared.people["staff"])}}
    problem(await it.post(f"{pool.path}/allocations", json=nobody), 422, "unknown_number_holder")

    await call(shared, "it", "DELETE", f"/{device}", status=204)
    assert [(await it.get(f"/v1/numbers/{each}")).json()["state"] for each in digits] == ["quarantined"] * 2
    problem(await it.post(f"{pool.path}/allocations", json=body), 422, "unknown_number_holder")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"mac_address": "00:15:65:aa:bb"}, "malformed_mac_address"),
        ({"mac_address": "01:00:5e:00:00:01"}, "malformed_mac_address"),
        ({"mac_address": "zz:15:65:aa:bb:cc"}, "malformed_mac_address"),
        ({"vendor": "Yea link"}, "invalid_value"),
        ({"kind": "fax"}, "unknown_value"),
        ({"owner": "x"}, "unknown_member"),
    ],
    ids=["short", "a group's", "no hexadecimal", "vendor", "kind", "unknown member"],
)
async def test_what_is_no_device_is_refused_and_nothing_kept(shared: World, members: dict[str, str], code: str) -> None:
    given: dict[str, Any] = {"kind": "desk_phone", "vendor": "yealink", "model": "T54W", **members}
    refused = await call(shared, "it", "POST", "", **given)
    assert refused.status_code == 422
    assert [each["code"] for each in refused.json()["errors"]] == [code]


async def test_the_answers_fit_what_is_declared(shared: World) -> None:
    told = await register(shared)
    DeviceRegistered.model_validate(told)
    DeviceView.model_validate(await assign(shared, told["id"], shared.people["staff"]))
    DeviceRead.model_validate(await read(shared, "it", told["id"]))
    DevicePage.model_validate((await call(shared, "it", "GET", "?limit=5", status=200)).json())
