"""What is asked about deadlines, and the shapes of what goes out: ids, times, and of people what a list of colleagues shows."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from app.clocks.rules import Cause, Kind, State
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output

_Department = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_FROM = Field(None, alias="from", description="Due on this day or later, by the clocks here.", examples=["2026-01-01"])
_TO = Field(None, alias="to", description="Due on this day or earlier.", examples=["2026-12-31"])
_WITHIN = Field(None, description="Code or id of a department; those below it count.", examples=["RD"])


class DeadlineQuery(Input):
    """Which deadlines are listed."""

    state: State | None = Field(
        None, description="`breached` stays so, whether or not what was owed has been done since: `met_at` tells."
    )
    kind: Kind | None = None
    department: _Department | None = _WITHIN
    since: date | None = _FROM
    until: date | None = _TO
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", by_alias=True, exclude={"cursor", "limit"}, exclude_none=True)


class SummaryQuery(Input):
    """Which deadlines are counted: three years at the most, the last twelve months where nothing is said."""

    kind: Kind | None = None
    department: _Department | None = _WITHIN
    since: date | None = _FROM
    until: date | None = _TO

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Subject(Output):
    """Whom a deadline is about."""

    id: UUID
    name: str | None
    title: str | None
    department: dict[str, Any] | None


class EventName(Output):
    """The personnel event, as its source named it."""

    source: str = Field(examples=["https://hr.example.com"])
    id: str = Field(examples=["evt-1"])


class DeadlineView(Output):
    """One deadline."""

    id: UUID
    kind: Kind = Field(
        description="`joiner`: until they can be found and reached; `mover`: until the card shows the move; `leaver`: until it is archived."
    )
    state: State
    event: EventName
    contact_id: UUID | None = Field(
        description="Null while a joiner has no card, because the event could not be applied."
    )
    contact: Subject | None = Field(
        description="Null where the caller may not know of them any more, as of who has left."
    )
    department: dict[str, Any] | None = Field(description="Which department it was when the event was taken.")
    began_at: datetime = Field(description="When the event took effect, whenever it came.")
    days: int = Field(description="Working days that were given.", examples=[3])
    due_at: datetime
    first_due_at: datetime = Field(description="As it was worked out first, before the calendar was revised.")
    predicted: bool = Field(description="It reaches into a year whose days off are not announced yet.")
    recorded_at: datetime = Field(
        description="When we heard of the event; after `due_at`, it was a breach from the start."
    )
    reminded_at: datetime | None
    escalated_at: datetime | None
    breached_at: datetime | None = Field(description="Once written, for good.")
    met_at: datetime | None
    ended_at: datetime | None = Field(description="When it was not owed any more, for `cause`.")
    cause: Cause | None


class DeadlineRead(DeadlineView):
    """One deadline, and under which record it was shown."""

    disclosure: DisclosureNote


class DeadlinePage(Output):
    """A page of deadlines, those that were heard of last first."""

    items: list[DeadlineView]
    next: str | None
    disclosure: DisclosureNote


class DeadlineCount(Output):
    """How many deadlines, due in one month, of a kind and department came to what."""

    month: str = Field(examples=["2026-11"])
    kind: Kind
    department: dict[str, Any] | None
    met: int = Field(description="In time.")
    late: int = Field(description="Broken, and no longer owed.")
    open: int = Field(description="Still in time.")
    overdue: int = Field(description="Broken, and still owed.")
    withdrawn: int = Field(description="In time, and not owed any more: who joined has left, or the like.")


class DeadlineSummary(Output):
    """Deadlines by month, kind and department; months without any are left out."""

    since: date = Field(alias="from")
    until: date = Field(alias="to")
    days: dict[Kind, int] = Field(
        description="Working days that are given now.", examples=[{"joiner": 3, "mover": 3, "leaver": 5}]
    )
    items: list[DeadlineCount]
    disclosure: DisclosureNote
