"""The nightly sheet, sealed to one custodian's key, and the signed record of its opening. Works without a service and without a store.

A custodian has two keys in one file: X25519, to which sheets are sealed, and Ed25519, with which the record of each opening is signed.
A sheet is a parcel (``crypto.parcels``) sealed to the first; its header says which sheet, for whom, of which day, under which fingerprint,
so a sheet does not pass for another night's. Records form a chain by the hash of the line before, so that one taken out leaves a gap.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Self
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.crypto.parcels import Kind, NotOpened, from_text, in_text, usable

PUBLIC_PREFIX: Final = "duanhao-custodian-1:"
SECRET_PREFIX: Final = "duanhao-custodian-secret-1:"  # noqa: S105 — what stands before a secret, and none
SHEET: Final = Kind(
    b"duanhao-emergency-sheet-1\n",
    b"duanhao emergency sheet 1",
    frozenset({"sheet", "custodian", "day", "key"}),
    "emergency sheet",
)
NOTHING_BEFORE: Final = bytes(32)

_HALF: Final = 32
_WHOLE: Final = 64
_MEMBERS: Final = frozenset({"v", "id", "sheet", "custodian", "at", "reason", "previous", "signature"})
_MOST_LINE: Final = 4096


class RecordInvalid(ValueError):
    """No opening record, or not signed by this key."""


def fingerprint(public_key: bytes) -> str:
    """Give the beginning of the SHA-256 of a key, as people compare it."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def read_public(text: str) -> bytes:
    """Read a public key as ``CustodianKeys.public_text`` writes it; raise ``ValueError``."""
    raw = _unwritten(text, PUBLIC_PREFIX)
    if not usable(raw[:_HALF]):
        message = "nothing can be sealed to this key"
        raise ValueError(message)
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
        return SECRET_PREFIX + in_text(self._secret) + "\n"

    def public_text(self) -> str:
        """Write what the service is given."""
        return PUBLIC_PREFIX + in_text(self.public)

    def open(self, sheet: bytes) -> "OpenedSheet":
        """Open a sheet; raise ``NotOpened``."""
        told = SHEET.header(sheet)
        if told["key"] != fingerprint(self.public):
            message = f"this sheet is sealed to the key {told['key']}, not to {fingerprint(self.public)}"
            raise NotOpened(message)
        content = SHEET.open_with_key(self._opening, sheet)
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
        return orjson.dumps({**members, "signature": in_text(self._signing.sign(_signed(members)))})

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
    return SHEET.seal_to_key(public_key[:_HALF], header, content)


def hash_of(line: bytes) -> bytes:
    """Give the hash by which the next record names this line."""
    return hashlib.sha256(line).digest()


def read_record(line: str, public_key: bytes) -> OpeningRecord:
    """Read an opening record that this key has signed; raise ``RecordInvalid``."""
    try:
        members = orjson.loads(line)
        if not isinstance(members, dict) or members.keys() != _MEMBERS or members["v"] != 1 or len(line) > _MOST_LINE:
            raise RecordInvalid
        signature = from_text(members.pop("signature"), _WHOLE)
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


def _signed(members: dict[str, Any]) -> bytes:
    return b"duanhao emergency opening 1\n" + orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def _unwritten(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        message = "this begins otherwise"
        raise ValueError(message)
    return from_text(text.removeprefix(prefix), _WHOLE)
