"""Whom a look shows and what follows from that alone: how far, what the log is told, what it costs.

All of it is worked out from a plan and closed records whose MACs hold, so for the very same plan and the very same records it is the same,
and a page that is asked for again need not be judged again. A plan is another object once a standing, a pack, a day or an exception is
another, and a record once its row, its key or the tree is. Nothing opened and nothing that was shown is in it; every look still has a
record and a permit of its own, and opens for itself.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from app.audit.events import CohortEntry
from app.disclosure.looks import charged, entries
from app.disclosure.programs import Program
from app.disclosure.records import Record
from app.permissions.plan import Cohort, Plan

_MOST_CONTACTS: Final = 4096
"""On remembered pages, all pages together."""


class Admission(NamedTuple):
    """Records that a viewer may see, each with what becomes of its fields; and what the log, the quota and the answer are told of them."""

    admitted: tuple[tuple[Record, Program], ...]
    told: tuple[CohortEntry, ...]
    scope: Mapping[UUID, frozenset[str]]
    charged: int
    rules: frozenset[tuple[str, ...]]
    obligations: tuple[str, ...]


def admission(plan: Plan, verdicts: Sequence[tuple[Record, Cohort, Program]]) -> Admission:
    """Work out what follows from the verdicts of ``plan`` on records."""
    admitted = tuple([(record, program) for record, _, program in verdicts])
    told, scope = entries(admitted)
    return Admission(
        admitted,
        told,
        scope,
        charged(plan.standing, admitted),
        frozenset([cohort.rules for _, cohort, _ in verdicts]),
        tuple(sorted({each for _, cohort, _ in verdicts for each in cohort.obligations})),
    )


class Admissions:
    """Remembers pages of whom nobody was left out, by plan and records; both are kept, so that no other object takes their place."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._pages: OrderedDict[tuple[int, ...], tuple[Plan, Admission]] = OrderedDict()
        self._contacts = 0

    def of(self, plan: Plan, records: Sequence[Record]) -> Admission | None:
        """Give what was worked out for this very plan and these very records, in their order; ``None`` when nothing was."""
        key = _key(plan, records)
        found = self._pages.get(key)
        if found is None:
            return None
        self._pages.move_to_end(key)
        return found[1]

    def keep(self, plan: Plan, page: Admission) -> None:
        """Remember a page as long as there is room; one of fewer than two contacts is not worth it."""
        records = [record for record, _ in page.admitted]
        if not 1 < len(records) <= _MOST_CONTACTS:
            return
        key = _key(plan, records)
        if key not in self._pages:
            self._contacts += len(records)
        self._pages[key] = (plan, page)
        while self._contacts > _MOST_CONTACTS:
            _, (_, gone) = self._pages.popitem(last=False)
            self._contacts -= len(gone.admitted)


def _key(plan: Plan, records: Sequence[Record]) -> tuple[int, ...]:
    return (id(plan), *map(id, records))
