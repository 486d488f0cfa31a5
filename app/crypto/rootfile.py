"""The file that holds root keys: one base64 line each, the current one first, readable by its owner alone.

Creation never overwrites and rotation never loses: a file is written beside its place with mode 0600, flushed to the
disk, then linked (creation fails when somebody was first) or renamed over the old one under a lock on the folder.
"""

import base64
import binascii
import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

from app.crypto.errors import KeyUnavailable

_LOOSE: Final = stat.S_IRWXG | stat.S_IRWXO
_LARGEST: Final = 65536


def read(path: Path) -> list[bytes]:
    """Read the keys; raises ``KeyUnavailable`` unless the file is regular, ours or root's, and closed to all others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = f"the root key file {path} cannot be read: {error.strerror}"
        raise KeyUnavailable(reason) from None
    try:
        _check(path, os.fstat(descriptor))
        content = os.read(descriptor, _LARGEST)
    finally:
        os.close(descriptor)
    try:
        return [base64.b64decode(line, validate=True) for line in content.split()]
    except binascii.Error:
        reason = f"the root key file {path} is not lines of base64"
        raise KeyUnavailable(reason) from None


def create(path: Path, key: bytes) -> bool:
    """Make the file with one key; ``False`` when another process made it first, whose file then stands."""
    with _beside(path, [key]) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            raise _unwritable(path, error) from None
        _flush_folder(path.parent)
        return True


def prepend(path: Path, key: bytes) -> list[bytes]:
    """Put a key first and give back all of them; concurrent calls wait for each other, so no key is lost."""
    with _locked(path.parent):
        keys = [key, *read(path)]
        with _beside(path, keys) as temporary:
            temporary.replace(path)
            _flush_folder(path.parent)
        return keys


def _check(path: Path, status: os.stat_result) -> None:
    """Raise ``KeyUnavailable`` on a file that anybody else could have read or placed."""
    if not stat.S_ISREG(status.st_mode):
        reason = f"the root key file {path} is not a regular file"
        raise KeyUnavailable(reason)
    if status.st_mode & _LOOSE:
        reason = f"the root key file {path} is open to others (mode {stat.S_IMODE(status.st_mode):04o}); make it 0600"
        raise KeyUnavailable(reason)
    if status.st_uid not in (os.geteuid(), 0):
        reason = f"the root key file {path} belongs to another user"
        raise KeyUnavailable(reason)


@contextlib.contextmanager
def _beside(path: Path, keys: list[bytes]) -> Iterator[Path]:
    """Write the content, durable and 0600, under a name of its own in the same folder; remove that name at the end."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's advisory lock."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        reason = f"the folder {folder} of the root key file cannot be opened: {error.strerror}"
        raise KeyUnavailable(reason) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make the name as durable as the content."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(path: Path, error: OSError) -> KeyUnavailable:
    """Name the file and the system's reason."""
    return KeyUnavailable(f"the root key file {path} cannot be written: {error.strerror}")
