"""The nightly sheet, sealed to one custodian's key, and the signed record of its opening. Works without a service and without a store.

A custodian has two keys in one file: X25519, to which sheets are sealed, and Ed25519, with which the record of each opening is signed.
A sheet is an ephemeral X25519 exchange, HKDF-SHA256 over both public keys, and AES-256-GCM; what stands before the box (which sheet, for
whom, of which day, under which fingerprint) is authenticated with it, so a sheet does not pass for another night's. Records form a chain
by the hash of the line before, so that one taken out leaves a gap.
"""

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PUBLIC_PREFIX: Final = "duanhao-custodian-1:"
SECRET_PREFIX: Final = "duanhao-custodian-secret-1:"  # noqa: S105 — what stands before a secret, and none
FIRST_LINE: Final = b"duanhao-emergency-sheet-1\n"
NOTHING_BEFORE: Final = bytes(32)

_HALF: Final = 32
_WHOLE: Final = 64
_NONCE: Final = 12
_INFO: Final = b"duanhao emergency sheet 1"
_MEMBERS: Final = frozenset({"v", "id", "sheet", "custodian", "at", "reason", "previous", "signature"})
_MOST_LINE: Final = 4096


class NotOpened(Exception):
    """No sheet, no key, or not the key of this sheet; the message says which, and quotes nothing."""


class RecordInvalid(ValueError):
    """No opening record, or not signed by this key."""


def fingerprint(public_key: bytes) -> str:
    """Give the beginning of the SHA-256 of a key, as people compare it."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def read_public(text: str) -> bytes:
    """Read a public key as ``CustodianKeys.public_text`` writes it; raise ``ValueError``."""
    raw = _unwritten(text, PUBLIC_PREFIX)
    X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw[:_HALF]))
    return raw


class CustodianKeys:
    """What a custodian keeps secret."""

    def __init__(self, secret: bytes) -> None:
        """Take 64 random bytes."""
        self._opening = X25519PrivateKey.from_private_bytes(secret[:_HALF])
        self._signing = Ed25519PrivateKey.from_private_bytes(secret[_HALF:])
        self.public: Final = (
            self._opening.public_key().public_bytes_raw() + self._signing.public_key().public_bytes_raw()
        )
        self._secret = secret

    @classmethod
    def new(cls) -> Self:
        """Make new keys."""
        return cls(os.urandom(_WHOLE))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the content of a key file; raise ``NotOpened``."""
        try:
            return cls(_unwritten(text.strip(), SECRET_PREFIX))
        except ValueError:
            message = "this is no key file of a custodian"
            raise NotOpened(message) from None

    def secret_text(self) -> str:
        """Write the content of the key file."""
        return SECRET_PREFIX + _written(self._secret) + "\n"

    def public_text(self) -> str:
        """Write what the service is given."""
        return PUBLIC_PREFIX + _written(self.public)

    def open(self, sheet: bytes) -> "OpenedSheet":
        """Open a sheet; raise ``NotOpened``."""
        header, ephemeral, nonce, box = _parted(sheet)
        told = header.members()
        if told.get("key") != fingerprint(self.public):
            message = f"this sheet is sealed to the key {told.get('key')}, not to {fingerprint(self.public)}"
            raise NotOpened(message)
        try:
            shared = self._opening.exchange(X25519PublicKey.from_public_bytes(ephemeral))
            key = _derived(shared, ephemeral, self.public[:_HALF])
            content = AESGCM(key).decrypt(nonce, box, header.line)
        except (InvalidTag, ValueError):
            message = "the sheet was changed, or is not whole"
            raise NotOpened(message) from None
        return OpenedSheet(UUID(told["sheet"]), UUID(told["custodian"]), orjson.loads(content))

    def record(self, sheet: "OpenedSheet", reason: str, *, identity: UUID, at: datetime, previous: bytes) -> bytes:
        """Sign that a sheet was opened for a reason; one line, without its end. ``previous`` is the hash of the line before."""
        members = {
            "v": 1,
            "id": str(identity),
            "sheet": str(sheet.id),
            "custodian": str(sheet.custodian_id),
            "at": at.astimezone(UTC).isoformat(timespec="seconds"),
            "reason": reason,
            "previous": previous.hex(),
        }
        return orjson.dumps({**members, "signature": _written(self._signing.sign(_signed(members)))})

    def __repr__(self) -> str:
        """Show nothing of the secret."""
        return f"<custodian's keys {fingerprint(self.public)}>"


@dataclass(frozen=True, slots=True)
class OpenedSheet:
    """A sheet and what is in it."""

    id: UUID
    custodian_id: UUID
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpeningRecord:
    """What a custodian has signed: that a sheet was opened, when, and why. ``digest`` names the line, ``previous`` the one before."""

    id: UUID
    sheet_id: UUID
    custodian_id: UUID
    at: datetime
    reason: str
    previous: bytes
    digest: bytes
    signature: bytes


def seal_sheet(public_key: bytes, content: bytes, *, sheet_id: UUID, custodian_id: UUID, day: date) -> bytes:
    """Seal the content of a sheet to a custodian's key."""
    header = orjson.dumps(
        {
            "sheet": str(sheet_id),
            "custodian": str(custodian_id),
            "day": day.isoformat(),
            "key": fingerprint(public_key),
        }
    )
    ephemeral = X25519PrivateKey.generate()
    mine, nonce = ephemeral.public_key().public_bytes_raw(), os.urandom(_NONCE)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key[:_HALF]))
    box = AESGCM(_derived(shared, mine, public_key[:_HALF])).encrypt(nonce, content, header)
    return FIRST_LINE + header + b"\n" + mine + nonce + box


def hash_of(line: bytes) -> bytes:
    """Give the hash by which the next record names this line."""
    return hashlib.sha256(line).digest()


def read_record(line: str, public_key: bytes) -> OpeningRecord:
    """Read an opening record that this key has signed; raise ``RecordInvalid``."""
    try:
        members = orjson.loads(line)
        if not isinstance(members, dict) or members.keys() != _MEMBERS or members["v"] != 1 or len(line) > _MOST_LINE:
            raise RecordInvalid
        signature = _bytes(members.pop("signature"), _WHOLE)
        previous = bytes.fromhex(members["previous"])
        Ed25519PublicKey.from_public_bytes(public_key[_HALF:]).verify(signature, _signed(members))
        at = datetime.fromisoformat(members["at"])
        if len(previous) != _HALF or at.utcoffset() is None or not isinstance(members["reason"], str):
            raise RecordInvalid
        return OpeningRecord(
            id=UUID(members["id"]),
            sheet_id=UUID(members["sheet"]),
            custodian_id=UUID(members["custodian"]),
            at=at.astimezone(UTC),
            reason=members["reason"],
            previous=previous,
            digest=hash_of(line.encode()),
            signature=signature,
        )
    except (InvalidSignature, ValueError, TypeError, KeyError, AttributeError):
        raise RecordInvalid from None


@dataclass(frozen=True, slots=True)
class _Header:
    line: bytes

    def members(self) -> dict[str, Any]:
        found = orjson.loads(self.line)
        return found if isinstance(found, dict) else {}


def _parted(sheet: bytes) -> tuple[_Header, bytes, bytes, bytes]:
    line, separator, rest = sheet.removeprefix(FIRST_LINE).partition(b"\n")
    least = _HALF + _NONCE
    header = _Header(line)
    try:
        known = sheet.startswith(FIRST_LINE) and {"sheet", "custodian", "day", "key"} <= header.members().keys()
    except ValueError:
        known = False
    if not known or not separator or len(rest) <= least:
        message = "this is no emergency sheet"
        raise NotOpened(message)
    return header, rest[:_HALF], rest[_HALF:least], rest[least:]


def _derived(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_HALF, salt=ephemeral + recipient, info=_INFO).derive(shared)


def _signed(members: dict[str, Any]) -> bytes:
    return b"duanhao emergency opening 1\n" + orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def _written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str, size: int) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != size or _written(raw) != text:
        message = "not so many bytes, or written otherwise"
        raise ValueError(message)
    return raw


def _unwritten(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        message = "this begins otherwise"
        raise ValueError(message)
    return _bytes(text.removeprefix(prefix), _WHOLE)
