"""Real server processes on real stores, started and killed as an operator or an accident would.

A server is ``duanhao serve`` in a process of its own, on 127.0.0.1 and a free port, with its settings in the environment; nothing of it is
shared with the test but the store. It is stopped by process id.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.application import PLENTY, SENSITIVE, opened_world
from tests.support.company import PEOPLE
from tests.support.stores import TestStore

_START_SECONDS = 90.0


def free_port() -> int:
    """Find a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(store: TestStore, **more: str) -> dict[str, str]:
    """Write a store's settings as the environment of a process, which keeps the bytecode that it compiles as an installed one has it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DUANHAO_")}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {**inherited, "DUANHAO_DATA_DIR": str(store.settings.data_dir), "DUANHAO_LOG_LEVEL": "info", **more}
    found["DUANHAO_CONTACTS__COLLECT_SENSITIVE"] = '["' + '","'.join(SENSITIVE) + '"]'
    for name in ("CONTACTS", "REVEALS", "SERVICE_CONTACTS"):
        found.setdefault(f"DUANHAO_QUOTAS__{name}", str(PLENTY))
    if store.dialect == "postgresql":
        found["DUANHAO_DATABASE__URL"] = store.service_dsn
        found["DUANHAO_DATABASE__OWNER_URL"] = store.owner_dsn
    return found


@dataclass(slots=True)
class Server:
    """One running ``duanhao serve``."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        """End every process of it at once, as the kernel or a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


@contextmanager
def serving(store: TestStore, *, workers: int = 1, **more: str) -> Iterator[Server]:
    """Serve ``store`` until the block ends; returns when ``/readyz`` is green."""
    with starting(store, workers=workers, **more) as server:
        _await_ready(server)
        yield server


@contextmanager
def all_serving(store: TestStore, processes: int) -> Iterator[list[Server]]:
    """Serve ``store`` by so many processes, which start together, until the block ends."""
    with ExitStack() as running:
        servers = [running.enter_context(starting(store)) for _ in range(processes)]
        for each in servers:
            _await_ready(each)
        yield servers


@contextmanager
def starting(store: TestStore, *, workers: int = 1, **more: str) -> Iterator[Server]:
    """Start a server, which is not ready yet, and end it when the block ends."""
    port = free_port()
    log = store.settings.data_dir.parent / f"server-{port}.log"
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(store, **more), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Server(process, f"http://127.0.0.1:{port}", log)
    try:
        yield server
    finally:
        server.stop()


def _await_ready(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client(timeout=2, verify=False) as client:  # noqa: S501 — plain HTTP; a context for TLS costs more than the question
        while time.monotonic() < deadline:
            if server.process.poll() is not None:
                message = f"the server ended at start: {server.log.read_text(errors='replace')[-2000:]}"
                raise AssertionError(message)
            with suppress(httpx.TransportError):
                if client.get(f"{server.url}/readyz").status_code == 200:
                    return
            time.sleep(0.05)
    message = f"the server is not ready: {server.log.read_text(errors='replace')[-2000:]}"
    raise AssertionError(message)


@dataclass(frozen=True, slots=True)
class Company:
    """The small company in a store that nobody has open: its ids, and a token for everybody."""

    people: dict[str, str]
    tokens: dict[str, str]
    departments: dict[str, str]


def founded(store: TestStore) -> Company:
    """Write the small company into ``store`` and close it again."""

    async def found() -> Company:
        async with opened_world(store.settings) as world:
            names = [
                *(name for name in PEOPLE if PEOPLE[name].kind != "hotline"),
                "hr-system",
                "siem",
                "directory-sync",
            ]
            tokens = {name: await world.token(name) for name in names}
            return Company(
                {name: str(identity) for name, identity in world.people.items()},
                tokens,
                {code: str(identity) for code, identity in world.departments.items()},
            )

    return asyncio.run(found())


def until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until ``condition`` holds; give how long that took, fail after ``seconds``."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.05)
    message = f"{what} did not happen within {seconds} s"
    raise AssertionError(message)
