"""What a question to the access log may ask: the filters, alike for lists, summaries and exports, and what each adds to them.

Every filter that is given must hold. Times are RFC 3339 with an offset, because an hour without one is a different hour in another office.
Unlike elsewhere ``purpose`` is a filter here, since a question to the log has one purpose, ``audit``, and needs none named.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv6Network, ip_network
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.audit.events import Decision
from app.audit.matching import Network
from app.departments.schemas import DepartmentRef
from app.disclosure.looks import CaseNumber
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input
from app.permissions.outcomes import Purpose

CONTACT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How events spell the id of a person; nothing else that an actor is called looks like it."""

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})")
_PAGE: Final = frozenset({"cursor", "limit"})
_MAPPED: Final = 96
"""Bits of an IPv6 address before the IPv4 address that it carries (RFC 4291 section 2.5.5.2)."""


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _not_a_time() from error
    raise _not_a_time()


def network_of(text: str) -> Network:
    """Read an address or a network; an IPv4 address that IPv6 carries is itself. Raise ``ValueError`` for anything else."""
    if "%" in text:
        message = "an address of a log has no zone"
        raise ValueError(message)
    found = ip_network(text)
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    return found if mapped is None or found.prefixlen < _MAPPED else ip_network((mapped, found.prefixlen - _MAPPED))


def _address(value: object) -> object:
    try:
        network = network_of(value) if isinstance(value, str) else None
    except ValueError as error:
        raise _not_an_address() from error
    if network is None:
        raise _not_an_address()
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _not_a_time() -> Rejected:
    return Rejected(
        "malformed_time",
        "A time is written as in RFC 3339, with its offset: 2026-11-21T08:00:00Z (write `+` as %2B).",
        "时间须为带时区的 RFC 3339 格式，例如 2026-11-21T08:00:00Z（`+` 写作 %2B）。",
    )


def _not_an_address() -> Rejected:
    return Rejected(
        "malformed_address",
        "This is neither an IP address nor a network such as 10.1.0.0/16.",
        "既不是 IP 地址，也不是网段（如 10.1.0.0/16）。",
    )


def _reversed() -> Rejected:
    return Rejected("reversed_range", "`to` lies before `from`.", "`to` 早于 `from`。")


Moment = Annotated[datetime, BeforeValidator(_moment)]
Address = Annotated[str, BeforeValidator(_address)]
ActorId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
Action = Annotated[
    str, StringConstraints(pattern=r"^([a-z_]+(\.[a-z_]+)*(\.\*)?|[A-Z]{3,7} /[!-~]{0,55})$", max_length=64)
]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{8,64}$")]
Sort = Literal["at", "-at"]


class EventReadQuery(Input):
    """How one event is read."""

    purpose: Purpose = Purpose.AUDIT


class EventCriteria(Input):
    """Which events are meant."""

    contact: UUID | None = Field(None, description="Events in which this contact was shown, sought or changed.")
    actor: ActorId | None = Field(
        None, description="Who acted: a contact's id for people, the client id for service accounts.", examples=["siem"]
    )
    department: DepartmentRef | None = Field(
        None,
        description="Id or code: the actor belonged to this department, or to one that is below it now, when acting.",
        examples=["RD"],
    )
    action: Action | None = Field(
        None,
        description="One action, or with `.*` at the end all that begin so. "
        "Refusals before the operation began carry its method and path.",
        examples=["contact.reveal", "access_event.*"],
    )
    field: FieldName | None = Field(
        None,
        description="Events that told, asked for or changed this field of a contact; with `state`, that told it in that state.",
        examples=["mobile"],
    )
    state: Literal["shown", "masked", "withheld", "empty", "used"] | None = Field(
        None, description="Events that told `field`, or any field, in this state; of `contact`, where one is named."
    )
    decision: Decision | None = None
    purpose: Purpose | None = Field(None, description="Purpose of the look that is on record.")
    request: RequestId | None = Field(None, description="`X-Request-ID` of the request that caused the event.")
    ip: Address | None = Field(
        None, description="Address of the caller, or a network of addresses.", examples=["10.1.0.0/16"]
    )
    case: CaseNumber | None = Field(None, description="Reveals that were for this case.", examples=["INC-20260042"])
    since: Moment | None = Field(
        None, alias="from", description="From this time on (RFC 3339).", examples=["2026-11-21T00:00:00Z"]
    )
    until: Moment | None = Field(
        None, alias="to", description="Before this time (RFC 3339).", examples=["2026-11-22T00:00:00Z"]
    )

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: datetime | None, given: ValidationInfo) -> datetime | None:
        since = given.data.get("since")
        if until is not None and since is not None and since > until:
            raise _reversed()
        return until

    @field_validator("actor")
    @classmethod
    def _as_kept(cls, actor: str | None) -> str | None:
        """Bring a contact's id to the spelling in which events keep it."""
        return actor.lower() if actor is not None and CONTACT_ID.fullmatch(actor.lower()) else actor

    def shape(self) -> Mapping[str, Any]:
        """Give what identifies the question, without its page: for the cursor and the log."""
        return self.model_dump(mode="json", by_alias=True, exclude=set(_PAGE), exclude_defaults=True)


class EventQuery(EventCriteria):
    """A page of events."""

    sort: Sort = Field("-at", description="`-at`: newest first; `at`: oldest first.")
    limit: Limit = 20
    cursor: CursorText | None = Field(None, description="`next` or `prev` of another page of the same question.")


class SummaryQuery(EventCriteria):
    """What is to be counted."""

    top: Annotated[int, Field(ge=1, le=50)] = Field(
        10, description="Longest list of readers, subjects and departments."
    )
    utc_offset: Annotated[str, StringConstraints(pattern=r"^[+-](0\d|1[0-4]):[0-5]\d$")] = Field(
        "+00:00", description="Whose hours of the day are counted (write `+` as %2B).", examples=["+08:00"]
    )


class EventExport(EventCriteria):
    """What is to be exported, and how it is written."""

    format: Literal["ndjson", "csv"]
    sort: Sort = Field("-at", description="`-at`: newest first; `at`: oldest first.")
