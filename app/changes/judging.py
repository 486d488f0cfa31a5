"""What a caller is told of changes. Pure.

A change is judged by what policy could read of the contact before it and after it, under the rights that the caller has now. Who could be
seen neither before nor after changed nothing; who came into sight was created, who went out of it was removed, whatever happened to them.
Who cannot be seen now is told of only as removed. A change of what the caller is not shown, on a card that is shown, is none either.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from app.permissions.plan import Cohort, CohortKey
from app.traces.trace import PLAIN_GROUPS, Numbered, Sort, SubjectType, Trace

Change = Literal["created", "updated", "moved", "left", "archived", "removed"]
PROTECTED: Final = "protected"
"""The group that stands for every sealed field, of whatever class."""
POSITIONS: Final = "positions"
"""The group of who heads a department, and who stands in."""
_STRONGEST: Final[Sequence[tuple[Sort, Change]]] = (
    (Sort.ARCHIVED, "archived"),
    (Sort.LEFT, "left"),
    (Sort.MOVED, "moved"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """That something became of a contact or a department, and which groups of its members changed."""

    type: SubjectType
    subject: UUID
    change: Change
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How a caller sees one contact: what policy reads of it now (``None``: nothing that can be believed), and what it decides.

    ``untold`` are the classes of fields of whose changes the caller does not know; ``before`` reads what a trace has in its box.
    """

    present: CohortKey | None
    decide: Callable[[CohortKey], Cohort]
    untold: frozenset[str]
    before: Callable[[Trace], CohortKey | None]

    def cohort(self, key: CohortKey | None) -> Cohort | None:
        """Give the verdict on a contact that policy reads so; ``None`` when it is not to be seen, or is not there."""
        cohort = None if key is None else self.decide(key)
        return cohort if cohort is not None and cohort.visible else None


@dataclass(slots=True)
class _Step:
    """What one version did to one contact."""

    first: CohortKey | None
    last: CohortKey | None
    traces: list[Trace]


def of_contact(sight: Sight, traces: Sequence[Numbered], later: Sequence[Numbered]) -> Iterator[tuple[int, Told]]:
    """Tell what became of one contact, by version: ``traces`` of it, oldest first, and ``later`` ones that closed something into a box."""
    after, steps = sight.present, dict[int, _Step]()
    known = {each.seq for each in traces}
    for each in reversed([*traces, *(late for late in later if late.seq not in known)]):
        before = None if each.trace.sort is Sort.CREATED else sight.before(each.trace) or after
        if each.seq in known and each.version is not None:
            step = steps.setdefault(each.version, _Step(before, after, []))
            step.first = before
            step.traces.append(each.trace)
        after = before
    for version, step in sorted(steps.items()):
        told = _told(sight, step)
        if told is not None:
            yield version, told


def _told(sight: Sight, step: _Step) -> Told | None:
    subject = step.traces[0].subject
    before, after = sight.cohort(step.first), sight.cohort(step.last)
    if after is None or sight.cohort(sight.present) is None:
        return Told("contact", subject, "removed") if before is not None and after is None else None
    if before is None:
        return Told("contact", subject, "created")
    groups = _groups(step.traces, sight.untold)
    if PROTECTED not in groups and _shown(before) != _shown(after):
        groups = (*groups, PROTECTED)
    return Told("contact", subject, _change(step.traces), groups) if groups else None


def _shown(cohort: Cohort) -> tuple[Mapping[Any, Any], ...]:
    """Give what of a verdict a card tells."""
    return cohort.shows, cohort.reveals, cohort.granted, cohort.requests


def _groups(traces: Iterable[Trace], untold: frozenset[str]) -> tuple[str, ...]:
    found = {name for each in traces for name in each.groups}
    plain = tuple(name for name in PLAIN_GROUPS if name in found)
    return (*plain, PROTECTED) if found - set(plain) - untold else plain


def _change(traces: Iterable[Trace]) -> Change:
    sorts = {each.sort for each in traces}
    return next((change for sort, change in _STRONGEST if sort in sorts), "updated")


def of_department(traces: Iterable[Numbered], *, is_there: bool, known: frozenset[UUID]) -> Iterator[tuple[int, Told]]:
    """Tell what became of one department, by version; ``known`` are the holders of positions of whom the caller may know."""
    by_version: dict[int, list[Trace]] = {}
    for each in traces:
        if each.version is not None:
            by_version.setdefault(each.version, []).append(each.trace)
    for version, found in sorted(by_version.items()):
        sorts, subject = {each.sort for each in found}, found[0].subject
        if not is_there:
            if Sort.REMOVED in sorts:
                yield version, Told("department", subject, "removed")
            continue
        if Sort.CREATED in sorts:
            yield version, Told("department", subject, "created")
            continue
        groups = _groups(found, frozenset())
        if any(each.about in known for each in found):
            groups = (*groups, POSITIONS)
        if groups:
            yield version, Told("department", subject, _change(found), groups)
