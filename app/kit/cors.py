"""Browsers of other origins: which may read our answers (the CORS protocol of the Fetch standard).

An origin is configured exactly, scheme, host and port (``app.config`` refuses any other); there is no wildcard. Callers prove themselves
with a bearer token and never with a cookie, so credentials are never allowed and a page that is not listed gains nothing from its reader's
sign-in. A preflight says what a listed page may ask and is answered before anybody is authenticated, since a browser sends no token with
it. Unlisted origins are answered as if nobody had asked: their browsers keep the answer from the page.
"""

from collections.abc import Collection, Sequence
from typing import Final

from starlette.types import Scope

METHODS: Final = "GET, POST, PATCH, DELETE"
REQUEST_HEADERS: Final = (
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID, traceparent"
)
EXPOSED: Final = ", ".join(
    (
        *("Content-Disposition", "Duanhao-Disclosure", "ETag", "Idempotency-Replayed", "Location"),
        *("Retry-After", "WWW-Authenticate", "X-Request-ID"),
    )
)
"""What a page reads beside what every page may: the note and the name of a file, where what it made is, when to come again."""
_REMEMBERED_SECONDS: Final = b"600"

Headers = Sequence[tuple[bytes, bytes]]


class Cors:
    """The headers that listed origins get."""

    __slots__ = ("_allowed", "_preflight")

    def __init__(self, origins: Collection[str]) -> None:
        """Take the origins, exactly as browsers send them."""
        self._allowed = {
            origin.encode(): (
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-expose-headers", EXPOSED.encode()),
                (b"vary", b"Origin"),
            )
            for origin in origins
        }
        self._preflight = (
            (b"access-control-allow-methods", METHODS.encode()),
            (b"access-control-allow-headers", REQUEST_HEADERS.encode()),
            (b"access-control-max-age", _REMEMBERED_SECONDS),
        )

    def headers(self, scope: Scope) -> Headers:
        """Give what every answer to this request carries; caches are told that it depends on the origin even where it has none."""
        return self._allowed.get(_one(scope, b"origin"), ((b"vary", b"Origin"),))

    def preflight(self, scope: Scope) -> Headers | None:
        """Give what the answer to a listed origin's preflight carries besides, or ``None`` when this is no such request."""
        if scope["method"] != "OPTIONS" or not _one(scope, b"access-control-request-method"):
            return None
        return self._preflight if _one(scope, b"origin") in self._allowed else None


def _one(scope: Scope, wanted: bytes) -> bytes:
    """Give a header that stands there once; given twice it counts as absent."""
    found = [value for name, value in scope["headers"] if name == wanted]
    return found[0] if len(found) == 1 else b""
