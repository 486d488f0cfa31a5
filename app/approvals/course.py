"""Where a request stands, as a value: its state, its steps, and who has been asked and has said what in each.

Pure. What can happen to it is the business of ``machine``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.approvals.chains import StepType


class State(StrEnum):
    """Where a request is."""

    PENDING = "pending"
    AMENDING = "amending"
    APPROVED = "approved"
    ACTIVE = "active"
    OVERDUE = "overdue"
    COMPLETED = "completed"
    EXPIRED = "expired"
    RETURNED = "returned"
    REVOKED = "revoked"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed_out"
    NEEDS_REAPPROVAL = "needs_reapproval"
    FAILED = "failed"


OPEN: Final = frozenset({State.PENDING, State.AMENDING, State.APPROVED, State.NEEDS_REAPPROVAL})
"""States in which something is still to be decided or done before the effect."""
IN_FORCE: Final = frozenset({State.ACTIVE, State.OVERDUE})
"""States in which what was approved lasts."""
OVER: Final = frozenset(State) - OPEN - IN_FORCE


EVERYBODY: Final = frozenset({StepType.ALL, StepType.SEQUENTIAL, StepType.CONSENT})
"""Types of steps that wait for everybody who is asked."""


class Word(StrEnum):
    """What somebody says to a step."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"


class StepState(StrEnum):
    """Where a step is."""

    WAITING = "waiting"
    ACTIVE = "active"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One person asked in one step.

    ``word`` is what they said, ``moved`` that somebody else is asked instead, ``must`` that the step is not done without them (加签).
    """

    person: UUID
    word: Word | None = None
    moved: bool = False
    must: bool = False

    @property
    def is_open(self) -> bool:
        """Whether an answer is awaited."""
        return self.word is None and not self.moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step under way: its tasks in the order in which a sequential step takes them; ``separately``: each answers for themselves."""

    id: str
    type: StepType
    needed: int = 1
    veto: bool = True
    separately: bool = False
    state: StepState = StepState.WAITING
    tasks: tuple[Task, ...] = ()

    @property
    def waiting_for(self) -> tuple[UUID, ...]:
        """Who may answer now."""
        if self.state is not StepState.ACTIVE:
            return ()
        people = tuple(task.person for task in self.tasks if task.is_open)
        return people[:1] if self.type is StepType.SEQUENTIAL else people

    def can_do_without(self, *people: UUID) -> bool:
        """Tell whether the step can still come to a yes when none of ``people`` answers, and nobody instead of them."""
        gone = [task for task in self.tasks if task.is_open and task.person in people]
        if self.separately:
            return any(task.is_open or task.word is Word.APPROVE for task in self.tasks if task not in gone)
        if self.type in EVERYBODY or any(task.must for task in gone):
            return not gone
        left = [task for task in self.tasks if not task.must and task not in gone]
        return sum(task.is_open or task.word is Word.APPROVE for task in left) >= self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A request's state and steps."""

    state: State
    stages: tuple[Stage, ...]

    @property
    def at(self) -> Stage | None:
        """The step that is active, if any."""
        return next((each for each in self.stages if each.state is StepState.ACTIVE), None)

    def stage(self, identity: str) -> Stage | None:
        """Find a step."""
        return next((each for each in self.stages if each.id == identity), None)
