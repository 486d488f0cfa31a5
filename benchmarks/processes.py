"""Server processes, started and ended by the harness."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from benchmarks.launch import PROFILE

ROOT: Final = Path(__file__).resolve().parents[1]
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 30.0


class NotServingError(RuntimeError):
    """A server process ended, or did not answer in time; the message ends with what it printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    port: int
    process: int

    def start_profile(self) -> None:
        """Let its profiler begin."""
        os.kill(self.process, signal.SIGUSR1)


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Give this process's environment without settings of the service, and ``given``; what it compiles is kept."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DUANHAO_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **given}


@contextmanager
def served(
    which: Literal["ours", "bare"], environment: Mapping[str, str], *, log: Path, profile: Path | None = None
) -> Iterator[Server]:
    """Start a server and give it once it accepts connections; its standard error goes to ``log``. End it when the block ends."""
    port = free_port()
    asked = {} if profile is None else {PROFILE: str(profile)}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.launch", which, str(port)],
            cwd=ROOT,
            env=clean_environment({**environment, **asked}),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    try:
        _wait(process, port, log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    message = f"no answer on port {port}: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    raise NotServingError(message)
