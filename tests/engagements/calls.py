"""What CRM and ERP say, and whom the tests assign."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx

from tests.contacts.partners import Partner
from tests.support.application import World
from tests.support.shared import Added, add_person

_REFERENCES: Final = count(1)


def reference(kind: str) -> str:
    """Give a reference that nobody has used."""
    return f"{kind.upper()[:2]}-{next(_REFERENCES):05d}"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that was pushed."""

    partner: Partner
    id: UUID
    version: str

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"{self.partner.path}/engagements/{self.id}"


async def push(
    world: World,
    partner: Partner,
    *staff: UUID | str,
    by: str = "crm",
    kind: str = "account",
    **members: Any,  # noqa: ANN401 — members of a body
) -> httpx.Response:
    """Push a fact; give the answer."""
    body = {kind: reference(kind), "staff": [str(each) for each in staff], **members}
    return await (await world.as_(by)).post(f"{partner.path}/engagements", json=body)


async def pushed(world: World, partner: Partner, *staff: UUID | str, **given: Any) -> Fact:  # noqa: ANN401 — as ``push``
    """Push a fact; fail unless it is taken."""
    if isinstance(given.get("until"), datetime):
        given = {**given, "until": given["until"].isoformat()}
    answer = await push(world, partner, *staff, **given)
    assert answer.status_code == 201, answer.text
    return Fact(partner, UUID(answer.json()["id"]), answer.json()["version"])


async def add_business(world: World, role: str, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    """Add somebody of sales, production or customer service (tier T3), outside of the department that owns partners."""
    return await add_person(world, **{"department": "IT", "tier": "T3", "roles": (role,), **members})


async def facts(world: World, who: str, partner: Partner, **query: str) -> list[dict[str, Any]]:
    """List the facts about a partner as somebody is told them."""
    answer = await (await world.as_(who)).get(f"{partner.path}/engagements", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found
