"""Appeals: whose they are, that every answer has its reasons, and that the refused request can be filed anew when one is upheld."""

from uuid import UUID

import pytest
import pytest_asyncio

from tests.effects.directory_walking import file, filed, read, said
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

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
