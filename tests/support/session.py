"""One folder for a run of the suite, shared by its processes and gone at its end.

The process that started the run holds a lock for as long as it lives, so a later run can tell a folder that is in use
from one whose run was killed, and clears the latter away: its server is stopped, its files are removed.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.postgres import Cluster, LocalPostgres

FOLDER: Final = pytest.StashKey["SessionFolder"]()
"""Where ``tests/conftest.py`` leaves the folder of the run."""

_NAME: Final = "duanhao-tests-"
_SETTLED_SECONDS: Final = 60
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 — a folder of its own is made in it, readable by its owner alone
_ROOM: Final = 4 * 1024**3


def roomy_memory() -> Path | None:
    """Give the file system in memory where there is one with room, unless ``TMPDIR`` says where temporary files go.

    Copying a database writes some five hundred files, which costs ten times as much on a disk.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ROOM else None


class SessionFolder:
    """The shared folder: its lock, its PostgreSQL, its templates."""

    def __init__(self, root: Path, *, external: str | None) -> None:
        """Use the folder ``root``; ``external`` is a superuser's address on a server to use in place of our own."""
        self.root = root
        self._external = external

    @classmethod
    def open(cls, *, external: str | None) -> tuple["SessionFolder", int]:
        """Make the folder of a new run, clear away what dead runs left; answer it and the lock that keeps it alive."""
        place = roomy_memory() or Path(tempfile.gettempdir())
        for other in place.glob(f"{_NAME}*"):
            found = _found(other)
            if found is not None and found.st_uid == os.getuid():
                _clear_if_dead(other)
        root = Path(tempfile.mkdtemp(prefix=_NAME, dir=place))
        descriptor = os.open(root / "alive", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return cls(root, external=external), descriptor

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process of the run at a time make what all of them share."""
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def cluster(self) -> Cluster:
        """Give the PostgreSQL of this run, started and with its roles made by whichever process asks first."""
        local = LocalPostgres(self.root / "pg")
        in_memory = self._external is None and self.root.is_relative_to(_MEMORY)
        cluster = Cluster(self._external or local.url, prefix=self.prefix, in_memory=in_memory)
        ready = self.root / "postgres.ready"
        with self.locked():
            if not ready.exists():
                if self._external is None:
                    local.start()
                cluster.make_roles()
                ready.touch()
        return cluster

    def close(self) -> None:
        """Stop the server, drop what was made on one that is not ours, and remove the folder."""
        if (self.root / "postgres.ready").exists() and self._external is not None:
            self.cluster().drop_all()
        _remove(self.root)

    @property
    def prefix(self) -> str:
        """What every database of this run is named after."""
        return "duanhao_test_" + self.root.name.removeprefix(_NAME).replace("-", "_").lower()


def _found(folder: Path) -> os.stat_result | None:
    """Look at a folder that another run may be clearing away at this moment; ``None`` when it is gone."""
    try:
        return folder.stat()
    except FileNotFoundError:
        return None


def _clear_if_dead(folder: Path) -> None:
    """Remove the folder of a run whose process has ended without doing so itself."""
    try:
        descriptor = os.open(folder / "alive", os.O_RDWR)
    except FileNotFoundError:
        found = _found(folder)
        if found is not None and time.time() - found.st_mtime > _SETTLED_SECONDS:
            _remove(folder)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        _remove(folder)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    for data in folder.glob("pg*"):
        LocalPostgres(data).stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)
