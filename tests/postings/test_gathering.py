"""Keys in the order of their texts give the set of every beginning that is long, and nothing of those that are not."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.postings.gathering import Gathered, Gatherer

Keys = list[tuple[str, int]]


def gathered(keys: Keys, least: int, *, beginnings: bool = True) -> list[Gathered]:
    gatherer = Gatherer(least, beginnings=beginnings)
    return [*(each for term, ordinal in sorted(keys) for each in gatherer.add(term, ordinal)), *gatherer.end()]


def kept_for(sets: list[Gathered], text: str) -> set[int] | None:
    """Read as a search does: the first that is kept from the text on."""
    found = min(
        (each for each in sets if not each.whole and each.term.startswith(text)),
        key=lambda each: each.term,
        default=None,
    )
    return None if found is None else set(found.members)


@given(
    keys=st.lists(st.tuples(st.text("王安a", min_size=1, max_size=5), st.integers(0, 40)), max_size=120, unique=True),
    least=st.integers(1, 12),
)
def test_every_beginning_is_found_by_its_people_if_its_keys_are_enough(keys: Keys, least: int) -> None:
    sets = gathered(keys, least)
    beginnings: dict[str, list[int]] = defaultdict(list)
    wholes: dict[str, list[int]] = defaultdict(list)
    for term, ordinal in keys:
        wholes[term].append(ordinal)
        for end in range(1, len(term) + 1):
            beginnings[term[:end]].append(ordinal)
    for text, people in beginnings.items():
        assert kept_for(sets, text) == (set(people) if len(people) >= least else None)
    assert {each.term: set(each.members) for each in sets if each.whole} == {
        text: set(people) for text, people in wholes.items() if len(people) >= least
    }


@given(keys=st.lists(st.tuples(st.text("ab", min_size=1, max_size=4), st.integers(0, 9)), max_size=60, unique=True))
def test_no_set_is_kept_twice(keys: Keys) -> None:
    names = [(each.term, each.whole) for each in gathered(keys, 2)]
    assert len(names) == len(set(names))


def test_a_beginning_with_the_people_of_a_longer_one_is_not_kept_beside_it() -> None:
    sets = gathered([("工程师", 1), ("工程师", 2), ("工程总监", 3), ("会计", 4)], 2)
    assert [(each.term, each.whole) for each in sets] == [("工程师", True), ("工程师", False), ("工程", False)]


@pytest.mark.parametrize("beginnings", [True, False])
def test_nobody_asks_for_the_beginning_of_a_departments_key(beginnings: bool) -> None:  # noqa: FBT001 — a parameter
    sets = gathered([("D1", 1), ("D1", 2), ("D2", 3)], 2, beginnings=beginnings)
    assert [each.whole for each in sets] == ([True, False, False] if beginnings else [True])
