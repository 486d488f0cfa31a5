"""Where the root key lives. Four methods, so that a vault, a cloud KMS or a PKCS#11 token can take the place of a file.

The root wraps key-encryption keys and nothing else: a handful of operations at start and at rotation, never one per
value. What is wrapped carries the id of its root, so after a rotation the old root is found and used until everything
is rewrapped. Every provider passes the same conformance suite (``tests/crypto/test_providers.py``). Failures are
``KeyUnavailable`` with a reason for the operator; a reason never contains key material.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from os import urandom
from pathlib import Path
from typing import Final, NoReturn, Protocol, SupportsIndex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto import rootfile
from app.crypto.envelope import prefixed
from app.crypto.errors import KeyUnavailable

ROOT_SIZE: Final = 32

_FORMAT: Final = b"\x01"
_ID_SIZE: Final = 8
_NONCE_SIZE: Final = 12
_BODY_AT: Final = 1 + _ID_SIZE + _NONCE_SIZE
_ID_DOMAIN: Final = b"duanhao:root-id:1"
_WRAP_DOMAIN: Final = b"duanhao:root-wrap:1"


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Which provider, which root it wraps with now, and whether it made that root just now (then it wants a backup)."""

    name: str
    root_id: str
    generated: bool


class KeyProvider(Protocol):
    """The root key, wherever it is. All methods may block; call them in a thread."""

    def describe(self) -> ProviderStatus:
        """Name the provider and its current root."""
        ...

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wrap ``key`` under the current root, bound to ``context``."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwrap under whichever root wrapped it; raises ``KeyUnavailable`` without that root and that context."""
        ...

    def rotate(self) -> ProviderStatus:
        """Make a new current root, keep the old one for unwrapping; raises ``KeyUnavailable`` where only people can."""
        ...


class Roots:
    """Root keys by id, one of them current; wraps and unwraps in process memory, for the providers of this module."""

    __slots__ = ("_current", "_keys")

    def __init__(self, keys: list[bytes]) -> None:
        """Take root keys of 32 bytes, current one first; raises ``KeyUnavailable`` on none, a bad size or a repeat."""
        if not keys or any(len(key) != ROOT_SIZE for key in keys):
            reason = f"a root key is {ROOT_SIZE} bytes, and at least one is needed"
            raise KeyUnavailable(reason)
        self._keys = {root_id(key): AESGCM(key) for key in keys}
        if len(self._keys) != len(keys):
            reason = "the same root key is given twice"
            raise KeyUnavailable(reason)
        self._current = root_id(keys[0])

    @property
    def current(self) -> str:
        """The id of the root that wraps now."""
        return self._current

    def holds(self, wrapped: bytes) -> bool:
        """Tell whether the root of these wrapped bytes is here."""
        return wrapped[1 : 1 + _ID_SIZE].hex() in self._keys

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wrap: format, root id, nonce, ciphertext and tag."""
        nonce = urandom(_NONCE_SIZE)
        head = _FORMAT + bytes.fromhex(self._current)
        return head + nonce + self._keys[self._current].encrypt(nonce, key, _binding(head, context))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwrap, or raise ``KeyUnavailable`` naming the root that would be needed."""
        head, nonce, body = wrapped[: 1 + _ID_SIZE], wrapped[1 + _ID_SIZE : _BODY_AT], wrapped[_BODY_AT:]
        if wrapped[:1] != _FORMAT or len(wrapped) <= _BODY_AT:
            reason = "a wrapped key has a format that this version does not know"
            raise KeyUnavailable(reason)
        root = self._keys.get(head[1:].hex())
        if root is None:
            reason = f"a key was wrapped under root {head[1:].hex()}, which is not among those given"
            raise KeyUnavailable(reason)
        try:
            return root.decrypt(nonce, body, _binding(head, context))
        except InvalidTag:
            reason = f"a key under root {head[1:].hex()} is altered, or was wrapped for another place"
            raise KeyUnavailable(reason) from None

    def __repr__(self) -> str:
        """Name the roots by id."""
        return f"<roots current={self._current} held={len(self._keys)}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse to be copied or pickled."""
        message = "root keys are neither copied nor pickled"
        raise TypeError(message)


class FileProvider:
    """Root keys in a file of mode 0600 or stricter. The default where nothing better is configured."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Read the file; with ``create`` make it, atomically, when there is none.

        Production passes ``create=False``: a root is placed there explicitly. Raises ``KeyUnavailable`` when the file
        is absent, not a regular file, somebody else's, or open to group or others.
        """
        self._path = path
        made = rootfile.create(path, urandom(ROOT_SIZE)) if create and not path.exists() else False
        self._roots = Roots(rootfile.read(path))
        self._generated = made

    def describe(self) -> ProviderStatus:
        """Name the current root; ``generated`` is true when this object made the file."""
        return ProviderStatus(name="file", root_id=self._roots.current, generated=self._generated)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wrap under the current root."""
        return self._roots.wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwrap; a root that is not known yet may have been added to the file by another process since."""
        if not self._roots.holds(wrapped):
            self._roots = Roots(rootfile.read(self._path))
        return self._roots.unwrap(wrapped, context)

    def rotate(self) -> ProviderStatus:
        """Put a new root first in the file, atomically and durably, before anything is wrapped under it.

        Old roots stay in the file, because yesterday's backup of the database needs them; removing a line is an
        operator's decision.
        """
        self._roots = Roots(rootfile.prepend(self._path, urandom(ROOT_SIZE)))
        self._generated = True
        return self.describe()

    def __repr__(self) -> str:
        """Name the file."""
        return f"<file provider {self._path} {self._roots!r}>"


class EnvProvider:
    """Root keys in an environment variable: base64 of 32 bytes each, the current one first, separated by commas."""

    def __init__(self, variable: str, *, environ: Mapping[str, str] | None = None) -> None:
        """Read the variable; raises ``KeyUnavailable`` when it is unset or not root keys."""
        self._variable = variable
        text = (os.environ if environ is None else environ).get(variable, "")
        if not text.strip():
            reason = f"the environment variable {variable} is not set"
            raise KeyUnavailable(reason)
        self._roots = Roots([decode_root(part, origin=variable) for part in text.split(",")])

    def describe(self) -> ProviderStatus:
        """Name the current root; this provider never makes one."""
        return ProviderStatus(name="env", root_id=self._roots.current, generated=False)

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Wrap under the current root."""
        return self._roots.wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Unwrap under whichever of the given roots wrapped it."""
        return self._roots.unwrap(wrapped, context)

    def rotate(self) -> ProviderStatus:
        """Refuse: a process cannot set its own environment for the next start."""
        reason = f"put the new root first in {self._variable}, keep the old one after a comma, and rewrap"
        raise KeyUnavailable(reason)

    def __repr__(self) -> str:
        """Name the variable."""
        return f"<env provider {self._variable} {self._roots!r}>"


def root_id(key: bytes) -> str:
    """Name a root: 16 hexadecimal digits of a hash, which tell nothing of 256 random bits."""
    return sha256(_ID_DOMAIN + key).digest()[:_ID_SIZE].hex()


def encode_root(key: bytes) -> str:
    """Write a root as ``EnvProvider`` reads it."""
    return base64.b64encode(key).decode()


def decode_root(text: str, *, origin: str) -> bytes:
    """Read a root written by ``encode_root``; raises ``KeyUnavailable`` naming ``origin``, never the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != ROOT_SIZE:
        reason = f"{origin} does not hold base64 of {ROOT_SIZE} bytes"
        raise KeyUnavailable(reason)
    return key


def _binding(head: bytes, context: bytes) -> bytes:
    """Serialise what a wrapped key is bound to."""
    return prefixed(_WRAP_DOMAIN) + prefixed(head) + prefixed(context)
