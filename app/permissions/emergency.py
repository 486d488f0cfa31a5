"""What policy reads of an open emergency session: about whom it is, until when, and whether a second person stands behind it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

ORDINARY: Final = "normal"
"""The secrecy of whoever nothing more protects."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """That the viewer has an emergency session open: about members of ``departments`` and whoever has one of ``tags``, until a time.

    Of contacts whose secrecy is not normal it is only once a second person has ``confirmed`` it. In a standing ``departments`` are
    those of the tree of now.
    """

    session_id: UUID
    until: datetime
    departments: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()
    confirmed: bool = False

    def covers(self, departments: Iterable[UUID], tags: Iterable[str], secrecy: str) -> bool:
        """Tell whether it is about a contact of these departments, with these tags and this secrecy."""
        about = not self.departments.isdisjoint(departments) or not self.tags.isdisjoint(tags)
        return about and (self.confirmed or secrecy == ORDINARY)
