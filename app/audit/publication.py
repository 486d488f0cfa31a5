"""Checkpoints leave the machine from the start: each new one is appended to a file that the operator ships elsewhere.

At most one is written per interval, and the newest always on stop. A checkpoint that cannot be written is a warning
and is tried again: it never holds up a look, because the log itself already holds the same signature.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from app.audit.note import find_notes

_TAIL_BYTES: Final = 65_536
_MODE: Final = 0o640

_log = structlog.get_logger("duanhao.audit")


class CheckpointFile:
    """Appends signed checkpoints to one file, durably, from a task of its own."""

    def __init__(self, path: Path, *, interval: float = 1.0) -> None:
        """Take the file, made when missing, and the least number of seconds between two checkpoints."""
        self._path, self._interval = path, interval
        self._offered: str | None = None
        self._written: str | None = None
        self._wake, self._stop = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def offer(self, note: str) -> None:
        """Announce the newest checkpoint; it is written soon, unless a newer one comes first."""
        self._offered = note
        self._wake.set()

    async def start(self) -> None:
        """Begin to write what is offered."""
        self._written = await asyncio.to_thread(newest_note, self._path)
        self._stop.clear()
        self._task = asyncio.create_task(self._run(), name="audit-checkpoints")

    async def stop(self) -> None:
        """Write what is left and end."""
        self._stop.set()
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        await self._publish()

    async def _run(self) -> None:
        while not self._stop.is_set():
            await self._wake.wait()
            self._wake.clear()
            if not await self._publish():
                self._wake.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._stop.wait()

    async def _publish(self) -> bool:
        note = self._offered
        if note is None or note == self._written:
            return True
        try:
            await asyncio.to_thread(append_note, self._path, note)
        except OSError as error:
            _log.warning("checkpoint_not_published", error=type(error).__name__, path=str(self._path))
            return False
        self._written = note
        return True


def append_note(path: Path, note: str) -> None:
    """Append one note in one write and make it durable; the first one also makes the file's name durable."""
    fresh = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
    try:
        os.write(handle, note.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    if fresh:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def newest_note(path: Path) -> str | None:
    """Read the last whole note of the file without reading the file; ``None`` when there is none yet."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    notes = find_notes(text)
    return notes[-1] if notes else None
