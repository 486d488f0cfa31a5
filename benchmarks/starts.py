"""P9: how long a process takes from ``duanhao serve`` to the first 200 on ``/readyz``, on a store that is there, and what memory it holds.

Each round starts a server anew on the server's core, with the command that an operator types, waits until it is ready, lets callers look at
cards and pages as long as it takes to fill what a process keeps, reads its resident memory, and stops it. Files are warm in the page
cache: a restart is measured, not the first start after the machine's own. Processor time is told beside the clock's, which a busy machine
stretches.
"""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.machine import SERVER_CORE, load_core, pin, processor_seconds
from benchmarks.processes import ROOT, NotServingError, clean_environment, free_port
from benchmarks.stores import Store

_LONGEST: Final = 60.0
_LOOKS: Final = 300
_PAGES: Final = 20
_MIB: Final = 1024


def measured(store: Store, rounds: int) -> dict[str, Any]:
    """Start ``rounds`` servers one after the other; give the medians, and every round."""
    starts, used, idle, resident = [], [], [], []
    for _ in range(rounds):
        with _started(store) as (process, port, seconds):
            starts.append(seconds)
            used.append(processor_seconds(process.pid))
            idle.append(memory(process.pid))
            _look(store, port)
            resident.append(memory(process.pid))
    return {
        "seconds": median(starts),
        "resident_mib": max(resident),
        "starts": starts,
        "processor_seconds": median(used),
        "resident_ready_mib": median(idle),
        "residents": resident,
    }


def memory(process: int) -> float:
    """Give a process's resident memory in MiB, what it shares with others included."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _MIB
    message = f"process {process} tells no VmRSS"
    raise RuntimeError(message)


@contextmanager
def _started(store: Store) -> Iterator[tuple["subprocess.Popen[bytes]", int, float]]:
    port = free_port()
    log = store.settings.data_dir.parent / "starts.log"
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    pin(SERVER_CORE)
    try:
        with log.open("wb") as errors:
            began = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=ROOT, env=clean_environment(store.environment), stdout=errors, stderr=errors
            )
    finally:
        pin(load_core())
    try:
        yield process, port, _ready(process, port, log) - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_LONGEST)


def _ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> float:
    """Ask every few milliseconds; give the moment of the first 200."""
    until = time.perf_counter() + _LONGEST
    while time.perf_counter() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return time.perf_counter()
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    message = f"not ready: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    raise NotServingError(message)


def _look(store: Store, port: int) -> None:
    """Look at cards and pages as every caller in turn; raise when an answer is no 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    paths = [f"/v1/contacts/{store.contacts[at % len(store.contacts)]}" for at in range(_LOOKS)]
    for at, path in enumerate([*paths, *["/v1/contacts?limit=100"] * _PAGES]):
        connection.request("GET", path, headers={"Authorization": f"Bearer {store.tokens[at % len(store.tokens)]}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == http.client.OK, f"{path} answers {answer.status}"
    connection.close()
