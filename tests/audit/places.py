"""A log to write and to damage, on either engine: tables without the triggers that forbid what tamperers do."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from app.audit.events import CohortEntry, EventDraft, FieldBits
from app.audit.models import AuditIntent, Batch, Epoch, Event, Head, Leaf, Quota, SubjectEntry, SubjectPage
from app.audit.note import Signer
from app.audit.postgres_store import PostgresLogStore
from app.audit.sources import LogSource, PostgresSource, SqliteSource
from app.audit.sqlite_store import SqliteLogStore
from app.audit.stores import LogStore, entry_of
from app.config import DatabaseSettings, Settings
from app.kit.models import LOG_SCHEMA, Base, new_id
from tests.support.clock import NOON, FrozenClock

ORIGIN: Final = "test.invalid/access-log"
KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER: Final = Signer(ORIGIN, KEY)
BITS: Final = FieldBits(("mobile", "email", "wechat"))
STATES: Final = {"mobile": "masked", "email": "shown", "wechat": "withheld"}
OPENED: Final = frozenset({"mobile", "email"})
ACTOR: Final = "0193e5a0-0000-7000-8000-00000000aaaa"
SAMPLE: Final = EventDraft(
    id=UUID(int=1), at=NOON, actor_type="person", action="contact.read", decision="allowed", actor_id=ACTOR
)

_LOG: Final[tuple[type[Base], ...]] = (Head, Leaf, Event, SubjectEntry, SubjectPage, Batch, Quota)
_BUSINESS: Final[tuple[type[Base], ...]] = (AuditIntent, Epoch)


def contact(number: int) -> UUID:
    """Name an invented contact."""
    return UUID(int=(0xC0 << 120) + number)


def draft(*contacts: UUID, states: Mapping[str, str] = STATES, **members: Any) -> EventDraft:  # noqa: ANN401 — members of a draft
    """Make an event of its own: somebody read these contacts."""
    cohorts = (CohortEntry(states, contacts),) if contacts else ()
    return replace(SAMPLE, id=new_id(), cohorts=cohorts, count=len(contacts), **members)


class Place(Protocol):
    """Where a test's log lives."""

    settings: Settings

    def store(self, *, wait: float = 0.3) -> LogStore:
        """Make a store on it; ``wait`` is the longest wait for a lock, in seconds."""
        ...

    def source(self) -> LogSource:
        """Make a source for its verification."""
        ...

    async def run(self, statement: str, *values: object, **names: object) -> list[tuple[Any, ...]]:
        """Run a statement; ``{log}`` stands before a table of the log, ``{name}`` for a name, ``?1`` for a value."""
        ...


class SqlitePlace:
    """Two files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Make both files with their tables."""
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(data_dir=folder)
        self.path, self.business_path = folder / "log.sqlite3", folder / "duanhao.sqlite3"
        for path, tables in ((self.path, _LOG), (self.business_path, _BUSINESS)):
            engine = create_engine(f"sqlite:///{path}").execution_options(schema_translate_map={LOG_SCHEMA: None})
            Base.metadata.create_all(engine, [Base.metadata.tables[str(table.__table__)] for table in tables])
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            engine.dispose()

    def store(self, *, wait: float = 0.3) -> SqliteLogStore:
        """Make a store on the files."""
        return SqliteLogStore(
            self.path, business_path=self.business_path, signer=SIGNER, clock=FrozenClock(), busy_seconds=wait
        )

    def source(self) -> SqliteSource:
        """Make a source on the log's file."""
        return SqliteSource(self.path)

    async def run(self, statement: str, *values: object, **names: object) -> list[tuple[Any, ...]]:
        """Run a statement on the file that has the table."""
        path = self.path if "{log}" in statement else self.business_path
        plain = [value.bytes if isinstance(value, UUID) else value for value in values]
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(statement.format(log="", **names), plain).fetchall()


class PostgresPlace:
    """A database with the schema ``log``."""

    def __init__(self, dsn: str, folder: Path) -> None:
        """Take an existing, empty database."""
        self.dsn = dsn
        url = dsn.replace("postgresql://", "postgresql+asyncpg://")
        self.settings = Settings(data_dir=folder, database=DatabaseSettings.model_validate({"url": url}))

    async def make(self) -> None:
        """Make the tables."""
        dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
        statements = [f"CREATE SCHEMA {LOG_SCHEMA}"]
        for mapped in (*_LOG, *_BUSINESS):
            table = Base.metadata.tables[str(mapped.__table__)]
            statements.append(str(CreateTable(table).compile(dialect=dialect)))
            statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
        for statement in statements:
            await self.run(statement)

    async def clear(self) -> None:
        """Empty every table."""
        tables = ", ".join(str(mapped.__table__) for mapped in (*_LOG, *_BUSINESS))
        await self.run(f"TRUNCATE {tables} RESTART IDENTITY")

    def store(self, *, wait: float = 0.3) -> PostgresLogStore:
        """Make a store on the database."""
        return PostgresLogStore(self.dsn, signer=SIGNER, clock=FrozenClock(), lock_seconds=wait)

    def source(self) -> PostgresSource:
        """Make a source on the database."""
        return PostgresSource(self.dsn)

    async def run(self, statement: str, *values: object, **names: object) -> list[tuple[Any, ...]]:
        """Run a statement."""
        connection = await asyncpg.connect(self.dsn)
        try:
            text = statement.format(log="log.", **names)
            for number in range(len(values), 0, -1):
                text = text.replace(f"?{number}", f"${number}")
            return [tuple(row) for row in await connection.fetch(text, *values)]
        finally:
            await connection.close()


async def until(condition: Any, *, seconds: float = 5.0) -> None:  # noqa: ANN401 — any callable
    """Wait until ``condition()`` holds, and fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 — what is waited for has no event to wait on
            await asyncio.sleep(0.01)


async def filled(place: Place, batches: Sequence[int], *, packed: bool = False) -> list[EventDraft]:
    """Write batches of these sizes, each event about two contacts of its own, and give the events in order.

    Their index rows are spread unless they are to stay ``packed``.
    """
    store = place.store()
    await store.open()
    drafts: list[EventDraft] = []
    for size in batches:
        batch = [
            draft(contact(2 * number), contact(2 * number + 1)) for number in range(len(drafts), len(drafts) + size)
        ]
        appended = await store.append([entry_of(each, BITS) for each in batch])
        assert appended.size == len(drafts) + size
        drafts += batch
    while not packed and await store.unpack(wait=True):
        pass
    await store.close()
    return drafts
