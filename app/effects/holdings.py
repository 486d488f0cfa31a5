"""The service accounts that people answer for, as reviews of rights go through them; what nobody answers for any more is disabled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.clients import Clients
from app.auth.errors import AccountRefused
from app.auth.repository import Client
from app.auth.scopes import Scope
from app.campaigns import hints
from app.campaigns.joints import Holding
from app.campaigns.rules import CLIENT, Item
from app.custody.handovers import OWNED
from app.custody.rows import CustodyRows, Handover, Outcome
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.query import Source

_POWER: Final = frozenset(
    {Scope.ACCESS_LOG_READ, Scope.ENGAGEMENTS_WRITE, Scope.HR_WRITE, Scope.NUMBERS_ALLOCATE, Scope.SCIM}
)


class ClientHoldings:
    """Service accounts, for ``CampaignDesk``."""

    kind = CLIENT

    def __init__(self, clients: Clients, custody: CustodyRows, clock: Clock) -> None:
        """Take the clients, what is being handed over, and the clock."""
        self._clients, self._custody, self._clock = clients, custody, clock

    async def held(self, source: Source, now: datetime) -> Sequence[Holding]:
        """List every service account that somebody answers for, and where its former owner has left."""
        del now
        open_ = await self._custody.open_handovers(source)
        found = []
        for client_id, _ in await OWNED.rows(source):
            client = await self._client(source, client_id)
            if client is not None and client.owner is not None and client.state == "active":
                found.append(_holding(client, client.owner, open_.get(client_id)))
        return found

    async def is_held(self, source: Source, item: Item, now: datetime) -> bool:
        """Tell whether the same person still answers for it."""
        del now
        client = await self._client(source, item.reference)
        return client is not None and client.state == "active" and client.owner == item.holder_id

    async def end(self, unit: UnitOfWork, author: Author, item: Item, *, why: str) -> None:
        """Disable it; every token that it got ends."""
        client, now = await self._client(unit.session, item.reference), self._clock.now()
        if client is None or client.state != "active":
            return
        await self._clients.disable(unit.session, client.client_id)
        await self._custody.settle(unit.session, client.client_id, Outcome.DISABLED, now)
        people = [] if client.owner is None else [client.owner]
        told = {"client_id": client.client_id, "by": why, "campaign": str(item.campaign_id)}
        await add_intent(unit.session, written(author, "client.disable", now, contacts=people, query=told))

    async def _client(self, source: Source, client_id: str) -> Client | None:
        try:
            return await self._clients.by_client_id(source, client_id)
        except AccountRefused:
            return None


def _holding(client: Client, owner: UUID, handover: Handover | None) -> Holding:
    flags = [hints.POWERFUL] if client.exchanges or not _POWER.isdisjoint(client.scopes) else []
    flags += [hints.OWNER_LEFT] if handover is not None else []
    detail: dict[str, Any] = {"scopes": sorted(client.scopes), "ceiling": client.ceiling, "exchanges": client.exchanges}
    if handover is not None:
        detail |= {"former_owner": str(handover.former_id), "due_at": handover.due_at.isoformat()}
    return Holding(
        reference=client.client_id,
        holder_id=owner,
        since=None if handover is None else handover.began_at,
        detail=detail,
        flags=tuple(flags),
    )
