"""The four timing cases of a function-scope unit of work, and what the unit promises: commit before the answer, one end for everything.

With the framework's default scope a failing commit would still have answered 200; these tests fail if that ever becomes so again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, get_args

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.audit.errors import AuditInsideTransaction
from app.audit.events import EventDraft
from app.kit import problems
from app.kit.context import RequestContext
from app.kit.db import Database, UnitOfWork, current_unit_of_work
from app.kit.dependencies import Unit
from app.kit.edge import RequestEdge
from app.kit.errors import Conflict, Problem
from app.kit.models import new_id
from app.kit.routing import GuardedRouter, public
from app.kit.schemas import Output
from tests.support.application import World
from tests.support.stores import TestStore

INSERT = text("INSERT INTO epoch (key, value) VALUES (:key, 1)")
COUNT = text("SELECT count(*) FROM epoch WHERE key = :key")


class Promise(Output):
    """An answer with one member."""

    number: int


class Holder:
    """What the unit's dependency looks for."""

    def __init__(self, database: Database) -> None:
        """Take the store."""
        self.database = database


class Recorder:
    """ASGI middleware that notes when an answer starts and whether a unit was open then."""

    def __init__(self, app: Any, moments: list[str]) -> None:  # noqa: ANN401 — an ASGI application
        """Wrap."""
        self._app, self._moments = app, moments

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 — ASGI
        """Pass on."""

        async def noted(message: Any) -> None:  # noqa: ANN401 — ASGI
            if message["type"] == "http.response.start":
                self._moments.append(f"answer {message['status']}")
            await send(message)

        await self._app(scope, receive, noted)


@pytest.fixture
async def database(store: TestStore) -> AsyncIterator[Database]:
    """Give an open store."""
    database = Database(store.settings)
    yield database
    await database.close()


@pytest.fixture
def moments() -> list[str]:
    """Give what happened, in order."""
    return []


@pytest.fixture
async def client(
    database: Database, moments: list[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Give an application with a route for each case."""
    router = GuardedRouter()
    true_commit = UnitOfWork.commit

    async def noted(self: UnitOfWork) -> None:
        await true_commit(self)
        moments.append("commit")

    monkeypatch.setattr(UnitOfWork, "commit", noted)

    @router.post("/good")
    @public("a test")
    async def good(unit: Unit) -> Promise:
        await unit.session.execute(INSERT, {"key": "good"})
        moments.append("work")
        return Promise(number=1)

    @router.post("/late")
    @public("a test")
    async def late(unit: Unit) -> Promise:
        await unit.session.execute(INSERT, {"key": "late"})

        async def fails() -> None:
            raise Conflict

        monkeypatch.setattr(unit.session, "commit", fails)
        return Promise(number=1)

    @router.post("/raising")
    @public("a test")
    async def raising(unit: Unit) -> Promise:
        await unit.session.execute(INSERT, {"key": "raising"})
        raise Conflict

    @router.post("/misshapen", response_model=Promise)
    @public("a test")
    async def misshapen(unit: Unit) -> Any:  # noqa: ANN401 — wrong on purpose
        await unit.session.execute(INSERT, {"key": "misshapen"})
        return {"number": "not one"}

    async def nowhere(context: RequestContext, refusal: Problem) -> None:
        del context, refusal

    app = FastAPI()
    app.state.application = Holder(database)
    problems.install(app, nowhere)
    app.add_middleware(RequestEdge, max_body_bytes=4096)
    app.add_middleware(Recorder, moments=moments)
    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as found:
        yield found


async def stored(database: Database, key: str) -> int:
    async with database.session() as session:
        return int(await session.scalar(COUNT, {"key": key}) or 0)


async def test_the_commit_comes_before_the_answer(
    client: httpx.AsyncClient, database: Database, moments: list[str]
) -> None:
    answer = await client.post("/good")
    assert (answer.status_code, answer.json()) == (200, {"number": 1})
    assert moments == ["work", "commit", "answer 200"]
    assert await stored(database, "good") == 1


async def test_a_commit_that_fails_is_the_answer(
    client: httpx.AsyncClient, database: Database, moments: list[str]
) -> None:
    answer = await client.post("/late")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert moments == ["answer 409"]
    assert await stored(database, "late") == 0


async def test_a_route_that_raises_is_rolled_back_first(
    client: httpx.AsyncClient, database: Database, moments: list[str]
) -> None:
    answer = await client.post("/raising")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert moments == ["answer 409"]
    assert await stored(database, "raising") == 0


async def test_an_answer_of_the_wrong_shape_is_rolled_back(
    client: httpx.AsyncClient, database: Database, moments: list[str]
) -> None:
    answer = await client.post("/misshapen")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert moments == ["answer 500"]
    assert await stored(database, "misshapen") == 0


async def test_a_unit_that_does_nothing_opens_nothing(database: Database) -> None:
    async with database.unit_of_work() as unit:
        assert current_unit_of_work() is unit
        before = unit.is_open
        await unit.session.execute(INSERT, {"key": "open"})
        assert (before, unit.is_open) == (False, True)
    assert current_unit_of_work() is None


async def test_what_waits_for_the_commit_runs_after_it_and_never_after_a_roll_back(database: Database) -> None:
    told: list[str] = []

    def after(unit: UnitOfWork, word: str) -> Callable[[], Any]:
        async def tell() -> None:
            told.append(f"{word} {await stored(database, word)} {unit.is_open}")

        return tell

    async with database.unit_of_work() as unit:
        unit.after_commit(after(unit, "yes"))
        unit.at_end(lambda: told.append("end"))
        await unit.session.execute(INSERT, {"key": "yes"})
    assert told == ["yes 1 False", "end"]
    told.clear()

    async def fails() -> None:
        async with database.unit_of_work() as unit:
            unit.after_commit(after(unit, "no"))
            unit.at_end(lambda: told.append("end"))
            await unit.session.execute(INSERT, {"key": "no"})
            raise Conflict

    with pytest.raises(Conflict):
        await fails()
    assert told == ["end"]
    assert await stored(database, "no") == 0


async def test_writers_on_sqlite_queue_and_none_fails(sqlite_store: TestStore) -> None:
    database = Database(sqlite_store.settings)

    async def write(at: int) -> None:
        async with database.unit_of_work() as unit:
            await unit.session.execute(INSERT, {"key": f"n{at}"})
            await asyncio.sleep(0.001)

    await asyncio.gather(*(write(at) for at in range(40)))
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM epoch WHERE key LIKE 'n%'")) == 40
    await database.close()


async def test_a_failed_statement_quotes_no_parameter(database: Database) -> None:
    async def twice() -> None:
        async with database.unit_of_work() as unit:
            for _ in range(2):
                await unit.session.execute(INSERT, {"key": "13800002101"})

    with pytest.raises(DBAPIError) as failure:
        await twice()
    assert "13800002101" not in str(failure.value).replace(str(failure.value.orig), "")


async def test_the_log_is_not_awaited_inside_a_transaction(sqlite_world: World) -> None:
    application = sqlite_world.application
    draft = EventDraft(
        id=new_id(), at=application.clock.now(), actor_type="system", action="test.inside", decision="allowed"
    )
    async with application.database.unit_of_work() as unit:
        await application.log.record(draft)
        await unit.session.execute(INSERT, {"key": "inside"})
        with pytest.raises(AuditInsideTransaction):
            await application.log.record(draft)
        with pytest.raises(AuditInsideTransaction):
            await application.log.permit(draft, scope={})


async def test_a_unit_is_a_dependency_of_function_scope() -> None:
    (depends,) = get_args(Unit)[1:]
    assert isinstance(depends, type(Depends()))
    assert depends.scope == "function"
