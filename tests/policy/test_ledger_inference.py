"""What the ledger of personnel events, its alerts and its fuse tell of people whom the asker may not see: that something was sent.

``hr:settle`` alone, whoever has it, decides about events and learns of each what a decision takes: type, state, code and times.
"""

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from app.hr.fuse import Limits
from app.hr.models import HrEvent
from app.kit.models import new_id
from app.notices.models import NoticeRow
from app.permissions.pack import load, named
from tests.hr.calls import applied, counted, grown, post
from tests.hr.events import joined, left, moved, updated
from tests.policy.test_inference import told
from tests.policy.test_naming import SHUT
from tests.support.application import World
from tests.support.policy import activate
from tests.support.problems import problem

LEDGER = "/v1/hr/events"
WHY = {"reason": "人事核实"}
_TIMES = re.compile(r'"(?:time|received_at|due_at)":"[^"]+"')


async def secluded(world: World, *, left_out: str) -> httpx.AsyncClient:
    """Hide executives from the people of HR, make ``left_out`` one, and give a client of HR."""
    secrecy = {"secrecy": "executive"}
    card = (await (await world.as_("hr")).get("/v1/contacts", params={"q": left_out})).json()["items"][0]
    headers = {"If-Match": "*"}
    answer = await (await world.as_("hr")).patch(f"/v1/contacts/{card['id']}", json=secrecy, headers=headers)
    assert answer.status_code == 200, answer.text
    rules = (*load().rules, SHUT)
    await activate(
        world.application, named(load().model_copy(update={"version": "9.1.0", "rules": rules, "tests": ()}))
    )
    client = await world.as_("hr")
    problem(await client.get(f"/v1/contacts/{card['id']}"), 404, "not_found")
    return client


def written(answer: httpx.Response, *cut: str) -> object:
    """Give what an answer says, but for times, the record of the look, and ``cut``."""
    status, text, _, headers = told(answer)
    text = _TIMES.sub("-", str(text))
    for each in cut:
        text = text.replace(each, "-")
    return status, text, headers


async def test_rows_of_somebody_unseen_are_those_of_nobody(world: World) -> None:
    """Two people of HR's own ledger, one of whom they may not see: the rows tell neither who it is nor a number nor a value."""
    made = await applied(world, joined("E9001", name="不可见者"))
    client = await secluded(world, left_out="E9001")
    one = updated("E9001", mobile="13700004411")
    other = updated("E9001", mobile="13700009922") | {"id": one["id"][:-4] + "ffff"}
    for event in (one, other):
        await applied(world, event)
    answers = [await client.get(f"{LEDGER}/{event['id']}") for event in (one, other)]
    assert written(answers[0], one["id"]) == written(answers[1], other["id"]), "what was said changes nothing"
    for answer in (*answers, await client.get(LEDGER), await client.get(LEDGER, params={"subject": "E9001"})):
        assert answer.status_code == 200
        assert made["contact_id"] not in answer.text
        assert not {"13700004411", "13700009922", "不可见者", "E9001"} & set(re.findall(r"[\w.]+", answer.text))
    items = (await client.get(LEDGER, params={"subject": "E9001"})).json()["items"]
    assert [(each["contact_id"], each["numbers"]) for each in items] == [(None, [])] * 3
    (row,) = [each for each in (await source_rows(world, "E9001")) if each["type"] == "employee.joined"]
    assert row["contact_id"] == made["contact_id"], "its source is told as before"
    await world.settle()
    auditor = await world.as_("infosec")
    looked = (await auditor.get("/v1/access-events", params={"action": "hr.event.list"})).json()["items"]
    assert all(not each["contacts"] for each in looked if each["actor"]["type"] == "person")


async def source_rows(world: World, subject: str) -> list[dict[str, Any]]:
    answer = await (await world.as_("hr-system")).get(LEDGER, params={"subject": subject})
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_decision_about_somebody_unseen_tells_what_one_about_nobody_does(world: World) -> None:
    await applied(world, joined("E9001"))
    client = await secluded(world, left_out="E9001")
    known, unknown = moved("E9001", department="NOWHERE"), joined("E9777", department="NOWHERE")
    for event in (known, unknown):
        assert (await post(world, event)).json()["state"] == "failed"
    for what in ("replays", "skips"):
        answers = [await client.post(f"{LEDGER}/{event['id']}/{what}", json=WHY) for event in (known, unknown)]
        assert written(answers[0], known["id"]) == written(answers[1], unknown["id"])
        assert answers[0].json()["contact_id"] is None
    missing = [
        await client.post(f"{LEDGER}/evt-{word}/{what}", json=WHY)
        for word in ("a", "E9001")
        for what in ("replays", "skips")
    ]
    assert {written(each)[:2] for each in missing} == {written(missing[0])[:2]}  # type: ignore[index]  # a tuple
    problem(missing[0], 404, "not_found")


async def test_an_alert_names_an_entry_and_whose_it_is_only_the_ledger_tells(world: World) -> None:
    """Two events that fail when what came before them does: of somebody whom the people of HR may not see, and of somebody else."""
    people = {who: (await applied(world, joined(who) | {"sequence": 1}))["contact_id"] for who in ("E9001", "E9002")}
    client = await secluded(world, left_out="E9001")
    for who in people:
        early = await post(world, moved(who, department="NOWHERE") | {"sequence": 3})
        assert early.json()["state"] == "waiting", early.text
        await applied(world, updated(who, title="工程师") | {"sequence": 2})
    async with world.application.database.session() as session:
        notices = list(
            await session.scalars(select(NoticeRow).where(NoticeRow.type == "hr.failed").order_by(NoticeRow.id))
        )
    bodies = [each.body["hr"] for each in notices]
    assert [{name: value for name, value in each.items() if name != "id"} for each in bodies] == [
        {"version": 2, "state": "failed", "type": "employee.moved", "problem": "unknown_department"}
    ] * 2
    assert not any(who in str(each.body) for each in notices for who in people.values())
    found = [(await client.get(LEDGER, params={"entry": each["id"]})).json()["items"] for each in bodies]
    assert [[each["contact_id"] for each in items] for items in found] == [[None], [people["E9002"]]]
    source = await world.as_("hr-system")
    (own,) = (await source.get(LEDGER, params={"entry": bodies[0]["id"]})).json()["items"]
    assert own["contact_id"] == people["E9001"], "its source is told as before"
    async with world.application.database.unit_of_work() as unit:
        await unit.session.execute(update(HrEvent).values(client_id="payroll"))
    absent = [await source.get(LEDGER, params={"entry": each}) for each in (bodies[1]["id"], str(new_id()))]
    assert [each.json()["items"] for each in absent] == [[], []]
    assert written(absent[0]) == written(absent[1])


@pytest.mark.parametrize("caller", ["staff", "outsider", "it-scripts", "siem", "infosec"])
async def test_without_the_scope_every_question_has_one_answer(world: World, caller: str) -> None:
    event = joined("E9001")
    await applied(world, event)
    client = await world.as_(caller)
    for there, absent in (("E9001", "E9777"), (event["id"], "evt-nobody")):
        for one, other in zip(await everything(client, there), await everything(client, absent), strict=True):
            problem(one, 403, "insufficient_scope")
            assert written(one, there) == written(other, absent)


async def everything(client: httpx.AsyncClient, word: str) -> list[httpx.Response]:
    """Ask the ledger whatever can be asked about a word."""
    return [
        await client.get(LEDGER, params={"subject": word}),
        await client.get(f"{LEDGER}/{word}"),
        await client.post(f"{LEDGER}/{word}/skips", json=WHY),
        await client.post(f"{LEDGER}/{word}/replays", json=WHY),
        await client.post(f"{LEDGER}/batches", json={"events": [left(word)]}),
    ]


async def test_a_fuse_that_refuses_counts_and_names_nobody(world: World) -> None:
    people = [f"E900{at}" for at in range(6)]
    for each in people:
        await applied(world, joined(each))
    fuse: Any = world.application.hr.batches._fuse
    fuse._limits = Limits(people=2, percent_of_many=1, percent_of_few=1)
    client, before = await world.as_("hr-system"), await counted(world)

    async def refused(*events: dict[str, Any]) -> object:
        answer = await client.post(f"{LEDGER}/batches", json={"events": list(events)})
        problem(answer, 409, "fuse_blown")
        assert not {*people, "E9777"} & set(re.findall(r"\w+", answer.text))
        return written(answer)

    first = await refused(*map(left, people[:3]))
    assert await refused(*map(left, people[3:])) == first, "whoever it is"
    assert await refused(*map(left, people[:3]), *(left(f"E97{at}7") for at in range(9))) == first, (
        "nobody counts for nothing"
    )
    assert await refused(*(left(each, hand_over_to=str(new_id())) for each in people[2:5])) == first
    assert grown(before, await counted(world)) == {}
    settle = await world.as_("hr")
    asked = [
        await settle.post(f"{LEDGER}/batches", json={"events": [*map(left, each)]}) for each in (people[:3], ["E9777"])
    ]
    assert written(asked[0]) == written(asked[1])
    problem(asked[0], 403, "insufficient_scope")
