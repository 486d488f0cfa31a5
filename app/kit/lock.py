"""One server process on SQLite, held by a lock file, so that nothing which assumes one process is ever wrong."""

import fcntl
import os
from pathlib import Path
from typing import Self


class StoreIsServedError(RuntimeError):
    """Another process serves this data directory."""


class ServerLock:
    """An advisory lock on ``server.lock`` in the data directory; freed by the kernel when the process ends, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        """Remember where; nothing is locked yet."""
        self._path = data_dir / "server.lock"
        self._descriptor: int | None = None

    def acquire(self) -> Self:
        """Take the lock or raise ``StoreIsServedError``."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            message = f"{self._path.parent} is already served by another process; SQLite means one server"
            raise StoreIsServedError(message) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
