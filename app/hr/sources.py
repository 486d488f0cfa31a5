"""Sources whose events are taken under a signature, each bound to the service account that it speaks for.

A signature says who sends, and no more than a token of that account would: the account's state, scopes and rights are those of the moment,
and the record names the account and, beside it, the source. A secret is made here, told once, kept in a box, and bound to its row by name:
a secret signs the events of one source and of no other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import ClientRepository
from app.auth.scopes import Scope
from app.auth.subject import Service
from app.crypto.errors import SealBroken
from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows
from app.crypto.secretbox import SecretBox
from app.hr import signatures
from app.hr.signatures import Attempt
from app.hr.source_errors import (
    ForeignSource,
    SignatureRefused,
    SourceExists,
    SourceNotFound,
    SourceUnfit,
    TooManySources,
)
from app.hr.source_models import HrSourceRow
from app.kit.clock import Clock
from app.kit.models import new_id
from app.kit.query import Query, Source
from app.notices.signing import new_secret

HR_SOURCE: Final = "hr_source"
MOST: Final = 10
"""Most sources in use: a signature names nobody, so each request is compared with the secrets of all of them."""
OVERLAP: Final = timedelta(days=1)
"""How long the older secret is taken beside a new one, unless the operator says otherwise."""
LONGEST_OVERLAP: Final = timedelta(days=30)
_LONGEST_NAME: Final = 64


class State(StrEnum):
    """Whether its signatures are taken."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class HrSource:
    """One source, as its row's MAC covers it; the secrets are boxed."""

    id: UUID
    name: str
    client_id: str
    state: State
    secret: bytes
    since: datetime
    former_secret: bytes | None = None
    former_until: datetime | None = None
    row_version: int = 1


class SourceRows:
    """Rows of ``hr_source``; one that was edited past us signs nothing and is reported."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self.rows = Rows(HrSourceRow, HrSource, signer, key=("name",))
        self._all = Query(self.rows.select().order_by(HrSourceRow.name))
        self._by_name = Query(self.rows.select(HrSourceRow.name == bindparam("wanted")), by_key=True)

    async def all(self, source: Source) -> list[HrSource]:
        """List every source that can be believed, by name; there are few."""
        return await self.rows.find(source, self._all)

    async def holder(self, source: Source, name: str) -> str | None:
        """Give the service account whose a name is, ``None`` where it is nobody's.

        Raises ``ForeignSource`` for one whose row was edited past us: whose it is cannot be told.
        """
        rows = await self._by_name.rows(source, wanted=name)
        believed = self.rows.read(rows)
        if rows and not believed:
            raise ForeignSource
        return believed[0].client_id if believed else None

    async def named(self, session: AsyncSession, name: str) -> HrSource | None:
        """Find one and let nobody change it until the transaction ends."""
        return next(iter(await self.rows.locked(session, HrSourceRow.name == name)), None)


class Sources:
    """Keeps sources, and tells whose signature a request has."""

    def __init__(self, rows: SourceRows, *, box: SecretBox, clients: ClientRepository, clock: Clock) -> None:
        """Take the rows, the box of their secrets, the service accounts, and the clock."""
        self._rows, self._box, self._clients, self._clock = rows, box, clients, clock

    async def signer(self, source: Source, attempt: Attempt, body: bytes) -> Service:
        """Give the service account that a signed request speaks for, with no scope but that of personnel events.

        Raises ``SignatureRefused`` alike for a secret that nobody has, one that is over, and events of another source.
        """
        now, signed = self._clock.now(), None
        for each in await self._rows.all(source):
            if each.state is State.ACTIVE and signatures.matches(attempt, body, self._live(each, now)):
                signed = each
        if signed is None:
            raise SignatureRefused("unknown")
        if not _speaks_of(body) <= {signed.name}:
            raise SignatureRefused("another_source")
        client = await self._clients.by_id(source, signed.client_id)
        scopes = frozenset[str]() if client is None else client.scopes & {Scope.HR_WRITE.value}
        return Service(signed.client_id, scopes, signed=signed.id)

    async def all(self, source: Source) -> list[HrSource]:
        """List every source that can be believed, by name."""
        return await self._rows.all(source)

    async def fit(self, source: Source, name: str, client_id: str) -> None:
        """Raise ``SourceUnfit``, ``SourceExists`` or ``TooManySources`` where such a source cannot be kept."""
        client = await self._clients.by_id(source, client_id)
        sends = client is not None and client.state == "active" and Scope.HR_WRITE.value in client.scopes
        if not sends or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise SourceUnfit
        active = [each.name for each in await self._rows.all(source) if each.state is State.ACTIVE]
        if name in active:
            raise SourceExists
        if len(active) >= MOST:
            raise TooManySources

    async def add(self, session: AsyncSession, name: str, client_id: str) -> str:
        """Keep a source, or take one up again that was disabled; give its secret, this once. Raises as ``fit`` does."""
        await self.fit(session, name, client_id)
        known, secret, now = await self._rows.named(session, name), new_secret(), self._clock.now()
        identity = new_id() if known is None else known.id
        made = HrSource(
            id=identity,
            name=name,
            client_id=client_id,
            state=State.ACTIVE,
            secret=self._box.close(_context(identity), secret.encode()),
            since=now,
            row_version=1 if known is None else known.row_version + 1,
        )
        await (self._rows.rows.add if known is None else self._rows.rows.put)(session, made)
        return secret

    async def rotate(self, session: AsyncSession, name: str, *, overlap: timedelta = OVERLAP) -> str:
        """Give a source another secret, told this once; the one before is taken for ``overlap`` more, one before that no longer.

        Raises ``SourceNotFound``, and ``ValueError`` for an overlap that is negative or longer than ``LONGEST_OVERLAP``.
        """
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            message = "the older secret is taken for 30 days at the most"
            raise ValueError(message)
        source, now, secret = await self.in_use(session, name), self._clock.now(), new_secret()
        after = replace(
            source,
            secret=self._box.close(_context(source.id), secret.encode()),
            since=now,
            former_secret=source.secret,
            former_until=now + overlap,
            row_version=source.row_version + 1,
        )
        await self._rows.rows.put(session, after)
        return secret

    async def disable(self, session: AsyncSession, name: str) -> None:
        """Take no signature of a source any more. Raises ``SourceNotFound``."""
        source = await self.in_use(session, name)
        after = replace(source, state=State.DISABLED, row_version=source.row_version + 1)
        await self._rows.rows.put(session, after)

    async def in_use(self, session: AsyncSession, name: str) -> HrSource:
        """Find a source that signs, and hold it. Raises ``SourceNotFound``."""
        found = await self._rows.named(session, name)
        if found is None or found.state is not State.ACTIVE:
            raise SourceNotFound
        return found

    def _live(self, source: HrSource, now: datetime) -> Sequence[str]:
        boxes = [source.secret]
        if source.former_secret is not None and source.former_until is not None and now < source.former_until:
            boxes.append(source.former_secret)
        try:
            return [self._box.open(_context(source.id), each).decode() for each in boxes]
        except SealBroken:
            return []


def _context(identity: UUID) -> bytes:
    return f"hr_source:{identity}".encode()


def _speaks_of(body: bytes) -> frozenset[str]:
    """Name the sources of the events in a body, as the framework will read it; of one that it cannot read, none."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return frozenset()
    if not isinstance(told, dict):
        return frozenset()
    events = told.get("events")
    found = [told, *(events if isinstance(events, list) else [])]
    named = [each["source"] for each in found if isinstance(each, dict) and "source" in each]
    return frozenset(each if isinstance(each, str) else "" for each in named)
