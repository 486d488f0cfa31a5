"""How a command waits for work that it has handed in: a little longer each time, and not in silence while nobody takes it up.

A command sees the service alone, not its worker. What it sees is that a job stays in the queue, which on PostgreSQL most often means that
no ``duanhao worker`` runs; on SQLite the server works itself. Waiting is counted in what was slept, so a test needs no clock.
"""

import sys
from collections.abc import Callable
from typing import Final

from app.cli.keyfiles import Stopped

SAID_AFTER: Final = 10.0
GIVEN_UP_AFTER: Final = 1800.0
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_HINT: Final = (
    "duanhao: nobody has taken up the job yet; a service on PostgreSQL needs `duanhao worker` beside it. Still waiting."
    " 任务仍在排队，尚无工作进程处理；使用 PostgreSQL 时须另行启动 `duanhao worker`。继续等待。\n"
)
_NOBODY: Final = (
    "nobody took up the job within half an hour: start `duanhao worker`, which then does it; nothing has to be handed in again"
    " 半小时内无工作进程处理：请启动 `duanhao worker`，任务随后自动执行，无需重新提交"
)


class Patience:
    """Waits for one job."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        """Take how to wait for a number of seconds."""
        self._sleep, self._pause, self._idle = sleep, _FIRST_PAUSE, 0.0

    def wait(self, *, queued: bool) -> None:
        """Wait once more; ``queued``: nobody has taken it up. Says so once, and raises ``Stopped`` after half an hour of it."""
        if queued and self._idle >= GIVEN_UP_AFTER:
            raise Stopped(_NOBODY)
        self._sleep(self._pause)
        before = self._idle
        self._idle = before + self._pause if queued else 0.0
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if before < SAID_AFTER <= self._idle:
            sys.stderr.write(_HINT)
