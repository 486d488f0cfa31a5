"""Batches of events over HTTP, on either engine: each event by itself, in its order, and none held up by another."""

from typing import Any

import httpx
import pytest
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from app.audit.repository import EventFilter
from app.hr.applying import Applier
from app.hr.fuse import Limits
from tests.hr.calls import applied, counted, grown
from tests.hr.events import department, joined, leaving, left, updated
from tests.support.application import World
from tests.support.problems import faults, problem


async def send(world: World, *events: Any, as_: str = "hr-system") -> httpx.Response:  # noqa: ANN401 — what a source may write
    return await (await world.as_(as_)).post("/v1/hr/events/batches", json={"events": list(events)})


async def told(world: World, *events: Any) -> dict[str, Any]:  # noqa: ANN401 — what a source may write
    answer = await send(world, *events)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def states(receipt: dict[str, Any]) -> list[str]:
    return [each["state"] for each in receipt["items"]]


async def test_each_event_meets_what_the_one_before_it_left(world: World) -> None:
    receipt = await told(
        world,
        department("created", "RD-NEW", name="新部门", parent="RD"),
        joined("E9001", department="RD-NEW"),
        updated("E9001", title="首席工程师"),
        left("E9002"),
    )
    assert states(receipt) == ["applied", "applied", "applied", "waiting"]
    assert receipt["counts"] == {
        "applied": 3, "scheduled": 0, "waiting": 1, "superseded": 0, "failed": 0, "refused": 0
    }  # fmt: skip
    assert receipt["items"][3]["problem"]["code"] == "unknown_subject"
    card = (await (await world.as_("hr")).get(f"/v1/contacts/{receipt['items'][1]['contact_id']}")).json()
    assert (card["department"]["code"], card["title"]) == ("RD-NEW", "首席工程师")


async def test_one_that_cannot_be_read_holds_nobody_up(world: World) -> None:
    broken = joined("E9002") | {"time": "yesterday"}
    before = await counted(world)
    receipt = await told(world, broken, 17, joined("E9003", mobile="12"), joined("E9001"))
    assert states(receipt) == ["refused", "refused", "refused", "applied"]
    assert [each["id"] for each in receipt["items"][:2]] == [broken["id"], None]
    pointers = [[fault["pointer"] for fault in each["errors"]] for each in receipt["items"][:3]]
    assert pointers == [["/events/0/time"], ["/events/1"], ["/events/2/data/mobile"]]
    assert grown(before, await counted(world))["hr_event"] == 1


async def test_what_is_refused_is_on_record(world: World) -> None:
    await told(world, joined("E9003", mobile="12"))
    await world.settle()
    found = (await world.application.events.search(EventFilter(action="hr.event"), limit=1)).events[0].event
    assert (found.decision, found.code, found.client_id) == ("refused", "invalid_request", "hr-system")


async def test_sending_a_batch_again_tells_it_again(world: World) -> None:
    events = [joined("E9001"), left("E9009"), joined("E9002") | {"time": "yesterday"}]
    first = await told(world, *events)
    before = await counted(world)
    again = await told(world, *events)
    assert (first["replayed"], again["replayed"]) == (0, 2)
    assert [each | {"replayed": False} for each in again["items"]] == first["items"]
    assert set(grown(before, await counted(world))) <= {"audit_intent"}


async def test_an_id_used_twice_in_a_batch_is_refused_the_second_time(world: World) -> None:
    one = joined("E9001")
    receipt = await told(world, one, updated("E9001", title="x") | {"id": one["id"]})
    assert states(receipt) == ["applied", "refused"]
    assert receipt["items"][1]["problem"]["code"] == "event_id_reused"


async def test_what_was_done_before_a_failure_stays_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [joined("E9001"), joined("E9002"), joined("E9003")]
    apply = Applier.apply

    async def breaks(self: Applier, viewer: Any, unit: Any, event: Any) -> Any:  # noqa: ANN401 — as the applier has it
        if event.subject == "E9002":
            message = "the store went away"
            raise RuntimeError(message)
        return await apply(self, viewer, unit, event)

    before = await counted(world)
    with monkeypatch.context() as broken:
        broken.setattr(Applier, "apply", breaks)
        assert (await send(world, *events)).status_code == 500
    assert grown(before, await counted(world))["hr_event"] == 1
    receipt = await told(world, *events)
    assert states(receipt) == ["applied"] * 3
    assert [each["replayed"] for each in receipt["items"]] == [True, False, False]


class Deadlock(Exception):
    """PostgreSQL undid this transaction, because it and another waited for one another."""

    sqlstate = "40P01"


@pytest.mark.parametrize(("deadlocks", "status"), [(1, 202), (2, 503)])
async def test_what_another_transaction_was_in_the_way_of_is_tried_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch, deadlocks: int, status: int
) -> None:
    apply, met = Applier.apply, list[str]()

    async def collides(self: Applier, viewer: Any, unit: Any, event: Any) -> Any:  # noqa: ANN401 — as the applier has it
        effect = await apply(self, viewer, unit, event)
        met.append(event.subject)
        if met.count("E9002") in range(1, deadlocks + 1):
            statement = "UPDATE"
            raise DBAPIError(statement, None, Deadlock())
        return effect

    before = await counted(world)
    monkeypatch.setattr(Applier, "apply", collides)
    answer = await send(world, joined("E9001"), joined("E9002"))
    assert (answer.status_code, met) == (status, ["E9001", "E9002", "E9002"])
    assert grown(before, await counted(world))["hr_event"] == 3 - deadlocks


async def test_a_batch_has_bounds(world: World) -> None:
    assert faults(await send(world)) == [("/events", "too_few")]
    assert faults(await send(world, *[{}] * 501)) == [("/events", "too_many")]
    problem(await send(world, joined("E9001"), as_="hr"), 403, "insufficient_scope")


def limited(world: World, limits: Limits) -> None:
    """Let so many people go at once."""
    fuse: Any = world.application.hr.batches._fuse
    fuse._limits = limits


async def test_no_batch_lets_more_people_go_than_a_head_count_may(world: World) -> None:
    limited(world, Limits(people=2, percent_of_many=1, percent_of_few=80))
    people = [f"E900{at}" for at in range(6)]
    assert states(await told(world, *[joined(each) for each in people])) == ["applied"] * 6
    before, many = await counted(world), [left(people[0]), leaving(people[1]), left(people[2]), joined("E9009")]
    refused = problem(await send(world, *many), 409, "fuse_blown")
    told_of = {name: refused[name] for name in ("extent", "leavers", "reason", "request_kind", "limits")}
    assert told_of == {
        "extent": "this_batch",
        "leavers": 3,
        "reason": "too_many_leave",
        "request_kind": "hr.mass_leaving",
        "limits": {"people": 2, "percent_of_many": 1, "percent_of_few": 80},
    }
    assert grown(before, await counted(world)) == {}
    assert states(await told(world, left("E9800"), *[left("E9801")] * 3)) == ["waiting"] * 4, "none of them is there"
    first = [left(people[0]), joined("E9009"), left(people[0])]
    assert states(await told(world, *first, leaving(people[1]))) == ["applied"] * 4
    assert (await told(world, *first))["replayed"] == 3, "who was let go before is counted once"
    answer = problem(await send(world, left(people[2])), 409, "fuse_blown")
    assert (answer["extent"], answer["leavers"]) == ("day", 3)
    assert states(await told(world, updated(people[2], title="甲"))) == ["applied"]
    found = []
    for each in people[2:5]:
        with capture_logs() as logs:
            await applied(world, left(each))
        found.append([(log["leavers"], log["reason"]) for log in logs if log["event"] == "many_leave"])
    assert found == [[], [(4, "too_many_leave")], []], "single events are taken, and the security log is told"
