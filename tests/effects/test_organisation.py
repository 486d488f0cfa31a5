"""Changes of the organisation by request."""

from typing import Any

import pytest

from app.approvals.effects import Asked
from app.approvals.errors import BadForm, SeparationOfDuties
from app.departments.errors import DepartmentLoop, DuplicateDepartmentCode, UnknownHolder
from app.departments.schemas import DepartmentAmend
from app.effects.errors import DepartmentMoved
from app.effects.organisation import OrganisationChange
from app.kit.errors import Invalid, NotFound, Problem
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from tests.effects.acting import acted, asking, examined
from tests.support.application import OPERATOR, World
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def effect_of(world: World) -> OrganisationChange:
    application = world.application
    return OrganisationChange(
        departments=application.departments,
        contacts=application.contact_rows,
        persons=application.delegations.persons,
        standings=application.standings,
        gate=application.gate,
    )


def wish(world: World, who: str, department: str, action: str, **changes: Any) -> Asked:  # noqa: ANN401 — JSON
    form = {"action": action, "changes": changes, "reason": "the teams are to be parted"}
    return asking(world, "org.change", who, ("department", department), **form)


async def led(world: World) -> tuple[str, str]:
    """Add somebody and a department that they head; give the name of one and the code of the other."""
    someone = await add_person(world)
    return someone.name, await add_department(world, head=someone.id)


async def test_a_head_has_a_department_made_below_their_own(shared: World) -> None:
    who, code = await led(shared)
    effect, new = effect_of(shared), f"{code}-NEW"
    asked = wish(shared, who, code, "create", code=new, name="新组")
    found = await examined(shared, effect, who, asked)
    _, applied = await acted(shared, effect, asked, found, by="steward", decided=(shared.people["ceo"],))
    tree = await shared.application.standings.tree()
    assert applied.result["department"] == str(tree.by_code[new].id)
    assert tree.by_code[new].parent_id == tree.by_code[code].id


async def test_a_department_is_renamed_moved_and_led_by_somebody_else(shared: World) -> None:
    who, code = await led(shared)
    target, successor, effect = await add_department(shared), await add_person(shared), effect_of(shared)
    asked = wish(shared, who, code, "amend", name="新名", parent=target, head=str(successor.id))
    found = await examined(shared, effect, who, asked)
    _, applied = await acted(shared, effect, asked, found, by="steward", decided=(shared.people["ceo"],))
    assert applied.result["changed"] == ["head", "name", "parent"]
    node = (await shared.application.standings.tree()).by_code[code]
    assert (node.name, node.head_id) == ("新名", successor.id)
    assert "dept_head" in (await shared.viewer(successor.name)).standing.roles
    assert "dept_head" not in (await shared.viewer(who)).standing.roles


@pytest.mark.parametrize(
    ("action", "changes", "kind", "pointers"),
    [
        ("amend", {"name": ""}, Invalid, ["/form/changes/name"]),
        ("amend", {"name": None}, Invalid, ["/form/changes/name"]),
        ("amend", {"code": "X"}, Invalid, ["/form/changes/code"]),
        ("amend", {"head": str(new_id())}, UnknownHolder, ["/form/changes/head"]),
        ("amend", {"parent": "itself"}, DepartmentLoop, ["/form/changes/parent"]),
        ("create", {"code": "RD", "name": "又一个"}, DuplicateDepartmentCode, []),
        ("create", {"code": "NEW-1", "name": "别处", "parent": "SALES"}, BadForm, ["/form/changes/parent"]),
    ],
)
async def test_bad_input_is_refused_when_it_is_filed(
    shared: World, action: str, changes: dict[str, Any], kind: type[Problem], pointers: list[str]
) -> None:
    who, code = await led(shared)
    given = {name: code if value == "itself" else value for name, value in changes.items()}
    with pytest.raises(kind) as refusal:
        await examined(shared, effect_of(shared), who, wish(shared, who, code, action, **given))
    assert [each.pointer for each in refusal.value.errors] == pointers


async def test_nobody_asks_for_what_somebody_else_heads(shared: World) -> None:
    who, code = await led(shared)
    for other, department in ((who, "SALES"), ("head", code), ("staff", code)):
        with pytest.raises(NotPermitted):
            await examined(shared, effect_of(shared), other, wish(shared, other, department, "amend", name="新名"))
    with pytest.raises(NotFound):
        await examined(shared, effect_of(shared), who, wish(shared, who, "NOWHERE", "amend", name="新名"))


async def test_a_department_that_changed_meanwhile_is_decided_anew(shared: World) -> None:
    who, code = await led(shared)
    effect, application = effect_of(shared), shared.application
    asked = wish(shared, who, code, "amend", name="新名")
    found = await examined(shared, effect, who, asked)
    node = (await application.standings.tree()).by_code[code]
    async with application.database.unit_of_work() as unit:
        await application.departments.amend(unit, OPERATOR, node, DepartmentAmend(order=5))
    with pytest.raises(AssertionError, match="approved again"):
        await acted(shared, effect, asked, found, by="steward")
    async with application.database.unit_of_work() as unit:
        node = (await application.standings.tree()).by_code[code]
        await application.departments.amend(unit, OPERATOR, node, DepartmentAmend(order=6))
    stale = await effect.examine(application.database.reader, None, asked)
    async with application.database.unit_of_work() as unit:
        node = (await application.standings.tree()).by_code[code]
        await application.departments.amend(unit, OPERATOR, node, DepartmentAmend(order=7))
    with pytest.raises(DepartmentMoved):
        await acted(shared, Still(effect, stale), asked, stale, by="steward")


class Still:
    """An effect whose facts were read a moment before somebody else wrote."""

    def __init__(self, effect: OrganisationChange, found: Any) -> None:  # noqa: ANN401 — what was found
        self.found, self.apply, self.end = found, effect.apply, effect.end

    async def examine(self, *_: Any) -> Any:  # noqa: ANN401 — as the effect
        return self.found


async def test_nobody_decides_on_a_position_of_their_own(shared: World) -> None:
    who, code = await led(shared)
    effect, ceo = effect_of(shared), shared.people["ceo"]
    asked = wish(shared, who, code, "amend", deputy=str(ceo))
    found = await examined(shared, effect, who, asked)
    with pytest.raises(SeparationOfDuties):
        await acted(shared, effect, asked, found, by="steward", decided=(ceo,))


async def test_nor_on_that_of_another_card_of_theirs(shared: World) -> None:
    who, code = await led(shared)
    effect, decider, other = effect_of(shared), await add_person(shared), await add_person(shared)
    application = shared.application
    async with application.database.unit_of_work() as unit:
        await application.delegations.persons.join(unit, OPERATOR, decider.id, other.id)
    asked = wish(shared, who, code, "amend", head=str(other.id))
    found = await examined(shared, effect, who, asked)
    with pytest.raises(SeparationOfDuties):
        await acted(shared, effect, asked, found, by="steward", decided=(decider.id,))
