"""What a permit may cover: nothing but what the event says was shown, masked or used. An opened box is a recorded box.

Pure. The whole of a page is compared at once where it can be, since a page has a hundred contacts and each is one more hash.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from app.audit.events import USED, CohortEntry

_OPENED: Final = frozenset({"shown", "masked", USED})
_MOST_STATES: Final = 4096
_BY_STATES: Final[dict[bytes, frozenset[str]]] = {}


def beyond(cohorts: Sequence[CohortEntry], scope: Mapping[UUID, frozenset[str]]) -> UUID | None:
    """Name a contact of whom ``scope`` would open more than ``cohorts`` say; ``None`` when there is none."""
    recorded: dict[UUID, frozenset[str]] = {}
    count = 0
    for cohort in cohorts:
        count += len(cohort.contacts)
        recorded.update(dict.fromkeys(cohort.contacts, _opened_for(cohort)))
    if recorded == scope:
        return None
    if len(recorded) != count:
        recorded = _joined(cohorts)
    for contact, fields in scope.items():
        if contact not in recorded or not fields <= recorded[contact]:
            return contact
    return None


def _joined(cohorts: Sequence[CohortEntry]) -> dict[UUID, frozenset[str]]:
    recorded: dict[UUID, frozenset[str]] = {}
    for cohort in cohorts:
        fields = _opened_for(cohort)
        for contact in cohort.contacts:
            recorded[contact] = recorded.get(contact, frozenset()) | fields
    return recorded


def _opened_for(cohort: CohortEntry) -> frozenset[str]:
    """Name the fields that a cohort's states say were opened; remembered for states that the caller has encoded once."""
    if cohort.states_json is None:
        return frozenset(field for field, state in cohort.states.items() if state in _OPENED)
    found = _BY_STATES.get(cohort.states_json)
    if found is None:
        if len(_BY_STATES) >= _MOST_STATES:
            _BY_STATES.clear()
        found = _BY_STATES[cohort.states_json] = frozenset(
            field for field, state in cohort.states.items() if state in _OPENED
        )
    return found
