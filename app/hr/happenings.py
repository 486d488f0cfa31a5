"""Events as the order of events sees them. Pure."""

from typing import Final

from app.hr.data import (
    CareerData,
    JoinedData,
    LeavingData,
    LeftData,
    MovedData,
    RehiredData,
    UpdatedData,
)
from app.hr.ordering import Happening, Kind, Place
from app.hr.schemas import HrEventIn

_KINDS: Final[dict[type[CareerData], Kind]] = {
    JoinedData: "joined",
    MovedData: "moved",
    UpdatedData: "updated",
    LeavingData: "leaving",
    LeftData: "left",
    RehiredData: "rehired",
}


def place_of(event: HrEventIn) -> Place:
    """Say where an event stands: at its time and sequence, or, when it takes effect later than it was written, at that time alone.

    A sequence numbers what a source wrote, and what was written early and takes effect late is later than what took effect before it.
    """
    effective = event.data.effective_at
    if effective is not None and effective > event.time:
        return Place(effective, event.source)
    return Place(event.time, event.source, event.sequence)


def happening(event: HrEventIn, data: CareerData) -> Happening:
    """Say what an event writes, and where it stands."""
    return Happening(_KINDS[type(data)], place_of(event), frozenset(data.given()))
