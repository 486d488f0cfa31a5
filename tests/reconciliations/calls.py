"""Calls on reconciliations that tests share: a head-count handed in, the jobs run, its differences read, its diff applied."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from app.jobs.registry import job_handlers
from app.reconciliations.allowing import APPLY
from app.reconciliations.keeping import COMPARE
from tests.jobs.calls import runner
from tests.support.application import World
from tests.support.shared import Added

AT = "/v1/hr/reconciliations"
SENDER = "hr-system"


def said(someone: Added, department: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — of an event
    """Write what a head-count says of somebody as they are; ``None`` leaves a member out."""
    given = {
        "employee_no": f"N{someone.number}",
        "name": f"新人{someone.number}",
        "user_name": someone.name,
        "department": department,
        "mobile": someone.mobile,
        "email": f"someone{someone.number}@example.com",
        **members,
    }
    return {name: value for name, value in given.items() if value is not None}


def lines(people: Sequence[Mapping[str, Any]]) -> str:
    """Write JSON lines."""
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in people)


async def hand_in(
    world: World,
    content: str | bytes,
    *,
    by: str = SENDER,
    status: int = 202,
    key: str | None = None,
    **asked: str,
) -> dict[str, Any]:
    """Hand in a head-count; fails unless it is answered with ``status``."""
    answer = await (await world.as_(by)).post(
        AT,
        params={"format": "jsonl", **asked},
        files={"file": ("people", content.encode() if isinstance(content, str) else content, "text/plain")},
        headers={} if key is None else {"Idempotency-Key": key},
    )
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def run_all(world: World) -> None:
    """Run the jobs that wait, as the worker does."""
    handlers = job_handlers(world.application)
    running = runner(world, {kind: handlers[kind] for kind in (COMPARE, APPLY)})
    while await running.once():
        pass


async def read(world: World, identity: str, by: str = SENDER) -> dict[str, Any]:
    """Read a reconciliation."""
    answer = await (await world.as_(by)).get(f"{AT}/{identity}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def rows(world: World, identity: str, by: str = SENDER, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 — of the query
    """Read all differences, page by page; fails where a code has no words."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await (await world.as_(by)).get(f"{AT}/{identity}/rows", params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["items"]
        if body["next"] is None:
            assert all(each["message"] and each["message_zh"] for each in found if each["code"] or each["result"]), (
                found
            )
            return found
        cursor = {"cursor": body["next"]}


async def compared(world: World, content: str | bytes, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 — of the query
    """Hand in a head-count and compare it; fails unless there is a diff."""
    identity = (await hand_in(world, content, **asked))["id"]
    await run_all(world)
    told = await read(world, identity)
    assert told["state"] == "compared", told
    return told


async def ask(world: World, found: Mapping[str, Any], **body: str) -> httpx.Response:
    """Ask for the application of a diff."""
    sent = {"digest": found["digest"], **body}
    return await (await world.as_(SENDER)).post(f"{AT}/{found['id']}/applications", json=sent)


async def applied(world: World, found: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a diff; fails unless it is done."""
    answer = await ask(world, found)
    assert answer.status_code == 202, answer.text
    await run_all(world)
    told = await read(world, found["id"])
    assert told["state"] == "applied", told
    return told


def told(found: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Give of each difference its kind, whom it is about, and its members or its code."""
    return [(each["kind"], each["employee_no"], each["code"] or tuple(each["members"])) for each in found]
