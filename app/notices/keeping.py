"""Keeping addresses outside: registering, changing, giving another secret, removing. Each write is an event that names the address by id.

Where an address leads is looked up and judged before the transaction begins, and again at every sending. A secret is told once, in the
answer that made it, and is in no receipt.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.authors import written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import NotFound, PreconditionFailed
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.notices.errors import TooManyWebhooks, WebhookMembers, WebhookTargetRefused, WebhookUnfit
from app.notices.posting import Poster
from app.notices.queues import DeliveryQueues
from app.notices.reading import WebhookPages, admit
from app.notices.repository import WebhookRepository
from app.notices.robots import SIGNING
from app.notices.schemas import WebhookAmend, WebhookCreate
from app.notices.signing import new_secret
from app.notices.targets import TargetRefused
from app.notices.webhook import OVERLAP, Kind, Webhook
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/webhooks"
MOST: Final = 100
"""Most addresses that are kept; each costs a look at every notice."""


class WebhookKeeper:
    """Keeps addresses for a viewer."""

    def __init__(
        self,
        *,
        webhooks: WebhookRepository,
        queues: DeliveryQueues,
        pages: WebhookPages,
        poster: Poster,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, how addresses are shown and judged, what makes a repeat harmless, and the clock."""
        self._webhooks, self._queues, self._pages = webhooks, queues, pages
        self._poster, self._idempotency, self._clock = poster, idempotency, clock

    async def register(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: WebhookCreate) -> Answer:
        """Keep a new address once per ``key``; the answer has the secret, a repeat has not.

        Raises ``NotPermitted``, ``WebhookMembers``, ``WebhookTargetRefused``, ``TooManyWebhooks`` and what idempotency refuses.
        """
        admit(viewer, "webhook.create")
        _refuse_unfit(body.kind, roles=bool(body.roles), secret=body.secret is not None)
        await self._judge(body.url)
        secret = new_secret() if body.kind == "standard" else None

        async def work() -> Receipt:
            if await self._webhooks.count(unit.session) >= MOST:
                raise TooManyWebhooks
            webhook = self._new(viewer, body, secret or body.secret)
            await self._webhooks.add(unit.session, webhook, at=webhook.created_at)
            told = {"kind": webhook.kind, "types": list(webhook.types), "roles": list(webhook.roles)}
            await self._announce(viewer, unit, "webhook.create", webhook.id, told)
            return Receipt(webhook.id, {**_plain(self._pages.rendered(webhook)), "secret": None})

        call = Call(viewer.caller, "POST", COLLECTION, key)
        asked = body.model_dump(mode="json", exclude_unset=True)
        answer = await self._idempotency.run(
            unit, call, key and asked, allowed=lambda: admit(viewer, "webhook.create"), work=work
        )
        if answer.replayed:
            return answer
        return Answer(replace(answer.receipt, body={**answer.receipt.body, "secret": secret}))

    async def amend(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str, body: WebhookAmend) -> Receipt:
        """Change an address that the caller was told as ``seen``. Raises as ``register`` does, ``NotFound``, ``PreconditionFailed``."""
        admit(viewer, "webhook.update")
        given = {name: getattr(body, name) for name in body.model_fields_set}
        if "url" in given:
            await self._judge(body.url)
        webhook = await self._held(unit, identity)
        if not names_version(seen, self._pages.rendered(webhook)["version"]):
            raise PreconditionFailed
        _refuse_unfit(webhook.kind, roles=bool(given.get("roles", webhook.roles)), secret="secret" in given)
        after = self._changed(webhook, given)
        changed = sorted(
            name for name in given if name in {"url", "secret"} or getattr(after, name) != getattr(webhook, name)
        )
        if not changed:
            return Receipt(identity, _plain(self._pages.rendered(webhook)), 200)
        after = await self._webhooks.change(unit.session, after, at=self._clock.now())
        if after.state == "disabled":
            await self._queues.bury(unit.session, webhook.queue, "webhook_disabled")
        elif after.state == "active":
            await self._queues.succeeded(unit.session, webhook.queue, rests_until=None)
        told = {name: given[name] for name in ("state",) if name in given}
        await self._announce(viewer, unit, "webhook.update", identity, told, *changed)
        return Receipt(identity, _plain(self._pages.rendered(after)), 200)

    async def rotate(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Receipt:
        """Make a new secret; the one before signs too for a day. Raises ``NotPermitted``, ``NotFound``, ``WebhookUnfit`` for a robot."""
        admit(viewer, "webhook.rotate_secret")
        webhook, now, secret = await self._held(unit, identity), self._clock.now(), new_secret()
        if webhook.kind != "standard":
            raise WebhookUnfit
        until = now + OVERLAP
        after = replace(
            webhook,
            secret=self._webhooks.boxed(identity, "secret", secret),
            former_secret=webhook.secret,
            former_until=until,
        )
        after = await self._webhooks.change(unit.session, after, at=now)
        await self._announce(viewer, unit, "webhook.rotate_secret", identity, {})
        version = self._pages.rendered(after)["version"]
        return Receipt(
            None, _plain({"id": identity, "secret": secret, "former_secret_until": until, "version": version})
        )

    async def remove(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str) -> None:
        """Forget an address with all that waits for it. Raises ``NotPermitted``, ``NotFound`` and ``PreconditionFailed``."""
        admit(viewer, "webhook.delete")
        webhook = await self._held(unit, identity)
        if not names_version(seen, self._pages.rendered(webhook)["version"]):
            raise PreconditionFailed
        await self._webhooks.remove(unit.session, webhook)
        await self._announce(viewer, unit, "webhook.delete", identity, {"kind": webhook.kind})

    async def _held(self, unit: UnitOfWork, identity: UUID) -> Webhook:
        webhook = await self._webhooks.locked(unit.session, identity)
        if webhook is None:
            raise NotFound
        return webhook

    async def _judge(self, url: str) -> None:
        try:
            await self._poster.check(url)
        except TargetRefused as refused:
            raise WebhookTargetRefused(refused.fault) from None

    def _new(self, viewer: Viewer, body: WebhookCreate, secret: str | None) -> Webhook:
        identity = new_id()
        return Webhook(
            id=identity,
            kind=body.kind,
            label=body.label,
            address=self._webhooks.boxed(identity, "address", body.url),
            secret=None if secret is None else self._webhooks.boxed(identity, "secret", secret),
            former_secret=None,
            former_until=None,
            types=tuple(dict.fromkeys(body.types)),
            roles=tuple(dict.fromkeys(each.value for each in body.roles)),
            state="active",
            cause=None,
            owner=viewer.standing.contact_id,
            row_version=1,
            created_at=self._clock.now(),
        )

    def _changed(self, webhook: Webhook, given: Mapping[str, Any]) -> Webhook:
        values = {name: given[name] for name in ("label", "state") if name in given}
        if "types" in given:
            values["types"] = tuple(dict.fromkeys(given["types"]))
        if "roles" in given:
            values["roles"] = tuple(dict.fromkeys(each.value for each in given["roles"]))
        if "url" in given:
            values["address"] = self._webhooks.boxed(webhook.id, "address", given["url"])
        if "secret" in given:
            secret = given["secret"]
            values["secret"] = None if secret is None else self._webhooks.boxed(webhook.id, "secret", secret)
        if values.get("state", webhook.state) != webhook.state:
            values["cause"] = "operator" if values["state"] == "disabled" else None
        return replace(webhook, **values)

    async def _announce(
        self, viewer: Viewer, unit: UnitOfWork, action: str, identity: UUID, told: Mapping[str, Any], *fields: str
    ) -> None:
        query = {"webhook": str(identity), **told}
        await add_intent(
            unit.session, written(author_of(viewer), action, self._clock.now(), fields=fields, query=query)
        )


def _refuse_unfit(kind: Kind, *, roles: bool, secret: bool) -> None:
    """Raise ``WebhookMembers`` for members of another kind of address; a robot without roles would never be told anything."""
    if kind == "standard":
        if roles:
            raise WebhookMembers(
                "/roles", "Roles belong to robots; subscribers are told by type.", "角色仅用于群机器人。"
            )
        if secret:
            raise WebhookMembers("/secret", "The secret of a subscriber is made here.", "密钥由本服务生成。")
        return
    if not roles:
        raise WebhookMembers("/roles", "A robot needs the roles that its group stands for.", "群机器人必须指定角色。")
    if secret and kind not in SIGNING:
        raise WebhookMembers("/secret", "This robot does not sign.", "该机器人不支持签名。")


def _plain(card: Mapping[str, Any]) -> dict[str, Any]:
    """Write ids and times as receipts keep them."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(card, option=orjson.OPT_UTC_Z))
    return found
