"""What passes between giving numbers out and telling of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.numbers.repository import NumberRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many numbers, or which one."""

    count: int = 1
    digits: str | None = None


@dataclass(frozen=True, slots=True)
class Allocated:
    """What was given out: assignment, digits and end of each; ``replayed``: told again, not given again."""

    numbers: tuple[tuple[UUID, str, datetime | None], ...]
    replayed: bool = False

    @property
    def digits(self) -> tuple[str, ...]:
        """The numbers alone."""
        return tuple(digits for _, digits, _ in self.numbers)


@dataclass(frozen=True, slots=True)
class Released:
    """A number after a release, and how many assignments ended."""

    number: NumberRow
    ended: int
