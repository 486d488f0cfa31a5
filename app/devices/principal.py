"""How a device shows that it is itself: HTTP Basic with its id and its own secret, which is all that telephones can do.

A secret has 192 random bits and is kept as a hash under a key of its own, bound to the device, in a row under a MAC: neither a copy of the
store nor an edit of it opens the door. Every refusal is one and the same 401, whether the device is unknown, suspended, lost or retired or
the secret is wrong, and costs the same work. Failures are throttled per device and address, but for calls that show nothing: telephones ask
without credentials first, each time. What is refused goes to the security log.
"""

import hmac
import secrets
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

import structlog

from app.auth.subject import Device as Subject
from app.auth.throttle import Throttle
from app.devices.errors import DeviceRefused
from app.devices.repository import DeviceRepository
from app.devices.rules import TRUSTED, Device
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader
from app.kit.limits import Limiter, RateLimited

SECRET_BYTES: Final = 24
"""192 bits, which Base64 writes in 32 characters: the password fields of telephones are short."""

_LONGEST: Final = 512
_SCHEME: Final = b"basic "
_DOMAIN: Final = b"duanhao device secret 1\x00"
_NOBODY: Final = UUID(int=0)
_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class DevicePrincipal:
    """A device that showed its secret, as its row says."""

    device: Device

    @property
    def subject(self) -> Subject:
        """Name it as a caller, from which ``Standings`` makes a viewer."""
        return Subject(self.device.id)


class DeviceSecrets:
    """Makes secrets and the form in which they are kept."""

    def __init__(self, key: bytes) -> None:
        """Take the key (32 bytes, from the keyring)."""
        self._key = key

    @staticmethod
    def new() -> str:
        """Make a secret."""
        return secrets.token_urlsafe(SECRET_BYTES)

    def digest(self, device_id: UUID, secret: str) -> bytes:
        """Give the stored form, 32 bytes: HMAC-SHA-256 over the device's id and the secret."""
        return hmac.digest(self._key, _DOMAIN + device_id.bytes + secret.encode("utf-8", "surrogatepass"), sha256)


class DeviceDoor:
    """Lets devices in."""

    def __init__(
        self,
        *,
        rows: DeviceRepository,
        kept: DeviceSecrets,
        reader: Reader,
        clock: Clock,
        limiter: Limiter | None = None,
    ) -> None:
        """Take the rows, the form of secrets, the store, the clock, and how often one device may call."""
        self._rows, self._kept, self._reader, self._clock = rows, kept, reader, clock
        self._limiter, self._throttle = limiter, Throttle(clock)

    async def admit(self, headers: Iterable[tuple[bytes, bytes]]) -> DevicePrincipal:
        """Give the device that calls, from a request's raw headers (names in lower case).

        Raises ``DeviceRefused`` (401), ``RateLimited`` (429) for a device or an address that failed too often or calls too often, and
        ``Unavailable`` (503).
        """
        context = current_request()
        address = None if context is None else context.address
        named, secret = credentials(headers)
        if named is None:
            _log.warning("device_refused", device=None, address=address)
            raise DeviceRefused
        wait = self._throttle.wait(str(named), address)
        if wait:
            _log.warning("device_throttled", device=str(named), address=address)
            raise RateLimited(wait)
        device = await self._proven(named, secret)
        if device is None:
            self._throttle.failed(str(named), address)
            _log.warning("device_refused", device=str(named), address=address)
            raise DeviceRefused
        self._throttle.succeeded(str(named), address)
        if self._limiter is not None and (wait := self._limiter.wait(str(device.id))):
            raise RateLimited(wait)
        return DevicePrincipal(device)

    async def _proven(self, named: UUID, secret: str) -> Device | None:
        """Give the device that has this secret and may call; every other answer takes the same reads and comparisons."""
        now = self._clock.now()
        device = await self._rows.by_id(self._reader, named)
        live = await self._rows.secrets(self._reader, named, now)
        shown = self._kept.digest(named, secret)
        kept = [each.digest for each in live] or [self._kept.digest(_NOBODY, "")]
        matches = sum([hmac.compare_digest(shown, each) for each in kept])
        trusted = device is not None and device.state in TRUSTED
        return device if matches and live and trusted else None


def credentials(headers: Iterable[tuple[bytes, bytes]]) -> tuple[UUID | None, str]:
    """Read device id and secret; ``None`` with an empty secret for a header missing, there twice, too long or not Basic (RFC 7617)."""
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) != 1 or len(found[0]) > _LONGEST or found[0][: len(_SCHEME)].lower() != _SCHEME:
        return None, ""
    try:
        name, colon, secret = b64decode(found[0][len(_SCHEME) :].strip(), validate=True).decode().partition(":")
        return (UUID(name), secret) if colon and len(name) == len(str(_NOBODY)) else (None, "")
    except ValueError:
        return None, ""
