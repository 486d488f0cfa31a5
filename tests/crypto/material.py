"""Keys, people and permits for these tests. Every key is a run of a counter: none is a secret, none looks like one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.crypto.keyring import KekMaterial, KekPurpose, Keyring, Opener
from app.crypto.permit import Permit, mint
from app.crypto.providers import EnvProvider, KeyProvider, ProviderStatus, encode_root
from app.crypto.sealer import Sealer

ADA: Final = UUID("01930000-0000-7000-8000-00000000ada0")
BEN: Final = UUID("01930000-0000-7000-8000-00000000be10")
EVENT: Final = UUID("01930000-0000-7000-8000-0000000e7e17")
NUMBER: Final = "+86 138 0000 1234"
"""A canary: no test may find it, or any part of it, where it does not belong."""
Sessions = async_sessionmaker[AsyncSession]


class Seconds:
    """A monotonic clock that a test moves."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def counted(size: int, start: int = 0) -> bytes:
    """Count upwards from ``start``: ``size`` bytes, modulo 256."""
    return bytes((start + step) % 256 for step in range(size))


def counting() -> Callable[[int], bytes]:
    """Make a stand-in for ``os.urandom`` that counts on and on, so that nonces differ and are known."""
    position = 0

    def take(size: int) -> bytes:
        nonlocal position
        position += size
        return counted(size, position - size)

    return take


def keks(versions: Mapping[KekPurpose, int] | None = None) -> list[KekMaterial]:
    """Make the KEKs of each purpose up to the given version (1), the last one current."""
    purposes: tuple[KekPurpose, ...] = ("field", "index", "sign")
    newest = dict.fromkeys(purposes, 1) | dict(versions or {})
    return [
        KekMaterial(
            purpose=purpose, version=version, current=version == newest[purpose], key=counted(32, 64 * place + version)
        )
        for place, purpose in enumerate(purposes)
        for version in range(1, newest[purpose] + 1)
    ]


class Vault:
    """A keyring with its sealer and opener on one movable clock."""

    def __init__(self, *, cache_size: int = 16, cache_ttl: float = 300.0) -> None:
        self.clock = Seconds()
        self.keyring = Keyring(keks(), cache_size=cache_size, cache_ttl=cache_ttl, clock=self.clock)
        self.sealer = Sealer(self.keyring)
        self.opener = Opener(self.keyring, clock=self.clock)

    def permit(self, scope: Mapping[UUID, Iterable[str]], *, seconds: float = 5.0) -> Permit:
        """Mint a permit as the access log would."""
        fields = {subject: frozenset(names) for subject, names in scope.items()}
        return mint(event_id=EVENT, index=7, expires=self.clock.now + seconds, scope=fields)


class TurningProvider:
    """A provider over two roots that are known beforehand."""

    def __init__(self) -> None:
        self._roots = [counted(32, 1)]

    def _inner(self) -> KeyProvider:
        return EnvProvider("ROOT", environ={"ROOT": ",".join(map(encode_root, self._roots))})

    def describe(self) -> ProviderStatus:
        return self._inner().describe()

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return self._inner().wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return self._inner().unwrap(wrapped, context)

    def rotate(self) -> ProviderStatus:
        self._roots.insert(0, counted(32, 1 + len(self._roots)))
        return self.describe()
