"""Departments over HTTP: who reads what of the tree, who keeps it, and what a refusal says and leaves behind."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from app.api.department_keeping import STRUCTURE_KEEPERS
from app.api.department_views import DepartmentPage, DepartmentReceipt, DepartmentView
from app.audit.authors import Author
from app.audit.events import EventDraft
from app.audit.repository import EventFilter
from app.auth.clients import NewClient
from app.config import AuditSettings
from app.departments.models import Department
from app.kit.models import new_id
from tests.support.application import World, opened_world
from tests.support.company import DEPARTMENTS, PEOPLE, SECRETS
from tests.support.stores import SqliteTestStore

ROOT = "/v1/departments"
ANY = "*"
OPERATOR = Author(type="operator", id="os:test")


async def get(world: World, name: str | None, path: str = "", **query: Any) -> httpx.Response:  # noqa: ANN401 — anything
    """Read as ``name``."""
    given = {member: str(value) for member, value in query.items()}
    return await (await world.as_(name)).get(f"{ROOT}{path}", params=given)


async def shown(world: World, name: str, code: str) -> dict[str, Any]:
    """Read one department; fails unless the answer is 200 and fits its declared shape."""
    answer = await get(world, name, f"/{code}")
    assert answer.status_code == 200, answer.text
    DepartmentView.model_validate_json(answer.content)
    assert answer.headers["etag"] == f'"{answer.json()["version"]}"'
    found: dict[str, Any] = answer.json()
    return found


async def listed(world: World, name: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401 — anything
    """Read a page; fails unless the answer is 200 and fits its declared shape."""
    answer = await get(world, name, **query)
    assert answer.status_code == 200, answer.text
    DepartmentPage.model_validate_json(answer.content)
    found: dict[str, Any] = answer.json()
    return found


async def post(world: World, name: str, body: object, **headers: str) -> httpx.Response:
    return await (await world.as_(name)).post(
        ROOT, json=body, headers={each.replace("_", "-"): value for each, value in headers.items()}
    )


async def patch(world: World, name: str, code: str, body: object, version: str | None) -> httpx.Response:
    headers = {} if version is None else {"If-Match": ANY if version == ANY else f'"{version}"'}
    return await (await world.as_(name)).patch(f"{ROOT}/{code}", json=body, headers=headers)


async def remove(world: World, name: str, code: str, version: str | None) -> httpx.Response:
    headers = {} if version is None else {"If-Match": ANY if version == ANY else f'"{version}"'}
    return await (await world.as_(name)).delete(f"{ROOT}/{code}", headers=headers)


async def newest(world: World, **wanted: Any) -> EventDraft:  # noqa: ANN401 — members of EventFilter
    """Give the newest event, after everything that waits has been moved into the log."""
    await world.settle()
    page = await world.application.events.search(EventFilter(**wanted), limit=1)
    return page.events[0].event


def told(event: EventDraft) -> set[UUID]:
    return {contact for cohort in event.cohorts for contact in cohort.contacts}


def refused(answer: httpx.Response, status: int, code: str, errors: Mapping[str, str] | None = None) -> None:
    """Expect a problem document, with exactly these faults (pointer to code)."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document = answer.json()
    assert (document["code"], document["status"]) == (code, status)
    assert {fault["pointer"]: fault["code"] for fault in document["errors"]} == (errors or {})


async def rows(world: World) -> list[Any]:
    async with world.application.database.session() as session:
        found = await session.execute(select(*Department.__table__.c).order_by(Department.id))
        return [tuple(row) for row in found]


async def test_everybody_reads_the_tree_and_each_look_is_on_record(world: World) -> None:
    page = await listed(world, "outsider", limit=100)
    assert [each["code"] for each in page["items"]] == sorted(DEPARTMENTS)
    by_code = {each["code"]: each for each in page["items"]}
    assert by_code["RD-CORE"]["parent"] == by_code["RD"]["id"] == str(world.departments["RD"])
    assert by_code["RD-CORE"]["path"] == "部门RD/部门RD-CORE"
    assert by_code["RD"]["head"] == str(world.people["head"])
    assert not [secret for secret in SECRETS if secret in str(page)]
    event = await newest(world, actor_id=str(world.people["outsider"]))
    assert (str(event.id), event.action, event.decision) == (
        page["disclosure"]["event_id"],
        "department.list",
        "allowed",
    )
    assert (told(event), event.count) == ({world.people["head"]}, len(DEPARTMENTS))

    one = await shown(world, "outsider", "RD")
    assert one == {**by_code["RD"], "disclosure": one["disclosure"]}
    assert {**await shown(world, "outsider", one["id"]), "disclosure": None} == {**one, "disclosure": None}
    event = await newest(world, actor_id=str(world.people["outsider"]))
    assert (event.action, event.query, told(event)) == (
        "department.read",
        {"department": one["id"]},
        {world.people["head"]},
    )


async def test_pages_follow_the_code_and_belong_to_one_caller_and_one_list(sqlite_world: World) -> None:
    world = sqlite_world
    codes, query = [], {"limit": 3}
    first = page = await listed(world, "staff", **query)
    while True:
        codes += [each["code"] for each in page["items"]]
        if page["next"] is None:
            break
        page = await listed(world, "staff", **query, cursor=page["next"])
    assert codes == sorted(DEPARTMENTS)
    cursor = first["next"]
    refused(await get(world, "colleague", cursor=cursor), 422, "bad_cursor", {"?cursor": "bad_cursor"})
    refused(await get(world, "staff", cursor=cursor, parent="RD"), 422, "bad_cursor", {"?cursor": "bad_cursor"})
    refused(await get(world, "staff", cursor=cursor, q="RD"), 422, "bad_cursor", {"?cursor": "bad_cursor"})
    refused(await get(world, "staff", cursor="A" * 40), 422, "bad_cursor", {"?cursor": "bad_cursor"})


async def test_a_list_is_narrowed(sqlite_world: World) -> None:
    world = sqlite_world
    narrowed = {
        "RD": {"parent": "RD"},
        "id": {"parent": str(world.departments["RD"]), "recursive": "true"},
        "q": {"q": "core"},
    }
    for query in narrowed.values():
        assert [each["code"] for each in (await listed(world, "staff", **query))["items"]] == ["RD-CORE"]
    assert (await listed(world, "staff", parent="NONE", recursive="true"))["items"] == []
    event = await newest(world, actor_id=str(world.people["staff"]))
    assert (event.count, event.query) == (
        0,
        {"of": "departments", "parent": "NONE", "recursive": True, "view": "list"},
    )
    await listed(world, "staff", q="机密项目")
    event = await newest(world, actor_id=str(world.people["staff"]))
    assert "机密项目" not in str(event.query)


async def test_the_tree_is_nested(world: World) -> None:
    tree = await listed(world, "staff", view="tree")
    assert [each["code"] for each in tree["items"]] == sorted(code for code, above in DEPARTMENTS.items() if not above)
    (research,) = [each for each in tree["items"] if each["code"] == "RD"]
    assert [(each["code"], each["children"]) for each in research["children"]] == [("RD-CORE", [])]
    assert [each["code"] for each in (await listed(world, "staff", view="tree", parent="RD"))["items"]] == ["RD-CORE"]
    event = await newest(world, actor_id=str(world.people["staff"]))
    assert (event.action, event.count) == ("department.list", 1)


async def test_a_list_that_cannot_be_read(sqlite_world: World) -> None:
    for query, pointer, code in (
        ({"colour": "red"}, "?colour", "unknown_member"),
        ({"limit": "0"}, "?limit", "invalid_value"),
        ({"limit": "201"}, "?limit", "invalid_value"),
        ({"view": "graph"}, "?view", "unknown_value"),
        ({"view": "tree", "q": "RD"}, "?view", "not_with_tree"),
        ({"q": " "}, "?q", "too_short"),
        ({"q": "a\u202eb"}, "?q", "invalid_text"),
        ({"purpose": "curiosity"}, "?purpose", "unknown_value"),
    ):
        refused(await get(sqlite_world, "staff", **query), 422, "invalid_request", {pointer: code})


async def test_an_unchanged_department_is_304_and_logged_all_the_same(world: World) -> None:
    one = await shown(world, "staff", "RD-CORE")
    client = await world.as_("staff")
    headers = {"If-None-Match": f'"other", "{one["version"]}"'}
    answer = await client.get(f"{ROOT}/RD-CORE", headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    event = await newest(world, actor_id=str(world.people["staff"]))
    assert (event.action, str(event.id) != one["disclosure"]["event_id"]) == ("department.read", True)
    above = await shown(world, "hr", "RD")
    answer = await patch(world, "hr", "RD", {"name": "研发中心"}, above["version"])
    assert answer.status_code == 200
    answer = await client.get(f"{ROOT}/RD-CORE", headers=headers)
    assert (answer.status_code, answer.json()["path"]) == (200, "研发中心/部门RD-CORE")


async def test_what_is_not_there_and_what_was_edited_look_alike(world: World) -> None:
    await shown(world, "staff", "RD")
    async with world.application.database.unit_of_work() as unit:
        statement = update(Department).where(Department.code == "RD").values(head_id=world.people["staff"])
        await unit.session.execute(statement)
    world.application.standings.forget()
    bodies = []
    for path in ("/RD", f"/{world.departments['RD']}", "/RD-CORE", "/NONE", f"/{new_id()}"):
        answer = await get(world, "outsider", path)
        refused(answer, 404, "not_found")
        bodies.append({**answer.json(), "instance": None})
    assert all(each == bodies[0] for each in bodies)
    event = await newest(world, actor_id=str(world.people["outsider"]))
    assert (event.action, event.decision, event.code) == ("department.read", "refused", "not_found")
    page = await listed(world, "outsider", limit=100)
    assert {each["code"] for each in page["items"]} == set(DEPARTMENTS) - {"RD", "RD-CORE"}
    assert not (await world.viewer("staff")).standing.headed


async def test_a_position_is_named_to_those_who_may_know_of_its_holder(world: World) -> None:
    before = await shown(world, "staff", "RD")
    assert before["head"] == str(world.people["head"])
    application, viewer = world.application, await world.viewer("hr")
    record = await application.contact_rows.by_id(world.people["head"], viewer.tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    after = await shown(world, "staff", "RD")
    assert (after["head"], after["version"] != before["version"]) == (None, True)
    assert told(await newest(world, actor_id=str(world.people["staff"]))) == set()
    assert (await listed(world, "staff", q="部门RD"))["items"][0]["head"] is None
    assert (await shown(world, "steward", "RD"))["head"] == str(world.people["head"])


async def test_no_token_and_no_scope(sqlite_world: World) -> None:
    world = sqlite_world
    before = await rows(world)
    for path in ("", "/RD"):
        refused(await get(world, None, path), 401, "token_required")
        refused(await get(world, "hr-system", path), 403, "insufficient_scope")
    assert (await get(world, "directory-sync")).status_code == 200
    body = {"code": "NEW", "name": "新部门"}
    for name in ("staff", "head", "infosec", "auditor", "ceo", "directory-sync", "hr-system"):
        refused(await post(world, name, body), 403, "insufficient_scope")
        refused(await patch(world, name, "RD", {"name": "x"}, ANY), 403, "insufficient_scope")
        refused(await remove(world, name, "RD-CORE", ANY), 403, "insufficient_scope")
    assert await rows(world) == before


async def test_a_scope_without_the_role_keeps_nothing(world: World) -> None:
    async with world.application.database.unit_of_work() as unit:
        await world.application.clients.add(
            unit.session, NewClient("org-sync", "Structure mirror", scopes=("contacts:read", "departments:write"))
        )
    before = await rows(world)
    refused(await post(world, "org-sync", {"code": "NEW", "name": "新部门"}), 403, "not_permitted")
    refused(await patch(world, "org-sync", "RD", {"name": "x"}, ANY), 403, "not_permitted")
    for code in ("RD-CORE", "NONE"):
        refused(await remove(world, "org-sync", code, ANY), 403, "not_permitted")
    assert await rows(world) == before
    event = await newest(world, actor_id="org-sync")
    assert (event.action, event.decision, event.code) == ("department.delete", "refused", "not_permitted")


@pytest.mark.parametrize("name", ["hr", "steward", "it"])
async def test_the_offices_that_keep_the_structure(sqlite_world: World, name: str) -> None:
    assert not STRUCTURE_KEEPERS.isdisjoint(PEOPLE[name].roles)
    answer = await post(sqlite_world, name, {"code": "NEW", "name": "新部门"})
    assert answer.status_code == 201, answer.text
    event = await newest(sqlite_world, action="department.create")
    assert (event.actor_type, event.actor_id, event.client_id) == (
        "person",
        str(sqlite_world.people[name]),
        "intranet",
    )


async def test_a_receipt_is_what_the_next_look_shows(world: World) -> None:
    body = {
        "code": "RD-LAB",
        "name": "  实验室 ",
        "parent": "RD",
        "head": str(world.people["colleague"]),
        "deputy": str(world.people["staff"]),
        "order": 5,
        "legal_entity": "Demo Ltd.",
        "protected": True,
    }
    answer = await post(world, "hr", body)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    DepartmentReceipt.model_validate_json(answer.content)
    assert answer.headers["location"] == f"{ROOT}/{receipt['id']}"
    assert answer.headers["etag"] == f'"{receipt["version"]}"'
    assert (receipt["name"], receipt["path"], receipt["region"]) == ("实验室", "部门RD/实验室", "CN")
    seen = await shown(world, "hr", "RD-LAB")
    assert {**receipt, "disclosure": seen["disclosure"]} == seen
    event = await newest(world, action="department.create", actor_id=str(world.people["hr"]))
    assert (event.query, told(event)) == (
        {"department": receipt["id"]},
        {world.people["colleague"], world.people["staff"]},
    )
    assert (event.tier, event.request_id) == ("T4", answer.headers["x-request-id"])

    changed = await patch(world, "hr", "RD-LAB", {"deputy": None, "parent": None, "order": 6}, receipt["version"])
    assert changed.status_code == 200, changed.text
    assert changed.json() == {
        **receipt,
        "deputy": None,
        "parent": None,
        "order": 6,
        "path": "实验室",
        "version": changed.json()["version"],
    }
    assert changed.json()["version"] == (await shown(world, "hr", "RD-LAB"))["version"]
    event = await newest(world, action="department.update", actor_id=str(world.people["hr"]))
    assert event.fields == ("deputy", "order", "parent")

    gone = await remove(world, "hr", "RD-LAB", changed.json()["version"])
    assert (gone.status_code, gone.content) == (204, b"")
    refused(await get(world, "hr", "/RD-LAB"), 404, "not_found")
    assert (await newest(world, action="department.delete")).query == {"department": receipt["id"]}


async def test_a_new_head_stands_as_one_at_once_and_an_old_one_no_more(world: World) -> None:
    """The remembered standing of both is refused by the log, so no time passes in between."""
    core = PEOPLE["core"].mobile
    assert (await world.card("outsider", "core"))["mobile"]["value"] == f"{core[:3]}********"
    version = (await shown(world, "hr", "RD-CORE"))["version"]
    answer = await patch(world, "hr", "RD-CORE", {"head": str(world.people["outsider"])}, version)
    assert answer.status_code == 200
    assert (await world.card("outsider", "core"))["mobile"]["value"] == f"{core[:3]}****{core[-4:]}"
    answer = await patch(world, "hr", "RD-CORE", {"head": None}, answer.json()["version"])
    assert answer.status_code == 200
    assert (await world.card("outsider", "core"))["mobile"]["value"] == f"{core[:3]}********"


async def test_a_repeated_call_is_done_once(world: World) -> None:
    body = {"code": "NEW", "name": "新部门"}
    first = await post(world, "hr", body, Idempotency_Key="once-1")
    again = await post(world, "hr", body, Idempotency_Key="once-1")
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await post(world, "hr", {**body, "name": "别的"}, Idempotency_Key="once-1")
    refused(other, 422, "idempotency_key_reused")
    refused(await post(world, "hr", body), 409, "duplicate_department_code")
    refused(await post(world, "steward", body, Idempotency_Key="once-1"), 409, "duplicate_department_code")
    await world.settle()
    events = await world.application.events.search(
        EventFilter(action="department.create", actor_id=str(world.people["hr"])), limit=9
    )
    assert len(events.events) == 1


async def test_a_change_names_what_the_caller_saw(world: World) -> None:
    seen = await shown(world, "hr", "RD")
    before = await rows(world)
    refused(await patch(world, "hr", "RD", {"name": "x"}, None), 428, "precondition_required")
    refused(await patch(world, "hr", "RD", {"name": "x"}, "stale"), 412, "precondition_failed")
    refused(await remove(world, "hr", "RD", None), 428, "precondition_required")
    refused(await remove(world, "hr", "RD", "stale"), 412, "precondition_failed")
    refused(await patch(world, "hr", "NONE", {"name": "x"}, ANY), 404, "not_found")
    assert await rows(world) == before
    assert (await patch(world, "hr", "RD", {"name": "x"}, seen["version"])).status_code == 200
    refused(await patch(world, "hr", "RD", {"name": "y"}, seen["version"]), 412, "precondition_failed")


async def test_a_department_in_use_is_not_removed(world: World) -> None:
    before = await rows(world)
    for code in ("RD", "RD-CORE", "SALES"):
        version = (await shown(world, "hr", code))["version"]
        refused(await remove(world, "hr", code, version), 409, "department_not_empty")
    assert await rows(world) == before


async def test_a_body_that_cannot_become_a_department(sqlite_world: World) -> None:
    before = await rows(sqlite_world)
    stranger = str(new_id())
    for members, faults in (
        ({"colour": "red"}, {"/colour": "unknown_member"}),
        ({"id": stranger}, {"/id": "unknown_member"}),
        ({"code": "new"}, {"/code": "invalid_value"}),
        ({"code": "9"}, {"/code": "invalid_value"}),
        ({"code": "N" * 33}, {"/code": "invalid_value"}),
        ({"code": "N\nEW"}, {"/code": "invalid_value"}),
        ({"code": None}, {"/code": "invalid_value"}),
        ({"name": "   "}, {"/name": "too_short"}),
        ({"name": "名" * 101}, {"/name": "too_long"}),
        ({"name": "a\u0000b"}, {"/name": "invalid_text"}),
        ({"name": "研\ufe0f发"}, {"/name": "invalid_text"}),
        ({"order": -1}, {"/order": "invalid_value"}),
        ({"order": 2**40}, {"/order": "invalid_value"}),
        ({"region": "China"}, {"/region": "invalid_value"}),
        ({"legal_entity": "x" * 65}, {"/legal_entity": "too_long"}),
        ({"protected": "maybe"}, {"/protected": "invalid_value"}),
        ({"head": "somebody"}, {"/head": "malformed_id"}),
    ):
        body = {"code": "NEW", "name": "新部门", **members}
        refused(await post(sqlite_world, "hr", body), 422, "invalid_request", faults)
    for name, value, code in (
        ("head", stranger, "unknown_holder"),
        ("deputy", stranger, "unknown_holder"),
        ("parent", "NONE", "unknown_parent"),
    ):
        body = {"code": "NEW", "name": "新部门", name: value}
        refused(await post(sqlite_world, "hr", body), 422, code, {f"/{name}": code})
    assert await rows(sqlite_world) == before


async def test_a_change_that_cannot_be(sqlite_world: World) -> None:
    before = await rows(sqlite_world)
    for members, code, fault in (
        ({"code": "OTHER"}, "invalid_request", "unknown_member"),
        ({"name": None}, "invalid_request", "not_removable"),
        ({"order": None}, "invalid_request", "not_removable"),
        ({"region": None}, "invalid_request", "not_removable"),
        ({"protected": None}, "invalid_request", "not_removable"),
        ({"parent": "RD"}, "department_loop", "department_loop"),
        ({"parent": "RD-CORE"}, "department_loop", "department_loop"),
        ({"parent": "NONE"}, "unknown_parent", "unknown_parent"),
        ({"deputy": str(new_id())}, "unknown_holder", "unknown_holder"),
    ):
        (name,) = members
        refused(await patch(sqlite_world, "hr", "RD", members, ANY), 422, code, {f"/{name}": fault})
    assert await rows(sqlite_world) == before


async def test_nothing_is_shown_or_changed_without_the_log(sqlite_store: SqliteTestStore) -> None:
    hasty = sqlite_store.settings.model_copy(update={"audit": AuditSettings()})
    async with opened_world(hasty) as world:
        version = (await shown(world, "hr", "RD"))["version"]
        before = await rows(world)
        with closing(sqlite3.connect(sqlite_store.log_path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused(await get(world, "hr", "/RD"), 503, "access_log_unavailable")
            refused(await patch(world, "hr", "RD", {"name": "x"}, version), 503, "access_log_unavailable")
            other.execute("ROLLBACK")
        assert await rows(world) == before
        assert (await patch(world, "hr", "RD", {"name": "x"}, version)).status_code == 200
