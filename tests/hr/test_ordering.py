"""Lives in any order and with any repeats, by the rules alone: they end as a plain reading in order does. No store, no clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.hr.ordering import (
    FORMER_PLACE,
    STATUS,
    Apply,
    Happening,
    Kind,
    Missing,
    Place,
    Subject,
    Superseded,
    Wait,
    after,
    in_turn,
    judge,
    written_by,
)

DAWN = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = "https://hr.example.com"


@dataclass(frozen=True)
class Event:
    """An event of a life: what stands in it, and that it stands at ``number``."""

    kind: Kind | str
    number: int
    data: tuple[tuple[str, str], ...] = ()
    sequenced: bool = False
    scheduled: bool = False
    cancels: int | None = None

    @property
    def place(self) -> Place:
        return Place(DAWN + timedelta(days=self.number), SOURCE, self.number if self.sequenced else None)

    def happening(self) -> Happening:
        return Happening(self.kind, self.place, frozenset(name for name, _ in self.data))  # type: ignore[arg-type]  # of a person


@dataclass
class Card:
    """What the directory says of somebody."""

    standing: str = "absent"
    members: dict[str, str | None] = field(default_factory=dict)

    def told(self) -> tuple[str, dict[str, str]]:
        return self.standing, {name: value for name, value in self.members.items() if value is not None}


def in_order(life: Sequence[Event]) -> Card:
    """Read a life from its beginning to its end, as somebody would who knows all of it: the answer that every other reading must give."""
    card = Card()
    withdrawn = {each.cancels for each in life}
    for event in sorted(life, key=lambda each: each.number):
        if event.scheduled or event.number in withdrawn or event.kind == "cancelled":
            continue
        match event.kind:
            case "left":
                card.standing = "left"
            case "joined" | "rehired":
                emptied = (FORMER_PLACE | {"memberships"}) if event.kind == "rehired" else card.members
                card.members.update(dict.fromkeys(emptied))
                card.standing = "in_service"
            case _:
                assert card.standing == "in_service"
        card.members.update(event.data)
    return card


class Reader:
    """Takes events as they come: applies, keeps waiting, and looks again at what waits after everything that it applies."""

    def __init__(self) -> None:
        self.subject, self.card = Subject(), Card()
        self.seen, self.waiting, self.scheduled = set[int](), list[Event](), set[int]()
        self.last: int | None = None

    def take(self, event: Event) -> None:
        if event.number in self.seen:
            return
        self.seen.add(event.number)
        self.waiting.append(event)
        while any(self._tried(each) for each in sorted(self.waiting, key=lambda each: each.number)):
            continue

    def _tried(self, event: Event) -> bool:
        known = self.subject.standing != "absent"
        sequence = event.number if event.sequenced else None
        if not in_turn(self.last, sequence, begins=event.kind == "joined" or known):
            return False
        if event.kind == "cancelled":
            if event.cancels not in self.seen:
                return False
            self.scheduled.discard(event.cancels or 0)
        elif event.scheduled:
            self.scheduled.add(event.number)
        else:
            verdict = judge(self.subject, event.happening())
            if isinstance(verdict, Wait):
                return False
            if isinstance(verdict, Apply):
                self._apply(event, verdict.members)
        if sequence is not None:
            self.last = max(sequence, self.last or 0)
        self.waiting.remove(event)
        return True

    def _apply(self, event: Event, members: frozenset[str]) -> None:
        data = dict(event.data)
        for name in members - {STATUS}:
            self.card.members[name] = data.get(name)
        self.subject = after(self.subject, event.happening(), members)
        self.card.standing = self.subject.standing


MEMBERS = ("department", "title", "manager", "mobile", "memberships", "location")


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """Draw a life as a source tells it: one joining, then whatever can follow on what is; some departures are announced and withdrawn."""
    sequenced = draw(st.booleans())
    written = st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from("甲乙丙"), min_size=1).map(
        lambda data: tuple(sorted(data.items()))
    )
    life, standing = [Event("joined", 1, draw(written), sequenced)], "in_service"
    for _ in range(draw(st.integers(0, 8))):
        number = life[-1].number + 1
        choices = ("moved", "updated", "leaving", "left", "cancelled") if standing == "in_service" else ("rehired",)
        kind = draw(st.sampled_from(choices))
        if kind == "cancelled":
            life.append(Event("left", number, (), sequenced, scheduled=True))
            life.append(Event("cancelled", number + 1, (), sequenced, cancels=number))
            continue
        standing = "left" if kind == "left" else "in_service"
        life.append(Event(kind, number, () if kind == "left" else draw(written), sequenced))
    return life


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Draw a life, and its events in any order, some of them more than once."""
    life = draw(lives())
    repeats = draw(st.lists(st.sampled_from(life), max_size=4))
    return life, draw(st.permutations(life + repeats))


@settings(max_examples=150, deadline=None)
@given(arrivals())
def test_every_order_and_repetition_of_a_life_ends_as_the_life_does(drawn: tuple[list[Event], list[Event]]) -> None:
    life, arriving = drawn
    reader = Reader()
    for event in arriving:
        reader.take(event)
    assert reader.card.told() == in_order(life).told()
    assert (reader.waiting, reader.scheduled) == ([], set())


@settings(max_examples=50, deadline=None)
@given(arrivals())
def test_what_was_written_is_never_written_by_something_earlier(drawn: tuple[list[Event], list[Event]]) -> None:
    reader, writers = Reader(), dict[str, Place]()
    for event in drawn[1]:
        reader.take(event)
        for name, place in reader.subject.writers.items():
            assert name not in writers or not place.before(writers[name])
        writers = dict(reader.subject.writers)


def at(day: int, sequence: int | None = None, source: str = SOURCE) -> Place:
    return Place(DAWN + timedelta(days=day), source, sequence)


ORDERS = [
    ("by time", at(1), at(2), True),
    ("by time, the other way", at(2), at(1), False),
    ("at one time neither is before", at(1), at(1), False),
    ("by sequence, whatever the times say", at(2, 1), at(1, 2), True),
    ("sequences of two sources say nothing", at(2, 1), at(1, 2, "scim"), False),
    ("one without a sequence goes by time", at(1, 9), at(2), True),
]


@pytest.mark.parametrize(("one", "other", "before"), [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
def test_which_event_is_before_which(one: Place, other: Place, before: bool) -> None:  # noqa: FBT001 — a column of the table
    assert one.before(other) is before


def subject(standing: str, **writers: int) -> Subject:
    return Subject(standing, {name: at(day) for name, day in writers.items()})  # type: ignore[arg-type]  # one of the words


def what(kind: str, day: int, *members: str) -> Happening:
    return Happening(kind, at(day), frozenset(members))  # type: ignore[arg-type]  # one of the words


VERDICTS = [
    ("a move of nobody", subject("absent"), what("moved", 1, "title"), Wait(Missing.PERSON)),
    ("a departure of nobody", subject("absent"), what("left", 1), Wait(Missing.PERSON)),
    ("a return of nobody", subject("absent"), what("rehired", 1), Wait(Missing.PERSON)),
    ("joining", subject("absent"), what("joined", 1, "name"), Apply(frozenset({"name", STATUS}))),
    ("of somebody known from elsewhere", subject("in_service"), what("moved", 1, "title"), Apply(frozenset({"title"}))),
    ("a return before the departure", subject("in_service", status=1), what("rehired", 3), Wait(Missing.DEPARTURE)),
    ("a move of who left", subject("left", status=2), what("moved", 3, "title"), Wait(Missing.RETURN)),
    ("an announcement of who left", subject("left", status=2), what("leaving", 3), Wait(Missing.RETURN)),
    ("a late move of who left", subject("left", status=4), what("moved", 2, "title"), Apply(frozenset({"title"}))),
    (
        "a late move, half of it written since",
        subject("in_service", title=3, location=1),
        what("moved", 2, "title", "location"),
        Apply(frozenset({"location"})),
    ),
    ("a late move, all of it written since", subject("in_service", title=3), what("moved", 2, "title"), Superseded()),
    ("a late departure", subject("in_service", status=5), what("left", 2), Superseded()),
    ("a second departure", subject("left", status=2), what("left", 3), Apply(frozenset({STATUS}))),
]


@pytest.mark.parametrize(
    ("whom", "happening", "verdict"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS]
)
def test_what_an_event_may_do(whom: Subject, happening: Happening, verdict: object) -> None:
    assert judge(whom, happening) == verdict


def test_who_comes_back_writes_what_the_return_empties() -> None:
    assert written_by(what("rehired", 1, "department")) == FORMER_PLACE | {"department", "memberships", STATUS}
    later = after(subject("left", status=2, title=1), what("rehired", 3, "department"), frozenset({STATUS, "title"}))
    assert judge(later, what("updated", 2, "title")) == Superseded()


def turns() -> Iterator[tuple[int | None, int | None, bool, bool]]:
    yield None, None, False, True
    yield None, 7, False, False
    yield None, 7, True, True
    yield 7, 8, False, True
    yield 7, 9, True, False
    yield 7, 3, False, True
    yield 7, None, False, True


@pytest.mark.parametrize(("last", "sequence", "begins", "turn"), list(turns()))
def test_whose_turn_it_is(last: int | None, sequence: int | None, begins: bool, turn: bool) -> None:  # noqa: FBT001 — columns
    assert in_turn(last, sequence, begins=begins) is turn
