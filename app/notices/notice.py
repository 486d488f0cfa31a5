"""A notice: that something has happened, with ids and codes, and who is to be told. Pure.

The types are a closed list in families; a subscription names types, or a family by ``family.*``. What a body may hold is checked value by
value, and again it is a list of what may, not of what may not: ids, codes, times, small numbers, paths of this API. A name, a telephone
number, a reason or a comment is none of them, nor is the contact that something is about, so whoever tells something by mistake meets an
error in a test and not a leak outside.

What orders notices is the resource that they are about and its version: ``body["request"]`` of a ``request.*`` with its ``id`` and
``version``, and likewise in every family.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

Plain: TypeAlias = "bool | int | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""What a body consists of once it is written."""

FAMILIES: Final[Mapping[str, str]] = {
    "calendar": "calendar",
    "campaign": "campaigns",
    "client": "clients",
    "deadline": "deadlines",
    "delegation": "delegations",
    "departure": "departures",
    "device": "devices",
    "directory": "changes",
    "emergency": "emergency-sessions",
    "hr": "hr/events",
    "number": "numbers",
    "operator": "access-events",
    "provision": "provisions",
    "request": "requests",
    "webhook": "webhooks",
}
"""Every family, and the collection under ``/v1`` in which its resources stand."""

_MEMBERS: Final[Mapping[str, str]] = {
    "calendar": "confirmed",
    "campaign": "opened reminder escalated item_decided suspended unconfirmed closed",
    "client": "handed_over taken_over disabled",
    "deadline": "reminder breached",
    "delegation": "given started ended revoked",
    "departure": "begun archived",
    "device": "handed_over taken_over overdue lost",
    "directory": "changed",
    "emergency": "opened confirmed renewed ended incident subject_told review_due review_overdue reviewed sheet_used",
    "hr": "failed gap_passed",
    "number": "allocated blocked confirmed exhaustion expired held hold_dropped hold_expired low_water opened released reminder "
    "reserved rested restored retired swapped transferred unblocked",
    "operator": "proposed founded acted",
    "provision": "prepared fetched due overdue declared returned destroyed ended revoked consent_withdrawn",
    "request": "filed activated decided commented transferred returned withdrawn amended reminder escalated timed_out "
    "applied failed needs_reapproval rescheduled expired revoked overdue reassigned",
    "webhook": "ping disabled",
}
TYPES: Final = tuple(f"{family}.{each}" for family, members in sorted(_MEMBERS.items()) for each in members.split())
"""Every type, by family."""
PATTERNS: Final = (*TYPES, *(f"{family}.*" for family in sorted(_MEMBERS)))
"""What a subscription can name."""

_KNOWN: Final = frozenset(TYPES)
_MEMBER: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}(?:[.:+-][A-Za-z0-9_]{1,48}){0,5}")
_PATH: Final = re.compile(r"/v1(?:/[A-Za-z0-9][A-Za-z0-9._:-]{0,63}){1,8}")
_VALUES: Final = frozenset(
    {
        "comment",
        "content",
        "detail",
        "digits",
        "email",
        "full_name",
        "mobile",
        "name",
        "names",
        "number",
        "numbers",
        "phone",
        "reason",
        "text",
        "title",
        "user_name",
        "value",
        "wechat",
    }
)
"""Members that would hold what a notice never tells, whatever is in them, but for further members."""
_WHOM: Final = frozenset({"contact", "contact_id", "contacts", "people", "person"})
"""Members that would name whom it is about: whoever keeps an address may not know of them. The API tells it, to callers who may."""
_PAGELESS: Final = frozenset({"directory", "hr", "number"})
"""Families whose resources have no page of their own under their id: who holds a number is told at the number, and events have their
source's ids."""
_LARGEST: Final = 9999
_COUNTERS: Final = frozenset({"/after", "/directory/version", "/directory_version"})
"""Places of counters, which grow without a bound; a number in any other place could be somebody's."""
_DEEPEST: Final = 3
_LONGEST: Final = 100


class NoticeMalformed(ValueError):
    """Something that a notice never tells, or of a type that there is not; a fault of ours. The message quotes no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who is to be told: people (contact ids) by mail, holders of roles by mail and by the robots of their groups, and subscribers."""

    people: tuple[UUID, ...] = ()
    roles: tuple[str, ...] = ()
    subscribers: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened; told once for every ``id``, however often it is put."""

    id: UUID
    type: str
    occurred_at: datetime
    body: Mapping[str, Any]
    audience: Audience = field(default_factory=Audience)

    @property
    def family(self) -> str:
        """The first word of the type."""
        return self.type.partition(".")[0]

    @property
    def subject(self) -> Mapping[str, Any]:
        """What the notice is about, as its body has it; empty when it is about nothing that has an id."""
        found = self.body.get(self.family)
        return found if isinstance(found, Mapping) else {}

    @property
    def resource(self) -> str | None:
        """The name of what it is about, by which notices are ordered."""
        identity = self.subject.get("id")
        return None if identity is None else f"{self.family}:{identity}"

    @property
    def version(self) -> int:
        """The version of what it is about; notices of one resource are told in this order."""
        found = self.subject.get("version")
        return found if isinstance(found, int) else 0

    @property
    def path(self) -> str | None:
        """Where the resource stands, without what stands before the collection."""
        identity = self.subject.get("id")
        return None if identity is None or self.family in _PAGELESS else f"/{FAMILIES[self.family]}/{identity}"


def written(notice: Notice) -> Notice:
    """Give a notice as it is kept: its body plain JSON, everybody named once. Raises ``NoticeMalformed``."""
    if notice.type not in _KNOWN:
        message = f"there is no notice of the type {notice.type[:48]!r}"
        raise NoticeMalformed(message)
    if notice.occurred_at.tzinfo is None:
        message = "a notice needs an aware time"
        raise NoticeMalformed(message)
    audience = Audience(
        people=tuple(dict.fromkeys(notice.audience.people)),
        roles=tuple(dict.fromkeys(notice.audience.roles)),
        subscribers=notice.audience.subscribers,
    )
    return Notice(
        id=notice.id,
        type=notice.type,
        occurred_at=notice.occurred_at.astimezone(UTC),
        body=_members(notice.body, "", 0),
        audience=audience,
    )


def matches(patterns: Iterable[str], notice_type: str) -> bool:
    """Tell whether a subscription to ``patterns`` is one to ``notice_type``."""
    family = notice_type.partition(".")[0]
    return any(each in (notice_type, f"{family}.*") for each in patterns)


def payload(notice: Notice, base: str) -> dict[str, Any]:
    """Write what subscribers are sent; links are absolute, under ``base`` (an address without a slash at its end)."""
    links = {name: f"{base}{path}" for name, path in dict(notice.body.get("links") or {}).items()}
    if notice.path is not None:
        links.setdefault("self", f"{base}/v1{notice.path}")
    return {
        "id": notice.id,
        "type": notice.type,
        "occurred_at": notice.occurred_at,
        "data": {**notice.body, "links": links},
    }


def _members(body: Mapping[str, Any], where: str, depth: int) -> dict[str, Any]:
    found = {}
    for name, value in body.items():
        place = f"{where}/{name}"
        if not _MEMBER.fullmatch(name) or name in _WHOM or (name in _VALUES and not isinstance(value, Mapping)):
            message = f"a notice has no member {place[:64]}"
            raise NoticeMalformed(message)
        found[name] = _paths(value, place) if name == "links" else _plain(value, place, depth)
    return found


def _paths(value: Any, place: str) -> dict[str, str]:  # noqa: ANN401 — whatever a caller gave
    links = dict(value or {})
    if not all(
        _MEMBER.fullmatch(name) and isinstance(path, str) and _PATH.fullmatch(path) for name, path in links.items()
    ):
        message = f"a link of {place} is no path of this service"
        raise NoticeMalformed(message)
    return links


def _plain(value: Any, place: str, depth: int) -> Plain:  # noqa: ANN401 — whatever a caller gave
    found: Plain
    match value:
        case None | bool():
            found = value
        case int() if 0 <= value <= _LARGEST or (value > 0 and place in _COUNTERS):
            found = value
        case UUID():
            found = str(value)
        case datetime() if value.tzinfo is not None:
            found = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date() if not isinstance(value, datetime):
            found = value.isoformat()
        case str() if _CODE.fullmatch(value) or _is_id_or_time(value):
            found = str(value)
        case Mapping() if depth < _DEEPEST:
            found = _members(value, place, depth + 1)
        case list() | tuple() if depth < _DEEPEST and len(value) <= _LONGEST:
            found = [_plain(each, place, depth + 1) for each in value]
        case _:
            message = f"{place[:64]} is neither an id, a code, a time nor a small number"
            raise NoticeMalformed(message)
    return found


def _is_id_or_time(text: str) -> bool:
    try:
        if len(text) == len(str(UUID(int=0))):
            return bool(UUID(text))
        if len(text) == len("2026-01-01"):
            return text == date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(text).tzinfo is not None and "T" in text
    except ValueError:
        return False
