"""When a calling privilege is in force, and how far off its end may be."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.calling.rules import LONGEST, Cause, Function, Privilege, longest, state
from tests.support.clock import NOON

NOBODY = UUID(int=1)
TICK = timedelta(microseconds=1)


def privilege(**members: object) -> Privilege:
    given: dict[str, object] = {
        "id": NOBODY,
        "request_id": NOBODY,
        "assignment_id": NOBODY,
        "contact_id": NOBODY,
        "domain": "main",
        "digits": "61000",
        "function": Function.INTERNATIONAL,
        "since": NOON,
        "until": NOON + timedelta(days=1),
    }
    return Privilege(**{**given, **members})  # type: ignore[arg-type]  # a test's members


@pytest.mark.parametrize(
    ("members", "holds", "after", "wanted"),
    [
        ({}, True, timedelta(0), "active"),
        ({}, True, timedelta(days=1) - TICK, "active"),
        ({}, True, timedelta(days=1), "expired"),
        ({}, False, timedelta(0), "ended"),
        ({"ended_at": NOON, "cause": Cause.LEFT}, True, timedelta(0), "ended"),
        ({"ended_at": NOON + TICK, "cause": Cause.REVOKED}, True, timedelta(0), "active"),
    ],
    ids=["fresh", "just before the end", "at the end", "another's line", "ended now", "ending in a moment"],
)
def test_it_is_in_force_while_the_line_is_its_holders_and_until_its_very_end(
    members: dict[str, object], *, holds: bool, after: timedelta, wanted: str
) -> None:
    assert state(privilege(**members), holds=holds, now=NOON + after) == wanted


def test_what_is_asked_for_together_is_had_as_long_as_what_is_had_shortest() -> None:
    assert set(LONGEST) == set(Function)
    assert longest(frozenset(Function)) == LONGEST[Function.INTERNATIONAL]
    assert longest(frozenset({Function.CONFERENCE})) == LONGEST[Function.CONFERENCE]
