"""Keys of an issuer outside, fetched and kept.

Promises: an unknown ``kid`` causes at most one fetch a minute, whoever sends it; answers are bounded in size and
time; a redirect is not followed, because the address is configured and not negotiable; https outside development. A
set that cannot be read leaves the previous one in place for a day, so a short outage of the issuer signs nobody out;
a withdrawn key is noticed within the hour.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import httpx
import structlog
from jose.backends.base import Key

from app.auth import jwks
from app.auth.compact import strict_object
from app.auth.errors import IssuerUnavailable
from app.kit.clock import Clock

MAX_BYTES: Final = 262_144
"""Longest key set read."""

BETWEEN_FETCHES: Final = timedelta(minutes=1)
FRESH_FOR: Final = timedelta(hours=1)
USABLE_FOR: Final = timedelta(days=1)
_DEADLINE_SECONDS: Final = 8.0

_log = structlog.get_logger("duanhao.security")


class _UnreadableError(ValueError):
    """The answer is not a key set."""


def new_client() -> httpx.AsyncClient:
    """Make the HTTP client for key sets: short timeouts, few connections, no redirects."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(5.0),
        limits=httpx.Limits(max_connections=4, max_keepalive_connections=0),
        follow_redirects=False,
    )


def check_address(url: str, *, production: bool) -> httpx.URL:
    """Give the address of a key set.

    Raise ``ValueError`` when it is not absolute, carries credentials, or is not https in production.
    """
    address = httpx.URL(url)
    if address.scheme not in {"http", "https"} or not address.host or address.userinfo:
        message = "a key set is fetched from an absolute http(s) address without credentials"
        raise ValueError(message)
    if production and address.scheme != "https":
        message = "outside development a key set is fetched over https only"
        raise ValueError(message)
    return address


class RemoteKeys:
    """The key set of one issuer."""

    def __init__(
        self, url: str, *, client: httpx.AsyncClient, clock: Clock, production: bool, changed: Callable[[], None]
    ) -> None:
        """Fetch nothing yet.

        ``changed`` is called when another set arrives, so that verified tokens are looked at again.
        Raises ``ValueError`` for an address that is not to be fetched.
        """
        self._address = check_address(url, production=production)
        self._client, self._clock, self._changed = client, clock, changed
        self._keys, self._digest = jwks.EMPTY, b""
        self._fetched: datetime | None = None
        self._attempted: datetime | None = None
        self._fetching = asyncio.Lock()

    async def find(self, kid: str, algorithm: str) -> Key | None:
        """Give the key, after a fetch when it is unknown or the set is old.

        ``None`` when the issuer does not publish it. Raises ``Rejected`` when the key does not fit ``algorithm`` and
        ``IssuerUnavailable`` when no usable set is known.
        """
        if not self._is_fresh() or kid not in self._keys.ids:
            await self._refresh(kid)
        if self._fetched is None or self._clock.now() - self._fetched > USABLE_FOR:
            raise IssuerUnavailable(headers={"Retry-After": str(int(BETWEEN_FETCHES.total_seconds()))})
        return self._keys.get(kid, algorithm)

    def _is_fresh(self) -> bool:
        return self._fetched is not None and self._clock.now() - self._fetched < FRESH_FOR

    async def _refresh(self, kid: str) -> None:
        async with self._fetching:
            if self._is_fresh() and kid in self._keys.ids:
                return
            now = self._clock.now()
            if self._attempted is not None and now - self._attempted < BETWEEN_FETCHES:
                return
            self._attempted = now
            try:
                async with asyncio.timeout(_DEADLINE_SECONDS):
                    keys, left_out, digest = await self._fetch()
            except (httpx.HTTPError, TimeoutError, ValueError) as error:
                _log.warning("key_set_unavailable", host=self._address.host, error=type(error).__name__)
                return
            if left_out:
                _log.warning("keys_left_out", host=self._address.host, reasons=sorted(set(left_out)))
            renewed = digest != self._digest
            self._keys, self._digest, self._fetched = keys, digest, now
            if renewed:
                self._changed()

    async def _fetch(self) -> tuple[jwks.KeySet, list[str], bytes]:
        """Give the keys, why others were left out, and a digest of the set, since a key may change under its old name."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        body = bytearray()
        async with self._client.stream("GET", self._address, headers=headers, follow_redirects=False) as response:
            if (
                response.status_code != HTTPStatus.OK
                or response.headers.get("Content-Encoding", "identity") != "identity"
            ):
                message = "not a plain 200 answer"
                raise _UnreadableError(message)
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    message = "the key set is too long"
                    raise _UnreadableError(message)
        keys, left_out = jwks.parse_set(strict_object(bytes(body)))
        if not keys.ids:
            message = "no usable key"
            raise _UnreadableError(message)
        return keys, left_out, sha256(body).digest()
