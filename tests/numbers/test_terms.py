"""How long a number is somebody's: ends that can be, and when its holder is reminded, to the microsecond."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.numbers.rules import PoolClass
from app.numbers.terms import LONGEST_TERM, MUST_END, REMINDERS, TermFault, next_due, reminder, term_fault

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICK: Final = timedelta.resolution


@pytest.mark.parametrize("pool_class", PoolClass)
def test_an_end_lies_in_the_future_and_not_too_far(pool_class: PoolClass) -> None:
    longest = LONGEST_TERM[pool_class]
    assert term_fault(pool_class, NOW, NOW) is TermFault.PAST
    assert term_fault(pool_class, NOW + TICK, NOW) is None
    assert term_fault(pool_class, NOW + longest, NOW) is None
    assert term_fault(pool_class, NOW + longest + TICK, NOW) is TermFault.TOO_FAR
    missing = TermFault.MISSING if pool_class in MUST_END else None
    assert term_fault(pool_class, None, NOW) is missing


def test_temporary_numbers_end() -> None:
    assert {PoolClass.TEMPORARY} == MUST_END
    assert LONGEST_TERM[PoolClass.TEMPORARY] < LONGEST_TERM[PoolClass.INTERNAL]


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (timedelta(days=7) + TICK, None),
        (timedelta(days=7), 7),
        (timedelta(days=1) + TICK, 7),
        (timedelta(days=1), 1),
        (TICK, 1),
        (timedelta(0), None),
        (-TICK, None),
    ],
)
def test_reminders_are_due_a_week_and_a_day_before(left: timedelta, days: int | None) -> None:
    assert reminder(NOW + left, NOW) == days


@given(st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=40)))
def test_whoever_looks_when_it_is_due_reminds_each_time_once_and_then_ends(length: timedelta) -> None:
    until, at, told = NOW + length, NOW, []
    for _ in range(10):
        due = next_due(until, at)
        assert due is not None
        assert at < due <= until
        at = due
        if at == until:
            break
        told.append(reminder(until, at))
    assert at == until
    assert told == [each.days for each in REMINDERS if each < length]


def test_what_has_no_end_is_never_due() -> None:
    assert next_due(None, NOW) is None
