"""One serialisation of a row's values, and a MAC over it. Pure: the key is given.

The columns that policy reads stand in clear, so whoever can write the database could lift a tier or change an owner and
let the policy layer disclose for him. A MAC over those columns makes such an edit visible; it is checked before policy
believes the row. ``encode`` is injective: the number of values, one type tag and one four-byte length each, then the
bodies. Equal bytes mean equal values of equal types, and 1, True, "1" and b"1" are four different things.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hmac import compare_digest
from hmac import digest as hmac_digest
from struct import pack
from typing import Final, TypeAlias
from uuid import UUID

RowValue: TypeAlias = "bool | int | str | bytes | UUID | datetime | date | tuple[RowValue, ...] | None"
"""What a MAC can cover. A list or a mapping has no fixed order or type; turn it into a tuple first."""

MAC_SIZE: Final = 32

_DOMAIN: Final = b"duanhao:rowmac:1"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def encode(values: Sequence[RowValue]) -> bytes:
    """Serialise values in their order, injectively.

    Takes ``None``, bool, int, str, bytes, UUID, aware datetime, date and tuples of these; subclasses (a ``StrEnum``, a
    driver's UUID) count as the type they extend. Raises ``TypeError`` on anything else, a float or a list included, and
    ``ValueError`` on a naive datetime. Errors name the type, never the value.
    """
    tags = bytearray()
    bodies = []
    for value in values:
        if type(value) is str:
            tags.append(0x73)
            bodies.append(value.encode())
        elif type(value) is bytes:
            tags.append(0x79)
            bodies.append(value)
        elif value is None:
            tags.append(0x6E)
            bodies.append(b"")
        else:
            tag, body = _encode_rarer(value)
            tags.append(tag)
            bodies.append(body)
    count = len(bodies)
    return pack(f">I{count}s{count}I", count, bytes(tags), *map(len, bodies)) + b"".join(bodies)


def _encode_rarer(value: RowValue) -> tuple[int, bytes]:
    """Give tag and body of what the common types are not."""
    match value:
        case bool():
            encoded = 0x62, b"\x01" if value else b"\x00"
        case int():
            encoded = 0x69, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
        case UUID():
            encoded = 0x75, value.bytes
        case datetime():
            encoded = 0x74, _microseconds(value).to_bytes(8, "big", signed=True)
        case date():
            encoded = 0x64, value.toordinal().to_bytes(4, "big")
        case tuple():
            encoded = 0x28, encode(value)
        case str():
            encoded = 0x73, str.encode(value)
        case bytes():
            encoded = 0x79, bytes(value)
        case _:
            message = f"a row MAC does not cover {type(value).__name__}"
            raise TypeError(message)
    return encoded


def _microseconds(moment: datetime) -> int:
    """Count microseconds since 1970, so that one instant has one form whatever its zone."""
    if moment.tzinfo is None:
        message = "a naive datetime has no fixed meaning to put under a MAC"
        raise ValueError(message)
    return (moment - _EPOCH) // _MICROSECOND


def mac(key: bytes, values: Sequence[RowValue]) -> bytes:
    """Compute the 32-byte MAC (HMAC-SHA-256) of a row's values under ``key``."""
    return hmac_digest(key, _DOMAIN + encode(values), "sha256")


class RowSigner:
    """Signs and checks rows of the tables whose key is one for all rows: users, roles, grants, departments, clients."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes, from ``Keyring.mac_key(label)``; raises ``ValueError`` on another size."""
        if len(key) != MAC_SIZE:
            message = "a row signer takes a key of 32 bytes"
            raise ValueError(message)
        self._key = key

    def sign(self, table: str, values: Sequence[RowValue]) -> bytes:
        """Compute the MAC of a row: ``values`` in a fixed order, the row's key among them, or rows could be swapped."""
        return mac(self._key, (table, *values))

    def verify(self, table: str, values: Sequence[RowValue], expected: bytes | None) -> bool:
        """Tell in constant time whether ``expected`` is the row's MAC; a missing one never is."""
        return expected is not None and compare_digest(mac(self._key, (table, *values)), expected)

    def __repr__(self) -> str:
        """Hide the key."""
        return "<row signer>"

    def __reduce__(self) -> str | tuple[object, ...]:
        """Refuse to be copied or pickled with its key."""
        message = "a row signer is neither copied nor pickled"
        raise TypeError(message)
