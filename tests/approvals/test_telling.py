"""What is told of a request: once for each thing that happens, in the order of versions, to whom it concerns, and never what is in it."""

from typing import Any

from sqlalchemy import select, text

from app.notices.models import NoticeRow
from tests.approvals.kinds import Office

Told = list[tuple[str, dict[str, Any], dict[str, Any]]]


async def told(office: Office) -> Told:
    """Read the notices that were put, oldest first."""
    statement = select(NoticeRow.type, NoticeRow.body, NoticeRow.audience).order_by(NoticeRow.id)
    async with office.world.application.database.unit_of_work() as unit:
        return [(row[0], row[1], row[2]) for row in await unit.session.execute(statement)]


async def test_a_walk_is_told_step_by_step(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.say("head", path, comment="同意，手机 13800002101")
    await office.say("hr", path)
    found = await told(office)
    assert [each[0] for each in found] == [
        "request.filed",
        "request.activated",
        "request.decided",
        "request.activated",
        "request.decided",
        "request.applied",
    ]
    assert [each[2]["people"] for each in found] == [
        [],
        [office.id("head")],
        [office.id("staff")],
        [office.id("hr")],
        [office.id("staff")],
        [office.id("staff")],
    ]
    versions = [each[1]["request"]["version"] for each in found]
    assert versions == sorted(versions)
    assert {each[1]["request"]["id"] for each in found} == {path.rpartition("/")[2]}
    assert {each[1]["request"]["kind"] for each in found} == {"test.two"}
    assert found[1][1]["step"] == "head"
    assert found[1][1]["due_at"].endswith("Z")
    assert "1380000" not in str(found)
    assert "同意" not in str(found)


async def test_who_withdraws_tells_it(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.act("staff", path, "withdrawals")
    assert [each[0] for each in await told(office)][-1] == "request.withdrawn"


async def test_what_is_refused_is_not_told(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    before = await told(office)
    assert (await office.say("staff", path)).status_code == 403
    assert await told(office) == before


async def test_a_walk_leaves_nothing_unspread(office: Office) -> None:
    await office.filed("staff", "test.two")
    notices = office.world.application.notices
    while await notices.sweep():
        await notices.courier.idle()
    async with office.world.application.database.unit_of_work() as unit:
        left = await unit.session.scalar(text("SELECT count(*) FROM notice WHERE spread_at IS NULL"))
    assert left == 0
