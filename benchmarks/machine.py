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
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def described() -> dict[str, Any]:
    """Say on what was measured, for the results."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.release(),
        "cores": os.cpu_count(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }
