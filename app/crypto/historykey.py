"""The key under which what happened to one person in one quarter is kept, so that it can be destroyed without anything else.

Sealed like any value: same envelope, same associated data, under a handle of its own, so that a box says itself which key opens it. What
lies in it is either the value, or the very box that the card has, sealed once more: whoever writes history without being able to open puts
the closed box in, and whoever destroys the quarter's key destroys both ways to it. The wrapped form is bound to subject, handle, quarter
and version of the wrapping key, in a domain apart from that of a person's data key. See docs/decisions/0037.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from os import urandom
from typing import Final, NoReturn, SupportsIndex
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.datakey import utf8
from app.crypto.envelope import (
    HANDLE_SIZE,
    NONCE_SIZE,
    SUITE_AES_256_GCM,
    TAG_SIZE,
    Header,
    aad_of_subject,
    encode_header,
    field_label,
    pad,
    prefixed,
)
from app.crypto.sealed import Sealed

HISTORY_KEY_SIZE: Final = 32

_VERSION: Final = 1
_WRAP_DOMAIN: Final = b"duanhao:historykey:1"
_VALUE: Final = "v"
_BOX: Final = "b"


@dataclass(frozen=True, slots=True)
class WrappedHistoryKey:
    """A history key as stored: handle (8 bytes), quarter, version of the ``field`` KEK, and nonce + ciphertext + tag."""

    handle: bytes
    quarter: int
    kek_version: int
    wrapped: bytes = field(repr=False)


class HistoryKey:
    """Seals for one person and quarter; ``header``, ``bound`` and ``cipher`` are laid out for ``keyring.Opener``, which opens."""

    __slots__ = ("_raw", "bound", "cipher", "handle", "header", "quarter", "subject")

    def __init__(self, *, subject: UUID, handle: bytes, quarter: int, raw: bytes) -> None:
        """Build from the 32 raw bytes; raises ``ValueError`` on another size and ``EnvelopeError`` on a bad handle."""
        if len(raw) != HISTORY_KEY_SIZE:
            message = "a history key is 32 bytes"
            raise ValueError(message)
        header = Header(suite=SUITE_AES_256_GCM, handle=handle, version=_VERSION)
        self.subject = subject
        self.handle = handle
        self.quarter = quarter
        self.header = encode_header(header)
        self.bound = aad_of_subject(header, subject)
        self.cipher = AESGCM(raw)
        self._raw = raw

    @classmethod
    def generate(cls, subject: UUID, quarter: int) -> "HistoryKey":
        """Make a key under a random handle."""
        return cls(subject=subject, handle=urandom(HANDLE_SIZE), quarter=quarter, raw=urandom(HISTORY_KEY_SIZE))

    def wrap(self, kek: AESGCM, kek_version: int) -> WrappedHistoryKey:
        """Wrap under a ``field`` KEK, bound to subject, handle, quarter and version."""
        nonce = urandom(NONCE_SIZE)
        binding = _binding(self.subject, self.handle, self.quarter, kek_version)
        return WrappedHistoryKey(self.handle, self.quarter, kek_version, nonce + kek.encrypt(nonce, self._raw, binding))

    def seal(self, name: str, value: str | Sealed) -> Sealed:
        """Seal a value of the logical field ``name``, or a box of it that stays closed; raises as ``DataKey.seal`` does."""
        text = _BOX + b64encode(value.envelope).decode() if isinstance(value, Sealed) else _VALUE + value
        nonce = urandom(NONCE_SIZE)
        return Sealed(self.header + nonce + self.cipher.encrypt(nonce, pad(utf8(text)), self.bound + field_label(name)))

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "<history key>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a history key is neither copied nor pickled"
        raise TypeError(message)


def unwrap(kek: AESGCM, subject: UUID, wrapped: WrappedHistoryKey) -> HistoryKey | None:
    """Unwrap a key; ``None`` when it is not this person's, not of this quarter, or altered."""
    if (
        len(wrapped.wrapped) != NONCE_SIZE + HISTORY_KEY_SIZE + TAG_SIZE
        or len(wrapped.handle) != HANDLE_SIZE
        or not 0 < wrapped.quarter <= 0x7FFFFFFF  # noqa: PLR2004 — widths stored
        or not 0 < wrapped.kek_version <= 0x7FFFFFFF  # noqa: PLR2004 — widths stored
    ):
        return None
    binding = _binding(subject, wrapped.handle, wrapped.quarter, wrapped.kek_version)
    try:
        raw = kek.decrypt(wrapped.wrapped[:NONCE_SIZE], wrapped.wrapped[NONCE_SIZE:], binding)
    except InvalidTag:
        return None
    return HistoryKey(subject=subject, handle=wrapped.handle, quarter=wrapped.quarter, raw=raw)


def contents(text: str) -> str | bytes:
    """Read what ``HistoryKey.seal`` laid into a box: a value, or the bytes of the closed box; raise ``ValueError`` for anything else."""
    match text[:1]:
        case "v":
            return text[1:]
        case "b":
            try:
                return b64decode(text[1:], validate=True)
            except Base64Error:
                pass
        case _:
            pass
    message = "neither a value nor a box"
    raise ValueError(message)


def _binding(subject: UUID, handle: bytes, quarter: int, kek_version: int) -> bytes:
    """Serialise what a wrapped history key is bound to."""
    parts = (_WRAP_DOMAIN, subject.bytes, handle, quarter.to_bytes(4, "big"), kek_version.to_bytes(4, "big"))
    return b"".join(prefixed(part) for part in parts)
