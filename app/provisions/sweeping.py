"""What is due about provisions whether or not anybody asks: a reminder before the data are to be returned, and the mark when they were not.

Each provision in a transaction of its own, found by its ``next_at``; two workers never have the same one, and one that cannot be moved
holds up no other.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Problem
from app.provisions.keeping import OverdueMarks
from app.provisions.repository import ProvisionRepository
from app.provisions.telling import OVERSEERS, ProvisionTeller, recorded

CLOCK: Final = Author(type="system", id="provisions")
_AT_ONCE: Final = 50

_log = structlog.get_logger("duanhao.worker")


class ProvisionSweep:
    """Does what is due."""

    def __init__(
        self,
        *,
        database: Database,
        rows: ProvisionRepository,
        marks: OverdueMarks,
        teller: ProvisionTeller,
        clock: Clock,
    ) -> None:
        """Take the store, the rows, the marks, who tells others, and the clock."""
        self._database, self._rows, self._marks = database, rows, marks
        self._teller, self._clock = teller, clock
        self._failing: set[UUID] = set()

    async def once(self) -> int:
        """Do what is due with some provisions; give with how many something was done."""
        done = 0
        due = await self._rows.due(self._database.reader, self._clock.now(), but=self._failing, most=_AT_ONCE)
        if not due:
            self._failing.clear()
        for identity in due:
            try:
                moved = await self._attended(identity)
            except Problem as problem:
                _log.error("provision_sweep_failed", provision=str(identity), code=problem.code)
                moved = False
            if not moved:
                self._failing.add(identity)
            done += moved
        return done

    async def _attended(self, identity: UUID) -> bool:
        async with self._database.unit_of_work() as unit:
            now = self._clock.now()
            provision = await self._rows.claimed(unit.session, identity, now)
            if provision is None:
                return False
            people = [provision.responsible_id]
            if now < provision.return_by:
                after = await self._rows.save(unit.session, replace(provision, reminded_at=now))
                await recorded(unit, CLOCK, "remind", after, now, contacts=people)
                await self._teller.told(unit, "due", after, now, people=people)
                return True
            after = replace(provision, reminded_at=provision.reminded_at or now, overdue_at=now)
            after = await self._rows.save(unit.session, after)
            await recorded(unit, CLOCK, "overdue", after, now, contacts=people)
            await self._marks.put(unit, CLOCK, after)
            await self._teller.told(unit, "overdue", after, now, people=people, roles=OVERSEERS)
            return True
