"""Calls on imports of people that tests share."""

from typing import Any

from tests.imports.calls import hand_in, read, rows, run_all
from tests.support.application import World

HR = "hr"


async def told(
    world: World,
    content: str | bytes,
    *,
    by: str = HR,
    apply: bool = True,
    **asked: Any,  # noqa: ANN401 — of the query
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Hand in a sheet of people and run it; give the import and its rows."""
    query = {"kind": "contacts", "dry_run": not apply, **asked}
    identity = (await hand_in(world, content, by=by, **query))["id"]
    await run_all(world)
    found = await read(world, identity, by=by)
    assert found["state"] == "done", found
    return found, await rows(world, identity, by=by)


def codes(became: list[dict[str, Any]]) -> list[tuple[str | None, str, str]]:
    """Give of each row what it is about, its outcome and its code."""
    return [(each["item"], each["outcome"], each["code"]) for each in became]
