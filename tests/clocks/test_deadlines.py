"""Deadlines from the event to the breach report, on both engines, under a clock that is moved."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest_asyncio
from sqlalchemy import select

from app.calendar.rules import Entry, Kind
from app.calendar.service import By
from app.clocks.rules import Kind as Deadlines
from app.clocks.service import Happened
from app.notices.models import NoticeRow
from tests.hr.events import department, joined, left, moved, rehired, updated
from tests.policy.tampering import Intruder
from tests.support.application import World, opened_at_noon
from tests.support.clock import NOON, FrozenClock
from tests.support.problems import problem
from tests.support.stores import TestStore

PATH: Final = "/v1/deadlines"
DUE: Final = datetime(2026, 11, 26, 10, tzinfo=UTC)
"""Of what begins on the evening of Friday the 20th: it counts from Monday, and three working days are Thursday at 18:00 here."""


class Office:
    """A company and its clock, on a Friday evening."""

    def __init__(self, world: World, clock: FrozenClock, store: TestStore) -> None:
        """Take all three."""
        self.world, self.clock, self.application = world, clock, world.application
        self.intruder = Intruder(store)

    async def send(self, event: dict[str, Any], state: str = "applied", at: datetime | None = None) -> dict[str, Any]:
        """Send an event that took effect ``at``, else now."""
        event = {**event, "time": (at or self.clock.now()).isoformat()}
        answer = await (await self.as_("hr-system")).post("/v1/hr/events", json=event)
        assert (answer.status_code, answer.json()["state"]) == (202, state), answer.text
        return event

    async def as_(self, name: str) -> httpx.AsyncClient:
        found = await self.world.as_(name)
        found.headers["Authorization"] = f"Bearer {await self.world.token(name)}"
        return found

    async def items(self, who: str = "hr", **query: str) -> list[dict[str, Any]]:
        answer = await (await self.as_(who)).get(PATH, params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def of(self, event: dict[str, Any]) -> dict[str, Any]:
        (found,) = [each for each in await self.items(limit="50") if each["event"]["id"] == event["id"]]
        return found

    async def at(self, moment: datetime) -> None:
        """Let it be ``moment``, and the worker come by."""
        self.clock.move_to(moment)
        await self.application.clocks.sweep()

    async def told(self) -> list[tuple[str, list[str], list[str]]]:
        wanted = select(NoticeRow.type, NoticeRow.audience).where(NoticeRow.type.startswith("deadline."))
        async with self.application.database.unit_of_work() as unit:
            rows = await unit.session.execute(wanted.order_by(NoticeRow.id))
            return [(row[0], row[1]["people"], row[1]["roles"]) for row in rows]


@pytest_asyncio.fixture
async def office(founded_at_noon: Path, store: TestStore) -> AsyncIterator[Office]:
    clock = FrozenClock(NOON)
    async with opened_at_noon(founded_at_noon, store, clock) as world:
        yield Office(world, clock, store)


def when(text_: str) -> datetime:
    return datetime.fromisoformat(text_)


async def test_a_joiner_who_cannot_be_reached_is_reminded_of_broken_and_met_too_late(office: Office) -> None:
    event = await office.send(joined("S2001", email=None, office_phone="010-88882001"))
    whole = await office.send(joined("S2002", office_phone="010-88882002"))
    found, done = await office.of(event), await office.of(whole)
    assert (found["kind"], found["state"], found["met_at"], found["days"]) == ("joiner", "open", None, 3)
    assert (when(found["due_at"]), found["predicted"]) == (DUE, False)
    assert found["contact"]["department"]["code"] == "RD"
    assert found["department"]["code"] == "RD"
    assert (done["state"], when(done["met_at"])) == ("met", NOON), "whoever can be found and reached at once"

    await office.at(NOON + (DUE - NOON) / 2 - timedelta(seconds=1))
    assert await office.told() == []
    await office.at(NOON + (DUE - NOON) / 2)
    await office.at(DUE - timedelta(seconds=1))
    assert await office.told() == [("deadline.reminder", [], ["hr"])]
    await office.at(DUE + timedelta(minutes=5))
    await office.at(DUE + timedelta(days=1))
    head = str(office.world.people["head"])
    assert await office.told() == [("deadline.reminder", [], ["hr"]), ("deadline.breached", [head], ["hr"])]
    broken = await office.of(event)
    assert (broken["state"], broken["met_at"], when(broken["breached_at"])) == ("breached", None, DUE)

    await office.send(updated("S2001", email="s2001@example.com"))
    await office.at(DUE + timedelta(days=2))
    late = await office.of(event)
    assert (late["state"], when(late["met_at"])) == ("breached", DUE + timedelta(days=1)), "when it was done, not seen"
    assert late["breached_at"] == broken["breached_at"]

    for who in ("staff", "infosec", "directory-sync"):
        caller = await office.as_(who)
        for path in (PATH, f"{PATH}/summary"):
            problem(await caller.get(path), 403, "not_permitted")
        hidden = await caller.get(f"{PATH}/{late['id']}")
        problem(hidden, 404, "not_found")
    problem(await (await office.as_("hr-system")).get(PATH), 403, "insufficient_scope")
    for who in ("hr", "auditor", "head"):
        one = await (await office.as_(who)).get(f"{PATH}/{late['id']}")
        assert one.status_code == 200, one.text
        assert one.json()["disclosure"]["event_id"]
        assert {each["id"] for each in await office.items(who)} == {late["id"], done["id"]}

    summary = await (await office.as_("hr")).get(f"{PATH}/summary", params={"from": "2026-11-01", "to": "2026-11-30"})
    assert summary.status_code == 200, summary.text
    (row,) = summary.json()["items"]
    assert {each: row[each] for each in ("month", "kind", "met", "late", "open", "overdue", "withdrawn")} == {
        "month": "2026-11",
        "kind": "joiner",
        "met": 1,
        "late": 1,
        "open": 0,
        "overdue": 0,
        "withdrawn": 0,
    }
    assert summary.json()["days"] == {"joiner": 3, "mover": 3, "leaver": 5}

    await office.world.settle()
    log = await (await office.as_("auditor")).get("/v1/access-events", params={"action": "deadline.breach"})
    (breach,) = log.json()["items"]
    assert [each["id"] for each in breach["contacts"]] == [late["contact_id"]]
    await office.intruder.run("UPDATE deadline SET breached_at = NULL")
    kept = [each["id"] for each in await office.items()]
    assert kept == [done["id"]], "a breach that was taken back past us is nobody's word"


async def test_moves_and_departures(office: Office) -> None:
    far = await office.send(department("created", "FAR", name="远方部"))
    assert far["type"] == "department.created"
    waiting = await office.send(joined("S2003", email=None))
    lost = await office.send(moved("S2003", department="NOWHERE"), "failed")
    assert [(await office.of(each))["state"] for each in (waiting, lost)] == ["open", "open"]
    done = await office.send(moved("S2003", department="FAR"))
    for each in (lost, done):
        move = await office.of(each)
        assert (move["state"], when(move["met_at"])) == ("met", NOON)
    assert (await office.of(done))["department"]["code"] == "FAR"
    assert await office.items("head", state="met") == [await office.of(lost)], "the department of then"

    nobody = await office.send(moved("S2999", department="FAR"), "waiting")
    assert (await office.of(nobody))["contact_id"] is None, (
        "an event about somebody whom nobody knows owes all the same"
    )

    gone = await office.send(left("S2003"))
    found = await office.of(gone)
    assert (found["kind"], found["state"], found["days"], found["contact"]) == ("leaver", "open", 5, None)
    assert found["contact_id"] is not None
    over = await office.of(waiting)
    assert (over["state"], over["cause"]) == ("withdrawn", "left")
    back = await office.send(rehired("S2003", email="back@example.com", office_phone="010-88882003"))
    assert [(await office.of(each))["state"] for each in (gone, back)] == ["withdrawn", "met"]
    final = await office.send(left("S2003"))
    await office.intruder.run("UPDATE contact SET status = 'archived', archive = ? WHERE employee_no = 'S2003'", b"box")
    await office.at(NOON + timedelta(days=1))
    assert (await office.of(final))["state"] == "met", "once the card is in the archive"

    kinds = {each: len(await office.items(kind=each, limit="50")) for each in ("joiner", "mover", "leaver")}
    assert kinds == {"joiner": 2, "mover": 3, "leaver": 2}
    assert len(await office.items(department="FAR")) == 2
    assert await office.items(department="NOT-THERE") == []
    assert await office.items("head", department="FAR") == []
    hr = await office.as_("hr")
    first = (await hr.get(PATH, params={"limit": "4"})).json()
    rest = (await hr.get(PATH, params={"limit": "4", "cursor": first["next"]})).json()
    assert [len(each["items"]) for each in (first, rest)] == [4, 3]
    problem(await hr.get(PATH, params={"cursor": first["next"], "kind": "mover"}), 422, "bad_cursor")
    assert len(await office.items(**{"from": "2026-11-26", "to": "2026-11-26"})) == 5
    for query in ({"from": "2026-11-27", "to": "2026-11-26"}, {"from": "2020-01-01", "to": "2026-11-26"}):
        problem(await hr.get(f"{PATH}/summary", params=query), 422, "period_unfit")
    problem(await hr.get(PATH, params={"to": "9999-12-31"}), 422, "period_unfit")
    problem(await hr.get(PATH, params={"state": "late"}), 422, "invalid_request")


async def test_events_in_any_order_leave_the_deadlines_of_their_order(office: Office) -> None:
    day = timedelta(days=1)
    gone = await office.send(left("S2004"), "waiting", NOON - day)
    move = await office.send(moved("S2004", department="IT"), "waiting", NOON - 2 * day)
    came = await office.send(joined("S2004", email=None), at=NOON - 3 * day)
    assert [((await office.of(each))["kind"], (await office.of(each))["state"]) for each in (came, move, gone)] == [
        ("joiner", "withdrawn"),
        ("mover", "met"),
        ("leaver", "open"),
    ]


async def test_what_arrives_too_late_is_born_broken_and_a_revision_counts_anew(office: Office) -> None:
    before = NOON - timedelta(days=30)
    late = await office.send(joined("S2004", email=None), at=before)
    met_late = await office.send(joined("S2005", office_phone="010-88882005"), at=before)
    found = await office.of(late)
    assert (found["state"], when(found["breached_at"]), when(found["recorded_at"])) == ("breached", NOON, NOON)
    assert when(found["due_at"]) < NOON
    assert (await office.of(met_late))["state"] == "breached"
    await office.at(NOON + timedelta(seconds=1))
    head = str(office.world.people["head"])
    assert await office.told() == [("deadline.breached", [head], ["hr"])], "what is done already is not escalated"

    failed = await office.send(joined("S2007", department="NOWHERE", office_phone="010-88882007"), "failed")
    assert (await office.of(failed))["contact_id"] is None
    await office.send(joined("S2007", office_phone="010-88882007"))
    adopted = await office.of(failed)
    assert (adopted["state"], adopted["contact"]["department"]["code"]) == ("met", "RD")
    assert len(await office.items(kind="joiner")) == 3, "the time runs from the event that could not be applied"

    what = Happened(
        kind=Deadlines.MOVER,
        source="https://hr.example.com",
        event_id="skipped",
        subject=b"s" * 32,
        contact_id=None,
        effective_at=NOON,
        outcome="owed",
    )
    for outcome, states in (("owed", ["open"]), ("owed", ["open"]), ("superseded", ["withdrawn"])):
        async with office.application.database.unit_of_work() as unit:
            await office.application.clocks.service.follow(unit, replace(what, outcome=outcome))
        assert [each["state"] for each in await office.items(kind="mover")] == states

    open_ = await office.send(joined("S2006", email=None))
    off = {date(2026, 11, 24): Entry(Kind.OFF, "company", "司庆", "Anniversary")}
    async with office.application.database.unit_of_work() as unit:
        await office.application.calendar.service.set_days(unit.session, By("operator", "os:test"), "company", off)
    await office.at(NOON + timedelta(minutes=1))
    counted = await office.of(open_)
    assert (when(counted["first_due_at"]), when(counted["due_at"])) == (DUE, DUE + timedelta(days=1))
    assert (await office.of(late))["due_at"] == found["due_at"], "what is broken is not counted anew"
    await office.at(DUE + timedelta(hours=1))
    assert (await office.of(open_))["state"] == "open"
    await office.at(DUE + timedelta(days=1, hours=1))
    assert (await office.of(open_))["state"] == "breached"
