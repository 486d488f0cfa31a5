"""The bytes of a sealed value, and what they are bound to. Pure: no keys, no I/O.

    magic + format  2   d5 01
    suite           1   1 = AES-256-GCM and HMAC-SHA-256
    handle          8   which data key, exactly; nothing is ever tried
    version         2   of that key, big endian
    nonce          12   random for every seal
    ciphertext      16·n, then the 16-byte tag

The associated data is never stored. It is rebuilt from the header, the subject and the logical field name, each with a
fixed four-byte length before it, so that no two different tuples share one serialisation. Table and column are left out
on purpose: a box may move between tables of the same person (request, card, archive) unopened, but never to another
person or field. Plaintext is padded (ISO/IEC 7816-4) to classes of 16 bytes, so that a length says little.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

MAGIC: Final = b"\xd5\x01"
SUITE_AES_256_GCM: Final = 1
SUITES: Final = frozenset({SUITE_AES_256_GCM})
HANDLE_AT: Final = 3
HANDLE_SIZE: Final = 8
HEADER_SIZE: Final = 13
NONCE_SIZE: Final = 12
BODY_AT: Final = HEADER_SIZE + NONCE_SIZE
TAG_SIZE: Final = 16
PADDING_CLASS: Final = 16
SHORTEST: Final = BODY_AT + PADDING_CLASS + TAG_SIZE
HIGHEST_VERSION: Final = 0xFFFF

_DOMAIN: Final = b"duanhao:seal:1"
_PAD_MARK: Final = b"\x80"
_PADDINGS: Final = frozenset(bytes(size) for size in range(PADDING_CLASS))
"""What may stand behind the mark of the padding."""


class EnvelopeError(ValueError):
    """These bytes are not an envelope that we write; ``cause_code`` says why, for the security log alone."""

    def __init__(self, cause_code: str) -> None:
        """Keep the cause; the message is the same for all of them."""
        super().__init__("not an envelope")
        self.cause_code = cause_code


@dataclass(frozen=True, slots=True)
class Header:
    """Suite, handle of the data key (8 bytes) and its version (1 to 65535)."""

    suite: int
    handle: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope: ``body`` is the ciphertext with its tag."""

    header: Header
    nonce: bytes
    body: bytes


class Box(NamedTuple):
    """An envelope of a field, cut into what opening takes: once, for many openings. Cutting checks nothing but the length.

    ``label`` is the field's part of the associated data; ``header`` is empty where the envelope has a length that we never write.
    """

    name: str
    envelope: bytes
    label: bytes
    header: bytes
    nonce: bytes
    body: bytes


def encode_header(header: Header) -> bytes:
    """Write the 13 bytes that precede the nonce; raises ``EnvelopeError`` on a header that could not be read back."""
    if header.suite not in SUITES:
        cause = "suite"
        raise EnvelopeError(cause)
    if len(header.handle) != HANDLE_SIZE or not 0 < header.version <= HIGHEST_VERSION:
        cause = "header"
        raise EnvelopeError(cause)
    return MAGIC + bytes((header.suite,)) + header.handle + header.version.to_bytes(2, "big")


def encode(envelope: Envelope) -> bytes:
    """Write an envelope; raises ``EnvelopeError`` when its parts have the wrong size."""
    if len(envelope.nonce) != NONCE_SIZE:
        cause = "nonce"
        raise EnvelopeError(cause)
    _check_body(len(envelope.body))
    return encode_header(envelope.header) + envelope.nonce + envelope.body


def parse(data: bytes) -> Envelope:
    """Read an envelope, before and without any cryptography.

    Raises ``EnvelopeError`` for anything that ``encode`` would not have written: another magic or format, an unknown
    suite, version 0, a body that is not whole padding classes and one tag.
    """
    if data[:2] != MAGIC:
        cause = "magic"
        raise EnvelopeError(cause)
    if len(data) < SHORTEST:
        cause = "length"
        raise EnvelopeError(cause)
    header = Header(suite=data[2], handle=data[3:11], version=int.from_bytes(data[11:HEADER_SIZE], "big"))
    if header.suite not in SUITES:
        cause = "suite"
        raise EnvelopeError(cause)
    if header.version == 0:
        cause = "version"
        raise EnvelopeError(cause)
    _check_body(len(data) - BODY_AT)
    return Envelope(header=header, nonce=data[HEADER_SIZE:BODY_AT], body=data[BODY_AT:])


def cut(name: str, envelope: bytes) -> Box:
    """Cut the envelope of the field ``name``; an odd one becomes a box that nothing opens."""
    size = len(envelope)
    sound = size >= SHORTEST and size % PADDING_CLASS == SHORTEST % PADDING_CLASS
    header = envelope[:HEADER_SIZE] if sound else b""
    return Box(name, envelope, field_label(name), header, envelope[HEADER_SIZE:BODY_AT], envelope[BODY_AT:])


def handle_of(envelope: bytes) -> bytes:
    """Give the handle that an envelope names, unchecked; fewer bytes than a handle has for what is no envelope."""
    return envelope[HANDLE_AT : HANDLE_AT + HANDLE_SIZE]


def prefixed(part: bytes) -> bytes:
    """Put a part's length before it: four bytes, big endian."""
    return len(part).to_bytes(4, "big") + part


@lru_cache(maxsize=1024)
def field_label(field: str) -> bytes:
    """Serialise a logical field name, the last part of the associated data; raises ``ValueError`` on an empty one."""
    if not field:
        message = "a sealed value needs a field name"
        raise ValueError(message)
    return prefixed(field.encode())


def aad_of_subject(header: Header, subject: UUID) -> bytes:
    """Serialise the part of the associated data that is the same for all fields of a person."""
    parts = (
        _DOMAIN,
        header.suite.to_bytes(1, "big"),
        header.handle,
        header.version.to_bytes(2, "big"),
        subject.bytes,
    )
    return b"".join(prefixed(part) for part in parts)


def aad(header: Header, subject: UUID, field: str) -> bytes:
    """Serialise what an envelope is bound to: suite, handle, version, subject and logical field name."""
    return aad_of_subject(header, subject) + field_label(field)


def pad(plain: bytes) -> bytes:
    """Pad to the next multiple of 16 bytes, always by at least one: 80, then zeros."""
    return plain + _PAD_MARK + bytes(-(len(plain) + 1) % PADDING_CLASS)


def unpad(padded: bytes) -> bytes:
    """Take off the padding of ``pad``; raises ``EnvelopeError`` when it is not exactly that."""
    body, mark, zeros = padded.rpartition(_PAD_MARK)
    if not mark or zeros not in _PADDINGS or len(padded) % PADDING_CLASS:
        cause = "padding"
        raise EnvelopeError(cause)
    return body


def _check_body(size: int) -> None:
    """Refuse a body that is not one or more padding classes and a whole tag."""
    if size < PADDING_CLASS + TAG_SIZE or (size - TAG_SIZE) % PADDING_CLASS:
        cause = "length"
        raise EnvelopeError(cause)
