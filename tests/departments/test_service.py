"""Changing the tree, on both engines: what is written, what is refused, and that a refusal leaves nothing behind."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.contacts.models import Contact, ContactDepartment
from app.departments.errors import (
    DepartmentLoop,
    DepartmentNotEmpty,
    DepartmentTooDeep,
    DuplicateDepartmentCode,
    UnknownHolder,
    UnknownParent,
)
from app.departments.models import Department
from app.departments.schemas import DepartmentAmend
from app.departments.tree import MOST_LEVELS
from app.kit.errors import Invalid, NotFound, PreconditionFailed
from app.kit.models import new_id
from tests.departments.conftest import AUTHOR, Office

UNCOVERED = {"mac", "created_at", "updated_at"}
EDITS: dict[str, Any] = {
    "id": new_id(),
    "code": "OTHER",
    "name": "改名",
    "parent_id": None,
    "head_id": new_id(),
    "deputy_id": new_id(),
    "order": 9,
    "region": "DE",
    "legal_entity": "Other Ltd.",
    "protected": True,
    "row_version": 7,
}


async def test_a_department_is_written_believed_and_on_record(office: Office) -> None:
    head = await office.contact()
    await office.create("RD")
    before = await office.epoch()
    kept = await office.create("RD-CORE", "RD", head=head, order=3, protected=True)
    tree = await office.tree()
    assert tree.by_code["RD-CORE"] == kept.node
    assert kept.tree.path(kept.node.id) == tree.path(kept.node.id) == "部门RD/部门RD-CORE"
    assert not tree.distrusted
    assert tree.headed_by(head) == {kept.node.id}
    assert await office.epoch() == before + 1
    event = (await office.intents())[-1]
    assert (event.action, event.decision, event.actor_type, event.actor_id) == (
        "department.create",
        "allowed",
        "operator",
        "os:test",
    )
    assert event.query == {"department": str(kept.node.id)}
    assert {"code", "name", "parent", "head"} <= set(event.fields)
    assert not {"deputy", "legal_entity"} & set(event.fields)
    assert [cohort.contacts for cohort in event.cohorts] == [(head,)]


async def test_region_and_legal_entity_come_from_above(office: Office) -> None:
    top = (await office.create("TOP")).node
    own = (await office.create("DE", region="DE", legal_entity="Demo GmbH")).node
    below = (await office.create("DE-LAB", "DE")).node
    other = (await office.create("DE-CN", str(own.id), region="CN", legal_entity="Demo Ltd.")).node
    found = [(each.region, each.legal_entity) for each in (top, below, other)]
    assert found == [("CN", ""), ("DE", "Demo GmbH"), ("CN", "Demo Ltd.")]


async def test_a_code_is_given_once(office: Office) -> None:
    await office.create("RD")
    await office.create("LAB")
    await office.edit(update(Department).where(Department.code == "LAB").values(name="改名"))
    before = await office.contents()
    for code in ("RD", "LAB"):
        with pytest.raises(DuplicateDepartmentCode):
            await office.create(code)
    assert await office.contents() == before


async def test_a_parent_must_be_believed(office: Office) -> None:
    top = (await office.create("TOP")).node
    await office.create("BELOW", "TOP")
    await office.edit(update(Department).where(Department.code == "TOP").values(protected=True))
    before = await office.contents()
    for named in ("NONE", str(new_id()), "TOP", str(top.id), "BELOW"):
        with pytest.raises(UnknownParent) as refused:
            await office.create("NEW", named)
        assert [fault.pointer for fault in refused.value.errors] == ["/parent"]
    assert await office.contents() == before


@pytest.mark.parametrize("status", ["active", "frozen", "leaving"])
async def test_whoever_is_in_the_directory_can_hold_a_position(office: Office, status: str) -> None:
    somebody = await office.contact(status)
    kept = await office.create("RD", head=somebody, deputy=somebody)
    assert (kept.node.head_id, kept.node.deputy_id) == (somebody, somebody)


@pytest.mark.parametrize("status", ["prehire", "left", None])
async def test_whoever_is_gone_or_was_never_there_holds_none(office: Office, status: str | None) -> None:
    stranger = new_id() if status is None else await office.contact(status)
    seen = (await office.create("RD")).node
    before = await office.contents()
    with pytest.raises(UnknownHolder) as refused:
        await office.create("NEW", head=stranger, deputy=stranger)
    assert [fault.pointer for fault in refused.value.errors] == ["/head", "/deputy"]
    with pytest.raises(UnknownHolder) as refused:
        await office.amend(seen, deputy=stranger)
    assert [fault.pointer for fault in refused.value.errors] == ["/deputy"]
    assert await office.contents() == before


async def test_a_head_who_left_does_not_hold_up_other_changes(office: Office) -> None:
    head = await office.contact()
    seen = (await office.create("RD", head=head)).node
    await office.edit(update(Contact).where(Contact.id == head).values(status="left"))
    kept = await office.amend(seen, name="新名称")
    assert (kept.node.head_id, kept.changed) == (head, ("name",))


async def test_a_change_counts_the_row_up_and_names_what_changed(office: Office) -> None:
    old, new = await office.contact(), await office.contact()
    await office.create("OTHER")
    seen = (await office.create("RD", head=old, legal_entity="Demo Ltd.")).node
    office.clock.advance(hours=1)
    kept = await office.amend(seen, name="研发", parent="OTHER", head=new, legal_entity=None, order=0)
    assert kept.changed == ("head", "legal_entity", "name", "parent")
    assert kept.node.row_version == seen.row_version + 1
    tree = await office.tree()
    assert tree.by_code["RD"] == kept.node
    assert tree.path(seen.id) == kept.tree.path(seen.id) == "部门OTHER/研发"
    assert not tree.headed_by(old)
    assert tree.headed_by(new) == {seen.id}
    event = (await office.intents())[-1]
    assert (event.action, event.fields) == ("department.update", kept.changed)
    assert {contact for cohort in event.cohorts for contact in cohort.contacts} == {old, new}
    async with office.database.session() as session:
        created, updated = (
            await session.execute(select(Department.created_at, Department.updated_at).where(Department.id == seen.id))
        ).one()
    assert updated - created == timedelta(hours=1)


async def test_null_removes_and_what_is_absent_stays(office: Office) -> None:
    somebody = await office.contact()
    await office.create("TOP")
    seen = (await office.create("RD", "TOP", head=somebody, deputy=somebody, order=4)).node
    kept = await office.amend(seen, head=None, parent=None)
    assert kept.node == replace(seen, head_id=None, parent_id=None, row_version=2)
    assert kept.changed == ("head", "parent")


async def test_a_change_that_changes_nothing_writes_nothing(office: Office) -> None:
    seen = (await office.create("RD", order=2)).node
    rows, _, intents = await office.contents()
    kept = await office.amend(seen, name="部门RD", order=2, head=None, parent=None)
    assert (kept.node, kept.changed) == (seen, ())
    found, _, moved = await office.contents()
    assert (found, moved) == (rows, intents)


async def test_a_department_does_not_hang_below_itself(office: Office) -> None:
    top = (await office.create("A")).node
    middle = (await office.create("A-B", "A")).node
    bottom = (await office.create("A-B-C", "A-B")).node
    before = await office.contents()
    for below in (top, middle, bottom):
        with pytest.raises(DepartmentLoop):
            await office.amend(top, parent=below.code)
    with pytest.raises(DepartmentLoop):
        await office.amend(middle, parent=str(bottom.id))
    assert await office.contents() == before


async def test_crossing_moves_never_close_a_ring(office: Office) -> None:
    """Each move is harmless alone. The second begins while the first is not committed, and sees it nonetheless."""
    first, second = (await office.create("A")).node, (await office.create("B")).node
    async with office.database.unit_of_work() as unit:
        await office.service.amend(unit, AUTHOR, first, DepartmentAmend(parent="B"))
        other = asyncio.create_task(office.amend(second, parent="A"))
        await asyncio.sleep(0.3)
        assert not other.done()
    with pytest.raises(DepartmentLoop):
        await other
    tree = await office.tree()
    assert (tree.path(first.id), tree.distrusted) == ("部门B/部门A", frozenset())


async def test_one_of_two_changes_at_once_wins(office: Office) -> None:
    seen = (await office.create("RD")).node
    done = await asyncio.gather(*(office.amend(seen, order=each) for each in (1, 2, 3, 4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Kept", *["PreconditionFailed"] * 3]
    assert (await office.tree()).by_code["RD"].row_version == 2


async def test_the_tree_has_a_floor(office: Office) -> None:
    above = None
    for level in range(MOST_LEVELS):
        await office.create(f"L{level}", above)
        above = f"L{level}"
    tall = (await office.create("TALL")).node
    await office.create("TALL-CHILD", "TALL")
    before = await office.contents()
    with pytest.raises(DepartmentTooDeep):
        await office.create("LOW", above)
    with pytest.raises(DepartmentTooDeep):
        await office.amend(tall, parent=f"L{MOST_LEVELS - 2}")
    assert await office.contents() == before
    kept = await office.amend(tall, parent=f"L{MOST_LEVELS - 3}")
    assert kept.tree.height((await office.tree()).by_code["L0"].id) == MOST_LEVELS


async def test_a_row_that_has_moved_is_not_overwritten(office: Office) -> None:
    seen = (await office.create("RD")).node
    await office.amend(seen, order=1)
    before = await office.contents()
    with pytest.raises(PreconditionFailed):
        await office.amend(seen, order=2)
    with pytest.raises(PreconditionFailed):
        await office.remove(seen)
    assert await office.contents() == before


@pytest.mark.parametrize("column", sorted(set(Department.__mapper__.column_attrs.keys()) - UNCOVERED))
async def test_an_edit_by_sql_is_not_believed_and_not_signed(office: Office, column: str) -> None:
    await office.create("TOP")
    seen = (await office.create("RD", "TOP")).node
    await office.create("RD-CORE", "RD")
    below = delete(Department).where(Department.code == "RD-CORE")
    if column == "id":
        await office.edit(below)
    value = {getattr(Department, column): EDITS[column]}
    await office.edit(update(Department).where(Department.id == seen.id).values(value))
    tree = await office.tree()
    assert set(tree.by_code) == {"TOP"}
    assert len(tree.distrusted) == (1 if column == "id" else 2)
    before = await office.contents()
    edited = replace(seen, id=EDITS["id"]) if column == "id" else seen
    for act in (office.amend(edited, name="x"), office.remove(edited)):
        with pytest.raises(NotFound):
            await act
    assert await office.contents() == before


async def test_a_mac_of_another_row_does_not_fit(office: Office) -> None:
    one, other = (await office.create("A")).node, (await office.create("B")).node
    async with office.database.session() as session:
        copied = await session.scalar(select(Department.mac).where(Department.id == other.id))
    await office.edit(update(Department).where(Department.id == one.id).values(mac=copied))
    assert set((await office.tree()).by_code) == {"B"}


async def test_an_empty_department_is_removed_and_its_code_is_free(office: Office) -> None:
    head = await office.contact()
    seen = (await office.create("RD", head=head)).node
    before = await office.epoch()
    await office.remove(seen)
    assert (dict((await office.tree()).nodes), await office.epoch()) == ({}, before + 1)
    event = (await office.intents())[-1]
    assert (event.action, event.query) == ("department.delete", {"department": str(seen.id)})
    assert [cohort.contacts for cohort in event.cohorts] == [(head,)]
    with pytest.raises(NotFound):
        await office.remove(seen)
    assert (await office.create("RD")).node.id != seen.id


async def refused_as_not_empty(office: Office, code: str) -> None:
    """Expect the department to stay."""
    seen = (await office.tree()).by_code[code]
    before = await office.contents()
    with pytest.raises(DepartmentNotEmpty):
        await office.remove(seen)
    assert await office.contents() == before


async def test_a_department_with_children_stays(office: Office) -> None:
    await office.create("RD")
    await office.create("RD-CORE", "RD")
    await refused_as_not_empty(office, "RD")
    await office.edit(update(Department).where(Department.code == "RD-CORE").values(name="改名"))
    await refused_as_not_empty(office, "RD")
    await office.edit(delete(Department).where(Department.code == "RD-CORE"))
    await office.remove((await office.tree()).by_code["RD"])


@pytest.mark.parametrize("member", [True, False], ids=["member", "main department only"])
async def test_a_department_with_members_stays(office: Office, *, member: bool) -> None:
    seen = (await office.create("RD")).node
    somebody = await office.contact("left", department=seen.id, member=member)
    await refused_as_not_empty(office, "RD")
    await office.edit(delete(ContactDepartment).where(ContactDepartment.contact_id == somebody))
    await office.edit(update(Contact).where(Contact.id == somebody).values(department_id=None))
    await office.remove(seen)


async def test_a_further_membership_keeps_a_department(office: Office) -> None:
    await office.create("MAIN")
    seen = (await office.create("RD")).node
    await office.contact(department=seen.id)
    await office.edit(update(Contact).values(department_id=None))
    await refused_as_not_empty(office, "RD")


@pytest.mark.parametrize("named", ["", "x" * 37])
async def test_a_reference_has_a_length(office: Office, named: str) -> None:
    with pytest.raises(ValueError, match="parent"):
        await office.create("RD", named)
    assert (await office.contents())[0] == []


def test_every_refusal_of_a_body_is_a_422() -> None:
    refusals = (DepartmentLoop, DepartmentTooDeep, UnknownParent, UnknownHolder)
    assert {issubclass(each, Invalid) and each.status for each in refusals} == {422}
    assert {each.status for each in (DuplicateDepartmentCode, DepartmentNotEmpty)} == {409}
