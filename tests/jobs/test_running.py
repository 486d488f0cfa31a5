"""A job runs once, with the rights that whoever asked has while it runs, and goes on where a dead run stopped."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from app.disclosure.looks import Look
from app.jobs.errors import JobFinished
from app.jobs.repository import STALE
from app.jobs.running import MOST_ATTEMPTS
from app.jobs.schemas import JobPage, JobView, RowPage
from app.jobs.service import MOST_OF_ONE
from app.kit.errors import NotFound
from app.kit.models import new_id
from app.permissions.jobs import JobEnded, JobRun, RowOutcome, TooManyJobs
from app.permissions.outcomes import Purpose
from tests.jobs.calls import job, runner, submit, until
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.problems import problem
from tests.support.shared import Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def kind() -> str:
    """Name a kind of work that no other test of the shared company has."""
    return f"test.{new_id().hex[-12:]}"


@pytest_asyncio.fixture(loop_scope="session")
async def asker(shared: World) -> str:
    """Add somebody of HR who asked for nothing yet."""
    return (await add_person(shared, roles=("hr",), tier="T4")).name


async def counting(run: JobRun) -> Mapping[str, Any]:
    for number in range(run.done, 3):
        await run.advance(number + 1, 3, [RowOutcome("ok", {"number": number})])
    return {"counted": 3}


async def test_a_job_tells_its_progress_its_items_and_its_result(shared: World, kind: str, asker: str) -> None:
    identity = await submit(shared, asker, kind)
    waiting = JobView.model_validate(await job(shared, asker, identity))
    assert (waiting.state, waiting.progress.done, waiting.started_at) == ("queued", 0, None)
    assert await runner(shared, {kind: counting}).once()
    done = JobView.model_validate(await job(shared, asker, identity))
    assert (done.state, done.progress.done, done.progress.total, done.result) == ("done", 3, 3, {"counted": 3})
    assert done.problem is None
    client = await shared.as_(asker)
    rows = RowPage.model_validate((await client.get(f"/v1/jobs/{identity}/rows", params={"limit": "2"})).json())
    assert ([each.number for each in rows.items], rows.next) == ([0, 1], 1)
    rest = RowPage.model_validate((await client.get(f"/v1/jobs/{identity}/rows", params={"after": "1"})).json())
    assert ([each.detail for each in rest.items], rest.next) == ([{"number": 2}], None)
    assert JobPage.model_validate((await client.get("/v1/jobs")).json()).items[0].id == identity
    assert not await runner(shared, {kind: counting}).once()


async def test_somebody_elses_job_is_not_there(shared: World, kind: str, asker: str) -> None:
    identity = await submit(shared, asker, kind)
    for caller in ("staff", "infosec", "it"):
        client = await shared.as_(caller)
        for method, path in (("GET", ""), ("GET", "/rows"), ("DELETE", "")):
            for each in (identity, new_id()):
                problem(await client.request(method, f"/v1/jobs/{each}{path}"), 404, "not_found")
        assert str(identity) not in (await client.get("/v1/jobs", params={"limit": "200"})).text
    assert (await job(shared, asker, identity))["state"] == "queued"


async def test_a_job_sees_what_whoever_asked_would_see_and_no_more(shared: World, kind: str, asker: str) -> None:
    """Hard test 56: an id in the payload is no permission; the job looks as the person who asked, at the moment of the look."""
    hidden, known = await add_person(shared, status="prehire"), await add_person(shared)

    async def looking(run: JobRun) -> Mapping[str, Any]:
        viewer = await run.viewer()
        look = Look(action="contact.read", purpose=Purpose.WORK_CONTACT)
        record, opened = await shared.application.contacts.look(viewer, UUID(run.payload["contact"]), look)
        return {"contact": str(record.subject), "shown": b'"masked"' in opened.one()[0]}

    jobs = runner(shared, {kind: looking})
    for caller, whom, state in (
        ("staff", hidden.id, "failed"),
        ("staff", new_id(), "failed"),
        (asker, hidden.id, "done"),
        ("staff", known.id, "done"),
    ):
        identity = await submit(shared, caller, kind, {"contact": str(whom)})
        assert await jobs.once()
        found = await job(shared, caller, identity)
        assert (found["state"], (found["problem"] or {}).get("code")) == (
            state,
            "not_found" if state == "failed" else None,
        )
    await shared.settle()
    answer = await (await shared.as_("infosec")).get(
        "/v1/access-events", params={"contact": str(known.id), "action": "contact.read"}
    )
    assert {each["actor"]["id"] for each in answer.json()["items"]} == {str(shared.people["staff"])}


async def test_rights_that_end_while_a_job_runs_end_it(shared: World, kind: str, asker: str) -> None:
    someone = await add_person(shared, roles=("infosec",), tier="T5")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(run: JobRun) -> Mapping[str, Any]:
        assert "infosec" in (await run.viewer()).standing.roles
        await run.advance(1, 2, [RowOutcome("ok")])
        begun.set()
        await until(go_on)
        await run.advance(2, 2, [RowOutcome("ok")])
        pytest.fail("a leaver's job goes on")

    identity = await submit(shared, someone.name, kind)
    working = asyncio.create_task(runner(shared, {kind: slowly}).once())
    await until(begun)
    gone = await (await shared.as_(asker)).delete(someone.path, headers={"If-Match": "*"})
    assert gone.status_code == 204
    go_on.set()
    assert await working
    found = await shared.application.jobs.rows.by_id(shared.application.database.reader, identity)
    assert found is not None
    assert (found.state, found.done, (found.problem or {})["code"]) == ("failed", 1, "no_contact")


async def test_scopes_of_a_role_that_was_taken_away_are_gone_for_the_job(shared: World, kind: str) -> None:
    someone = await add_person(shared, roles=("hr",), tier="T4")
    seen = list[frozenset[str]]()

    async def asking(run: JobRun) -> Mapping[str, Any]:
        seen.append((await run.viewer()).standing.scopes)
        return {}

    await submit(shared, someone.name, kind)
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.set_standing(unit.session, someone.name, tier="T1", roles=())
    assert await runner(shared, {kind: asking}).once()
    assert "contacts:read" in seen[0]
    assert "contacts:write" not in seen[0]


async def test_a_cancelled_job_stops_at_its_next_step(shared: World, kind: str, asker: str) -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(run: JobRun) -> Mapping[str, Any]:
        begun.set()
        await until(go_on)
        try:
            await run.advance(1, 1)
        except JobEnded:
            ended.set()
            raise
        return {}

    identity = await submit(shared, asker, kind)
    working = asyncio.create_task(runner(shared, {kind: slowly}).once())
    await until(begun)
    client = await shared.as_(asker)
    assert (await client.delete(f"/v1/jobs/{identity}")).status_code == 204
    go_on.set()
    assert await working
    assert ended.is_set()
    found = await job(shared, asker, identity)
    assert (found["state"], found["result"], found["progress"]["done"]) == ("cancelled", None, 0)
    problem(await client.delete(f"/v1/jobs/{identity}"), 409, "job_finished")
    assert not await runner(shared, {kind: slowly}).once()


async def test_a_dead_runs_job_is_taken_over_where_it_stopped(shared: World, kind: str, asker: str) -> None:
    """The process dies without a word after the first of three items: another one goes on with the second, and no item is done twice."""
    clock = FrozenClock(shared.application.clock.now())
    died = asyncio.Event()

    async def dying(run: JobRun) -> Mapping[str, Any]:
        await run.advance(1, 3, [RowOutcome("ok", {"number": 0})])
        died.set()
        await asyncio.Event().wait()
        return {}

    identity = await submit(shared, asker, kind)
    first = asyncio.create_task(runner(shared, {kind: dying}, clock=clock).once())
    await until(died)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = runner(shared, {kind: counting}, clock=clock)
    assert not await second.once(), "nobody takes over what may be alive"
    clock.advance(seconds=STALE.total_seconds() + 1)
    assert await second.once()
    found = await job(shared, asker, identity)
    assert (found["state"], found["progress"]) == ("done", {"done": 3, "total": 3})
    rows = (await (await shared.as_(asker)).get(f"/v1/jobs/{identity}/rows")).json()["items"]
    assert [each["detail"]["number"] for each in rows] == [0, 1, 2]


async def test_a_run_that_was_taken_over_changes_nothing_any_more(shared: World, kind: str, asker: str) -> None:
    clock = FrozenClock(shared.application.clock.now())
    begun, go_on = asyncio.Event(), asyncio.Event()
    outcome = list[type[BaseException] | None]()

    async def late(run: JobRun) -> Mapping[str, Any]:
        begun.set()
        await until(go_on)
        try:
            await run.advance(3, 3, [RowOutcome("late")] * 3)
        except JobEnded as ended:
            outcome.append(type(ended))
            raise
        return {"late": True}

    identity = await submit(shared, asker, kind)
    first = asyncio.create_task(runner(shared, {kind: late}, clock=clock).once())
    await until(begun)
    clock.advance(seconds=STALE.total_seconds() + 1)
    assert await runner(shared, {kind: counting}, clock=clock).once()
    go_on.set()
    assert await first
    assert outcome == [JobEnded]
    assert (await job(shared, asker, identity))["result"] == {"counted": 3}


async def test_a_job_that_kills_every_run_is_given_up(shared: World, kind: str, asker: str) -> None:
    clock = FrozenClock(shared.application.clock.now())
    begun = asyncio.Event()

    async def dying(run: JobRun) -> Mapping[str, Any]:
        del run
        begun.set()
        await asyncio.Event().wait()
        return {}

    identity = await submit(shared, asker, kind)
    for _ in range(MOST_ATTEMPTS):
        begun.clear()
        run = asyncio.create_task(runner(shared, {kind: dying}, clock=clock).once())
        await until(begun)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        clock.advance(seconds=STALE.total_seconds() + 1)
    assert await runner(shared, {kind: dying}, clock=clock).once()
    found = await job(shared, asker, identity)
    assert (found["state"], found["problem"]["code"]) == ("failed", "job_interrupted")


async def test_one_of_a_kind_runs_at_a_time(shared: World, kind: str, asker: str) -> None:
    at_once, most = 0, 0

    async def crowding(run: JobRun) -> Mapping[str, Any]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await run.advance(1, 2)
        await asyncio.sleep(0.05)
        at_once -= 1
        return {}

    for _ in range(3):
        await submit(shared, asker, kind)
    runners = [runner(shared, {kind: crowding}) for _ in range(3)]
    done = 0
    for _ in range(200):
        done += sum(await asyncio.gather(*(each.once() for each in runners)))
        if done == 3:
            break
    assert (done, most) == (3, 1)


async def test_the_store_itself_refuses_two_runs_of_a_kind(
    shared: World, company: Company, kind: str, asker: str
) -> None:
    for _ in range(2):
        await submit(shared, asker, kind)
    statement = "UPDATE job SET state = 'running', owner = id WHERE kind = ?"
    with pytest.raises(Exception, match=r"(?i)unique") as refused:
        await Intruder(company.store).run(statement, kind)
    assert not isinstance(refused.value, IntegrityError), "refused by the driver, below the service"


async def test_the_line_is_short(shared: World, kind: str, asker: str) -> None:
    for _ in range(MOST_OF_ONE):
        await submit(shared, asker, kind)
    with pytest.raises(TooManyJobs) as refused:
        await submit(shared, asker, kind)
    assert refused.value.headers["Retry-After"] == "30"
    other = await add_person(shared)
    await submit(shared, other.name, kind)


@pytest.mark.parametrize(
    ("column", "value"),
    [("payload", '{"contact":"x"}'), ("subject", '{"client":"it-scripts","scopes":[]}'), ("kind", "test.other")],
)
async def test_an_edited_job_does_not_run(
    shared: World, company: Company, kind: str, asker: str, column: str, value: str
) -> None:
    ran = list[UUID]()

    async def never(run: JobRun) -> Mapping[str, Any]:
        ran.append(run.id)
        return {}

    identity = await submit(shared, asker, kind)
    await Intruder(company.store).run(f"UPDATE job SET {column} = ? WHERE id = ?", value, identity)
    jobs = runner(shared, {kind: never, "test.other": never})
    assert not await jobs.once()
    assert not await jobs.once()
    assert ran == []
    ((state,),) = await Intruder(company.store).run("SELECT state FROM job WHERE id = ?", identity)
    assert state == "failed"


async def test_a_handlers_fault_ends_its_job_and_tells_nothing_of_itself(shared: World, kind: str, asker: str) -> None:
    async def failing(run: JobRun) -> Mapping[str, Any]:
        message = f"secret of {run.id}"
        raise ValueError(message)

    identity = await submit(shared, asker, kind)
    assert await runner(shared, {kind: failing}).once()
    found = await job(shared, asker, identity)
    assert (found["state"], found["problem"]["code"]) == ("failed", "internal_error")
    assert "secret" not in str(found)


async def test_what_ended_long_ago_is_forgotten(shared: World, kind: str, asker: str) -> None:
    clock = FrozenClock(shared.application.clock.now())
    identity = await submit(shared, asker, kind)
    jobs = runner(shared, {kind: counting}, clock=clock)
    assert await jobs.once()
    clock.advance(days=29)
    for days, there in ((0, True), (2, False)):
        clock.advance(days=days)
        async with shared.application.database.unit_of_work() as unit:
            await jobs.forget(unit)
        found = await shared.application.jobs.rows.by_id(shared.application.database.reader, identity)
        assert (found is not None) is there


async def test_jobs_are_on_record(shared: World, kind: str, asker: str) -> None:
    await submit(shared, asker, kind)
    assert await runner(shared, {kind: counting}).once()
    cancelled = await submit(shared, asker, kind)
    assert (await (await shared.as_(asker)).delete(f"/v1/jobs/{cancelled}")).status_code == 204
    await shared.settle()
    events = (
        await (await shared.as_("infosec")).get("/v1/access-events", params={"actor": str(shared.people[asker])})
    ).json()
    found = [each["action"] for each in events["items"] if each["action"].startswith("job.")]
    assert found == ["job.cancel", "job.create", "job.finish", "job.create"]


async def test_a_service_account_has_jobs_of_its_own(shared: World, kind: str, asker: str) -> None:
    async def asking(run: JobRun) -> Mapping[str, Any]:
        return {"scopes": sorted((await run.viewer()).standing.scopes)}

    identity = await submit(shared, "hr-system", kind)
    assert await runner(shared, {kind: asking}).once()
    assert (await job(shared, "hr-system", identity))["result"] == {"scopes": ["hr:write", "scim"]}
    with pytest.raises(NotFound):
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.jobs.service.cancel(unit, await shared.viewer(asker), identity)
    with pytest.raises(JobFinished):
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.jobs.service.cancel(unit, await shared.viewer("hr-system"), identity)
