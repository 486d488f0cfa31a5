"""What is due in the ledger whether or not anybody sends anything: scheduled events, and waits that are over.

Each event in a transaction of its own, its subject locked first and its row taken only if no other process has it; so with any number of
workers everything happens once, and whatever a process that dies was at is found again by its ``next_at``.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.hr.backlog import AUTHOR, Backlog
from app.hr.known import KnownSubjects, LedgerKeys
from app.hr.repository import HrLedger
from app.hr.service import HrService
from app.hr.settling import Settling
from app.hr.telling import Telling
from app.kit.clock import Clock
from app.kit.db import Database
from app.permissions.standing import author_of

_AT_ONCE: Final = 50
_AGAIN: Final = timedelta(minutes=1)
_log = structlog.get_logger("duanhao.worker")


class HrSweep:
    """Does what is due."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: HrLedger,
        backlog: Backlog,
        settling: Settling,
        service: HrService,
        known: KnownSubjects,
        keys: LedgerKeys,
        telling: Telling,
        clock: Clock,
    ) -> None:
        """Take the store, the ledger, what opens, settles and records, what is known of subjects, who alerts, and the clock."""
        self._database, self._ledger, self._backlog, self._settling = database, ledger, backlog, settling
        self._service, self._known, self._keys = service, known, keys
        self._telling, self._clock = telling, clock

    async def sweep(self) -> int:
        """Do what is due now; give how much that was. An event that nobody can see to now holds up none of the others."""
        done = 0
        for identity in await self._ledger.due(self._database.reader, self._clock.now(), most=_AT_ONCE):
            try:
                done += await self._attend(identity)
            except Exception as error:  # noqa: BLE001 — one event's failure is reported, and it is looked at again
                _log.error("hr_event_not_settled", entry=str(identity), error=type(error).__name__)
                async with self._database.unit_of_work() as unit:
                    await self._ledger.postpone(unit.session, identity, until=self._clock.now() + _AGAIN)
        return done

    async def _attend(self, identity: UUID) -> bool:
        """Settle one event and what it sets free; tell whether there was something to do."""
        deferred = await self._backlog.one(identity)
        event = deferred.event
        person = event is not None and event.type.startswith("employee.")
        waiting = []
        if event is not None and person:
            waiting = await self._backlog.waiting(self._keys.of_subject(event.subject), but=identity)
        async with self._database.unit_of_work() as unit:
            if event is not None:
                await self._known.locked(unit, event.subject, person=person)
            row = await self._ledger.lock(unit.session, identity)
            now = self._clock.now()
            if row is None or row.next_at is None or row.next_at > now:
                return False
            before, gap = row.state, row.problem is not None and row.problem["code"] == "sequence_gap"
            over = before == "waiting" and row.wait_until is not None and row.wait_until <= now
            await self._settling.attend(unit, row, deferred, over=over)
            if row.state == before == "waiting":
                return False
            await self._service.record(unit, row, AUTHOR if deferred.viewer is None else author_of(deferred.viewer))
            if over and gap and row.state != "failed":
                await self._telling.passed_over(unit, row)
            await self._telling.failed(unit, row)
            await self._service.release(unit, row, waiting)
        return True
