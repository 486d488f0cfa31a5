"""Telephones that call, and numbers to be found in what they are told."""

from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx

from app.audit.events import EventDraft
from app.audit.repository import EventFilter
from app.devices.rules import Device, Secret, State
from app.kit.models import new_id
from tests.numbers.calls import TestPool, allocate, it_client
from tests.phonebooks.documents import Told, told
from tests.support.application import World
from tests.support.shared import Added, add_person


@dataclass(frozen=True, slots=True)
class Phone:
    """A device with its secret."""

    world: World
    id: UUID
    secret: str

    async def get(
        self, path: str, query: dict[str, str] | None = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Call as the device."""
        basic = "Basic " + b64encode(f"{self.id}:{self.secret}".encode()).decode()
        nobody = await self.world.as_(None)
        return await nobody.get(path, params=query, headers={"Authorization": basic, **(headers or {})})

    async def book(self, vendor: str = "yealink", **query: str) -> list[Told]:
        """Read a phonebook; fails unless the answer is 200."""
        answer = await self.get(f"/v1/phonebooks/{vendor}", query or None)
        assert answer.status_code == 200, answer.text
        return told(answer.content)


async def add_phone(world: World, **members: Any) -> Phone:  # noqa: ANN401 — members of a device
    """Put a desk phone that is in use into the store."""
    application = world.application
    now, desk = application.clock.now(), application.devices
    device = Device(
        id=new_id(),
        kind="desk_phone",
        vendor="yealink",
        model="T54W",
        serial=None,
        mac_address=None,
        label=None,
        department_id=world.departments["RD"],
        room=None,
        follows="place",
        state=State.IN_USE,
        row_version=1,
        created_at=now,
        updated_at=now,
    )
    device, secret = replace(device, **members), desk.kept.new()
    kept = Secret(id=new_id(), device_id=device.id, digest=desk.kept.digest(device.id, secret), since=now, until=None)
    async with application.database.unit_of_work() as unit:
        await desk.rows.add(unit.session, device)
        await desk.rows.add_secret(unit.session, kept)
    return Phone(world, device.id, secret)


async def newest(world: World, action: str) -> EventDraft:
    """Give the newest event of an action."""
    found = await world.application.events.search(EventFilter(action=action), limit=1)
    return found.events[0].event


async def with_number(world: World, pool: TestPool, **members: Any) -> tuple[Added, str]:  # noqa: ANN401 — members of a contact
    """Add somebody with a number of the pool."""
    person = await add_person(world, **members)
    (digits,) = await allocate(world, pool, person.id)
    return person, digits


async def place_number(world: World, pool: TestPool, kind: str, code: str) -> str:
    """Give a number to a room or a department."""
    body = {"holder": {"type": kind, "id": code}, "count": 1}
    answer = await (await it_client(world)).post(f"{pool.path}/allocations", json=body)
    assert answer.status_code == 201, answer.text
    digits: str = answer.json()["numbers"][0]["digits"]
    return digits
