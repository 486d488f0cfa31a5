"""Alerts to whoever keeps the ledger: an event failed with no source there to be told, or a gap in a sequence was passed over.

An alert names the ledger's entry and not whom it is about: programs hear it too, and nobody asks policy for them. Who may know finds the
contact in the ledger (``?entry=``), which is a look.
"""

from typing import Final

from app.hr.models import HrEvent
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller

_KEEPERS: Final = ("hr",)


class Telling:
    """Tells the people of the role ``hr``, and subscribers; ids and codes, as every notice does."""

    def __init__(self, teller: Teller, clock: Clock) -> None:
        """Take who tells, and the clock."""
        self._teller, self._clock = teller, clock

    async def failed(self, unit: UnitOfWork, row: HrEvent) -> None:
        """Tell of an event that failed, if it did."""
        if row.state == "failed":
            await self._tell(unit, row, "hr.failed", 2)

    async def passed_over(self, unit: UnitOfWork, row: HrEvent) -> None:
        """Tell that an event was settled although events before it have not come."""
        await self._tell(unit, row, "hr.gap_passed", 1)

    async def _tell(self, unit: UnitOfWork, row: HrEvent, kind: str, version: int) -> None:
        about = {"id": row.id, "version": version, "state": row.state, "type": row.type}
        if row.problem is not None:
            about["problem"] = row.problem["code"]
        notice = Notice(
            id=new_id(),
            type=kind,
            occurred_at=self._clock.now(),
            body={"hr": about},
            audience=Audience(roles=_KEEPERS),
        )
        await self._teller.tell(unit, notice)
