"""What comes in about who is on call, and the shapes of what goes out."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field

from app.approvals.delegation_schemas import PartyView
from app.approvals.roster_rules import beginning
from app.auth.roles import Role
from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose

_DAY_LENGTH = len("2026-12-01")
_YEARS = range(2000, 3000)


def _moment(said: Any) -> Any:  # noqa: ANN401 — as it came in
    """Read ten characters as a day; everything else has to be a moment with its offset."""
    if isinstance(said, str) and len(said) == _DAY_LENGTH:
        day = date.fromisoformat(said)
        return said if day.year not in _YEARS else beginning(day)
    return said


def _near(moment: datetime) -> datetime:
    """Refuse a year of which no roster speaks, before anything is reckoned with it."""
    if moment.year not in _YEARS:
        message = "no roster speaks of this year"
        raise ValueError(message)
    return moment


DayOrMoment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_near)]
_EXAMPLE: dict[str, Any] = {
    "person": "019a0000-0000-7000-8000-000000000001",
    "from": "2026-12-01",
    "until": "2026-12-08",
}


class ShiftCreate(Input):
    """Somebody who holds the role is to be on call for it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    person: UUID = Field(description="Who is on call: a holder of the role, by the id of the contact.")
    since: DayOrMoment | None = Field(
        None, alias="from", description="From this day (in Shanghai) or moment on; absent: from now on."
    )
    until: DayOrMoment = Field(description="To just before this day or moment.")


class RosterQuery(Input):
    """Which part of a roster is read: the two weeks to come unless it is said."""

    since: DayOrMoment | None = Field(None, alias="from", description="From this day (in Shanghai) or moment on.")
    until: DayOrMoment | None = Field(None, description="To just before this day or moment, 92 days later at most.")
    purpose: Purpose = Purpose.WORK_CONTACT


class Span(Output):
    """A time, half open."""

    since: datetime = Field(alias="from")
    until: datetime


class ShiftState(Span):
    """A shift, beside whose it is."""

    id: UUID
    state: Literal["planned", "live", "ended"]


class ShiftView(ShiftState):
    """One shift. A person whom the caller may not know of is null; one who lost the role is not on call."""

    person: PartyView | None
    holds_role: bool


class RosterRead(Span):
    """A roster: who is on call, the shifts by time, and the times for which nobody is."""

    role: Role
    on_call: PartyView | None
    items: list[ShiftView]
    gaps: list[Span]
    disclosure: DisclosureNote


class ShiftReceipt(ShiftState):
    """What was set, as the caller said it."""

    role: Role
    person: UUID
