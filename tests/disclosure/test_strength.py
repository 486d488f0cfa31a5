"""What masks leave is counted over the people who are there."""

import pytest

from app.contacts.fields import CATALOGUE
from app.disclosure.strength import Strength, Tally
from app.permissions.outcomes import FieldClass, Outcome


def tallied(name: str, values: list[str]) -> dict[Outcome, Strength]:
    tally = Tally(CATALOGUE)
    for value in values:
        tally.add(name, value)
    return {each.outcome: each for each in tally.strengths()}


@pytest.mark.parametrize(
    ("values", "fine", "coarse"),
    [
        (["+8613800000001"], (1, 1, 1, 1), (1, 1, 1, 1)),
        (["+8613800000001", "+8613800010001"], (2, 2, 2, 0), (2, 2, 2, 0)),
        (["+8613800000001", "+8613800000002", "+8613900000002"], (3, 1, 1, 3), (3, 1, 2, 1)),
        ([f"+861380000{n:04d}" for n in range(100)], (100, 1, 1, 100), (100, 100, 100, 0)),
    ],
)
def test_least_median_and_those_who_stand_alone(
    values: list[str], fine: tuple[int, ...], coarse: tuple[int, ...]
) -> None:
    found = tallied("mobile", values)
    for outcome, wanted in ((Outcome.MASK_FINE, fine), (Outcome.MASK_COARSE, coarse)):
        each = found[outcome]
        assert (each.contacts, each.least, each.median, each.alone) == wanted
        assert each.field_class is FieldClass.C3


def test_a_mask_under_which_half_stand_nearly_alone_is_weak() -> None:
    found = tallied("mobile", [f"+861380000{n:04d}" for n in range(100)])
    assert found[Outcome.MASK_FINE].is_weak(5)
    assert not found[Outcome.MASK_COARSE].is_weak(5)
    assert not tallied("mobile", [])


def test_it_keeps_no_value_and_no_masked_one() -> None:
    tally = Tally(CATALOGUE)
    tally.add("mobile", "+8613800004321")
    kept = repr(vars(tally))
    assert "4321" not in kept
    assert "138****" not in kept
