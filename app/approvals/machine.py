"""The course of a request: its states, what can happen to it, and what becomes of it then.

Pure. ``moved`` takes a course and one thing that happens and gives another course, or the reason for which it cannot happen; it answers
every pair of state and happening (reference/policy-approval.md d.3). Who may be the one to say something is asked elsewhere (``duties``);
here a word counts as the word of the person whose task it is. Steps follow one another; a step waits for as many of its tasks as its type
says. Reviews stand behind the effect and run while it is in force.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias, assert_never
from uuid import UUID

from app.approvals.chains import StepType
from app.approvals.course import (
    EVERYBODY,
    IN_FORCE,
    OPEN,
    OVER,
    Course,
    Stage,
    State,
    StepState,
    Task,
    Word,
)

__all__ = [
    "IN_FORCE",
    "OPEN",
    "OVER",
    "Amended",
    "Asks",
    "Course",
    "Effected",
    "Ends",
    "Gone",
    "Happening",
    "Moves",
    "OutOfTime",
    "Passed",
    "Reason",
    "Refused",
    "Reopened",
    "Replaced",
    "Said",
    "Stage",
    "Stale",
    "State",
    "StepState",
    "Task",
    "Unable",
    "Withdrawn",
    "Word",
    "begun",
    "moved",
    "words",
]

_REVIEWED: Final = IN_FORCE | {State.COMPLETED, State.EXPIRED, State.RETURNED}


class Reason(StrEnum):
    """Why something cannot happen."""

    NOT_OPEN = "not_open"
    NOT_ASKED = "not_asked"
    NOT_YOUR_TURN = "not_your_turn"
    ALREADY_DECIDED = "already_decided"
    NO_SUCH_WORD = "no_such_word"
    NOT_IN_FORCE = "not_in_force"
    ALREADY_ASKED = "already_asked"
    NOBODY_LEFT = "nobody_left"


@dataclass(frozen=True, slots=True)
class Said:
    """The person whose task it is, or somebody for them, answers the active step."""

    person: UUID
    word: Word


@dataclass(frozen=True, slots=True)
class Passed:
    """A check held, or did not."""

    holds: bool


@dataclass(frozen=True, slots=True)
class Asks:
    """The active step is opened with these people, or asks these beside those whom it asks (加签)."""

    people: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """A task goes to somebody else (转交, escalation, an approver who left)."""

    person: UUID
    to: UUID


@dataclass(frozen=True, slots=True)
class Replaced:
    """Somebody who was asked cannot answer any more: these are asked instead, nobody where enough others are left to answer."""

    person: UUID
    by: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody whose consent is awaited left: nobody gives it for them, so it counts as a no, of theirs alone where each has their own."""

    person: UUID


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The requester does not want it any more."""


@dataclass(frozen=True, slots=True)
class Amended:
    """The requester filed it anew, changed: everything said before is void. ``stages`` are those of the new round."""

    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Reopened:
    """An appeal against its refusal, or against nobody's having answered, was upheld: the requester may file it anew."""


@dataclass(frozen=True, slots=True)
class Stale:
    """What the approval rested on is not so any more."""


@dataclass(frozen=True, slots=True)
class OutOfTime:
    """Nobody answered in time."""


@dataclass(frozen=True, slots=True)
class Effected:
    """The effect acted; ``lasting`` when something remains that can end."""

    lasting: bool


@dataclass(frozen=True, slots=True)
class Unable:
    """The effect could not act."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What lasted is over: it expired, was given back, or was taken back; ``overdue`` when it should have been given back."""

    how: State


Happening: TypeAlias = (
    Said
    | Passed
    | Asks
    | Moves
    | Replaced
    | Gone
    | Withdrawn
    | Amended
    | Reopened
    | Stale
    | OutOfTime
    | Effected
    | Unable
    | Ends
)


_LEAVES_FROM: Final[Mapping[type, tuple[Collection[State], State]]] = {
    Withdrawn: (OPEN, State.WITHDRAWN),
    Reopened: ({State.REJECTED, State.TIMED_OUT}, State.AMENDING),
    Stale: ({State.APPROVED}, State.NEEDS_REAPPROVAL),
    OutOfTime: (OPEN, State.TIMED_OUT),
    Unable: ({State.APPROVED}, State.FAILED),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot happen, and why."""

    reason: Reason


def begun(stages: Iterable[Stage]) -> Course:
    """Begin a course at its first step; one without steps before the effect is approved at once."""
    return _next(Course(state=State.PENDING, stages=tuple(stages)))


def moved(course: Course, happens: Happening) -> Course | Refused:  # noqa: C901, PLR0911, PLR0912 — one answer per happening
    """Give the course after something happened, or why it cannot."""
    match happens:
        case Said(person, word):
            return _said(course, person, word)
        case Passed(holds):
            return _checked(course, holds=holds)
        case Asks(people):
            return _asks(course, people)
        case Moves(person, to):
            return _moves(course, person, (to,))
        case Replaced(person, by):
            return _moves(course, person, by)
        case Gone(person):
            return _gone(course, person)
        case Amended(stages):
            if course.state not in {State.AMENDING, State.NEEDS_REAPPROVAL}:
                return Refused(Reason.NOT_OPEN)
            return begun(stages)
        case Effected(lasting):
            if course.state is not State.APPROVED:
                return Refused(Reason.NOT_OPEN)
            return _next(replace(course, state=State.ACTIVE if lasting else State.COMPLETED))
        case Ends(how):
            return _ended(course, how)
        case OutOfTime() if (at := course.at) and at.separately and any(each.word is Word.APPROVE for each in at.tasks):
            return _next(_with(course, replace(at, state=StepState.DONE)))
        case Withdrawn() | Reopened() | Stale() | OutOfTime() | Unable():
            among, state = _LEAVES_FROM[type(happens)]
            return _closed(course, state) if course.state in among else Refused(Reason.NOT_OPEN)
        case _:
            assert_never(happens)


def _said(course: Course, person: UUID, word: Word) -> Course | Refused:  # noqa: C901, PLR0911 — one answer per case
    stage = course.at
    if stage is None or not _listening(course, stage):
        return Refused(Reason.NOT_OPEN)
    task = next((each for each in stage.tasks if each.person == person and not each.moved), None)
    if task is None:
        return Refused(Reason.NOT_ASKED)
    if task.word is not None:
        return Refused(Reason.ALREADY_DECIDED)
    if person not in stage.waiting_for:
        return Refused(Reason.NOT_YOUR_TURN)
    if word not in words(stage.type):
        return Refused(Reason.NO_SUCH_WORD)
    tasks = tuple(replace(each, word=word) if each is task else each for each in stage.tasks)
    stage = replace(stage, tasks=tasks)
    course = _with(course, stage)
    if stage.type is StepType.REVIEW:
        if word is Word.REJECT:
            return _closed(course, State.REVOKED)
        return _next(_with(course, replace(stage, state=StepState.DONE)))
    match word:
        case Word.RETURN:
            return _closed(course, State.AMENDING)
        case Word.REJECT if _lost(stage):
            return _closed(course, State.REJECTED)
        case Word.APPROVE | Word.REJECT:
            return _next(_with(course, replace(stage, state=StepState.DONE))) if _won(stage) else course
        case _:
            assert_never(word)


def words(kind: StepType) -> frozenset[Word]:
    """Say what can be answered to a step: a 报备 is taken note of and gives nobody a veto, a consent is not negotiated."""
    match kind:
        case StepType.ACKNOWLEDGE:
            return frozenset({Word.APPROVE})
        case StepType.CONSENT | StepType.REVIEW:
            return frozenset({Word.APPROVE, Word.REJECT})
        case StepType.CHECK:
            return frozenset()
        case StepType.ANY | StepType.ALL | StepType.N | StepType.SEQUENTIAL | StepType.ATTEST | StepType.PROVISION:
            return frozenset(Word)
        case _:
            assert_never(kind)


def _listening(course: Course, stage: Stage) -> bool:
    """Tell whether the active step takes answers in this state: a review while the effect lasts or is done, any other while pending."""
    if stage.type is StepType.REVIEW:
        return course.state in _REVIEWED
    return course.state is State.PENDING


def _won(stage: Stage) -> bool:
    """Tell whether enough has been said for the step."""
    if stage.type in EVERYBODY:
        return not any(each.is_open for each in stage.tasks)
    if any(each.is_open and each.must for each in stage.tasks):
        return False
    return sum(each.word is Word.APPROVE and not each.must for each in stage.tasks) >= stage.needed


def _lost(stage: Stage) -> bool:
    """Tell whether a no ends the request: n of m without a veto goes on while enough are left, separate consents while one may come."""
    if stage.separately:
        return all(each.word is Word.REJECT or each.moved for each in stage.tasks)
    if stage.type is not StepType.N or stage.veto:
        return True
    if any(each.must and each.word is Word.REJECT for each in stage.tasks):
        return True
    left = [each for each in stage.tasks if not each.must and (each.is_open or each.word is Word.APPROVE)]
    return len(left) < stage.needed


def _checked(course: Course, *, holds: bool) -> Course | Refused:
    stage = course.at
    if stage is None or stage.type is not StepType.CHECK or course.state is not State.PENDING:
        return Refused(Reason.NOT_OPEN)
    if not holds:
        return _closed(course, State.REJECTED)
    return _next(_with(course, replace(stage, state=StepState.DONE)))


def _asks(course: Course, people: tuple[UUID, ...]) -> Course | Refused:
    stage = course.at
    if stage is None or stage.type is StepType.CHECK or not _listening(course, stage):
        return Refused(Reason.NOT_OPEN)
    asked = {each.person for each in stage.tasks if not each.moved}
    if not asked.isdisjoint(people):
        return Refused(Reason.ALREADY_ASKED)
    new = tuple(Task(person=each, must=bool(stage.tasks)) for each in dict.fromkeys(people))
    return _with(course, replace(stage, tasks=(*stage.tasks, *new)))


def _moves(course: Course, person: UUID, to: tuple[UUID, ...]) -> Course | Refused:
    stage = course.at
    if stage is None or not _listening(course, stage):
        return Refused(Reason.NOT_OPEN)
    task = next((each for each in stage.tasks if each.person == person and each.is_open), None)
    if task is None:
        return Refused(Reason.NOT_ASKED)
    if any(each.person in to and not each.moved for each in stage.tasks):
        return Refused(Reason.ALREADY_ASKED)
    if not to and not stage.can_do_without(person):
        return Refused(Reason.NOBODY_LEFT)
    instead = tuple(Task(person=each, must=task.must) for each in dict.fromkeys(to))
    tasks = tuple(
        part for each in stage.tasks for part in ((replace(each, moved=True), *instead) if each is task else (each,))
    )
    return _with(course, replace(stage, tasks=tasks))


def _gone(course: Course, person: UUID) -> Course | Refused:
    stage = course.at
    if stage is None or course.state is not State.PENDING:
        return Refused(Reason.NOT_OPEN)
    if stage.type is not StepType.CONSENT or person not in stage.waiting_for:
        return Refused(Reason.NOT_ASKED)
    tasks = tuple(replace(each, moved=True) if each.person == person and each.is_open else each for each in stage.tasks)
    stage = replace(stage, tasks=tasks)
    course = _with(course, stage)
    if not stage.separately or _lost(stage):
        return _closed(course, State.REJECTED)
    return _next(_with(course, replace(stage, state=StepState.DONE))) if _won(stage) else course


def _ended(course: Course, how: State) -> Course | Refused:
    if course.state not in IN_FORCE:
        return Refused(Reason.NOT_IN_FORCE)
    match how:
        case State.OVERDUE | State.EXPIRED:
            return replace(course, state=how) if course.state is State.ACTIVE else Refused(Reason.NOT_IN_FORCE)
        case State.RETURNED:
            return replace(course, state=how)
        case State.REVOKED:
            return _closed(course, how)
        case _:
            return Refused(Reason.NOT_IN_FORCE)


def _closed(course: Course, state: State) -> Course:
    """Leave the chain: nothing is active any more."""
    stages = tuple(
        replace(each, state=StepState.WAITING) if each.state is StepState.ACTIVE else each for each in course.stages
    )
    return replace(course, state=state, stages=stages)


def _next(course: Course) -> Course:
    """Make the next step active; before the effect, having none left is approval. Reviews wait for the effect."""
    pending = course.state is State.PENDING
    for at, stage in enumerate(course.stages):
        if stage.state is StepState.WAITING and (stage.type is StepType.REVIEW) != pending:
            stages = (*course.stages[:at], replace(stage, state=StepState.ACTIVE), *course.stages[at + 1 :])
            return replace(course, stages=stages)
    return replace(course, state=State.APPROVED) if pending else course


def _with(course: Course, stage: Stage) -> Course:
    return replace(course, stages=tuple(stage if each.id == stage.id else each for each in course.stages))
