"""The course of a request by itself: every state against everything that can happen, and what each type of step needs."""

from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.approvals.chains import StepType
from app.approvals.machine import (
    IN_FORCE,
    OPEN,
    OVER,
    Amended,
    Asks,
    Course,
    Effected,
    Ends,
    Gone,
    Happening,
    Moves,
    OutOfTime,
    Passed,
    Reason,
    Refused,
    Reopened,
    Replaced,
    Said,
    Stage,
    Stale,
    State,
    StepState,
    Task,
    Unable,
    Withdrawn,
    Word,
    begun,
    moved,
    words,
)

A, B, C, D = (UUID(int=each) for each in range(1, 5))
STEP = Stage(id="one", type=StepType.ANY)
HAPPENINGS: dict[str, Happening] = {
    "said": Said(A, Word.APPROVE),
    "passed": Passed(holds=True),
    "asks": Asks((D,)),
    "moves": Moves(A, D),
    "replaced": Replaced(A, (D,)),
    "gone": Gone(A),
    "withdrawn": Withdrawn(),
    "amended": Amended((STEP,)),
    "reopened": Reopened(),
    "stale": Stale(),
    "out of time": OutOfTime(),
    "effected": Effected(lasting=True),
    "unable": Unable(),
    "expires": Ends(State.EXPIRED),
    "overdue": Ends(State.OVERDUE),
    "returned": Ends(State.RETURNED),
    "revoked": Ends(State.REVOKED),
}
TAKEN: dict[State, dict[str, State]] = {
    State.PENDING: {
        "said": State.APPROVED,
        "asks": State.PENDING,
        "moves": State.PENDING,
        "replaced": State.PENDING,
        "withdrawn": State.WITHDRAWN,
        "out of time": State.TIMED_OUT,
    },
    State.AMENDING: {"amended": State.PENDING, "withdrawn": State.WITHDRAWN, "out of time": State.TIMED_OUT},
    State.NEEDS_REAPPROVAL: {"amended": State.PENDING, "withdrawn": State.WITHDRAWN, "out of time": State.TIMED_OUT},
    State.APPROVED: {
        "withdrawn": State.WITHDRAWN,
        "out of time": State.TIMED_OUT,
        "stale": State.NEEDS_REAPPROVAL,
        "effected": State.ACTIVE,
        "unable": State.FAILED,
    },
    State.ACTIVE: {
        "expires": State.EXPIRED,
        "overdue": State.OVERDUE,
        "returned": State.RETURNED,
        "revoked": State.REVOKED,
    },
    State.OVERDUE: {"returned": State.RETURNED, "revoked": State.REVOKED},
    State.REJECTED: {"reopened": State.AMENDING},
    State.TIMED_OUT: {"reopened": State.AMENDING},
}


def course_in(state: State) -> Course:
    """Give a course in a state: pending with A asked, in every other with its step done or left."""
    asked = replace(STEP, tasks=(Task(person=A), Task(person=B)))
    at = StepState.ACTIVE if state is State.PENDING else StepState.DONE
    return Course(state=state, stages=(replace(asked, state=at),))


@pytest.mark.parametrize(("state", "name"), list(product(State, HAPPENINGS)))
def test_every_state_answers_everything_that_can_happen(state: State, name: str) -> None:
    after = moved(course_in(state), HAPPENINGS[name])
    expected = TAKEN.get(state, {}).get(name)
    if expected is None:
        assert isinstance(after, Refused), after
    else:
        assert isinstance(after, Course)
        assert after.state is expected


def test_states_are_open_in_force_or_over() -> None:
    assert set(State) == OPEN | IN_FORCE | OVER
    assert not OPEN & IN_FORCE
    assert all(state in TAKEN for state in OPEN | IN_FORCE)


def pending(kind: StepType, *people: UUID, needed: int = 1, veto: bool = True) -> Course:
    """Open one step with these people."""
    course = moved(begun([Stage(id="one", type=kind, needed=needed, veto=veto)]), Asks(people))
    assert isinstance(course, Course)
    return course


def after(course: Course, *said: tuple[UUID, Word]) -> Course:
    """Let people speak, one after the other."""
    for person, word in said:
        following = moved(course, Said(person, word))
        assert isinstance(following, Course), following
        course = following
    return course


YES, NO, BACK = Word.APPROVE, Word.REJECT, Word.RETURN


@pytest.mark.parametrize(
    ("course", "said", "state"),
    [
        (pending(StepType.ANY, A, B), [(A, YES)], State.APPROVED),
        (pending(StepType.ANY, A, B), [(A, NO)], State.REJECTED),
        (pending(StepType.ALL, A, B), [(A, YES)], State.PENDING),
        (pending(StepType.ALL, A, B), [(A, YES), (B, YES)], State.APPROVED),
        (pending(StepType.ALL, A, B), [(A, YES), (B, NO)], State.REJECTED),
        (pending(StepType.N, A, B, C, needed=2), [(A, YES), (C, YES)], State.APPROVED),
        (pending(StepType.N, A, B, C, needed=2), [(A, NO)], State.REJECTED),
        (pending(StepType.N, A, B, C, needed=2, veto=False), [(A, NO)], State.PENDING),
        (pending(StepType.N, A, B, C, needed=2, veto=False), [(A, NO), (B, NO)], State.REJECTED),
        (pending(StepType.N, A, B, C, needed=2, veto=False), [(A, NO), (B, YES), (C, YES)], State.APPROVED),
        (pending(StepType.SEQUENTIAL, A, B), [(A, YES), (B, YES)], State.APPROVED),
        (pending(StepType.CONSENT, A, B), [(A, YES)], State.PENDING),
        (pending(StepType.CONSENT, A, B), [(A, YES), (B, NO)], State.REJECTED),
        (pending(StepType.ACKNOWLEDGE, A, B), [(B, YES)], State.APPROVED),
        (pending(StepType.ATTEST, A), [(A, YES)], State.APPROVED),
        (pending(StepType.PROVISION, A), [(A, BACK)], State.AMENDING),
    ],
)
def test_what_each_type_of_step_needs(course: Course, said: list[tuple[UUID, Word]], state: State) -> None:
    assert after(course, *said).state is state


@pytest.mark.parametrize(
    ("course", "happens", "reason"),
    [
        (pending(StepType.SEQUENTIAL, A, B), Said(B, YES), Reason.NOT_YOUR_TURN),
        (pending(StepType.ALL, A, B), Said(C, YES), Reason.NOT_ASKED),
        (after(pending(StepType.ALL, A, B), (A, YES)), Said(A, NO), Reason.ALREADY_DECIDED),
        (pending(StepType.ACKNOWLEDGE, A), Said(A, NO), Reason.NO_SUCH_WORD),
        (pending(StepType.CONSENT, A), Said(A, BACK), Reason.NO_SUCH_WORD),
        (pending(StepType.ANY, A), Asks((A,)), Reason.ALREADY_ASKED),
        (pending(StepType.ALL, A, B), Moves(A, B), Reason.ALREADY_ASKED),
        (pending(StepType.ALL, A, B), Moves(C, D), Reason.NOT_ASKED),
        (pending(StepType.ALL, A, B), Replaced(C, (D,)), Reason.NOT_ASKED),
        (pending(StepType.ALL, A, B), Replaced(A, (B,)), Reason.ALREADY_ASKED),
        (pending(StepType.ANY, A), Replaced(A, ()), Reason.NOBODY_LEFT),
        (pending(StepType.ALL, A, B), Replaced(A, ()), Reason.NOBODY_LEFT),
        (after(pending(StepType.ALL, A, B), (A, YES)), Replaced(B, ()), Reason.NOBODY_LEFT),
        (pending(StepType.CONSENT, A, B), Replaced(A, ()), Reason.NOBODY_LEFT),
        (pending(StepType.ALL, A, B), Gone(A), Reason.NOT_ASKED),
        (pending(StepType.CONSENT, A, B), Gone(C), Reason.NOT_ASKED),
        (after(pending(StepType.CONSENT, A, B), (A, YES)), Gone(A), Reason.NOT_ASKED),
        (pending(StepType.N, A, B, needed=2), Replaced(A, ()), Reason.NOBODY_LEFT),
        (after(pending(StepType.N, A, B, needed=2), (A, YES)), Replaced(B, ()), Reason.NOBODY_LEFT),
    ],
)
def test_why_something_cannot_happen(course: Course, happens: Happening, reason: Reason) -> None:
    assert moved(course, happens) == Refused(reason)


def test_who_passed_the_question_on_answers_no_more() -> None:
    course = moved(pending(StepType.ANY, A), Moves(A, D))
    assert isinstance(course, Course)
    assert moved(course, Said(A, YES)) == Refused(Reason.NOT_ASKED)
    assert after(course, (D, YES)).state is State.APPROVED


@pytest.mark.parametrize(
    ("course", "said"),
    [
        (pending(StepType.ANY, A, B), [(B, YES)]),
        (pending(StepType.N, A, B, C, needed=2), [(B, YES), (C, YES)]),
        (after(pending(StepType.N, A, B, C, needed=2), (B, YES)), [(C, YES)]),
    ],
)
def test_a_step_goes_on_without_who_is_gone_as_long_as_enough_are_left(
    course: Course, said: list[tuple[UUID, Word]]
) -> None:
    left = moved(course, Replaced(A, ()))
    assert isinstance(left, Course)
    assert left.state is State.PENDING, "nobody's going is a yes"
    assert moved(left, Said(A, YES)) == Refused(Reason.NOT_ASKED)
    assert after(left, *said).state is State.APPROVED


def test_who_comes_instead_takes_the_place_in_the_order() -> None:
    course = moved(pending(StepType.SEQUENTIAL, A, B), Replaced(A, (D,)))
    assert isinstance(course, Course)
    assert moved(course, Said(B, YES)) == Refused(Reason.NOT_YOUR_TURN)
    assert after(course, (D, YES), (B, YES)).state is State.APPROVED


def test_nothing_is_done_without_whoever_was_asked_beside() -> None:
    course = moved(pending(StepType.ANY, A), Asks((D,)))
    assert isinstance(course, Course)
    assert after(course, (A, YES)).state is State.PENDING
    assert after(course, (D, YES), (A, YES)).state is State.APPROVED


def test_a_review_waits_for_the_effect_and_outlives_it() -> None:
    stages = [Stage(id="one", type=StepType.ANY), Stage(id="two", type=StepType.REVIEW)]
    course = moved(begun(stages), Asks((A,)))
    assert isinstance(course, Course)
    approved = after(course, (A, YES))
    assert (approved.state, approved.at) == (State.APPROVED, None)
    active = moved(approved, Effected(lasting=True))
    assert isinstance(active, Course)
    assert active.at is not None
    assert active.at.id == "two"
    asked = moved(active, Asks((B,)))
    assert isinstance(asked, Course)
    over = moved(asked, Ends(State.EXPIRED))
    assert isinstance(over, Course)
    assert after(over, (B, YES)).state is State.EXPIRED
    assert after(over, (B, NO)).state is State.REVOKED


def test_a_step_takes_words_and_a_check_takes_none() -> None:
    assert {kind for kind in StepType if not words(kind)} == {StepType.CHECK}


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from(list(Word))), max_size=8))
def test_however_people_speak_nobody_is_heard_twice_and_nothing_acts_before_its_time(
    said: list[tuple[UUID, Word]],
) -> None:
    course: Course = pending(StepType.N, A, B, C, needed=2, veto=False)
    heard = set()
    for person, word in said:
        following = moved(course, Said(person, word))
        if isinstance(following, Course):
            assert course.state is State.PENDING
            assert person not in heard
            heard.add(person)
            course = following
    yes = sum(task.word is YES for task in course.stages[0].tasks)
    assert (course.state is State.APPROVED) == (yes == 2)
