"""A fresh installation from the lock of the service alone: nothing that only the checks need is missing from it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tree import ROOT, project_files

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command as somebody would from a shell of their own, not from inside this run's make."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_install_makes_an_environment_that_works(tmp_path: Path) -> None:
    for path in project_files():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)
    run("make", "install", cwd=tmp_path)
    binaries = tmp_path / ".venv" / "bin"
    assert "No broken requirements" in run(binaries / "python", "-m", "pip", "check", cwd=tmp_path)
    assert "serve" in run(binaries / "duanhao", "--help", cwd=tmp_path)
    run(binaries / "duanhao", "openapi", "check", cwd=tmp_path)
    assert not (binaries / "pytest").exists()
    assert "Nothing to be done" in run("make", "--dry-run", "install", cwd=tmp_path)
