"""Calling privileges over HTTP on both engines: from the request to the line, and every way in which they end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.effects.walking import Walk, file, filed
from tests.hr.events import left
from tests.numbers.calls import TestPool, add_pool, allocate, release
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Added, Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/v1/calling-privileges"


def form(*functions: str, days: float = 30, **members: object) -> dict[str, Any]:
    return {
        "functions": list(functions or ("international",)),
        "reason": "每周与境外供应商通话",
        "expected_minutes": 20,
        "calls_per_week": 3,
        "until": (datetime.now(UTC) + timedelta(days=days)).isoformat(),
        **members,
    }


async def line(world: World) -> tuple[TestPool, Added, str]:
    """Give a new colleague a number."""
    pool, holder = await add_pool(world), await add_person(world)
    (digits,) = await allocate(world, pool, holder.id)
    return pool, holder, digits


async def given(world: World, holder: Added, digits: str, *functions: str) -> Walk:
    """Walk a request to its effect."""
    walk = await filed(world, "staff", "line.privilege", ("number", digits), form(*functions), holder.id)
    assert await walk.through("head", "steward") == "active"
    return walk


async def of(world: World, who: str, **query: str) -> list[dict[str, Any]]:
    answer = await (await world.as_(who)).get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_line_may_do_what_was_asked_for_once_head_and_administration_agree(shared: World) -> None:
    _, holder, digits = await line(shared)
    walk = await filed(
        shared, "staff", "line.privilege", ("number", digits), form("international", "conference"), holder.id
    )
    assert await of(shared, "it-scripts", digits=digits) == []
    assert await walk.through("head", "steward") == "active"
    told = await of(shared, "it-scripts", digits=digits)
    assert {each["function"]: each["state"] for each in told} == {"international": "active", "conference": "active"}
    assert {each["request"] for each in told} == {walk.path.rsplit("/", 1)[-1]}
    assert await of(shared, "it-scripts", digits=digits, function="conference", state="ended") == []
    one = await (await shared.as_(holder.name)).get(f"{PATH}/{told[0]['id']}")
    assert one.status_code == 200
    assert one.json()["contact"]["id"] == str(holder.id)


async def test_the_request_that_ends_takes_them_back(shared: World) -> None:
    _, holder, digits = await line(shared)
    walk = await given(shared, holder, digits)
    assert await walk.ended("staff", "returns") == "returned"
    assert await of(shared, "it-scripts", digits=digits) == []
    (over,) = await of(shared, "it-scripts", digits=digits, state="ended")
    assert (over["state"], over["cause"]) == ("ended", "revoked")


async def test_a_line_that_is_given_up_takes_them_with_it_and_the_next_holder_has_none(shared: World) -> None:
    _, holder, digits = await line(shared)
    await given(shared, holder, digits)
    it, other = await shared.as_("it-scripts"), await add_person(shared)
    passed = await it.post(f"/v1/numbers/{digits}/transfers", json={"to": {"type": "contact", "id": str(other.id)}})
    assert passed.status_code == 201, passed.text
    assert await of(shared, "it-scripts", digits=digits) == []
    assert await of(shared, other.name) == []
    back = await it.post(f"/v1/numbers/{digits}/transfers", json={"to": {"type": "contact", "id": str(holder.id)}})
    assert back.status_code == 201, back.text
    assert await of(shared, holder.name) == []
    (over,) = await of(shared, "it-scripts", digits=digits, state="ended")
    assert over["state"] == "ended"


async def test_who_leaves_loses_them_in_the_same_transaction(shared: World) -> None:
    _, holder, digits = await line(shared)
    await given(shared, holder, digits)
    gone = await (await shared.as_("hr-system")).post("/v1/hr/events", json=left(f"N{holder.number}"))
    assert gone.json()["state"] == "applied"
    (over,) = await of(shared, "it-scripts", digits=digits, state="ended")
    assert (over["state"], over["cause"]) == ("ended", "left")


async def test_a_renewal_ends_the_one_before(shared: World) -> None:
    _, holder, digits = await line(shared)
    await given(shared, holder, digits)
    await given(shared, holder, digits)
    assert len(await of(shared, "it-scripts", digits=digits)) == 1
    (before,) = await of(shared, "it-scripts", digits=digits, state="ended")
    assert before["cause"] == "renewed"


@pytest.mark.parametrize("who", ["steward", "it-scripts"])
async def test_offices_and_programs_that_switch_lines_end_one_at_once(shared: World, who: str) -> None:
    _, holder, digits = await line(shared)
    await given(shared, holder, digits)
    (held,) = await of(shared, who, digits=digits)
    client = await shared.as_(who)
    for _ in range(2):
        assert (await client.delete(f"{PATH}/{held['id']}")).status_code == 204, "ended twice is ended once"
    assert await of(shared, who, digits=digits) == []


async def test_strangers_are_told_of_no_line_but_their_own(shared: World) -> None:
    _, holder, digits = await line(shared)
    await given(shared, holder, digits)
    (held,) = await of(shared, "it-scripts", digits=digits)
    for who in ("staff", "colleague", "outsider"):
        assert await of(shared, who, digits=digits) == []
        assert await of(shared, who, contact=str(holder.id)) == []
        client = await shared.as_(who)
        problem(await client.get(f"{PATH}/{held['id']}"), 404, "not_found")
        problem(await client.delete(f"{PATH}/{held['id']}"), 404, "not_found")
    problem(await (await shared.as_("auditor")).delete(f"{PATH}/{held['id']}"), 403, "not_permitted")
    assert len(await of(shared, holder.name)) == 1
    assert (await (await shared.as_(holder.name)).delete(f"{PATH}/{held['id']}")).status_code == 204


async def refused(world: World, about: str, beneficiary: object, **members: Any) -> httpx.Response:  # noqa: ANN401 — members of a form
    return await file(world, "staff", "line.privilege", ("number", about), form(**members), beneficiary)


async def test_what_cannot_be_asked_for(shared: World) -> None:
    _, holder, digits = await line(shared)
    problem(await refused(shared, "99", holder.id), 404, "not_found")
    for answer, pointer in (
        (await refused(shared, digits, shared.people["colleague"]), "/subject/id"),
        (await refused(shared, digits, holder.id, days=-1), "/form/until"),
        (await refused(shared, digits, holder.id, days=93), "/form/until"),
        (await refused(shared, digits, holder.id, until=None), "/form/until"),
        (await refused(shared, digits, holder.id, functions=["satellite"]), "/form/functions/0"),
    ):
        assert answer.status_code == 422
        assert [at for at, _ in faults(answer)] == [pointer]


async def test_a_number_that_changed_hands_meanwhile_is_asked_about_again(shared: World) -> None:
    _, holder, digits = await line(shared)
    walk = await filed(shared, "staff", "line.privilege", ("number", digits), form(), holder.id)
    assert await walk.through("head") == "pending"
    await release(shared, digits, reason="moved")
    assert await walk.through("steward") == "needs_reapproval"
    assert await of(shared, "it-scripts", digits=digits) == []


async def test_a_row_edited_past_the_service_gives_nothing(shared: World, company: Company) -> None:
    _, holder, digits = await line(shared)
    await given(shared, holder, digits)
    await Intruder(company.store).run(
        "UPDATE calling_privilege SET function = ? WHERE digits = ?", "conference", digits
    )
    assert await of(shared, "it-scripts", digits=digits) == []
