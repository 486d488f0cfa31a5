"""Counting in working days: the tables of 2026 as it was announced, years that were not, and laws that hold for any calendar."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar import package
from app.calendar.rules import LAW, Day, Entry, Kind, Status, WorkCalendar

CHINA: Final = timedelta(hours=8)
_SOURCE: Final = package.source()
YEARS: Final = package.announced()
KNOWN: Final = WorkCalendar(
    {day: entry for days in YEARS.values() for day, entry in days.items()}, dict.fromkeys(YEARS, _SOURCE)
)


def local(text: str) -> datetime:
    """Read a time of the clocks in China."""
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.mark.parametrize(
    ("begins", "days", "due"),
    [
        ("2026-03-02 10:00:00", 0, "2026-03-02 18:00"),
        ("2026-03-02 10:00:00", 1, "2026-03-03 18:00"),
        ("2026-03-02 10:00:00", 5, "2026-03-09 18:00"),
        ("2026-03-02 00:00:00", 1, "2026-03-03 18:00"),
        ("2026-03-02 17:59:59", 1, "2026-03-03 18:00"),
        ("2026-03-02 17:59:59.999999", 1, "2026-03-03 18:00"),
        ("2026-03-02 18:00:00", 1, "2026-03-04 18:00"),
        ("2026-03-02 23:59:59", 1, "2026-03-04 18:00"),
        ("2026-03-02 18:00:00", 0, "2026-03-03 18:00"),
        ("2026-03-06 18:00:00", 0, "2026-03-09 18:00"),
        ("2026-03-07 09:00:00", 0, "2026-03-09 18:00"),
        ("2026-03-07 19:00:00", 1, "2026-03-10 18:00"),
        # Spring Festival: 15 to 23 February off; Saturdays 14 and 28 February are worked
        ("2026-02-13 17:59:59", 1, "2026-02-14 18:00"),
        ("2026-02-13 18:00:00", 0, "2026-02-14 18:00"),
        ("2026-02-13 18:00:00", 1, "2026-02-24 18:00"),
        ("2026-02-13 10:00:00", 3, "2026-02-25 18:00"),
        ("2026-02-14 10:00:00", 0, "2026-02-14 18:00"),
        ("2026-02-14 18:00:00", 0, "2026-02-24 18:00"),
        ("2026-02-17 12:00:00", 5, "2026-03-02 18:00"),
        ("2026-02-24 10:00:00", 4, "2026-02-28 18:00"),
        ("2026-09-30 17:00:00", 1, "2026-10-08 18:00"),
        ("2026-09-30 17:00:00", 3, "2026-10-10 18:00"),
    ],
)
def test_due_dates_of_2026(begins: str, days: int, due: str) -> None:
    found = KNOWN.due(local(begins), days)
    assert found.at == local(f"{due}:00")
    assert found.at.tzinfo is UTC
    assert found.predicted is False


@pytest.mark.parametrize(
    ("begins", "days", "due", "predicted"),
    [
        ("2026-12-31 17:59:59", 0, "2026-12-31", False),
        ("2026-12-31 18:00:00", 0, "2027-01-04", True),  # 1 January is off by law, the 2nd and 3rd are a weekend
        ("2026-12-31 10:00:00", 1, "2027-01-04", True),
        ("2026-12-30 10:00:00", 1, "2026-12-31", False),
        ("2027-04-30 10:00:00", 1, "2027-05-03", True),  # 1 and 2 May are off by law, and a weekend
        ("2027-09-30 10:00:00", 1, "2027-10-04", True),
        ("2028-12-29 10:00:00", 1, "2029-01-02", True),
    ],
)
def test_a_year_that_was_not_announced_is_predicted(begins: str, days: int, due: str, *, predicted: bool) -> None:
    found = KNOWN.due(local(begins), days)
    assert (found.at, found.predicted) == (local(f"{due} 18:00:00"), predicted)


def test_a_predicted_year_between_confirmed_ones_counts_too() -> None:
    around = WorkCalendar(years={2026: "a", 2028: "b"})
    assert around.due(local("2026-12-31 10:00:00"), 265).at.year == 2028
    assert around.due(local("2026-12-31 10:00:00"), 265).predicted


def test_a_day_tells_who_said_so() -> None:
    saturday = KNOWN.day(date(2026, 2, 14))
    assert (saturday.kind, saturday.status, saturday.source) == (Kind.WORKING, Status.CONFIRMED, _SOURCE)
    assert (saturday.name_zh, saturday.name_en) == ("春节调休", "Worked in exchange for Spring Festival")
    assert KNOWN.day(date(2026, 2, 17)).name_zh == "春节"
    assert KNOWN.day(date(2026, 3, 2)) == Day(date(2026, 3, 2), Kind.WORKING, Status.CONFIRMED, _SOURCE, None, None)
    assert KNOWN.day(date(2027, 1, 1)) == Day(
        date(2027, 1, 1), Kind.OFF, Status.PREDICTED, LAW, "元旦", "New Year's Day"
    )
    assert KNOWN.day(date(2027, 2, 6)).kind is Kind.OFF  # the moon's new year, known to be off only as a Saturday
    assert KNOWN.day(date(2027, 2, 8)).kind is Kind.WORKING


def test_the_laws_dates_are_off_in_every_year_and_nothing_else_is_guessed() -> None:
    weekdays = [date(2030, 1, 1) + each * timedelta(days=1) for each in range(365)]
    nothing = WorkCalendar()
    guessed = [each for each in weekdays if each.weekday() < 5 and not nothing.is_working(each)]
    assert [(each.month, each.day) for each in guessed] == [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]


def test_an_announced_year_is_off_only_as_announced() -> None:
    announced = WorkCalendar({date(2027, 1, 4): Entry(Kind.OFF, "notice")}, {2027: "notice"})
    assert announced.is_working(date(2027, 1, 1))
    assert not announced.is_working(date(2027, 1, 4))
    assert announced.day(date(2027, 1, 5)).source == "notice"


def test_a_day_of_the_companys_own_confirms_no_year() -> None:
    own = WorkCalendar({date(2027, 1, 5): Entry(Kind.OFF, "company")})
    assert not own.is_confirmed(date(2027, 1, 5))
    assert own.due(local("2027-01-04 10:00:00"), 1).predicted


def test_other_clocks() -> None:
    at_noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert KNOWN.due(at_noon, 0).at == local("2026-03-03 18:00:00")  # 20:00 in China
    assert KNOWN.due(at_noon, 0, utc_offset=timedelta()).at == datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert KNOWN.due(at_noon, 0, utc_offset=timedelta(), cut_off=time(12)).at == datetime(2026, 3, 3, 12, tzinfo=UTC)
    west = WorkCalendar(KNOWN._days, KNOWN._years, cut_off=time(17, 30), utc_offset=timedelta(hours=-5))
    assert west.due(at_noon, 0).at == datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    assert west.counted_from(datetime(2026, 3, 3, 1, tzinfo=UTC)) == date(2026, 3, 3)  # 20:00 of the 2nd there


def test_the_year_is_that_of_the_clocks_here() -> None:
    assert KNOWN.due(datetime(2026, 12, 31, 15, 59, tzinfo=UTC), 0).predicted
    assert not WorkCalendar(years={2027: "x"}).due(datetime(2026, 12, 31, 16, tzinfo=UTC), 1).predicted


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        KNOWN.due(datetime(2026, 3, 2), 1)  # noqa: DTZ001 — what is refused
    with pytest.raises(ValueError, match="forwards"):
        KNOWN.due(local("2026-03-02 10:00:00"), -1)


def test_a_revision_moves_what_was_due_and_leaves_the_old_value_as_it_was() -> None:
    begins = local("2027-02-04 10:00:00")
    first = KNOWN.due(begins, 2)
    festival = {date(2027, 2, 5) + each * timedelta(days=1): Entry(Kind.OFF, "notice") for each in range(7)}
    announced = WorkCalendar({**KNOWN._days, **festival}, {**KNOWN._years, 2027: "notice"}, epoch=KNOWN.epoch + 1)
    then = announced.due(begins, 2)
    assert (first.at, first.predicted) == (local("2027-02-08 18:00:00"), True)
    assert (then.at, then.predicted) == (local("2027-02-15 18:00:00"), False)
    assert KNOWN.due(begins, 2) == first


DATES: Final = st.dates(date(2024, 1, 1), date(2029, 12, 31))
CALENDARS: Final = st.builds(
    lambda days, years: WorkCalendar(
        {day: Entry(kind, "drawn") for day, kind in days.items()}, dict.fromkeys(years, "drawn")
    ),
    st.dictionaries(DATES, st.sampled_from(Kind), max_size=60),
    st.sets(st.integers(2024, 2031)),
)
MOMENTS: Final = st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 — bounds are naive here


@given(calendar=CALENDARS, start=MOMENTS, days=st.integers(0, 40))
def test_what_is_due_is_due_at_the_end_of_a_working_day_after_so_many(
    calendar: WorkCalendar, start: datetime, days: int
) -> None:
    due = calendar.due(start, days)
    last = (due.at + CHINA).date()
    assert due.at > start
    assert (due.at + CHINA).time() == time(18)
    assert calendar.is_working(last)
    first = calendar.counted_from(start)
    assert calendar.between(first, last) == days + 1
    crossed = {(start + CHINA).year + each for each in range(last.year - (start + CHINA).year + 1)}
    assert due.predicted is not crossed.issubset(calendar.years)


@given(calendar=CALENDARS, start=MOMENTS, more=st.timedeltas(timedelta(), timedelta(days=90)), days=st.integers(0, 20))
def test_who_begins_later_or_has_longer_is_never_due_earlier(
    calendar: WorkCalendar, start: datetime, more: timedelta, days: int
) -> None:
    assert calendar.due(start, days).at <= calendar.due(start + more, days).at
    assert calendar.due(start, days).at < calendar.due(start, days + 1).at


@given(calendar=CALENDARS, first=DATES, length=st.integers(0, 400), cut=st.integers(0, 400))
def test_counting_adds_up(calendar: WorkCalendar, first: date, length: int, cut: int) -> None:
    last, middle = first + timedelta(days=length), first + timedelta(days=min(cut, length))
    parts = calendar.between(first, middle) + calendar.between(middle + timedelta(days=1), last)
    assert calendar.between(first, last) == parts
    assert calendar.between(last + timedelta(days=1), last) == 0
    following = calendar.next_working_day(first)
    assert following > first
    assert calendar.between(first + timedelta(days=1), following) == 1
    assert calendar.add(first, 0) == (first if calendar.is_working(first) else following)


@given(calendar=CALENDARS, day=DATES, days=st.integers(0, 60), more=st.integers(0, 60))
def test_going_on_twice_is_going_on_once(calendar: WorkCalendar, day: date, days: int, more: int) -> None:
    assert calendar.add(calendar.add(day, days), more) == calendar.add(day, days + more)
