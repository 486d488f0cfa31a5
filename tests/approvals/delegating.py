"""Giving decisions away as people do, and asking who may decide."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import httpx

from app.approvals.delegation_rules import StandIn
from tests.support.application import OPERATOR, World
from tests.support.shared import Added, add_person

KIND = "test.any"
"""A kind that can be filed, of those that ``kinds.py`` has; see the fixture ``filable``."""


async def add_people(world: World, number: int, **members: Any) -> list[Added]:  # noqa: ANN401 — members of a contact
    """Add colleagues who can decide."""
    return [await add_person(world, **members) for _ in range(number)]


def body(world: World, to: Added | UUID, *, days: float = 7, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a body
    """Write what is asked for: from now on, for ``days``."""
    until = world.application.clock.now() + timedelta(days=days)
    return {"to": str(to.id if isinstance(to, Added) else to), "until": until.isoformat(), **members}


async def give(
    world: World,
    who: Added | str,
    to: Added | UUID,
    headers: dict[str, str] | None = None,
    **members: Any,  # noqa: ANN401 — as ``body``
) -> httpx.Response:
    """Give decisions away; give the answer."""
    client = await world.as_(who if isinstance(who, str) else who.name)
    return await client.post("/v1/delegations", json=body(world, to, **members), headers=headers)


async def gave(world: World, who: Added | str, to: Added | UUID, **members: Any) -> UUID:  # noqa: ANN401 — as ``body``
    """Give decisions away; fail unless it is taken."""
    answer = await give(world, who, to, **members)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def end(world: World, who: Added | str, identity: UUID) -> httpx.Response:
    """End a delegation; give the answer."""
    client = await world.as_(who if isinstance(who, str) else who.name)
    return await client.delete(f"/v1/delegations/{identity}")


async def listed(world: World, who: Added | str, **query: str) -> list[dict[str, Any]]:
    """List delegations as somebody is told them."""
    client = await world.as_(who if isinstance(who, str) else who.name)
    answer = await client.get("/v1/delegations", params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def acting(
    world: World, who: Added, *, at: datetime | None = None, through: Literal["reader", "session"] = "reader"
) -> Sequence[StandIn]:
    """Ask for whom somebody may decide, outside of a transaction or in one; both must say the same."""
    application = world.application
    now, service = at or application.clock.now(), application.delegations.service
    if through == "reader":
        return await service.acting_for(application.database.reader, who.id, now)
    async with application.database.session() as session:
        return await service.acting_for(session, who.id, now)


async def principals(world: World, who: Added, **given: Any) -> list[UUID]:  # noqa: ANN401 — as ``acting``
    """Ask for whom somebody may decide; give whose decisions they are."""
    return [each.principal for each in await acting(world, who, **given)]


async def deputies(world: World, who: Added, kind: str = KIND) -> list[UUID]:
    """Ask who may decide for somebody."""
    application = world.application
    service, now = application.delegations.service, application.clock.now()
    return list(await service.deputies(application.database.reader, who.id, kind, now))


async def same_person(world: World, *people: Added) -> None:
    """Say that people are one, as an operator does."""
    first, *others = people
    for each in others:
        async with world.application.database.unit_of_work() as unit:
            await world.application.delegations.persons.join(unit, OPERATOR, first.id, each.id)
