"""What the access log tells of one person's use of the directory, for the hints of a review.

The log is read newest first along the index of actors, and no further than it must be or ``MOST`` events: how far it was read is part of
what is told. Nobody is shown an event; what leaves are counts, times and codes, and to those alone who answer for the person's rights.
"""

from base64 import b64decode
from collections.abc import Collection
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.audit.events import ID_BYTES
from app.audit.matching import Document, EventFilter
from app.audit.repository import AccessLogRepository, Stored
from app.campaigns.hints import WINDOW, Usage
from app.campaigns.joints import WorkDays
from app.campaigns.places import Places
from app.kit.db import Reader

MOST: Final = 5000
"""Events of one person that are looked at."""

_MOST_REVEALED: Final = 500
_MORNING, _EVENING = 7, 20
_SHOWN: Final = "shown"
_REVEAL: Final = "contact.reveal"


class LogUse:
    """Reads what people did."""

    def __init__(self, *, events: AccessLogRepository, reader: Reader, clock_here: timedelta) -> None:
        """Take the log, the store, and how far the clocks here are ahead of UTC."""
        self._events, self._reader, self._clock_here = events, reader, clock_here
        self._places = Places()
        self._began: datetime | None = None

    async def of(
        self,
        person: UUID,
        *,
        now: datetime,
        since: datetime | None,
        targets: Collection[UUID],
        own: Collection[UUID],
        days: WorkDays,
    ) -> Usage:
        """Read back to ``since`` and over the window of use; ``targets`` are contacts told apart, ``own`` the person's departments.

        Raises ``Unavailable`` when the log does not answer.
        """
        window = now - WINDOW
        floor = window if since is None else min(window, since)
        floor = max(floor, await self._beginning(now))
        tally = _Tally(person, window, {each.bytes for each in targets}, days, self._clock_here)
        reaches, seen = floor, 0
        async with aclosing(self._events.walk(EventFilter(actor_id=str(person)))) as chunks:
            async for row in _each(chunks):
                if row.at < floor:
                    break
                tally.take(row)
                seen += 1
                if seen >= MOST:
                    reaches = row.at
                    break
        return Usage(
            reaches=reaches,
            last_look=tally.last_look,
            off_hours=tally.off_hours,
            refused=tally.refused,
            shown=tally.shown,
            shown_of=tally.shown_of,
            revealed_elsewhere=await self._places.outside(self._reader, tally.revealed, own),
            moved_at=await self._places.moved_at(self._reader, person),
        )

    async def _beginning(self, now: datetime) -> datetime:
        """Give when the log begins: of what was before, it says nothing."""
        if self._began is None:
            page = await self._events.search(EventFilter(), limit=1, oldest_first=True)
            self._began = page.events[0].event.at if page.events else None
        return self._began or now


async def _each(chunks: Any) -> Any:  # noqa: ANN401 — an asynchronous generator of lists, flattened
    async for rows in chunks:
        for row in rows:
            yield row


class _Tally:
    """Counts what events say, newest first."""

    def __init__(
        self, person: UUID, window: datetime, targets: set[bytes], days: WorkDays, clock_here: timedelta
    ) -> None:
        self._own, self._window, self._targets = person.bytes, window, targets
        self._days, self._clock_here = days, clock_here
        self.last_look: datetime | None = None
        self.off_hours = self.refused = 0
        self.shown: dict[str, datetime] = {}
        self.shown_of: dict[tuple[UUID, str], datetime] = {}
        self.revealed: set[UUID] = set()

    def take(self, row: Stored) -> None:
        """Count one event; one whose evidence cannot be read counts for nothing, and the log's own check names it."""
        document = row.document
        if document is None:
            return
        recent = row.at >= self._window
        if document["decision"] == "refused":
            self.refused += recent
            return
        if document["purpose"] is None or not document["action"].startswith("contact."):
            return
        others = self._others(document)
        if not others:
            return
        self.last_look = self.last_look or row.at
        self.off_hours += recent and self._is_off(row.at)
        for states, contacts in others:
            told = [name for name, state in states.items() if state == _SHOWN]
            for name in told:
                self.shown.setdefault(name, row.at)
            for contact in self._targets.intersection(contacts) if self._targets else ():
                for name in told:
                    self.shown_of.setdefault((UUID(bytes=contact), name), row.at)
            if recent and document["action"] == _REVEAL and len(self.revealed) < _MOST_REVEALED:
                self.revealed.update(UUID(bytes=contact) for contact in contacts)

    def _others(self, document: Document) -> list[tuple[dict[str, str], list[bytes]]]:
        """List what was told of whom, oneself left out."""
        found = []
        for cohort in document["cohorts"]:
            packed = b64decode(cohort["contacts"])
            contacts = [packed[at : at + ID_BYTES] for at in range(0, len(packed), ID_BYTES)]
            others = [each for each in contacts if each != self._own]
            if others:
                found.append((cohort["states"], others))
        return found

    def _is_off(self, moment: datetime) -> bool:
        here = moment + self._clock_here
        return not _MORNING <= here.hour < _EVENING or not self._days.is_working(here.date())
