"""A server process: on its core, and then exactly what ``duanhao serve`` does, or the yardstick served in the same way.

``python -m benchmarks.launch ours|bare PORT``. With ``DUANHAO_BENCHMARK_PROFILE`` set to a file, SIGUSR1 starts a sampling profiler on the
thread of the event loop and the end of the process writes what it saw.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from app.cli.serve import serve
from benchmarks import profiling
from benchmarks.machine import SERVER_CORE, pin

PROFILE = "DUANHAO_BENCHMARK_PROFILE"


def _bare(port: int) -> None:
    uvicorn.run(
        "benchmarks.bare:application",
        factory=True,
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
    )


@contextmanager
def _profiled(target: str | None) -> Iterator[None]:
    if target is None:
        yield
        return
    profiler = profiling.profiler()
    signal.signal(signal.SIGUSR1, lambda *_: profiler.start())
    signal.signal(
        signal.SIGTERM, lambda *_: None
    )  # uvicorn raises it again when it has ended; the profile is still to be written
    yield
    profiling.write(profiler, Path(target))


def main() -> None:
    """Serve until told to end."""
    which, port = sys.argv[1], int(sys.argv[2])
    pin(SERVER_CORE)
    target = os.environ.pop(PROFILE, None)
    with _profiled(target):
        if which == "ours":
            serve(host="127.0.0.1", port=port)
        else:
            _bare(port)


if __name__ == "__main__":
    main()
