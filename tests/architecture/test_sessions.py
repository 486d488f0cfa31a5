"""Folders of test runs: those of dead runs are cleared away, by one of several runs that begin at once, and those in use by none."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support import session
from tests.support.session import SessionFolder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let runs lie in a folder of the test, and nowhere in memory, where this very run may lie."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def a_run(place: Path, name: str, *, settled: bool = True) -> Path:
    folder = place / f"duanhao-tests-{name}"
    folder.mkdir()
    (folder / "alive").touch()
    if settled:
        os.utime(folder, (0, 0))
    return folder


def opened() -> None:
    _, descriptor = SessionFolder.open(external=None)
    os.close(descriptor)


def test_what_a_dead_run_left_goes_and_what_is_in_use_stays(place: Path) -> None:
    dead, used = a_run(place, "dead"), a_run(place, "used")
    nameless, fresh = a_run(place, "nameless"), a_run(place, "fresh")
    for each in (nameless, fresh):
        (each / "alive").unlink()
    os.utime(nameless, (0, 0))
    with (used / "alive").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        opened()
    assert [each.exists() for each in (dead, used, nameless, fresh)] == [False, True, False, True]


@pytest.mark.parametrize("moment", ["stat", "alive"])
def test_a_folder_that_another_run_clears_meanwhile_is_nobodys_fault(
    place: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    dead = a_run(place, "dead")
    if moment == "stat":
        found = session._found

        def looked(folder: Path) -> os.stat_result | None:
            shutil.rmtree(dead, ignore_errors=True)
            return found(folder)

        monkeypatch.setattr(session, "_found", looked)
    else:
        clear = session._clear_if_dead

        def cleared(folder: Path) -> None:
            shutil.rmtree(folder)
            clear(folder)

        monkeypatch.setattr(session, "_clear_if_dead", cleared)
    opened()
    assert not dead.exists()


def test_what_cannot_be_looked_at_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_run(place, "dead")

    def refused(folder: Path) -> None:
        raise PermissionError(folder)

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(PermissionError):
        opened()
