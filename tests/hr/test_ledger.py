"""The ledger, on either engine: each event once, whole or not at all, told only to who sent it, and naming nobody."""

import asyncio
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from app.audit.models import AuditIntent
from app.auth.models import AccountRow
from app.contacts.models import Contact
from app.contacts.past import HistoryKeeper
from app.contacts.writer import ContactWriter
from app.crypto.models import DataKeyRow
from app.hr.models import HrEvent
from tests.hr.calls import applied, counted, post
from tests.hr.events import department, joined, left
from tests.support.application import World


async def test_a_repeat_is_told_the_same_and_does_nothing(world: World) -> None:
    body = joined("E9001")
    first = await post(world, body)
    before = await counted(world)
    second = await post(world, dict(reversed(body.items())))
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await counted(world) == before


async def test_a_failure_is_told_the_same_again_even_when_it_would_now_apply(world: World) -> None:
    body = joined("E9001", department="RD-NEW")
    first = await post(world, body)
    await applied(world, department("created", "RD-NEW", name="新部门"))
    second = await post(world, body)
    assert first.json()["state"] == "failed"
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_a_repeat_is_told_the_state_of_now(world: World) -> None:
    body = left("E9001")
    first = await post(world, body)
    person = (await applied(world, joined("E9001")))["contact_id"]
    second = await post(world, body)
    assert (first.json()["state"], first.json()["problem"]["code"]) == ("waiting", "unknown_subject")
    assert (second.json()["state"], second.json()["problem"], second.json()["contact_id"]) == ("applied", None, person)
    assert second.headers["Idempotency-Replayed"] == "true"


async def test_an_id_used_for_another_event_is_refused(world: World) -> None:
    body = joined("E9001")
    await applied(world, body)
    before = await counted(world)
    for other in (joined("E9002"), {**body, "time": "2026-01-06T09:00:00+08:00"}, left("E9001")):
        answer = await post(world, {**other, "id": body["id"]})
        assert (answer.status_code, answer.json()["code"]) == (422, "event_id_reused")
    assert await counted(world) == before
    other_source = {**joined("E9002"), "id": body["id"], "source": "https://payroll.example.com"}
    assert (await applied(world, other_source))["id"] == body["id"]


async def test_one_event_sent_at_once_by_many_is_done_once(world: World) -> None:
    body = joined("E9001")
    before = await counted(world)
    answers = await asyncio.gather(*(post(world, body) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [202] * 6
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json()["state"] == "applied"
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", *["true"] * 5]
    after = await counted(world)
    grown = {name: after[name] - before[name] for name in ("hr_event", "contact", "user_account", "data_key")}
    assert set(grown.values()) == {1}


async def test_two_events_that_join_one_person_at_once_make_one(world: World) -> None:
    answers = await asyncio.gather(*(post(world, joined("E9001", user_name=f"test.{at}")) for at in range(4)))
    told = [answer.json() for answer in answers]
    assert sorted(each["state"] for each in told) == ["applied", "failed", "failed", "failed"]
    assert {each["problem"]["code"] for each in told if each["problem"]} == {"duplicate_employee_no"}


async def test_what_became_of_an_event_is_told_to_who_sent_it(world: World) -> None:
    body = joined("E9001")
    posted = await post(world, body)
    client = await world.as_("hr-system")
    read = await client.get(posted.headers["Location"])
    told = read.json()
    assert read.status_code == 200
    assert {name: told[name] for name in posted.json()} == posted.json()
    assert (told["source"], told["type"], told["sequence"]) == (body["source"], "employee.joined", None)
    assert datetime.fromisoformat(told["time"]) == datetime.fromisoformat(body["time"])
    assert told["disclosure"]["purpose"] == "work_contact"
    assert "13700009001" not in read.text
    assert "逄试" not in read.text
    assert (await client.get("/v1/hr/events/evt-none")).status_code == 404
    assert (await client.get(f"/v1/hr/events/{body['id']}", params={"source": "https://other"})).status_code == 404
    assert (await client.get(f"/v1/hr/events/{body['id']}", params={"sauce": "x"})).status_code == 422


async def test_an_id_of_two_sources_needs_the_source(world: World) -> None:
    first, second = joined("E9001"), left("E9999")
    second |= {"id": first["id"], "source": "https://payroll.example.com"}
    await post(world, first)
    await post(world, second)
    client = await world.as_("hr-system")
    unclear = await client.get(f"/v1/hr/events/{first['id']}")
    assert [(each["pointer"], each["code"]) for each in unclear.json()["errors"]] == [("?source", "missing")]
    for body, state in ((first, "applied"), (second, "waiting")):
        read = await client.get(f"/v1/hr/events/{body['id']}", params={"source": body["source"]})
        assert read.json()["state"] == state


async def test_another_service_does_not_learn_of_it(world: World) -> None:
    body = joined("E9001")
    await applied(world, body)
    async with world.application.database.unit_of_work() as unit:
        await unit.session.execute(update(HrEvent).values(client_id="payroll"))
    answer = await (await world.as_("hr-system")).get(f"/v1/hr/events/{body['id']}")
    assert answer.status_code == 404


async def test_a_row_that_was_edited_by_sql_is_neither_signed_nor_hidden(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    async with world.application.database.unit_of_work() as unit:
        await unit.session.execute(update(Contact).where(Contact.id == UUID(person)).values(secrecy="core"))
    before = await counted(world)
    body = left("E9001")
    answer = await post(world, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    after = await counted(world)
    assert after["hr_event"] == before["hr_event"]
    async with world.application.database.session() as session:
        assert await session.scalar(select(Contact.status).where(Contact.id == UUID(person))) == "active"


@pytest.mark.parametrize(
    "broken",
    [(ContactWriter, "_announce"), (HistoryKeeper, "keep"), (ContactWriter, "_flush")],
    ids=["announced", "remembered", "flushed"],
)
@pytest.mark.parametrize("event", ["joined", "left"])
async def test_a_failure_in_the_middle_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: tuple[type, str], event: str
) -> None:
    await applied(world, joined("E9001"))
    body = joined("E9002") if event == "joined" else left("E9001")
    before = await counted(world)

    def crash(*_: object, **__: object) -> None:
        message = "pulled the plug"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(*broken, crash)
        assert (await post(world, body)).status_code == 500
    assert await counted(world) == before
    async with world.application.database.session() as session:
        states = await session.execute(
            select(Contact.status, AccountRow.state)
            .join(AccountRow, AccountRow.contact_id == Contact.id)
            .where(Contact.employee_no == "E9001")
        )
        assert [tuple(row) for row in states] == [("active", "active")]
    assert (await post(world, body)).json()["state"] == "applied"


async def test_every_event_that_was_taken_is_in_the_log(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    gone = left("E9999")
    await post(world, gone)
    await post(world, gone)
    await world.settle()
    async with world.application.database.session() as session:
        assert await session.scalar(select(func.count()).select_from(AuditIntent)) == 0
    answer = await (await world.as_("infosec")).get("/v1/access-events", params={"action": "hr.event"})
    found = answer.json()["items"]
    assert [[each["id"] for each in event["contacts"]] for event in found] == [[], [person]]
    assert {(event["actor"]["type"], event["actor"]["id"]) for event in found} == {("service", "hr-system")}


async def test_the_ledger_names_nobody(world: World) -> None:
    """Every column of every row, as the database has it: no name, number or address in UTF-8 or UTF-16, and no employee number."""
    bodies = [
        joined("E9001", personal_mobile="13700008888", wechat="wx_ledger_x", id_number="11010519491231002X"),
        joined("E9001"),
        joined("E9002", department="NOWHERE"),
        {**left("E2101"), "type": "employee.updated", "data": {"mobile": "13700007777", "name": "逄试改名"}},
        left("E9001"),
        left("E9999"),
    ]
    for body in bodies:
        assert (await post(world, body)).status_code == 202
    async with world.application.database.session() as session:
        rows = [tuple(row) for row in await session.execute(text("SELECT * FROM hr_event"))]
        assert len(rows) == len(bodies)
        rows += [tuple(row) for row in await session.execute(text("SELECT * FROM hr_subject"))]
    haystack = b"\x00".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    personal = (
        "逄试", "13700009001", "13700009002", "13700008888", "13700007777", "wx_ledger_x", "11010519491231002X",
        "test.e9001", "example.com", "E9001", "E9002", "E2101", "E9999", "工程师",
    )  # fmt: skip
    cleaned = haystack.replace(bodies[0]["source"].encode(), b"")
    for value in personal:
        for written in (value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be")):
            assert written not in cleaned, value


async def test_the_payload_is_sealed_under_the_contacts_key_and_the_subject_is_a_keyed_hash(world: World) -> None:
    body = joined("E9001")
    told = await applied(world, body)
    await applied(world, left("E9001"))
    async with world.application.database.session() as session:
        rows = (await session.scalars(select(HrEvent).order_by(HrEvent.id))).all()
        key = await session.get_one(DataKeyRow, UUID(told["contact_id"]))
    assert len({row.subject_hash for row in rows}) == 1
    assert len({row.body_hash for row in rows}) == 2
    assert all(row.payload is not None and key.handle in row.payload.envelope for row in rows)
