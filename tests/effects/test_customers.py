"""Using a customer's sensitive fields: for whom they are assigned to, until given back, and what it costs not to."""

from datetime import timedelta
from typing import Any

import pytest

from app.approvals.effects import Cause
from app.effects.unfit import CannotBeAsked
from tests.contacts.partners import Partner, add_partner
from tests.effects.counter import Counter
from tests.effects.test_reveals import states
from tests.engagements.calls import add_business, pushed
from tests.support.application import World
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def wanted(world: World, *fields: str, purpose: str = "sales_follow_up", days: float = 3) -> dict[str, Any]:
    back = world.application.clock.now() + timedelta(days=days)
    return {"fields": list(fields), "purpose": purpose, "reason": "上门送货", "return_by": back.isoformat()}


async def at_work(world: World, counter: Counter) -> tuple[Added, Partner]:
    del counter
    seller, partner = await add_business(world, "sales"), await add_partner(world)
    await pushed(world, partner, seller.id)
    world.people[seller.name] = seller.id
    return seller, partner


async def shown(world: World, who: Added, partner: Partner) -> str:
    card = await (await world.as_(who.name)).get(partner.path, params={"purpose": "sales_follow_up"})
    assert card.status_code == 200, card.text
    return str(card.json()["delivery_address"]["state"])


async def test_used_and_given_back(shared: World, counter: Counter) -> None:
    seller, partner = await at_work(shared, counter)
    assert await shown(shared, seller, partner) == "masked"
    asked = counter.asked("customer.sensitive_use", seller.id, str(partner.id), wanted(shared, "delivery_address"))
    approved, applied = await counter.approve(asked, seller.name)
    assert (applied.lasting, applied.ends) == (True, approved.ends)
    assert await shown(shared, seller, partner) == "shown"
    await counter.end(approved, applied, Cause.RETURNED)
    assert await shown(shared, seller, partner) == "masked"
    assert (await shared.viewer(seller.name)).standing.marks == frozenset()


async def test_not_given_back_lowers_everything_until_it_is(shared: World, counter: Counter) -> None:
    seller, partner = await at_work(shared, counter)
    mate = await add_person(shared, department="IT")
    form = wanted(shared, "delivery_address")
    first = await counter.approve(
        counter.asked("customer.sensitive_use", seller.id, str(partner.id), form), seller.name
    )
    other = await add_partner(shared)
    await pushed(shared, other, seller.id)
    second = await counter.approve(counter.asked("customer.sensitive_use", seller.id, str(other.id), form), seller.name)
    before = await (await shared.as_(seller.name)).get(mate.path)
    for each in (first, second):
        await counter.end(*each, Cause.EXPIRED)
    assert (await shared.viewer(seller.name)).standing.marks == {"overdue_return"}
    capped = (await (await shared.as_(seller.name)).get(mate.path)).json()
    assert capped["mobile"]["value"] == "***" != before.json()["mobile"]["value"]
    await counter.end(*first, Cause.RETURNED)
    assert (await shared.viewer(seller.name)).standing.marks == {"overdue_return"}, "the other one is still out"
    await counter.end(*second, Cause.RETURNED)
    assert (await shared.viewer(seller.name)).standing.marks == frozenset()
    assert (await states(shared, seller.name, mate))["mobile"] == "masked"


async def test_who_is_off_the_customer_sees_no_more_of_it(shared: World, counter: Counter) -> None:
    seller, partner = await add_business(shared, "sales"), await add_partner(shared)
    shared.people[seller.name] = seller.id
    fact = await pushed(shared, partner, seller.id)
    asked = counter.asked("customer.sensitive_use", seller.id, str(partner.id), wanted(shared, "delivery_address"))
    done = await counter.approve(asked, seller.name)
    assert await shown(shared, seller, partner) == "shown"
    ended = await (await shared.as_("crm")).delete(fact.path, headers={"If-Match": f'"{fact.version}"'})
    assert ended.status_code == 204, ended.text
    assert await shown(shared, seller, partner) == "withheld"
    await counter.end(*done, Cause.RETURNED)


async def test_what_is_not_used_so(shared: World, counter: Counter) -> None:
    seller, partner = await at_work(shared, counter)

    async def refused(*fields: str, of: Partner = partner, **more: Any) -> str:  # noqa: ANN401 — of ``wanted``
        asked = counter.asked("customer.sensitive_use", seller.id, str(of.id), wanted(shared, *fields, **more))
        with pytest.raises(CannotBeAsked) as problem:
            await counter.examine(asked, seller.name)
        return problem.value.errors[0].code

    assert await refused("business_phone") == "other_class"
    assert await refused("delivery_address", days=400) == "unfit_term"
    assert await refused("delivery_address", of=await add_partner(shared)) == "not_assigned"
    asked = counter.asked("customer.sensitive_use", seller.id, str(partner.id), wanted(shared, "id_number"))
    assert (await counter.examine(asked, seller.name)).facts["outcome"] == "id_number:clear"
