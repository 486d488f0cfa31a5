"""From a notice to its tellings: who is told of it, by which way. Each notice in a transaction of its own, each telling made once.

Subscribers are told what they subscribed to. People are told by mail, those named and those who hold a role that is named, when there is a
mail server; the robots of group chats are told what is for the roles that their group stands for.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import AccountRepository
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.models import new_id
from app.notices.ledger import NoticeLedger
from app.notices.notice import Notice, matches
from app.notices.queues import DeliveryQueues
from app.notices.repository import WebhookRepository
from app.notices.told import Delivery, mail_queue
from app.notices.webhook import Webhook


class Spreader:
    """Makes tellings."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: NoticeLedger,
        queues: DeliveryQueues,
        webhooks: WebhookRepository,
        accounts: AccountRepository,
        mails: bool,
        clock: Clock,
    ) -> None:
        """Take the store, the rows, who holds which role, whether there is a mail server, and the clock."""
        self._database, self._ledger, self._queues = database, ledger, queues
        self._webhooks, self._accounts, self._mails, self._clock = webhooks, accounts, mails, clock

    async def spread(self, most: int) -> int:
        """Spread up to ``most`` notices; give how many were. Any number of processes may."""
        done = 0
        if not await self._ledger.waits(self._database.reader):
            return done
        while done < most and await self._one():
            done += 1
        return done

    async def _one(self) -> bool:
        async with self._database.unit_of_work() as unit:
            taken = await self._ledger.next(unit.session)
            if taken is None:
                return False
            identity, put_at, notice = taken
            now = self._clock.now()
            deliveries = [] if notice is None else await self._deliveries(unit.session, notice, put_at, now)
            await self._ledger.spread(unit.session, identity, deliveries, at=now)
            return True

    async def _deliveries(
        self, session: AsyncSession, notice: Notice, put_at: datetime, now: datetime
    ) -> list[Delivery]:
        told = [
            delivery(notice, each.queue, each.id, now)
            for each in await self._webhooks.all(session)
            if each.created_at <= put_at and is_for(notice, each)
        ]
        people = await self._people(session, notice) if self._mails else []
        if people:
            await self._queues.make_mail(session, now)
        return [*told, *(delivery(notice, mail_queue(each), each, now) for each in people)]

    async def _people(self, session: AsyncSession, notice: Notice) -> Sequence[UUID]:
        people = dict.fromkeys(notice.audience.people)
        roles = set(notice.audience.roles)
        if roles:
            for account in await self._accounts.set_apart(session):
                if account.state == "active" and account.contact_id is not None and not roles.isdisjoint(account.roles):
                    people.setdefault(account.contact_id)
        return list(people)


def is_for(notice: Notice, webhook: Webhook) -> bool:
    """Tell whether an address is told of a notice; one that is disabled is told of nothing, one that is paused is told later."""
    if webhook.state == "disabled" or not matches(webhook.types, notice.type):
        return False
    if webhook.kind == "standard":
        return notice.audience.subscribers
    return not set(webhook.roles).isdisjoint(notice.audience.roles)


def delivery(notice: Notice, queue: str, recipient: UUID, now: datetime) -> Delivery:
    """Make one telling of a notice, due now."""
    return Delivery(
        id=new_id(),
        notice_id=notice.id,
        queue=queue,
        recipient=recipient,
        resource=notice.resource,
        version=notice.version,
        state="waiting",
        attempts=0,
        due_at=now,
        created_at=now,
    )
