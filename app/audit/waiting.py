"""Entries on their way into the log, and how those who wait for them are told.

Whoever is told that its look is durable opens and writes what it looked at, which for a page takes a couple of milliseconds. Told all at
once, the pages of a batch would keep the event loop to the last one: the next batch would not set out for the store, each of whose steps
takes a turn of the loop, and no request would be read; then the loop would do nothing but wait for both. So it has a turn in between.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from app.audit.events import ID_BYTES
from app.audit.stores import Entry, Outcome

_MOST_AT_ONCE: Final = 200
"""Contacts after whom the event loop has a turn: two full pages, or as many cards."""


class Item:
    """One entry on its way, and who waits for it. ``rows`` is how many index rows it has."""

    __slots__ = ("entry", "expires", "outcome", "rows")

    def __init__(self, entry: Entry, outcome: asyncio.Future[Outcome], expires: float) -> None:
        """Take the entry, what its waiter awaits, and when on the loop's clock that waiter gives up."""
        self.entry, self.outcome, self.expires = entry, outcome, expires
        self.rows = sum([len(packed) for _, packed in entry.pages]) // ID_BYTES

    def fail(self, error: Exception) -> None:
        """Answer whoever still waits with ``error``."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Teller:
    """Tells outcomes in the order in which they came to be, so many in one turn of the loop."""

    def __init__(self) -> None:
        """Have nothing to tell."""
        self._untold: deque[tuple[Item, Outcome]] = deque()
        self._next: asyncio.Handle | None = None

    def tell(self, outcomes: Iterable[tuple[Item, Outcome]]) -> None:
        """Tell the first now unless others are before them, and the rest in turns of the loop from now on."""
        self._untold.extend(outcomes)
        if self._next is None:
            self._some()

    def finish(self) -> None:
        """Tell everything now: the loop may not come back."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        while self._untold:
            self._one()

    def _some(self) -> None:
        self._next, rows = None, 0
        while self._untold and rows < _MOST_AT_ONCE:
            rows += self._one()
        if self._untold:
            self._next = asyncio.get_running_loop().call_soon(self._some)

    def _one(self) -> int:
        item, outcome = self._untold.popleft()
        if not item.outcome.done():
            item.outcome.set_result(outcome)
        return item.rows
