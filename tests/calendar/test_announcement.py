"""A notice as it is typed in: what cannot be right is named, each where it stands."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from app.calendar import package
from app.calendar.announcement import Announcement, Period, slips
from app.calendar.rules import Kind

D = date.fromisoformat
GOOD = (
    Period(D("2027-01-01"), D("2027-01-03"), "元旦", "New Year's Day"),
    Period(D("2027-05-01"), D("2027-05-05")),
    Period(D("2027-10-01"), D("2027-10-07")),
)


def told(off: Sequence[Period] = GOOD, working: Sequence[str] = (), year: int = 2027) -> Announcement:
    return Announcement(year, "notice", off, [D(each) for each in working])


def found(announcement: Announcement) -> list[tuple[str, str]]:
    return [(each.pointer, each.code) for each in slips(announcement)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"working": ["2027-02-20", "2027-05-09"]}, []),
        ({"working": ["2026-12-26"]}, []),  # a notice may speak of the December before
        ({"off": (*GOOD, Period(D("2026-12-31"), D("2026-12-31")))}, []),
        ({"working": ["2026-11-28"]}, [("/working_days/0", "other_year")]),
        ({"working": ["2028-01-08"]}, [("/working_days/0", "other_year")]),
        ({"working": ["2027-02-22"]}, [("/working_days/0", "not_a_weekend")]),
        ({"working": ["2027-02-20", "2027-02-20"]}, [("/working_days/1", "named_twice")]),
        ({"working": ["2027-10-02"]}, [("/working_days/0", "named_twice")]),
        ({"off": (*GOOD, Period(D("2027-05-05"), D("2027-05-06")))}, [("/off_days/3", "named_twice")]),
        ({"off": (Period(D("2027-02-11"), D("2027-02-05")), *GOOD)}, [("/off_days/0", "reversed_range")]),
        ({"off": (*GOOD, Period(D("2027-06-01"), D("2027-07-01")))}, []),
        ({"off": (*GOOD, Period(D("2027-06-01"), D("2027-07-02")))}, [("/off_days/3", "too_long")]),
        ({"off": GOOD[:2]}, [("/off_days", "statutory_day_missing")]),
        ({"off": (Period(D("2027-01-01"), D("2027-01-01")), *GOOD[1:])}, []),
        ({"off": GOOD, "year": 2028}, [(f"/off_days/{each}", "other_year") for each in range(3)]),
    ],
)
def test_slips(given: Mapping[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(told(**given)) == expected


def test_every_slip_is_told_in_both_languages() -> None:
    for each in slips(told(working=["2028-03-01", "2028-03-01"])):
        assert each.en.endswith(".")
        assert each.zh.endswith("。")


def test_entries() -> None:
    days = told(working=["2027-02-20"]).entries()
    assert [days[D("2027-01-02")].kind, days[D("2027-01-02")].name_zh] == [Kind.OFF, "元旦"]
    assert days[D("2027-02-20")].kind is Kind.WORKING
    assert len(days) == 3 + 5 + 7 + 1
    assert {each.source for each in days.values()} == {"notice"}


def test_every_year_that_the_package_knows_under_the_law_of_now_would_be_taken_from_a_notice() -> None:
    """What the slips know of notices holds of those that there were."""
    for year, days in package.announced().items():
        if year < 2025:
            continue
        off = [Period(day, day) for day, each in days.items() if each.kind is Kind.OFF]
        working = [day for day, each in days.items() if each.kind is Kind.WORKING]
        assert slips(Announcement(year, "notice", off, working)) == []
