"""Packs as they were uploaded, and which of them is in force: rows that are only ever added, and a counter that moves with them.

Every process keeps the pack that it read together with the value of the counter ``policy`` before it read it. The counter belongs to every
standing, so the log refuses a look that was decided under another pack than the one in force when the look is recorded, and the retry
reads the new one: nothing has to be restarted or told. The newest activation decides, and if it or its version does not verify, nothing
does: looks are refused until somebody activates a version again, because falling back would be a roll-back that nobody approved.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

import orjson
import structlog
from pydantic import ValidationError
from sqlalchemy import Integer, String, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.db import Row
from app.kit.models import Id
from app.permissions.errors import PolicyUnreadable
from app.permissions.models import PolicyActivation, PolicyVersion
from app.permissions.pack import Pack, unmet

POLICY: Final = "policy"
"""The counter that moves with every activation, and belongs to everybody's standing."""

ActivationKind = Literal["first", "activated", "rolled_back"]
_VERSIONS: Final = PolicyVersion.__tablename__
_ACTIVATIONS: Final = PolicyActivation.__tablename__
_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One stored pack. ``canonical`` is its JSON, of which ``digest`` is the SHA-256; ``source`` is what its author wrote."""

    id: UUID
    version: str
    profile: str
    digest: str
    canonical: str
    source: str
    author_type: str
    author_id: str
    created_at: datetime

    @property
    def label(self) -> str:
        """Name it as events and answers do."""
        return f"{self.profile}-{self.version}+{self.digest[:12]}"

    def pack(self) -> Pack:
        """Read the pack; raise ``PolicyUnreadable`` when the text is not what the digest says, or not a pack to this version."""
        if hashlib.sha256(self.canonical.encode()).hexdigest() != self.digest:
            raise PolicyUnreadable
        try:
            return Pack.model_validate({**orjson.loads(self.canonical), "digest": self.digest})
        except (ValidationError, orjson.JSONDecodeError) as error:
            raise PolicyUnreadable from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """One entry into force: what, when, by whom, by which request and simulation, and what was in force before."""

    seq: int
    id: UUID
    version_id: UUID
    previous_id: UUID | None
    kind: ActivationKind
    at: datetime
    actor_type: str
    actor_id: str
    request_id: UUID | None
    simulation_id: UUID | None
    reason: str


_VERSION_COLUMNS: Final[tuple[Any, ...]] = (
    PolicyVersion.id,
    PolicyVersion.version,
    PolicyVersion.profile,
    PolicyVersion.digest,
    PolicyVersion.canonical,
    PolicyVersion.source,
    PolicyVersion.author_type,
    PolicyVersion.author_id,
    PolicyVersion.created_at,
    PolicyVersion.mac,
)
_ACTIVATION_COLUMNS: Final[tuple[Any, ...]] = (
    PolicyActivation.seq,
    PolicyActivation.id,
    PolicyActivation.version_id,
    PolicyActivation.previous_id,
    PolicyActivation.kind,
    PolicyActivation.at,
    PolicyActivation.actor_type,
    PolicyActivation.actor_id,
    PolicyActivation.request_id,
    PolicyActivation.simulation_id,
    PolicyActivation.reason,
    PolicyActivation.mac,
)
_VERSION: Final = select(*_VERSION_COLUMNS)
_ACTIVATION: Final = select(*_ACTIVATION_COLUMNS)
_BY_ID: Final = Query(_VERSION.where(PolicyVersion.id == bindparam("id", type_=Id())))
_BY_DIGEST: Final = Query(_VERSION.where(PolicyVersion.digest == bindparam("digest", type_=String())))
_BY_NUMBER: Final = Query(
    _VERSION.where(
        PolicyVersion.profile == bindparam("profile", type_=String()),
        PolicyVersion.version == bindparam("version", type_=String()),
    )
)
_ALL: Final = Query(
    _VERSION.where(PolicyVersion.id < bindparam("before", type_=Id()))
    .order_by(PolicyVersion.id.desc())
    .limit(bindparam("page", type_=Integer()))
)
_NEWEST: Final = Query(_ACTIVATION.order_by(PolicyActivation.seq.desc()).limit(1))
_OF_VERSION: Final = Query(
    select(PolicyActivation.id).where(PolicyActivation.version_id == bindparam("version_id", type_=Id())).limit(1)
)
_PAST: Final = Query(
    _ACTIVATION.where(PolicyActivation.seq < bindparam("before", type_=Integer()))
    .order_by(PolicyActivation.seq.desc())
    .limit(bindparam("page", type_=Integer()))
)


class VersionRepository:
    """Rows of ``policy_version`` and ``policy_activation``. Nothing here commits."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of both tables."""
        self._signer = signer

    async def by_id(self, source: Source, identity: UUID) -> Version | None:
        """Find a version; raise ``PolicyUnreadable`` when its row was edited past us."""
        return self._one(await _BY_ID.rows(source, id=identity))

    async def by_digest(self, source: Source, digest: str) -> Version | None:
        """Find the version with this content; raise as ``by_id`` does."""
        return self._one(await _BY_DIGEST.rows(source, digest=digest))

    async def by_number(self, source: Source, profile: str, version: str) -> Version | None:
        """Find the version of this profile and number; raise as ``by_id`` does."""
        return self._one(await _BY_NUMBER.rows(source, profile=profile, version=version))

    async def page(self, source: Source, *, before: UUID, limit: int) -> list[Version]:
        """List versions, newest first; raise as ``by_id`` does."""
        return [self._version(row) for row in await _ALL.rows(source, before=before, page=limit)]

    async def newest(self, source: Source) -> Activation | None:
        """Give what decides which pack is in force; ``None`` before the first. Raises ``PolicyUnreadable``."""
        rows = await _NEWEST.rows(source)
        return self._activation(rows[0]) if rows else None

    async def any_activation(self, source: Source) -> bool:
        """Tell whether there ever was a pack in force; asks no row whether it verifies."""
        return bool(await _NEWEST.rows(source))

    async def activations(self, source: Source, *, before: int, limit: int) -> list[Activation]:
        """List activations, newest first; raise ``PolicyUnreadable`` when one was edited past us."""
        return [self._activation(row) for row in await _PAST.rows(source, before=before, page=limit)]

    async def in_force(self, source: Source) -> tuple[Activation, Version]:
        """Give the newest activation and its version. Raises ``PolicyUnreadable``, also when there is none."""
        activation = await self.newest(source)
        version = None if activation is None else await self.by_id(source, activation.version_id)
        if activation is None or version is None:
            raise PolicyUnreadable
        return activation, version

    async def add_version(self, session: AsyncSession, version: Version) -> None:
        """Write a version; its digest, and its number within a profile, are unique by constraint."""
        values = {name: getattr(version, name) for name in Version.__slots__}
        mac = self._signer.sign(_VERSIONS, _covered(version))
        await session.execute(insert(PolicyVersion).values(**values, mac=mac))

    async def next_seq(self, session: AsyncSession) -> int:
        """Move the counter, let those who activate queue, and give the number of the next activation.

        To be called before anything else is read for an activation. It asks no row whether it verifies: a new activation is how a store
        whose newest one was edited gets well.
        """
        await epochs.bump(session, POLICY)
        return int(await session.scalar(select(func.coalesce(func.max(PolicyActivation.seq), 0))) or 0) + 1

    async def was_active(self, source: Source, version_id: UUID) -> bool:
        """Tell whether a version is or was in force."""
        return bool(await _OF_VERSION.rows(source, version_id=version_id))

    async def add_activation(self, session: AsyncSession, activation: Activation) -> None:
        """Write an activation, whose ``seq`` is from ``next_seq``."""
        values = {name: getattr(activation, name) for name in Activation.__slots__}
        mac = self._signer.sign(_ACTIVATIONS, _entered(activation))
        await session.execute(insert(PolicyActivation).values(**values, mac=mac))

    def _one(self, rows: Sequence[Row]) -> Version | None:
        return self._version(rows[0]) if rows else None

    def _version(self, row: Row) -> Version:
        *values, mac = row
        version = Version(**dict(zip(Version.__slots__, values, strict=True)))
        if not self._signer.verify(_VERSIONS, _covered(version), mac):
            raise _tampered(_VERSIONS, version.id)
        return version

    def _activation(self, row: Row) -> Activation:
        *values, mac = row
        members: dict[str, Any] = dict(zip(Activation.__slots__, values, strict=True))
        activation = Activation(**members)
        if not self._signer.verify(_ACTIVATIONS, _entered(activation), mac):
            raise _tampered(_ACTIVATIONS, activation.id)
        return activation


class Packs:
    """Gives the pack in force, read again only when the counter has moved."""

    def __init__(self, versions: VersionRepository) -> None:
        """Take where versions are read; nothing is read yet."""
        self._versions = versions
        self._held: tuple[int, Pack] | None = None
        self._reading = asyncio.Lock()

    async def current(self, source: Source) -> tuple[Pack, int]:
        """Give the pack and the value of the counter from before it was read. Raises ``PolicyUnreadable``."""
        epoch = await epochs.value(source, POLICY)
        return await self.at(source, epoch), epoch

    async def at(self, source: Source, epoch: int) -> Pack:
        """Give the pack for a value of the counter that was just read. Raises ``PolicyUnreadable``.

        Rules that ask for what nobody would do, and therefore give nothing, are reported.
        """
        if self._held is None or self._held[0] != epoch:
            async with self._reading:
                if self._held is None or self._held[0] != epoch:
                    self._held = (epoch, await self._read(source))
        return self._held[1]

    async def _read(self, source: Source) -> Pack:
        _, version = await self._versions.in_force(source)
        pack = version.pack()
        for rule in pack.rules:
            if unknown := unmet(rule):
                _log.error("unmet_obligation", rule=rule.id, obligations=sorted(unknown))
        return pack


def _covered(version: Version) -> tuple[Any, ...]:
    return (
        version.id,
        version.version,
        version.profile,
        version.digest,
        hashlib.sha256(version.source.encode()).digest(),
        version.author_type,
        version.author_id,
        version.created_at,
    )


def _entered(activation: Activation) -> tuple[Any, ...]:
    return tuple(cast("Any", getattr(activation, name)) for name in Activation.__slots__)


def _tampered(table: str, row: UUID) -> PolicyUnreadable:
    _log.error("row_mac_mismatch", table=table, row=str(row))
    return PolicyUnreadable()
