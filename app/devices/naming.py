"""What a telephone is called where its number is told: its label, else its room, else what it is. None of that is personal data.

One that a person has is that person's: who tells of it asks first whether they may be named. One that is lost, suspended or retired is not
told of at all, nor one of which a row was edited past the service.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.devices.repository import DeviceRepository
from app.devices.rules import State
from app.kit.query import Source

_TOLD_OF: Final = frozenset({State.IN_STOCK, State.IN_USE, State.TO_HAND_OVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A telephone as a directory of numbers tells of it.

    ``listed``: it is in use by a department or in a room, and has a label or a place to be known by. ``person``: who has it.
    """

    name: str
    department_id: UUID | None
    person: UUID | None
    listed: bool


class Terminals:
    """Names telephones."""

    def __init__(self, rows: DeviceRepository) -> None:
        """Take the rows."""
        self._rows = rows

    async def named(self, source: Source, devices: Iterable[UUID]) -> Mapping[UUID, Terminal]:
        """Give those of ``devices`` of which may be told."""
        found = dict[UUID, Terminal]()
        for device, held in await self._rows.with_holders(source, devices):
            if device.state in _TOLD_OF:
                known_by, person = device.label or device.room, None
                if held is not None and held.holder_type == "contact":
                    person = held.holder_id
                found[device.id] = Terminal(
                    name=known_by or device.name,
                    department_id=device.department_id,
                    person=person,
                    listed=device.state is State.IN_USE
                    and known_by is not None
                    and held is not None
                    and person is None,
                )
        return found
