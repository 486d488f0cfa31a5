"""Whom a plan shows is within its reach, over random packs, viewers and contacts; and who sees people at large has none."""

import pytest

from app.permissions.outcomes import Purpose
from app.permissions.pack import load
from app.permissions.plan import Plan
from app.permissions.reach import Reach, reach
from tests.permissions.strategies import DEPARTMENTS, Chance
from tests.permissions.test_plan import _pack, person
from tests.support.clock import NOON


def test_everybody_whom_a_plan_shows_is_within_its_reach() -> None:
    held = reached = 0
    for seed in range(1_200):
        chance = Chance(seed)
        identity, row = chance.contact()
        plan = Plan(_pack(chance), chance.standing(), Purpose.WORK_CONTACT, NOON)
        found = reach(plan)
        reached += found is not None
        if found is None or not plan.cohort(row, identity).visible:
            continue
        held += 1
        assert (
            identity in found.contacts
            or not found.departments.isdisjoint(row.departments)
            or not found.tags.isdisjoint(row.tags)
            or (found.hotlines and row.kind == "hotline")
        ), seed
    assert reached > 20
    assert held > 3


def test_the_strict_pack_leaves_staff_their_department_hotlines_and_themselves() -> None:
    viewer = person(departments=frozenset(DEPARTMENTS[:1]))
    found = reach(Plan(load("strict"), viewer, Purpose.WORK_CONTACT, NOON))
    assert found is not None
    assert found.departments == {DEPARTMENTS[0]}
    assert found.hotlines
    assert viewer.contact_id in found.contacts


@pytest.mark.parametrize(("profile", "roles"), [("default", ()), ("strict", ("hr",)), ("strict", ("infosec",))])
def test_who_sees_people_at_large_has_no_reach(profile: str, roles: tuple[str, ...]) -> None:
    assert reach(Plan(load(profile), person(roles=frozenset(roles)), Purpose.WORK_CONTACT, NOON)) is None


def test_nothing_granted_is_nobody_reached() -> None:
    assert Reach().joined(Reach(hotlines=True)) == Reach(hotlines=True)
