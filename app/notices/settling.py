"""What follows from an attempt: delivered, tried again, given up, or the whole address disabled and its owner told. In one transaction."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

import structlog

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.notices import ladder
from app.notices.notice import Audience, Notice
from app.notices.queues import DeliveryQueues
from app.notices.repository import WebhookRepository
from app.notices.service import Notices
from app.notices.told import Delivery, Outcome
from app.notices.webhook import Cause, Webhook

KEEPERS: Final = ("it", "system_admin")
"""Roles that keep addresses outside."""
AUTHOR: Final = Author(type="system", id="job:notices")

_log = structlog.get_logger("duanhao.notices")


class Settler:
    """Writes what came of attempts."""

    def __init__(
        self,
        *,
        database: Database,
        queues: DeliveryQueues,
        webhooks: WebhookRepository,
        notices: Notices,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take the store, the rows, what tells owners, the clock, and chance (0 to 1) for the lengths of pauses."""
        self._database, self._queues, self._webhooks = database, queues, webhooks
        self._notices, self._clock, self._chance = notices, clock, chance

    async def settle(self, delivery: Delivery, outcome: Outcome, *, took_ms: int) -> bool:
        """Write what came of one attempt; tell whether the queue may go on now.

        Locks are taken in the order address, queue, telling, as everybody does who takes more than one.
        """
        now = self._clock.now()
        async with self._database.unit_of_work() as unit:
            webhook = None
            if outcome.verdict in {"again", "gone"} and delivery.queue.startswith("webhook:"):
                webhook = await self._webhooks.locked(unit.session, delivery.recipient)
            failures, since = await self._queues.failing(unit.session, delivery.queue)
            following = self._following(delivery, outcome, now)
            tried = {"attempts": delivery.attempts + 1, "tried_at": now, "took_ms": took_ms}
            said = {"outcome": outcome.code, "status": outcome.status}
            await self._queues.record(unit.session, delivery, **tried, **said, **following)
            match outcome.verdict:
                case "delivered":
                    await self._queues.succeeded(unit.session, delivery.queue, rests_until=_after(now, outcome.rest))
                    return outcome.rest is None
                case "refused":
                    return True
                case "gone":
                    await self._disable(unit, webhook, "gone", now)
                    return False
                case "again":
                    return await self._failed(unit, delivery.queue, webhook, outcome, (failures + 1, since or now))
                case _:
                    assert_never(outcome.verdict)

    async def rest(self, queue: str, span: timedelta) -> None:
        """Let a queue rest, for a fault of ours."""
        now = self._clock.now()
        async with self._database.unit_of_work() as unit:
            failures, since = await self._queues.failing(unit.session, queue)
            await self._queues.failed(
                unit.session, queue, failures=failures, since=since or now, rests_until=now + span
            )

    def _following(self, delivery: Delivery, outcome: Outcome, now: datetime) -> dict[str, Any]:
        if outcome.verdict == "delivered":
            return {"state": "delivered"}
        wait = ladder.pause(delivery.attempts + 1, self._chance(), outcome.wait) if outcome.verdict == "again" else None
        return {"state": "dead"} if wait is None else {"due_at": now + wait}

    async def _failed(
        self, unit: UnitOfWork, queue: str, webhook: Webhook | None, outcome: Outcome, failed: tuple[int, datetime]
    ) -> bool:
        (failures, since), now = failed, self._clock.now()
        if webhook is not None and now - since >= ladder.DEAD_AFTER:
            await self._disable(unit, webhook, "dead", now)
            return False
        rest = max(ladder.rest(failures), outcome.rest or timedelta())
        await self._queues.failed(unit.session, queue, failures=failures, since=since, rests_until=_after(now, rest))
        return not rest

    async def _disable(self, unit: UnitOfWork, webhook: Webhook | None, cause: Cause, now: datetime) -> None:
        """Disable an address, give up what waits for it, and tell its owner, who may have left, and whoever keeps addresses."""
        if webhook is None or webhook.state == "disabled":
            return
        after = await self._webhooks.change(unit.session, replace(webhook, state="disabled", cause=cause), at=now)
        await self._queues.bury(unit.session, webhook.queue, "webhook_disabled")
        await add_intent(
            unit.session,
            written(AUTHOR, "webhook.disable", now, query={"webhook": str(webhook.id), "cause": cause}),
        )
        people = () if webhook.owner is None else (webhook.owner,)
        body = {"webhook": {"id": webhook.id, "kind": webhook.kind, "state": after.state, "cause": cause}}
        audience = Audience(people=people, roles=KEEPERS, subscribers=True)
        notice = Notice(id=new_id(), type="webhook.disabled", occurred_at=now, body=body, audience=audience)
        await self._notices.tell(unit, notice)
        _log.warning("webhook_disabled", webhook=str(webhook.id), cause=cause)


def _after(now: datetime, span: timedelta | None) -> datetime | None:
    return now + span if span else None
