"""What passes between giving numbers out and telling of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.audit.authors import Author
from app.numbers.nice import Pattern
from app.numbers.repository import Assignment, NumberRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many numbers, which one (``early``: even while it rests), how they look, or those of a hold.

    ``kept``: also such as their pool keeps back.
    """

    count: int = 1
    digits: str | None = None
    hold: UUID | None = None
    early: bool = False
    pattern: Pattern | None = None
    contiguous: bool = False
    kept: bool = False

    @property
    def is_choosy(self) -> bool:
        """Tell whether just any next ones would not do."""
        return self.pattern is not None or self.contiguous


@dataclass(frozen=True, slots=True)
class AllocatedOne:
    """A number that was given out: its assignment, until when, and whether it stands assigned or waits for the exchange."""

    assignment: UUID
    digits: str
    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Allocated:
    """What was given out; ``replayed``: told again, not given again."""

    numbers: tuple[AllocatedOne, ...]
    replayed: bool = False

    @property
    def digits(self) -> tuple[str, ...]:
        """The numbers alone."""
        return tuple(each.digits for each in self.numbers)


@dataclass(frozen=True, slots=True)
class Released:
    """A number after a release, and how many assignments ended."""

    number: NumberRow
    ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How numbers are held: ``hold`` for a caller or ``reservation`` for a purpose, by whom, for what, until when; what they look like.

    In ``pattern`` a ``?`` is one digit and a ``*`` any number of them.
    """

    kind: str
    owner: str
    purpose: str
    until: datetime
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A number as a caller names it: digits, and the code of the domain where several have them."""

    digits: str
    domain: str | None


@dataclass(frozen=True, slots=True)
class Passed:
    """A number that went to another holder, and what holds it now."""

    number: NumberRow
    now: Assignment


@dataclass(frozen=True, slots=True)
class Acting:
    """Who passes a number on: the caller as keys name it, and the author of the event."""

    caller: str
    author: Author
