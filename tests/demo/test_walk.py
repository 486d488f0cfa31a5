"""A newcomer's first ten minutes: ``make run``, then every command of the README, pasted in order, against the company of 2,000.

The folder that ``make run`` works in is a copy with an environment that leads to this one: nothing is installed, and the data directory is
the walk's own. A command that fails, or an HTTP answer that is no success, ends the walk; what an answer holds by the README is looked for.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from app.composition import open_application
from app.demo.company import company
from app.demo.loader import Phase, load
from tests.demo.readme import BY_HAND, CHINESE, ENGLISH, ROOT, text, walk
from tests.support.server import free_port
from tests.support.stores import SqliteTestStore

pytestmark = pytest.mark.slow

START_SECONDS: Final = 120
LOAD_SECONDS: Final = 60
"""Three times what a load may take on a machine that does nothing else; this one may be doing everything else."""

MARK: Final = "-- the end of an answer --"
PRELUDE: Final = 'set -euo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n'
OWNER_ONLY: Final = 0o077


def folder(home: Path) -> Path:
    """Lay out what ``make run`` needs, with programs that are this environment's."""
    programs = home / ".venv" / "bin"
    programs.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    for name, words in (("python", ""), ("duanhao", " -m app.cli")):
        program = programs / name
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python}{words} "$@"\n', encoding="utf-8"
        )
        program.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "requirements", "docs"):
        (home / name).symlink_to(ROOT / name)
    (home / ".venv" / ".installed-run").touch()
    return home


def program(name: str) -> str:
    """Find what a newcomer must have anyway."""
    found = shutil.which(name)
    assert found is not None, f"the walk needs {name}"
    return found


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DUANHAO_")} | more


@contextmanager
def make_run(home: Path, port: int) -> Iterator[Path]:
    """Do ``make run`` until the block ends; give the file with what it prints."""
    printed = home / "printed"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [program("make"), "run", f"PORT={port}"],
            cwd=home,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=OWNER_ONLY,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _ready(port):
            assert process.poll() is None, printed.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline, "the service is not ready"
            time.sleep(0.2)
        yield printed
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
def test_every_command_of_a_readme_does_what_it_says(name: str, tmp_path: Path) -> None:
    home, port = folder(tmp_path), free_port()
    path = walk(name, MARK)
    here = f"http://127.0.0.1:{port}"
    with make_run(home, port) as printed:
        done = subprocess.run(
            [program("bash"), "-c", PRELUDE + path.script.replace("http://127.0.0.1:8000", here)],
            cwd=home,
            env=environment(DUANHAO_URL=here),
            capture_output=True,
            encoding="utf-8",
            timeout=480,
            umask=OWNER_ONLY,
            check=False,
        )
        introduction = printed.read_text(encoding="utf-8")
    answers = done.stdout.split(f"\n{MARK}\n")
    assert done.returncode == 0, (answers[-1][-1500:], done.stderr[-1500:])
    assert len(answers) == len(path.expected) + 1 > 12
    for answer, expected in zip(answers, path.expected, strict=False):
        assert expected in answer, (expected, answer[-1500:])
    assert f"{here}/docs" in introduction
    assert "2,000" in text(name)


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
def test_the_walk_leaves_out_only_what_it_is_made_of(name: str) -> None:
    script = walk(name, MARK).script
    assert not any(line in BY_HAND for line in script.splitlines())
    assert all(command in text(name).splitlines() for command in BY_HAND)
    assert "make " not in script


async def test_the_whole_company_loads_in_time_and_holds_together(sqlite_store: SqliteTestStore) -> None:
    made = company()
    steps: dict[Phase, tuple[int, int]] = {}

    def tell(phase: Phase, done: int, total: int) -> None:
        steps[phase] = (done, total)

    async with open_application(sqlite_store.settings) as application:
        started = time.monotonic()
        report = await load(application, progress=tell)
        assert time.monotonic() - started < LOAD_SECONDS
        assert (report.loaded, report.contacts, report.departments) == (True, len(made.contacts), 84)
        assert set(steps) == set(Phase)
        assert all(done == total for done, total in steps.values())
        assert await application.contact_rows.size() == len(made.contacts)
        tree = await application.standings.tree()
        assert (len(tree.nodes), tree.distrusted) == (84, frozenset())
        assert max(len(tree.ancestry(each)) for each in tree.nodes) == 3
