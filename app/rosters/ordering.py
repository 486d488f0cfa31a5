"""In which order rows of people are settled, and which of them are about one person. No I/O."""

from collections import Counter
from collections.abc import Iterator, Sequence

from app.auth.subject import user_name_key
from app.rosters.reading import Person


def keys(person: Person) -> tuple[tuple[str, str], ...]:
    """Give by what a row is known: its employee number and its user name."""
    found = (("employee_no", person.employee_no), ("user_name", _key(person.user_name)))
    return tuple((name, value) for name, value in found if value)


def named(word: str) -> tuple[tuple[str, str], ...]:
    """Give by what whom a word names might be known."""
    return ("employee_no", word), ("user_name", _key(word))


def repeated(people: Sequence[Person]) -> list[bool]:
    """Tell of each row whether another row has one of its keys: which of them is true only people know."""
    counted = Counter(key for each in people for key in keys(each))
    return [any(counted[key] > 1 for key in keys(each)) for each in people]


def settled_in(people: Sequence[Person]) -> list[int]:
    """Give the places of rows in the order in which they are settled: who is named by a row before that row, else as they stand.

    Rows that name each other in a ring stay in the order in which the ring is met.
    """
    at = {key: place for place, each in enumerate(people) for key in keys(each)}
    order: list[int] = []
    met = [False] * len(people)
    for first in range(len(people)):
        trail = [] if met[first] else [(first, _before(people[first], at))]
        met[first] = True
        while trail:
            place, further = trail[-1]
            following = next((each for each in further if not met[each]), None)
            if following is None:
                order.append(place)
                trail.pop()
            else:
                met[following] = True
                trail.append((following, _before(people[following], at)))
    return order


def _before(person: Person, at: dict[tuple[str, str], int]) -> Iterator[int]:
    return (at[key] for word in person.people for key in named(word) if key in at)


def _key(name: str | None) -> str:
    return (None if name is None else user_name_key(name)) or ""
