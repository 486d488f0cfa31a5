"""The shapes of what the access log answers.

The reader of the log is told who looked and at whom by name, which fields and in which state, and never a value: events hold none, and
nothing is opened here. Departments are those of the actors at the time, as they are called now.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field

from app.audit.events import ActorType, Decision
from app.disclosure.view import DisclosureNote
from app.kit.schemas import Output

MOST_CONTACTS: Final = 200
"""Most contacts that one event lists: a whole page of cards. ``contact_count`` counts all; ``contact=`` finds any of them."""


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
    """A contact in an event, and what was disclosed of it: field name to state. Writes and refusals disclose nothing.

    `used`: the service opened the field for its own work and told nobody.
    """

    id: UUID
    name: str | None
    fields: dict[str, Literal["shown", "masked", "withheld", "empty", "used"]]


class EventItem(Output):
    """One look, write or refusal."""

    id: UUID
    index: int = Field(description="Place in the log, from 0, without a gap.")
    at: datetime
    actor: EventActor
    client_id: str | None = Field(description="The front end or service account through which the actor called.")
    on_behalf_of: str | None = Field(
        description="The actor once more, where `client_id` is a back end that acted for them with a token it had exchanged; else null."
    )
    action: str = Field(
        examples=["contact.read"],
        description="`access_log.unreadable`: the evidence is damaged; `duanhao audit verify` says how.",
    )
    decision: Decision
    code: str | None = Field(description="Problem code of a refusal.")
    purpose: str | None
    case: str | None = Field(description="Number of the case that a reveal was for.", examples=["INC-20260042"])
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
    """Events in the order asked for. A page may be short or empty although a cursor leads on: it has looked at enough."""

    items: list[EventItem]
    next: str | None = Field(description="Cursor to what follows in the order asked for; null at the end.")
    prev: str | None = Field(description="Cursor to what goes before; null at the beginning.")
    disclosure: DisclosureNote


class EventView(EventItem):
    """One event, with what was asked: the shape of the query, its terms as keyed hashes, and how many items the answer had."""

    query: dict[str, Any] | None
    count: int | None
    disclosure: DisclosureNote


class EventLine(EventItem):
    """One line of an export."""

    query: dict[str, Any] | None
    count: int | None
    export_event_id: UUID = Field(description="The event that put this line's export on record.")


class ReaderCount(Output):
    """Somebody who looked: how often, at how many contacts in sum, and when last."""

    actor: EventActor
    looks: int
    contacts: int
    last_at: datetime


class SubjectCount(Output):
    """Somebody who was looked at: how often, and how often a look was refused."""

    contact: dict[Literal["id", "name"], str | None]
    looks: int
    refusals: int


class DepartmentCount(Output):
    """What people of one department did; null for actors without one."""

    department: ActorDepartment | None
    events: int
    refusals: int


class NamedCount(Output):
    """Events of one action or purpose, and how many of them were refused."""

    name: str | None
    events: int
    refusals: int


class HourCount(Output):
    """Events of one hour of the day."""

    hour: int = Field(ge=0, le=23)
    events: int
    refusals: int


class CodeCount(Output):
    """Refusals under one problem code."""

    code: str | None
    events: int


class RefusedCount(Output):
    """Somebody who was refused, and how often."""

    actor: EventActor
    refusals: int


class Refusals(Output):
    """What was refused, to whom."""

    total: int
    codes: list[CodeCount]
    actors: list[RefusedCount]


class Scanned(Output):
    """How far the counting went. Not ``complete``: it stopped with the event at ``reached``; ask for a shorter time."""

    events: int
    complete: bool
    reached: datetime | None = Field(
        description="Time of the oldest event that was looked at; null where there was none."
    )


class EventSummary(Output):
    """Exact counts over the events that fit. A look is an allowed event with a purpose; writes have none."""

    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    utc_offset: str
    events: int
    looks: int
    contacts: int = Field(description="Contacts in looks, in sum.")
    readers: list[ReaderCount] = Field(description="Who looked most often, then at most contacts.")
    subjects: list[SubjectCount] = Field(description="Who was looked at most often.")
    departments: list[DepartmentCount]
    purposes: list[NamedCount]
    actions: list[NamedCount]
    hours: list[HourCount] = Field(min_length=24, max_length=24)
    refusals: Refusals
    scanned: Scanned
    disclosure: DisclosureNote
