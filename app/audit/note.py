"""Checkpoints of the log as C2SP text: a tlog-checkpoint body inside a signed note.

A checkpoint says "the log named *origin* had *size* leaves and this root", in three lines that a person can read and
other people's tools can check. It is signed with Ed25519 under the log's name. Parsing takes the one form that is
written here and nothing near it: no leading zeros, no second spelling of base64, no control characters. Sources:
c2sp.org/signed-note, c2sp.org/tlog-checkpoint.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.audit.merkle import HASH_BYTES

_ED25519: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_PUBLIC_BYTES: Final = 32
_BODY_LINES: Final = 3
_ATTESTED_LINES: Final = 2
_MOST_SIGNATURES: Final = 64
_DASH: Final = "\N{EM DASH}"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_NAME: Final = re.compile(r"[^\s+]+")
_WHOLE_NOTE: Final = re.compile(rf"[^\n]+\n[0-9]+\n[A-Za-z0-9+/]{{43}}=\n\n(?:{_DASH} [^\n]+\n)+")


class NoteInvalid(ValueError):
    """A text is not a note, not a checkpoint, or not signed by the expected key."""


def _decode(text: str, what: str) -> bytes:
    """Read standard base64 in its one canonical spelling."""
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        message = f"{what} is not base64"
        raise NoteInvalid(message) from error
    if b64encode(raw).decode() != text:
        message = f"{what} is not canonical base64"
        raise NoteInvalid(message)
    return raw


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name) or _CONTROL.search(name):
        message = "a key name has neither spaces nor plus signs"
        raise NoteInvalid(message)
    return name


def key_id(name: str, public: bytes) -> bytes:
    """Compute the four bytes that announce a key: SHA-256 of name, newline, algorithm byte and the 32 public bytes."""
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one signature of the log states."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Write the three lines, each ended by a newline."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read exactly what ``body`` writes; raise ``NoteInvalid`` for anything else, extension lines included."""
        lines = body.split("\n")
        if len(lines) != _BODY_LINES + 1 or lines[-1] or not lines[0]:
            message = "a checkpoint of this log has three lines"
            raise NoteInvalid(message)
        origin, size, root = lines[:_BODY_LINES]
        if not _SIZE.fullmatch(size):
            message = "the size of a checkpoint is a plain decimal number"
            raise NoteInvalid(message)
        raw = _decode(root, "the root")
        if len(raw) != HASH_BYTES:
            message = "the root of a checkpoint has 32 bytes"
            raise NoteInvalid(message)
        return cls(origin, int(size), raw)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under its name: all that is needed to check the log."""

    name: str
    public: Ed25519PublicKey

    @property
    def raw(self) -> bytes:
        """The 32 public bytes."""
        return self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def text(self) -> str:
        """Write the verifier key string that operators keep: name, key id in hex, algorithm byte and key in base64."""
        raw = self.raw
        return f"{self.name}+{key_id(self.name, raw).hex()}+{b64encode(_ED25519 + raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key string; raise ``NoteInvalid`` unless its key id fits its key."""
        parts = text.strip().split("+", 2)
        if len(parts) != _BODY_LINES:
            message = "a verifier key has the form name+id+key"
            raise NoteInvalid(message)
        name, hexadecimal, encoded = parts
        raw = _decode(encoded, "the key")
        if raw[:1] != _ED25519 or len(raw) != 1 + _PUBLIC_BYTES:
            message = "the key is not an Ed25519 key"
            raise NoteInvalid(message)
        if key_id(_check_name(name), raw[1:]).hex() != hexadecimal:
            message = "the key id does not fit the key"
            raise NoteInvalid(message)
        return cls(name, Ed25519PublicKey.from_public_bytes(raw[1:]))

    def open(self, note: str) -> Checkpoint:
        """Check the note's signature by this key and give the checkpoint in it.

        Raises ``NoteInvalid`` when the text is no note, is not signed by this key, is signed wrongly, or speaks for
        another log.
        """
        checkpoint = Checkpoint.parse(self.signed_text(note))
        if checkpoint.origin != self.name:
            message = "the checkpoint belongs to another log"
            raise NoteInvalid(message)
        return checkpoint

    def signed_text(self, note: str) -> str:
        """Check the note's signature by this key and give the text under it, whatever it says.

        Raises ``NoteInvalid`` when it is no note, is not signed by this key, or is signed wrongly.
        """
        body, signatures = split(note)
        wanted = key_id(self.name, self.raw)
        matching = [
            raw[_KEY_ID_BYTES:] for name, raw in signatures if name == self.name and raw[:_KEY_ID_BYTES] == wanted
        ]
        if len(matching) != 1:
            message = "the note is not signed by this key"
            raise NoteInvalid(message)
        try:
            self.public.verify(matching[0], body.encode())
        except InvalidSignature as error:
            message = "the signature does not fit the note"
            raise NoteInvalid(message) from error
        return body


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs checkpoints of one log under the log's origin; its printed form never shows the key.

    Raises ``NoteInvalid`` when the name cannot stand in a note.
    """

    name: str
    key: Ed25519PrivateKey = field(repr=False)
    announced: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Compute the key id once."""
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        object.__setattr__(self, "announced", key_id(_check_name(self.name), raw))

    def verifier(self) -> Verifier:
        """Give the public half."""
        return Verifier(self.name, self.key.public_key())

    def sign(self, size: int, root: bytes) -> str:
        """Write the signed note that states ``size`` (leaves) and ``root`` (32 bytes)."""
        return self._signed(Checkpoint(self.name, size, root).body())

    def attest(self, kind: str, statement: str) -> str:
        """Write a signed note of two lines, ``kind`` and ``statement``, which no checkpoint is; raise ``NoteInvalid`` for more lines."""
        body = f"{kind}\n{statement}\n"
        if _CONTROL.search(body) or body.count("\n") != _ATTESTED_LINES or not kind or not statement:
            message = "an attested statement is one line"
            raise NoteInvalid(message)
        return self._signed(body)

    def _signed(self, body: str) -> str:
        signature = b64encode(self.announced + self.key.sign(body.encode())).decode()
        return f"{body}\n{_DASH} {self.name} {signature}\n"


def split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Take a note apart into its text and its signatures (name, key id and signature bytes), checking no signature.

    Raises ``NoteInvalid`` for whatever is not a well-formed signed note.
    """
    if _CONTROL.search(note):
        message = "a note has no control characters"
        raise NoteInvalid(message)
    body, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        message = "a note ends with signature lines after an empty line"
        raise NoteInvalid(message)
    lines = tail[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        message = "a note has at most 64 signatures here"
        raise NoteInvalid(message)
    signatures = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = _decode(encoded, "a signature")
        if dash != _DASH or len(raw) <= _KEY_ID_BYTES:
            message = "a signature line has the form dash, name, signature"
            raise NoteInvalid(message)
        signatures.append((_check_name(name), raw))
    return body + "\n", signatures


def find_notes(text: str) -> list[str]:
    """Find the checkpoints in a file to which they were appended, oldest first; checks no signature.

    What a power loss left of a half-written note is passed over: the whole ones before and after it still count.
    """
    return _WHOLE_NOTE.findall(text)


def attested(verifiers: Sequence[Verifier], kind: str, note: str) -> Mapping[str, Any] | None:
    """Read the JSON object that a note of ``kind`` states (``Signer.attest``) and one of these keys signed; ``None`` for anything else."""
    for verifier in verifiers:
        try:
            said, statement, _ = verifier.signed_text(note).split("\n")
            read = orjson.loads(statement) if said == kind else None
        except (NoteInvalid, ValueError):
            continue
        if isinstance(read, dict):
            return read
    return None
