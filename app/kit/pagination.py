"""Opaque cursors that belong to one caller and one filter.

A cursor is a position and a MAC over caller, filter and position. It reveals nothing that the page did not show, another caller
cannot use it, and a changed filter voids it, so a page never silently continues something else.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Final

import orjson
from pydantic import Field

from app.kit.errors import FieldError, Invalid

Limit = Annotated[int, Field(ge=1, le=200, description="Most items on the page.")]
CursorText = Annotated[str, Field(min_length=8, max_length=1024, description="`next` of the page before.")]
_MAC_BYTES: Final = 16


class BadCursor(Invalid):
    """Not a cursor that this caller was given for this filter."""

    code, title, title_zh = "bad_cursor", "The cursor does not belong to this query", "分页游标与当前查询不符"

    def __init__(self) -> None:
        """Point at the parameter."""
        super().__init__(errors=[FieldError("?cursor", self.code, self.title, self.title_zh)])


class Cursors:
    """Seals and opens cursors under one key."""

    def __init__(self, key: bytes) -> None:
        """Take the key (32 bytes, from the keyring)."""
        self._key = key

    def _mac(self, caller: str, query: object, position: bytes) -> bytes:
        bound = orjson.dumps([caller, query], option=orjson.OPT_SORT_KEYS, default=str)
        return hmac.digest(self._key, len(bound).to_bytes(4) + bound + position, "sha256")[:_MAC_BYTES]

    def seal(self, caller: str, query: object, position: Any) -> str:  # noqa: ANN401 — any JSON
        """Write ``position`` (a JSON value) for this caller and filter."""
        body = orjson.dumps(position)
        return urlsafe_b64encode(self._mac(caller, query, body) + body).rstrip(b"=").decode()

    def open(self, caller: str, query: object, cursor: str) -> Any:  # noqa: ANN401 — any JSON
        """Give the position back; raise ``BadCursor`` for anything else than what ``seal`` wrote for them."""
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError as error:
            raise BadCursor from error
        mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(caller, query, body)):
            raise BadCursor
        return orjson.loads(body)
