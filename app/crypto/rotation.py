"""Changing keys while the service runs.

Root: a new root, then every KEK wrapped again under it; data is not touched. KEK: a new version as ``next``, which
running processes load by ``refresh_keyring``; then ``current``, and data keys are wrapped again in batches, each a
transaction of the caller; then, when nothing hangs on the old version, ``retired``. Every step may be cut off and
repeated. Values are never resealed: their data key stays the same. The ``index`` KEK has no new version here, because
row MACs and search tags follow from it and have to be written anew first.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.bootstrap import kek_context, new_kek, unwrap_kek
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import SealBroken
from app.crypto.historykey import WrappedHistoryKey
from app.crypto.keyring import Keyring
from app.crypto.models import DataKeyRow, HistoryKeyRow, Kek, SigningKeyRow, SigningUse
from app.crypto.providers import KeyProvider
from app.crypto.signing import new_signing_key, signing_context
from app.kit.clock import Clock, SystemClock
from app.kit.errors import Conflict

RotatedPurpose: TypeAlias = Literal["field", "sign"]


class RotationRefused(Conflict):
    """A step of a rotation was asked for out of its order."""

    code, title, title_zh = "rotation_refused", "This key cannot change now", "密钥当前不可轮换"


_Place = TypeVar("_Place", UUID, bytes)


@dataclass(frozen=True, slots=True)
class RewrapBatch(Generic[_Place]):
    """One batch: how many were wrapped again, whose keys did not unwrap, where to go on (``None``: nothing is left)."""

    rewrapped: int
    broken: tuple[UUID, ...]
    after: _Place | None


async def rotate_root(session: AsyncSession, provider: KeyProvider) -> int:
    """Make a new root and wrap every KEK under it; gives how many.

    The provider keeps the old root, so a transaction that fails afterwards loses nothing: ``rewrap_keks`` finishes it.
    """
    provider.rotate()
    return await rewrap_keks(session, provider)


async def rewrap_keks(session: AsyncSession, provider: KeyProvider) -> int:
    """Wrap under the current root every KEK that is not, retired ones too (old backups need them); gives how many."""
    root_id = provider.describe().root_id
    rows = (await session.scalars(select(Kek).where(Kek.root_id != root_id).with_for_update())).all()
    for row in rows:
        key = await unwrap_kek(provider, row)
        row.wrapped = provider.wrap(key, kek_context(row.purpose, row.version))
        row.root_id = root_id
    await session.flush()
    return len(rows)


async def add_kek(
    session: AsyncSession, provider: KeyProvider, purpose: RotatedPurpose, *, clock: Clock | None = None
) -> int:
    """Make the next version of a KEK, which nothing uses until ``activate_kek``; gives the version.

    Raises ``RotationRefused`` when a next version already waits.
    """
    if await session.scalar(select(Kek.version).where(Kek.purpose == purpose, Kek.state == "next")):
        detail = f"a next {purpose} key already waits to be activated"
        raise RotationRefused(detail)
    newest = await session.scalar(select(func.max(Kek.version)).where(Kek.purpose == purpose))
    row = await new_kek(provider, purpose, version=(newest or 0) + 1, state="next", clock=clock)
    session.add(row)
    await session.flush()
    return row.version


async def activate_kek(session: AsyncSession, purpose: RotatedPurpose) -> int:
    """Let the waiting version wrap from now on; every process must have loaded it. Gives the version.

    Raises ``RotationRefused`` when none waits.
    """
    waiting = await session.scalar(select(Kek).where(Kek.purpose == purpose, Kek.state == "next").with_for_update())
    if waiting is None:
        detail = f"no next {purpose} key waits to be activated"
        raise RotationRefused(detail)
    await session.execute(update(Kek).where(Kek.purpose == purpose, Kek.state == "current").values(state="previous"))
    waiting.state = "current"
    await session.flush()
    return waiting.version


async def retire_kek(session: AsyncSession, purpose: RotatedPurpose, version: int) -> None:
    """Let a previous version be loaded no more; raises ``RotationRefused`` while anything is still wrapped under it."""
    row = await session.get(Kek, (purpose, version), with_for_update=True, populate_existing=True)
    if row is None or row.state != "previous":
        detail = f"the {purpose} key of version {version} is not a previous one"
        raise RotationRefused(detail)
    left = 0
    for table in (DataKeyRow, HistoryKeyRow) if purpose == "field" else (SigningKeyRow,):
        wrapped = select(func.count()).where(table.kek_version == version, table.wrapped.is_not(None))
        left += await session.scalar(wrapped) or 0
    if left:
        detail = f"{left} keys are still wrapped under the {purpose} key of version {version}"
        raise RotationRefused(detail)
    row.state = "retired"
    await session.flush()


async def rewrap_data_keys(
    session: AsyncSession, keyring: Keyring, *, after: UUID | None = None, limit: int = 500
) -> RewrapBatch[UUID]:
    """Wrap up to ``limit`` data keys again under the current ``field`` KEK, in the order of their subjects.

    Commit, then go on with ``after``. A key that does not unwrap is left as it is and named in ``broken``. The update
    holds only for the row as it was read, so a change that came between is not lost; another process's batch is passed
    over.
    """
    current = keyring.current_version("field")
    beyond: ColumnElement[bool] = true() if after is None else DataKeyRow.subject_id > after
    found = await session.execute(
        select(DataKeyRow.subject_id, DataKeyRow.handle, DataKeyRow.version, DataKeyRow.kek_version, DataKeyRow.wrapped)
        .where(DataKeyRow.kek_version != current, beyond)
        .order_by(DataKeyRow.subject_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = found.all()
    broken = []
    rewrapped = 0
    for subject, handle, version, kek_version, stored in rows:
        wrapped = WrappedDataKey(handle=handle, version=version, kek_version=kek_version, wrapped=stored)
        try:
            fresh = keyring.rewrap(subject, wrapped)
        except SealBroken:
            broken.append(subject)
            continue
        result = await session.execute(
            update(DataKeyRow)
            .where(DataKeyRow.subject_id == subject, DataKeyRow.wrapped == wrapped.wrapped)
            .values(kek_version=fresh.kek_version, wrapped=fresh.wrapped)
            .returning(DataKeyRow.subject_id)
        )
        rewrapped += len(result.all())
    return RewrapBatch(rewrapped=rewrapped, broken=tuple(broken), after=rows[-1][0] if len(rows) == limit else None)


async def rewrap_history_keys(
    session: AsyncSession, keyring: Keyring, *, after: bytes | None = None, limit: int = 500
) -> RewrapBatch[bytes]:
    """Wrap up to ``limit`` keys of history again, in the order of their handles, as ``rewrap_data_keys`` does; the destroyed stay so."""
    current = keyring.current_version("field")
    beyond: ColumnElement[bool] = true() if after is None else HistoryKeyRow.handle > after
    found = await session.execute(
        select(HistoryKeyRow.subject_id, HistoryKeyRow.handle, HistoryKeyRow.quarter, HistoryKeyRow.kek_version)
        .add_columns(HistoryKeyRow.wrapped)
        .where(HistoryKeyRow.kek_version != current, HistoryKeyRow.wrapped.is_not(None), beyond)
        .order_by(HistoryKeyRow.handle)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = found.all()
    broken = []
    rewrapped = 0
    for subject, handle, quarter, kek_version, stored in rows:
        try:
            fresh = keyring.rewrap_history(subject, WrappedHistoryKey(handle, quarter, kek_version, stored))
        except SealBroken:
            broken.append(subject)
            continue
        result = await session.execute(
            update(HistoryKeyRow)
            .where(HistoryKeyRow.handle == handle, HistoryKeyRow.wrapped == stored)
            .values(kek_version=fresh.kek_version, wrapped=fresh.wrapped)
            .returning(HistoryKeyRow.handle)
        )
        rewrapped += len(result.all())
    return RewrapBatch(rewrapped=rewrapped, broken=tuple(broken), after=rows[-1][1] if len(rows) == limit else None)


async def rewrap_signing_keys(session: AsyncSession, keyring: Keyring) -> int:
    """Wrap every signing key again under the current ``sign`` KEK; gives how many."""
    current = keyring.current_version("sign")
    rows = (await session.scalars(select(SigningKeyRow).where(SigningKeyRow.kek_version != current))).all()
    for row in rows:
        context = signing_context(row.kid, row.use, row.algorithm, row.public)
        private = keyring.unwrap_signing(row.wrapped, context, row.kek_version)
        row.kek_version, row.wrapped = keyring.wrap_signing(private, context)
    await session.flush()
    return len(rows)


async def add_signing_key(
    session: AsyncSession, keyring: Keyring, use: SigningUse, *, clock: Clock | None = None
) -> str:
    """Make the next signing key, which is published but does not sign yet; gives its kid.

    Raises ``RotationRefused`` when a next one already waits.
    """
    if await session.scalar(select(SigningKeyRow.kid).where(SigningKeyRow.use == use, SigningKeyRow.state == "next")):
        detail = f"a next signing key for {use} already waits"
        raise RotationRefused(detail)
    now = (clock or SystemClock()).now()
    row = new_signing_key(keyring, use, state="next", at=now)
    row.since = now
    session.add(row)
    await session.flush()
    return row.kid


async def promote_signing_key(session: AsyncSession, use: SigningUse, *, clock: Clock | None = None) -> str:
    """Let the waiting key sign, keep the present one published; gives the kid. ``RotationRefused`` when none waits."""
    now = (clock or SystemClock()).now()
    waiting = await session.scalar(
        select(SigningKeyRow).where(SigningKeyRow.use == use, SigningKeyRow.state == "next").with_for_update()
    )
    if waiting is None:
        detail = f"no next signing key for {use} waits"
        raise RotationRefused(detail)
    await session.execute(
        update(SigningKeyRow)
        .where(SigningKeyRow.use == use, SigningKeyRow.state == "current")
        .values(state="previous", since=now)
    )
    waiting.state, waiting.since = "current", now
    await session.flush()
    return waiting.kid


async def retire_signing_key(session: AsyncSession, kid: str, *, clock: Clock | None = None) -> None:
    """Publish a previous key no more, once all it signed has expired; raises ``RotationRefused`` on any other key."""
    row = await session.get(SigningKeyRow, kid, with_for_update=True, populate_existing=True)
    if row is None or row.state != "previous":
        detail = "only a previous signing key can be retired"
        raise RotationRefused(detail)
    row.state, row.since = "retired", (clock or SystemClock()).now()
    await session.flush()


@dataclass(frozen=True, slots=True)
class TokenKeyTurn:
    """What one turn of the token keys did: which key began to sign (``None``: none yet), which are published next, which are gone."""

    signs: str | None
    published: str
    retired: tuple[str, ...]


async def turn_token_keys(
    session: AsyncSession,
    keyring: Keyring,
    *,
    clock: Clock,
    known_after: timedelta,
    signed_for: timedelta,
    compromised: bool = False,
) -> TokenKeyTurn:
    """Let the next token key sign, publish the one after it, and forget those whose last token is over.

    The next key must have been published for ``known_after``, so that whoever keeps our key set has it; where none is published yet, this
    turn publishes one and a later turn goes on. A key that signed no more for ``signed_for`` is retired. ``compromised``: neither is waited
    for, and every key of before is retired at once, with all tokens that it signed. Raises ``RotationRefused`` when it is too early.
    """
    now = clock.now()
    waiting = await session.scalar(
        select(SigningKeyRow).where(SigningKeyRow.use == "token", SigningKeyRow.state == "next")
    )
    signs = None
    if compromised and waiting is not None:
        waiting.state, waiting.since = "retired", now
        await session.flush()
    if compromised:
        await add_signing_key(session, keyring, "token", clock=clock)
        signs = await promote_signing_key(session, "token", clock=clock)
    elif waiting is not None:
        early = (waiting.since or waiting.created_at) + known_after
        if now < early:
            detail = f"the next token key may be unknown to others until {early:%Y-%m-%d %H:%M:%S} UTC"
            raise RotationRefused(
                detail, detail_zh=f"下一个令牌密钥在 {early:%Y-%m-%d %H:%M:%S} UTC 之前可能尚未被其他系统获取"
            )
        signs = await promote_signing_key(session, "token", clock=clock)
    published = await add_signing_key(session, keyring, "token", clock=clock)
    before = await session.scalars(
        select(SigningKeyRow).where(SigningKeyRow.use == "token", SigningKeyRow.state == "previous")
    )
    over = [row.kid for row in before if compromised or (row.since is not None and now - row.since > signed_for)]
    for kid in over:
        await retire_signing_key(session, kid, clock=clock)
    return TokenKeyTurn(signs, published, tuple(over))
