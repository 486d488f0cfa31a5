"""Taking tellings out: each queue by itself, one telling after the other, many queues at once, and nobody waits for a slow one.

A sweep spreads what is new and sets a task on every queue that has something due, up to a bound; it does not wait for them. A task serves
its queue under the lease until nothing is due, its time is over or the queue has to rest, with no transaction open while it sends. What
came of an attempt is written in one transaction with what follows: the next try, the end, an address that is disabled and its owner told.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.errors import SealBroken
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.models import new_id
from app.notices.channels import Channel, Parcel
from app.notices.ledger import NoticeLedger
from app.notices.queues import DeliveryQueues
from app.notices.repository import WebhookRepository
from app.notices.settling import Settler
from app.notices.spreading import Spreader
from app.notices.told import KEPT, Delivery, Outcome
from app.notices.webhook import Opened, Webhook

AT_ONCE: Final = 16
"""Most queues that one process serves at the same time."""
_MOST_SPREAD: Final = 100
_SERVE_SECONDS: Final = 30.0
_FORGET_SECONDS: Final = 3600.0

_log = structlog.get_logger("duanhao.notices")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a courier works on."""

    ledger: NoticeLedger
    queues: DeliveryQueues
    webhooks: WebhookRepository


class Courier:
    """Serves queues. Any number of processes may run one."""

    def __init__(
        self,
        *,
        database: Database,
        rows: Rows,
        spreader: Spreader,
        settler: Settler,
        channels: Mapping[str, Channel],
        clock: Clock,
        at_once: int = AT_ONCE,
    ) -> None:
        """Take the store and the rows, what makes tellings and what settles them, the way of each sort of queue, and the bound."""
        self._database, self._rows, self._spreader, self._settler = database, rows, spreader, settler
        self._channels, self._clock, self._at_once = dict(channels), clock, at_once
        self._server = new_id()
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._forgotten = monotonic()

    async def sweep(self) -> int:
        """Spread what is new and begin to take out what is due; give how much was begun. Does not wait for what it began."""
        spread = await self._spreader.spread(_MOST_SPREAD)
        free = self._at_once - len(self._serving)
        begun = 0
        for queue in await self._rows.queues.ready(self._database.reader, self._clock.now(), most=free):
            if queue not in self._serving:
                self._serving[queue] = asyncio.create_task(self._served(queue))
                begun += 1
        if monotonic() - self._forgotten > _FORGET_SECONDS:
            self._forgotten = monotonic()
            async with self._database.unit_of_work() as unit:
                await self._rows.ledger.forget(unit.session, before=self._clock.now() - KEPT)
        return spread + begun

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        while self._serving:
            await asyncio.wait(self._serving.values())

    async def close(self) -> None:
        """Stop; what is on its way then is sent again later."""
        tasks = list(self._serving.values())
        for task in tasks:
            task.cancel()
        names = list(self._serving)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._serving.clear()
        for queue in names:
            await self._release(queue)

    async def _release(self, queue: str) -> None:
        async with self._database.unit_of_work() as unit:
            await self._rows.queues.release(unit.session, queue, self._server, self._clock.now())

    async def _served(self, queue: str) -> None:
        try:
            until = monotonic() + _SERVE_SECONDS
            while monotonic() < until and await self._one(queue):
                continue
            await self._release(queue)
        except Exception as error:  # noqa: BLE001 — the queue is tried again; the failure is reported
            _log.error("queue_failed", queue=queue, error=type(error).__name__)
            with suppress(Exception):
                await self._settler.rest(queue, timedelta(seconds=10))
        finally:
            self._serving.pop(queue, None)

    async def _one(self, queue: str) -> bool:
        """Take out the next telling of a queue; tell whether there may be more now."""
        now = self._clock.now()
        async with self._database.unit_of_work() as unit:
            if not await self._rows.queues.lease(unit.session, queue, self._server, now):
                return False
            delivery = await self._rows.queues.next(unit.session, queue, now)
            if delivery is None:
                return False
            notice = await self._rows.ledger.by_id(unit.session, delivery.notice_id)
            webhook = await self._webhook(unit.session, delivery)
            if webhook is not None and webhook.state != "active":
                return False
        began = monotonic()
        if notice is None:
            outcome = Outcome("refused", "notice_unreadable")
        else:
            channel = self._channels[queue.partition(":")[0]]
            outcome = await channel.send(Parcel(delivery.id, notice, delivery.recipient, self._opened(webhook, now)))
        took = round((monotonic() - began) * 1000)
        return await self._settler.settle(delivery, outcome, took_ms=took)

    async def _webhook(self, session: AsyncSession, delivery: Delivery) -> Webhook | None:
        if not delivery.queue.startswith("webhook:"):
            return None
        return await self._rows.webhooks.by_id(session, delivery.recipient)

    def _opened(self, webhook: Webhook | None, now: datetime) -> Opened | None:
        if webhook is None:
            return None
        try:
            return self._rows.webhooks.opened(webhook, now)
        except SealBroken:
            _log.error("webhook_unreadable", webhook=str(webhook.id))
            return None
