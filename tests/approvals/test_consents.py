"""Separate consents by themselves: each for their own, counted together only where nobody is left."""

from uuid import UUID

import pytest

from app.approvals.chains import Chains, StepType
from app.approvals.consents import rests_on, taken_back
from app.approvals.machine import (
    Asks,
    Course,
    Effected,
    Gone,
    OutOfTime,
    Refused,
    Said,
    Stage,
    State,
    StepState,
    Word,
    begun,
    moved,
)
from tests.approvals.kinds import a_kind, step

A, B, C = (UUID(int=each) for each in range(1, 4))
YES, NO = Word.APPROVE, Word.REJECT


def course(*words: tuple[UUID, Word]) -> Course:
    """Ask three people, and let some of them answer."""
    at = moved(begun([Stage(id="consent", type=StepType.CONSENT, separately=True)]), Asks((A, B, C)))
    for person, word in words:
        assert isinstance(at, Course)
        at = moved(at, Said(person, word))
    assert isinstance(at, Course)
    return at


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([(A, NO)], State.PENDING),
        ([(A, YES)], State.PENDING),
        ([(A, NO), (B, NO)], State.PENDING),
        ([(A, NO), (B, NO), (C, NO)], State.REJECTED),
        ([(A, NO), (B, YES), (C, NO)], State.APPROVED),
        ([(A, YES), (B, YES), (C, YES)], State.APPROVED),
    ],
)
def test_a_no_is_ones_own(words: list[tuple[UUID, Word]], state: State) -> None:
    assert course(*words).state is state


@pytest.mark.parametrize(
    ("words", "state"), [([(A, YES)], State.APPROVED), ([(A, NO)], State.TIMED_OUT), ([], State.TIMED_OUT)]
)
def test_silence_is_a_no(words: list[tuple[UUID, Word]], state: State) -> None:
    after = moved(course(*words), OutOfTime())
    assert isinstance(after, Course)
    assert after.state is state


@pytest.mark.parametrize(
    ("words", "gone", "state"),
    [
        ([], [A], State.PENDING),
        ([(A, YES)], [B], State.PENDING),
        ([(A, YES), (B, NO)], [C], State.APPROVED),
        ([(A, YES)], [B, C], State.APPROVED),
        ([(A, NO), (B, NO)], [C], State.REJECTED),
        ([(A, NO)], [B, C], State.REJECTED),
        ([], [A, B, C], State.REJECTED),
    ],
)
def test_who_left_is_counted_out_at_once(words: list[tuple[UUID, Word]], gone: list[UUID], state: State) -> None:
    at: Course | Refused = course(*words)
    for each in gone:
        assert isinstance(at, Course)
        at = moved(at, Gone(each))
    assert isinstance(at, Course)
    assert at.state is state
    said = {task.person: task.word for task in at.stages[0].tasks}
    assert [said[each] for each in gone] == [None] * len(gone), "nobody says that they said anything"


def test_the_last_no_after_somebody_left_is_the_last() -> None:
    at = moved(course((A, NO)), Gone(B))
    assert isinstance(at, Course)
    over = moved(at, Said(C, NO))
    assert isinstance(over, Course)
    assert over.state is State.REJECTED


def test_taken_back_after_somebody_left_it_is_the_last_no() -> None:
    at = moved(course((A, YES), (C, NO)), Gone(B))
    assert isinstance(at, Course)
    assert at.state is State.APPROVED
    waits = moved(course((A, YES)), Gone(B))
    assert isinstance(waits, Course)
    back = taken_back(waits, A)
    assert isinstance(back, Course)
    over = moved(back, Said(C, NO))
    assert isinstance(over, Course)
    assert over.state is State.REJECTED


def test_a_consent_that_all_must_give_is_refused_when_one_of_them_left() -> None:
    at = moved(begun([Stage(id="consent", type=StepType.CONSENT)]), Asks((A, B)))
    assert isinstance(at, Course)
    over = moved(at, Gone(B))
    assert isinstance(over, Course)
    assert (over.state, over.at) == (State.REJECTED, None)


def test_taken_back_while_others_are_asked_it_is_a_no() -> None:
    after = taken_back(course((A, YES), (B, NO)), A)
    assert isinstance(after, Course)
    assert (after.state, after.at is not None) == (State.PENDING, True)
    over = moved(after, Said(C, NO))
    assert isinstance(over, Course)
    assert over.state is State.REJECTED


def test_taken_back_in_force_the_rest_goes_on() -> None:
    active = moved(course((A, YES), (B, YES), (C, NO)), Effected(lasting=True))
    assert isinstance(active, Course)
    assert taken_back(active, C) is None, "who refused has nothing to take back"
    one = taken_back(active, A)
    assert isinstance(one, Course)
    assert (one.state, one.stages[0].state, rests_on(one)) == (State.ACTIVE, StepState.DONE, True)
    assert taken_back(one, A) is None
    none = taken_back(one, B)
    assert isinstance(none, Course)
    assert not rests_on(none)


def test_a_consent_that_is_not_separate_is_not_taken_back_alone() -> None:
    at = moved(begun([Stage(id="consent", type=StepType.CONSENT)]), Asks((A, B)))
    assert isinstance(at, Course)
    at = moved(at, Said(A, YES))
    assert isinstance(at, Course)
    assert taken_back(at, A) is None
    assert not isinstance(moved(at, Said(B, NO)), Refused)


@pytest.mark.parametrize(
    "steps",
    [
        [step("hr", "approve_any", {"role": "hr"}, separately=True)],
        [step("consent", "consent", {"subject": True}, separately=True), step("hr", "approve_any", {"role": "hr"})],
    ],
)
def test_kinds_that_make_no_sense_are_refused(steps: list[dict[str, object]]) -> None:
    with pytest.raises(ValueError, match="separate"):
        Chains.model_validate({"version": "1.0.0", "kinds": [a_kind("test.separate", *steps)]})
