"""Appeals: whose they are, that every answer has its reasons, and that the refused request can be filed anew when one is upheld."""

from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from tests.effects.directory_walking import file, filed, read, said
from tests.support.application import OPERATOR, World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHANGE = {"changes": {"title": "组长"}, "reason": "it was agreed in May"}


@pytest_asyncio.fixture(loop_scope="session")
async def refused(shared: World) -> tuple[Added, str]:
    """Give somebody, and the path of a request of theirs that their head refused."""
    someone = await add_person(shared)
    path = await filed(shared, someone.name, "contact.change", ("contact", someone.id), **CHANGE)
    assert (await said(shared, "head", path, "reject", "not this year"))["state"] == "rejected"
    return someone, path


def about(path: str) -> tuple[str, UUID]:
    return "request", UUID(path.rpartition("/")[2])


async def test_an_appeal_that_is_upheld_lets_it_be_filed_anew(shared: World, refused: tuple[Added, str]) -> None:
    someone, path = refused
    member = await add_person(shared, department="SEC", roles=("committee",))
    appeal = await filed(shared, someone.name, "appeal", about(path), grounds="we agreed, and it is in the minutes")
    assert (await said(shared, "head", appeal))["step"] == "administration"
    mute = await (await shared.as_("steward")).post(f"{appeal}/decisions", json={"decision": "approve"})
    problem(mute, 422, "invalid_request")
    assert faults(mute) == [("/comment", "reasons_required")]
    assert (await said(shared, "steward", appeal, "approve", "the minutes say so"))["step"] == "committee"
    assert (await said(shared, member.name, appeal, "approve", "so do the rules"))["state"] == "completed"
    told = await read(shared, someone.name, appeal)
    comments = [each["comment"] for step in told["steps"] for each in step["people"]]
    assert {"the minutes say so", "so do the rules"} <= set(comments)
    assert told["effects"][0]["result"]["state"] == "amending"
    again = await read(shared, someone.name, path)
    assert (again["state"], "amendments" in again["actions"]) == ("amending", True)
    answer = await (await shared.as_(someone.name)).post(f"{path}/amendments", json={})
    assert answer.json()["step"] == "head", answer.text
    await said(shared, "head", path)
    assert (await said(shared, "hr", path))["state"] == "completed"
    assert (await shared.card("colleague", someone.name))["title"] == "组长"


async def test_an_appeal_that_is_not_upheld_changes_nothing(shared: World, refused: tuple[Added, str]) -> None:
    someone, path = refused
    appeal = await filed(shared, someone.name, "appeal", about(path), grounds="I would like to")
    await said(shared, "head", appeal)
    assert (await said(shared, "steward", appeal, "reject", "the head decides on titles"))["state"] == "rejected"
    assert (await read(shared, someone.name, path))["state"] == "rejected"


async def test_only_ones_own_and_only_what_was_refused(shared: World, refused: tuple[Added, str]) -> None:
    someone, path = refused
    for who in ("colleague", "head"):
        answer = await file(shared, who, "appeal", about(path), grounds="on their behalf")
        problem(answer, 404, "not_found")
    open_one = await filed(
        shared, someone.name, "contact.change", ("contact", someone.id), changes={"duties": "值班"}, reason="new duties"
    )
    problem(await file(shared, someone.name, "appeal", about(open_one), grounds="too slow"), 409, "request_not_open")


async def test_who_refused_does_not_uphold_the_appeal_under_a_second_account(shared: World) -> None:
    head, steward = await add_person(shared), await add_person(shared, department="HR", tier="T4", roles=("hr",))
    member = await add_person(shared, department="SEC", roles=("committee",))
    code = await add_department(shared, head=head.id)
    someone = await add_person(shared, department=code)
    path = await filed(shared, someone.name, "contact.change", ("contact", someone.id), **CHANGE)
    await said(shared, head.name, path)
    assert (await said(shared, steward.name, path, "reject", "not this year"))["state"] == "rejected"
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.delegations.persons.join(unit, OPERATOR, steward.id, member.id)
    appeal = await filed(shared, someone.name, "appeal", about(path), grounds="we agreed, and it is in the minutes")
    await said(shared, head.name, appeal)
    await said(shared, "steward", appeal, "approve", "the minutes say so")
    assert (await said(shared, member.name, appeal, "approve", "so do I now"))["state"] == "failed"
    assert (await read(shared, "auditor", appeal))["problem"] == "separation_of_duties"
    assert (await read(shared, someone.name, path))["state"] == "rejected"


async def test_who_refused_for_somebody_else_does_not_uphold_the_appeal(shared: World) -> None:
    head, member = await add_person(shared), await add_person(shared, department="SEC", roles=("committee",))
    code = await add_department(shared, head=head.id)
    someone = await add_person(shared, department=code)
    until = (shared.application.clock.now() + timedelta(days=1)).isoformat()
    given = await (await shared.as_(head.name)).post("/v1/delegations", json={"to": str(member.id), "until": until})
    assert given.status_code == 201, given.text
    path = await filed(shared, someone.name, "contact.change", ("contact", someone.id), **CHANGE)
    assert (await said(shared, member.name, path, "reject", "not this year"))["state"] == "rejected"
    appeal = await filed(shared, someone.name, "appeal", about(path), grounds="we agreed, and it is in the minutes")
    await said(shared, head.name, appeal)
    await said(shared, "steward", appeal, "approve", "the minutes say so")
    assert (await said(shared, member.name, appeal, "approve", "so do I now"))["state"] == "failed"
    assert (await read(shared, someone.name, path))["state"] == "rejected"
