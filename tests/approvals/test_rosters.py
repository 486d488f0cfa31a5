"""Who is on call, over HTTP on both engines: who writes and reads a roster, what it leaves open, and whom the engine asks by it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.approvals.roster_rules import SHANGHAI, Shift, beginning, gaps, overlap, writer_of
from app.auth.roles import Role
from app.kit.models import new_id
from tests.approvals.kinds import Office
from tests.approvals.test_replacing import asked, is_only
from tests.support.application import World
from tests.support.grants import set_mark
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

shared_loop = pytest.mark.asyncio(loop_scope="session")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
HOURS = st.integers(min_value=0, max_value=48)


def a_shift(begins: int, ends: int, person: object = None) -> Shift:
    """Make a shift of so many hours after now."""
    return Shift(
        id=new_id(),
        role=Role.IT,
        person_id=new_id() if person is None else person,  # type: ignore[arg-type]
        starts_at=NOW + timedelta(hours=begins),
        ends_at=NOW + timedelta(hours=ends),
        filed_by=new_id(),
        created_at=NOW,
    )


@given(st.lists(st.tuples(HOURS, st.integers(1, 6)), max_size=8), HOURS, st.integers(1, 30))
def test_every_hour_is_somebodys_or_a_gap_and_never_both(
    wanted: list[tuple[int, int]], since: int, length: int
) -> None:
    shifts: list[Shift] = []
    for begins, hours in wanted:
        new = a_shift(begins, begins + hours)
        if overlap(new, shifts) is None:
            shifts.append(new)
    able = {each.person_id for each in shifts[::2]}
    until = since + length
    open_times = gaps(shifts, NOW + timedelta(hours=since), NOW + timedelta(hours=until), able)
    for hour in range(since, until):
        at = NOW + timedelta(hours=hour)
        manned = sum(each.live(at) and each.person_id in able for each in shifts)
        assert manned + sum(begins <= at < ends for begins, ends in open_times) == 1


def test_a_day_begins_in_shanghai_and_a_shift_is_half_open() -> None:
    assert beginning(datetime(2026, 12, 1, tzinfo=SHANGHAI).date()) == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert overlap(a_shift(8, 16), [a_shift(0, 8), a_shift(16, 24)]) is None
    assert overlap(a_shift(8, 16), [a_shift(0, 9)]) is not None
    assert not a_shift(0, 8).live(NOW + timedelta(hours=8))


def test_every_roster_has_a_writer() -> None:
    assert {writer_of(role) for role in Role} == {Role.SYSTEM_ADMIN, Role.INFOSEC, Role.ADMINISTRATION}


def roster(role: str = "it") -> str:
    return f"/v1/on-call-rosters/{role}"


async def put(
    world: World, who: str, person: object, since: object, until: object, role: str = "it", **headers: str
) -> httpx.Response:
    """Put somebody on call as somebody."""
    body = {"person": str(person), "from": str(since), "until": str(until)}
    return await (await world.as_(who)).post(f"{roster(role)}/shifts", json=body, headers=headers)


async def read(world: World, who: str, since: object, until: object, role: str = "it") -> dict[str, Any]:
    """Read a roster that is there for somebody."""
    query = {"from": str(since), "until": str(until)}
    answer = await (await world.as_(who)).get(roster(role), params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def day(world: World, ahead: int) -> str:
    """Write a day some days from now, in Shanghai."""
    return (world.application.clock.now().astimezone(SHANGHAI) + timedelta(days=ahead)).date().isoformat()


@pytest.fixture
def ahead() -> int:
    """Give where in the coming year a test has the roster to itself."""
    return next(_AHEAD)


_AHEAD = iter(range(10, 360, 10))


@shared_loop
async def test_written_read_and_what_it_leaves_open(shared: World, ahead: int) -> None:
    one, other = await add_person(shared, roles=("it",)), await add_person(shared, roles=("it",))
    days = [day(shared, ahead + each) for each in range(8)]
    first = await put(shared, "it", one.id, days[0], days[2], **{"Idempotency-Key": f"shift-{one.id}"})
    assert first.status_code == 201, first.text
    receipt = first.json()
    assert (receipt["person"], receipt["state"], receipt["role"]) == (str(one.id), "planned", "it")
    assert receipt["from"] == f"{(datetime.fromisoformat(days[0]) - timedelta(days=1)).date()}T16:00:00Z"
    again = await put(shared, "it", one.id, days[0], days[2], **{"Idempotency-Key": f"shift-{one.id}"})
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (receipt, "true")
    problem(await put(shared, "it", other.id, days[1], days[3]), 409, "shift_overlaps")
    assert (await put(shared, "it", other.id, days[2], f"{days[3]}T12:00:00+08:00")).status_code == 201
    for who in ("it", one.name, "infosec", "auditor"):
        told = await read(shared, who, days[0], days[5])
        assert [each["person"]["id"] for each in told["items"]] == [str(one.id), str(other.id)]
        (gap,) = told["gaps"]
        assert gap["from"] == f"{days[3]}T04:00:00Z"
        assert told["disclosure"]["event_id"]
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.set_standing(unit.session, other.name, tier="T1", roles=())
    told = await read(shared, "it", days[0], days[5])
    assert [each["holds_role"] for each in told["items"]] == [True, False]
    assert told["gaps"][0]["from"] == told["items"][0]["until"], "who lost the role is not on call"
    gone = await (await shared.as_("it")).delete(first.headers["Location"])
    assert gone.status_code == 204
    assert (await (await shared.as_("it")).delete(first.headers["Location"])).status_code == 204
    assert len((await read(shared, "it", days[0], days[5]))["items"]) == 1
    await shared.settle()
    events = await (await shared.as_("infosec")).get("/v1/access-events", params={"contact": str(one.id)})
    actions = [each["action"] for each in events.json()["items"]]
    assert (actions.count("roster.set"), actions.count("roster.end")) == (1, 1)
    assert "roster.read" in actions


@shared_loop
async def test_whose_roster_is_whose(shared: World, ahead: int) -> None:
    one = await add_person(shared, roles=("it",))
    since, until = day(shared, ahead), day(shared, ahead + 1)
    for who in (one.name, "staff", "hr", "infosec", "steward", "auditor"):
        problem(await put(shared, who, one.id, since, until), 403, "not_permitted")
        problem(await (await shared.as_(who)).delete(f"{roster()}/shifts/{uuid4()}"), 403, "not_permitted")
    for who in ("staff", "hr", "head"):
        problem(await (await shared.as_(who)).get(roster()), 403, "not_permitted")
    problem(await put(shared, "it", shared.people["steward"], since, until, "administration"), 403, "not_permitted")
    made = await put(shared, "steward", shared.people["steward"], since, until, "administration")
    assert made.status_code == 201, made.text
    elsewhere = made.headers["Location"].replace("administration", "it")
    problem(await (await shared.as_("it")).delete(elsewhere), 404, "not_found")
    assert (await (await shared.as_("steward")).delete(made.headers["Location"])).status_code == 204


@shared_loop
async def test_what_is_no_shift(shared: World, ahead: int) -> None:
    one, stranger = await add_person(shared, roles=("it",)), await add_person(shared)
    since, until = day(shared, ahead), day(shared, ahead + 1)
    for nobody in (stranger.id, uuid4()):
        answer = await put(shared, "it", nobody, since, until)
        problem(answer, 422, "not_a_holder")
        assert faults(answer) == [("/person", "not_a_holder")]
    for begins, ends, at in (
        (until, since, "/until"),
        (since, since, "/until"),
        (day(shared, -2), until, "/from"),
        (since, day(shared, ahead + 40), "/until"),
        (day(shared, 400), day(shared, 401), "/from"),
    ):
        assert faults(await put(shared, "it", one.id, begins, ends)) == [(at, "unfit_shift")]
    far = ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+08:00", "9999-12-31T23:00:00-08:00")
    for wrong in ("2026-13-01", "tomorrow", f"{since}T00:00:00", *far):
        assert (await put(shared, "it", one.id, wrong, until)).status_code == 422
        assert (await (await shared.as_("it")).get(roster(), params={"from": wrong})).status_code == 422
    client = await shared.as_("it")
    problem(await client.get(roster(), params={"from": since, "until": since}), 422, "unfit_window")
    problem(await client.get(roster(), params={"from": since, "until": day(shared, ahead + 100)}), 422, "unfit_window")
    assert (await client.get(roster("queen"))).status_code == 422
    assert (await read(shared, "it", since, until))["items"] == []


@shared_loop
async def test_two_at_once_never_overlap_and_a_row_edited_past_us_puts_nobody_on_call(
    shared: World, ahead: int
) -> None:
    people: list[Added] = [await add_person(shared, roles=("it",)) for _ in range(4)]
    since, until = day(shared, ahead), day(shared, ahead + 1)
    answers = await asyncio.gather(*(put(shared, "it", each.id, since, until) for each in people))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    (made,) = [each.json() for each in answers if each.status_code == 201]
    async with shared.application.database.unit_of_work() as unit:
        await unit.session.execute(
            text(
                "UPDATE on_call_shift SET row_version = 7 WHERE starts_at = (SELECT max(starts_at) FROM on_call_shift)"
            )
        )
    left = await read(shared, "it", since, until)
    assert made["id"] not in [each["id"] for each in left["items"]]


async def test_a_step_asks_who_is_on_call_and_everybody_where_nobody_is(office: Office) -> None:
    world = office.world
    await is_only(world, "core", "it")
    now = office.clock.now()
    times = [(now + timedelta(hours=each)).isoformat() for each in (0, 8, 16)]
    assert (await put(world, "it", office.id("core"), times[0], times[1])).status_code == 201
    path = await office.filed("staff", "test.call")
    assert await asked(office, path) == [("core", "chain", False)]
    problem(await office.say("it", path), 404, "not_found")
    office.clock.advance(hours=8)
    late = await office.filed("colleague", "test.call", about="staff")
    assert {name for name, _, _ in await asked(office, late)} == {"core", "it"}, (
        "the roster says nobody: all who hold the role"
    )
    assert (await office.say("core", path)).json()["state"] == "active", "what was asked stays with who was asked"
    assert (await put(world, "it", office.id("core"), times[1], times[2])).status_code == 201
    await set_mark(world, "core", at=office.clock.now())
    away = await office.filed("bare", "test.call", about="staff")
    assert {name for name, _, _ in await asked(office, away)} == {"it"}, "who is away is not on call"
