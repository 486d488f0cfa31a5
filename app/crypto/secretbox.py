"""A box for a small secret that belongs to no contact's key, such as what one-time codes are made from.

AES-256-GCM under one key of the keyring, bound to a context, so that a box moved into another row does not open. A person's protected
values are never kept in one: those are sealed under the key of their contact and open with a permit alone.
"""

from os import urandom
from typing import Final, NoReturn, SupportsIndex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.envelope import NONCE_SIZE, prefixed
from app.crypto.errors import SealBroken

_DOMAIN: Final = b"duanhao:secretbox:1"


class SecretBox:
    """Closes and opens boxes under one key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes, from ``Keyring.mac_key(label)`` with a label of its own."""
        self._cipher = AESGCM(key)

    def close(self, context: bytes, secret: bytes) -> bytes:
        """Box ``secret``, bound to ``context``; two boxes of one secret differ."""
        nonce = urandom(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret, prefixed(_DOMAIN) + prefixed(context))

    def open(self, context: bytes, box: bytes) -> bytes:
        """Open what ``close`` made for this context; raise ``SealBroken`` for anything else."""
        try:
            return self._cipher.decrypt(box[:NONCE_SIZE], box[NONCE_SIZE:], prefixed(_DOMAIN) + prefixed(context))
        except (InvalidTag, ValueError):
            raise SealBroken("secret_box") from None

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "<secret box>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "a secret box is neither copied nor pickled"
        raise TypeError(message)
