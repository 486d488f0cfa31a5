"""What ends by itself: shown to the last moment, hidden from it on, and what is not given back is overdue until it is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest_asyncio

from app.composition import open_application
from app.main import create_app
from tests.contacts.partners import add_partner
from tests.effects.test_customers import shown
from tests.effects.test_customers import wanted as use_of
from tests.effects.test_reveals import states
from tests.effects.test_reveals import wanted as reveal_of
from tests.effects.test_standing import form as standing_of
from tests.effects.test_standing import standing
from tests.effects.walking import filed
from tests.engagements.calls import add_business, pushed
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import FrozenClock
from tests.support.shared import add_person
from tests.support.stores import TestStore

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def clock() -> FrozenClock:
    """Give the clock that everything goes by."""
    return FrozenClock(MONDAY)


@pytest_asyncio.fixture
async def timed(store: TestStore, clock: FrozenClock) -> AsyncIterator[World]:
    """Give the company under that clock."""
    async with open_application(with_sensitive(store.settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        try:
            yield world
        finally:
            await world.close()


async def later(world: World, clock: FrozenClock, **span: float) -> None:
    """Let time pass, and the worker do what is due; tokens are made anew."""
    clock.advance(**span)
    while await world.application.approvals.clock.sweep():
        pass
    await world.close()
    world._made.clear()


async def test_a_reveal_ends_at_its_end(timed: World, clock: FrozenClock) -> None:
    about = await add_person(timed, department="SALES")
    walk = await filed(timed, "staff", "field.reveal", ("contact", about.id), reveal_of("mobile", minutes=30))
    assert await walk.through("head", "steward") == "active"
    clock.advance(minutes=30, seconds=-1)
    assert (await states(timed, "staff", about))["mobile"] == "shown"
    clock.advance(seconds=1)
    assert (await states(timed, "staff", about))["mobile"] == "masked", "whether or not the worker has come by"
    await later(timed, clock)
    assert (await walk.read())["state"] == "expired"


async def test_a_tier_ends_at_its_end(timed: World, clock: FrozenClock) -> None:
    who = await add_person(timed)
    given = standing_of(timed, ["sales"], "T3", days=2)
    walk = await filed(timed, "head", "tier.grant", ("contact", who.id), given, who.id)
    assert await walk.through("steward", "it") == "active"
    await later(timed, clock, days=1, hours=23)
    assert await standing(timed, who) == ("T3", ("sales",))
    assert (await timed.viewer(who.name)).standing.roles == {"sales"}
    clock.advance(hours=1)
    assert (await timed.viewer(who.name)).standing.roles == frozenset(), "whether or not the worker has come by"
    assert (await timed.viewer(who.name)).standing.tier == "T1"
    await later(timed, clock)
    assert await standing(timed, who) == ("T1", ())
    assert (await walk.read())["state"] == "expired"


async def test_what_is_not_given_back_is_overdue(timed: World, clock: FrozenClock) -> None:
    seller, partner = await add_business(timed, "sales"), await add_partner(timed)
    await pushed(timed, partner, seller.id)
    mate = await add_person(timed, department="IT")
    form = use_of(timed, "delivery_address", days=1)
    walk = await filed(timed, seller.name, "customer.sensitive_use", ("contact", partner.id), form)
    assert await walk.through("steward") == "active"
    assert await shown(timed, seller, partner) == "shown"
    await later(timed, clock, days=1, seconds=1)
    assert (await walk.read())["state"] == "overdue"
    card = (await (await timed.as_(seller.name)).get(mate.path)).json()
    assert (card["mobile"]["state"], card["mobile"]["value"]) == ("masked", "***")
    assert await walk.ended(seller.name, "returns") == "returned"
    card = (await (await timed.as_(seller.name)).get(mate.path)).json()
    assert card["mobile"]["value"] != "***"
    assert await shown(timed, seller, partner) == "masked"
