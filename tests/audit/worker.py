"""A process of its own that uses the log until it is done or killed, and prints what it was answered.

``python -m tests.audit.worker WHERE append NUMBER WAITERS EACH`` prints ``[id, index, seconds]`` for each permit;
``… move NUMBER`` writes intents for ever and moves them, and prints ``[id]`` for each committed write.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from app.audit.intents import IntentMover, add_intent
from app.audit.postgres_store import PostgresLogStore
from app.audit.sqlite_store import SqliteLogStore
from app.audit.stores import LogStore
from app.audit.writer import AccessLog, Limits
from app.config import DatabaseSettings, Settings
from app.kit.clock import SystemClock
from app.kit.db import Database
from tests.audit.places import BITS, OPENED, SIGNER, contact, draft


def say(*answer: object) -> None:
    """Print one line in one piece."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def append(log: AccessLog, number: int, waiters: int, each: int) -> None:
    """Look at contacts, many at once."""

    async def look(waiter: int) -> None:
        subject = contact(number * 1000 + waiter)
        for _ in range(each):
            event, began = draft(subject), time.monotonic()
            permit = await log.permit(event, scope={subject: OPENED}, epochs={"policy": 0})
            say(str(event.id), permit.index, time.monotonic() - began)

    await asyncio.gather(*(look(waiter) for waiter in range(waiters)))


async def move(log: AccessLog, database: Database, number: int) -> None:
    """Write and move, both without end."""
    mover = IntentMover(database, log, BITS)

    async def write() -> None:
        while True:
            event = draft(contact(number), states={}, action="contact.update")
            async with database.unit_of_work() as unit:
                await add_intent(unit.session, event)
            say(str(event.id))

    async def carry() -> None:
        while True:
            if not await mover.move_once(7):
                await asyncio.sleep(0.001)

    await asyncio.gather(write(), carry(), carry())


async def main(where: str, role: str, *numbers: str) -> None:
    """Do what the command line says."""
    store: LogStore
    if where.startswith("postgresql"):
        url = where.replace("postgresql://", "postgresql+asyncpg://")
        settings = Settings(database=DatabaseSettings.model_validate({"url": url}))
        store = PostgresLogStore(where, signer=SIGNER, clock=SystemClock(), timeout=5)
    else:
        settings = Settings(data_dir=Path(where))
        database = Database(settings)
        store = SqliteLogStore(
            database.log_path, business_path=database.business_path, signer=SIGNER, clock=SystemClock()
        )
    log = AccessLog(store, bits=BITS, limits=Limits(deadline=5))
    await log.start()
    if role == "append":
        await append(log, *map(int, numbers))
    else:
        await move(log, Database(settings), int(numbers[0]))
    await log.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
