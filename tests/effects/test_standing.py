"""A tier and roles that were given are there at once, and go at their end, with a move, and with nothing else."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.approvals.effects import Cause
from app.auth.repository import Account
from app.effects.unfit import CannotBeAsked
from app.permissions.errors import NotPermitted
from tests.effects.counter import Counter
from tests.hr.calls import applied
from tests.hr.events import moved
from tests.support.application import World
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def form(world: World, roles: Sequence[str], tier: str | None = None, days: float | None = 30) -> dict[str, Any]:
    given: dict[str, Any] = {"roles": list(roles), "scope": "研发部", "reason": "接手新的任务"}
    if tier is not None:
        given["tier"] = tier
    if days is not None:
        given["until"] = (world.application.clock.now() + timedelta(days=days)).isoformat()
    return given


async def account(world: World, who: Added) -> Account:
    found = await world.application.accounts.by_user_name(world.application.database.reader, who.name)
    assert found is not None
    return found


async def standing(world: World, who: Added) -> tuple[str, tuple[str, ...]]:
    found = await account(world, who)
    return found.tier, found.roles


async def refused(counter: Counter, who: Added, given: dict[str, Any], kind: str = "tier.grant") -> str:
    head = counter.world.people["head"]
    with pytest.raises(CannotBeAsked) as problem:
        await counter.examine(counter.asked(kind, head, str(who.id), given, who.id), "head")
    return problem.value.errors[0].code


async def test_lent_and_taken_back(shared: World, counter: Counter) -> None:
    who = await add_person(shared, roles=("safety",))
    asked = counter.asked("tier.grant", shared.people["head"], str(who.id), form(shared, ["sales"], "T3"), who.id)
    approved, done = await counter.approve(asked, "head")
    assert (approved.variant, done.ends, done.lasting) == ("ordinary", approved.ends, True)
    assert await standing(shared, who) == ("T3", ("safety", "sales"))
    assert (await shared.viewer(who.name)).standing.roles >= {"sales"}
    await counter.end(approved, done, Cause.EXPIRED)
    assert await standing(shared, who) == ("T1", ("safety",))


async def test_of_two_loans_the_longer_keeps_the_role(shared: World, counter: Counter) -> None:
    who, head = await add_person(shared), shared.people["head"]
    first = await counter.approve(
        counter.asked("tier.grant", head, str(who.id), form(shared, ["sales"], "T3"), who.id), "head"
    )
    both = form(shared, ["sales", "deputy"], "T2", days=60)
    second = await counter.approve(counter.asked("tier.grant", head, str(who.id), both, who.id), "head")
    assert await standing(shared, who) == ("T3", ("deputy", "sales"))
    await counter.end(*first)
    assert await standing(shared, who) == ("T2", ("deputy", "sales"))
    await counter.end(*second)
    assert await standing(shared, who) == ("T1", ())


async def test_what_an_operator_set_meanwhile_stays(shared: World, counter: Counter) -> None:
    who = await add_person(shared)
    asked = counter.asked("tier.grant", shared.people["head"], str(who.id), form(shared, ["sales"], "T3"), who.id)
    given = await counter.approve(asked, "head")
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.set_standing(unit.session, who.name, tier="T2", roles=("sales", "safety"))
    await counter.end(*given)
    assert await standing(shared, who) == ("T2", ("safety",))


@pytest.mark.parametrize("how", ["by hand", "by event"])
async def test_a_move_takes_it_back(shared: World, counter: Counter, how: str) -> None:
    """Hard test 3."""
    who = await add_person(shared)
    asked = counter.asked("tier.grant", shared.people["head"], str(who.id), form(shared, ["sales"], "T3"), who.id)
    given = await counter.approve(asked, "head")
    if how == "by hand":
        hr = await shared.as_("hr")
        card = await hr.get(who.path)
        answer = await hr.patch(who.path, json={"department": "IT"}, headers={"If-Match": card.headers["ETag"]})
        assert answer.status_code == 200, answer.text
    else:
        await applied(shared, moved(f"N{who.number}", department="IT"))
    assert await standing(shared, who) == ("T1", ())
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.set_standing(unit.session, who.name, tier="T3", roles=("sales",))
    await counter.end(*given)
    assert await standing(shared, who) == ("T3", ("sales",)), "what the new department gave is not the old request's"


async def test_said_anew(shared: World, counter: Counter) -> None:
    who, head = await add_person(shared, tier="T3", roles=("sales", "safety")), shared.people["head"]
    anew = form(shared, ["production", "safety"], "T3", days=None)
    approved, done = await counter.approve(counter.asked("tier.change", head, str(who.id), anew, who.id), "head")
    assert await standing(shared, who) == ("T3", ("production", "safety"))
    await counter.end(approved, done)
    assert await standing(shared, who) == ("T3", ("safety",))
    less = counter.asked("tier.change", head, str(who.id), form(shared, [], "T1", days=None), who.id)
    _, done = await counter.approve(less, "head")
    assert (await standing(shared, who), done.lasting) == (("T1", ()), False)


@pytest.mark.parametrize(
    ("roles", "tier"),
    [(["hr"], "T4"), (["infosec"], "T5"), (["it"], None), (["executive"], None), (["system_admin"], None)],
)
async def test_what_reaches_far_takes_the_longer_chain(
    shared: World, counter: Counter, roles: list[str], tier: str | None
) -> None:
    who = await add_person(shared)
    asked = counter.asked("tier.grant", shared.people["head"], str(who.id), form(shared, roles, tier), who.id)
    assert (await counter.examine(asked, "head")).facts["power"] == "elevated"


async def test_readers_of_the_external_edition(shared: World, counter: Counter) -> None:
    """Who is lent the role sees mobiles of the edition's people finely masked, of nobody else, and as long as it is lent."""
    reader, head = await add_person(shared), shared.people["head"]
    listed = await add_person(shared, department="SALES", tags=["frequent_contact"])
    unlisted = await add_person(shared, department="SALES")

    async def mobiles() -> list[tuple[str, str | None]]:
        client, token = await shared.as_(None), await shared.token(reader.name)
        asked = [client.get(each.path, headers={"Authorization": f"Bearer {token}"}) for each in (listed, unlisted)]
        seen = [(await each).json()["mobile"] for each in asked]
        return [(each["state"], each.get("value")) for each in seen]

    coarse = [("masked", "137********")] * 2
    assert await mobiles() == coarse
    given = await counter.approve(
        counter.asked("tier.grant", head, str(reader.id), form(shared, ["office_reader"]), reader.id), "head"
    )
    assert given[0].variant == "ordinary"
    assert await mobiles() == [("masked", f"137****{listed.mobile[-4:]}"), coarse[1]]
    await counter.end(*given)
    assert await mobiles() == coarse


async def test_what_no_request_gives(shared: World, counter: Counter) -> None:
    who = await add_person(shared)
    assert await refused(counter, who, form(shared, [], "T1")) == "no_change"
    assert await refused(counter, who, form(shared, [], "T3")) == "unfit_tier"
    assert await refused(counter, who, form(shared, ["sales"], "T2")) == "unfit_tier"
    assert await refused(counter, who, form(shared, ["sales"], "T5")) == "unfit_tier"
    assert await refused(counter, who, form(shared, ["sales"], "T3", days=-1)) == "unfit_term"


async def test_only_the_head_asks_and_only_for_others(shared: World, counter: Counter) -> None:
    who, given = await add_person(shared, department="SALES"), form(shared, ["sales"])
    for by in ("staff", "head", "hr", "it"):
        with pytest.raises(NotPermitted):
            await counter.examine(counter.asked("tier.grant", shared.people[by], str(who.id), given, who.id), by)
    head = shared.people["head"]
    with pytest.raises(CannotBeAsked):
        await counter.examine(counter.asked("tier.grant", head, str(head), given), "head")
    with pytest.raises(CannotBeAsked):
        await counter.examine(counter.asked("tier.grant", head, str(who.id), given, shared.people["staff"]), "head")


async def test_a_loan_hidden_by_hand_takes_everything_back(shared: World, counter: Counter) -> None:
    who = await add_person(shared, roles=("safety",))
    asked = counter.asked("tier.grant", shared.people["head"], str(who.id), form(shared, ["sales"], "T3"), who.id)
    given = await counter.approve(asked, "head")
    async with shared.application.database.unit_of_work() as unit:
        await unit.session.execute(text("UPDATE standing_loan SET roles = '[]' WHERE tier = 'T3' AND ended_at IS NULL"))
    await counter.end(*given)
    assert await standing(shared, who) == ("T1", ())
