"""How a process that runs takes up a rotation of the token keys: a counter tells, and then the keys are read again.

The counter is read at most once a second, whenever somebody asks for a key. If the store does not answer, the keys of before go on; whoever
verifies a token asks the store for more than the keys, and is refused there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from app.auth import epochs
from app.auth.issuer import BuiltInIssuer
from app.crypto.signing import TokenKeys
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.errors import Unavailable

TOKEN_KEYS: Final = "token-keys"  # noqa: S105 — the name of a counter
_LOOK_EVERY_SECONDS: Final = 1.0

_log = structlog.get_logger("duanhao.security")


class KeyRenewal:
    """Keeps the keys of an issuer current."""

    def __init__(
        self,
        issuer: BuiltInIssuer,
        *,
        reader: Reader,
        load: Callable[[], Awaitable[TokenKeys]],
        changed: Callable[[], None],
        clock: Clock,
    ) -> None:
        """Take what loads the keys, and ``changed``, which drops verified tokens."""
        self._issuer, self._reader, self._load, self._changed, self._clock = issuer, reader, load, changed, clock
        self._known: int | None = None
        self._looked = 0.0
        self._looking = asyncio.Lock()
        issuer.renewed_by(self.look)

    async def look(self) -> None:
        """Read the counter if that was not done just now, and the keys when it moved."""
        now = self._clock.now().timestamp()
        if 0 <= now - self._looked < _LOOK_EVERY_SECONDS:
            return
        async with self._looking:
            if 0 <= now - self._looked < _LOOK_EVERY_SECONDS:
                return
            try:
                counted = await epochs.value(self._reader, TOKEN_KEYS)
                if counted != self._known:
                    self._issuer.replace_keys(await self._load())
                    self._changed()
            except Unavailable:
                _log.warning("token_keys_not_looked_at")
                return
            self._known, self._looked = counted, now
