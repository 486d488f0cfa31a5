"""Taking events over HTTP, on either engine: who joins is made, who leaves is hidden, and what cannot be applied does nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.crypto.rowmac import RowSigner
from app.permissions.models import AccessGrant
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import GrantScope
from app.permissions.repository import NewGrant
from tests.hr.calls import applied, counted, grown, kept, listed, post
from tests.hr.events import cancelled, department, joined, left, moved, rehired, updated
from tests.support.application import World
from tests.support.policy import without_rule
from tests.support.problems import problem


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
    assert answer.json()["mobile"] == {"state": "shown", "value": "13700009001"}


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
            scope=GrantScope("contact", str(world.people["outsider"])),
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
        grant.id, grant.account_id, grant.contact_id, grant.department_id, grant.scope_kind, grant.scope_value,
        tuple(grant.fields), grant.outcome, grant.purpose, grant.request_id, grant.starts_at, grant.ends_at, grant.revoked_at,
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


FAILING: list[tuple[str, dict[str, Any], str]] = [
    ("unknown department", joined("E9001", department="NOWHERE"), "unknown_department"),
    ("unknown manager", joined("E9001", manager="E9999"), "unknown_contact"),
    ("unknown manager by id", joined("E9001", manager=str(UUID(int=7))), "unknown_contact"),
    ("employee number taken", joined("E2101", user_name="test.other"), "duplicate_employee_no"),
    ("user name taken", joined("E9001", user_name="STAFF"), "duplicate_user_name"),
    ("user name of a client", joined("E9001", user_name="siem"), "account_exists"),
    ("a department into one that is not there", department("merged", "RD", into="NOWHERE"), "unknown_department"),
    ("a department into itself", department("merged", "RD", into="RD"), "department_loop"),
    ("a department into one below it", department("merged", "RD", into="RD-CORE"), "department_loop"),
    ("moving nowhere", moved("E2101", department="NOWHERE"), "unknown_department"),
    ("moving nowhere besides", moved("E2101", memberships=[{"department": "NOWHERE"}]), "unknown_department"),
    ("moving below a stranger", moved("E2101", manager="E9999"), "unknown_contact"),
    ("changing to a name taken", updated("E2101", user_name="Outsider"), "duplicate_user_name"),
    ("changing to the name of a client", updated("E2101", user_name="siem"), "account_exists"),
    ("a substitute who is a stranger", updated("E2101", backup_contact="E9999"), "unknown_contact"),
    ("a code that is taken", department("created", "RD", name="新部门"), "duplicate_department_code"),
    ("a department below nothing", department("created", "RD-9", name="新", parent="NOWHERE"), "unknown_parent"),
    ("a department below a stranger", department("created", "RD-9", name="新", head="E9999"), "unknown_holder"),
    ("a department that is not there", department("updated", "RD-9", name="新"), "unknown_department"),
    ("a department in a ring", department("moved", "RD", parent="RD-CORE"), "department_loop"),
    ("a department moved below nothing", department("moved", "RD", parent="NOWHERE"), "unknown_parent"),
    ("a department with people in it", department("closed", "RD"), "department_not_empty"),
    ("a department closed that is not there", department("closed", "RD-9"), "unknown_department"),
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
        **({} if body["subject"].startswith("E2") else {"data_key": 1}),
    }
    about = str(world.people["staff"]) if body["subject"] == "E2101" and body["type"] != "employee.joined" else None
    assert told["contact_id"] == about
    assert (await kept(world, body["id"])).payload is not None
    again = await post(world, body)
    assert again.json() == told
    assert await counted(world) == after


WAITING: list[tuple[str, dict[str, Any], str]] = [
    ("a stranger leaving", left("E9999"), "unknown_subject"),
    ("a stranger moving", moved("E9999", department="RD"), "unknown_subject"),
    ("a stranger changing", updated("E9999", title="x"), "unknown_subject"),
    ("a stranger coming back", rehired("E9999"), "unknown_subject"),
    ("coming back without having left", rehired("E2101"), "subject_in_service"),
    ("withdrawing what did not come", cancelled("E2101", event="evt-none"), "unknown_event"),
    ("a stranger leaving, by number", {**left("E9999"), "sequence": 4}, "unknown_subject"),
]


@pytest.mark.parametrize(("body", "code"), [row[1:] for row in WAITING], ids=[row[0] for row in WAITING])
async def test_an_event_before_which_something_is_missing_waits_and_does_nothing(
    sqlite_world: World, body: dict[str, Any], code: str
) -> None:
    before = await counted(sqlite_world)
    told = (await post(sqlite_world, body)).json()
    assert (told["state"], told["problem"]["code"]) == ("waiting", code)
    after = grown(before, await counted(sqlite_world))
    assert after == {"hr_event": 1, "audit_intent": 1, **({} if body["subject"] == "E2101" else {"data_key": 1})}
    assert (await post(sqlite_world, body)).json() == told


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
    (updated("E2101", mobile="12345"), "/data/mobile", "malformed_phone"),
    (updated("E9999", mobile="12345"), "/data/mobile", "malformed_phone"),
    (rehired("E2101", email="nobody"), "/data/email", "malformed_email"),
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


async def test_people_of_hr_read_the_ledger_and_send_nothing(sqlite_world: World) -> None:
    before = await counted(sqlite_world)
    client = await sqlite_world.as_("hr")
    problem(await client.post("/v1/hr/events", json=left("E2101")), 403, "insufficient_scope")
    problem(await client.get("/v1/hr/events/evt-1"), 404, "not_found")
    assert await counted(sqlite_world) == before


@pytest.mark.parametrize("caller", ["staff", "it-scripts", "siem", "directory-sync", None])
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
    await without_rule(monkeypatch, application, "service.personnel", "service.provisioning")
    before = await counted(sqlite_world)
    for body in (joined("E9001"), left("E2101"), moved("E2101", title="x"), department("closed", "RD-CORE")):
        answer = await post(sqlite_world, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert await counted(sqlite_world) == before


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


@pytest.mark.parametrize("source", ["reconcile:hr", "scim:entra"])
async def test_nobody_sends_under_the_names_of_the_services_own_sources(sqlite_world: World, source: str) -> None:
    answer = await post(sqlite_world, {**joined("E9001"), "source": source})
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/source", "reserved_source")]
    assert answer.status_code == 422
