"""What a number is called where its digits are not told: an id that only this service can read back.

The id is the number's row under a block cipher, so it needs no column and no index, and of two ids nobody can tell which of the numbers
comes first: rows are made in the order of the digits.
"""

from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK: Final = 16


class NumberNames:
    """Names numbers and reads names."""

    def __init__(self, key: bytes) -> None:
        """Take the key (32 bytes)."""
        cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 — one block with no repetition in it, a permutation of rows
        self._hiding, self._reading = cipher.encryptor(), cipher.decryptor()

    def of(self, row: int) -> UUID:
        """Name a number by its row."""
        return UUID(bytes=self._hiding.update(row.to_bytes(_BLOCK)))

    def row(self, name: UUID) -> int | None:
        """Give the row that a name stands for; ``None`` for what was never given as one."""
        found = int.from_bytes(self._reading.update(name.bytes))
        return found if found.bit_length() < 64 else None  # noqa: PLR2004 — bits of a row number
