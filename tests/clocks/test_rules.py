"""Working-day deadlines as tables: Saturdays worked, the turn of the year, the clock of the day, and what never moves back."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar.package import announced, source
from app.calendar.rules import Entry, WorkCalendar
from app.calendar.rules import Kind as DayKind
from app.clocks.rules import DEFAULT_DAYS, Beginning, Cause, Deadline, Kind, State, attended, begun, counted, ended, met
from app.kit.models import new_id

HERE: Final = timezone(timedelta(hours=8))
KNOWN: Final = announced()
CALENDAR: Final = WorkCalendar(
    {day: entry for days in KNOWN.values() for day, entry in days.items()}, dict.fromkeys(KNOWN, source()), epoch=1
)


def here(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HERE).astimezone(UTC)


def deadline(
    began: datetime, kind: Kind = Kind.JOINER, *, heard: datetime | None = None, calendar: WorkCalendar = CALENDAR
) -> Deadline:
    beginning = Beginning(id=new_id(), kind=kind, source="hr", event_id="evt-1", subject=b"s" * 32, began_at=began)
    return begun(beginning, DEFAULT_DAYS[kind], calendar, heard or began)


@pytest.mark.parametrize(
    ("began", "kind", "due"),
    [
        ("2026-11-23T09:00", Kind.JOINER, "2026-11-26T18:00"),
        ("2026-11-23T09:00", Kind.MOVER, "2026-11-26T18:00"),
        ("2026-11-23T09:00", Kind.LEAVER, "2026-11-30T18:00"),
        ("2026-11-20T09:00", Kind.JOINER, "2026-11-25T18:00"),
        ("2026-11-21T09:00", Kind.JOINER, "2026-11-26T18:00"),
        ("2026-11-20T17:59:59", Kind.JOINER, "2026-11-25T18:00"),
        ("2026-11-20T18:00", Kind.JOINER, "2026-11-26T18:00"),
        ("2026-02-12T09:00", Kind.JOINER, "2026-02-24T18:00"),
        ("2026-02-13T09:00", Kind.LEAVER, "2026-02-27T18:00"),
        ("2026-02-25T09:00", Kind.JOINER, "2026-02-28T18:00"),
        ("2026-09-30T09:00", Kind.LEAVER, "2026-10-13T18:00"),
        ("2025-12-30T09:00", Kind.JOINER, "2026-01-05T18:00"),
        ("2025-12-31T18:00", Kind.LEAVER, "2026-01-09T18:00"),
    ],
    ids=[
        "a plain week",
        "a move",
        "who leaves has five",
        "over a weekend",
        "on a Saturday off",
        "before the evening",
        "in the evening",
        "a Saturday worked before Spring Festival",
        "over Spring Festival",
        "a Saturday worked after it",
        "over National Day and a Saturday worked",
        "over New Year and a Sunday worked",
        "from New Year's Eve",
    ],
)
def test_due(began: str, kind: Kind, due: str) -> None:
    found = deadline(here(began), kind)
    assert found.due_at == here(due), found.due_at.astimezone(HERE)
    assert not found.predicted


def test_into_a_year_that_nobody_announced_it_is_predicted() -> None:
    last = max(KNOWN)
    found = deadline(here(f"{last}-12-30T09:00"))
    assert found.predicted
    announced_later = WorkCalendar(
        {date(last + 1, 1, each): Entry(DayKind.OFF, "notice") for each in (1, 2, 3, 4)},
        {**CALENDAR.years, last + 1: "notice"},
        epoch=2,
    )
    again = counted(found, announced_later, here(f"{last}-12-31T09:00"))
    assert not again.predicted
    assert (again.calendar, again.first_due_at) == (2, found.due_at)
    assert again.due_at > found.due_at


MOMENTS: Final = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001 — given a zone


@given(MOMENTS, MOMENTS, st.integers(0, 30), st.integers(0, 30))
def test_due_is_monotone(one: datetime, other: datetime, few: int, more: int) -> None:
    first, second = sorted((one, other))
    fewer, longer = sorted((few, more))
    assert CALENDAR.due(first, fewer).at <= CALENDAR.due(second, longer).at
    assert CALENDAR.due(first, fewer).at > first


@given(MOMENTS, st.lists(st.timedeltas(timedelta(), timedelta(days=20)), max_size=12), st.sampled_from(Kind))
def test_each_step_once_and_a_breach_for_ever(began: datetime, waits: list[timedelta], kind: Kind) -> None:
    """However often and late the clock comes: at most one reminder and one escalation, and what was written of a breach stays."""
    found, steps, now = deadline(began, kind), list[str](), began
    broken = found.breached_at
    for wait in waits:
        now += wait
        found, step = attended(found, now)
        steps += [] if step is None else [step]
        assert broken is None or found.breached_at == broken
        broken = found.breached_at
        assert (broken is not None) == (now >= found.due_at and found.escalated_at is not None and now > found.due_at)
        assert found.next_at is None or found.next_at > now or found.escalated_at is None
        found = counted(found, WorkCalendar(epoch=9), now) if broken is not None else found
    assert steps == [each for each in ("remind", "breach") if each in steps]
    for after in (met(found, now), ended(found, Cause.LEFT, now)):
        assert broken is None or (after.breached_at, after.state) == (broken, State.BREACHED)
        assert after.next_at is None
        assert not after.is_running


BEGAN: Final = here("2026-11-23T09:00")
DUE: Final = here("2026-11-26T18:00")


@pytest.mark.parametrize(
    ("at", "state", "breached"),
    [
        (DUE - timedelta(microseconds=1), State.MET, None),
        (DUE, State.MET, None),
        (DUE + timedelta(microseconds=1), State.BREACHED, DUE),
    ],
    ids=["in time", "at the last moment", "too late"],
)
def test_met(at: datetime, state: State, breached: datetime | None) -> None:
    found = met(deadline(BEGAN), at)
    assert (found.state, found.breached_at, found.met_at, found.next_at) == (state, breached, at, None)
    assert met(found, at + timedelta(days=1)) == found
    assert ended(found, Cause.LEFT, at) == found


def test_an_event_that_arrives_too_late_is_born_breached() -> None:
    heard = DUE + timedelta(days=2)
    found = deadline(BEGAN, heard=heard)
    assert (found.due_at, found.recorded_at) == (DUE, heard)
    done = met(found, heard)
    assert (done.state, done.breached_at) == (State.BREACHED, heard), "we broke it when we heard of it, and no sooner"
    after, step = attended(found, heard + timedelta(hours=1))
    assert (step, after.breached_at, after.next_at) == ("breach", heard, None)


def test_half_way_a_reminder_then_the_breach() -> None:
    found = deadline(BEGAN)
    half = BEGAN + (DUE - BEGAN) / 2
    assert (found.next_at, found.remind_at) == (half, half)
    assert attended(found, half - timedelta(seconds=1)) == (found, None)
    reminded, step = attended(found, half)
    assert (step, reminded.reminded_at, reminded.next_at) == ("remind", half, DUE)
    assert attended(reminded, half)[1] is None
    broken, step = attended(reminded, DUE + timedelta(minutes=1))
    assert (step, broken.breached_at, broken.next_at) == ("breach", DUE, None)
    assert broken.is_running, "what is owed is owed still"


def test_a_revision_moves_what_is_open_and_not_what_is_broken() -> None:
    found, off = deadline(BEGAN), Entry(DayKind.OFF, "company")
    later = WorkCalendar({**dict(CALENDAR_DAYS), date(2026, 11, 25): off}, CALENDAR.years, epoch=2)
    moved = counted(found, later, BEGAN)
    assert (moved.due_at, moved.first_due_at, moved.next_at) == (here("2026-11-27T18:00"), DUE, moved.remind_at)
    broken, _ = attended(found, DUE + timedelta(minutes=1))
    assert counted(broken, later, DUE) == replace(broken, calendar=2)
    over = met(found, BEGAN)
    assert counted(over, later, BEGAN) == replace(over, calendar=2)


def test_a_revision_that_makes_it_due_in_the_past_breaks_it_when_it_was_made() -> None:
    longer = WorkCalendar({**dict(CALENDAR_DAYS), date(2026, 11, 25): Entry(DayKind.OFF, "company")}, CALENDAR.years)
    found = deadline(BEGAN, calendar=longer)
    revised = DUE + timedelta(hours=2)
    back = counted(found, CALENDAR, revised)
    assert back.due_at == DUE
    assert attended(back, revised + timedelta(hours=1))[0].breached_at == revised


CALENDAR_DAYS: Final = {day: entry for days in KNOWN.values() for day, entry in days.items()}
