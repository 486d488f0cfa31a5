"""All queries on addresses outside, the MAC that makes them believable, and the boxes that their URLs and secrets lie in.

A row that was edited past the service is nobody's address: it is left out wherever it is asked for, and reported. Nothing here commits.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner, RowValue
from app.crypto.secretbox import SecretBox
from app.kit.db import Row
from app.kit.models import Id
from app.notices.models import NoticeDeliveryRow, NoticeQueueRow, WebhookRow
from app.notices.webhook import Opened, Webhook

_TABLE: Final = WebhookRow.__tablename__
_NAMES: Final = tuple(Webhook.__slots__)
_COLUMNS: Final[tuple[Any, ...]] = (*(getattr(WebhookRow, name) for name in _NAMES), WebhookRow.mac)
_ALL: Final = Query(select(*_COLUMNS).order_by(WebhookRow.id))
_BY_ID: Final = Query(select(*_COLUMNS).where(WebhookRow.id == bindparam("id", type_=Id())), by_key=True)

_log = structlog.get_logger("duanhao.security")


class WebhookRepository:
    """Rows of ``webhook``, and of the queue that each has."""

    def __init__(self, signer: RowSigner, box: SecretBox) -> None:
        """Take the signer of the table, and the box."""
        self._signer, self._box = signer, box

    async def all(self, source: Source) -> list[Webhook]:
        """List every address, oldest first; there are few."""
        return self._believed(await _ALL.rows(source))

    async def by_id(self, source: Source, identity: UUID) -> Webhook | None:
        """Find one."""
        return next(iter(self._believed(await _BY_ID.rows(source, id=identity))), None)

    async def locked(self, session: AsyncSession, identity: UUID) -> Webhook | None:
        """Find one and let nobody change it until the transaction ends."""
        statement = select(*_COLUMNS).where(WebhookRow.id == identity).with_for_update()
        return next(iter(self._believed([tuple(row) for row in await session.execute(statement)])), None)

    async def count(self, session: AsyncSession) -> int:
        """Count them, those that do not verify too."""
        return int((await session.execute(select(func.count()).select_from(WebhookRow))).scalar_one())

    async def add(self, session: AsyncSession, webhook: Webhook, *, at: datetime) -> None:
        """Keep a new one, with an empty queue."""
        await session.execute(insert(WebhookRow).values(**self._row(webhook), updated_at=at))
        queue = {"name": webhook.queue, "webhook_id": webhook.id, "served_at": at, "failures": 0}
        await session.execute(insert(NoticeQueueRow).values(**queue))

    async def change(self, session: AsyncSession, webhook: Webhook, *, at: datetime) -> Webhook:
        """Write one, which was locked, as it is to be; give it with its next row version."""
        after = replace(webhook, row_version=webhook.row_version + 1)
        await session.execute(
            update(WebhookRow).where(WebhookRow.id == after.id).values(**self._row(after), updated_at=at)
        )
        return after

    async def remove(self, session: AsyncSession, webhook: Webhook) -> None:
        """Forget one, which was locked, with its queue and its tellings."""
        queue = select(NoticeQueueRow.name).where(NoticeQueueRow.name == webhook.queue).with_for_update()
        await session.execute(queue)
        await session.execute(delete(NoticeDeliveryRow).where(NoticeDeliveryRow.queue == webhook.queue))
        await session.execute(delete(NoticeQueueRow).where(NoticeQueueRow.name == webhook.queue))
        await session.execute(delete(WebhookRow).where(WebhookRow.id == webhook.id))

    def boxed(self, identity: UUID, what: str, text: str) -> bytes:
        """Box the ``address`` or the ``secret`` of one."""
        return self._box.close(_context(identity, what), text.encode())

    def opened(self, webhook: Webhook, now: datetime) -> Opened:
        """Open one, to send there or to show its keeper where it leads; raise ``SealBroken``."""
        secrets = [webhook.secret]
        if webhook.former_until is not None and webhook.former_until > now:
            secrets.append(webhook.former_secret)
        return Opened(
            webhook.kind,
            self._unboxed(webhook.id, "address", webhook.address),
            [self._unboxed(webhook.id, "secret", each) for each in secrets if each is not None],
        )

    def _unboxed(self, identity: UUID, what: str, box: bytes) -> str:
        return self._box.open(_context(identity, what), box).decode()

    def _believed(self, rows: Iterable[Row]) -> list[Webhook]:
        found = []
        for *values, mac in rows:
            given = dict(zip(_NAMES, values, strict=True))
            webhook = Webhook(**{**given, "types": tuple(given["types"]), "roles": tuple(given["roles"])})
            if self._signer.verify(_TABLE, _covered(webhook), mac):
                found.append(webhook)
            else:
                _log.error("row_mac_mismatch", table=_TABLE, row=str(webhook.id))
        return found

    def _row(self, webhook: Webhook) -> dict[str, Any]:
        values = {name: getattr(webhook, name) for name in _NAMES}
        lists = {"types": list(webhook.types), "roles": list(webhook.roles)}
        return {**values, **lists, "mac": self._signer.sign(_TABLE, _covered(webhook))}


def _covered(webhook: Webhook) -> tuple[RowValue, ...]:
    return tuple(getattr(webhook, name) for name in _NAMES)


def _context(identity: UUID, what: str) -> bytes:
    return f"webhook:{what}:{identity}".encode()
