"""What becomes of a card when retention is over: its row is emptied to an id that others refer to, and what stands beside it goes.

Only a card in the archive that is as the service signed it is ever emptied: whoever writes ``archived`` on somebody's row by SQL destroys
nobody. The keys are whoever calls' to destroy, in the same transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Date, Integer, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.fields import CATALOGUE
from app.contacts.forms import Forms
from app.contacts.indexing import index_again
from app.contacts.models import IN_ARCHIVE, Contact, ContactPhoto
from app.contacts.repository import ContactRepository
from app.contacts.rows import ARCHIVED, covered
from app.contacts.tagging import Tagger
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import SealBroken
from app.crypto.sealed import Sealed
from app.crypto.sealer import Sealer
from app.kit.models import Id
from app.kit.query import Query, Source

_GONE: Final = "archived"
_NOTHING: Final = Sealed(b"")
_BESIDE: Final = (
    "worker_kind", "category", "contract_until", "review_due", "away_until", "retain_until", "consented", "unconfirmed_since",
)  # fmt: skip
"""Plain columns that archiving leaves."""
_COLUMNS: Final = (
    Contact.id,
    Contact.kind,
    Contact.created_at,
    Contact.updated_at,
    Contact.contract_until,
    Contact.retain_until,
)
_AFTER: Final = Query(
    select(*_COLUMNS)
    .where(IN_ARCHIVE, Contact.id > bindparam("after", type_=Id()))
    .order_by(Contact.id)
    .limit(bindparam("page", type_=Integer()))
)
_OVERDUE: Final = Query(
    select(*_COLUMNS)
    .where(Contact.status != _GONE, Contact.retain_until < bindparam("day", type_=Date()))
    .order_by(Contact.id)
)

_log = structlog.get_logger("duanhao.security")


class Kept(NamedTuple):
    """A card in the archive, as far as its time goes; ``archived_at`` is when it was last written."""

    id: UUID
    kind: str
    created_at: datetime
    archived_at: datetime
    contract_until: date | None
    retain_until: date | None


class CardArchive:
    """Walks the archive, and empties its cards."""

    def __init__(self, contacts: ContactRepository, sealer: Sealer, forms: Forms) -> None:
        """Take the rows, what compares MACs, and the forms, which say how long each kind is kept."""
        self._contacts, self._sealer, self.forms = contacts, sealer, forms

    async def page(self, source: Source, after: UUID, *, limit: int) -> Sequence[Kept]:
        """List cards in the archive that are not emptied yet, by id."""
        return [Kept(*row) for row in await _AFTER.rows(source, after=after, page=limit)]

    async def overdue(self, source: Source, on: date) -> Sequence[Kept]:
        """List cards whose time began when they were made, is over by the morning of ``on``, and that nobody has archived, by id."""
        found = [Kept(*row) for row in await _OVERDUE.rows(source, day=on)]
        return [each for each in found if self.forms.retain_until(each.kind, each.created_at) is not None]

    async def locked(self, session: AsyncSession, identity: UUID) -> tuple[Contact, WrappedDataKey] | None:
        """Lock a card; ``None`` unless it is in the archive, not emptied, and, which is reported, as it was signed."""
        loaded = await self._contacts.for_change(session, identity)
        if loaded is None or loaded[0].status != _GONE or loaded[0].erased_at is not None:
            return None
        contact, key = loaded
        try:
            genuine = self._sealer.passing(identity, key).verify(covered(contact), contact.mac)
        except SealBroken:
            return None
        if not genuine:
            _log.error("row_mac_mismatch", table=Contact.__tablename__, row=str(identity))
            return None
        return loaded

    async def empty(self, session: AsyncSession, contact: Contact, *, at: datetime) -> None:
        """Empty a card that is ``locked``: no value, no box, no digest, no photo, no tag and no key of search is left of it."""
        for column in (*ARCHIVED, *_BESIDE, *(field.column for field in CATALOGUE.protected)):
            if hasattr(contact, column):
                setattr(contact, column, None)
        contact.memberships, contact.tags, contact.short_numbers = [], [], []
        contact.archive, contact.digests, contact.mac = _NOTHING, b"", b""
        contact.updated_at = contact.erased_at = at
        await session.flush()
        await session.execute(delete(ContactPhoto).where(ContactPhoto.contact_id == contact.id))
        await self._contacts.clear_sides(session, contact.id)
        await index_again(session, contact, ARCHIVED)
        await Tagger.forget(session, contact.id)


def lasting(forms: Forms, card: Kept, left: date) -> date | None:
    """Give the last day on which a card is kept, under the forms in force; ``None`` where no day is the last."""
    return forms.kept_until(
        card.kind,
        created=card.created_at.date(),
        left=left,
        contract_until=card.contract_until,
        retain_until=card.retain_until,
    )
