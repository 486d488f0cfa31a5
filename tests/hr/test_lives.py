"""Lives of one person in any order, with repeats, over HTTP: contact, account, numbers and positions end as the life does.

The rules alone are proven in ``test_ordering``; here a sample shows that the store follows them, on both engines. Orders are drawn by a
seeded generator, so that a run can be repeated.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth.models import AccountRow
from app.contacts.models import Contact, ContactChange
from tests.hr.calls import post
from tests.hr.conftest import with_pool
from tests.hr.events import cancelled, joined, leaving, left, moved, rehired, updated
from tests.hr.numbers import FakeNumbers
from tests.support.application import World

LATER: Final = "2199-01-05T09:00:00+08:00"


def life(subject: str, *, numbered: bool) -> list[dict[str, Any]]:
    """Write a life: who joins, moves, is to leave and is not, leaves, comes back, and moves on."""
    planned = left(subject, effective_at=LATER)
    events = [
        joined(subject, department="RD", mobile=None, location="一楼"),
        moved(subject, department="SALES", title="甲", manager="E2104"),
        updated(subject, mobile="13700000001", wechat="wx_1"),
        planned,
        cancelled(subject, event=planned["id"]),
        leaving(subject),
        left(subject),
        rehired(subject, department="IT", title="乙"),
        updated(subject, mobile="13700000002", wechat=None),
        moved(subject, department="HR", location="二楼"),
    ]
    return [
        {**each, "time": f"2026-01-{at:02d}T09:00:00+08:00", **({"sequence": at} if numbered else {})}
        for at, each in enumerate(events, start=1)
    ]


def shorter(subject: str) -> list[dict[str, Any]]:
    """Write the five verbs, each once, ending outside."""
    events = [
        joined(subject, department="RD", mobile=None),
        updated(subject, mobile="13700000001"),
        left(subject),
        rehired(subject, department="SALES", title="乙"),
        moved(subject, title="丙"),
    ]
    return [{**each, "time": f"2026-01-{at:02d}T09:00:00+08:00"} for at, each in enumerate(events, start=1)]


async def lived(world: World, events: Sequence[Mapping[str, Any]]) -> None:
    """Send events as they come."""
    for body in events:
        answer = await post(world, body)
        assert (answer.status_code, answer.json()["state"] != "failed") == (202, True), answer.text


async def ended(world: World, pool: FakeNumbers, subject: str) -> dict[str, Any]:
    """Read what became of somebody, and that nothing of it is still to come."""
    tree = await world.application.standings.tree()
    async with world.application.database.session() as session:
        contact = (await session.scalars(select(Contact).where(Contact.employee_no == subject))).one()
        account = (await session.scalars(select(AccountRow).where(AccountRow.contact_id == contact.id))).one()
        versions = set(
            await session.scalars(select(ContactChange.row_version).where(ContactChange.contact_id == contact.id))
        )
    assert versions == set(range(1, contact.row_version + 1))
    client = await world.as_("hr-system")
    items = (await client.get("/v1/hr/events", params={"subject": subject, "limit": 200})).json()["items"]
    states = {each["state"] for each in items}
    assert states <= {"applied", "superseded"}, [(each["type"], each["state"], each["problem"]) for each in items]
    assert {UUID(each["contact_id"]) for each in items if each["contact_id"]} == {contact.id}
    return {
        "events": len(items),
        "status": contact.status,
        "department": tree.nodes[contact.department_id].code if contact.department_id else None,
        "title": contact.title,
        "location": contact.location,
        "manager": contact.manager_id,
        "until": contact.contract_until,
        "mobile": contact.mobile is not None,
        "wechat": contact.wechat is not None,
        "account": (account.state, account.tier, tuple(account.roles)),
        "holds": sum(who == contact.id for who in pool.held.values()),
        "waits": sum(who == contact.id for who in pool.quarantined.values()),
        "heads": len(tree.headed_by(contact.id)),
    }


ENDED: Final = {
    "events": 10,
    "status": "active",
    "department": "HR",
    "title": "乙",
    "location": "二楼",
    "manager": None,
    "until": None,
    "mobile": True,
    "wechat": False,
    "account": ("active", "T1", ()),
    "holds": 1,
    "waits": 0,
    "heads": 0,
}


@pytest.mark.parametrize("numbered", [False, True], ids=["by-time", "by-sequence"])
async def test_a_life_in_any_order_ends_as_it_does(world: World, numbered: bool) -> None:  # noqa: FBT001 — a parameter
    draw = Random(20261122)
    pool = with_pool(world, *(f"6{at:04d}" for at in range(20)))
    for at in range(3):
        subject = f"E91{at:02d}"
        events = life(subject, numbered=numbered)
        arriving = events if at == 0 else draw.sample(events + draw.sample(events, 4), 14)
        await lived(world, arriving)
        assert await ended(world, pool, subject) == ENDED, [events.index(each) for each in arriving]


@pytest.mark.slow
async def test_every_order_of_five_events(world: World) -> None:
    pool = with_pool(world, *(f"6{at:04d}" for at in range(200)))
    found = []
    for at, order in enumerate(permutations(range(5))):
        events = shorter(f"E9{at:03d}")
        await lived(world, [events[each] for each in order])
        found.append(await ended(world, pool, f"E9{at:03d}"))
    assert found[0]["status"] == "active"
    assert all(each == found[0] for each in found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_many_orders_of_a_life(world: World, seed: int) -> None:
    draw = Random(seed)
    pool = with_pool(world, *(f"6{at:04d}" for at in range(40)))
    for at in range(20):
        subject = f"E92{at:02d}"
        events = life(subject, numbered=bool(at % 2))
        arriving = draw.sample(events + draw.sample(events, 4), 14)
        await lived(world, arriving)
        assert await ended(world, pool, subject) == ENDED, [events.index(each) for each in arriving]
