"""Settings of what is given time: working days, the giving away of decisions, reviews, personnel events that wait."""

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.group import Group


class CalendarSettings(Group):
    """How working days go; which days they are stands in the store, and by which clocks in ``numbers.utc_offset_minutes``."""

    cut_off: time = Field(
        time(18),
        title="When a working day ends, by the clocks here; what begins then or later counts from the next one",
    )

    @field_validator("cut_off")
    @classmethod
    def _is_of_the_day(cls, cut_off: time) -> time:
        if cut_off.tzinfo is not None or cut_off == time():
            message = "cut_off is a time of the day after 00:00, without an offset"
            raise ValueError(message)
        return cut_off


class ApprovalsSettings(Group):
    """How requests are decided."""

    delegation_days: Annotated[int, Field(ge=1, le=366)] = Field(
        90, title="Longest time for which somebody gives their decisions to somebody else"
    )
    handover_days: Annotated[int, Field(ge=1, le=20)] = Field(
        3, title="Working days in which somebody takes over a service account whose owner has left"
    )


class CampaignsSettings(Group):
    """How often rights and cards are reviewed, and what silence means."""

    rights: Literal["quarterly", "off"] = Field("quarterly", title="How often every right is reviewed by its owner")
    accuracy: Literal["quarterly", "off"] = Field(
        "quarterly", title="How often everybody is asked whether cards are right"
    )
    answer_days: Annotated[int, Field(ge=1, le=60)] = Field(10, title="Working days to answer in")
    suspend_days: Annotated[int, Field(ge=0, le=60)] = Field(
        5, title="Working days after the deadline until an unanswered right is suspended"
    )
    on_silence: Literal["suspend", "keep"] = Field(
        "suspend", title="What becomes of a right that nobody answers for; `keep` is put on record"
    )


class DeadlinesSettings(Group):
    """In how many working days the directory follows personnel events, from the day on which they take effect."""

    joiner_days: Annotated[int, Field(ge=0, le=60)] = Field(
        3, title="Working days until who has joined can be found and reached by their card"
    )
    mover_days: Annotated[int, Field(ge=0, le=60)] = Field(3, title="Working days until a move stands on the card")
    leaver_days: Annotated[int, Field(ge=0, le=60)] = Field(
        5, title="Working days until the card of who has left is archived"
    )
