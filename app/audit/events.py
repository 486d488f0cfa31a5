"""One look, write or refusal as the log keeps it, and the one way it becomes bytes.

The bytes are the evidence: the leaf of the tree is their hash, and they are stored as they were hashed, so nothing
ever has to be serialised the same way twice. They hold ids, states of fields and ciphertext, never a personal value,
and no index: the place of an event is given by the tree alone. Cohorts keep a page of a hundred people small: the
states once, the contacts packed behind them.

Index rows ("who saw this person") carry a bitmap of the fields. ``FieldBits`` makes it from a list of field names
that only ever grows at its end, so that old rows keep their meaning.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast, get_args
from uuid import UUID

import orjson

ActorType = Literal["person", "service", "operator", "system", "anonymous", "device"]
Decision = Literal["allowed", "refused"]
VERSION: Final = 1
MEMBERS: Final = (
    "v",
    "id",
    "at",
    "actor_type",
    "actor_id",
    "tier",
    "department_id",
    "client_id",
    "on_behalf_of",
    "action",
    "decision",
    "code",
    "purpose",
    "reason",
    "policy_version",
    "cohorts",
    "fields",
    "query",
    "count",
    "address",
    "request_id",
)
"""Members of version 1, in the order in which they are written; every event has all of them."""

_COHORT_MEMBERS: Final = frozenset({"states", "contacts"})
ID_BYTES: Final = 16
"""A contact's id, packed."""
PAGE_CONTACTS: Final = 256
"""The most contacts of one packed row of the index; what unpacks them counts no further."""
_MOST_FIELDS: Final = 31
_NO_TIME: Final = timedelta(0)
_MASKED: Final = 1
_SHOWN: Final = 2
_WORDS: Final = {_MASKED: "masked", _SHOWN: "shown", _MASKED | _SHOWN: "shown"}


CASE: Final = "case"
"""Member of an event's ``query``: the number of the case that a look at a contact was for."""
OF_CONTACTS: Final = "contact."
"""How the actions begin that a case can be named for; a question to the log may name one too, and is no look of that case."""
USED: Final = "used"
"""State of a field that the service opened for its own work: a box was opened, and nobody was told what was in it."""


class EventMalformed(ValueError):
    """A draft cannot be evidence, or bytes are not the evidence of an event that this version knows."""


@dataclass(frozen=True, slots=True)
class CohortEntry:
    """Contacts of whom the same was shown: field name to ``shown``, ``masked``, ``withheld``, ``empty`` or ``used``.

    ``states_json`` (from ``encode_states``), ``bits`` (from ``FieldBits.of``) and ``packed`` (the bytes of ``contacts``, one after the
    other) may be given by a caller who has them; they save the hot path its work and change nothing else.
    """

    states: Mapping[str, str]
    contacts: tuple[UUID, ...]
    states_json: bytes | None = None
    bits: int | None = None
    packed: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """Everything known of an event before it has a place in the log.

    ``actor_id`` is a contact's id for people, the client id for services and the device's for devices; ``reason`` is sealed; the terms in
    ``query`` are MACs; ``fields`` names what a write changed; ``code`` is the problem code of a refusal.
    """

    id: UUID
    at: datetime
    actor_type: ActorType
    action: str
    decision: Decision
    actor_id: str | None = None
    tier: str | None = None
    department_id: UUID | None = None
    client_id: str | None = None
    on_behalf_of: str | None = None
    code: str | None = None
    purpose: str | None = None
    reason: bytes | None = None
    policy_version: str | None = None
    cohorts: tuple[CohortEntry, ...] = ()
    fields: tuple[str, ...] = ()
    query: Mapping[str, Any] | None = None
    count: int | None = None
    address: str | None = None
    request_id: str | None = None

    @property
    def case(self) -> str | None:
        """Give the case that a look was for."""
        return case_of(self.action, self.query)


def case_of(action: str, query: Mapping[str, Any] | None) -> str | None:
    """Read the case that an event names as its own; ``None`` where there is none."""
    found = query.get(CASE) if query is not None and action.startswith(OF_CONTACTS) else None
    return found if isinstance(found, str) else None


class FieldBits:
    """The bitmap of an index row: two bits per field, in the order of a list that only grows at its end.

    The lower bit of a pair says that the field was shown masked, the upper that it was shown clear; neither means
    that nothing of it was disclosed (withheld, empty, used, or not in the answer).
    """

    __slots__ = ("_flags", "order")

    def __init__(self, order: Sequence[str]) -> None:
        """Take at most 31 distinct field names (62 bits, a positive ``bigint``); raise ``ValueError`` otherwise."""
        self.order = tuple(order)
        if len(self.order) > _MOST_FIELDS or len(set(self.order)) != len(self.order):
            message = f"an index row holds at most {_MOST_FIELDS} distinct fields"
            raise ValueError(message)
        self._flags = {
            (name, state): flag << (2 * place)
            for place, name in enumerate(self.order)
            for state, flag in (("masked", _MASKED), ("shown", _SHOWN))
        }

    def of(self, states: Mapping[str, str]) -> int:
        """Make the bitmap of ``states``; fields outside of the list leave no bit."""
        bits = 0
        for pair in states.items():
            bits |= self._flags.get(pair, 0)
        return bits

    def states(self, bits: int) -> dict[str, str]:
        """Read a bitmap back: field name to ``masked`` or ``shown``; what was both in one event counts as shown."""
        return {
            name: _WORDS[pair]
            for place, name in enumerate(self.order)
            if (pair := bits >> (2 * place) & (_MASKED | _SHOWN))
        }

    def pages(self, cohorts: Sequence[CohortEntry]) -> list[tuple[int, bytes]]:
        """Lay out the index rows of one event: each contact once, with the union of what its cohorts disclosed.

        Pages (bits, packed ids) of at most ``PAGE_CONTACTS`` contacts of whom the same was disclosed.
        """
        if len(cohorts) == 1 and len(cohorts[0].contacts) == 1:
            cohort = cohorts[0]
            return [(self.of(cohort.states) if cohort.bits is None else cohort.bits, cohort.contacts[0].bytes)]
        merged: dict[bytes, int] = {}
        for cohort in cohorts:
            bits = self.of(cohort.states) if cohort.bits is None else cohort.bits
            packed = _packed(cohort)
            for at in range(0, len(packed), ID_BYTES):
                contact = packed[at : at + ID_BYTES]
                merged[contact] = merged.get(contact, 0) | bits
        alike: dict[int, list[bytes]] = {}
        for contact, bits in merged.items():
            alike.setdefault(bits, []).append(contact)
        return [
            (bits, b"".join(contacts[at : at + PAGE_CONTACTS]))
            for bits, contacts in alike.items()
            for at in range(0, len(contacts), PAGE_CONTACTS)
        ]


def encode_states(states: Mapping[str, str]) -> bytes:
    """Write the states of a cohort, fields in alphabetical order."""
    return orjson.dumps(dict(states), option=orjson.OPT_SORT_KEYS)


def _cohort(entry: CohortEntry) -> dict[str, Any]:
    states = entry.states_json
    return {
        "states": orjson.Fragment(encode_states(entry.states) if states is None else states),
        "contacts": b2a_base64(_packed(entry), newline=False).decode("ascii"),
    }


def _packed(entry: CohortEntry) -> bytes:
    return b"".join([contact.bytes for contact in entry.contacts]) if entry.packed is None else entry.packed


def encode_event(draft: EventDraft) -> bytes:
    """Write the evidence of ``draft``; raise ``EventMalformed`` when it cannot be written (naive time, not JSON)."""
    at, reason = draft.at, draft.reason
    if at.utcoffset() != _NO_TIME:
        message = "the time of an event is UTC"
        raise EventMalformed(message)
    try:
        return orjson.dumps(
            {
                "v": VERSION,
                "id": draft.id,
                "at": at,
                "actor_type": draft.actor_type,
                "actor_id": draft.actor_id,
                "tier": draft.tier,
                "department_id": draft.department_id,
                "client_id": draft.client_id,
                "on_behalf_of": draft.on_behalf_of,
                "action": draft.action,
                "decision": draft.decision,
                "code": draft.code,
                "purpose": draft.purpose,
                "reason": None if reason is None else b2a_base64(reason, newline=False).decode("ascii"),
                "policy_version": draft.policy_version,
                "cohorts": [_cohort(entry) for entry in draft.cohorts],
                "fields": draft.fields,
                "query": None if draft.query is None else dict(draft.query),
                "count": draft.count,
                "address": draft.address,
                "request_id": draft.request_id,
            },
            option=orjson.OPT_UTC_Z,
        )
    except TypeError as error:
        message = "an event holds only what JSON can say"
        raise EventMalformed(message) from error


def decode_event(payload: bytes) -> EventDraft:
    """Read evidence back.

    Raises ``EventMalformed`` for anything that ``encode_event`` cannot have written, and for versions that came later.
    """
    try:
        document = orjson.loads(payload)
        if not isinstance(document, dict) or document.get("v") != VERSION:
            message = "this is no event of version 1"
            raise EventMalformed(message)
        if tuple(document) != MEMBERS:
            message = "an event of version 1 has other members"
            raise EventMalformed(message)
        return _draft(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, EventMalformed):
            raise
        message = "these bytes are no event"
        raise EventMalformed(message) from error


def _draft(document: dict[str, Any]) -> EventDraft:
    if document["actor_type"] not in get_args(ActorType) or document["decision"] not in get_args(Decision):
        message = "an event has another actor type or decision"
        raise EventMalformed(message)
    department, reason = document["department_id"], document["reason"]
    at = datetime.fromisoformat(document["at"])
    if at.utcoffset() != _NO_TIME:
        message = "the time of an event is UTC"
        raise EventMalformed(message)
    return EventDraft(
        id=UUID(document["id"]),
        at=at.astimezone(UTC),
        actor_type=cast("ActorType", document["actor_type"]),
        actor_id=_text(document, "actor_id"),
        tier=_text(document, "tier"),
        department_id=None if department is None else UUID(department),
        client_id=_text(document, "client_id"),
        on_behalf_of=_text(document, "on_behalf_of"),
        action=str(document["action"]),
        decision=cast("Decision", document["decision"]),
        code=_text(document, "code"),
        purpose=_text(document, "purpose"),
        reason=None if reason is None else _bytes(reason),
        policy_version=_text(document, "policy_version"),
        cohorts=tuple(_entry(cohort) for cohort in document["cohorts"]),
        fields=tuple(document["fields"]),
        query=document["query"],
        count=document["count"],
        address=_text(document, "address"),
        request_id=_text(document, "request_id"),
    )


def _text(document: Mapping[str, Any], member: str) -> str | None:
    value = document[member]
    if value is not None and not isinstance(value, str):
        message = f"{member} of an event is a text"
        raise EventMalformed(message)
    return value


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except Base64Error as error:
        message = "an event holds bytes that are not base64"
        raise EventMalformed(message) from error


def _entry(cohort: Mapping[str, Any]) -> CohortEntry:
    if cohort.keys() != _COHORT_MEMBERS:
        message = "a cohort has states and contacts"
        raise EventMalformed(message)
    return CohortEntry(dict(cohort["states"]), unpack_contacts(cohort["contacts"]))


def unpack_contacts(text: str) -> tuple[UUID, ...]:
    """Read the packed contact ids of a cohort."""
    packed = _bytes(text)
    if len(packed) % ID_BYTES:
        message = "packed contact ids have 16 bytes each"
        raise EventMalformed(message)
    return tuple(UUID(bytes=packed[at : at + ID_BYTES]) for at in range(0, len(packed), ID_BYTES))
