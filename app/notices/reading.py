"""Addresses outside and their tellings as their keepers are shown them, each look on record before it leaves.

Who keeps them: people with the role ``it`` or ``system_admin``, and service accounts that were given the scope for it. A robot's URL is a
secret, since whoever has it speaks in the group: its host is all that is told.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.crypto.errors import SealBroken
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.errors import NotFound
from app.notices.ledger import NoticeLedger
from app.notices.notice import Notice
from app.notices.queues import DeliveryQueues
from app.notices.repository import WebhookRepository
from app.notices.schemas import DeliveriesQuery, DeliveryPage, DeliveryRead, WebhookPage, WebhookRead
from app.notices.settling import KEEPERS
from app.notices.targets import Reach, TargetRefused, target
from app.notices.told import Delivery
from app.notices.webhook import Webhook, queue_of
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_T = TypeVar("_T")
_PURPOSE = Purpose.WORK_CONTACT
_UNREADABLE = "…"
_ANYWHERE = Reach(networks=(ip_network("0.0.0.0/0"), ip_network("::/0")), plain_loopback=True)
"""For taking an address apart that was judged before; it is not called."""


def admit(viewer: Viewer, action: str) -> None:
    """Let in who keeps addresses, and say what they are about to do; raise ``NotPermitted`` for others, whatever their token carries."""
    context = current_request()
    if context is not None:
        context.action, context.purpose = action, _PURPOSE.value
    if viewer.standing.kind == "person" and viewer.standing.roles.isdisjoint(KEEPERS):
        raise NotPermitted


class WebhookPages:
    """Shows addresses and tellings."""

    def __init__(
        self,
        showing: Showing,
        *,
        webhooks: WebhookRepository,
        queues: DeliveryQueues,
        ledger: NoticeLedger,
    ) -> None:
        """Take what desks share, and the rows."""
        self._gate, self._standings, self._cursors = showing.gate, showing.standings, showing.cursors
        self._reader, self._clock = showing.reader, showing.clock
        self._webhooks, self._queues, self._ledger = webhooks, queues, ledger

    async def all(self, viewer: Viewer) -> Disclosed[WebhookPage]:
        """List every address. Raises ``NotPermitted`` and ``LogUnavailable``."""

        async def attempt(viewer: Viewer) -> Disclosed[WebhookPage]:
            admit(viewer, "webhook.list")
            items = [self.rendered(each) for each in await self._webhooks.all(self._reader)]
            body = {"items": items, "next": None}
            return Disclosed(await self._noted(viewer, "webhook.list", body, count=len(items)))

        return await self._with_current_rights(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[WebhookRead]:
        """Show one. Raises ``NotFound``, and as ``all`` does."""

        async def attempt(viewer: Viewer) -> Disclosed[WebhookRead]:
            admit(viewer, "webhook.read")
            webhook = await self._webhooks.by_id(self._reader, identity)
            if webhook is None:
                raise NotFound
            card = self.rendered(webhook)
            told = await self._noted(viewer, "webhook.read", card, count=1, webhook=identity)
            return Disclosed(told, etag=card["version"])

        return await self._with_current_rights(viewer, attempt)

    async def deliveries(self, viewer: Viewer, identity: UUID, query: DeliveriesQuery) -> Disclosed[DeliveryPage]:
        """List the tellings of one. Raises ``NotFound``, ``BadCursor``, and as ``all`` does."""
        shape = {"webhook": str(identity), "state": query.state}
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[DeliveryPage]:
            admit(viewer, "webhook.deliveries")
            if await self._webhooks.by_id(self._reader, identity) is None:
                raise NotFound
            rows = await self._queues.page(
                self._reader, queue_of(identity), state=query.state, before=before, limit=query.limit + 1
            )
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, shape, str(page[-1].id))
            body = {"items": await self._views(page), "next": following}
            told = await self._noted(viewer, "webhook.deliveries", body, count=len(page), webhook=identity)
            return Disclosed(told)

        return await self._with_current_rights(viewer, attempt)

    async def delivery(self, viewer: Viewer, identity: UUID) -> Disclosed[DeliveryRead]:
        """Show one telling of an address. Raises ``NotFound``, also for somebody's mail, and as ``all`` does."""

        async def attempt(viewer: Viewer) -> Disclosed[DeliveryRead]:
            admit(viewer, "webhook.delivery")
            found = await self._queues.by_id(self._reader, identity)
            if found is None or found.queue != queue_of(found.recipient):
                raise NotFound
            (card,) = await self._views([found])
            told = await self._noted(viewer, "webhook.delivery", card, count=1, webhook=found.recipient)
            return Disclosed(told)

        return await self._with_current_rights(viewer, attempt)

    def rendered(self, webhook: Webhook) -> dict[str, Any]:
        """Write an address with its version."""
        card = {
            "id": webhook.id,
            "kind": webhook.kind,
            "label": webhook.label,
            "url": self._shown(webhook),
            "types": list(webhook.types),
            "roles": list(webhook.roles),
            "state": webhook.state,
            "cause": webhook.cause,
            "signed": webhook.secret is not None,
            "former_secret_until": self._former_until(webhook),
            "created_at": webhook.created_at,
        }
        return {**card, "version": self._version(card, webhook)}

    def _version(self, card: dict[str, Any], webhook: Webhook) -> str:
        """Tell two states apart that look alike: another key in a robot's URL, another secret."""
        return self._gate.version(orjson.dumps([card, webhook.row_version], option=orjson.OPT_UTC_Z))

    def _former_until(self, webhook: Webhook) -> datetime | None:
        until = webhook.former_until
        return until if until is not None and until > self._clock.now() else None

    def _shown(self, webhook: Webhook) -> str:
        try:
            url = self._webhooks.opened(webhook, self._clock.now()).url
            called = target(url, _ANYWHERE)
        except (SealBroken, TargetRefused):
            return _UNREADABLE
        return called.shown if webhook.kind == "standard" else f"{called.scheme}://{called.authority}/…"

    async def _views(self, rows: Sequence[Delivery]) -> list[dict[str, Any]]:
        notices = await self._ledger.by_ids(self._reader, [each.notice_id for each in rows])
        return [delivery_view(each, notices.get(each.notice_id)) for each in rows]

    async def _noted(
        self, viewer: Viewer, action: str, body: dict[str, Any], *, count: int, webhook: UUID | None = None
    ) -> bytes:
        look = Look(action=action, purpose=_PURPOSE, query=None if webhook is None else {"webhook": str(webhook)})
        note = await self._gate.disclose_plain(viewer, look, count=count)
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z)

    async def _with_current_rights(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        try:
            return await attempt(viewer)
        except (EpochMoved, NotFound, NotPermitted):
            return await attempt(await self._standings.of(viewer.subject, fresh=True))


def delivery_view(found: Delivery, notice: Notice | None) -> dict[str, Any]:
    """Write a telling."""
    told = None if notice is None else {"id": notice.id, "type": notice.type, "occurred_at": notice.occurred_at}
    return {
        "id": found.id,
        "webhook": found.recipient,
        "notice": told,
        "state": found.state,
        "attempts": found.attempts,
        "due_at": found.due_at if found.state == "waiting" else None,
        "tried_at": found.tried_at,
        "outcome": found.outcome,
        "status": found.status,
        "took_ms": found.took_ms,
        "created_at": found.created_at,
    }
