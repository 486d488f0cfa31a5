"""Which core does what, and how busy a process was."""

import os
import platform
from pathlib import Path
from typing import Any, Final

SERVER_CORE: Final = 0
"""What is measured runs here and nothing else of ours does."""

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def load_core() -> int:
    """Give the core of the load generator and of PostgreSQL: the last one that there is."""
    return max(os.sched_getaffinity(0) - {SERVER_CORE}, default=SERVER_CORE)


def pin(core: int) -> None:
    """Keep this process, and the processes that it starts from now on, on ``core``."""
    os.sched_setaffinity(0, {core})


def processor_seconds(process: int) -> float:
    """Tell how much processor time a process has used in all its threads, in seconds."""
    return sum(_used(Path(f"/proc/{process}/stat")))


def thread_seconds(process: int) -> dict[str, tuple[float, float]]:
    """Tell how much processor time each thread of a process has used, in seconds: its own and the kernel's for it.

    The event loop's comes first; threads with one name are added up.
    """
    found: dict[str, tuple[float, float]] = {}
    for task in sorted(Path(f"/proc/{process}/task").iterdir(), key=lambda each: int(each.name)):
        name = "event loop" if task.name == str(process) else (task / "comm").read_text(encoding="utf-8").strip()
        before = found.get(name, (0.0, 0.0))
        own, kernel = _used(task / "stat")
        found[name] = (before[0] + own, before[1] + kernel)
    return found


def _used(stat: Path) -> tuple[float, float]:
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) / _TICKS, int(fields[12]) / _TICKS


def described() -> dict[str, Any]:
    """Say on what was measured, for the results."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.release(),
        "cores": os.cpu_count(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }
