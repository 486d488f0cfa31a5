"""The check-list of leaving: nothing waits for it, and it is not done while anything of the person is in force."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from app.approvals.effects import Asked
from app.auth.clients import NewClient
from app.contacts.errors import UnknownContact
from app.departments.schemas import DepartmentAmend
from app.effects.errors import (
    AccountStillLive,
    AssignmentsStillLive,
    ClientsStillOwned,
    ContactStillLive,
    DelegationsStillLive,
    GrantsStillLive,
    NumbersStillHeld,
    PositionsStillHeld,
    StillLive,
)
from app.effects.leaving import LeavingCheck, Leftovers
from app.kit.errors import NotFound
from app.kit.models import new_id
from app.permissions.plan import GrantScope
from tests.contacts.partners import add_partner
from tests.effects.acting import acted, asking, examined
from tests.engagements.calls import pushed
from tests.hr.calls import applied
from tests.hr.events import left
from tests.numbers.calls import add_pool, allocate
from tests.support.application import OPERATOR, World
from tests.support.grants import give
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Delegating:
    """Delegations, as the check asks for them."""

    def __init__(self, *parties: Any) -> None:  # noqa: ANN401 — ids
        self.parties = set(parties)

    async def unended(self, *_: object, party: object) -> list[object]:
        return [party] if party in self.parties else []


def effect_of(world: World, *delegating: object) -> LeavingCheck:
    application = world.application
    leftovers = Leftovers(
        contacts=application.contact_rows,
        accounts=application.accounts,
        grants=application.grants,
        engagements=application.engagements.service._rows,
        standings=application.standings,
        delegations=Delegating(*delegating),
        calling=application.calling.rows,
        custody=application.custody.rows,
        devices=application.devices.handovers._rows,
        undertakings=application.departures.undertakings.rows,
    )
    return LeavingCheck(
        leftovers,
        book=application.departures.departing.book,
        contacts=application.contact_rows,
        standings=application.standings,
        gate=application.gate,
        clock=application.clock,
    )


def check_list(world: World, someone: Added, **form: Any) -> Asked:  # noqa: ANN401 — JSON
    given = {"last_day": date(2026, 11, 30).isoformat(), "devices": ["laptop"], "accounts": ["crm"], **form}
    return asking(world, "contact.leave", "hr", ("contact", someone.id), **given)


async def undertaken(world: World, someone: Added) -> None:
    """Have HR put on record that somebody has signed the undertaking, where the shared company has one by now."""
    hr = await world.as_("hr")
    texts = await hr.get("/v1/confidentiality-undertakings")
    for each in texts.json()["items"][:1]:
        path = f"/v1/confidentiality-undertakings/{each['id']}/confirmations"
        signed = await hr.post(path, json={"contact": str(someone.id)})
        assert signed.status_code == 201, signed.text


async def gone(world: World, someone: Added) -> None:
    await undertaken(world, someone)
    await applied(world, left(f"N{someone.number}"))


async def test_when_everything_is_back_the_list_is_done(shared: World) -> None:
    someone, effect = await add_person(shared), effect_of(shared)
    await give(shared, someone.name, GrantScope("contact", str(shared.people["staff"])))
    await pushed(shared, await add_partner(shared), someone.id)
    await allocate(shared, await add_pool(shared), someone.id)
    asked = check_list(shared, someone, hand_over_to=str(shared.people["staff"]))
    found = await examined(shared, effect, "hr", asked)
    assert (found.facts, found.about) == ({"card": "employee", "handed_over": "yes"}, (someone.id,))
    await gone(shared, someone)
    _, done = await acted(shared, effect, asked, found, by="it")
    assert done.result["nothing_left_of"] == [
        "contact_still_live",
        "account_still_live",
        "grants_still_live",
        "assignments_still_live",
        "numbers_still_held",
        "positions_still_held",
        "delegations_still_live",
        "privileges_still_live",
        "service_accounts_still_owned",
        "devices_still_out",
        "undertaking_owed",
    ]
    assert done.result["service_accounts"] == []


async def test_the_cut_does_not_wait_for_the_list(shared: World) -> None:
    someone = await add_person(shared)
    client = await shared.as_(someone.name)
    assert (await client.get(someone.path)).status_code == 200
    await examined(shared, effect_of(shared), "hr", check_list(shared, someone))
    await gone(shared, someone)
    assert (await client.get(someone.path)).status_code == 401


async def granted(world: World, someone: Added) -> None:
    await give(world, someone.name, GrantScope("contact", str(world.people["staff"])))


async def assigned(world: World, someone: Added) -> None:
    await pushed(world, await add_partner(world), someone.id)


async def numbered(world: World, someone: Added) -> None:
    await allocate(world, await add_pool(world), someone.id)


async def answering(world: World, someone: Added) -> None:
    new = NewClient(f"screen-{someone.number}", "Screen", scopes=("contacts:read",), ceiling="C2", owner=someone.id)
    async with world.application.database.unit_of_work() as unit:
        await world.application.clients.add(unit.session, new)


async def heading(world: World, someone: Added) -> None:
    code, application = await add_department(world), world.application
    node = (await application.standings.tree()).by_code[code]
    async with application.database.unit_of_work() as unit:
        await application.departments.amend(unit, OPERATOR, node, DepartmentAmend(deputy=someone.id))


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (granted, GrantsStillLive),
        (assigned, AssignmentsStillLive),
        (numbered, NumbersStillHeld),
        (heading, PositionsStillHeld),
        (answering, ClientsStillOwned),
    ],
)
async def test_what_is_left_is_named(
    shared: World, what: Callable[[World, Added], Awaitable[None]], kind: type[StillLive]
) -> None:
    someone, effect = await add_person(shared), effect_of(shared)
    asked = check_list(shared, someone)
    found = await examined(shared, effect, "hr", asked)
    await what(shared, someone)
    await undertaken(shared, someone)
    with pytest.raises(ContactStillLive) as refusal:
        await acted(shared, effect, asked, found, by="it")
    assert refusal.value.extensions["left"] == ["contact_still_live", "account_still_live", kind.code]


async def test_service_accounts_that_went_to_a_head_are_named(shared: World) -> None:
    """Who takes the work over reads in the check-list for which of them another secret is to be made, and by when."""
    someone = await add_person(shared)
    await answering(shared, someone)
    asked, effect = check_list(shared, someone), effect_of(shared)
    found = await examined(shared, effect, "hr", asked)
    await gone(shared, someone)
    _, done = await acted(shared, effect, asked, found, by="it")
    (handed,) = done.result["service_accounts"]
    client = await shared.application.clients.by_client_id(shared.application.database.reader, handed["client_id"])
    assert client is not None
    assert (handed["client_id"], handed["acting"]) == (f"screen-{someone.number}", str(shared.people["head"]))
    assert client.owner == shared.people["head"]
    assert datetime.fromisoformat(handed["due_at"]) > shared.application.clock.now()


async def test_an_account_that_came_back_and_a_delegation_are_named(shared: World) -> None:
    someone = await add_person(shared)
    asked = check_list(shared, someone)
    found = await examined(shared, effect_of(shared), "hr", asked)
    await gone(shared, someone)
    with pytest.raises(DelegationsStillLive):
        await acted(shared, effect_of(shared, someone.id), asked, found, by="it")
    application = shared.application
    async with application.database.unit_of_work() as unit:
        await application.accounts.activate(unit.session, someone.name)
    with pytest.raises(AccountStillLive):
        await acted(shared, effect_of(shared), asked, found, by="it")


async def test_work_is_handed_to_somebody_in_service(shared: World) -> None:
    someone, other = await add_person(shared), await add_person(shared, status="prehire")
    for successor in (new_id(), other.id, someone.id):
        with pytest.raises(UnknownContact) as refusal:
            await examined(shared, effect_of(shared), "hr", check_list(shared, someone, hand_over_to=str(successor)))
        assert [each.pointer for each in refusal.value.errors] == ["/form/hand_over_to"]
    for nobody in (new_id(), shared.people["hotline"]):
        with pytest.raises(NotFound):
            await examined(shared, effect_of(shared), "hr", check_list(shared, replace(other, id=nobody)))
