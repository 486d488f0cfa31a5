"""A change of what is known of days, as a value: what a layer says of a day, and a revision with every changed day before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from app.calendar.rules import Entry

PUBLISHED: Final = "published"
COMPANY: Final = "company"
"""Layers: what was announced, and what the company set for itself, which wins."""
PACKAGE: Final = "package"
"""Kind of a revision that took a year over from a package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One change of the calendar, as it is kept. ``year``: the year that it announced."""

    seq: int
    id: UUID
    at: datetime
    kind: str
    year: int | None
    source: str
    actor_type: str
    actor_id: str
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a layer says of a day. ``year`` is that of the notice."""

    day: date
    layer: str
    entry: Entry
    year: int
    revision: int
