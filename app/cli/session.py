"""How a command opens the store: the same composition as the server, with the operating-system user as author."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from app.application import Application
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.composition import open_application
from app.config import Settings
from app.kit import logging
from app.kit.db import UnitOfWork

T = TypeVar("T")


def run(work: Callable[[Application], Awaitable[T]], *, settings: Settings | None = None) -> T:
    """Open the store, do ``work``, bring what it put on record into the log, close."""

    async def opened() -> T:
        chosen = settings or Settings()
        logging.configure("warning")
        async with open_application(chosen) as application:
            outcome = await work(application)
            await application.mover.move_all()
            return outcome

    return asyncio.run(opened())


def login() -> str:
    """Name the operating-system user as the kernel knows it; ``LOGNAME`` and ``USER`` anybody can set."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def operator() -> Author:
    """Name the operating-system user as the author of a command."""
    return Author(type="operator", id=f"os:{login()}")


@asynccontextmanager
async def on_record(application: Application, action: str, detail: Mapping[str, Any]) -> AsyncIterator[UnitOfWork]:
    """Give a transaction in which the command's event is written too: both or neither."""
    async with application.database.unit_of_work() as unit:
        await add_intent(unit.session, written(operator(), action, application.clock.now(), query=dict(detail)))
        yield unit
