"""A pack's tests are tried against the plan: they hold where the plan says so, and each member that differs is named."""

from typing import Any, Final

import pytest

from app.contacts.fields import CATALOGUE
from app.permissions.pack import Pack, load
from app.permissions.pack_tests import PackTest
from app.policy.trials import try_one, try_pack

PACK: Final = load("default")


def failures(given: dict[str, Any], pack: Pack = PACK) -> list[tuple[str, str, str, str]]:
    test = PackTest.model_validate({"id": "some.test", **given})
    return [(each.about, each.member, each.wanted, each.found) for each in try_one(pack, test, CATALOGUE.classes)]


@pytest.mark.parametrize("name", ["default", "strict"])
def test_what_ships_keeps_its_promises(name: str) -> None:
    pack = load(name)
    assert try_pack(pack, CATALOGUE.classes) == ()
    assert len(pack.tests) >= 40


def test_what_differs_is_named() -> None:
    own = {"contact": {"relation": ["own_department"]}}
    assert failures({**own, "expect": {"C1": "clear", "mobile": {"outcome": "mask_fine", "next": "reveal"}}}) == []
    assert failures({**own, "expect": {"mobile": {"outcome": "clear", "reveals": "hidden", "next": "nothing"}}}) == [
        ("mobile", "outcome", "clear", "mask_fine"),
        ("mobile", "reveals", "hidden", "clear"),
        ("mobile", "next", "nothing", "reveal"),
    ]
    assert failures({**own, "expect": {"C1": {"powers": ["edit"]}}})[0][:3] == ("C1", "powers", "edit")
    assert failures({"visible": False}) == [("contact", "visible", "no", "yes")]
    assert failures({"obligations": ["no_export"]}) == [("contact", "obligations", "no_export", "watermark")]
    assert failures({"expect": {"mobille": "clear"}}) == [
        ("mobille", "field", "a field or class that there is", "none")
    ]


def test_nobody_sees_fields_of_whom_they_do_not_know() -> None:
    gone = {"contact": {"status": "archived"}}
    assert failures({**gone, "visible": False, "expect": {"C1": {"outcome": "hidden", "next": "nothing"}}}) == []


def test_relations_are_those_that_are_said() -> None:
    assert failures({"contact": {"relation": ["self"]}, "expect": {"C4": "clear"}}) == []
    assert (
        failures({"viewer": {"tier": "T2"}, "contact": {"relation": ["headed"]}, "expect": {"C4": "mask_fine"}}) == []
    )
    assert failures({"expect": {"C4": "hidden"}}) == []


@pytest.mark.parametrize("name", ["default", "strict"])
def test_no_rule_of_what_ships_can_go_without_a_test_noticing(name: str) -> None:
    pack = load(name)
    for rule in pack.rules:
        fewer = pack.model_copy(update={"rules": tuple(each for each in pack.rules if each is not rule)})
        assert try_pack(fewer, CATALOGUE.classes), rule.id
