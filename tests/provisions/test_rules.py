"""A provision by itself: its states, when the clock has something to do with it, and how long its record is kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from app.provisions import rules
from app.provisions.rules import KEPT, OVER, REMINDER, Provision, ProvisionState, ReturnKind
from tests.support.clock import NOON

A: Final = UUID(int=1)
B: Final = UUID(int=2)
TERM: Final = timedelta(days=30)
OPEN: Final = Provision(
    id=UUID(int=9),
    request_id=UUID(int=8),
    requester_id=A,
    responsible_id=A,
    contract="HT-1",
    fields=("mobile",),
    crosses=(),
    terms=b"",
    asked=3,
    starts_at=NOON,
    ends_at=NOON + TERM,
    return_by=NOON + TERM,
)
OUT: Final = rules.packaged(OPEN, UUID(int=7), NOON)
DECLARED: Final = rules.declared(OUT, NOON, ReturnKind.DESTROYED, A)


@pytest.mark.parametrize(
    ("provision", "state"),
    [
        (OPEN, ProvisionState.OPEN),
        (OUT, ProvisionState.PROVIDED),
        (replace(OUT, overdue_at=NOON), ProvisionState.OVERDUE),
        (DECLARED, ProvisionState.DECLARED),
        (replace(DECLARED, overdue_at=NOON), ProvisionState.DECLARED),
        (rules.refused(DECLARED), ProvisionState.PROVIDED),
        (rules.refused(replace(DECLARED, overdue_at=NOON)), ProvisionState.OVERDUE),
        (rules.confirmed(DECLARED, NOON, B), ProvisionState.DESTROYED),
        (rules.confirmed(rules.declared(OUT, NOON, ReturnKind.RETURNED, A), NOON, B), ProvisionState.RETURNED),
        (rules.ended(OPEN, NOON, "revoked", NOON), ProvisionState.LAPSED),
        (rules.ended(OUT, NOON, "revoked", NOON), ProvisionState.PROVIDED),
    ],
)
def test_states(provision: Provision, state: ProvisionState) -> None:
    assert provision.state is state
    assert (provision.keep_until is not None) == (state in OVER)
    assert (provision.next_at is not None) == (state is ProvisionState.PROVIDED)


def test_a_package_is_made_within_the_term_and_once() -> None:
    second = timedelta(seconds=1)
    assert [OPEN.gives(at) for at in (NOON - second, NOON, NOON + TERM - second, NOON + TERM)] == [
        False,
        True,
        True,
        False,
    ]
    assert not OUT.gives(NOON)
    assert not rules.ended(OPEN, NOON, "revoked", NOON).gives(NOON)


def test_ended_early_it_comes_back_early_and_ended_twice_is_ended_once() -> None:
    soon = NOON + timedelta(days=5)
    early = rules.ended(OUT, NOON, "revoked", soon)
    assert early.return_by == soon
    assert rules.ended(early, NOON + TERM, "expired", NOON + 2 * TERM) == early
    assert rules.ended(OUT, NOON + TERM, "expired", NOON + 2 * TERM).return_by == OUT.return_by
    over = rules.confirmed(DECLARED, NOON, B)
    assert rules.ended(over, NOON, "expired", soon) == over


def test_reminded_first_and_overdue_then() -> None:
    assert OUT.next_at == OUT.return_by - REMINDER
    assert replace(OUT, reminded_at=NOON).next_at == OUT.return_by


def test_the_record_is_kept_for_three_years_at_least() -> None:
    over = rules.confirmed(DECLARED, NOON, B)
    assert over.keep_until == NOON + KEPT
    assert NOON.replace(year=NOON.year + 3) <= NOON + KEPT
