"""The package of a provision, sealed for its recipient, and the recipient's keys. Works without a service and without a store.

A package is a parcel (``crypto.parcels``): to the recipient's public key, or under a passphrase that the service makes and tells once. Its
header says which package of which provision it is, since when, and to what it is sealed; so one does not pass for another.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.crypto.parcels import KEY_SIZE, Kind, NotOpened, from_text, in_text, new_passphrase, usable

PUBLIC_PREFIX: Final = "duanhao-recipient-1:"
SECRET_PREFIX: Final = "duanhao-recipient-secret-1:"  # noqa: S105 — what stands before a secret, and none
PASSPHRASE: Final = "passphrase"  # noqa: S105 — a word, and none
"""What a package is sealed to where that is no key."""
PACKAGE: Final = Kind(
    b"duanhao-provision-1\n",
    b"duanhao provision 1",
    frozenset({"package", "provision", "made_at", "to"}),
    "package of a provision",
)


class RecipientKeys:
    """What a recipient keeps secret."""

    def __init__(self, secret: bytes) -> None:
        """Take 32 random bytes."""
        self._key, self._secret = X25519PrivateKey.from_private_bytes(secret), secret
        self.public: Final = self._key.public_key().public_bytes_raw()

    @classmethod
    def new(cls) -> Self:
        """Make new keys."""
        return cls(os.urandom(KEY_SIZE))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the content of a key file; raise ``NotOpened``."""
        try:
            return cls(_unwritten(text.strip(), SECRET_PREFIX))
        except ValueError:
            message = "this is no key file of a recipient"
            raise NotOpened(message) from None

    def secret_text(self) -> str:
        """Write the content of the key file."""
        return SECRET_PREFIX + in_text(self._secret) + "\n"

    def public_text(self) -> str:
        """Write what the service is given."""
        return PUBLIC_PREFIX + in_text(self.public)

    def open(self, package: bytes) -> dict[str, Any]:
        """Open a package; raise ``NotOpened``."""
        told = PACKAGE.header(package)
        if told["to"] != fingerprint(self.public):
            message = f"this package is sealed to {told['to']}, not to the key {fingerprint(self.public)}"
            raise NotOpened(message)
        return _content(PACKAGE.open_with_key(self._key, package))

    def __repr__(self) -> str:
        """Show nothing of the secret."""
        return f"<recipient's keys {fingerprint(self.public)}>"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A package as it leaves: ``to`` is the fingerprint of a key, or ``passphrase``, which is told beside, once."""

    parcel: bytes
    to: str
    passphrase: str | None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the sealed bytes."""
        return hashlib.sha256(self.parcel).digest()


def fingerprint(public_key: bytes) -> str:
    """Give the beginning of the SHA-256 of a key, as people compare it."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def read_public(text: str) -> bytes:
    """Read a public key as ``RecipientKeys.public_text`` writes it; raise ``ValueError``."""
    raw = _unwritten(text, PUBLIC_PREFIX)
    if not usable(raw):
        message = "nothing can be sealed to this key"
        raise ValueError(message)
    return raw


def seal_package(
    content: dict[str, Any], *, package: UUID, provision: UUID, at: datetime, public_key: bytes | None
) -> Sealed:
    """Seal the content of a package to a recipient's key, or under a new passphrase where there is none."""
    to = PASSPHRASE if public_key is None else fingerprint(public_key)
    made_at = at.astimezone(UTC).isoformat(timespec="seconds")
    header = orjson.dumps({"package": str(package), "provision": str(provision), "made_at": made_at, "to": to})
    inside = orjson.dumps(content)
    if public_key is not None:
        return Sealed(PACKAGE.seal_to_key(public_key, header, inside), to, None)
    passphrase = new_passphrase()
    return Sealed(PACKAGE.seal_with_passphrase(passphrase, header, inside), to, passphrase)


def open_with_passphrase(passphrase: str, package: bytes) -> dict[str, Any]:
    """Open a package that is sealed under a passphrase; raise ``NotOpened``."""
    told = PACKAGE.header(package)
    if told["to"] != PASSPHRASE:
        message = f"this package is sealed to the key {told['to']}"
        raise NotOpened(message)
    return _content(PACKAGE.open_with_passphrase(passphrase, package))


def _content(inside: bytes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(inside)
    return found


def _unwritten(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        message = "this begins otherwise"
        raise ValueError(message)
    return from_text(text.removeprefix(prefix), KEY_SIZE)
