"""The number of a pool that ends as its holder's mobile does: the strategy ``mobile_tail``.

The tails that the pool has free are compared, unopened, with the mobile of a contact who consented to that (``contacts.endings``); no tail
that the pool does not have free is ever tried. Reads the free list once, as choosing by a pattern does: documented as O(free).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.carrying import LockedCard
from app.contacts.endings import ending_of
from app.contacts.tag_rules import ENDING
from app.numbers.choosing import OPEN
from app.numbers.models import Number
from app.numbers.nice import OPEN_FROM
from app.numbers.rules import digits_at

_LENGTH: Final = func.length(Number.digits)
_TAIL: Final = case(
    (_LENGTH > ENDING, func.substr(Number.digits, _LENGTH - ENDING + 1)), else_=func.substr(Number.digits, 2)
)
"""The last four digits, or all but the first of a number that has no more."""
_TAILS: Final = (
    select(_TAIL.label("tail"), Number.sort_key)
    .where(OPEN, Number.sort_key >= OPEN_FROM, _LENGTH > 1)
    .subquery("tails")
)
_LOWEST: Final[Any] = select(_TAILS.c.tail, func.min(_TAILS.c.sort_key)).group_by(_TAILS.c.tail)


async def number_by_tail(session: AsyncSession, pool_id: UUID, card: LockedCard, now: datetime) -> str | None:
    """Give the lowest free number of a pool that ends as the mobile of a locked card does; ``None``: the next one will do."""
    rows = await session.execute(_LOWEST, {"pool": pool_id, "now": now})
    places = by_ending({row[0]: row[1] for row in rows})
    ending = await ending_of(session, card, list(places))
    return None if ending is None else digits_at(places[ending])


def by_ending(tails: Mapping[str, int]) -> dict[str, int]:
    """Give, for each ending of a mobile that the tails of free numbers meet, the first of the places given with them.

    A tail of fewer than four digits meets every ending that ends with it.
    """
    found = {tail: place for tail, place in tails.items() if len(tail) == ENDING}
    for tail, place in tails.items():
        missing = ENDING - len(tail)
        for front in range(10**missing) if missing else ():
            ending = f"{front:0{missing}}{tail}"
            found[ending] = min(place, found.get(ending, place))
    return found
