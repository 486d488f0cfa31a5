"""Search terms in the log, as keyed hashes: equal terms can be found there, and no term can be read from it."""

import hmac
from dataclasses import dataclass, field
from typing import Final

_HASH_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Terms:
    """Hashes terms under one key (32 bytes, from the keyring)."""

    key: bytes = field(repr=False)

    def masked(self, term: str) -> str:
        """Hash a term, whatever its case."""
        return hmac.digest(self.key, term.lower().encode(), "sha256")[:_HASH_BYTES].hex()
