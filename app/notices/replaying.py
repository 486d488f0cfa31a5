"""Telling again on demand: a test of a connection, and the replay of what was given up, was delivered, or waits for its next try."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.authors import written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.notices.errors import WebhookUnfit
from app.notices.ledger import NoticeLedger
from app.notices.notice import Audience, Notice
from app.notices.notice import written as checked
from app.notices.queues import DeliveryQueues
from app.notices.reading import admit, delivery_view
from app.notices.repository import WebhookRepository
from app.notices.spreading import delivery
from app.notices.told import Delivery
from app.notices.webhook import Webhook, queue_of
from app.permissions.standing import Viewer, author_of

DELIVERIES: Final = "/v1/webhook-deliveries"


class Replayer:
    """Tells again."""

    def __init__(
        self,
        *,
        webhooks: WebhookRepository,
        queues: DeliveryQueues,
        ledger: NoticeLedger,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, what makes a repeat harmless, and the clock."""
        self._webhooks, self._queues, self._ledger = webhooks, queues, ledger
        self._idempotency, self._clock = idempotency, clock

    async def ping(self, viewer: Viewer, unit: UnitOfWork, key: str | None, identity: UUID) -> Answer:
        """Send a notice of the type ``webhook.ping`` to one address, through its queue and once per ``key``.

        Raises ``NotPermitted``, ``NotFound``, ``WebhookUnfit`` for one that is not active, and what idempotency refuses.
        """

        async def work() -> Receipt:
            webhook, now = await self._active(unit, identity), self._clock.now()
            body = {"webhook": {"id": identity, "kind": webhook.kind}}
            notice = checked(Notice(id=new_id(), type="webhook.ping", occurred_at=now, body=body, audience=Audience()))
            made = replace(delivery(notice, webhook.queue, identity, now), resource=None)
            await self._ledger.add(unit.session, notice, at=now, spread=True)
            await self._ledger.spread(unit.session, notice.id, [made], at=now)
            await self._queues.succeeded(unit.session, webhook.queue, rests_until=None)
            await self._announce(viewer, unit, "webhook.ping", {"webhook": str(identity), "delivery": str(made.id)})
            return _receipt(made, notice)

        call = Call(viewer.caller, "POST", f"/v1/webhooks/{identity}/pings", key)
        return await self._idempotency.run(unit, call, None, allowed=lambda: admit(viewer, "webhook.ping"), work=work)

    async def replay(self, viewer: Viewer, unit: UnitOfWork, key: str | None, identity: UUID) -> Answer:
        """Begin the attempts of one telling anew, now and once per ``key``, under the same notice id.

        Raises ``NotPermitted``, ``NotFound``, ``WebhookUnfit`` when its address is not active, and what idempotency refuses.
        """

        async def work() -> Receipt:
            found = await self._queues.by_id(unit.session, identity)
            if found is None or found.queue != queue_of(found.recipient):
                raise NotFound
            await self._active(unit, found.recipient)
            now = self._clock.now()
            await self._queues.failing(unit.session, found.queue)
            again = replace(found, state="waiting", attempts=0, due_at=now)
            await self._queues.record(unit.session, found, state="waiting", attempts=0, due_at=now)
            await self._queues.succeeded(unit.session, found.queue, rests_until=None)
            told = {"webhook": str(found.recipient), "delivery": str(identity)}
            await self._announce(viewer, unit, "webhook.replay", told)
            return _receipt(again, await self._ledger.by_id(unit.session, found.notice_id))

        call = Call(viewer.caller, "POST", f"{DELIVERIES}/{identity}/replays", key)
        return await self._idempotency.run(unit, call, None, allowed=lambda: admit(viewer, "webhook.replay"), work=work)

    async def _active(self, unit: UnitOfWork, identity: UUID) -> Webhook:
        webhook = await self._webhooks.locked(unit.session, identity)
        if webhook is None:
            raise NotFound
        if webhook.state != "active":
            raise WebhookUnfit
        return webhook

    async def _announce(self, viewer: Viewer, unit: UnitOfWork, action: str, query: dict[str, Any]) -> None:
        await add_intent(unit.session, written(author_of(viewer), action, self._clock.now(), query=query))


def _receipt(made: Delivery, notice: Notice | None) -> Receipt:
    body: dict[str, Any] = orjson.loads(orjson.dumps(delivery_view(made, notice), option=orjson.OPT_UTC_Z))
    return Receipt(made.id, body, 202)
