"""What the service opens for its own work: which boxes, and what the log says of them.

Pure. A field is on record as *used*: a box was opened, and nobody was told what was in it.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.audit.events import USED, CohortEntry
from app.crypto.envelope import Box
from app.disclosure.records import Record

Openings = Sequence[tuple[Record, Sequence[Box]]]


def used(openings: Openings) -> tuple[tuple[CohortEntry, ...], Mapping[UUID, frozenset[str]]]:
    """Give the entries of the event for these records with what is to be opened of each, and the scope of the permit."""
    alike: dict[tuple[str, ...], list[UUID]] = {}
    for record, boxes in openings:
        if boxes:
            alike.setdefault(tuple(box.name for box in boxes), []).append(record.subject)
    entries = tuple(CohortEntry(dict.fromkeys(some, USED), tuple(who)) for some, who in alike.items())
    return entries, {subject: frozenset(some) for some, who in alike.items() for subject in who}
