"""Which of given endings the work mobile of a contact has who consented to it; nothing is opened, and without consent nothing is compared.

A number is everybody's to see, so one that ends as its holder's mobile does tells four digits that the card masks. That is the holder's to
decide: a consent of its own (field ``mobile``, basis ``number_tail``), live if the locked row says so under its MAC. What is compared is
the proof that lookups go by (docs/decisions/0021), and as much is computed for whoever did not consent, or has no mobile.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import SmallInteger, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.carrying import LockedCard
from app.contacts.forms import Consent, unpack_consents
from app.contacts.models import SearchTag
from app.contacts.record import unpack_digests
from app.contacts.tag_rules import PLACE, RULES
from app.contacts.tagging import BOUND, proves
from app.kit.models import Id
from app.kit.straight import Straight
from app.permissions.outcomes import Tag

TAIL_FIELD: Final = "mobile"
TAIL_BASIS: Final = "number_tail"
CONSENT: Final[Consent] = (TAIL_FIELD, TAIL_BASIS)
"""What lets a number end as the mobile does; withdrawing it takes no number away and erases nothing."""

_AT_ONCE: Final = 64
"""Comparisons between two turns of the event loop."""
_NOTHING: Final = bytes(24)
_PROOFS: Final = Straight(
    select(SearchTag.proof)
    .where(
        SearchTag.contact_id == bindparam("contact", type_=Id()),
        SearchTag.kind == bindparam("kind", RULES[Tag.MOBILE_LAST4].code, type_=SmallInteger()),
        SearchTag.field == bindparam("field", PLACE[TAIL_FIELD], type_=SmallInteger()),
    )
    .order_by(SearchTag.generation.desc())
)

_log = structlog.get_logger("duanhao.security")


async def ending_of(session: AsyncSession, card: LockedCard, among: Sequence[str]) -> str | None:
    """Give the one of these endings, of four digits each, that the mobile of a locked card has, if its holder consented to that.

    ``None`` says no more than that: there is no consent or no mobile, it has no search tag, or it ends otherwise. The time is that of all
    comparisons whichever it is.
    """
    proof = await _proof(session, card)
    found = None
    for at, ending in enumerate(among):
        if at % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if proves(card.sealer, Tag.MOBILE_LAST4, ending, proof):
            found = ending
    return found


async def _proof(session: AsyncSession, card: LockedCard) -> bytes:
    """Give what the ending is compared by; what no value agrees with where there is no consent, or the row bears no tag out."""
    asked = {"contact": card.id, "kind": RULES[Tag.MOBILE_LAST4].code, "field": PLACE[TAIL_FIELD]}
    stored = [bytes(row[0]) for row in await _PROOFS.rows(session, asked)]
    if CONSENT not in unpack_consents(card.covered["consented"]):
        return _NOTHING
    bound = unpack_digests(bytes(card.covered["digests"])).get(TAIL_FIELD, b"")[:BOUND]
    believed = [each for each in stored if bound and each[:BOUND] == bound]
    if stored and not believed:
        _log.error("search_tag_stale", subject=str(card.id), field=TAIL_FIELD)
    return believed[0] if believed else _NOTHING
