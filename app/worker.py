"""What runs beside the requests: intents into the log, promised work, notices, search tags, what is past its time.

In loops of their own, jobs, and the sets that searches of large directories read.

A round that fails is reported and tried again after a pause; nothing here holds personal data.
"""

import asyncio
import signal
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog

from app.application import Application
from app.composition import open_application
from app.config import Settings
from app.contacts.posted import PostedKeys
from app.jobs.registry import job_handlers
from app.kit import logging
from app.kit.idempotency import forget_expired
from app.postings.service import Postings
from app.scim.desk import ScimDesk

_ROUND_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_SWEEP_SECONDS: Final = 600.0

_worker = structlog.get_logger("duanhao.worker")


class Worker:
    """Runs rounds until it is cancelled."""

    def __init__(self, application: Application) -> None:
        """Take the parts."""
        self._application = application
        self._swept = 0.0
        self.jobs = application.jobs.runner(application.database, job_handlers(application))
        keys = PostedKeys(application.database.reader)
        self.postings = Postings(application.database, application.changes.sequencer, keys, application.clock)

    async def run(self) -> None:
        """Run rounds, jobs and the keeping of sets beside each other, for ever; end by cancellation."""
        beside = [asyncio.create_task(self.jobs.run()), asyncio.create_task(self._keep_postings())]
        try:
            await self._rounds()
        finally:
            for task in beside:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _keep_postings(self) -> None:
        """Look again and again whether sets are due."""
        while True:
            try:
                await self.postings.sweep()
            except Exception as error:  # noqa: BLE001 — searches do without sets; it is reported and tried again
                _worker.error("postings_failed", error=type(error).__name__)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def _rounds(self) -> None:
        pause = _ROUND_SECONDS
        while True:
            try:
                busy = await self.round()
                pause = 0.0 if busy else _ROUND_SECONDS
            except Exception as error:  # noqa: BLE001 — the loop outlives any one failure, which is reported and tried again
                _worker.error("round_failed", error=type(error).__name__)
                pause = min(max(pause, _ROUND_SECONDS) * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def round(self) -> bool:
        """Do what is due now; tell whether there was something."""
        moved = await self._application.mover.move_once()
        done = await self._application.outbox.drain()
        changed = await self._application.changes.sweep()
        told = await self._application.notices.sweep()
        if monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = monotonic()
            async with self._application.database.unit_of_work() as unit:
                await forget_expired(unit, self._application.clock)
                await self._application.tokens.forget_revoked(unit.session)
                await self._application.sign_in.forget_expired(unit.session)
                await self.jobs.forget(unit)
            await self._application.delegations.sweep()
            await self._application.attachments.sweep()
            await self._application.imports.sweep()
            await self._application.reconciliations.sweep()
            await self._application.custody.sweep()
            await self._application.changes.forget()
            await self._application.devices.sweep()
            await self._application.departures.sweep()
            await self._application.pool_alarms.sweep()
            await ScimDesk(self._application).sweep()
        tagging = await self._application.lookups.retagger.step()
        due = await self._application.approvals.clock.sweep()
        reviewed = await self._application.campaigns.sweep()
        attended = await self._application.emergency.sweep()
        provided = await self._application.provisions.sweep()
        released = await self._application.number_sweep.sweep()
        settled = await self._application.hr.sweep()
        timed = await self._application.clocks.sweep()
        return any((moved, done, changed, told, tagging, due, reviewed, attended, provided, released, settled, timed))


async def work(settings: Settings) -> None:
    """Be the worker process of a PostgreSQL deployment, until SIGTERM or SIGINT; a first process of a container has no default for them."""
    logging.configure(settings.log_level)
    itself = asyncio.current_task()
    assert itself is not None, "a coroutine that runs is a task"  # noqa: S101 — asyncio's own word
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, itself.cancel)
    with suppress(asyncio.CancelledError):
        async with open_application(settings) as application:
            await Worker(application).run()
