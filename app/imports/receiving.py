"""The places at which large files come in: few at once, since each is held in memory meanwhile, and none for long."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from app.attachments.errors import TooManyUploads, UploadTooSlow
from app.kit.uploads import Upload

Receive = Callable[[], Awaitable[Upload]]
_LONGEST_SECONDS: Final = 900.0


class Berths:
    """Counts who is being received, in this process."""

    def __init__(self, most: int) -> None:
        """Take how many files come in at once."""
        self._free = most

    @asynccontextmanager
    async def file(self, receive: Receive) -> AsyncIterator[Upload]:
        """Receive a file, and hold its place until the block ends. Raises ``TooManyUploads`` and ``UploadTooSlow``."""
        if self._free <= 0:
            raise TooManyUploads
        self._free -= 1
        try:
            yield await self._received(receive)
        finally:
            self._free += 1

    async def _received(self, receive: Receive) -> Upload:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await receive()
        except TimeoutError:
            raise UploadTooSlow from None
