"""What a question to the access log may ask, and the shapes of what it answers.

The reader of the log is told who looked and at whom by name, which fields and in which state, and never a value: events hold none, and
nothing is opened here. Times are RFC 3339 with an offset, because an hour without one is a different hour in another office.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.audit.events import ActorType, Decision
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose

MOST_CONTACTS: Final = 200
"""Most contacts that one event lists: a whole page of cards. ``contact_count`` counts all; ``contact=`` finds any of them."""

CONTACT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How events spell the id of a person; nothing else that an actor is called looks like it."""

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})")
_PAGE: Final = frozenset({"cursor", "limit", "purpose"})


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _not_a_time() from error
    raise _not_a_time()


def _not_a_time() -> Rejected:
    return Rejected(
        "malformed_time",
        "A time is written as in RFC 3339, with its offset: 2026-11-21T08:00:00Z (write `+` as %2B).",
        "时间须为带时区的 RFC 3339 格式，例如 2026-11-21T08:00:00Z（`+` 写作 %2B）。",
    )


def _reversed() -> Rejected:
    return Rejected("reversed_range", "`to` lies before `from`.", "`to` 早于 `from`。")


Moment = Annotated[datetime, BeforeValidator(_moment)]
ActorId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,128}$")]
Action = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)*$", max_length=64)]


class EventReadQuery(Input):
    """How one event is read."""

    purpose: Purpose = Purpose.AUDIT


class EventQuery(EventReadQuery):
    """Which events are looked for; every filter that is given must match."""

    contact: UUID | None = Field(None, description="Events in which this contact was shown, sought or changed.")
    actor: ActorId | None = Field(
        None, description="Who acted: a contact's id for people, the client id for service accounts.", examples=["siem"]
    )
    since: Moment | None = Field(
        None, alias="from", description="From this time on (RFC 3339).", examples=["2026-11-21T00:00:00Z"]
    )
    until: Moment | None = Field(
        None, alias="to", description="Before this time (RFC 3339).", examples=["2026-11-22T00:00:00Z"]
    )
    action: Action | None = Field(None, examples=["contact.reveal"])
    decision: Decision | None = None
    limit: Limit = 20
    cursor: CursorText | None = Field(None, description="`next` or `previous` of another page of the same question.")

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
        return self.model_dump(mode="json", by_alias=True, exclude=set(_PAGE), exclude_none=True)


class ActorDepartment(Output):
    """The department that the actor belonged to when they acted, as it is called now; nulls when it is gone."""

    id: UUID
    code: str | None
    name: str | None
    path: str | None


class EventActor(Output):
    """Who acted. ``id`` is a contact's id for people and the client id for service accounts; names are those of now."""

    type: ActorType
    id: str | None
    name: str | None
    tier: str | None
    department: ActorDepartment | None


class EventContact(Output):
    """A contact in an event, and what was disclosed of it: field name to state. Writes and refusals disclose nothing."""

    id: UUID
    name: str | None
    fields: dict[str, Literal["shown", "masked", "withheld", "empty"]]


class EventItem(Output):
    """One look, write or refusal."""

    id: UUID
    index: int = Field(description="Place in the log, from 0, without a gap.")
    at: datetime
    actor: EventActor
    client_id: str | None = Field(description="The front end or service account through which the actor called.")
    on_behalf_of: str | None
    action: str = Field(examples=["contact.read"])
    decision: Decision
    code: str | None = Field(description="Problem code of a refusal.")
    purpose: str | None
    request_id: str | None
    policy_version: str | None
    ip: str | None
    contacts: list[EventContact] = Field(
        description=f"At most {MOST_CONTACTS}; where `contact` was asked for, that contact alone.",
        max_length=MOST_CONTACTS,
    )
    contact_count: int = Field(description="All contacts of the event, listed or not.")
    fields: list[str] = Field(description="Members that a write changed or a reveal asked for.")


class EventPage(Output):
    """Events, newest first."""

    items: list[EventItem]
    next: str | None = Field(description="Cursor to older events.")
    previous: str | None = Field(description="Cursor to newer events.")
    disclosure: DisclosureNote


class EventView(EventItem):
    """One event, with what was asked: the shape of the query, its terms as keyed hashes, and how many items the answer had."""

    query: dict[str, Any] | None
    count: int | None
    disclosure: DisclosureNote
