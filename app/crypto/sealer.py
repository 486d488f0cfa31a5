"""The face of the keys for writers: seals, digests and MACs, and cannot open.

``Sealer`` asks for a key source by protocol and never imports the keyring, so a service that imports this module
reaches no opener, not even indirectly.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NoReturn, Protocol, SupportsIndex
from uuid import UUID

from app.crypto import quarters
from app.crypto.chunks import seal_chunks
from app.crypto.datakey import DataKey, WrappedDataKey
from app.crypto.historykey import HistoryKey, WrappedHistoryKey
from app.crypto.rowmac import RowValue
from app.crypto.sealed import Sealed


class KeySource(Protocol):
    """Gives data keys: the keyring, or a stand-in of a test."""

    def issue(self, subject: UUID) -> tuple[DataKey, WrappedDataKey]:
        """Make a new person's key."""
        ...

    def unlock(self, subject: UUID, wrapped: WrappedDataKey) -> DataKey:
        """Give a known person's key."""
        ...

    def unlock_once(self, subject: UUID, wrapped: WrappedDataKey) -> DataKey:
        """Give it for once, and do not remember it."""
        ...

    def issue_history(self, subject: UUID, quarter: int) -> tuple[HistoryKey, WrappedHistoryKey]:
        """Make a key for a person's history of a quarter."""
        ...

    def unlock_history(self, subject: UUID, wrapped: WrappedHistoryKey) -> HistoryKey:
        """Give a known one."""
        ...


class SubjectSealer:
    """Seals and MACs for one person."""

    __slots__ = ("_key",)

    def __init__(self, key: DataKey) -> None:
        """Take the person's key; made by ``Sealer``."""
        self._key = key

    @property
    def subject(self) -> UUID:
        """Whose values this seals."""
        return self._key.subject

    def seal(self, field: str, value: str) -> Sealed:
        """Seal a value of the logical field ``field``, as in ``DataKey.seal``; two seals of one value differ."""
        return self._key.seal(field, value)

    def seal_file(self, name: str, content: memoryview) -> Iterator[bytes]:
        """Seal a file in pieces, as in ``chunks.seal_chunks``."""
        return seal_chunks(self._key, name, content)

    def digest(self, field: str, value: str) -> bytes:
        """Compute the 16-byte digest that stands beside the box, as in ``DataKey.digest``."""
        return self._key.digest(field, value)

    def matches(self, field: str, value: str, digest: bytes | None) -> bool:
        """Tell, without opening, whether the stored value with this digest is ``value``."""
        return self._key.matches(field, value, digest)

    def mac(self, columns: Sequence[RowValue]) -> bytes:
        """Compute the 32-byte row MAC over policy columns and envelopes, in a fixed order."""
        return self._key.mac(columns)

    def verify(self, columns: Sequence[RowValue], expected: bytes | None) -> bool:
        """Tell whether a stored row's MAC holds, before a writer builds on the row."""
        return self._key.verify(columns, expected)

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "<subject sealer>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a sealer is neither copied nor pickled"
        raise TypeError(message)


class HistorySealer:
    """Seals what history keeps of one person in one quarter."""

    __slots__ = ("_key",)

    def __init__(self, key: HistoryKey) -> None:
        """Take the key; made by ``Sealer``."""
        self._key = key

    def seal(self, field: str, value: str | Sealed) -> Sealed:
        """Seal a value of the logical field ``field``, or a box of it that stays closed."""
        return self._key.seal(field, value)

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "<history sealer>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a sealer is neither copied nor pickled"
        raise TypeError(message)


class Sealer:
    """Makes sealers for people, new and known, and for their history."""

    __slots__ = ("_keys", "_utc_offset")

    def __init__(self, keys: KeySource, *, utc_offset: timedelta = quarters.CHINA) -> None:
        """Take where keys come from, and how far ahead of UTC the company's calendar is, by whose quarters history is kept."""
        self._keys, self._utc_offset = keys, utc_offset

    def new(self, subject: UUID) -> tuple[SubjectSealer, WrappedDataKey]:
        """Make a person's first key: store the wrapped form in ``data_key``, in the same transaction as the person."""
        key, wrapped = self._keys.issue(subject)
        return SubjectSealer(key), wrapped

    def existing(self, subject: UUID, wrapped: WrappedDataKey) -> SubjectSealer:
        """Take up a known person's key; raises ``SealBroken`` or ``KeyUnavailable`` as ``Keyring.unlock`` does."""
        return SubjectSealer(self._keys.unlock(subject, wrapped))

    def passing(self, subject: UUID, wrapped: WrappedDataKey) -> SubjectSealer:
        """Take up a key as ``existing`` does, for work that goes over everybody once: the keys in use stay remembered instead."""
        return SubjectSealer(self._keys.unlock_once(subject, wrapped))

    def quarter(self, at: datetime) -> int:
        """Give the quarter under whose key something that happens at ``at`` is kept."""
        return quarters.quarter_of(at, self._utc_offset)

    def new_history(self, subject: UUID, at: datetime) -> tuple[HistorySealer, WrappedHistoryKey]:
        """Make a key for a person's history of the quarter of ``at``: store the wrapped form in ``history_key``, with what it seals."""
        key, wrapped = self._keys.issue_history(subject, self.quarter(at))
        return HistorySealer(key), wrapped

    def history(self, subject: UUID, wrapped: WrappedHistoryKey) -> HistorySealer:
        """Take up a known key of a person's history; raises as ``existing`` does."""
        return HistorySealer(self._keys.unlock_history(subject, wrapped))

    def __repr__(self) -> str:
        """Show nothing of the keys."""
        return "<sealer>"
