"""What to do with the sealed fields of a cohort, worked out once from its verdict and run for every contact of it.

Pure. A program says which boxes to open, how each is masked, what a field looks like when there is nothing to open, and what the log
says of it; so the work per contact is a loop over a short tuple.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, cast

import orjson

from app.audit.events import FieldBits, encode_states
from app.crypto.envelope import Box
from app.disclosure.errors import ApprovalRequired, UnknownField
from app.disclosure.fields import Catalogue, ProtectedField
from app.disclosure.masks import Told, masker
from app.kit.errors import FieldError
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import STATE_OF, FieldClass, Outcome, Power, State
from app.permissions.plan import Cohort

_MOST_PROGRAMS: Final = 4096
_MOST_PATTERNS: Final = 512
REACHABLE: Final = frozenset({FieldClass.C3, FieldClass.C4, FieldClass.C5})
"""Classes that count against the quota of the day."""


@dataclass(frozen=True, slots=True)
class Step:
    """One protected field of the card: where its box is and what becomes of it.

    ``before`` and ``after`` are the bytes around a shown value, ``absent`` the whole member where nothing is shown; each begins with a
    comma, since C1 members always stand before.
    """

    name: str
    place: int
    opens: bool
    shown: Callable[[str], Told]
    state: str
    next: str | None
    before: bytes
    after: bytes
    absent: bytes

    def present(self, value: str) -> bytes:
        """Write the member for an opened value."""
        return self.before + orjson.dumps(self.shown(value)) + self.after


@dataclass(frozen=True, slots=True)
class Pattern:
    """A program for contacts that have a value in the same fields: which boxes to open, and the bytes around what is shown of each.

    ``opening`` takes the boxes to open out of a contact's; ``form`` is a format, of the head and of what is shown of each box.
    """

    opening: Callable[[Sequence[Box | None]], Sequence[Box]]
    shows: tuple[Callable[[str], Told], ...]
    form: bytes

    def written(self, head: bytes, values: Sequence[str]) -> bytes:
        """Write the fields behind ``head``, given what ``opening`` took, opened, in that order; every member begins with a comma."""
        return self.form % (head, *[orjson.dumps(show(value)) for show, value in zip(self.shows, values, strict=True)])


def _plain(text: bytes) -> bytes:
    """Write bytes so that a format gives them back."""
    return text.replace(b"%", b"%%")


def _picker(places: Sequence[int]) -> Callable[[Sequence[Box | None]], Sequence[Box]]:
    """Give what takes the boxes at ``places``, all of which must be there."""
    if len(places) > 1:
        return cast("Callable[[Sequence[Box | None]], Sequence[Box]]", itemgetter(*places))
    return lambda boxes: [box for place in places if (box := boxes[place]) is not None]


@dataclass(frozen=True, slots=True)
class Program:
    """Every protected field of a cohort, in the order of the card."""

    steps: tuple[Step, ...]
    scope: frozenset[str]
    states: Mapping[str, str]
    states_json: bytes
    bits: int
    charged: bool
    patterns: dict[int, Pattern] = field(default_factory=dict)

    def pattern(self, present: int) -> Pattern:
        """Give the pattern of contacts whose boxes stand at the bits of ``present`` (places of the catalogue)."""
        found = self.patterns.get(present)
        if found is None:
            if len(self.patterns) >= _MOST_PATTERNS:
                self.patterns.clear()
            found = self.patterns[present] = self._pattern(present)
        return found

    def _pattern(self, present: int) -> Pattern:
        opened = [step for step in self.steps if step.opens and present >> step.place & 1]
        form = b"%b"
        for step in self.steps:
            form += _plain(step.before) + b"%b" + _plain(step.after) if step in opened else _plain(step.absent)
        return Pattern(_picker([step.place for step in opened]), tuple(step.shown for step in opened), form)


class Programs:
    """Works out programs for one catalogue."""

    def __init__(self, catalogue: Catalogue, bits: FieldBits) -> None:
        """Take the catalogue and the log's bitmap of it."""
        self.catalogue = catalogue
        self._bits = bits
        self._made: dict[tuple[tuple[str, Outcome, str | None], ...], Program] = {}

    def card(self, cohort: Cohort, kind: str) -> Program:
        """Give the program of a card; remembered on the cohort."""
        program = cohort.program
        if not isinstance(program, Program):
            program = self._make(
                [
                    (
                        field,
                        cohort.shown(field.name, field.field_class),
                        cohort.next_step(field.name, field.field_class),
                    )
                    for field in self.catalogue.of_kind(kind)
                ]
            )
            cohort.program = program
        return program

    def taken(self, cohort: Cohort, kind: str, names: Container[str]) -> Program:
        """Give the program of a card that is taken along: of ``names`` what is shown clear and may be exported, and no other word."""
        clear = [
            (field, Outcome.CLEAR, None)
            for field in self.catalogue.of_kind(kind)
            if field.name in names
            and field.field_class in cohort.powers[Power.EXPORT]
            and cohort.shown(field.name, field.field_class) is Outcome.CLEAR
        ]
        return self._make(clear)

    def closed(self, kind: str) -> Program:
        """Give the program of a card that shows nothing sealed, and names no way to more."""
        return self._make([(field, Outcome.HIDDEN, None) for field in self.catalogue.of_kind(kind)])

    def reveal(self, cohort: Cohort, kind: str, names: Sequence[str]) -> Program:
        """Give the program of a reveal of ``names``: clear, or masked where that is how far a reveal goes and further than the card.

        Raises ``UnknownField`` for a field that this kind does not carry, ``ApprovalRequired`` for one of which only a request shows more,
        and ``NotPermitted`` for one that no request gives.
        """
        fields = {field.name: field for field in self.catalogue.of_kind(kind)}
        unknown = [name for name in names if name not in fields]
        if unknown:
            raise UnknownField(
                errors=[FieldError("/fields", UnknownField.code, UnknownField.title, UnknownField.title_zh)]
            )
        chosen = [fields[name] for name in dict.fromkeys(names)]
        verdicts = [(field, cohort.revealed(field.name, field.field_class)) for field in chosen]
        refused = [
            field
            for field, revealed in verdicts
            if revealed is not Outcome.CLEAR and revealed <= cohort.shown(field.name, field.field_class)
        ]
        if refused:
            wanted = [cohort.requests.get(field.field_class) for field in refused]
            kinds = sorted({request for request in wanted if request})
            if not all(wanted):
                raise NotPermitted
            raise ApprovalRequired(request_kind=kinds[0], fields=[field.name for field in refused])
        return self._make([(field, revealed, None) for field, revealed in verdicts])

    def _make(self, verdicts: Sequence[tuple[ProtectedField, Outcome, str | None]]) -> Program:
        """Give the program of these verdicts; cohorts that are shown the same share one, and one entry in the log."""
        key = tuple((field.name, outcome, following) for field, outcome, following in verdicts)
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _MOST_PROGRAMS:
                self._made.clear()
            found = self._made[key] = self._worked_out(verdicts)
        return found

    def _worked_out(self, verdicts: Sequence[tuple[ProtectedField, Outcome, str | None]]) -> Program:
        steps = [self._step(field, outcome, following) for field, outcome, following in verdicts]
        states = {step.name: step.state for step in steps}
        return Program(
            steps=tuple(steps),
            scope=frozenset(step.name for step in steps if step.opens),
            states=states,
            states_json=encode_states(states),
            bits=self._bits.of(states),
            charged=any(step.opens and self.catalogue.classes[step.name] in REACHABLE for step in steps),
        )

    def _step(self, field: ProtectedField, outcome: Outcome, following: str | None) -> Step:
        opens = outcome is not Outcome.HIDDEN
        key = b"," + orjson.dumps(field.name) + b":"
        onward = b',"next":' + orjson.dumps(following) if following else b""
        nothing = State.EMPTY if opens else State.WITHHELD
        return Step(
            name=field.name,
            place=self.catalogue.place[field.name],
            opens=opens,
            shown=masker(field.mask, outcome) if opens else _nothing,
            state=STATE_OF[outcome].value,
            next=following,
            before=key + b'{"state":' + orjson.dumps(STATE_OF[outcome].value) + b',"value":',
            after=onward + b"}",
            absent=key + b'{"state":' + orjson.dumps(nothing.value) + onward + b"}",
        )


def _nothing(value: str) -> str:
    del value
    message = "nothing is shown of a hidden field"
    raise ValueError(message)
