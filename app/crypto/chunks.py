"""A file in pieces under one data key: each piece bound to its place, and to whether it is the last.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, 2015)
with place and finality in the associated data, and a random nonce for each piece as for every other value: pieces that were taken away,
repeated, put in another order or into another file do not open. Pieces are not padded, since the length of a file stands beside it.
"""

from collections.abc import Iterator, Sequence
from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag

from app.crypto.datakey import DataKey
from app.crypto.envelope import BODY_AT, HEADER_SIZE, NONCE_SIZE, TAG_SIZE, field_label, prefixed

CHUNK_SIZE: Final = 262_144
"""Bytes of the file in each piece but the last, which has the rest."""

_DOMAIN: Final = b"duanhao:chunk:1"


def chunks_of(size: int) -> int:
    """Give in how many pieces a file of ``size`` bytes lies; an empty one lies in one."""
    return max(1, -(-size // CHUNK_SIZE))


def seal_chunks(key: DataKey, name: str, content: memoryview) -> Iterator[bytes]:
    """Seal a file piece by piece, in order; nothing is copied but the piece at hand."""
    count = chunks_of(len(content))
    for place in range(count):
        piece = content[place * CHUNK_SIZE : (place + 1) * CHUNK_SIZE]
        nonce = urandom(NONCE_SIZE)
        yield key.header + nonce + key.cipher.encrypt(nonce, piece, _bound(key, name, place, count))


def open_chunks(key: DataKey, name: str, chunks: Sequence[bytes]) -> list[bytes] | None:
    """Open all pieces of a file, in order; ``None`` unless they are exactly what ``seal_chunks`` gave."""
    opened, count = [], len(chunks)
    for place, sealed in enumerate(chunks):
        if sealed[:HEADER_SIZE] != key.header or len(sealed) < BODY_AT + TAG_SIZE:
            return None
        try:
            piece = key.cipher.decrypt(sealed[HEADER_SIZE:BODY_AT], sealed[BODY_AT:], _bound(key, name, place, count))
        except InvalidTag:
            return None
        opened.append(piece)
    return opened or None


def _bound(key: DataKey, name: str, place: int, count: int) -> bytes:
    """Serialise what a piece is bound to: key, subject, logical name, place, and whether it is the last."""
    where = place.to_bytes(8, "big") + (b"\x01" if place == count - 1 else b"\x00")
    return key.bound + field_label(name) + prefixed(_DOMAIN) + prefixed(where)
