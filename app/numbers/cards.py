"""Holders and what they are told to hold: contacts by their cards, departments by their being there.

Everybody who gives or takes locks the holders first, contacts by id, and numbers after them, so nobody waits for another in a circle.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author
from app.contacts.carrying import CardCarrier, LockedCard
from app.kit.errors import NotFound
from app.kit.straight import Writes
from app.numbers.device_places import device_stays
from app.numbers.errors import HolderNotFound
from app.numbers.pool_repository import department_stays
from app.numbers.repository import Holder
from app.numbers.taking import Held

IN_OFFICE: Final = frozenset({"prehire", "active", "frozen", "leaving"})
"""Statuses of contacts who may be given a number."""

_EVERYBODY: Final = IN_OFFICE | {"left", "archived"}


class HolderCards:
    """Locks holders, and writes on contacts' cards what they hold."""

    def __init__(self, cards: CardCarrier) -> None:
        """Take what writes on cards."""
        self._cards = cards

    async def receiver(self, session: AsyncSession, holder: Holder) -> LockedCard | None:
        """Lock who is to be given a number until the transaction ends; a contact's card is given.

        Raises ``HolderNotFound`` for a contact who is not in office, and for a department or a device that is no more.
        """
        if holder.type == "contact":
            try:
                return await self._cards.locked(session, holder.id, among=IN_OFFICE)
            except NotFound as error:
                raise HolderNotFound from error
        if not await _place_stays(session, holder):
            raise HolderNotFound
        return None

    async def receivers(self, session: AsyncSession, contacts: Sequence[UUID]) -> dict[UUID, LockedCard]:
        """Lock those contacts in office whom nobody else has locked, waiting for none; on PostgreSQL."""
        return await self._cards.unlocked(session, contacts, among=IN_OFFICE)

    async def holders(self, session: AsyncSession, holders: Iterable[Holder]) -> dict[UUID, LockedCard]:
        """Lock the cards of all contacts among those from whom something is taken; raise ``NotFound`` as ``CardCarrier`` does."""
        contacts = sorted({each.id for each in holders if each.type == "contact"})
        return {each: await self._cards.locked(session, each, among=_EVERYBODY) for each in contacts}

    async def parties(
        self, session: AsyncSession, *, gives: Iterable[Holder], takes: Iterable[Holder], pointer: str
    ) -> dict[UUID, LockedCard]:
        """Lock the cards of those who give and of those who take, all by id, and the departments and devices among those who take.

        Raises ``HolderNotFound``, pointing at ``pointer``, for somebody who may not be given a number, and ``NotFound`` as ``holders``.
        """
        taking, cards = list(takes), {}
        receivers = {each.id for each in taking if each.type == "contact"}
        for each in sorted({each.id for each in gives if each.type == "contact"} | receivers):
            try:
                cards[each] = await self._cards.locked(
                    session, each, among=IN_OFFICE if each in receivers else _EVERYBODY
                )
            except NotFound as error:
                if each in receivers:
                    raise HolderNotFound(pointer) from error
                raise
        for holder in taking:
            if not await _place_stays(session, holder):
                raise HolderNotFound(pointer)
        return cards

    def tell(
        self, writes: Writes, author: Author, card: LockedCard | None, held: Sequence[Held], roles: Collection[str]
    ) -> None:
        """Gather what puts on a contact's card what it holds now; only the members that ``roles`` touch."""
        if card is None:
            return
        told: dict[str, Any] = {}
        if any(role != "extension" for role in roles):
            told["short_numbers"] = [digits for role, digits in held if role != "extension"]
        if "extension" in roles:
            told["extension"] = next((digits for role, digits in held if role == "extension"), None)
        self._cards.put(writes, author, card, told)


async def _place_stays(session: AsyncSession, holder: Holder) -> bool:
    """Tell whether a department or a device is there, and keep it there until the transaction ends; others are there by their name."""
    match holder.type:
        case "department":
            return await department_stays(session, holder.id)
        case "device":
            return await device_stays(session, holder.id)
        case _:
            return True
