"""What leaves piece by piece: each piece behind a permit of its own.

A stream is disclosed page by page: the page is put on record, and then it leaves, as one message. ``DisclosureGuard`` lets each permit
carry one message, so a page that nobody recorded cannot leave. A failure on the way ends the stream where it can be seen: the guard
writes the problem as the last line where the format has lines, and breaks the connection off where it has not.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

from starlette.responses import StreamingResponse
from starlette.types import Send

from app.kit.errors import Problem

PROBLEM: Final = "duanhao.response.problem"
"""Type of the message that says why a stream ends early; for ``DisclosureGuard`` alone, it goes no further."""

LINES: Final = "application/x-ndjson"
"""The media type in which a problem can be the last line."""

T_co = TypeVar("T_co", covariant=True)


class DisclosedStream(StreamingResponse, Generic[T_co]):
    """Pages of rendered bytes, each of them on record when it is given. The first was given before this was made."""

    media_type = LINES

    def __init__(
        self, first: bytes, rest: AsyncGenerator[bytes], *, media_type: str, filename: str, status_code: int = 200
    ) -> None:
        """Send ``first`` and then ``rest``, to be saved as ``filename``; never cached by anybody in between."""
        headers = {
            "Cache-Control": "no-store",
            "Vary": "Authorization",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="{filename}"',
        }
        super().__init__(rest, status_code=status_code, media_type=media_type, headers=headers)
        self._first, self._rest = first, rest

    async def stream_response(self, send: Send) -> None:
        """Send everything, or the problem that stopped it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._rest) as pages:
            page: bytes | None = self._first
            while page is not None:
                await send({"type": "http.response.body", "body": page, "more_body": True})
                try:
                    page = await anext(pages, None)
                except Problem as problem:
                    await send({"type": PROBLEM, "problem": problem})
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
