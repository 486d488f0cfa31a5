"""Lives of one person in any order, with repeats: what the ledger tells is what became of the contact, step by step.

A plain model of a person says what each event must do; after each event the contact, the account, the numbers and the ledger are held
against it. Orders are drawn by a seeded generator, so that a run can be repeated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from random import Random
from typing import Any, Final, Literal
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth.models import AccountRow
from app.contacts.models import Contact, ContactChange
from tests.hr.calls import post
from tests.hr.conftest import with_pool
from tests.hr.events import joined, left, moved, rehired, updated
from tests.hr.numbers import FakeNumbers
from tests.support.application import World

Make = Callable[[str, Random], dict[str, Any]]

EVENTS: Final[Mapping[str, Make]] = {
    "join": lambda subject, draw: joined(subject, department=draw.choice(("RD", "HR")), mobile=None),
    "move": lambda subject, draw: moved(subject, department=draw.choice(("SALES", "IT")), title=draw.choice("甲乙")),
    "update": lambda subject, draw: updated(subject, mobile=f"1370000{draw.randrange(3):04d}"),
    "leave": lambda subject, _: left(subject),
    "rehire": lambda subject, draw: rehired(subject, department=draw.choice(("RD", "SALES"))),
}


REFUSED: Final = {
    ("active", "join"): "duplicate_employee_no",
    ("active", "rehire"): "subject_in_service",
    ("left", "join"): "duplicate_employee_no",
    ("left", "move"): "subject_left",
    ("left", "update"): "subject_left",
}
"""What must fail about somebody who was there before, and why; of somebody who never was, everything but ``join``."""


@dataclass(slots=True)
class Person:
    """What must be true of somebody after the events so far."""

    status: Literal["absent", "active", "left"] = "absent"
    department: str | None = None
    title: str | None = None
    mobile: str | None = None
    number: str | None = None
    told: dict[str, str] = field(default_factory=dict)

    def expect(self, kind: str, body: Mapping[str, Any]) -> tuple[str, str | None]:
        """Take in an event that is new; give the state and the problem that must be told."""
        problem = REFUSED.get((self.status, kind), "unknown_subject" if self.status == "absent" else None)
        if (self.status, kind) == ("absent", "join"):
            problem = None
        if problem is not None:
            return "failed", problem
        data = body["data"]
        match kind:
            case "leave":
                self.status = "left"
            case "update":
                self.mobile = data["mobile"]
            case _:
                self.status, self.department, self.title = "active", data["department"], data.get("title")
        return "applied", None


async def live(world: World, pool: FakeNumbers, subject: str, kinds: list[str], draw: Random) -> None:
    """Send the events in this order, now and then one of them again; hold the store against the model after each."""
    person, sent = Person(), list[dict[str, Any]]()
    for kind in kinds:
        body = EVENTS[kind](subject, draw)
        expected = person.expect(kind, body)
        answer = await post(world, body)
        told = answer.json()
        assert answer.status_code == 202, answer.text
        assert (told["state"], told["problem"] and told["problem"]["code"]) == expected, (kinds, kind)
        person.told[body["id"]] = answer.text
        sent.append(body)
        repeated = draw.choice(sent)
        again = await post(world, repeated)
        assert (again.text, again.headers["Idempotency-Replayed"]) == (person.told[repeated["id"]], "true")
        await agrees(world, pool, subject, person)


async def agrees(world: World, pool: FakeNumbers, subject: str, person: Person) -> None:
    tree = await world.application.standings.tree()
    async with world.application.database.session() as session:
        contact = await session.scalar(select(Contact).where(Contact.employee_no == subject))
        if contact is None:
            assert person.status == "absent"
            return
        account = await session.scalar(select(AccountRow).where(AccountRow.contact_id == contact.id))
        versions = set(
            await session.scalars(select(ContactChange.row_version).where(ContactChange.contact_id == contact.id))
        )
    assert account is not None
    assert contact.status == person.status
    assert account.state == ("active" if person.status == "active" else "disabled")
    assert versions == set(range(1, contact.row_version + 1))
    assert tree.nodes[contact.department_id].code == person.department if contact.department_id else False
    assert contact.title == person.title
    assert (contact.mobile is None) == (person.mobile is None)
    holding = [digits for digits, who in pool.held.items() if who == contact.id]
    waiting = [digits for digits, who in pool.quarantined.items() if who == contact.id]
    assert (len(holding), len(waiting)) == ((1, 0) if person.status == "active" else (0, 1))
    client = await world.as_("hr-system")
    items = (await client.get("/v1/hr/events", params={"subject": subject, "limit": 200})).json()["items"]
    assert len(items) == len(person.told)
    assert {UUID(each["contact_id"]) for each in items if each["state"] == "applied"} <= {contact.id}
    found = await (await world.as_("hr")).get(f"/v1/contacts/{contact.id}")
    assert found.status_code == (200 if person.status == "active" else 404)


async def test_any_sequence_of_events_ends_in_what_the_ledger_says(sqlite_world: World) -> None:
    draw = Random(20261121)
    pool = with_pool(sqlite_world, *(f"6{at:04d}" for at in range(60)))
    for at in range(25):
        kinds = draw.choices(list(EVENTS), weights=(3, 2, 2, 3, 2), k=draw.randrange(3, 9))
        await live(sqlite_world, pool, f"E91{at:02d}", kinds, draw)


@pytest.mark.slow
async def test_every_order_of_a_life(world: World) -> None:
    draw = Random(5)
    pool = with_pool(world, *(f"6{at:04d}" for at in range(200)))
    for at, kinds in enumerate(permutations(EVENTS)):
        await live(world, pool, f"E9{at:03d}", list(kinds), draw)


@pytest.mark.parametrize("seed", range(2))
async def test_a_whole_life_on_either_engine(world: World, seed: int) -> None:
    pool = with_pool(world, "61001")
    kinds = [
        "join",
        "move",
        "update",
        "leave",
        "leave",
        "update",
        "rehire",
        "rehire",
        "move",
        "update",
        "join",
        "leave",
    ]
    await live(world, pool, "E9001", kinds, Random(seed))
