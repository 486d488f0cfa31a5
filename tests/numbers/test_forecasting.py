"""When a pool runs out, by numbers that one can work out by hand."""

from datetime import date, timedelta
from itertools import accumulate, combinations
from statistics import median
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.numbers.forecasting import HORIZON, Known, forecast, theil_sen

TODAY: Final = date(2026, 11, 22)


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=26))
def test_the_slope_is_the_median_of_all_pairs_and_lies_in_its_band(net: list[int]) -> None:
    values = list(accumulate(net))
    slope = theil_sen(values)
    assert slope is not None
    pairs = combinations(enumerate(values), 2)
    assert slope.weekly == median((two - one) / (later - earlier) for (earlier, one), (later, two) in pairs)
    assert slope.low <= slope.weekly <= slope.high


def test_a_steady_take_up_has_no_band() -> None:
    found = forecast(free=70, net=[7] * 10, known=[], today=TODAY)
    assert found.slope is not None
    assert (found.slope.weekly, found.slope.low, found.slope.high) == (7, 7, 7)
    assert found.exhausted_on == found.earliest == found.latest == TODAY + timedelta(days=70)


def test_one_large_intake_bends_it_little() -> None:
    usual, once = [2] * 26, [2] * 12 + [200] + [2] * 13
    calm, bent = theil_sen(list(accumulate(usual))), theil_sen(list(accumulate(once)))
    assert calm is not None
    assert bent is not None
    assert (calm.weekly, bent.low) == (2, 2)
    assert bent.high > 2


@given(st.integers(1, 500), st.lists(st.integers(0, 20), min_size=4, max_size=26))
def test_the_earliest_comes_first(free: int, net: list[int]) -> None:
    found = forecast(free=free, net=net, known=[], today=TODAY)
    days = [each or date.max for each in (found.earliest, found.exhausted_on, found.latest)]
    assert days == sorted(days)


@pytest.mark.parametrize(
    ("free", "net", "known", "expected"),
    [
        (0, [1] * 8, [], TODAY),
        (10, [0] * 8, [], None),
        (10, [-3] * 8, [], None),
        (10, [], [], None),
        (10, [], [Known(TODAY + timedelta(days=30), 9)], None),
        (10, [], [Known(TODAY + timedelta(days=30), 10)], TODAY + timedelta(days=30)),
        (10, [7] * 8, [Known(TODAY + timedelta(days=5), 5)], TODAY + timedelta(days=5)),
        (10, [7] * 8, [Known(TODAY - timedelta(days=5), 10)], TODAY),
        (10**6, [1] * 8, [], None),
    ],
)
def test_the_day(free: int, net: list[int], known: list[Known], expected: date | None) -> None:
    assert forecast(free=free, net=net, known=known, today=TODAY).exhausted_on == expected


def test_nobody_is_told_a_day_beyond_the_horizon() -> None:
    last = forecast(free=HORIZON, net=[7] * 8, known=[], today=TODAY)
    assert last.exhausted_on == TODAY + timedelta(days=HORIZON)
    assert forecast(free=HORIZON + 1, net=[7] * 8, known=[], today=TODAY).exhausted_on is None
