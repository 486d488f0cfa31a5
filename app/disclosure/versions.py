"""Versions of cards: a keyed hash of what the viewer was shown, so that a version says nothing beyond what the card shows.

HMAC-SHA-256 (RFC 2104), cut to 120 bits. Written out here because a page has a hundred of them: the two halves of the key are hashed once,
and each card costs two copies of a state and no object of ``hmac``. Tests hold it to ``hmac`` itself.
"""

from binascii import b2a_base64
from hashlib import sha256
from typing import Final

_VERSION_BYTES: Final = 15
_BLOCK: Final = 64
_INNER: Final = bytes(each ^ 0x36 for each in range(256))
_OUTER: Final = bytes(each ^ 0x5C for each in range(256))
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_HASHED_AT_ONCE: Final = 2000
"""Below the size from which ``hashlib`` lets go of the interpreter, which for a card costs more than the hash."""


class Versions:
    """Computes versions under one key."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """Take the key: at most 64 bytes, from the keyring; raise ``ValueError`` for a longer one."""
        if len(key) > _BLOCK:
            message = "the key of versions is at most a block long"
            raise ValueError(message)
        padded = key.ljust(_BLOCK, b"\x00")
        self._inner, self._outer = sha256(padded.translate(_INNER)), sha256(padded.translate(_OUTER))

    def of(self, card: bytes) -> str:
        """Compute the version of a rendered card: 20 characters, safe in an ``ETag`` and in an address."""
        inner, outer = self._inner.copy(), self._outer.copy()
        for at in range(0, len(card), _HASHED_AT_ONCE):
            inner.update(card[at : at + _HASHED_AT_ONCE])
        outer.update(inner.digest())
        return b2a_base64(outer.digest()[:_VERSION_BYTES], newline=False).translate(_URL_SAFE).decode()
