"""Tags follow values: whatever writes a contact leaves it to be found by what it has now, and by nothing that it had."""

from typing import Any, Final
from uuid import UUID

import pytest

from app.contacts.founding import ContactFounder, NewContact
from app.contacts.members import MemberReader
from app.contacts.schemas import Membership
from app.kit.models import new_id
from tests.contacts.partners import add_partner
from tests.hr.calls import applied
from tests.hr.events import joined, left, moved, rehired, updated
from tests.lookups.asking import found, stored, tags
from tests.support.application import OPERATOR, World
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

STAFF: Final = {("mobile.exact", "mobile"), ("mobile.last4", "mobile"), ("email.exact", "email")}
PARTNER: Final = {("mobile.exact", "business_phone"), ("email.exact", "business_email"), ("name.exact", "name")}


async def patch(world: World, added: Added, **changes: Any) -> None:  # noqa: ANN401 — members of a contact
    answer = await (await world.as_("hr")).patch(added.path, json=changes, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def finds(world: World, **lists: Any) -> list[str | None]:  # noqa: ANN401 — members of a request
    """Look up as somebody with a day's quota of their own."""
    asker = await add_person(world, tier="T4", roles=("hr",))
    return await found(world, asker.name, **lists)


async def test_who_is_made_is_found_by_what_they_have(shared: World) -> None:
    added = await add_person(shared)
    assert await tags(shared, added.id) == STAFF
    lists = {"numbers": [added.mobile], "emails": [f"SOMEONE{added.number}@example.com"]}
    assert await finds(shared, **lists) == [str(added.id)] * 2
    assert await finds(shared, numbers=[added.personal_mobile]) == [None]


async def test_who_has_no_value_has_no_tag(shared: World) -> None:
    added = await add_person(shared, mobile=None, email=None)
    assert await tags(shared, added.id) == set()
    await patch(shared, added, mobile="13700009901")
    assert await tags(shared, added.id) == STAFF - {("email.exact", "email")}


async def test_a_new_number_is_found_and_the_old_one_is_not(shared: World) -> None:
    added = await add_person(shared)
    other = f"135000{added.number}"
    await patch(shared, added, mobile=other)
    assert await tags(shared, added.id) == STAFF
    assert await finds(shared, numbers=[added.mobile, other]) == [None, str(added.id)]
    await patch(shared, added, mobile=None)
    assert await tags(shared, added.id) == {("email.exact", "email")}
    assert await finds(shared, numbers=[other]) == [None]


async def test_what_is_written_again_alike_stays(shared: World) -> None:
    added = await add_person(shared)
    await patch(shared, added, mobile=f"+86 {added.mobile}", title="工程师")
    assert await tags(shared, added.id) == STAFF
    assert await finds(shared, numbers=[added.mobile]) == [str(added.id)]


async def test_a_change_that_is_rolled_back_leaves_the_tags(shared: World) -> None:
    added, other = await add_person(shared), await add_person(shared)
    answer = await (await shared.as_("hr")).patch(
        added.path, json={"mobile": "13700009902", "employee_no": f"N{other.number}"}, headers={"If-Match": "*"}
    )
    assert answer.status_code == 409
    assert await finds(shared, numbers=[added.mobile, "13700009902"]) == [str(added.id), None]


async def test_the_end_of_a_number_is_found_where_somebody_is_now(shared: World) -> None:
    before, now = await add_department(shared), await add_department(shared)
    added = await add_person(shared, department=before)
    ends = [{"digits": added.mobile[-4:], "department": each} for each in (before, now)]
    assert await finds(shared, last4=ends) == [str(added.id), None]
    await patch(shared, added, department=now)
    assert await finds(shared, last4=ends) == [None, str(added.id)]
    await patch(shared, added, memberships=[{"department": before}])
    assert await finds(shared, last4=ends) == [str(added.id)] * 2


async def test_who_belongs_to_two_departments_is_found_in_both(shared: World) -> None:
    one, other = await add_department(shared), await add_department(shared)
    added = await add_person(shared, department=one, memberships=[Membership(department=other)])
    ends = [{"digits": added.mobile[-4:], "department": each} for each in (one, other)]
    assert await finds(shared, last4=ends) == [str(added.id)] * 2


async def test_partners_are_found_by_name_number_and_address(shared: World) -> None:
    partner = await add_partner(shared)
    assert await tags(shared, partner.id) == PARTNER
    _, _, _, phone, mail, _ = partner.secrets
    assert await finds(shared, numbers=[phone], emails=[mail], names=[partner.name]) == [str(partner.id)] * 3


async def test_who_leaves_keeps_tags_and_who_is_archived_has_none(shared: World) -> None:
    added = await add_person(shared)
    application = shared.application
    record = await application.contact_rows.by_id(added.id, await application.standings.tree())
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    assert await tags(shared, added.id) == STAFF
    assert await finds(shared, numbers=[added.mobile]) == [None]
    gone = await add_person(shared)
    answer = await (await shared.as_("hr")).delete(gone.path, headers={"If-Match": "*"})
    assert answer.status_code == 204
    assert await tags(shared, gone.id) == set()
    assert await finds(shared, numbers=[gone.mobile]) == [None]


async def test_personnel_events_keep_tags_in_step(shared: World) -> None:
    subject = f"E{(await add_person(shared)).number}9"
    first, second, third = (f"1370{at}{subject[-5:]}0" for at in range(3))
    told = await applied(shared, joined(subject, mobile=first))
    identity = UUID(told["contact_id"])
    assert await tags(shared, identity) == STAFF
    await applied(shared, updated(subject, mobile=second))
    assert await finds(shared, numbers=[first, second]) == [None, str(identity)]
    code = await add_department(shared)
    await applied(shared, moved(subject, department=code))
    assert await finds(shared, last4=[{"digits": second[-4:], "department": code}]) == [str(identity)]
    await applied(shared, left(subject))
    assert await finds(shared, numbers=[second]) == [None]
    await applied(shared, rehired(subject, mobile=third))
    assert await tags(shared, identity) == STAFF
    assert await finds(shared, numbers=[second, third]) == [None, str(identity)]


async def test_many_at_once_are_tagged_as_one_is(shared: World) -> None:
    application, code = shared.application, await add_department(shared)
    founder = ContactFounder(
        repository=application.contact_rows,
        members=MemberReader(application.contact_rows, region="CN", forms=application.contact_writer.forms),
        sealer=application.sealer,
        accounts=application.accounts,
        tagger=application.lookups.tagger,
        clock=application.clock,
    )
    staff = NewContact(new_id(), "employee", {"name": "郑多", "department": code, "mobile": "13700009903"})
    partner = NewContact(
        new_id(),
        "external",
        {"name": "郑外", "organisation": "示例公司", "department": code, "business_phone": "13700009904"},
    )
    hotline = NewContact(new_id(), "hotline", {"name": "热线", "department": code})
    before = await stored(shared)
    async with application.database.unit_of_work() as unit:
        await founder.create(unit, OPERATOR, await application.standings.tree(), [staff, partner, hotline])
    assert await stored(shared) == before + 4
    assert await tags(shared, staff.id) == STAFF - {("email.exact", "email")}
    assert await tags(shared, partner.id) == PARTNER - {("email.exact", "business_email")}
    lists = {"numbers": ["13700009903", "13700009904"], "names": ["郑外", "郑多"]}
    assert await finds(shared, **lists) == [str(staff.id), str(partner.id), str(partner.id), None]
