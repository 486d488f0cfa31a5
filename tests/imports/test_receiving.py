"""Places of files that come in: few at once, given back however it ends, and none is held for long."""

import asyncio
from io import BytesIO

import pytest

from app.attachments.errors import TooManyUploads, UploadTooSlow
from app.imports.receiving import Berths
from app.kit.uploads import Upload

FILE = Upload("people", "text/plain", None, BytesIO(b"x"))


async def at_once() -> Upload:
    return FILE


async def test_few_at_once_and_every_place_comes_back() -> None:
    berths = Berths(1)
    for fault in (None, ValueError):
        try:
            async with berths.file(at_once) as upload:
                assert upload is FILE
                with pytest.raises(TooManyUploads):
                    await berths.file(at_once).__aenter__()
                if fault is not None:
                    raise fault
        except ValueError:
            assert fault is ValueError
    async with berths.file(at_once):
        pass


async def test_who_is_slow_gives_up_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.imports.receiving._LONGEST_SECONDS", 0.0)
    berths = Berths(1)
    with pytest.raises(UploadTooSlow):
        await berths.file(asyncio.Event().wait).__aenter__()  # type: ignore[arg-type]  # it never gives one
    async with berths.file(at_once) as upload:
        assert upload is FILE
