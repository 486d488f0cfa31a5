"""Calls on imports that tests share: a file handed in, the job run, its rows read."""

from collections.abc import Sequence
from typing import Any

from app.imports.keeping import WORK
from app.jobs.registry import job_handlers
from tests.jobs.calls import runner
from tests.support.application import World


async def hand_in(
    world: World,
    content: str | bytes,
    *,
    by: str = "it-scripts",
    status: int = 202,
    key: str | None = None,
    **asked: Any,  # noqa: ANN401 — of the query
) -> dict[str, Any]:
    """Hand in a file; fails unless it is answered with ``status``."""
    query = {"kind": "number_plan", "format": "csv", **asked}
    data = content.encode() if isinstance(content, str) else content
    answer = await (await world.as_(by)).post(
        "/v1/imports",
        params={name: str(each).lower() if isinstance(each, bool) else each for name, each in query.items()},
        files={"file": ("plan", data, "application/octet-stream")},
        headers={} if key is None else {"Idempotency-Key": key},
    )
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def run_all(world: World) -> None:
    """Run the imports that wait, as the worker does."""
    running = runner(world, {WORK: job_handlers(world.application)[WORK]})
    while await running.once():
        pass


async def read(world: World, identity: str, by: str = "it-scripts") -> dict[str, Any]:
    """Read an import."""
    answer = await (await world.as_(by)).get(f"/v1/imports/{identity}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def rows(world: World, identity: str, *, by: str = "it-scripts", **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 — of the query
    """Read all rows of an import, page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await (await world.as_(by)).get(f"/v1/imports/{identity}/rows", params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["items"]
        if body["next"] is None:
            return found
        cursor = {"cursor": body["next"]}


async def imported(world: World, content: str | bytes, **asked: Any) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:  # noqa: ANN401 — of the query
    """Hand in a file and run it; give the import, and of each row its item, outcome and code."""
    identity = (await hand_in(world, content, **asked))["id"]
    await run_all(world)
    told = await read(world, identity)
    assert told["state"] == "done", told
    return told, [(each["item"], each["outcome"], each["code"]) for each in await rows(world, identity)]


def sheet(lines: Sequence[tuple[str, str]], head: str = "短号,工号") -> str:
    """Write a sheet of two columns."""
    return head + "\n" + "".join(f"{one},{two}\n" for one, two in lines)
