"""What two heads let somebody see of a department, and what stays closed in it."""

from datetime import timedelta
from typing import Any

import pytest

from app.effects.unfit import BeneficiaryGone, CannotBeAsked
from app.kit.errors import NotFound
from tests.effects.counter import Counter
from tests.effects.test_reveals import states
from tests.support.application import World
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def wanted(world: World, *fields: str, scope: str = "department", days: float = 7) -> dict[str, Any]:
    until = world.application.clock.now() + timedelta(days=days)
    given = {"scope": scope, "fields": list(fields), "purpose": "work_contact", "reason": "联合项目"}
    return {**given, "until": until.isoformat()}


async def refused(counter: Counter, by: str, about: str, form: dict[str, Any], gains: str | None = None) -> str:
    people = counter.world.people
    asked = counter.asked("share.cross_dept", people[by], about, form, None if gains is None else people[gains])
    with pytest.raises(CannotBeAsked) as problem:
        await counter.examine(asked, by)
    return problem.value.errors[0].code


async def test_a_departments_mobiles_under_every_cap(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="SALES")
    guarded = await add_person(shared, department="SALES", secrecy="core")
    elsewhere = await add_person(shared, department="HR")
    asked = counter.asked("share.cross_dept", shared.people["colleague"], "SALES", wanted(shared, "mobile"))
    approved, applied = await counter.approve(asked, "colleague")
    assert approved.facts["owner_department"] == str(shared.departments["SALES"])
    assert applied.ends == approved.ends
    assert (await states(shared, "colleague", about))["mobile"] == "shown"
    assert (await states(shared, "colleague", about))["personal_mobile"] == "withheld"
    assert (await states(shared, "colleague", guarded))["mobile"] == "withheld"
    assert (await states(shared, "colleague", elsewhere))["mobile"] == "masked"
    assert (await states(shared, "staff", about))["mobile"] == "masked"
    await counter.end(approved, applied)
    assert (await states(shared, "colleague", about))["mobile"] == "masked"


async def test_for_somebody_of_ones_own_department(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="SALES")
    gains = await add_person(shared)
    asked = counter.asked(
        "share.cross_dept", shared.people["staff"], "SALES", wanted(shared, "mobile", scope="subtree"), gains.id
    )
    approved, applied = await counter.approve(asked, "staff")
    assert (await states(shared, gains.name, about))["mobile"] == "shown"
    assert (await states(shared, "staff", about))["mobile"] == "masked"
    await counter.end(approved, applied)


async def test_what_is_not_shared(shared: World, counter: Counter) -> None:
    assert await refused(counter, "staff", "SALES", wanted(shared, "wechat")) == "unknown_field"
    assert await refused(counter, "staff", "SALES", wanted(shared, "mobile", days=-1)) == "unfit_term"
    assert await refused(counter, "staff", "SALES", wanted(shared, "mobile", days=900)) == "unfit_term"
    assert await refused(counter, "staff", "RD", wanted(shared, "mobile")) == "own_department"
    assert await refused(counter, "staff", "SALES", wanted(shared, "mobile"), "outsider") == "other_department"
    asked = counter.asked("share.cross_dept", shared.people["staff"], "NOWHERE", wanted(shared, "mobile"))
    with pytest.raises(NotFound):
        await counter.examine(asked, "staff")


async def test_naming_somebody_tells_nothing_of_their_account(shared: World, counter: Counter) -> None:
    """Who is suspended, and why somebody cannot sign in, is nobody's to find out by naming them; nothing is given to them either."""
    mate = await add_person(shared)
    asked = counter.asked("share.cross_dept", shared.people["staff"], "SALES", wanted(shared, "mobile"), mate.id)
    before = await counter.examine(asked, "staff")
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.suspend(unit.session, mate.name)
    assert (await counter.examine(asked, "staff")).facts == before.facts
    with pytest.raises(BeneficiaryGone):
        await counter.examine(asked)
