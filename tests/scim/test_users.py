"""Users over HTTP, on both engines: what a provisioning client's calls cause in the directory, and what it is told."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from app.disclosure.gate import Gate
from tests.phonebooks.phones import newest
from tests.scim.clients import DIRECTORY, ENTERPRISE, a_user, made, patch, provisioner, refused
from tests.support.application import World
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
USERS = "/scim/v2/Users"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


async def test_a_user_who_is_made_joins_and_is_read_back_on_record(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client, **{DIRECTORY: {"workerKind": "intern"}})
    identity = UUID(user["id"])
    event = await newest(shared, "scim.read")
    assert (event.actor_type, event.actor_id, event.purpose) == ("service", "entra", "system_sync")
    assert event.reason is not None
    (cohort,) = event.cohorts
    assert (cohort.contacts, dict(cohort.states)) == (
        (identity,),
        {"office_phone": "shown", "email": "shown", "mobile": "shown"},
    )
    assert user["meta"]["location"] == f"http://duanhao.test{USERS}/{identity}"
    assert user["name"] == {"familyName": "欧阳", "givenName": user["displayName"][2:]}
    assert user["phoneNumbers"][0]["type"] == "mobile"
    card = (await (await shared.as_("hr")).get(f"/v1/contacts/{identity}")).json()
    assert (card["name"], card["employee_no"], card["worker_kind"], card["status"]) == (
        user["displayName"],
        user[ENTERPRISE]["employeeNumber"],
        "intern",
        "active",
    )
    account = await shared.application.accounts.by_contact(shared.application.database.reader, identity)
    assert account is not None
    assert (account.user_name, account.state) == (user["userName"].lower(), "active")
    again = await client.get(f"{USERS}/{identity}", headers={"If-None-Match": user["meta"]["version"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await newest(shared, "scim.read")).id != event.id


async def test_what_is_taken_is_a_conflict(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    number, name = user[ENTERPRISE]["employeeNumber"], user["userName"]
    refused(await client.post(USERS, json=a_user(userName=name.upper())), 409, "uniqueness")
    refused(await client.post(USERS, json=a_user(externalId=user["externalId"])), 409, "uniqueness")
    taken = a_user(**{ENTERPRISE: {"employeeNumber": number, "department": "RD"}})
    refused(await client.post(USERS, json=taken), 409, "uniqueness")
    other = await provisioner(shared, "okta")
    assert (await made(other, externalId=user["externalId"]))["externalId"] == user["externalId"]
    assert "externalId" not in (await other.get(f"{USERS}/{user['id']}")).json()


async def test_one_user_pushed_at_once_and_again_is_one(shared: World) -> None:
    client, body = await provisioner(shared), a_user()
    answers = await asyncio.gather(*(client.post(USERS, json=body) for _ in range(4)))
    (one,) = [each.json() for each in answers if each.status_code == 201]
    for each in answers:
        if each.status_code != 201:
            refused(each, 409, "uniqueness")
    found = await client.get(USERS, params={"filter": f'externalId eq "{body["externalId"]}"', "attributes": "id"})
    assert [each["id"] for each in found.json()["Resources"]] == [one["id"]]


async def test_a_user_name_that_no_account_can_have_is_refused(shared: World) -> None:
    client = await provisioner(shared)
    for name in ("", "two words", "用户", "user\u200b", "\u0130stanbul", "\uff21dmin", "../x", "a\u0000b", "x" * 300):
        refused(await client.post(USERS, json=a_user(userName=name)), 400, "invalidValue")
        found = await client.get(USERS, params={"filter": f"userName eq {json.dumps(name)}"})
        assert (found.status_code, found.json()["totalResults"]) == (200, 0)


async def test_who_is_deactivated_leaves_stays_findable_and_can_come_back(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    path, identity = f"{USERS}/{user['id']}", UUID(user["id"])
    gone = (await client.patch(path, json=patch({"op": "replace", "path": "active", "value": False}))).json()
    assert gone["active"] is False
    assert not {"emails", "phoneNumbers"} & gone.keys()
    reader = shared.application.database.reader
    account = await shared.application.accounts.by_contact(reader, identity)
    assert account is not None
    assert account.state == "disabled"
    assert (await (await shared.as_("hr")).get(f"/v1/contacts/{identity}")).status_code == 404
    for asked in (
        f'userName eq "{user["userName"].upper()}"',
        f'externalId eq "{user["externalId"]}" and active eq false',
    ):
        found = (await client.get(USERS, params={"filter": asked})).json()
        assert [each["id"] for each in found["Resources"]] == [user["id"]]
    refused(
        await client.patch(path, json=patch({"op": "replace", "path": "userName", "value": "new.name"})),
        400,
        "mutability",
    )
    titled = await client.patch(path, json=patch({"op": "replace", "path": "title", "value": "前工程师"}))
    assert (titled.json()["title"], titled.json()["active"]) == ("前工程师", False)
    back = (await client.patch(path, json=patch({"op": "replace", "value": {"active": True}}))).json()
    assert (back["active"], back["title"], back["emails"]) == (True, "前工程师", user["emails"][:1])
    account = await shared.application.accounts.by_contact(reader, identity)
    assert account is not None
    assert (account.state, account.tier) == ("active", "T1")


async def test_who_is_made_inactive_was_never_here(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client, active=False)
    assert user["active"] is False
    events = await shared.application.accounts.by_contact(shared.application.database.reader, UUID(user["id"]))
    assert events is not None
    assert events.state == "disabled"


async def test_who_is_deleted_is_archived_and_then_nobody(shared: World) -> None:
    """The account stays closed under its name: somebody else must not come to sign in as the person who left."""
    client = await provisioner(shared)
    user = await made(client)
    path = f"{USERS}/{user['id']}"
    assert (await client.delete(path)).status_code == 204
    refused(await client.get(path), 404)
    refused(await client.delete(path), 404)
    found = (await client.get(USERS, params={"filter": f'externalId eq "{user["externalId"]}"'})).json()
    assert (found["totalResults"], found["Resources"]) == (0, [])
    assert (await made(client, externalId=user["externalId"]))["id"] != user["id"]
    refused(await client.post(USERS, json=a_user(userName=user["userName"])), 409, "uniqueness")


async def test_who_is_archived_by_others_gives_the_clients_name_back(shared: World) -> None:
    client, hr = await provisioner(shared), await shared.as_("hr")
    one, two = await made(client), await made(client)
    for each in (one, two):
        card = await hr.get(f"/v1/contacts/{each['id']}")
        gone = await hr.delete(f"/v1/contacts/{each['id']}", headers={"If-Match": card.headers["ETag"]})
        assert gone.status_code == 204, gone.text
    assert (await made(client, externalId=one["externalId"]))["externalId"] == one["externalId"]
    assert await shared.app.state.scim.sweep() == 1


async def test_who_moves_moves_and_what_did_not_change_is_not_written(shared: World) -> None:
    client, code = await provisioner(shared), await add_department(shared)
    user = await made(client)
    path = f"{USERS}/{user['id']}"
    manager = await add_person(shared)
    named = {"value": str(manager.id)}
    work: dict[str, object] = {"employeeNumber": "M-7", "department": code, "manager": named}
    moved = (await client.put(path, json={**user, ENTERPRISE: work})).json()
    assert moved[ENTERPRISE] == {
        **work,
        "manager": {**named, "$ref": f"http://duanhao.test{USERS}/{manager.id}"},
    }
    again = (await client.put(path, json={**user, ENTERPRISE: work})).json()
    assert again["meta"] == moved["meta"]
    unknown = {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "NOWHERE"}
    refused(await client.patch(path, json=patch(unknown)), 400, "invalidValue")
    refused(
        await client.patch(path, json=patch({**unknown, "path": 'phoneNumbers[type eq "mobile"].value'})),
        400,
        "invalidValue",
    )
    assert (await client.get(path)).json() == again
    refused(await client.put(path, json=user, headers={"If-Match": user["meta"]["version"]}), 412)


async def test_what_policy_guards_is_absent_and_finds_nobody(shared: World) -> None:
    client = await provisioner(shared)
    guarded = await add_person(shared, secrecy="executive")
    plain = await add_person(shared)
    told = (await client.get(f"{USERS}/{guarded.id}")).json()
    assert not {"emails", "phoneNumbers"} & told.keys()
    assert DIRECTORY not in told or "secrecy" not in told[DIRECTORY]
    asked = (await client.get(f"{USERS}/{guarded.id}", params={"attributes": f"{DIRECTORY}:secrecy"})).json()
    assert asked[DIRECTORY] == {"secrecy": "executive"}
    for person, found in ((guarded, []), (plain, [str(plain.id)])):
        for question in (
            f'emails[type eq "work"].value eq "someone{person.number}@example.com"',
            f'emails eq "someone{person.number}@EXAMPLE.com" and active eq true',
            f'phoneNumbers[type eq "mobile" and value eq "{person.mobile}"]',
        ):
            answer = await client.get(USERS, params={"filter": question})
            assert answer.status_code == 200, answer.text
            assert [each["id"] for each in answer.json()["Resources"]] == found
    event = await newest(shared, "scim.list")
    assert set(event.query or {}) == {"resource", "filter"}
    assert plain.mobile not in str(event.query)


@pytest.mark.parametrize(
    "asked",
    [
        'emails co "someone"',
        "emails pr",
        'emails.value ne "x@example.com"',
        'not (emails eq "x@example.com")',
        'phoneNumbers[type eq "mobile"]',
        'phoneNumbers.value sw "137"',
        'userName pr and emails.type eq "work"',
    ],
)
async def test_a_filter_that_would_feel_for_values_is_refused(shared: World, asked: str) -> None:
    refused(await (await provisioner(shared)).get(USERS, params={"filter": asked}), 400, "invalidFilter")


async def test_pages_are_counted_ordered_and_searched(shared: World) -> None:
    client, code = await provisioner(shared), await add_department(shared)
    made_here = [await made(client, title=f"级{at}", **{ENTERPRISE: {"department": code}}) for at in (2, 1, 3)]
    newest_first = (await client.get(USERS, params={"count": 2})).json()
    assert [each["id"] for each in newest_first["Resources"]] == [made_here[2]["id"], made_here[1]["id"]]
    assert newest_first["totalResults"] > 3
    second = (await client.get(USERS, params={"startIndex": 3, "count": 1})).json()
    assert ([each["id"] for each in second["Resources"]], second["startIndex"]) == ([made_here[0]["id"]], 3)
    none = (await client.get(USERS, params={"count": 0})).json()
    assert (none["totalResults"], none["Resources"]) == (newest_first["totalResults"], [])
    asked: dict[str, str] = {
        "filter": f'{ENTERPRISE}:department eq "{code}"',
        "sortBy": "title",
        "sortOrder": "descending",
    }
    ordered = (await client.get(USERS, params=asked)).json()
    assert [each["title"] for each in ordered["Resources"]] == ["级3", "级2", "级1"]
    sought = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        **asked,
        "count": 1,
        "attributes": ["title"],
    }
    posted = (await client.post(f"{USERS}/.search", json=sought)).json()
    assert (posted["totalResults"], [each.get("userName") for each in posted["Resources"]]) == (3, [None])
    refused(await client.get(USERS, params={"sortBy": "emails"}), 400, "invalidPath")
    whole = (await client.get("/scim/v2/", params={"startIndex": none["totalResults"], "count": 2})).json()
    assert [each["meta"]["resourceType"] for each in whole["Resources"]] == ["User", "Group"]
    assert whole["totalResults"] > none["totalResults"]
    refused(await client.get("/scim/v2/", params={"sortBy": "displayName"}), 501)


async def test_a_page_of_names_opens_nothing_and_says_so(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    asked, told = {"filter": f'id eq "{user["id"]}"'}, dict[str, Any]()
    for attributes, opened in (
        ("userName", {}),
        (f"ID,name.familyName,{ENTERPRISE}:manager.value,{DIRECTORY}:extension", {}),
        ("userName,emails.type", {"office_phone": "shown", "email": "shown", "mobile": "shown"}),
        ("meta.version", {"office_phone": "shown", "email": "shown", "mobile": "shown"}),
    ):
        answer = await client.get(USERS, params={**asked, "attributes": attributes})
        told = answer.json()["Resources"][0]
        (cohort,) = (await newest(shared, "scim.list")).cohorts
        assert (cohort.contacts, dict(cohort.states)) == ((UUID(user["id"]),), opened)
    assert told["meta"]["version"] == user["meta"]["version"]


async def test_every_declared_attribute_is_compared_and_ordered_by_or_refused(shared: World) -> None:
    client = await provisioner(shared)
    schemas = {each["id"]: each for each in (await client.get("/scim/v2/Schemas")).json()["Resources"]}
    for resource, names in (("Users", (CORE, ENTERPRISE, DIRECTORY)), ("Groups", (CORE.replace("User", "Group"),))):
        for name in names:
            for attribute in schemas[name]["attributes"]:
                path = attribute["name"] if "core" in name else f"{name}:{attribute['name']}"
                parts = [f"{path}.{each['name']}" for each in attribute.get("subAttributes", ())] or [path]
                asked = {"filter": f"{parts[0]} pr or not ({parts[0]} pr)", "sortBy": parts[0], "count": "1"}
                answer = await client.get(f"/scim/v2/{resource}", params=asked)
                if attribute["name"] in {"emails", "phoneNumbers", "members"}:
                    refused(answer, 400, "invalidFilter")
                else:
                    assert (answer.status_code, answer.json()["itemsPerPage"]) == (200, 1), answer.text


async def test_what_is_returned_on_request_is_in_pages_too(shared: World) -> None:
    """``scim2-server`` 0.8.3 writes a page a second time and drops it then."""
    client = await provisioner(shared)
    guarded = await add_person(shared, secrecy="protected")
    asked = {"filter": f'id eq "{guarded.id}"', "attributes": f"userName,{DIRECTORY}:secrecy"}
    sought = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], **asked}
    for answer in (
        await client.get(USERS, params=asked),
        await client.post(f"{USERS}/.search", json={**sought, "attributes": asked["attributes"].split(",")}),
    ):
        (told,) = answer.json()["Resources"]
        assert told.keys() == {"schemas", "id", "userName", DIRECTORY}
        assert told[DIRECTORY] == {"secrecy": "protected"}


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"filter": f'title eq "{"x" * 10_000}"'}, "invalidFilter"),
        ({"filter": "(" * 5000 + 'title eq "x"' + ")" * 5000}, "invalidFilter"),
        ({"filter": "not (" * 40 + "title pr" + ")" * 40}, "invalidFilter"),
        ({"filter": " or ".join(['title eq "x"'] * 1000)}, "invalidFilter"),
        ({"FILTER": " or ".join(['title eq "x"'] * 1000)}, "invalidFilter"),
        ({"filter": "title eq \"x' OR 1=1 --"}, "invalidFilter"),
        ({"filter": "password pr"}, "invalidFilter"),
        ({"filter": "active gt true"}, "invalidFilter"),
        ({"attributes": ["title"] * 5000}, "invalidValue"),
        ({"sortBy": "x" * 10_000}, "invalidPath"),
    ],
    ids=["long", "parentheses", "nots", "ors", "capitals", "quote", "unknown", "order", "attributes", "sort"],
)
async def test_what_would_hold_everybody_up_is_refused_unread(shared: World, asked: dict[str, Any], kind: str) -> None:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1, **asked}
    refused(await (await provisioner(shared)).post(f"{USERS}/.search", json=body), 400, kind)


async def test_a_search_compares_so_much_and_no_more(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await provisioner(shared)
    user = await made(client)
    within = {"filter": f'id eq "{user["id"]}" and ({" or ".join(["title pr"] * 90)})'}
    assert (await client.get(USERS, params=within)).json()["totalResults"] == 1
    monkeypatch.setattr("app.scim.storage.MOST_COMPARED", 3)
    for path, asked in ((USERS, within["filter"]), (USERS, 'title sw "x"'), ("/scim/v2/Groups", 'displayName co "x"')):
        refused(await client.get(path, params={"filter": asked}), 400, "tooMany")


async def test_edges_of_pages(shared: World) -> None:
    client = await provisioner(shared)
    total = (await client.get(USERS, params={"count": 0})).json()["totalResults"]
    for asked, start, found in (
        ({"startIndex": -3, "count": 1}, 1, 1),
        ({"startIndex": total, "count": 5}, total, 1),
        ({"startIndex": total + 1, "count": 5}, total + 1, 0),
        ({"startIndex": 10**30, "count": 5}, 2**53, 0),
        ({"count": -1}, 1, 0),
    ):
        told = (await client.get(USERS, params={**asked, "attributes": "id"})).json()
        assert (told["startIndex"], told["itemsPerPage"], len(told["Resources"])) == (start, found, found)
        assert told["totalResults"] == total
    most, page = [(await client.get(USERS, params={"count": n, "attributes": "id"})).json() for n in (10**30, 200)]
    assert most == page | {"Resources": most["Resources"]}
    assert [each["id"] for each in most["Resources"]] == [each["id"] for each in page["Resources"]]
    refused(await client.get(USERS, params={"count": "many"}), 400, "invalidValue")
    refused(await client.get(USERS, params={"cursor": ""}), 501)


@pytest.mark.parametrize("depth", [150, 230, 900, 100_000])
async def test_a_body_that_nests_deep_is_an_error_of_its_own(shared: World, depth: int) -> None:
    client = await provisioner(shared)
    deep = b"[" * depth + b"]" * depth
    head = b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"deep","name":'
    removed = b'{"Operations":[{"op":"remove","path":"members","value":'
    for method, path, body in (
        ("POST", USERS, head + deep + b"}"),
        ("PATCH", f"{USERS}/{shared.people['hr']}", removed + deep + b"}]}"),
        ("POST", f"{USERS}/.search", b'{"filter":' + deep + b"}"),
    ):
        answer = await client.request(method, path, content=body)
        told = refused(answer, 400, answer.json().get("scimType"))
        assert told["scimType"] in {"invalidSyntax", "invalidValue", "invalidFilter"}


async def test_a_patch_of_more_than_is_taken_changes_nothing(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    path = f"{USERS}/{user['id']}"
    one = {"op": "replace", "path": "title", "value": "x"}
    longest = 'emails[type eq "work"' + ' or type eq "work"' * 1000 + "].value"
    for kind, body in (
        ("invalidValue", patch(*[one] * 1001)),
        ("invalidValue", patch({"op": "replace", "value": {f"x{at}": 1 for at in range(1001)}})),
        ("invalidPath", patch(one, {**one, "path": longest})),
        ("invalidPath", patch(one, {"op": "replace", "value": {longest: "x"}})),
    ):
        refused(await client.patch(path, json=body), 400, kind)
    assert (await client.get(path)).json() == user


async def test_nobody_else_provisions_and_every_refusal_is_an_error_of_scim(shared: World) -> None:
    for caller, status in ((None, 401), ("hr", 403), ("it-scripts", 403), ("directory-sync", 403)):
        client = await shared.as_(caller)
        for path in (USERS, "/scim/v2/Schemas", "/scim/v2/nowhere"):
            refused(await client.get(path), status)
        refused(await client.post(USERS, json=a_user()), status)
    stranger = await (await shared.as_(None)).get(USERS, headers={"Authorization": "Bearer none"})
    refused(stranger, 401)
    assert stranger.headers["WWW-Authenticate"].startswith("Bearer ")
    client = await provisioner(shared)
    refused(await client.get("/scim/v2/nowhere"), 404)
    answer = await client.delete("/scim/v2/Schemas")
    refused(answer, 405)
    assert answer.headers["allow"] == "GET"
    refused(
        await client.post(USERS, content=b"{", headers={"Content-Type": "application/scim+json"}), 400, "invalidSyntax"
    )
    refused(await client.post(USERS, content=b"x" * 2_000_000), 413)
    refused(await client.post(USERS, json={"schemas": a_user()["schemas"]}), 400, "invalidValue")
    refused(await client.post(USERS, json=a_user(**{ENTERPRISE: {}})), 400, "invalidValue")


async def test_a_read_that_nobody_put_on_record_does_not_leave(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await provisioner(shared)
    user = await made(client)
    recorded = Gate._recorded

    async def unrecorded(gate, *given, **named):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN003, ANN202 — as it is called
        permit = await recorded(gate, *given, **named)
        from app.kit.context import current_request  # noqa: PLC0415 — the request at hand

        context = current_request()
        if context is not None:
            context.permit = None
        return permit

    monkeypatch.setattr(Gate, "_recorded", unrecorded)
    refused(await client.get(f"{USERS}/{user['id']}"), 500)
