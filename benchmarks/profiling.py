"""Where the time goes: samples of the event loop's thread by pyinstrument, of all threads by py-spy, added up by function.

Own time is what a function spent itself, with the C code that it called; total time is with everything below it.
"""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

INTERVAL: Final = 0.0005
_SITE: Final = "site-packages/"


@dataclass(frozen=True, slots=True)
class Line:
    """One function: shares of all samples, from 0 to 1."""

    function: str
    own: float
    total: float


def profiler() -> Any:  # noqa: ANN401 — pyinstrument may be absent
    """Make a profiler; raise ``ModuleNotFoundError`` where pyinstrument is not installed."""
    from pyinstrument import Profiler  # noqa: PLC0415 — a benchmark without a profile does without it

    return Profiler(interval=INTERVAL, async_mode="disabled")


def write(made: Any, target: Path) -> None:  # noqa: ANN401 — pyinstrument may be absent
    """Stop the profiler and write what it saw: stacks, outermost function first, with their seconds."""
    if not made.is_running:
        target.write_text("[]", encoding="utf-8")
        return
    session = made.stop()
    stacks = [
        [[_named(*each.split("\x01")[0].split("\x00")[:3]) for each in stack], seconds]
        for stack, seconds in session.frame_records
    ]
    target.write_text(json.dumps(stacks), encoding="utf-8")


def _named(function: str, file: str = "", line: str = "") -> str:
    short = file.rpartition(_SITE)[2] if _SITE in file else file.rpartition("/main/")[2]
    return f"{function} ({short}:{line})"


def read(target: Path) -> list[Line]:
    """Add up by function what ``write`` wrote."""
    return lines((tuple(stack), seconds) for stack, seconds in json.loads(target.read_text(encoding="utf-8")))


def lines(stacks: Iterable[tuple[tuple[str, ...], float]]) -> list[Line]:
    """Add up samples by function, most own time first."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    everything = 0.0
    for stack, weight in stacks:
        if not stack:
            continue
        everything += weight
        own[stack[-1]] += weight  # type: ignore[assignment]  # a counter of seconds
        for each in set(stack):
            total[each] += weight  # type: ignore[assignment]  # a counter of seconds
    return [Line(each, own[each] / everything, total[each] / everything) for each, _ in own.most_common()]


class Spy:
    """py-spy on a running process, where it is installed: whichever thread holds the interpreter; it slows the process hardly."""

    def __init__(self, process: int, seconds: float) -> None:
        """Start it for so many seconds."""
        self._folder = Path(tempfile.mkdtemp(prefix="duanhao-spy-"))
        self._target = self._folder / "raw"
        command = shutil.which("py-spy")
        options = ("record", "--gil", "--nonblocking", "--function", "--pid", str(process), "--rate", "250")
        rest = ("--duration", str(max(1, round(seconds))), "--format", "raw", "--output", str(self._target))
        self._running = (
            None
            if command is None
            else subprocess.Popen([command, *options, *rest], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    def finish(self) -> list[Line]:
        """Wait for it and add up; nothing where it is not installed or may not look into the process."""
        try:
            if self._running is None or self._running.wait() != 0:
                return []
            found = []
            for line in self._target.read_text(encoding="utf-8").splitlines():
                stack, _, count = line.rpartition(" ")
                found.append((tuple(stack.split(";")), float(count)))
            return lines(found)
        finally:
            shutil.rmtree(self._folder)
