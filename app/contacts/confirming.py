"""Whose card nobody has said to be right: marked when a review ends without an answer, unmarked by whoever confirms.

The mark is a date on the card that everybody sees alike, so a card that gets or loses it has another version for everybody. It is no
statement of the card's own and stands under no MAC: who takes it off by hand hides that somebody did not answer, and gains nothing.
"""

from collections.abc import Collection
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.models import Contact
from app.permissions.pack import Kind
from app.traces import marking
from app.traces.trace import CONFIRMATION, Sort, Trace

ASKED: Final[tuple[Kind, ...]] = ("employee", "temporary")
"""Kinds of contact who can say that their card is right."""


class CardConfirmations:
    """Marks cards, and takes the marks off."""

    async def mark(self, session: AsyncSession, contacts: Collection[UUID], since: date) -> int:
        """Mark cards that carry no mark yet; give how many now do."""
        if not contacts:
            return 0
        wanted = select(Contact.id).where(Contact.id.in_(sorted(contacts)), Contact.unconfirmed_since.is_(None))
        found = list(await session.scalars(wanted.order_by(Contact.id).with_for_update()))
        await session.execute(update(Contact).where(Contact.id.in_(found)).values(unconfirmed_since=since))
        await marking.leave(session, map(_confirmation, found))
        return len(found)

    async def clear(self, session: AsyncSession, contact: UUID) -> bool:
        """Take the mark off a card; ``False`` when it carried none."""
        wanted = select(Contact.id).where(Contact.id == contact, Contact.unconfirmed_since.is_not(None))
        if await session.scalar(wanted.with_for_update()) is None:
            return False
        await session.execute(update(Contact).where(Contact.id == contact).values(unconfirmed_since=None))
        await marking.leave(session, [_confirmation(contact)])
        return True


def _confirmation(contact: UUID) -> Trace:
    return Trace(type="contact", subject=contact, sort=Sort.UPDATED, groups=(CONFIRMATION,))
