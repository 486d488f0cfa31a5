"""Nobody is their own manager or deputy, whichever way it is said; and what a sheet says of that holds nobody up."""

import pytest

from app.contacts.members import PEOPLE
from tests.effects.test_cards import change as a_change
from tests.effects.test_cards import refused as refused_request
from tests.hr.calls import applied, post
from tests.hr.events import joined, moved, updated
from tests.reconciliations.calls import compared, lines, rows, said
from tests.rosters.calls import codes, told
from tests.scim.clients import ENTERPRISE, made, patch, provisioner, refused
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
CODE = "names_oneself"


async def test_a_patch(shared: World) -> None:
    someone, hr = await add_person(shared), await shared.as_("hr")
    for member in PEOPLE:
        answer = await hr.patch(someone.path, json={member: str(someone.id)}, headers={"If-Match": "*"})
        problem(answer, 422, CODE)
        assert faults(answer) == [(f"/{member}", CODE)]


async def test_an_event_stores_nothing_whether_it_says_the_number_or_the_id(shared: World) -> None:
    someone = await add_person(shared)
    number = f"N{someone.number}"
    joins = joined(f"Q{someone.number}")
    joins["data"]["manager"] = joins["subject"]
    for event in (joins, moved(number, manager=number), updated(number, backup_contact=str(someone.id))):
        answer = await post(shared, event)
        problem(answer, 422, CODE)
        assert faults(answer)[0][0].startswith("/data/")
        again = await (await shared.as_("hr-system")).post("/v1/hr/events/batches", json={"events": [event]})
        (item,) = again.json()["items"]
        assert (item["state"], item["errors"][0]["code"]) == ("refused", CODE)
        assert item["errors"][0]["pointer"].startswith("/events/0/data/")
    await applied(shared, updated(number, title="主管"))


async def test_a_head_count_says_so_of_the_row(shared: World) -> None:
    place = await add_department(shared)
    one, two = await add_person(shared, department=place), await add_person(shared, department=place)
    new = {"employee_no": f"K{one.number}", "name": "新", "department": place, "manager": f"K{one.number}"}
    text = lines([said(one, place, manager=f"N{one.number}"), said(two, place, manager=str(two.id)), new])
    found = await compared(shared, text, department=place)
    differences = await rows(shared, found["id"])
    assert [(each["kind"], each["code"], each["column"]) for each in differences] == [
        ("unreadable", CODE, "manager")
    ] * 3


async def test_a_sheet_says_of_ones_own_superior_that_there_is_none(shared: World) -> None:
    someone = await add_person(shared)
    text = f"工号,职务,上级\nN{someone.number},主管,{{}}\n"
    for at, word in enumerate((f"N{someone.number}", someone.name, str(someone.id))):
        _, became = await told(shared, text.format(word))
        assert codes(became)[0][1:] == (("unchanged", "already_so") if at else ("adopted", "amended"))
    card = (await (await shared.as_("hr")).get(someone.path)).json()
    assert (card["title"], card["manager"]) == ("主管", None)


async def test_a_client_that_provisions(shared: World) -> None:
    client = await provisioner(shared)
    user = await made(client)
    change = {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": user["id"]}
    refused(await client.patch(f"/scim/v2/Users/{user['id']}", json=patch(change)), 400, "invalidValue")


async def test_a_request_is_not_filed(shared: World) -> None:
    someone = await add_person(shared)
    problem = await refused_request(
        shared, someone.name, a_change(shared, someone.name, someone.id, manager=str(someone.id))
    )
    assert [(each.pointer, each.code) for each in problem.errors] == [("/form/changes/manager", CODE)]
