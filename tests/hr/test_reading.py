"""A source reads its own ledger: filtered, paged, on record, and never what it said about anybody."""

from typing import Any

import pytest
from sqlalchemy import update

from app.auth.clients import NewClient
from app.hr.models import HrEvent
from app.kit.errors import LogUnavailable
from tests.hr.calls import applied, post
from tests.hr.events import department, joined, left, moved, updated
from tests.support.application import World
from tests.support.policy import without_rule


async def sent(world: World) -> list[dict[str, Any]]:
    """Send six events; give them, oldest first."""
    bodies = [
        joined("E9001"),
        moved("E9001", department="SALES"),
        joined("E9002", department="NOWHERE"),
        department("created", "RD-DATA", name="数据平台部"),
        {**updated("E9001", title="x"), "source": "https://payroll.example.com", "sequence": 7},
        left("E9001"),
    ]
    for body in bodies:
        assert (await post(world, body)).status_code == 202
    return bodies


async def page(world: World, **query: Any) -> dict[str, Any]:  # noqa: ANN401 — query parameters
    answer = await (await world.as_("hr-system")).get("/v1/hr/events", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_ledger_is_listed_newest_first(world: World) -> None:
    bodies = await sent(world)
    found = await page(world)
    assert [each["id"] for each in found["items"]] == [body["id"] for body in reversed(bodies)]
    assert found["next"] is None
    assert found["items"][0].keys() == {
        "id", "source", "type", "time", "sequence", "received_at", "state", "contact_id", "numbers", "problem",
        "due_at",
    }  # fmt: skip
    assert found["items"][1]["sequence"] == 7
    assert found["items"][3]["problem"] == {"code": "unknown_department", "detail": "There is no such department"}
    assert not {"逄试9001", "13700009001", "E9001", "数据平台部"} & set(str(found).replace("'", " ").split())


FILTERS: list[tuple[dict[str, str], list[int]]] = [
    ({"state": "failed"}, [2]),
    ({"state": "waiting"}, []),
    ({"type": "employee.joined"}, [2, 0]),
    ({"subject": "E9001"}, [5, 4, 1, 0]),
    ({"subject": "RD-DATA"}, [3]),
    ({"subject": "E9999"}, []),
    ({"subject": "E9001", "state": "applied", "type": "employee.left"}, [5]),
    ({"source": "https://payroll.example.com"}, [4]),
]


async def test_filters_narrow(world: World) -> None:
    bodies = await sent(world)
    for query, expected in FILTERS:
        found = [each["id"] for each in (await page(world, **query))["items"]]
        assert found == [bodies[at]["id"] for at in expected], query


async def test_pages_follow_one_another_and_a_cursor_belongs_to_its_question(world: World) -> None:
    bodies = await sent(world)
    found, cursor = [], None
    for _ in range(3):
        given = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        one = await page(world, **given)
        found += [each["id"] for each in one["items"]]
        cursor = one["next"]
    assert cursor is None
    assert found == [body["id"] for body in reversed(bodies)]
    first = await page(world, limit=1, subject="E9001")
    client = await world.as_("hr-system")
    for other in ({}, {"subject": "E9002"}, {"subject": "E9001", "state": "failed"}):
        answer = await client.get("/v1/hr/events", params={**other, "cursor": first["next"]})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


async def test_a_source_sees_its_own_events_alone(world: World) -> None:
    bodies = await sent(world)
    async with world.application.database.unit_of_work() as unit:
        await world.application.clients.add(unit.session, NewClient("payroll", "Payroll", scopes=("hr:write",)))
        await unit.session.execute(
            update(HrEvent).where(HrEvent.event_id == bodies[0]["id"]).values(client_id="payroll")
        )
    assert len((await page(world))["items"]) == len(bodies) - 1
    client = await world.as_("payroll")
    assert [each["id"] for each in (await client.get("/v1/hr/events")).json()["items"]] == [bodies[0]["id"]]
    assert (await client.get(f"/v1/hr/events/{bodies[1]['id']}")).status_code == 404
    assert (await client.get(f"/v1/hr/events/{bodies[0]['id']}")).status_code == 200


async def test_every_look_is_on_record_and_names_the_subject_as_a_hash(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    body = left("E9999")
    await post(world, body)
    note = (await page(world, subject="E9001", state="applied"))["disclosure"]
    client = await world.as_("hr-system")
    read = (await client.get(f"/v1/hr/events/{body['id']}")).json()["disclosure"]
    infosec = await world.as_("infosec")
    listed = (await infosec.get(f"/v1/access-events/{note['event_id']}")).json()
    assert (listed["action"], listed["count"], listed["actor"]["id"]) == ("hr.event.list", 1, "hr-system")
    assert [each["id"] for each in listed["contacts"]] == [person]
    assert listed["query"] == {"state": "applied", "subject": world.application.terms.masked("E9001")}
    one = (await infosec.get(f"/v1/access-events/{read['event_id']}")).json()
    assert (one["action"], one["count"], one["contacts"]) == ("hr.event.read", 1, [])
    missing = await client.get("/v1/hr/events/evt-none")
    assert missing.status_code == 404
    refused = (await infosec.get("/v1/access-events", params={"decision": "refused"})).json()["items"]
    assert [(each["action"], each["code"]) for each in refused] == [("hr.event.read", "not_found")]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"state": "lost"}, "?state"),
        ({"type": "employee.vanished"}, "?type"),
        ({"subject": "李雷"}, "?subject"),
        ({"limit": "201"}, "?limit"),
        ({"contact": "x"}, "?contact"),
        ({"cursor": "x" * 30}, "?cursor"),
    ],
)
async def test_a_question_that_cannot_be_asked(sqlite_world: World, query: dict[str, str], pointer: str) -> None:
    answer = await (await sqlite_world.as_("hr-system")).get("/v1/hr/events", params=query)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("caller", ["staff", "infosec", "it-scripts", "siem", "directory-sync", None])
async def test_nobody_else_reads_the_ledger(sqlite_world: World, caller: str | None) -> None:
    answer = await (await sqlite_world.as_(caller)).get("/v1/hr/events")
    expected = (401, "token_required") if caller is None else (403, "insufficient_scope")
    assert (answer.status_code, answer.json()["code"]) == expected


async def test_the_scope_alone_reads_nothing(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application = sqlite_world.application
    body = joined("E9001")
    await applied(sqlite_world, body)
    await without_rule(monkeypatch, application, "service.personnel", "service.provisioning")
    for path in ("/v1/hr/events", f"/v1/hr/events/{body['id']}"):
        answer = await (await sqlite_world.as_("hr-system")).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


async def test_without_the_log_the_ledger_is_not_told(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await applied(sqlite_world, joined("E9001"))

    async def broken(*_: object, **__: object) -> None:
        raise LogUnavailable

    monkeypatch.setattr(sqlite_world.application.log, "permit", broken)
    answer = await (await sqlite_world.as_("hr-system")).get("/v1/hr/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "access_log_unavailable")
