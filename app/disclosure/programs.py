"""What to do with the sealed fields of a cohort, worked out once from its verdict and run for every contact of it.

Pure. A program says which boxes to open, how each is masked, what a field looks like when there is nothing to open, and what the log
says of it; so the work per contact is a loop over a short tuple.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.audit.events import FieldBits, encode_states
from app.disclosure.errors import ApprovalRequired, UnknownField
from app.disclosure.fields import Catalogue, MaskKind, ProtectedField
from app.disclosure.masks import shown
from app.kit.errors import FieldError
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import STATE_OF, FieldClass, Outcome, State
from app.permissions.plan import Cohort

_REACHABLE: Final = frozenset({FieldClass.C3, FieldClass.C4, FieldClass.C5})


@dataclass(frozen=True, slots=True)
class Step:
    """One protected field of the card: where its box is and what becomes of it."""

    name: str
    place: int
    opens: bool
    kind: MaskKind
    outcome: Outcome
    state: str
    next: str | None
    absent: orjson.Fragment


@dataclass(frozen=True, slots=True)
class Program:
    """Every protected field of a cohort, in the order of the card."""

    steps: tuple[Step, ...]
    scope: frozenset[str]
    states: Mapping[str, str]
    states_json: bytes
    bits: int
    charged: bool

    def opening(self, sealed: Sequence[bytes | None]) -> list[tuple[str, bytes]]:
        """List the boxes to open of one contact: name and envelope."""
        return [(step.name, box) for step in self.steps if step.opens and (box := sealed[step.place]) is not None]

    def members(self, sealed: Sequence[bytes | None], values: Sequence[str]) -> dict[str, Any]:
        """Write the fields, given what ``opening`` listed, opened, in that order."""
        opened = iter(values)
        found: dict[str, Any] = {}
        for step in self.steps:
            if not step.opens or sealed[step.place] is None:
                found[step.name] = step.absent
                continue
            found[step.name] = _present(step, next(opened))
        return found


def _present(step: Step, value: str) -> dict[str, str]:
    field = {"state": step.state, "value": shown(step.kind, value, step.outcome)}
    if step.next is not None:
        field["next"] = step.next
    return field


class Programs:
    """Works out programs for one catalogue."""

    def __init__(self, catalogue: Catalogue, bits: FieldBits) -> None:
        """Take the catalogue and the log's bitmap of it."""
        self.catalogue = catalogue
        self._bits = bits

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

    def reveal(self, cohort: Cohort, kind: str, names: Sequence[str]) -> Program:
        """Give the program of a reveal of ``names``.

        Raises ``UnknownField`` for a field that this kind does not carry, ``ApprovalRequired`` for one that takes a request and
        ``NotPermitted`` for one that no request gives.
        """
        fields = {field.name: field for field in self.catalogue.of_kind(kind)}
        unknown = [name for name in names if name not in fields]
        if unknown:
            raise UnknownField(
                errors=[FieldError("/fields", UnknownField.code, UnknownField.title, UnknownField.title_zh)]
            )
        chosen = [fields[name] for name in dict.fromkeys(names)]
        refused = [field for field in chosen if cohort.revealed(field.name, field.field_class) is not Outcome.CLEAR]
        if refused:
            wanted = [cohort.requests.get(field.field_class) for field in refused]
            kinds = sorted({request for request in wanted if request})
            if not all(wanted):
                raise NotPermitted
            raise ApprovalRequired(request_kind=kinds[0], fields=[field.name for field in refused])
        return self._make([(field, Outcome.CLEAR, None) for field in chosen])

    @staticmethod
    def member(step: Step, value: str | None) -> Any:  # noqa: ANN401 — ready to be serialised
        """Write one field of a card from a plain value that the caller gave."""
        return _present(step, value) if step.opens and value is not None else step.absent

    @staticmethod
    def past(step: Step, value: str) -> str:
        """Write a past value of a field as its card would show it."""
        return shown(step.kind, value, step.outcome) if value else ""

    def _make(self, verdicts: Sequence[tuple[ProtectedField, Outcome, str | None]]) -> Program:
        steps = []
        for field, outcome, following in verdicts:
            hidden = outcome is Outcome.HIDDEN
            absent = {
                "state": State.WITHHELD.value if hidden else State.EMPTY.value,
                **({"next": following} if following else {}),
            }
            steps.append(
                Step(
                    name=field.name,
                    place=self.catalogue.place[field.name],
                    opens=not hidden,
                    kind=field.mask,
                    outcome=outcome,
                    state=STATE_OF[outcome].value,
                    next=following,
                    absent=orjson.Fragment(orjson.dumps(absent)),
                )
            )
        states = {step.name: step.state for step in steps}
        return Program(
            steps=tuple(steps),
            scope=frozenset(step.name for step in steps if step.opens),
            states=states,
            states_json=encode_states(states),
            bits=self._bits.of(states),
            charged=any(step.opens and self.catalogue.classes[step.name] in _REACHABLE for step in steps),
        )
