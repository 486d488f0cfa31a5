"""A parcel: bytes that leave this service sealed, and are opened away from it by whoever has the key or the passphrase. Pure.

A parcel begins with a line that says which kind it is and a line of JSON that says what it is and for whom; both are readable by everybody
and authenticated with what is inside, so a parcel does not pass for another. Inside is AES-256-GCM. To a key: an ephemeral X25519
exchange and HKDF-SHA256 over both public keys. Under a passphrase: HKDF-SHA256 over a salt; that is enough only because the service makes
the passphrase itself, of 150 random bits, and nobody chooses one.
"""

import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE: Final = 32
_NONCE: Final = 12
_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 letters and digits that nobody takes for each other."""
_GROUPS: Final = 6
_GROUP: Final = 5


class NotOpened(Exception):
    """No parcel of this kind, no key, or not the key of this parcel; the message says which, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of parcel: its first line, what its keys are derived for, what its second line must say, and what people call it."""

    first_line: bytes
    info: bytes
    members: frozenset[str]
    called: str

    def seal_to_key(self, public_key: bytes, header: bytes, content: bytes) -> bytes:
        """Seal ``content`` to an X25519 public key of 32 bytes; ``header`` is the second line."""
        ephemeral = X25519PrivateKey.generate()
        mine, nonce = ephemeral.public_key().public_bytes_raw(), os.urandom(_NONCE)
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
        box = AESGCM(self._derived(shared, mine + public_key)).encrypt(nonce, content, header)
        return self.first_line + header + b"\n" + mine + nonce + box

    def seal_with_passphrase(self, passphrase: str, header: bytes, content: bytes) -> bytes:
        """Seal ``content`` under a passphrase of ``new_passphrase``; ``header`` is the second line."""
        salt, nonce = os.urandom(KEY_SIZE), os.urandom(_NONCE)
        box = AESGCM(self._derived(_normal(passphrase), salt)).encrypt(nonce, content, header)
        return self.first_line + header + b"\n" + salt + nonce + box

    def header(self, parcel: bytes) -> dict[str, Any]:
        """Give what a parcel says of itself, unproven until it is opened; raise ``NotOpened``."""
        return self._parted(parcel)[1]

    def open_with_key(self, key: X25519PrivateKey, parcel: bytes) -> bytes:
        """Open a parcel that is sealed to ``key``; raise ``NotOpened``."""
        line, _, ephemeral, nonce, box = self._parted(parcel)
        try:
            shared = key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        except ValueError:
            raise self._touched() from None
        return self._opened(self._derived(shared, ephemeral + key.public_key().public_bytes_raw()), line, nonce, box)

    def open_with_passphrase(self, passphrase: str, parcel: bytes) -> bytes:
        """Open a parcel that is sealed under a passphrase; raise ``NotOpened``."""
        line, _, salt, nonce, box = self._parted(parcel)
        return self._opened(self._derived(_normal(passphrase), salt), line, nonce, box)

    def _opened(self, key: bytes, line: bytes, nonce: bytes, box: bytes) -> bytes:
        try:
            return AESGCM(key).decrypt(nonce, box, line)
        except InvalidTag:
            raise self._touched() from None

    def _touched(self) -> NotOpened:
        return NotOpened(f"the {self.called} was changed, is not whole, or is not for what it was opened with")

    def _parted(self, parcel: bytes) -> tuple[bytes, dict[str, Any], bytes, bytes, bytes]:
        line, separator, rest = parcel.removeprefix(self.first_line).partition(b"\n")
        least, told = KEY_SIZE + _NONCE, None
        if parcel.startswith(self.first_line) and separator and len(rest) > least:
            try:
                told = orjson.loads(line)
            except ValueError:
                told = None
        if not isinstance(told, dict) or not self.members <= told.keys():
            message = f"this is no {self.called}"
            raise NotOpened(message)
        return line, told, rest[:KEY_SIZE], rest[KEY_SIZE:least], rest[least:]

    def _derived(self, secret: bytes, salt: bytes) -> bytes:
        return HKDF(algorithm=hashes.SHA256(), length=KEY_SIZE, salt=salt, info=self.info).derive(secret)


def new_passphrase() -> str:
    """Make a passphrase of 150 random bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def usable(public_key: bytes) -> bool:
    """Tell whether something can be sealed to a public key: it has the length of one and gives a secret."""
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError:
        return False
    return True


def in_text(raw: bytes) -> str:
    """Write a key as text."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str, size: int) -> bytes:
    """Read what ``in_text`` wrote of so many bytes, and only that; raise ``ValueError``."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(raw) != size or in_text(raw) != text:
        message = "not so many bytes, or written otherwise"
        raise ValueError(message)
    return raw


def _normal(passphrase: str) -> bytes:
    """Read a passphrase as somebody types it: groups and case mean nothing."""
    return "".join(passphrase.split()).replace("-", "").upper().encode()
