"""A number as the directory tells it to somebody who switches it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.calling.rules import Function
from app.numbers.rules import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is told of a holder of whom the reader may know; of a department the name, of a room the code, of a device what it is called."""

    name: str
    employee_no: str | None = None
    user_name: str | None = None
    room: str | None = None
    department: str | None = None
    contact: UUID | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """Something that a line may do beyond the house, and until when."""

    function: Function
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OurLine:
    """A number of the plan. ``withheld``: it has holders of whom the reader may not know, and nothing is said of them."""

    digits: str
    state: State
    pool: str
    extension: bool = False
    until: datetime | None = None
    people: tuple[Person, ...] = ()
    withheld: bool = False
    granted: tuple[Granted, ...] = ()

    @property
    def name(self) -> str:
        """Whose it is, all of them where several share it; empty where that is not told."""
        return "、".join(each.name for each in self.people)

    @property
    def contacts(self) -> tuple[UUID, ...]:
        """The contacts that it tells of."""
        return tuple(each.contact for each in self.people if each.contact is not None)
