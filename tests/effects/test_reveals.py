"""What an approved ``field.reveal`` shows, to whom, and what nobody can ask for."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.approvals.effects import Cause
from app.effects.unfit import BeneficiaryGone, CannotBeAsked
from app.kit.errors import NotFound
from tests.effects.counter import Counter
from tests.support.application import World
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def wanted(*fields: str, purpose: str = "work_contact", minutes: int = 60) -> dict[str, Any]:
    return {"fields": list(fields), "purpose": purpose, "reason": "紧急联系", "duration_minutes": minutes}


async def states(world: World, who: str, of: Added) -> dict[str, str]:
    answer = await (await world.as_(who)).get(of.path)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return {name: each["state"] for name, each in body.items() if isinstance(each, dict) and "state" in each}


async def refused(counter: Counter, by: str, about: UUID, form: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 — of ``asked``
    asked = counter.asked("field.reveal", counter.world.people[by], str(about), form, **more)
    with pytest.raises(CannotBeAsked) as problem:
        await counter.examine(asked, by)
    (fault,) = problem.value.errors
    return fault.code


async def test_another_departments_mobile_until_it_ends(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="SALES")
    before = await states(shared, "staff", about)
    asked = counter.asked("field.reveal", shared.people["staff"], str(about.id), wanted("mobile"))
    found = await counter.examine(asked, "staff")
    assert (found.facts["relation"], found.facts["outcome"], found.about) == ("other_department", "mobile:clear", ())
    assert found.owner == shared.departments["SALES"]
    approved, applied = await counter.approve(asked, "staff")
    assert (approved.variant, applied.lasting) == ("other_department", True)
    assert (await states(shared, "staff", about))["mobile"] == "shown"
    assert (await states(shared, "staff", about))["personal_mobile"] == before["personal_mobile"]
    assert (await states(shared, "colleague", about))["mobile"] == before["mobile"]
    await counter.end(approved, applied)
    assert await states(shared, "staff", about) == before


async def test_own_department(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="RD")
    asked = counter.asked("field.reveal", shared.people["staff"], str(about.id), wanted("personal_mobile"))
    approved, applied = await counter.approve(asked, "staff")
    assert approved.variant == "own_department"
    assert (await states(shared, "staff", about))["personal_mobile"] == "shown"
    await counter.end(approved, applied, Cause.EXPIRED)


async def test_an_executive_who_consented_is_shown_and_is_hidden_again(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="EXEC", secrecy="executive")
    assert (await states(shared, "staff", about))["mobile"] == "withheld"
    asked = counter.asked("field.reveal", shared.people["staff"], str(about.id), wanted("mobile"))
    approved, applied = await counter.approve(asked, "staff")
    assert (approved.variant, (await counter.examine(asked)).about) == ("executive", (about.id,))
    shown = await states(shared, "staff", about)
    assert (shown["mobile"], shown["personal_mobile"]) == ("shown", "withheld")
    other = await add_person(shared, department="EXEC", secrecy="executive")
    assert (await states(shared, "staff", other))["mobile"] == "withheld"
    await counter.end(approved, applied, Cause.CONSENT_WITHDRAWN)
    assert (await states(shared, "staff", about))["mobile"] == "withheld"


async def test_consent_lifts_nothing_for_whom_the_policy_lets_see_less(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="EXEC", secrecy="executive")
    assert await refused(counter, "intern", about.id, wanted("mobile")) == "beyond_reach"


async def test_what_cannot_be_asked_for(shared: World, counter: Counter) -> None:
    about = await add_person(shared, department="SALES")
    assert await refused(counter, "staff", about.id, wanted("email")) == "field_clear"
    assert await refused(counter, "staff", about.id, wanted("mobile", "colour")) == "unknown_field"
    assert await refused(counter, "staff", about.id, wanted("id_number")) == "other_class"
    assert await refused(counter, "staff", about.id, wanted("mobile", purpose="emergency")) == "unfit_purpose"
    assert await refused(counter, "staff", about.id, wanted("mobile", purpose="curiosity")) == "unfit_purpose"
    assert await refused(counter, "staff", shared.people["staff"], wanted("mobile")) == "own_card"
    gains = shared.people["colleague"]
    assert await refused(counter, "staff", about.id, wanted("mobile"), gains=gains) == "for_oneself"


async def test_who_is_not_to_be_known_of_is_absent(shared: World, counter: Counter) -> None:
    gone = await add_person(shared, department="SALES", status="prehire")
    for about in (str(gone.id), str(uuid4()), "nobody"):
        asked = counter.asked("field.reveal", shared.people["staff"], about, wanted("mobile"))
        with pytest.raises(NotFound):
            await counter.examine(asked, "staff")


async def test_nothing_is_given_to_whom_is_suspended(shared: World, counter: Counter) -> None:
    about, asker = await add_person(shared, department="SALES"), await add_person(shared)
    shared.people[asker.name] = asker.id
    asked = counter.asked("field.reveal", asker.id, str(about.id), wanted("mobile"))
    await counter.examine(asked, asker.name)
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.accounts.suspend(unit.session, asker.name)
    with pytest.raises(BeneficiaryGone):
        await counter.examine(asked)


async def test_a_move_takes_it_back(shared: World, counter: Counter) -> None:
    about, asker = await add_person(shared, department="SALES"), await add_person(shared)
    asked = counter.asked("field.reveal", asker.id, str(about.id), wanted("mobile"))
    approved, applied = await counter.approve(asked, asker.name)
    hr = await shared.as_("hr")
    card = await hr.get(asker.path)
    headers = {"If-Match": card.headers["ETag"]}
    moved = await hr.patch(asker.path, json={"department": "IT"}, headers=headers)
    assert moved.status_code == 200, moved.text
    assert (await states(shared, asker.name, about))["mobile"] == "masked"
    await counter.end(approved, applied)
