"""Taking events over HTTP, on either engine: made, hidden, told again, refused, and nothing in between."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text, update

from app.audit.models import AuditIntent
from app.auth.models import AccountRow
from app.contacts.models import Contact, ContactChange
from app.contacts.writer import ContactWriter
from app.crypto.models import DataKeyRow
from app.crypto.rowmac import RowSigner
from app.hr.models import HrEvent
from app.kit.records import OutboxRecord
from app.permissions.models import AccessGrant
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.repository import NewGrant
from tests.hr.events import joined, left
from tests.support.application import World

TABLES = (HrEvent, Contact, ContactChange, DataKeyRow, AccountRow, AuditIntent, OutboxRecord)


async def post(world: World, body: Mapping[str, Any], *, as_: str = "hr-system", **headers: str) -> httpx.Response:
    """Send an event."""
    return await (await world.as_(as_)).post("/v1/hr/events", json=body, headers=headers)


async def applied(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """Send an event that must apply, and give what is told."""
    answer = await post(world, body)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    assert told["state"] == "applied", told
    return told


async def counted(world: World) -> dict[str, int]:
    """Count the rows of every table that an event can touch."""
    async with world.application.database.session() as session:
        return {
            table.__tablename__: await session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES
        }


async def kept(world: World, event_id: str) -> HrEvent:
    """Load the ledger row of an event."""
    async with world.application.database.session() as session:
        row = await session.scalar(select(HrEvent).where(HrEvent.event_id == event_id))
        assert row is not None
        return row


async def listed(world: World, reader: str, **query: str) -> list[dict[str, Any]]:
    """List cards as ``reader``."""
    answer = await (await world.as_(reader)).get("/v1/contacts", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_joining_makes_the_contact(world: World) -> None:
    told = await applied(world, joined("E9001", manager="E2104", worker_kind="part_time", until="2027-01-31"))
    assert told["numbers"] == []
    assert told["problem"] is None
    card = (await (await world.as_("colleague")).get(f"/v1/contacts/{told['contact_id']}")).json()
    assert (card["name"], card["employee_no"], card["user_name"]) == ("逄试9001", "E9001", "test.e9001")
    assert (card["department"]["code"], card["status"], card["kind"]) == ("RD", "active", "employee")
    assert (card["worker_kind"], card["contract_until"]) == ("part_time", "2027-01-31")
    assert card["manager"] == str(world.people["head"])
    assert card["mobile"]["state"] == "masked"
    stranger = (await (await world.as_("outsider")).get(f"/v1/contacts/{told['contact_id']}")).json()
    assert stranger["mobile"]["state"] == "masked"
    assert "13700009001" not in str(card) + str(stranger)


async def test_joining_binds_the_user_name(world: World) -> None:
    told = await applied(world, joined("E9001", user_name="Test.Ouyang"))
    answer = await (await world.as_("test.ouyang")).get(f"/v1/contacts/{told['contact_id']}")
    assert answer.json()["mobile"] == {"state": "shown", "value": "+8613700009001"}


async def test_a_manager_may_be_named_by_id_and_a_department_by_code(world: World) -> None:
    told = await applied(world, joined("E9001", manager=str(world.people["head"]), department="RD-CORE"))
    card = (await (await world.as_("hr")).get(f"/v1/contacts/{told['contact_id']}")).json()
    assert (card["manager"], card["department"]["code"]) == (str(world.people["head"]), "RD-CORE")


async def test_joining_without_an_account(world: World) -> None:
    told = await applied(world, joined("E9001", user_name=None))
    card = (await (await world.as_("hr")).get(f"/v1/contacts/{told['contact_id']}")).json()
    assert card["user_name"] is None


async def test_leaving_hides_the_person_and_ends_the_account(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    leaver = await world.as_("test.e9001")
    assert (await leaver.get(f"/v1/contacts/{person}")).status_code == 200
    assert (await applied(world, left("E9001")))["contact_id"] == person
    for reader in ("colleague", "outsider", "head", "hr", "infosec", "ceo"):
        assert (await (await world.as_(reader)).get(f"/v1/contacts/{person}")).status_code == 404
        assert await listed(world, reader, q="E9001") == []
        assert await listed(world, reader, status="left") == []
    for path in (f"/v1/contacts/{person}", "/v1/contacts"):
        refused = await leaver.get(path)
        assert (refused.status_code, refused.json()["code"]) in {(403, "no_contact"), (401, "invalid_token")}
    assert await listed(world, "steward", q="E9001") == []
    (found,) = await listed(world, "steward", q="E9001", status="left")
    assert (found["id"], found["status"]) == (person, "left")
    assert (found["mobile"]["state"], found["mobile"].get("value")) == ("withheld", None)


async def test_leaving_ends_the_live_grants(world: World) -> None:
    application = world.application
    now = datetime.now(UTC)
    async with application.database.unit_of_work() as unit:
        account = await application.accounts.by_contact(unit.session, world.people["colleague"])
        assert account is not None
        given = NewGrant(
            account_id=account.id,
            contact_id=world.people["outsider"],
            fields=("mobile",),
            outcome=Outcome.CLEAR,
            purpose=Purpose.WORK_CONTACT,
            request_id=uuid4(),
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=1),
        )
        await application.grants.add(unit.session, given, at=now)
    assert await application.grants.live(application.database.reader, account.id, now)
    await applied(world, left("E2102"))
    assert await application.grants.live(application.database.reader, account.id, now) == ()
    async with application.database.session() as session:
        (grant,) = await session.scalars(select(AccessGrant).where(AccessGrant.account_id == account.id))
    assert grant.revoked_at is not None
    assert isinstance(application.keyring.mac_key("access_grant"), bytes)
    values = (
        grant.id, grant.account_id, grant.contact_id, grant.department_id, tuple(grant.fields), grant.outcome,
        grant.purpose, grant.request_id, grant.starts_at, grant.ends_at, grant.revoked_at,
    )  # fmt: skip
    assert RowSigner(application.keyring.mac_key("access_grant")).verify("access_grant", values, grant.mac)


async def test_leaving_twice_changes_nothing_the_second_time(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    await applied(world, left("E9001"))
    before = await counted(world)
    assert (await applied(world, left("E9001")))["contact_id"] == person
    after = await counted(world)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "hr_event": 1,
        "audit_intent": 1,
    }


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
    body = left("E9001")
    first = await post(world, body)
    await applied(world, joined("E9001"))
    second = await post(world, body)
    assert first.json()["state"] == "failed"
    assert second.json() == first.json()
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


FAILING: list[tuple[str, dict[str, Any], str]] = [
    ("unknown department", joined("E9001", department="NOWHERE"), "unknown_department"),
    ("unknown manager", joined("E9001", manager="E9999"), "unknown_contact"),
    ("unknown manager by id", joined("E9001", manager=str(UUID(int=7))), "unknown_contact"),
    ("employee number taken", joined("E2101", user_name="test.other"), "duplicate_employee_no"),
    ("user name taken", joined("E9001", user_name="STAFF"), "duplicate_user_name"),
    ("user name of a client", joined("E9001", user_name="siem"), "account_exists"),
    ("joining later", joined("E9001", effective_at="2199-01-05T09:00:00+08:00"), "effective_at_not_supported"),
    ("leaving later", left("E2101", effective_at="2199-01-05T09:00:00+08:00"), "effective_at_not_supported"),
    ("a stranger leaving", left("E9999"), "unknown_subject"),
    (
        "a type to come",
        {**left("E2101"), "type": "employee.moved", "data": {"department": "HR"}},
        "event_type_not_supported",
    ),
    (
        "a department",
        {**left("RD-9"), "type": "department.created", "data": {"name": "新"}},
        "event_type_not_supported",
    ),
]


@pytest.mark.parametrize(("body", "code"), [row[1:] for row in FAILING], ids=[row[0] for row in FAILING])
async def test_an_event_that_cannot_be_applied_is_kept_as_failed_and_does_nothing(
    world: World, body: dict[str, Any], code: str
) -> None:
    before = await counted(world)
    answer = await post(world, body)
    told = answer.json()
    assert (answer.status_code, told["id"], told["state"], told["numbers"]) == (202, body["id"], "failed", [])
    assert told["problem"].keys() == {"code", "detail"}
    assert told["problem"]["code"] == code
    after = await counted(world)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "hr_event": 1,
        "audit_intent": 1,
    }
    about = str(world.people["staff"]) if body["subject"] == "E2101" and body["type"] != "employee.joined" else None
    assert told["contact_id"] == about
    assert ((await kept(world, body["id"])).payload is not None) == (about is not None)
    again = await post(world, body)
    assert again.json() == told
    assert await counted(world) == after


async def test_a_problem_speaks_the_language_of_the_caller(world: World) -> None:
    body = left("E9999")
    await post(world, body)
    told = await post(world, body, **{"Accept-Language": "zh-CN"})
    assert told.json()["problem"] == {"code": "unknown_subject", "detail": "没有该工号的人员"}
    assert told.headers["Content-Language"] == "zh"


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    (joined("E9001", mobile="12345"), "/data/mobile", "malformed_phone"),
    (joined("E9001", mobile="12345", department="NOWHERE"), "/data/mobile", "malformed_phone"),
    (joined("E9001", email="nobody"), "/data/email", "malformed_email"),
    (joined("E9001", id_number="110105194912310021"), "/data/id_number", "malformed_id_number"),
    (joined("E9001", salary=1), "/data/salary", "unknown_member"),
    ({**joined("E9001"), "type": "employee.vanished"}, "/type", "unknown_value"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), MALFORMED)
async def test_a_malformed_event_is_refused_and_not_stored(
    sqlite_world: World, body: dict[str, Any], pointer: str, code: str
) -> None:
    before = await counted(sqlite_world)
    answer = await post(sqlite_world, body)
    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [(pointer, code)]
    assert await counted(sqlite_world) == before


async def test_a_clock_that_is_a_little_ahead_is_forgiven(sqlite_world: World) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    await applied(sqlite_world, joined("E9001", effective_at=soon))


@pytest.mark.parametrize("caller", ["staff", "hr", "it-scripts", "siem", "directory-sync", None])
async def test_nobody_else_may_send_events(sqlite_world: World, caller: str | None) -> None:
    before = await counted(sqlite_world)
    client = await sqlite_world.as_(caller)
    posted = await client.post("/v1/hr/events", json=left("E2101"))
    read = await client.get("/v1/hr/events/evt-1")
    expected = {(401, "token_required")} if caller is None else {(403, "insufficient_scope")}
    assert {(answer.status_code, answer.json()["code"]) for answer in (posted, read)} == expected
    assert await counted(sqlite_world) == before


async def test_the_scope_alone_grants_nothing(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pack's rule for the personnel system the same token is refused, and nothing is stored."""
    application = sqlite_world.application
    rules = tuple(rule for rule in application.pack.rules if rule.id != "service.personnel")
    monkeypatch.setattr(application.standings, "_pack", application.pack.model_copy(update={"rules": rules}))
    application.standings.forget()
    before = await counted(sqlite_world)
    for body in (joined("E9001"), left("E2101"), {**left("E2101"), "type": "employee.moved"}):
        answer = await post(sqlite_world, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert await counted(sqlite_world) == before


async def test_what_became_of_an_event_is_told_to_who_sent_it(world: World) -> None:
    body = joined("E9001")
    posted = await post(world, body)
    client = await world.as_("hr-system")
    read = await client.get(posted.headers["Location"])
    assert (read.status_code, read.json()) == (200, posted.json())
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
    for body, state in ((first, "applied"), (second, "failed")):
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


@pytest.mark.parametrize("broken", ["_announce", "_remember", "_flush"])
@pytest.mark.parametrize("event", ["joined", "left"])
async def test_a_failure_in_the_middle_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: str, event: str
) -> None:
    await applied(world, joined("E9001"))
    body = joined("E9002") if event == "joined" else left("E9001")
    before = await counted(world)

    def crash(*_: object) -> None:
        message = "pulled the plug"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(ContactWriter, broken, crash)
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


async def test_a_failure_after_the_effect_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's own event is the last thing written; without it there is no contact either."""
    before = await counted(world)
    body = joined("E9001")

    async def crash(*_: object) -> None:
        message = "pulled the plug"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr("app.hr.service.add_intent", crash)
        assert (await post(world, body)).status_code == 500
    assert await counted(world) == before
    await applied(world, body)


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
