"""What a device is, in which states it may call, and how it goes from one to another. Pure.

::

    in_stock ──assign──▶ in_use ──leave, move──▶ to_hand_over ──assign──▶ in_use
        ▲                  │  ▲                       │
        └────return────────┤  └──resume── suspended ◀─┴─ suspend, deadline
                           └──lose──▶ lost ──return, assign──▶ …
    everything but retired ──retire──▶ retired

A device in stock, suspended, lost or retired is refused at the door, whatever secret it shows.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from app.permissions.plan import Standing

Kind = Literal["desk_phone", "conference_phone", "dect_phone", "softphone", "gateway"]
Follows = Literal["person", "place"]
HolderType = Literal["contact", "department", "room"]

_HEX: Final = re.compile(r"[0-9a-f]{12}")
_SEPARATORS: Final = str.maketrans("", "", ":-. ")
_NOBODYS: Final = frozenset({"000000000000", "ffffffffffff"})
_GROUP_BIT: Final = 1


class State(StrEnum):
    """Where a device is in its life."""

    IN_STOCK = "in_stock"
    IN_USE = "in_use"
    TO_HAND_OVER = "to_hand_over"
    SUSPENDED = "suspended"
    LOST = "lost"
    RETIRED = "retired"


class Step(StrEnum):
    """What can be done with a device."""

    ASSIGN = "assign"
    RETURN = "return"
    LOSE = "lose"
    SUSPEND = "suspend"
    RESUME = "resume"
    RETIRE = "retire"
    HAND_OVER = "hand_over"
    ROTATE = "rotate"


TRUSTED: Final = frozenset({State.IN_USE, State.TO_HAND_OVER})
"""States in which a device may call."""
_ANY: Final = frozenset(State) - {State.RETIRED}
_FROM: Final[dict[Step, frozenset[State]]] = {
    Step.ASSIGN: _ANY,
    Step.RETURN: _ANY - {State.IN_STOCK},
    Step.LOSE: _ANY - {State.LOST},
    Step.SUSPEND: frozenset({State.IN_USE, State.TO_HAND_OVER}),
    Step.RESUME: frozenset({State.SUSPENDED}),
    Step.RETIRE: _ANY,
    Step.HAND_OVER: frozenset({State.IN_USE, State.SUSPENDED, State.LOST}),
    Step.ROTATE: frozenset({State.IN_STOCK, State.IN_USE, State.TO_HAND_OVER}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One apparatus, as its row says."""

    id: UUID
    kind: str
    vendor: str
    model: str
    serial: str | None
    mac_address: str | None
    label: str | None
    department_id: UUID | None
    room: str | None
    follows: str
    state: State
    answerable_id: UUID | None = None
    due_at: datetime | None = None
    row_version: int
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        """Call it by its label, or by what it is."""
        return self.label or f"{self.vendor} {self.model}"

    @property
    def epoch_key(self) -> str:
        """Name the counter that moves with everything that the door and a standing believe of it."""
        return f"device:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret's keyed hash and how long it is good; ``until`` is ``None`` for the newest one."""

    id: UUID
    device_id: UUID
    digest: bytes = field(repr=False)
    since: datetime
    until: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it is good now."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who has, or had, a device."""

    id: UUID
    device_id: UUID
    holder_type: str
    holder_id: UUID
    holder_name: str | None
    since: datetime
    ended_at: datetime | None
    cause: str | None
    actor_type: str
    actor_id: str


def allows(state: State, step: Step) -> bool:
    """Tell whether a step can be taken from a state."""
    return state in _FROM[step]


class Sight(StrEnum):
    """How much of a device somebody is told."""

    NOTHING = "nothing"
    PLAIN = "plain"
    FULL = "full"


KEEPERS: Final = frozenset({"it", "system_admin"})
"""Roles that register devices, set them up and retire them."""
OVERSEERS: Final = frozenset({"administration", "auditor", "infosec"})
"""Roles that are told of every device besides."""


def keeps(standing: Standing) -> bool:
    """Tell whether somebody looks after devices: IT, and a program that was given the scope, which is asked for before this."""
    return standing.kind == "service" or not standing.roles.isdisjoint(KEEPERS)


def looks_at_all(standing: Standing) -> bool:
    """Tell whether somebody is told of every device."""
    return keeps(standing) or not standing.roles.isdisjoint(OVERSEERS)


def answers_for(standing: Standing, device: Device) -> bool:
    """Tell whether somebody heads where the device stands, or was told to hand it over."""
    return standing.contact_id is not None and (
        device.answerable_id == standing.contact_id or device.department_id in standing.headed
    )


def sight(standing: Standing, device: Device, holder_id: UUID | None) -> Sight:
    """Say how much of a device somebody is told: serial number and hardware address are for its holder and those who look after all."""
    if looks_at_all(standing) or (holder_id is not None and holder_id == standing.contact_id):
        return Sight.FULL
    return Sight.PLAIN if answers_for(standing, device) else Sight.NOTHING


def hardware_address(text: str) -> str | None:
    """Write a MAC address as ``00:15:65:aa:bb:cc``, however its vendor prints it; ``None`` for what is none of a single apparatus.

    Taken are twelve hexadecimal digits with colons, hyphens, dots, spaces or nothing between them. All zeroes, all ones and addresses of
    groups name no apparatus (IEEE 802 section 8.2).
    """
    digits = unicodedata.normalize("NFKC", text).translate(_SEPARATORS).lower()
    if not _HEX.fullmatch(digits) or digits in _NOBODYS or int(digits[:2], 16) & _GROUP_BIT:
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def serial_number(text: str) -> str:
    """Write a serial number as it is compared: full-width forms narrowed, spaces away, letters large."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
