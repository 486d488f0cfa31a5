"""The key-encryption keys in memory, a bounded cache of data keys, and the only code that opens a box.

Who may import this module is fixed by an import contract: the gate, the package's own bootstrap and rotation,
composition. Writers get a ``sealer.Sealer`` instead. A cached data key is believed only together with the very row it
was unwrapped from, so a wrapped key swapped in the store is noticed at once; and it lives no longer than its time to
live counted from unwrapping, used or not, so a key destroyed by another process is gone here within that time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import urandom
from threading import Lock
from time import monotonic
from typing import Final, Literal, NoReturn, SupportsIndex, TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from app.crypto import alarm, datakey, historykey
from app.crypto.chunks import open_chunks
from app.crypto.datakey import DataKey, WrappedDataKey
from app.crypto.envelope import NONCE_SIZE, Box, EnvelopeError, cut, handle_of, parse, prefixed, unpad
from app.crypto.errors import KeyUnavailable, PermitRefused
from app.crypto.historykey import HistoryKey, WrappedHistoryKey, contents
from app.crypto.permit import Permit
from app.crypto.rowmac import MAC_SIZE, RowValue

KekPurpose: TypeAlias = Literal["field", "index", "sign"]

KEK_SIZE: Final = 32
DEFAULT_CACHE_SIZE: Final = 50_000
DEFAULT_CACHE_TTL: Final = 300.0

_MAC_KEY_DOMAIN: Final = b"duanhao:mackey:1"
_SIGNING_DOMAIN: Final = b"duanhao:signing:1"
_MOST_INTACT: Final = 4096
"""Rows remembered with the values under which their MAC held; about 2 KiB each."""


@dataclass(frozen=True, slots=True)
class KekMaterial:
    """An unwrapped KEK: 32 bytes, and whether it is the one that wraps now."""

    purpose: KekPurpose
    version: int
    current: bool
    key: bytes = field(repr=False)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a key-encryption key is neither copied nor pickled"
        raise TypeError(message)


class Keyring:
    """KEKs by purpose and version, and the data keys in use. Safe to share between threads."""

    def __init__(
        self,
        keks: Iterable[KekMaterial],
        *,
        cache_size: int = DEFAULT_CACHE_SIZE,
        cache_ttl: float = DEFAULT_CACHE_TTL,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Take the KEKs, the most data keys to keep, and for how many seconds of ``clock`` each; see ``install``."""
        self._cache: dict[UUID, tuple[float, WrappedDataKey, DataKey]] = {}
        self._cache_size = cache_size
        self._cache_ttl = cache_ttl
        self._clock = clock
        self._lock = Lock()
        self.install(keks)

    def install(self, keks: Iterable[KekMaterial]) -> None:
        """Replace the KEKs, at start and after a rotation elsewhere.

        Raises ``KeyUnavailable`` unless each of the three purposes has exactly one current key, and ``ValueError`` on a
        size.
        """
        keys: dict[tuple[KekPurpose, int], bytes] = {}
        current: dict[KekPurpose, int] = {}
        for kek in keks:
            if len(kek.key) != KEK_SIZE:
                message = f"a key-encryption key is {KEK_SIZE} bytes"
                raise ValueError(message)
            keys[kek.purpose, kek.version] = kek.key
            if kek.current and current.setdefault(kek.purpose, kek.version) != kek.version:
                reason = f"two keys are current for {kek.purpose}"
                raise KeyUnavailable(reason)
        missing = sorted({"field", "index", "sign"} - current.keys())
        if missing:
            reason = f"no current key for {', '.join(missing)}; the keys were never made, or not loaded"
            raise KeyUnavailable(reason)
        self._index = {version: key for (purpose, version), key in keys.items() if purpose == "index"}
        self._ciphers = {place: AESGCM(key) for place, key in keys.items() if place[0] != "index"}
        self._current = current

    def current_version(self, purpose: KekPurpose) -> int:
        """Tell which version wraps now."""
        return self._current[purpose]

    def issue(self, subject: UUID) -> tuple[DataKey, WrappedDataKey]:
        """Make a new person's data key and its wrapped form, for a row of ``data_key``."""
        key = DataKey.generate(subject)
        version = self._current["field"]
        return key, key.wrap(self._cipher("field", version), version)

    def unlock(self, subject: UUID, wrapped: WrappedDataKey) -> DataKey:
        """Give a person's data key, from the cache when the row is the one it was unwrapped from.

        Raises ``SealBroken`` when the wrapped key is not this person's or is altered, ``KeyUnavailable`` when the KEK
        of that version is not loaded (a rotation elsewhere: refresh the keyring).
        """
        now = self._clock()
        entry = self._cache.get(subject)
        if entry is not None and now < entry[0] and (entry[1] is wrapped or entry[1] == wrapped):
            if len(self._cache) >= self._cache_size:
                self._renew(subject, entry)
            return entry[2]
        key = self._unwrap(subject, wrapped)
        self._renew(subject, (now + self._cache_ttl, wrapped, key))
        return key

    def unlock_once(self, subject: UUID, wrapped: WrappedDataKey) -> DataKey:
        """Give a data key as ``unlock`` does, and leave what is remembered as it was."""
        entry = self._cache.get(subject)
        if entry is not None and self._clock() < entry[0] and entry[1] == wrapped:
            return entry[2]
        return self._unwrap(subject, wrapped)

    def _renew(self, subject: UUID, entry: tuple[float, WrappedDataKey, DataKey]) -> None:
        """Put an entry last in the order of use, which matters only once the cache is full."""
        with self._lock:
            self._cache.pop(subject, None)
            self._cache[subject] = entry
            while len(self._cache) > self._cache_size:
                del self._cache[next(iter(self._cache))]

    def forget(self, subject: UUID) -> None:
        """Drop a person's data key from memory, after its row is gone."""
        with self._lock:
            self._cache.pop(subject, None)

    def rewrap(self, subject: UUID, wrapped: WrappedDataKey) -> WrappedDataKey:
        """Wrap a data key again under the current ``field`` KEK; raises as ``unlock`` does."""
        version = self._current["field"]
        return self._unwrap(subject, wrapped).wrap(self._cipher("field", version), version)

    def issue_history(self, subject: UUID, quarter: int) -> tuple[HistoryKey, WrappedHistoryKey]:
        """Make a key for what happens to a person in a quarter, and its wrapped form, for a row of ``history_key``."""
        key = HistoryKey.generate(subject, quarter)
        version = self._current["field"]
        return key, key.wrap(self._cipher("field", version), version)

    def unlock_history(self, subject: UUID, wrapped: WrappedHistoryKey) -> HistoryKey:
        """Unwrap a history key. It is remembered nowhere, so one that is destroyed is gone from every process with that commit.

        Raises as ``unlock`` does.
        """
        key = historykey.unwrap(self._cipher("field", wrapped.kek_version), subject, wrapped)
        if key is None:
            raise alarm.seal_broken(subject, alarm.WRAPPED_KEY, "history_key")
        return key

    def rewrap_history(self, subject: UUID, wrapped: WrappedHistoryKey) -> WrappedHistoryKey:
        """Wrap a history key again under the current ``field`` KEK; raises as ``unlock`` does."""
        version = self._current["field"]
        return self.unlock_history(subject, wrapped).wrap(self._cipher("field", version), version)

    def mac_key(self, label: str, *, version: int | None = None) -> bytes:
        """Derive the 32-byte key for one table's row MACs, or one kind of search tag, from an ``index`` KEK.

        The current version, or a named one; raises ``KeyUnavailable`` when that is not loaded. Labels are short plain
        names, such as ``row:user_account``, and separate keys completely.
        """
        wanted = self._current["index"] if version is None else version
        key = self._index.get(wanted)
        if key is None:
            reason = f"the index key of version {wanted} is not loaded"
            raise KeyUnavailable(reason)
        info = prefixed(_MAC_KEY_DOMAIN) + prefixed(label.encode())
        return HKDFExpand(algorithm=SHA256(), length=MAC_SIZE, info=info).derive(key)

    def wrap_signing(self, private: bytes, context: bytes) -> tuple[int, bytes]:
        """Wrap a private signing key, bound to ``context``; gives the ``sign`` KEK's version and the wrapped bytes."""
        version = self._current["sign"]
        nonce = urandom(NONCE_SIZE)
        binding = _signing_binding(version, context)
        return version, nonce + self._cipher("sign", version).encrypt(nonce, private, binding)

    def unwrap_signing(self, wrapped: bytes, context: bytes, kek_version: int) -> bytes:
        """Unwrap a private signing key; raises ``KeyUnavailable`` when it is altered, moved, or its KEK not loaded."""
        cipher = self._cipher("sign", kek_version)
        binding = _signing_binding(kek_version, context)
        try:
            return cipher.decrypt(wrapped[:NONCE_SIZE], wrapped[NONCE_SIZE:], binding)
        except (InvalidTag, ValueError):
            reason = "a signing key is altered, or stands in another key's row"
            raise KeyUnavailable(reason) from None

    def _unwrap(self, subject: UUID, wrapped: WrappedDataKey) -> DataKey:
        key = datakey.unwrap(self._cipher("field", wrapped.kek_version), subject, wrapped)
        if key is None:
            raise alarm.seal_broken(subject, alarm.WRAPPED_KEY, "data_key")
        return key

    def _cipher(self, purpose: KekPurpose, version: int) -> AESGCM:
        cipher = self._ciphers.get((purpose, version))
        if cipher is None:
            reason = f"the {purpose} key of version {version} is not loaded"
            raise KeyUnavailable(reason)
        return cipher

    def __len__(self) -> int:
        """Count the data keys in memory."""
        return len(self._cache)

    def __repr__(self) -> str:
        """Show counts only."""
        return f"<keyring cached={len(self._cache)}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a keyring is neither copied nor pickled"
        raise TypeError(message)


class Opener:
    """Opens boxes for a permit. The only thing that does; ``opened`` counts them, for a test to hold to the log."""

    def __init__(self, keyring: Keyring, *, clock: Callable[[], float] = monotonic) -> None:
        """Take the keyring, and the clock on which permits end."""
        self._keyring = keyring
        self._clock = clock
        self._intact: dict[UUID, tuple[WrappedDataKey, Sequence[RowValue], bytes | None]] = {}
        self.opened = 0

    def open_fields(
        self, permit: Permit, subject: UUID, wrapped: WrappedDataKey, fields: Sequence[tuple[str, bytes]]
    ) -> list[str]:
        """Open a person's fields, given as (logical field name, envelope bytes), in that order; as ``open_boxes`` does."""
        return self.open_boxes(permit, subject, wrapped, [cut(name, envelope) for name, envelope in fields])

    def open_boxes(self, permit: Permit, subject: UUID, wrapped: WrappedDataKey, boxes: Sequence[Box]) -> list[str]:
        """Open a person's boxes in their order; all of them or none.

        Nothing is opened unless the permit is unexpired and covers the subject and every field: ``PermitRefused``. Any
        failure of a box or of the wrapped key is ``SealBroken``; ``KeyUnavailable`` as in ``Keyring.unlock``.
        """
        allowed = self._allowed(permit, subject)
        key = self._keyring.unlock(subject, wrapped)
        expected, bound, decrypt = key.header, key.bound, key.cipher.decrypt
        if not allowed.issuperset([box.name for box in boxes]):
            raise alarm.permit_refused(subject, "field")
        values = []
        for name, envelope, label, header, nonce, body in boxes:
            if header != expected:
                raise alarm.seal_broken(subject, name, _why(key, envelope))
            try:
                values.append(unpad(decrypt(nonce, body, bound + label)).decode())
            except InvalidTag:
                raise alarm.seal_broken(subject, name, "tag") from None
            except ValueError:
                raise alarm.seal_broken(subject, name, "plaintext") from None
        self.opened += len(values)
        return values

    def open_past(
        self,
        permit: Permit,
        subject: UUID,
        own: WrappedDataKey,
        past: Mapping[bytes, WrappedHistoryKey],
        fields: Sequence[tuple[str, bytes]],
    ) -> list[str]:
        """Open a person's past values, given as (logical field name, envelope bytes), in that order; all of them or none.

        Each box names its key by handle: one of ``past``, or else the person's ``own``. Raises as ``open_boxes`` does.
        """
        if not self._allowed(permit, subject).issuperset([name for name, _ in fields]):
            raise alarm.permit_refused(subject, "field")
        own_key = self._keyring.unlock(subject, own)
        keys: dict[bytes, HistoryKey] = {}
        values = []
        for name, envelope in fields:
            handle = handle_of(envelope)
            if handle in past and handle not in keys:
                keys[handle] = self._keyring.unlock_history(subject, past[handle])
            key = keys.get(handle)
            values.append(
                _opened(own_key, subject, name, envelope)
                if key is None
                else _unfolded(key, own_key, subject, name, envelope)
            )
        self.opened += len(values)
        return values

    def open_file(
        self, permit: Permit, subject: UUID, wrapped: WrappedDataKey, name: str, chunks: Sequence[bytes]
    ) -> bytes:
        """Open a file that was sealed in pieces, all of it or nothing; raises as ``open_boxes`` does."""
        allowed = self._allowed(permit, subject)
        key = self._keyring.unlock(subject, wrapped)
        if name not in allowed:
            raise alarm.permit_refused(subject, "field")
        pieces = open_chunks(key, name, chunks)
        if pieces is None:
            raise alarm.seal_broken(subject, name, "tag")
        self.opened += 1
        return b"".join(pieces)

    def row_intact(
        self, subject: UUID, wrapped: WrappedDataKey, columns: Sequence[RowValue], expected: bytes | None
    ) -> bool:
        """Tell whether a row's MAC holds, before policy believes the row; records an alarm when not. Takes no permit.

        Values under which it held a moment ago are compared with those, byte for byte, instead of hashed again.

        ``columns`` as given to ``SubjectSealer.mac`` when the row was written. Raises as ``Keyring.unlock`` does.
        """
        known = self._intact.get(subject)
        if (
            known is not None
            and (known[1] is columns or known == (wrapped, columns, expected))
            and known[2] == expected
        ):
            return True
        if self._keyring.unlock(subject, wrapped).verify(columns, expected):
            if len(self._intact) >= _MOST_INTACT:
                self._intact.pop(next(iter(self._intact)))
            self._intact[subject] = (wrapped, columns, expected)
            return True
        alarm.seal_broken(subject, alarm.ROW, "row_mac")
        return False

    def _allowed(self, permit: Permit, subject: UUID) -> frozenset[str]:
        """Name the fields that the permit covers now; raise ``PermitRefused``, recorded, for one that covers nothing of ``subject``."""
        if type(permit) is not Permit:
            raise alarm.permit_refused(subject, "forged")
        try:
            return permit.fields_of(subject, at=self._clock())
        except PermitRefused as refusal:
            raise alarm.permit_refused(subject, refusal.cause_code) from None


def _signing_binding(kek_version: int, context: bytes) -> bytes:
    """Serialise what a wrapped signing key is bound to."""
    return prefixed(_SIGNING_DOMAIN) + prefixed(kek_version.to_bytes(4, "big")) + prefixed(context)


def _opened(key: DataKey | HistoryKey, subject: UUID, name: str, envelope: bytes) -> str:
    """Open one box under its key; raise ``SealBroken``, recorded, when it is not one of that key's, or altered."""
    box = cut(name, envelope)
    if box.header != key.header:
        raise alarm.seal_broken(subject, name, _why(key, envelope))
    try:
        return unpad(key.cipher.decrypt(box.nonce, box.body, key.bound + box.label)).decode()
    except InvalidTag:
        raise alarm.seal_broken(subject, name, "tag") from None
    except ValueError:
        raise alarm.seal_broken(subject, name, "plaintext") from None


def _unfolded(key: HistoryKey, own: DataKey, subject: UUID, name: str, envelope: bytes) -> str:
    """Open a box of history, and the card's box in it where it holds one."""
    try:
        inside = contents(_opened(key, subject, name, envelope))
    except ValueError:
        raise alarm.seal_broken(subject, name, "plaintext") from None
    return inside if isinstance(inside, str) else _opened(own, subject, name, inside)


def _why(key: DataKey | HistoryKey, envelope: bytes) -> str:
    """Name the fault of an envelope that is not one of ``key``'s, for the security log."""
    try:
        header = parse(envelope).header
    except EnvelopeError as refusal:
        return refusal.cause_code
    return "handle" if header.handle != key.handle else "version"
