"""What leaves when working days are asked for: the shapes for OpenAPI. None of it is anybody's data."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from app.calendar.rules import Kind, Status
from app.kit.schemas import Output


class DayView(Output):
    """One day, what it is, and who said so."""

    date: date
    kind: Kind
    status: Status = Field(description="`predicted` until the notice for the day's year is taken.")
    source: str = Field(examples=["chinesecalendar 1.11.0"])
    name_zh: str | None = Field(examples=["春节"])
    name_en: str | None = Field(examples=["Spring Festival"])


class YearView(Output):
    """How sure a year is, and by what."""

    year: int
    status: Status
    source: str


class ClocksView(Output):
    """How the clocks here go."""

    cut_off: str = Field(description="When a working day ends.", examples=["18:00"])
    utc_offset: str = Field(examples=["+08:00"])


class CalendarView(ClocksView):
    """Days in a row."""

    since: date = Field(alias="from")
    until: date = Field(alias="to")
    working_days: int
    predicted: bool = Field(description="Whether a day of these is not confirmed.")
    epoch: int = Field(description="Moves with every revision.")
    years: list[YearView]
    days: list[DayView]


class DueDateView(ClocksView):
    """When something is due."""

    since: datetime = Field(alias="from")
    days: int
    counted_from: date = Field(description="The working day as whose beginning it counts.")
    due_on: date
    due_at: datetime
    predicted: bool = Field(description="A day that was counted over is not confirmed: it may still move.")
    epoch: int = Field(description="The calendar that it was counted by; while it is the same, so is the answer.")


class SaidView(Output):
    """What was said of a day at one time."""

    kind: Kind
    status: Status
    source: str


class ChangeView(Output):
    """A day that became another, before and after."""

    date: date
    before: SaidView
    after: SaidView


class RevisionView(Output):
    """A change of the calendar. Who made it, the access log tells those who read it."""

    id: UUID
    epoch: int
    at: datetime
    kind: Literal["package", "year", "days", "withdrawal"]
    year: int | None = Field(description="The year that it confirmed.")
    source: str
    changes: list[ChangeView] = Field(description="Days that were worked and are off now, or the other way round.")


class RevisionPage(Output):
    """A page of revisions, newest first."""

    items: list[RevisionView]
    next: str | None
