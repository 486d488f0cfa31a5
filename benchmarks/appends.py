"""P4: durable entries of the access log inside one process, with so many who wait at once. ``python -m benchmarks.appends ROUNDS SECONDS``.

Runs in a process of its own on the server's core, on a store that the environment names, and prints JSON.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import orjson
import uvloop

from app.assembly import BITS
from app.audit.events import CohortEntry, EventDraft, encode_states
from app.audit.writer import AccessLog
from app.composition import open_application
from app.config import Settings
from app.kit.models import new_id
from benchmarks.machine import SERVER_CORE, pin

WAITERS: Final = 64
_MASKED: Final = ("mobile", "wecom_id", "personal_mobile", "wechat", "plate")
_STATES: Final = {name: "masked" if name in _MASKED else "shown" for name in BITS.order}


class _Waiters:
    """Those who look, each at the next contact as soon as the last look is durable."""

    def __init__(self, log: AccessLog, contacts: list[UUID]) -> None:
        self._log, self._contacts = log, contacts
        self._json, self._bits, self._fields = encode_states(_STATES), BITS.of(_STATES), frozenset(_STATES)
        self._ends = 0.0
        self.done = 0

    async def _look_on(self, waiter: int) -> None:
        actor, at = str(self._contacts[waiter % len(self._contacts)]), waiter
        epochs = {"benchmark": 0, f"user:{actor}": 0}
        while time.perf_counter() < self._ends:
            at += WAITERS
            contact = self._contacts[at % len(self._contacts)]
            draft = EventDraft(
                id=new_id(),
                at=datetime.now(UTC),
                actor_type="person",
                actor_id=actor,
                tier="T1",
                client_id="intranet",
                action="contact.read",
                decision="allowed",
                purpose="work_contact",
                policy_version="open-1.0.0+0123456789ab",
                cohorts=(CohortEntry(_STATES, (contact,), self._json, self._bits),),
                count=1,
                address="127.0.0.1",
                request_id=f"{at:032x}",
            )
            await self._log.permit(draft, scope={contact: self._fields}, epochs=epochs)
            self.done += 1

    async def rate(self, seconds: float) -> float:
        """Let everybody look for so many seconds; give the looks per second."""
        before, began = self.done, time.perf_counter()
        self._ends = began + seconds
        await asyncio.gather(*(self._look_on(each) for each in range(WAITERS)))
        return (self.done - before) / (time.perf_counter() - began)


async def _measured(rounds: int, seconds: float) -> dict[str, object]:
    async with open_application(Settings(log_level="warning")) as application:
        waiters = _Waiters(application.log, [new_id() for _ in range(300)])
        size = application.log.size
        await waiters.rate(seconds / 2)
        began = time.process_time()
        before = waiters.done
        rates = [await waiters.rate(seconds) for _ in range(rounds)]
        used = time.process_time() - began
        assert application.log.size - size == waiters.done, "the log does not hold every look"
        return {"rates": rates, "per_processor_second": (waiters.done - before) / used}


def main() -> None:
    """Measure and print."""
    pin(SERVER_CORE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(orjson.dumps(runner.run(_measured(int(sys.argv[1]), float(sys.argv[2])))).decode())


if __name__ == "__main__":
    main()
