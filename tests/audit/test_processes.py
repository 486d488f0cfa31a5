"""Real processes on one log: gapless under competition, and whole after ``kill -9`` at any moment."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from app.audit.intents import IntentMover
from app.audit.verification import verify
from app.audit.writer import AccessLog
from app.kit.db import Database
from tests.audit.places import BITS, SIGNER, Place, PostgresPlace, draft, until

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[2]
WORKER: Final = "tests.audit.worker"


class Worker:
    """A process; what it was answered goes to a file, where it can be read while it runs and after it died."""

    def __init__(self, place: Place, folder: Path, role: str, *numbers: int) -> None:
        """Start it."""
        where = place.dsn if isinstance(place, PostgresPlace) else str(place.settings.data_dir)
        self._answers = folder / f"answers-{uuid4().hex}"
        with self._answers.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", WORKER, where, role, *map(str, numbers)],
                cwd=ROOT,
                stdout=output,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def answers(self) -> list[Any]:
        """Read the whole lines that it has written."""
        lines = self._answers.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line[0] == "[" and line[-1] == "\n"]

    async def busy(self, count: int) -> None:
        """Wait until it has had so many answers."""
        await until(lambda: len(self.answers()) >= count, seconds=60)

    async def end(self) -> int:
        """Wait until it has ended."""
        return await asyncio.to_thread(self.process.wait, 120)

    async def kill(self) -> list[Any]:
        """Kill it as the power supply would; give its answers."""
        os.kill(self.process.pid, signal.SIGKILL)
        await self.end()
        return self.answers()


Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a way to start workers, none of which outlives its test, even when it was stopped and the test failed."""
    started: list[Worker] = []

    def begin(place: Place, role: str, *numbers: int) -> Worker:
        started.append(Worker(place, tmp_path, role, *numbers))
        return started[-1]

    yield begin
    for worker in started:
        worker.process.kill()
        worker.process.wait(30)


async def test_four_processes_make_one_gapless_log(postgres_place: PostgresPlace, start: Start) -> None:
    workers = [start(postgres_place, "append", number, 64, 8) for number in range(4)]
    assert [await worker.end() for worker in workers] == [0, 0, 0, 0]
    answered = [answer for worker in workers for answer in worker.answers()]
    found = sorted(index for _, index, _ in answered)
    assert found == list(range(4 * 64 * 8))
    stored = dict(await ids(postgres_place))
    assert stored == {identifier: index for identifier, index, _ in answered}
    assert max(waited for _, _, waited in answered) < 4
    report = await verify(postgres_place.source(), verifier=SIGNER.verifier(), bits=BITS)
    assert report.intact
    assert report.size == len(stored)


async def test_every_answered_look_survives_kill_9(place: Place, start: Start) -> None:
    """Killed while it appends: what was answered is there, what is there is whole."""
    answered: dict[str, int] = {}
    for round_number in range(2):
        worker = start(place, "append", round_number, 16, 100_000)
        await worker.busy(50 + 37 * round_number)
        answered |= {identifier: index for identifier, index, _ in await worker.kill()}
        report = await verify(place.source(), verifier=SIGNER.verifier(), bits=BITS)
        assert report.intact, report.damage
    assert len(answered) > 100
    stored = dict(await ids(place))
    assert answered.items() <= stored.items()
    assert sorted(stored.values()) == list(range(len(stored)))


async def ids(place: Place) -> list[tuple[str, int]]:
    rows = await place.run('SELECT id, "index" FROM {log}event')
    return [(str(UUID(bytes=key) if isinstance(key, bytes) else key), index) for key, index in rows]


async def test_no_write_is_lost_or_doubled_by_kill_9(place: Place, start: Start) -> None:
    """A process that writes intents and moves them is killed again and again: each committed write has one event."""
    written: set[str] = set()
    for round_number in range(2):
        worker = start(place, "move", round_number)
        await worker.busy(15 + 4 * round_number)
        written |= {identifier for (identifier,) in await worker.kill()}
    database = Database(place.settings)
    log = AccessLog(place.store(), bits=BITS)
    await log.start()
    await IntentMover(database, log, BITS).move_all()
    await log.stop()
    await database.close()
    stored = [key for key, _ in await ids(place)]
    assert len(written) > 20
    assert len(stored) == len(set(stored))
    assert written <= set(stored)
    assert await place.run("SELECT count(*) FROM audit_intent") == [(0,)]
    assert (await verify(place.source(), verifier=SIGNER.verifier(), bits=BITS)).intact


async def test_a_stalled_process_does_not_hold_the_log(postgres_place: PostgresPlace, start: Start) -> None:
    """One process is stopped in the middle of its work: the others wait for its head no longer than its idle limit."""
    stalled = start(postgres_place, "append", 1, 16, 100_000)
    await stalled.busy(20)
    log = AccessLog(postgres_place.store(wait=1.5), bits=BITS)
    await log.start()
    for _ in range(5):
        os.kill(stalled.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        await log.record(draft())
        assert time.monotonic() - began < 2
        os.kill(stalled.process.pid, signal.SIGCONT)
        await asyncio.sleep(0.05)
    await log.stop()
    await stalled.kill()
    assert (await verify(postgres_place.source(), verifier=SIGNER.verifier(), bits=BITS)).intact
