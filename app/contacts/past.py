"""Putting what changed on a contact into its history, under the key of the quarter.

Nothing of a key is kept from one transaction to the next: it is unwrapped where something is sealed and forgotten with it, so that a key
that a purge destroys is destroyed everywhere. See docs/decisions/0037.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author
from app.contacts.birth import Versioned, remembered
from app.contacts.models import ContactChange
from app.crypto.history_store import add_history_keys, live_history_key, stored_history_key
from app.crypto.historykey import WrappedHistoryKey
from app.crypto.sealer import HistorySealer, Sealer
from app.kit.clock import Clock
from app.kit.db import Row

CHANGE_COLUMNS = 8
"""How many columns of a change come before those of its key (``ContactRepository.changes``)."""


class HistoryKeeper:
    """Keeps history."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        """Take the sealer and the clock."""
        self._sealer, self._clock = sealer, clock

    async def keep(
        self,
        session: AsyncSession,
        contact: Versioned,
        author: Author,
        told: Mapping[str, Any],
        *,
        under: HistorySealer | None = None,
    ) -> None:
        """Add what changed, ``told`` by member, with the transaction that changes it; the contact's row is locked, or is made in it.

        ``under`` is the contact's sealer of now, where the caller has it. ``None`` as a value says that the member was removed; a closed
        box is kept closed.
        """
        if not told:
            return
        sealer = under or await self._sealer_of(session, contact.id)
        session.add_all(ContactChange(**row) for row in remembered(contact, sealer, author, told, self._clock.now()))

    async def _sealer_of(self, session: AsyncSession, contact: UUID) -> HistorySealer:
        now = self._clock.now()
        known = await live_history_key(session, contact, self._sealer.quarter(now))
        if known is not None:
            return self._sealer.history(contact, known)
        sealer, wrapped = self._sealer.new_history(contact, now)
        await add_history_keys(session, [(contact, wrapped)], at=now)
        return sealer


def is_purged(row: Row) -> bool:
    """Tell whether what a change says can be read by nobody any more."""
    return row[CHANGE_COLUMNS] is not None and row[CHANGE_COLUMNS + 3] is None


def keys_of(rows: Sequence[Row]) -> dict[bytes, WrappedHistoryKey]:
    """Give the keys of history that changes name, by handle."""
    found = (stored_history_key(row[CHANGE_COLUMNS:]) for row in rows)
    return {each.handle: each for each in found if each is not None}
