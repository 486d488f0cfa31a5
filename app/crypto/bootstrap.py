"""First start and every start: make the keys that are absent, unwrap the rest into a keyring.

Nothing here commits; the caller's transaction does, so that half a set of keys never stands. The provider may block (a
vault across a network), so it is called in a thread.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import urandom
from time import monotonic
from typing import Any, Final, get_args

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.envelope import prefixed
from app.crypto.keyring import DEFAULT_CACHE_SIZE, DEFAULT_CACHE_TTL, KEK_SIZE, KekMaterial, Keyring
from app.crypto.models import Kek, KeyState, Purpose, SigningKeyRow, SigningUse
from app.crypto.providers import KeyProvider, ProviderStatus
from app.crypto.signing import new_signing_key
from app.kit.clock import Clock, SystemClock

_KEK_DOMAIN: Final = b"duanhao:kek:1"
_INIT_LOCK: Final = 0x6475616E_6B657973
"""Advisory lock of key making on PostgreSQL: "duankeys"."""


@dataclass(frozen=True, slots=True)
class InitReport:
    """What was made: purposes of new KEKs, uses of new signing keys; and the provider, whose root may be new too."""

    provider: ProviderStatus
    keks: tuple[Purpose, ...]
    signing_keys: tuple[SigningUse, ...]


async def init_keys(session: AsyncSession, provider: KeyProvider, *, clock: Clock | None = None) -> InitReport:
    """Make version 1 of the KEKs ``field``, ``index`` and ``sign`` and a signing key per use, where there is none.

    Idempotent, and safe when several processes start at once. Flushes, does not commit. Raises ``KeyUnavailable``.
    """
    now = (clock or SystemClock()).now()
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _INIT_LOCK})
    present = set(await session.scalars(select(Kek.purpose)))
    keks: tuple[Purpose, ...] = tuple(purpose for purpose in get_args(Purpose) if purpose not in present)
    for purpose in keks:
        session.add(await new_kek(provider, purpose, version=1, state="current", clock=clock))
    await session.flush()
    signed = set(await session.scalars(select(SigningKeyRow.use)))
    uses: tuple[SigningUse, ...] = tuple(use for use in get_args(SigningUse) if use not in signed)
    if uses:
        keyring = await load_keyring(session, provider)
        session.add_all([new_signing_key(keyring, use, state="current", at=now) for use in uses])
        await session.flush()
    return InitReport(provider=provider.describe(), keks=keks, signing_keys=uses)


async def load_keyring(
    session: AsyncSession,
    provider: KeyProvider,
    *,
    cache_size: int = DEFAULT_CACHE_SIZE,
    cache_ttl: float = DEFAULT_CACHE_TTL,
    monotonic_clock: Callable[[], float] = monotonic,
) -> Keyring:
    """Unwrap every KEK that is not retired; raises ``KeyUnavailable`` when one does not unwrap or none is current."""
    keks = await _unwrapped(session, provider)
    return Keyring(keks, cache_size=cache_size, cache_ttl=cache_ttl, clock=monotonic_clock)


async def keyring_of(
    rows: Iterable[tuple[Any, ...]], provider: KeyProvider, *, cache_size: int = DEFAULT_CACHE_SIZE
) -> Keyring:
    """Unwrap KEKs that were read without a session, as purpose, version, wrapped key and state; raises as ``load_keyring`` does."""
    keks = []
    for purpose, version, wrapped, state in rows:
        key = await asyncio.to_thread(provider.unwrap, bytes(wrapped), kek_context(purpose, version))
        keks.append(KekMaterial(purpose=purpose, version=version, current=state == "current", key=key))
    return Keyring(keks, cache_size=cache_size)


async def refresh_keyring(session: AsyncSession, provider: KeyProvider, keyring: Keyring) -> None:
    """Take up what a rotation in another process has changed; on a failure the keyring stays as it was."""
    keyring.install(await _unwrapped(session, provider))


async def new_kek(
    provider: KeyProvider, purpose: Purpose, *, version: int, state: KeyState, clock: Clock | None = None
) -> Kek:
    """Make a KEK of 32 random bytes, wrapped, as a row that is not in a session yet."""
    context = kek_context(purpose, version)
    wrapped = await asyncio.to_thread(provider.wrap, urandom(KEK_SIZE), context)
    return Kek(
        purpose=purpose,
        version=version,
        root_id=provider.describe().root_id,
        wrapped=wrapped,
        created_at=(clock or SystemClock()).now(),
        state=state,
    )


async def unwrap_kek(provider: KeyProvider, row: Kek) -> bytes:
    """Unwrap a KEK where it stands; a row moved to another purpose or version does not unwrap."""
    return await asyncio.to_thread(provider.unwrap, row.wrapped, kek_context(row.purpose, row.version))


def kek_context(purpose: Purpose, version: int) -> bytes:
    """Serialise what a wrapped KEK is bound to."""
    return prefixed(_KEK_DOMAIN) + prefixed(purpose.encode()) + prefixed(version.to_bytes(4, "big"))


async def _unwrapped(session: AsyncSession, provider: KeyProvider) -> list[KekMaterial]:
    """Unwrap every KEK that is not retired."""
    rows = await session.scalars(
        select(Kek)
        .where(Kek.state != "retired")
        .order_by(Kek.purpose, Kek.version)
        .execution_options(populate_existing=True)
    )
    return [
        KekMaterial(
            purpose=row.purpose,
            version=row.version,
            current=row.state == "current",
            key=await unwrap_kek(provider, row),
        )
        for row in rows
    ]
