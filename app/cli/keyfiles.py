"""Files of commands that work away from the service: secrets that nobody else may read, and what is read whole."""

import os
import sys
from pathlib import Path
from typing import Final

NOT_DONE: Final = 2
_PRIVATE: Final = 0o600


class Stopped(Exception):
    """It cannot be done; the message is one line for the person at the keyboard."""


def write_new(file: Path, secret: str) -> None:
    """Write a secret into a new file for its owner alone, and wait until it is on disk. Never over a file that is there.

    Raises ``Stopped``.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except FileExistsError:
        message = f"{file}: there is a file already, and a key that is lost opens nothing any more"
        raise Stopped(message) from None
    except OSError as error:
        message = f"{file}: {error.strerror}"
        raise Stopped(message) from None
    with os.fdopen(handle, "w", encoding="ascii") as written:
        written.write(secret)
        written.flush()
        os.fsync(written.fileno())


def read(file: Path) -> bytes:
    """Read a file whole; raise ``Stopped``."""
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file}: {error.strerror}"
        raise Stopped(message) from None


def stopped(line: str) -> int:
    """Tell why nothing was done; give the exit code."""
    sys.stderr.write(f"duanhao: {line}\n")
    return NOT_DONE
