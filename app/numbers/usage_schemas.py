"""Shapes of how full pools are and when they run out."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.numbers.rules import State

_BAND = "Band of 80 per cent around it."
_NEVER = "`null`: not within ten years, or too little is known."


class UtilisationView(Output):
    """Where a pool's numbers stand. ``used`` is the share that is not free; ``kept`` of those that are free wait for requests."""

    pool: str
    size: int
    free: int
    kept: int
    used: float = Field(examples=[0.42])
    states: dict[State, int]
    low_water: int | None
    low: bool = Field(description="Of now; the forecast counts in who is announced.")
    disclosure: DisclosureNote


class ForecastQuery(Input):
    """Demand that you know of, and that neither the weeks before nor HR's announcements tell of."""

    joiners: Annotated[int, Field(ge=0, le=1_000_000)] = Field(0, description="So many numbers are needed besides, …")
    joiners_by: date | None = Field(None, description="… on this day; today by default.")


class WeekView(Output):
    """What a week took: numbers that left the free list less those that returned to it."""

    begins: datetime = Field(alias="from")
    net: int


class WeeklyView(Output):
    """The slope by Theil and Sen, and the band of 80 per cent in which it lies."""

    net: float = Field(examples=[3.5])
    low: float = Field(description=_BAND)
    high: float


class ForecastView(Output):
    """When a pool runs out. ``free`` leaves out what is kept back; ``short``: it lasts no longer than ``lead_days``.

    ``low``: less than ``low_water`` is left once everybody has a number who comes within ``lead_days``, 30 where there are none.
    """

    pool: str
    as_of: datetime
    free: int
    weeks: list[WeekView] = Field(description="The whole weeks before, 26 at most.")
    weekly: WeeklyView | None = Field(description="`null` with fewer than four weeks.")
    announced: int | None = Field(
        description="People whom HR has announced, to join or to come back, and who would get a number of this pool: each is counted in "
        "on their day. `null` to people without `numbers:allocate` and `numbers:admin`, for whom nobody is counted in."
    )
    joiners: int = Field(description="What you asked to count in besides.")
    exhausted_on: date | None = Field(description=_NEVER)
    earliest: date | None = Field(description="By the upper end of the band.")
    latest: date | None = Field(description="By the lower end of the band.")
    lead_days: int | None
    short: bool
    low_water: int | None
    low: bool
    disclosure: DisclosureNote
