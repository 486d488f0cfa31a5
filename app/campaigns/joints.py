"""What campaigns need of parts that they do not know: working days, somebody who tells people, and other things that people hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from app.audit.authors import Author
from app.auth.repository import Source
from app.campaigns.rules import Item
from app.kit.db import UnitOfWork
from app.notices.notice import Audience, Notice


class Due(Protocol):
    """A moment on a working day, and whether days on the way are only predicted."""

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        ...

    @property
    def predicted(self) -> bool:
        """Whether a day on the way is not confirmed yet."""
        ...


class WorkDays(Protocol):
    """A calendar of working days."""

    def is_working(self, day: date, /) -> bool:
        """Tell whether a day is worked on."""
        ...

    def due(self, start: datetime, days: int, /) -> Due:
        """Give the end of the ``days``-th working day after ``start``."""
        ...


class Calendar(Protocol):
    """Where the calendar of now is read."""

    async def current(self, source: Source) -> WorkDays:
        """Give the calendar."""
        ...

    async def epoch(self, source: Source) -> int:
        """Count its changes."""
        ...


def notice_about(
    *,
    id: UUID,  # noqa: A002 — the member's name
    type: str,  # noqa: A002 — the member's name
    occurred_at: datetime,
    body: Mapping[str, Any],
    people: tuple[UUID, ...] = (),
    roles: tuple[str, ...] = (),
) -> Notice:
    """Write what people are told of: a type, ids and codes, and who is to hear it."""
    return Notice(id=id, type=type, occurred_at=occurred_at, body=body, audience=Audience(people=people, roles=roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Something that somebody holds and that can be taken: ``reference`` names it in its kind, ``detail`` is ids and codes."""

    reference: str
    holder_id: UUID
    since: datetime | None = None
    until: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


class Holdings(Protocol):
    """One kind of thing that people hold, which reviews of rights go through too. A kind is a word of at most 16 letters.

    Give them to ``CampaignDesk``; ``flags`` of a holding are codes of ``hints.HINTS``.
    """

    @property
    def kind(self) -> str:
        """The word under which its items stand."""
        ...

    async def held(self, source: Source, now: datetime) -> Sequence[Holding]:
        """List everything that is held."""
        ...

    async def is_held(self, source: Source, item: Item, now: datetime) -> bool:
        """Tell whether it is still held by whom the item says."""
        ...

    async def end(self, unit: UnitOfWork, author: Author, item: Item, *, why: str) -> None:
        """Take it from its holder now, with its intents; nothing when it is not held any more."""
        ...
