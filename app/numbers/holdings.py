"""The numbers that people hold, as reviews of rights go through them: each assignment once, and what is not ordinary about it.

An ordinary number of one's own is asked about and outlives silence; a further one, one of a prized pool and one given for a time do not.
Whatever a review takes rests by its pool's rules, as if it had been released.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select

from app.audit.authors import Author
from app.campaigns import hints
from app.campaigns.joints import Holding
from app.campaigns.rules import NUMBER, Item
from app.kit.db import UnitOfWork
from app.kit.models import Id
from app.kit.query import Query, Source
from app.numbers.errors import NumberNotAssigned
from app.numbers.models import Number, NumberAssignment, NumberDomain, NumberPool
from app.numbers.repository import Holder
from app.numbers.rules import Cause, PoolClass
from app.numbers.service import NumberService

_PRIZED: Final = frozenset({PoolClass.EXECUTIVE.value, PoolClass.NICE.value})
_OPEN: Final = (
    select(
        NumberAssignment.id,
        NumberAssignment.holder_id,
        NumberAssignment.role,
        NumberAssignment.started_at,
        NumberAssignment.until,
        Number.digits,
        NumberDomain.code,
        NumberPool.code,
        NumberPool.pool_class,
    )
    .join(Number, Number.id == NumberAssignment.number_id)
    .join(NumberDomain, NumberDomain.id == Number.domain_id)
    .join(NumberPool, NumberPool.id == NumberAssignment.pool_id)
    .where(NumberAssignment.holder_type == "contact", NumberAssignment.ended_at.is_(None))
)
_EVERY: Final = Query(_OPEN.order_by(NumberAssignment.id))
_ONE: Final = Query(_OPEN.where(NumberAssignment.id == bindparam("assignment", type_=Id())), by_key=True)


class NumberHoldings:
    """Numbers, for ``CampaignDesk``."""

    kind = NUMBER

    def __init__(self, service: NumberService) -> None:
        """Take who takes numbers back."""
        self._service = service

    async def held(self, source: Source, now: datetime) -> Sequence[Holding]:
        """List every number that a person holds."""
        del now
        rows = await _EVERY.rows(source)
        several = Counter(row[1] for row in rows)
        found = []
        for identity, holder, role, since, until, digits, domain, pool, pool_class in rows:
            flags = [hints.FURTHER_NUMBER] if several[holder] > 1 else []
            flags += [hints.PRIZED] if pool_class in _PRIZED else []
            flags += [hints.PASSING] if until is not None else []
            detail = {"number": digits, "domain": domain, "pool": pool, "class": pool_class, "role": role}
            found.append(
                Holding(
                    reference=str(identity),
                    holder_id=holder,
                    since=since,
                    until=until,
                    detail=detail,
                    flags=tuple(flags),
                )
            )
        return found

    async def is_held(self, source: Source, item: Item, now: datetime) -> bool:
        """Tell whether the assignment is still open, and the holder's."""
        del now
        rows = await _ONE.rows(source, assignment=UUID(item.reference))
        return bool(rows) and rows[0][1] == item.holder_id

    async def end(self, unit: UnitOfWork, author: Author, item: Item, *, why: str) -> None:
        """Take the number back; the service puts it on record. Nothing when it is not held any more."""
        del why
        rows = await _ONE.rows(unit.session, assignment=UUID(item.reference))
        if not rows or rows[0][1] != item.holder_id:
            return
        _, holder, _, _, _, digits, domain, _, _ = rows[0]
        try:
            await self._service.release(
                unit, author, digits, domain=domain, cause=Cause.RELEASED, holder=Holder("contact", holder)
            )
        except NumberNotAssigned:
            return
