"""The rules of the plan against plain counting: what a range holds, where two meet, what is reserved, what may follow what."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.numbers.nice import mirrored, pattern
from app.numbers.rules import (
    CLASS_DAYS,
    TRANSITIONS,
    Cause,
    Order,
    PoolClass,
    RangeMalformed,
    State,
    Strategy,
    Stretch,
    Verb,
    begun,
    collision,
    digits_at,
    first_key,
    moved,
    next_key,
    regained,
    release_verb,
    reserved_in,
    rest,
    standing,
    stretch,
)
from app.numbers.tails import by_ending

NOW: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)


@st.composite
def stretches(draw: st.DrawFn, width: int = 3) -> Stretch:
    """Draw a range of short numbers with steps and exclusions, leading zeros included."""
    numbers = st.integers(0, 10**width - 1)
    low, high = sorted((draw(numbers), draw(numbers)))
    gaps = [sorted(each) for each in draw(st.lists(st.tuples(numbers, numbers), max_size=4))]
    text = [(str(start).zfill(width), str(end).zfill(width)) for start, end in gaps]
    return Stretch(str(low).zfill(width), str(high).zfill(width), draw(st.integers(1, 40)), tuple(text))


def counted(found: Stretch) -> list[str]:
    """Write the numbers of a range out, one by one."""
    every = range(int(found.first), int(found.last) + 1, found.step)
    gaps = [(int(low), int(high)) for low, high in found.excluded]
    return [str(each).zfill(found.width) for each in every if not any(low <= each <= high for low, high in gaps)]


@given(stretches())
def test_a_range_holds_what_counting_finds(found: Stretch) -> None:
    numbers = counted(found)
    assert found.size == len(numbers)
    assert found.chunk(0, 10_000) == numbers
    assert all(found.holds(each) for each in numbers)
    assert not found.holds("0" + found.first)


@given(stretches(), st.integers(0, 300), st.integers(1, 50))
def test_chunks_are_pieces_of_the_whole(found: Stretch, offset: int, count: int) -> None:
    assert found.chunk(offset, count) == counted(found)[offset : offset + count]


@given(stretches(), stretches())
def test_two_ranges_meet_where_counting_says(one: Stretch, two: Stretch) -> None:
    common = sorted(set(counted(one)) & set(counted(two)))
    assert collision(one, two) == (common[0] if common else None)
    assert collision(two, one) == collision(one, two)


@given(stretches(), stretches(width=2))
def test_ranges_of_different_length_never_meet(one: Stretch, two: Stretch) -> None:
    assert collision(one, two) is None


@given(stretches(), st.lists(st.from_regex(r"[0-9]{1,5}", fullmatch=True), max_size=6, unique=True))
def test_reserved_numbers_are_found_both_ways(found: Stretch, reserved: list[str]) -> None:
    numbers = counted(found)
    expected = {}
    for digits in reserved:
        faults = [each for each in numbers if each.startswith(digits) or digits.startswith(each)]
        if faults:
            expected[digits] = faults[0]
    assert reserved_in(found, reserved) == expected


@pytest.mark.parametrize(
    ("start", "end", "excluded", "code"),
    [
        ("100", "1000", [], "range_of_two_lengths"),
        ("200", "100", [], "range_reversed"),
        ("100", "200", ["20"], "malformed_exclusion"),
        ("100", "200", ["150-140"], "malformed_exclusion"),
        ("100", "200", ["150-1600"], "malformed_exclusion"),
        ("100", "200", ["150-201"], "malformed_exclusion"),
        ("100", "200", ["099"], "malformed_exclusion"),
        ("100", "200", ["100-200"], "empty_range"),
    ],
)
def test_what_cannot_be_a_range_is_refused(start: str, end: str, excluded: list[str], code: str) -> None:
    with pytest.raises(RangeMalformed) as refusal:
        stretch(start, end, 1, excluded)
    assert refusal.value.code == code


def test_leading_zeros_are_kept() -> None:
    assert stretch("007", "012", 2, ["009"]).chunk(0, 9) == ["007", "011"]


TABLE: Final = """
                open hold drop allocate provision confirm release rest regain reuse transfer reserve block unblock retire
planned         avai -    -    -        -         -       -       -    -      -     -        -       -     -       reti
available       -    held -    assi     prov      -       -       -    -      -     -        rese    bloc  -       reti
held            -    -    avai assi     prov      -       -       -    -      -     -        rese    -     -       reti
provisioning    -    -    -    -        -         assi    quar    -    -      -     prov     -       bloc  -       -
assigned        -    -    -    -        -         -       quar    -    -      -     assi     -       bloc  -       -
quarantined     -    -    -    -        -         -       -       avai assi   assi  -        -       bloc  -       reti
reserved        avai -    avai assi     prov      -       -       -    -      -     -        -       -     -       reti
blocked         -    -    -    -        -         -       -       -    -      -     -        -       -     quar    reti
retired         -    -    -    -        -         -       -       -    -      -     -        -       -     -       -
"""
"""Every state and every verb: where it leads, by its first four letters."""


def test_a_number_moves_as_the_table_says_and_in_no_other_way() -> None:
    first, *rows = TABLE.strip().splitlines()
    verbs = [Verb(each) for each in first.split()]
    assert set(verbs) == set(Verb)
    table = {State(row.split()[0]): row.split()[1:] for row in rows}
    assert set(table) == set(State)
    for state, cells in table.items():
        for verb, cell in zip(verbs, cells, strict=True):
            after = moved(state, verb)
            assert (cell == "-") if after is None else after.value.startswith(cell), (state, verb)


@pytest.mark.parametrize("state", State)
def test_only_what_would_be_assigned_waits_for_the_exchange(state: State) -> None:
    assert begun(state, confirms=False) is state
    assert begun(state, confirms=True) is (State.PROVISIONING if state is State.ASSIGNED else state)
    back = State.PROVISIONING if state is State.QUARANTINED else None
    assert regained(state, last="one", holder="one", confirms=True) is back


@pytest.mark.parametrize("state", State)
def test_a_date_ends_what_can_end_and_nothing_else(state: State) -> None:
    ends = state in {State.PLANNED, State.HELD, State.QUARANTINED, State.RESERVED, State.BLOCKED}
    assert standing(state, NOW, NOW) is (State.AVAILABLE if ends else state)
    assert standing(state, NOW + timedelta.resolution, NOW) is state
    assert standing(state, None, NOW) is state


def test_nothing_leaves_retirement_and_everything_else_can_be_left() -> None:
    left = {state for state, _ in TRANSITIONS}
    assert left == set(State) - {State.RETIRED}


@pytest.mark.parametrize("state", State)
def test_a_number_that_waits_goes_back_to_its_last_holder_and_to_nobody_else(state: State) -> None:
    back = State.ASSIGNED if state is State.QUARANTINED else None
    assert regained(state, last=("contact", 1), holder=("contact", 1)) is back
    for other in (("contact", 2), ("department", 1), None):
        assert regained(state, last=other, holder=("contact", 1)) is None


@pytest.mark.parametrize(
    ("state", "until", "told"),
    [
        (State.QUARANTINED, NOW + timedelta(microseconds=1), State.QUARANTINED),
        (State.QUARANTINED, NOW, State.AVAILABLE),
        (State.QUARANTINED, NOW - timedelta(days=1), State.AVAILABLE),
        (State.BLOCKED, None, State.BLOCKED),
        (State.ASSIGNED, None, State.ASSIGNED),
    ],
)
def test_a_quarantine_ends_by_itself(state: State, until: datetime | None, told: State) -> None:
    assert standing(state, until, NOW) is told


@pytest.mark.parametrize(
    ("days", "cause", "rests"),
    [
        (90, Cause.LEFT, timedelta(days=90)),
        (90, Cause.MOVED, timedelta(days=30)),
        (7, Cause.MOVED, timedelta(days=7)),
        (365, Cause.RELEASED, timedelta(days=365)),
        (0, Cause.EXPIRED, timedelta(0)),
        (90, Cause.ABUSED, None),
    ],
)
def test_a_number_rests_by_pool_and_cause(days: int, cause: Cause, rests: timedelta | None) -> None:
    assert rest(days, cause) == rests
    assert release_verb(cause) is (Verb.BLOCK if rests is None else Verb.RELEASE)


def test_every_class_has_its_days() -> None:
    assert set(CLASS_DAYS) == set(PoolClass)


def nobody_draws() -> int:
    pytest.fail("nothing is drawn here")


@given(st.lists(st.from_regex(r"[0-9]{2,15}", fullmatch=True), min_size=2, unique=True))
def test_lowest_first_means_short_first_then_by_value(numbers: list[str]) -> None:
    def key(digits: str) -> int:
        return first_key(Order(Strategy.LOWEST), digits, nobody_draws)

    ordered = sorted(numbers, key=lambda each: (len(each), each))
    assert sorted(numbers, key=key) == ordered
    assert all(key(one) < key(two) < 2**63 for one, two in pairwise(ordered))


@given(st.from_regex(r"[0-9]{2,15}", fullmatch=True), st.from_regex(r"[0-9]{2,15}", fullmatch=True))
def test_longest_idle_puts_what_was_used_last(fresh: str, used: str) -> None:
    earlier = next_key(Order(Strategy.LONGEST_IDLE), used, NOW, nobody_draws)
    later = next_key(Order(Strategy.LONGEST_IDLE), used, NOW + timedelta(microseconds=1), nobody_draws)
    assert first_key(Order(Strategy.LONGEST_IDLE), fresh, nobody_draws) < earlier < later < 2**63


@given(st.lists(st.from_regex(r"[0-9]{2,15}", fullmatch=True), min_size=2, unique=True))
def test_what_is_liked_comes_first_and_lowest_first_within(numbers: list[str]) -> None:
    liking = Order(Strategy.PATTERN, pattern("*8").matches)
    ordered = sorted(numbers, key=lambda each: (not each.endswith("8"), len(each), each))
    assert sorted(numbers, key=lambda each: first_key(liking, each, nobody_draws)) == ordered
    for each in numbers:
        key = first_key(liking, each, nobody_draws)
        assert 0 <= key < 2**63
        assert next_key(liking, each, NOW, nobody_draws) == key
        assert mirrored(mirrored(key)) == key


@given(st.from_regex(r"[0-9]{2,15}", fullmatch=True))
def test_a_place_says_which_number_stands_there(digits: str) -> None:
    assert digits_at(first_key(Order(Strategy.MOBILE_TAIL), digits, nobody_draws)) == digits


def test_random_takes_the_place_that_is_drawn() -> None:
    assert first_key(Order(Strategy.RANDOM), "100", lambda: 7) == 7
    assert next_key(Order(Strategy.RANDOM), "100", NOW, lambda: 8) == 8


@given(
    st.dictionaries(st.from_regex(r"[0-9]{1,4}", fullmatch=True), st.integers(0, 99), max_size=6),
    st.from_regex(r"[0-9]{4}", fullmatch=True),
)
@settings(max_examples=20)
def test_an_ending_leads_to_the_first_tail_that_it_meets(tails: dict[str, int], ending: str) -> None:
    found = by_ending(tails)
    for each in (ending, *(f"{ending[: 4 - len(tail)]}{tail}" for tail in tails)):
        meets = [place for tail, place in tails.items() if each.endswith(tail)]
        assert found.get(each) == min(meets, default=None)
