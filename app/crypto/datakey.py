"""One person's data key: 64 random bytes, half to seal, half to MAC.

The key never leaves this object. Its wrapped form, ``WrappedDataKey``, is what a row of ``data_key`` holds; it is bound
to subject, handle, version and version of the wrapping key, so a wrapped key moved to another person does not unwrap.
Nothing is derived per value: the per-person parts of header and associated data are laid out once, when the key is
built.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from hmac import digest as hmac_digest
from os import urandom
from typing import Final, NoReturn, SupportsIndex
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.envelope import (
    HANDLE_SIZE,
    NONCE_SIZE,
    SUITE_AES_256_GCM,
    Header,
    aad_of_subject,
    encode_header,
    field_label,
    pad,
    prefixed,
)
from app.crypto.rowmac import RowValue, mac
from app.crypto.sealed import Sealed

KEY_SIZE: Final = 64
DIGEST_SIZE: Final = 16
FIRST_VERSION: Final = 1

_SEAL_SIZE: Final = 32
_DIGEST_DOMAIN: Final = b"duanhao:digest:1"
_WRAP_DOMAIN: Final = b"duanhao:datakey:1"


@dataclass(frozen=True, slots=True)
class WrappedDataKey:
    """A data key as stored: handle (8 bytes), version, version of the ``field`` KEK, and nonce + ciphertext + tag."""

    handle: bytes
    version: int
    kek_version: int
    wrapped: bytes = field(repr=False)


class DataKey:
    """Seals, digests and MACs for one person; opens nothing by itself.

    ``header``, ``bound`` and ``cipher`` are laid out for ``keyring.Opener``, the only code that opens.
    """

    __slots__ = ("_mac_key", "_raw", "bound", "cipher", "handle", "header", "subject", "version")

    def __init__(self, *, subject: UUID, handle: bytes, version: int, raw: bytes) -> None:
        """Build from the 64 raw bytes; raises ``ValueError`` on another size and ``EnvelopeError`` on a bad handle."""
        if len(raw) != KEY_SIZE:
            message = "a data key is 64 bytes"
            raise ValueError(message)
        header = Header(suite=SUITE_AES_256_GCM, handle=handle, version=version)
        self.subject = subject
        self.handle = handle
        self.version = version
        self.header = encode_header(header)
        self.bound = aad_of_subject(header, subject)
        self.cipher = AESGCM(raw[:_SEAL_SIZE])
        self._mac_key = raw[_SEAL_SIZE:]
        self._raw = raw

    @classmethod
    def generate(cls, subject: UUID) -> "DataKey":
        """Make a new person's key, version 1, under a random handle."""
        return cls(subject=subject, handle=urandom(HANDLE_SIZE), version=FIRST_VERSION, raw=urandom(KEY_SIZE))

    def wrap(self, kek: AESGCM, kek_version: int) -> WrappedDataKey:
        """Wrap under a ``field`` KEK, bound to subject, handle and both versions."""
        nonce = urandom(NONCE_SIZE)
        binding = _binding(self.subject, self.handle, self.version, kek_version)
        return WrappedDataKey(
            handle=self.handle,
            version=self.version,
            kek_version=kek_version,
            wrapped=nonce + kek.encrypt(nonce, self._raw, binding),
        )

    def seal(self, name: str, value: str) -> Sealed:
        """Seal a value under a fresh nonce. ``name`` is the logical field name; the empty string is a value too.

        Raises ``ValueError`` on text that has no UTF-8 form (a lone surrogate), without repeating it.
        """
        nonce = urandom(NONCE_SIZE)
        body = self.cipher.encrypt(nonce, pad(utf8(value)), self.bound + field_label(name))
        return Sealed(self.header + nonce + body)

    def digest(self, name: str, value: str) -> bytes:
        """Compute the 16 bytes by which a new value is compared with the stored one unopened. Not a search tag.

        Differs per person and per field for equal values. Same normal form in, same digest out: normalise first.
        """
        return hmac_digest(self._mac_key, _DIGEST_DOMAIN + field_label(name) + utf8(value), "sha256")[:DIGEST_SIZE]

    def matches(self, name: str, value: str, digest: bytes | None) -> bool:
        """Tell in constant time whether ``digest`` is the one of this value; a missing digest matches nothing."""
        return digest is not None and compare_digest(self.digest(name, value), digest)

    def mac(self, columns: Sequence[RowValue]) -> bytes:
        """Compute the 32-byte row MAC over the person's policy columns and envelopes, in a fixed order."""
        return mac(self._mac_key, columns)

    def verify(self, columns: Sequence[RowValue], expected: bytes | None) -> bool:
        """Tell in constant time whether ``expected`` is the row's MAC; a missing one never is."""
        return expected is not None and compare_digest(mac(self._mac_key, columns), expected)

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "<data key>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a data key is neither copied nor pickled"
        raise TypeError(message)


def unwrap(kek: AESGCM, subject: UUID, wrapped: WrappedDataKey) -> DataKey | None:
    """Unwrap a person's key; ``None`` when it is not this person's, not this version's, or altered."""
    nonce, body = wrapped.wrapped[:NONCE_SIZE], wrapped.wrapped[NONCE_SIZE:]
    if len(wrapped.wrapped) != NONCE_SIZE + KEY_SIZE + 16 or len(wrapped.handle) != HANDLE_SIZE:
        return None
    if not 0 < wrapped.version <= 0xFFFF or not 0 < wrapped.kek_version <= 0xFFFFFFFF:  # noqa: PLR2004 — widths stored
        return None
    binding = _binding(subject, wrapped.handle, wrapped.version, wrapped.kek_version)
    try:
        raw = kek.decrypt(nonce, body, binding)
    except InvalidTag:
        return None
    return DataKey(subject=subject, handle=wrapped.handle, version=wrapped.version, raw=raw)


def _binding(subject: UUID, handle: bytes, version: int, kek_version: int) -> bytes:
    """Serialise what a wrapped data key is bound to."""
    parts = (_WRAP_DOMAIN, subject.bytes, handle, version.to_bytes(2, "big"), kek_version.to_bytes(4, "big"))
    return b"".join(prefixed(part) for part in parts)


def utf8(value: str) -> bytes:
    """Encode a value; the error of the codec would carry the whole value with it."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        message = "the value has no UTF-8 form"
        raise ValueError(message) from None
