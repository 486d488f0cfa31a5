"""Somebody who has one of each thing, everything given by the calls that give it in earnest."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.auth.clients import NewClient
from app.auth.families import Family, Grant
from app.contacts.schemas import Membership
from app.kit.models import new_id
from app.permissions.plan import GrantScope
from app.provisions.service import NewProvision
from tests.approvals.delegating import gave
from tests.contacts.partners import add_partner
from tests.devices.calls import assign, register
from tests.effects.walking import Walk, filed
from tests.engagements.calls import pushed
from tests.hr.calls import applied
from tests.hr.events import left
from tests.numbers.calls import add_pool, allocate
from tests.support.application import OPERATOR, World
from tests.support.grants import account_of, give
from tests.support.shared import Added, add_department, add_person


@dataclass(slots=True)
class Somebody:
    """A head who leaves, who reports to them and who takes over; and where each thing is found again."""

    world: World
    me: Added
    heir: Added
    report: Added
    place: str
    requests: dict[str, Walk] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def leave(self, **data: Any) -> dict[str, Any]:  # noqa: ANN401 — members of data
        """Let them leave, and give what the source is told."""
        return await applied(self.world, left(f"N{self.me.number}", **data))

    async def read(self, who: str, path: str, status: int = 200, **query: str) -> Any:  # noqa: ANN401 — JSON
        """Read something as somebody."""
        answer = await (await self.world.as_(who)).get(path, params=query)
        assert answer.status_code == status, answer.text
        return answer.json()


def reveal(minutes: int = 600) -> dict[str, Any]:
    """Write the form of a look."""
    return {"fields": ["mobile"], "purpose": "work_contact", "reason": "紧急联系", "duration_minutes": minutes}


async def somebody(world: World) -> Somebody:
    """Make them: a department under RD that they head, its own pool, and everything else."""
    me = await add_person(world, memberships=[Membership(department="SALES")])
    place = await add_department(world, parent="RD", head=me.id)
    await _put(world, me, place)
    heir, report = await add_person(world), await add_person(world, department=place)
    found = Somebody(world, me, heir, report, place)
    await _requests(found)
    async with world.application.database.unit_of_work() as unit:
        await world.application.accounts.set_standing(unit.session, me.name, tier="T1", roles=("it",))
    world._made.pop(me.name)
    await _rights(found)
    await _things(found)
    return found


async def _put(world: World, who: Added, department: str) -> None:
    """Let somebody begin in a department, without anything that a move means."""
    application = world.application
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(who.id, tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.amend(unit, OPERATOR, tree, record, {"department": department})


async def _rights(one: Somebody) -> None:
    world, me = one.world, one.me
    application, now = world.application, world.application.clock.now()
    await give(world, me.name, GrantScope("contact", str(world.people["ceo"])), ends_at=now + timedelta(days=1))
    one.ids["delegation"] = str(await gave(world, me, one.heir))
    until = (now + timedelta(days=30)).isoformat()
    named = {"person": str(me.id), "office": "opener", "until": until}
    said = await (await world.as_("infosec")).post("/v1/emergency-eligibility", json=named)
    assert said.status_code == 201, said.text
    one.ids["appointment"] = said.json()["id"]
    account = await account_of(world, me.name)
    grant = Grant(new_id(), account, "intranet", frozenset({"contacts:read"}), "urn:duanhao:acr:password", now, 0)
    async with application.database.unit_of_work() as unit:
        await application.sign_in.families.add_family(unit.session, Family(grant, now + timedelta(days=1)))
        client = NewClient(f"screen-{me.number}", "Screen", scopes=("contacts:read",), ceiling="C2", owner=me.id)
        await application.clients.add(unit.session, client)
        provided = NewProvision(
            request_id=new_id(),
            requester_id=world.people["hr"],
            responsible_id=me.id,
            contract="C-1",
            fields=("mobile",),
            crosses=(),
            terms={"recipient": {"name": "x"}},
            people=(world.people["staff"],),
            asked=1,
            starts_at=now,
            ends_at=now + timedelta(days=30),
        )
        await application.provisions.service.begin(unit, OPERATOR, provided)
    day = (datetime.now(UTC) + timedelta(hours=8)).date()
    at = 200 + me.number % 100
    shift = {"person": str(me.id), "from": f"{day + timedelta(at)}", "until": f"{day + timedelta(at + 1)}"}
    put = await (await world.as_("it")).post("/v1/on-call-rosters/it/shifts", json=shift)
    assert put.status_code == 201, put.text
    one.ids["shift"] = put.json()["id"]


async def _things(one: Somebody) -> None:
    world, me = one.world, one.me
    await pushed(world, await add_partner(world), me.id)
    phone = await register(world, follows="person")
    await assign(world, phone["id"], me.id)
    one.ids["device"], one.ids["secret"] = phone["id"], phone["secret"]
    pool = await add_pool(world, department=one.place, joiners=True)
    (one.ids["number"],) = await allocate(world, pool, me.id)
    body = {"pool": pool.code, "digits": pool.digits(9), "purpose": "新人"}
    held = await (await world.as_(me.name)).post("/v1/number-holds", json=body)
    assert held.status_code == 201, held.text
    one.ids["hold"] = held.json()["id"]
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    form = {
        "functions": ["international"],
        "reason": "每周与境外供应商通话",
        "expected_minutes": 20,
        "calls_per_week": 3,
    }
    walk = await filed(
        world, one.heir.name, "line.privilege", ("number", one.ids["number"]), {**form, "until": until}, me.id
    )
    assert await walk.through("head", "steward") == "active"
    one.requests["line"] = walk


async def _requests(one: Somebody) -> None:
    world, me = one.world, one.me
    gained = await filed(world, me.name, "field.reveal", ("contact", world.people["it"]), reveal())
    assert await gained.through("head", "steward") == "active"
    pending = await filed(world, me.name, "field.reveal", ("contact", world.people["hr"]), reveal())
    asked = await filed(world, one.report.name, "field.reveal", ("contact", world.people["outsider"]), reveal())
    asker = await add_person(world, department="HR")
    about = await filed(world, asker.name, "field.reveal", ("contact", me.id), reveal())
    listing = {"last_day": "2026-12-31", "devices": ["laptop"], "accounts": ["crm"]}
    check = await filed(world, "hr", "contact.leave", ("contact", me.id), listing)
    one.requests |= {"gained": gained, "filed": pending, "asked": asked, "about": about, "check": check}


def waiting_for(told: dict[str, Any]) -> set[str]:
    """Give who is asked in the active step of a request."""
    active = [step for step in told["steps"] if step["state"] == "active"]
    return {
        each["person"]["id"]
        for step in active
        for each in step["people"]
        if each["decision"] is None and not each["moved"]
    }
