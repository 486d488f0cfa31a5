"""What waits, what is due and what failed: over HTTP and by the worker's sweep, under a clock that the tests move, on either engine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from app.auth.models import AccountRow
from app.contacts.models import Contact
from app.hr.applying import Applier
from app.hr.models import HrEvent, HrSubject
from app.notices.models import NoticeRow
from tests.hr.calls import applied, grant_to, kept, live_grants, post
from tests.hr.events import cancelled, department, joined, leaving, left, moved, rehired, updated
from tests.support.application import World, opened_at_noon
from tests.support.clock import NOON, FrozenClock
from tests.support.problems import problem
from tests.support.stores import TestStore


@dataclass
class Ledger:
    """A company and its clock."""

    world: World
    clock: FrozenClock

    async def send(self, body: dict[str, Any], day: int, number: int | None = None) -> tuple[str, str | None]:
        """Send an event of the so-and-so-manieth day; give its state and the code of its problem."""
        body |= {"time": f"2026-01-{day:02d}T09:00:00+08:00"} | ({} if number is None else {"sequence": number})
        answer = await post(self.world, body)
        assert answer.status_code == 202, answer.text
        told = answer.json()
        return told["state"], told["problem"] and told["problem"]["code"]

    async def state(self, body: dict[str, Any]) -> tuple[str, str | None]:
        """Ask the ledger."""
        client = await self.world.as_("hr-system")
        told = (await client.get(f"/v1/hr/events/{body['id']}")).json()
        return told["state"], told["problem"] and told["problem"]["code"]

    async def later(self, **span: float) -> int:
        """Let time pass, and the worker look."""
        self.clock.advance(**span)
        self.world._made.clear()
        return await self.world.application.hr.sweep()

    async def decide(self, what: str, body: dict[str, Any], reason: str = "人事核实") -> tuple[int, str | None]:
        """Replay or skip an event; give the status and the state or code."""
        client = await self.world.as_("hr-system")
        answer = await client.post(f"/v1/hr/events/{body['id']}/{what}", json={"reason": reason})
        told = answer.json()
        return answer.status_code, told.get("state") or told.get("code")

    async def person(self, subject: str) -> Contact:
        async with self.world.application.database.session() as session:
            return (await session.scalars(select(Contact).where(Contact.employee_no == subject))).one()

    async def notices(self) -> list[str]:
        async with self.world.application.database.session() as session:
            rows = await session.scalars(
                select(NoticeRow.type).where(NoticeRow.type.like("hr.%")).order_by(NoticeRow.id)
            )
            return list(rows)

    async def told(self) -> list[set[str]]:
        """Name what the notices of the ledger say of its entries."""
        async with self.world.application.database.session() as session:
            bodies = await session.scalars(
                select(NoticeRow.body).where(NoticeRow.type.like("hr.%")).order_by(NoticeRow.id)
            )
            return [set(each["hr"]) for each in bodies]


@pytest_asyncio.fixture
async def ledger(founded_at_noon: Path, store: TestStore) -> AsyncIterator[Ledger]:
    """Open the company on a Friday in November."""
    clock = FrozenClock(NOON)
    async with opened_at_noon(founded_at_noon, store, clock) as world:
        yield Ledger(world, clock)


def on(moment: datetime) -> str:
    return moment.isoformat()


async def test_a_gap_waits_for_its_event_and_then_for_nobody(ledger: Ledger) -> None:
    first, second, third = joined("E9001"), updated("E9001", title="甲"), updated("E9001", title="乙")
    fifth = updated("E9001", title="丙")
    assert await ledger.send(first, 1, 7) == ("applied", None)
    assert await ledger.send(third, 3, 9) == ("waiting", "sequence_gap")
    row = await kept(ledger.world, third["id"])
    assert row.next_at == ledger.clock.now() + timedelta(hours=72)
    assert await ledger.send(second, 2, 8) == ("applied", None)
    assert await ledger.state(third) == ("applied", None)
    assert (await ledger.person("E9001")).title == "乙"

    assert await ledger.send(fifth, 5, 11) == ("waiting", "sequence_gap")
    assert await ledger.later(hours=71) == 0
    assert await ledger.later(hours=2) == 1
    assert await ledger.state(fifth) == ("applied", None)
    assert await ledger.notices() == ["hr.gap_passed"]
    assert await ledger.told() == [{"id", "version", "state", "type"}], "not whom it is about"
    assert await ledger.send(updated("E9001", title="丁", location="一楼"), 4, 10) == ("applied", None)
    assert await ledger.send(updated("E9001", title="戊"), 4, 10) == ("superseded", None)
    contact = await ledger.person("E9001")
    assert (contact.title, contact.location) == ("丙", "一楼")


async def test_what_never_comes_makes_an_event_fail_and_that_holds_up_its_own_person_alone(ledger: Ledger) -> None:
    lost, after, other = moved("E9001", department="IT"), updated("E9001", title="甲"), joined("E9002")
    assert await ledger.send(lost, 3) == ("waiting", "unknown_subject")
    assert await ledger.later(hours=73) == 1
    assert await ledger.state(lost) == ("failed", "unknown_subject")
    assert await ledger.notices() == ["hr.failed"]
    assert await ledger.send(joined("E9001"), 1) == ("applied", None)
    assert await ledger.send(after, 4) == ("waiting", "held_up")
    assert await ledger.send(updated("E9001", location="一楼"), 2) == ("applied", None)
    assert await ledger.send(other, 4) == ("applied", None)
    assert await ledger.later(hours=500) == 0
    assert await ledger.decide("replays", lost) == (202, "applied")
    assert await ledger.state(after) == ("applied", None)
    contact = await ledger.person("E9001")
    assert (contact.title, contact.location, contact.department_id) == ("甲", "一楼", ledger.world.departments["IT"])
    assert await ledger.decide("replays", lost) == (409, "event_settled")


class Deadlock(Exception):
    """PostgreSQL undid this transaction, because it and another waited for one another."""

    sqlstate = "40P01"


@pytest.mark.parametrize("what", ["replays", "skips"])
@pytest.mark.parametrize("deadlocks", [1, 2])
async def test_a_decision_that_another_transaction_was_in_the_way_of_is_tried_once_more(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, what: str, deadlocks: int
) -> None:
    bad, after = moved("E9001", department="LATER"), updated("E9001", title="甲")
    await ledger.send(joined("E9001"), 1, 1)
    assert await ledger.send(bad, 2, 2) == ("failed", "unknown_department")
    assert await ledger.send(after, 3, 3) == ("waiting", "held_up")
    await applied(ledger.world, department("created", "LATER", name="新部门", parent="RD"))
    apply, met = Applier.apply, list[str]()

    async def collides(self: Applier, viewer: Any, unit: Any, event: Any) -> Any:  # noqa: ANN401 — as the applier has it
        effect = await apply(self, viewer, unit, event)
        met.append(event.id)
        if event.id == after["id"] and met.count(event.id) <= deadlocks:
            statement = "UPDATE"
            raise DBAPIError(statement, None, Deadlock())
        return effect

    monkeypatch.setattr(Applier, "apply", collides)
    told = {"replays": (202, "applied"), "skips": (202, "superseded")}[what]
    assert await ledger.decide(what, bad) == (told if deadlocks == 1 else (503, "unavailable"))
    assert met.count(after["id"]) == 2
    once = deadlocks == 1
    assert await ledger.state(after) == (("applied", None) if once else ("waiting", "held_up"))
    assert (await ledger.person("E9001")).title == ("甲" if once else "工程师")


async def test_a_failed_event_is_skipped_with_a_reason_that_is_on_record_and_sealed(ledger: Ledger) -> None:
    bad, after = moved("E9001", department="NOWHERE"), moved("E9001", title="甲")
    await ledger.send(joined("E9001"), 1, 1)
    assert await ledger.send(bad, 2, 2) == ("failed", "unknown_department")
    assert await ledger.send(after, 3, 3) == ("waiting", "held_up")
    assert await ledger.decide("replays", bad) == (202, "failed")
    client = await ledger.world.as_("hr-system")
    assert (await client.post(f"/v1/hr/events/{bad['id']}/skips", json={"reason": "x"})).status_code == 422
    assert (await client.post("/v1/hr/events/evt-none/skips", json={"reason": "人事核实"})).status_code == 404
    assert await ledger.decide("skips", bad, "部门已撤销，人事确认") == (202, "superseded")
    assert (await ledger.state(bad), await ledger.state(after)) == (("superseded", "skipped"), ("applied", None))
    assert await ledger.decide("skips", bad) == (409, "event_settled")
    await ledger.world.settle()
    auditor = await ledger.world.as_("infosec")
    for action in ("hr.event.skip", "hr.event.replay"):
        (event,) = (await auditor.get("/v1/access-events", params={"action": action})).json()["items"]
        assert (event["actor"]["id"], event["decision"]) == ("hr-system", "allowed")
    async with ledger.world.application.database.session() as session:
        rows = [tuple(row) for row in await session.execute(text("SELECT * FROM hr_event"))]
    assert "部门已撤销" not in str(rows)


async def test_people_of_hr_decide_about_what_a_source_sent_and_send_nothing_themselves(ledger: Ledger) -> None:
    bad, after = moved("E9001", department="NOWHERE"), moved("E9001", title="甲")
    await ledger.send(joined("E9001"), 1, 1)
    assert await ledger.send(bad, 2, 2) == ("failed", "unknown_department")
    assert await ledger.send(after, 3, 3) == ("waiting", "held_up")
    client, about = await ledger.world.as_("hr"), {"reason": "人事核实"}
    problem(await client.post("/v1/hr/events", json=left("E9001")), 403, "insufficient_scope")
    (found,) = (await client.get("/v1/hr/events", params={"state": "failed"})).json()["items"]
    assert (found["id"], found["contact_id"]) == (bad["id"], str((await ledger.person("E9001")).id))
    assert (await client.get(f"/v1/hr/events/{bad['id']}", params={"source": bad["source"]})).status_code == 200
    for caller, code in (("staff", "insufficient_scope"), ("it-scripts", "insufficient_scope")):
        stranger = await ledger.world.as_(caller)
        problem(await stranger.post(f"/v1/hr/events/{bad['id']}/skips", json=about), 403, code)
    told = (await client.post(f"/v1/hr/events/{bad['id']}/replays", json=about)).json()
    assert (told["state"], told["problem"]["code"]) == ("failed", "unknown_department")
    told = (await client.post(f"/v1/hr/events/{bad['id']}/skips", json=about)).json()
    assert (told["state"], told["contact_id"], told["numbers"]) == ("superseded", None, [])
    assert await ledger.state(after) == ("applied", None)
    await ledger.world.settle()
    auditor = await ledger.world.as_("infosec")
    for action in ("hr.event.skip", "hr.event.replay"):
        (event,) = (await auditor.get("/v1/access-events", params={"action": action})).json()["items"]
        assert (event["actor"]["type"], event["actor"]["id"]) == ("person", str(ledger.world.people["hr"]))
        assert [each["id"] for each in event["contacts"]] == [found["contact_id"]]
    async with ledger.world.application.database.session() as session:
        me = await session.scalar(select(Contact.employee_no).where(Contact.id == ledger.world.people["hr"]))
    assert me is not None
    mine = moved(me, department="NOWHERE")
    assert await ledger.send(mine, 2) == ("failed", "unknown_department")
    for what in ("replays", "skips"):
        answer = await client.post(f"/v1/hr/events/{mine['id']}/{what}", json=about)
        problem(answer, 403, "not_permitted")
    assert await ledger.state(mine) == ("failed", "unknown_department")


async def test_a_departure_of_the_future_is_done_when_it_is_due(ledger: Ledger) -> None:
    due = ledger.clock.now() + timedelta(days=10)
    await ledger.send(joined("E9001"), 1)
    first = left("E9001", effective_at=on(due - timedelta(days=5)))
    last, earlier = left("E9001", effective_at=on(due)), left("E9001", effective_at=on(due - timedelta(days=7)))
    assert await ledger.send(first, 3) == ("scheduled", None)
    assert await ledger.send(last, 4) == ("scheduled", None)
    assert await ledger.send(earlier, 2) == ("superseded", "replaced")
    assert await ledger.state(first) == ("superseded", "replaced")
    client = await ledger.world.as_("hr-system")
    assert datetime.fromisoformat((await client.get(f"/v1/hr/events/{last['id']}")).json()["due_at"]) == due
    assert await ledger.send(updated("E9001", title="甲"), 5) == ("applied", None)
    assert await ledger.later(days=9) == 0
    assert (await ledger.person("E9001")).status == "active"
    assert await ledger.later(days=1) == 1
    contact = await ledger.person("E9001")
    assert (contact.status, contact.title) == ("left", "甲")
    async with ledger.world.application.database.session() as session:
        account = (await session.scalars(select(AccountRow).where(AccountRow.contact_id == contact.id))).one()
    assert account.state == "disabled"
    assert await ledger.send(cancelled("E9001", event=last["id"]), 6) == ("superseded", "already_effective")
    assert await ledger.later(days=1) == 0


async def test_who_is_to_join_waits_with_all_that_is_said_of_them(ledger: Ledger) -> None:
    due = ledger.clock.now() + timedelta(days=3)
    start, change = joined("E9001", effective_at=on(due)), updated("E9001", mobile="13700008888")
    change |= {"time": on(due + timedelta(hours=1))}
    answers = [(await post(ledger.world, body)).json() for body in (start, change)]
    assert [each["state"] for each in answers] == ["scheduled", "waiting"]
    assert [each["contact_id"] for each in answers] == [None, None]
    async with ledger.world.application.database.session() as session:
        subject = (await session.scalars(select(HrSubject))).one()
        rows = (await session.scalars(select(HrEvent))).all()
        cards = await session.scalar(select(func.count()).where(Contact.employee_no == "E9001"))
    assert ({row.sealed_for for row in rows}, cards) == ({subject.id}, 0), "a key of a card that is not there yet"
    hr = await ledger.world.as_("hr")
    assert (await hr.get("/v1/contacts", params={"q": "E9001"})).json()["items"] == []
    assert (await hr.get(f"/v1/contacts/{subject.id}")).status_code == 404
    (told,) = (await hr.get("/v1/hr/events", params={"state": "scheduled"})).json()["items"]
    assert (told["id"], datetime.fromisoformat(told["due_at"]), told["contact_id"]) == (start["id"], due, None)
    assert await ledger.later(days=4) >= 1
    contact = await ledger.person("E9001")
    assert (contact.id, contact.status, contact.mobile is not None) == (subject.id, "active", True)
    assert (await ledger.state(start), await ledger.state(change)) == (("applied", None), ("applied", None))


async def test_a_scheduled_event_is_withdrawn_before_or_after_it_came(ledger: Ledger) -> None:
    due = on(ledger.clock.now() + timedelta(days=10))
    await ledger.send(joined("E9001"), 1)
    one, other = left("E9001", effective_at=due), moved("E9001", department="IT", effective_at=due)
    await ledger.send(one, 2)
    assert await ledger.send(cancelled("E9001", event=one["id"]), 3) == ("applied", None)
    assert await ledger.send(early := cancelled("E9001", event=other["id"]), 5) == ("waiting", "unknown_event")
    assert (await ledger.send(other, 4))[0] == "superseded"
    assert (await ledger.state(one), await ledger.state(early)) == (("superseded", "cancelled"), ("applied", None))
    assert await ledger.later(days=11) == 0
    assert (await ledger.person("E9001")).status == "active"


@pytest.mark.parametrize("how", ["withdrawn", "skipped", "replaced"])
async def test_what_was_said_of_somebody_who_never_came_is_not_kept(ledger: Ledger, how: str) -> None:
    soon, later = on(ledger.clock.now() + timedelta(days=5)), on(ledger.clock.now() + timedelta(days=9))
    one = joined("E9001", effective_at=soon)
    assert await ledger.send(one, 1) == ("scheduled", None)
    assert (await kept(ledger.world, one["id"])).payload is not None
    if how == "withdrawn":
        assert await ledger.send(end := cancelled("E9001", event=one["id"]), 2) == ("applied", None)
        assert (await kept(ledger.world, end["id"])).payload is None, "nor what names them to withdraw it"
    elif how == "skipped":
        assert await ledger.decide("skips", one) == (202, "superseded")
    else:
        assert await ledger.send(joined("E9001", effective_at=later), 2) == ("scheduled", None)
    row = await kept(ledger.world, one["id"])
    assert (row.state, row.payload, row.sealed_for) == ("superseded", None, None)
    again = await post(ledger.world, one)
    assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (202, "true")
    assert await ledger.decide("replays", one) == (409, "event_settled")
    assert await ledger.send(joined("E9001"), 3) == ("applied", None)
    assert (await ledger.person("E9001")).mobile is not None
    assert await ledger.later(days=20) <= 1


async def test_who_is_to_leave_has_a_last_day_until_that_is_withdrawn(ledger: Ledger) -> None:
    await ledger.send(joined("E9001"), 1)
    assert await ledger.send(body := leaving("E9001"), 2) == ("applied", None)
    contact = await ledger.person("E9001")
    assert (contact.status, str(contact.contract_until)) == ("leaving", "2026-12-31")
    own = await (await ledger.world.as_("test.e9001")).get(f"/v1/contacts/{contact.id}")
    assert own.json()["status"] == "leaving"
    assert await ledger.send(cancelled("E9001", event=body["id"]), 3) == ("applied", None)
    contact = await ledger.person("E9001")
    assert (contact.status, contact.contract_until) == ("active", None)
    assert await ledger.send(other := leaving("E9001"), 4) == ("applied", None)
    await ledger.send(left("E9001"), 5)
    assert await ledger.send(cancelled("E9001", event=other["id"]), 6) == ("superseded", "already_effective")
    assert (await ledger.person("E9001")).status == "left"


async def test_a_late_move_ends_what_was_granted_before_it_and_nothing_since(ledger: Ledger) -> None:
    await ledger.send(joined("E9001"), 1)
    await ledger.send(moved("E9001", department="RD"), 20)
    now = ledger.clock.now()
    account = await grant_to(ledger.world, "E9001", of="outsider", now=now)
    assert await live_grants(ledger.world, account, now) == 1
    assert await ledger.send(moved("E9001", department="SALES"), 10) == ("superseded", None)
    assert await live_grants(ledger.world, account, now) == 1
    late = moved("E9001", department="SALES") | {"time": on(now)}
    back = moved("E9001", department="RD") | {"time": on(now + timedelta(minutes=1))}
    for body in (back, late):
        assert (await post(ledger.world, body)).status_code == 202
    assert await live_grants(ledger.world, account, now) == 0


async def test_a_time_that_cannot_be_keeps_nobody_in(ledger: Ledger) -> None:
    ahead = ledger.clock.now() + timedelta(days=7)
    for body in (joined("E9001"), updated("E2101", title="甲")):
        refused = await post(ledger.world, body | {"time": on(ahead + timedelta(seconds=1))})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "in_the_future")
    assert (await post(ledger.world, joined("E9001") | {"time": on(ahead)})).json()["state"] == "applied"
    ledger.clock.advance(days=8)
    ledger.world._made.clear()
    gone = left("E9001") | {"time": on(ledger.clock.now()).replace("+00:00", "-00:00")}
    assert (await post(ledger.world, gone)).json()["state"] == "applied"
    assert (await ledger.person("E9001")).status == "left"


async def test_the_rights_of_the_sender_are_those_of_the_day(ledger: Ledger) -> None:
    await ledger.send(joined("E9001"), 1)
    body = left("E9001", effective_at=on(ledger.clock.now() + timedelta(days=1)))
    await ledger.send(body, 2)
    async with ledger.world.application.database.unit_of_work() as unit:
        await ledger.world.application.clients.disable(unit.session, "hr-system")
    assert await ledger.later(days=2) == 1
    row = await kept(ledger.world, body["id"])
    assert (row.state, row.holds, row.problem["code"]) == ("failed", True, "forbidden")
    assert (await ledger.person("E9001")).status == "active"
    assert await ledger.notices() == ["hr.failed"]


async def test_a_box_of_another_event_and_a_key_that_is_gone_open_nothing(ledger: Ledger) -> None:
    due = on(ledger.clock.now() + timedelta(days=1))
    one, other = joined("E9001", effective_at=due), joined("E9002", effective_at=due)
    swapped = moved("E9001", department="IT", effective_at=due)
    for body in (one, other, swapped):
        await ledger.send(body, 1)
    box = (await kept(ledger.world, one["id"])).payload
    gone = (await kept(ledger.world, other["id"])).sealed_for
    assert gone is not None
    async with ledger.world.application.database.unit_of_work() as unit:
        await unit.session.execute(update(HrEvent).where(HrEvent.event_id == swapped["id"]).values(payload=box))
        await unit.session.execute(
            text("DELETE FROM data_key WHERE subject_id = :id"), {"id": _raw(ledger.world, gone)}
        )
    assert await ledger.later(days=2) == 3
    assert await ledger.state(one) == ("applied", None)
    assert await ledger.state(other) == ("failed", "payload_lost")
    assert await ledger.state(swapped) == ("failed", "payload_lost")


def _raw(world: World, identity: UUID) -> object:
    return identity if world.application.database.dialect == "postgresql" else identity.bytes


async def test_events_of_one_person_at_once_end_as_one_after_the_other(ledger: Ledger) -> None:
    bodies = [
        joined("E9001", mobile=None) | {"time": "2026-01-01T09:00:00+08:00"},
        *(updated("E9001", title=f"第{day}") | {"time": f"2026-01-{day:02d}T09:00:00+08:00"} for day in (2, 3, 4)),
        left("E9001") | {"time": "2026-01-05T09:00:00+08:00"},
        rehired("E9001", title="回") | {"time": "2026-01-06T09:00:00+08:00"},
    ]

    async def persist(body: dict[str, Any]) -> int:
        """Send as senders do: what is not taken while others hold the person up is sent again."""
        answer = await post(ledger.world, body)
        return await persist(body) if answer.status_code == 503 else answer.status_code

    assert set(await asyncio.gather(*map(persist, (*bodies[::-1], *bodies)))) == {202}
    await asyncio.gather(*(ledger.world.application.hr.sweep() for _ in range(3)))
    assert {(await ledger.state(body))[0] for body in bodies} <= {"applied", "superseded"}
    contact = await ledger.person("E9001")
    assert (contact.status, contact.title) == ("active", "回")


async def test_two_workers_do_what_is_due_once(ledger: Ledger) -> None:
    due = on(ledger.clock.now() + timedelta(days=1))
    for at in range(4):
        await applied(ledger.world, joined(f"E900{at}"))
        await ledger.send(left(f"E900{at}", effective_at=due), 9)
    ledger.clock.advance(days=2)
    done = await asyncio.gather(*(ledger.world.application.hr.sweep() for _ in range(2)))
    assert sum(done) == 4
    assert {(await ledger.person(f"E900{at}")).status for at in range(4)} == {"left"}


async def test_what_breaks_in_the_sweep_leaves_nothing_and_is_done_later(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.send(joined("E9001"), 1)
    body = left("E9001", effective_at=on(ledger.clock.now() + timedelta(days=1)))
    await ledger.send(body, 2)

    async def crash(*_: object, **__: object) -> None:
        message = "pulled the plug"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(type(ledger.world.application.hr.service), "record", crash)
        assert await ledger.later(days=2) == 0
    assert (await ledger.state(body), (await ledger.person("E9001")).status) == (("scheduled", None), "active")
    assert await ledger.later(minutes=2) == 1
    assert (await ledger.person("E9001")).status == "left"


async def test_what_begins_to_wait_while_its_cause_is_at_work_is_the_workers_next(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlog: Any = ledger.world.application.hr.service._backlog
    opened = backlog.waiting

    def meanwhile(day: int, number: int, body: dict[str, Any]) -> None:
        async def waiting(*asked: Any, **but: Any) -> Any:  # noqa: ANN401 — as the backlog takes and gives it
            found = await opened(*asked, **but)
            monkeypatch.setattr(backlog, "waiting", opened)
            assert (await ledger.send(body, day, number))[0] == "waiting"
            return found

        monkeypatch.setattr(backlog, "waiting", waiting)

    await ledger.send(joined("E9001"), 1, 1)
    meanwhile(3, 3, third := updated("E9001", title="乙"))
    assert await ledger.send(updated("E9001", title="甲"), 2, 2) == ("applied", None)
    assert await ledger.later(minutes=1) == 1
    assert await ledger.state(third) == ("applied", None)

    assert (await ledger.send(bad := moved("E9001", department="NOWHERE"), 4, 4))[0] == "failed"
    meanwhile(5, 5, fifth := left("E9001"))
    assert await ledger.decide("skips", bad) == (202, "superseded")
    assert (await kept(ledger.world, fifth["id"])).next_at is not None
    assert await ledger.later(minutes=1) == 1
    assert (await ledger.person("E9001")).status == "left"
    assert (await kept(ledger.world, fifth["id"])).next_at is None


async def test_what_was_held_up_and_is_done_is_not_due_any_more(ledger: Ledger) -> None:
    await ledger.send(joined("E9001"), 1)
    assert (await ledger.send(bad := moved("E9001", department="NOWHERE"), 2))[0] == "failed"
    assert await ledger.send(gone := left("E9001"), 3) == ("waiting", "held_up")
    assert await ledger.decide("replays", gone) == (202, "applied")
    assert [(await kept(ledger.world, each["id"])).next_at for each in (bad, gone)] == [None, None]
    assert await ledger.world.application.hr.sweep() == 0


async def test_who_may_not_send_any_more_keeps_nobody_elses_events_from_the_worker(ledger: Ledger) -> None:
    await ledger.send(joined("E9001"), 1, 1)
    await ledger.send(late := updated("E9001", title="丙"), 4, 4)
    async with ledger.world.application.database.unit_of_work() as unit:
        await ledger.world.application.clients.disable(unit.session, "hr-system")
        await unit.session.execute(update(HrEvent).where(HrEvent.event_id == late["id"]).values(next_at=NOON))
    assert await ledger.later(minutes=1) == 0
    row = await kept(ledger.world, late["id"])
    assert (row.state, row.next_at) == ("waiting", NOON + timedelta(hours=72))
    assert await ledger.later(hours=72) == 1
    assert (await kept(ledger.world, late["id"])).state == "failed"


async def test_a_subject_that_was_edited_by_sql_is_told_nothing(ledger: Ledger) -> None:
    await ledger.send(joined("E9001"), 1)
    async with ledger.world.application.database.unit_of_work() as unit:
        await unit.session.execute(update(HrSubject).values(writers="{}"))
    answer = await post(ledger.world, left("E9001"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await ledger.person("E9001")).status == "active"


async def test_a_department_goes_into_another_with_everybody_and_everything(ledger: Ledger) -> None:
    world = ledger.world
    await applied(world, department("created", "RD-OLD", name="旧部", parent="RD", head="E2105"))
    await applied(world, department("created", "RD-OLD-1", name="下属", parent="RD-OLD"))
    await applied(world, department("created", "RD-NEW", name="新部", parent="RD"))
    main = await applied(world, joined("E9001", department="RD-OLD"))
    besides = await applied(
        world, joined("E9002", department="IT", memberships=[{"department": "RD-OLD", "title": "顾问"}])
    )
    both = await applied(
        world, joined("E9003", department="RD-OLD", memberships=[{"department": "RD-NEW"}, {"department": "HR"}])
    )
    gone = await applied(world, joined("E9004", department="RD-OLD"))
    await applied(world, left("E9004"))
    scheduled = department("merged", "RD-OLD", into="RD-NEW", effective_at=on(ledger.clock.now() + timedelta(days=1)))
    assert await ledger.send(scheduled, 9) == ("scheduled", None)
    assert await ledger.later(days=2) == 1
    assert await ledger.state(scheduled) == ("applied", None)
    tree = await world.application.standings.tree()
    assert "RD-OLD" not in tree.by_code
    new = tree.by_code["RD-NEW"]
    assert (tree.by_code["RD-OLD-1"].parent_id, new.head_id) == (new.id, world.people["core"])
    async with world.application.database.session() as session:
        rows = {
            str(row.id): row for row in await session.scalars(select(Contact).where(Contact.employee_no.like("E9%")))
        }
    assert {rows[each["contact_id"]].department_id for each in (main, both, gone)} == {new.id}
    further = {who: [UUID(each["department_id"]) for each in row.memberships] for who, row in rows.items()}
    assert further[besides["contact_id"]] == [new.id]
    assert further[both["contact_id"]] == [world.departments["HR"]]
