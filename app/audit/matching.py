"""What is looked for among events, and whether one event is it.

Pure. A question names what an index can walk (a contact, an actor, a time) and what lies in the evidence alone (purpose, field and state,
department, address, request). ``EventFilter.walk`` says which index serves it; ``EventFilter.fits`` decides the rest on the evidence as it
was hashed, never on the columns beside it. Evidence that cannot be read fits every question, so that damage hides behind none.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.events import MEMBERS, VERSION, EventDraft, case_of

Document = Mapping[str, Any]
Network = IPv4Network | IPv6Network

EVERYTHING_BELOW: Final = ".*"
"""At the end of an action: every action that begins so."""

UNREADABLE: Final = "access_log.unreadable"
"""Action under which damaged evidence is told."""

_ID_BYTES: Final = 16
_MOST_ADDRESSES: Final = 4096


class Walk(StrEnum):
    """The index that a question walks, and with it the order of its pages: that of time, or that of the log."""

    CONTACT = "contact"
    ACTOR = "actor"
    TIME = "time"
    LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What is looked for; members that are ``None`` ask for nothing, all others must hold.

    ``since`` is included, ``until`` and ``below`` (an index) are not. ``action`` may end in ``.*``. ``departments``: the actor belonged to
    one of them when acting. ``field`` with ``state``: the event told that field in that state, of the contact where one is named. ``field``
    alone: it told, asked for or changed that field. ``state`` alone: it told any field in that state. ``case``: the look was for that case.
    """

    contact_id: UUID | None = None
    actor_id: str | None = None
    action: str | None = None
    decision: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    departments: frozenset[UUID] | None = None
    field: str | None = None
    state: str | None = None
    purpose: str | None = None
    request_id: str | None = None
    network: Network | None = None
    case: str | None = None
    below: int | None = None

    @property
    def walk(self) -> Walk:
        """Which index is walked: the most selective that the question names."""
        if self.contact_id is not None:
            return Walk.CONTACT
        if self.actor_id is not None:
            return Walk.ACTOR
        return Walk.LOG if self.since is None and self.until is None else Walk.TIME

    @property
    def is_walked_whole(self) -> bool:
        """Whether the index alone answers the question, so that everything on the way fits."""
        timed = self.since is not None or self.until is not None
        return not self._checks() and self.below is None and (self.walk is Walk.TIME or not timed)

    def reading(self) -> Callable[[int, datetime, Document | None], bool]:
        """Give what decides about one event: its index, its time, and its evidence (``None`` where that cannot be read)."""
        checks, since, until, below = self._checks(), self.since, self.until, self.below

        def fits(index: int, at: datetime, document: Document | None) -> bool:
            if (
                (below is not None and index >= below)
                or (since is not None and at < since)
                or (until is not None and at >= until)
            ):
                return False
            if document is None:
                return True
            try:
                return all(check(document) for check in checks)
            except (AttributeError, KeyError, TypeError, ValueError):
                return True

        return fits

    def _checks(self) -> Sequence[Callable[[Document], bool]]:
        found: list[Callable[[Document], bool]] = []
        for member, wanted in (
            ("decision", self.decision),
            ("purpose", self.purpose),
            ("request_id", self.request_id),
            ("actor_id", self.actor_id if self.walk is not Walk.ACTOR else None),
        ):
            if wanted is not None:
                found.append(_says(member, wanted))
        if self.action is not None:
            found.append(_acts(self.action))
        if self.departments is not None:
            found.append(_within("department_id", frozenset(map(str, self.departments))))
        if self.network is not None:
            found.append(_from(self.network))
        if self.case is not None:
            found.append(_for(self.case))
        if self.field is not None or self.state is not None:
            found.append(_tells(self.field, self.state, None if self.contact_id is None else self.contact_id.bytes))
        return found


def document_of(payload: bytes) -> Document | None:
    """Read evidence as far as a question needs it; ``None`` for bytes that are no event of this version."""
    try:
        document = orjson.loads(payload)
    except (ValueError, TypeError):
        return None
    if not isinstance(document, dict) or document.get("v") != VERSION or tuple(document) != MEMBERS:
        return None
    return document


def unreadable(identity: UUID, at: datetime) -> EventDraft:
    """Stand in for an event whose evidence is damaged: it keeps its place and tells nothing else."""
    return EventDraft(
        id=identity, at=at, actor_type="system", action=UNREADABLE, decision="refused", code="event_unreadable"
    )


def holds(packed: str, contact: bytes) -> bool:
    """Tell whether a cohort's packed ids hold these 16 bytes."""
    ids = b64decode(packed, validate=True)
    at = ids.find(contact)
    while at >= 0 and at % _ID_BYTES:
        at = ids.find(contact, at + 1)
    return at >= 0


def _says(member: str, wanted: str) -> Callable[[Document], bool]:
    return lambda document: document[member] == wanted


def _within(member: str, wanted: frozenset[str]) -> Callable[[Document], bool]:
    return lambda document: document[member] in wanted


def _acts(action: str) -> Callable[[Document], bool]:
    if not action.endswith(EVERYTHING_BELOW):
        return _says("action", action)
    beginning = action.removesuffix("*")
    return lambda document: document["action"].startswith(beginning)


def _for(case: str) -> Callable[[Document], bool]:
    return lambda document: case_of(document["action"], document["query"]) == case


def _from(network: Network) -> Callable[[Document], bool]:
    def check(document: Document) -> bool:
        text = document["address"]
        address = None if text is None else _address(text)
        return address is not None and address in network

    return check


@lru_cache(_MOST_ADDRESSES)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    if not isinstance(text, str):
        raise TypeError
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _tells(field: str | None, state: str | None, contact: bytes | None) -> Callable[[Document], bool]:
    def told(states: Mapping[str, str]) -> bool:
        if field is None:
            return state in states.values()
        return field in states if state is None else states.get(field) == state

    def check(document: Document) -> bool:
        for cohort in document["cohorts"]:
            if told(cohort["states"]) and (contact is None or holds(cohort["contacts"], contact)):
                return True
        return state is None and field in document["fields"]

    return check
