"""Search tags: a keyed hash of a value, cut to few bits, so that many people share it and none can be read from it.

Pure but for the keys, which follow from the ``index`` KEK, one for each kind of tag and version of the KEK. The whole hash never leaves
``TagKeys.tag``; how many bits stay is the planner's word (``app.contacts.tag_rules``). reference/crypto-audit.md C3.
"""

from hmac import digest
from typing import Final, Literal, Protocol

from app.crypto.envelope import prefixed

MOST_BITS: Final = 20
"""Whatever a plan says, no tag is longer."""
_DOMAIN: Final = b"duanhao:tag:1"
_WORD: Final = 64


class IndexKeys(Protocol):
    """Gives keys that follow from the ``index`` KEK: the keyring, or a stand-in of a test."""

    def mac_key(self, label: str, *, version: int | None = None) -> bytes:
        """Derive 32 bytes for ``label``; raise ``KeyUnavailable`` for a version that is not loaded."""
        ...

    def current_version(self, purpose: Literal["index"]) -> int:
        """Tell the version in use."""
        ...


class TagKeys:
    """Makes tags. Says nothing of its keys."""

    __slots__ = ("_keys", "_made")

    def __init__(self, keys: IndexKeys) -> None:
        """Take where keys come from; each is derived once."""
        self._keys = keys
        self._made: dict[tuple[str, int], bytes] = {}

    @property
    def version(self) -> int:
        """The version of the ``index`` KEK that new tags are made under."""
        return self._keys.current_version("index")

    def tag(self, kind: str, value: str, *, partition: bytes, version: int, bits: int) -> int:
        """Give the tag of ``value`` in normal form: ``bits`` bits (0 to 20), and 0 where there are none.

        Tags of one value in two partitions, of two kinds or under two versions have nothing to do with each other. Raises ``ValueError``
        for more bits and ``KeyUnavailable`` for a version that is not loaded.
        """
        if not 0 <= bits <= MOST_BITS:
            message = f"a search tag has at most {MOST_BITS} bits"
            raise ValueError(message)
        if bits == 0:
            return 0
        key = self._made.get((kind, version))
        if key is None:
            key = self._made[kind, version] = self._keys.mac_key(f"tag:{kind}", version=version)
        message_bytes = b"".join(prefixed(part) for part in (_DOMAIN, kind.encode(), partition, value.encode()))
        return int.from_bytes(digest(key, message_bytes, "sha256")[: _WORD // 8], "big") >> (_WORD - bits)

    def __repr__(self) -> str:
        """Show nothing of the keys."""
        return "<tag keys>"
