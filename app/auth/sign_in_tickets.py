"""What the sign-in page remembers between its forms: in the form itself, under a MAC, for the browser that it was made for.

Nothing is stored for somebody who has not signed in. Each ticket is bound to a random value in a cookie of that browser, so a form that was
made for one browser, or by another site, is no form here; and to its own kind, so that the question of a client never passes for a password
that was proven.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson

from app.kit.clock import Clock

Kind = Literal["request", "proof"]

LIFETIME_SECONDS: Final = 900
"""How long a form may lie open."""

_COOKIE: Final = "duanhao-sign-in"
_NONCE_BYTES: Final = 32
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MAC_BYTES: Final = 32
_ENDS: Final = "ends"


class Tickets:
    """Writes and reads tickets, and the cookie that they are bound to."""

    def __init__(self, key: bytes, *, clock: Clock, secure: bool) -> None:
        """Take the key of the MACs; ``secure`` where people reach the service over https."""
        self._key, self._clock, self._secure = key, clock, secure
        self.cookie_name = f"__Host-{_COOKIE}" if secure else _COOKIE

    def nonce(self, cookies: Mapping[str, str]) -> str | None:
        """Give the browser's value, or ``None`` when it has none."""
        found = cookies.get(self.cookie_name, "")
        return found if _NONCE.fullmatch(found) else None

    def new_nonce(self) -> str:
        """Make a value for a browser that has none."""
        return secrets.token_urlsafe(_NONCE_BYTES)

    def set_cookie(self, nonce: str) -> str:
        """Write the cookie that gives a browser its value."""
        return self._cookie(nonce, LIFETIME_SECONDS)

    def drop_cookie(self) -> str:
        """Write the cookie that takes it back."""
        return self._cookie("", 0)

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{self.cookie_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def write(self, kind: Kind, nonce: str, content: Mapping[str, Any], *, seconds: int = LIFETIME_SECONDS) -> str:
        """Write a ticket that lives ``seconds``."""
        ends = self._clock.now().timestamp() + seconds
        body = orjson.dumps({**content, _ENDS: ends})
        return urlsafe_b64encode(self._mac(kind, nonce, body) + body).decode().rstrip("=")

    def read(self, kind: Kind, nonce: str, text: str) -> dict[str, Any] | None:
        """Give the content of a ticket; ``None`` when it is over, altered, of another kind or another browser."""
        try:
            packed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError:
            return None
        mac, body = packed[:_MAC_BYTES], packed[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(kind, nonce, body)):
            return None
        content: dict[str, Any] = orjson.loads(body)
        return content if self._clock.now().timestamp() < content.pop(_ENDS) else None

    def _mac(self, kind: Kind, nonce: str, body: bytes) -> bytes:
        return hmac.digest(self._key, b"\n".join((kind.encode(), nonce.encode(), body)), "sha256")
