"""Telling: what everybody calls who has changed something that others are to know of.

A notice is one row in the caller's own transaction: it exists exactly when what it tells of does. Whom it reaches is found out after the
commit, by the worker, and nothing is sent before; so a decision waits for no address outside, and is never told without having happened.
"""

from collections.abc import Iterable
from time import monotonic
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.straight import Writes
from app.notices.ledger import NoticeLedger
from app.notices.notice import Notice, written

FRESH_SECONDS: Final = 5.0
"""After so long at most a process knows that somebody subscribes to what nobody did."""


class Notices:
    """Takes notices."""

    def __init__(self, ledger: NoticeLedger, clock: Clock) -> None:
        """Take the rows and the clock."""
        self._ledger, self._clock = ledger, clock
        self._heard: dict[str, tuple[float, bool]] = {}

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Put a notice into the transaction of ``unit``, once per id: put again it is the one that was put first.

        Raises ``NoticeMalformed`` for what a notice never tells; that is a fault of whoever calls.
        """
        await self._ledger.add(unit.session, written(notice), at=self._clock.now())

    async def listens(self, session: AsyncSession, family: str) -> bool:
        """Tell whether anybody subscribes to a family, as of ``FRESH_SECONDS`` ago at most; for whoever would build notices for nobody."""
        until, found = self._heard.get(family, (0.0, False))
        if until <= monotonic():
            found = await self._ledger.listens(session, family)
            self._heard[family] = monotonic() + FRESH_SECONDS, found
        return found

    def gather(self, writes: Writes, family: str, notices: Iterable[Notice]) -> None:
        """Put notices of one family that are for subscribers alone among ``writes``; where nobody subscribes to it, none is kept.

        For what happens often: one statement that goes with others. Raises ``NoticeMalformed`` as ``tell`` does.
        """
        self._ledger.gather(writes, family, [written(each) for each in notices], at=self._clock.now())
