"""Bringing rows of an earlier version under what their MAC covers now: tags, and the end of temporary contracts.

Once per store, before anything is served. A row is taken over only when it verifies as it was covered before; one that verifies neither way
stays as it is, believed by nobody. From then on an edit by SQL of what policy reads shows like any other.
"""

from typing import Final

from sqlalchemy import Text, cast, or_, select

from app.auth import epochs
from app.contacts.fields import TEMPORARY
from app.contacts.models import Contact
from app.contacts.repository import ContactRepository
from app.contacts.rows import covered
from app.crypto.sealer import Sealer
from app.kit.db import Database

COVERED: Final = "contact-cover"
"""The counter that says that a store has been brought so far."""
_WANTED: Final = select(Contact.id).where(
    or_(cast(Contact.tags, Text) != "[]", (Contact.kind == TEMPORARY) & Contact.contract_until.is_not(None))
)
_ADDED: Final = 2
"""How many values the cover has now that it did not have; they stand last."""


async def cover_all(database: Database, repository: ContactRepository, sealer: Sealer) -> int:
    """Bring every row of an earlier version under its MAC; tell how many there were. A second call finds the work done."""
    if await epochs.value(database.reader, COVERED):
        return 0
    taken = 0
    async with database.unit_of_work() as unit:
        for identity in await unit.session.scalars(_WANTED):
            loaded = await repository.for_change(unit.session, identity)
            if loaded is None:
                continue
            contact, key = loaded
            own, now = sealer.existing(identity, key), covered(contact)
            if not own.verify(now, contact.mac) and own.verify(now[:-_ADDED], contact.mac):
                contact.mac = own.mac(now)
                taken += 1
        await epochs.bump(unit.session, COVERED)
    return taken
