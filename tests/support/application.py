"""The whole application on a store of its own, a small company in it, and callers with tokens.

Tests start from the caller: ``await (await world.as_("staff")).get("/v1/contacts/…")``. Everything is written by the
services that write it in earnest.
"""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from app.application import Application
from app.audit.authors import Author
from app.composition import open_application
from app.config import AuditSettings, QuotasSettings, Settings
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.kit.clock import Clock
from app.main import create_app
from app.permissions.standing import Viewer
from tests.support.clock import NOON, FrozenClock
from tests.support.company import CLIENTS, DEPARTMENTS, HEADS, PEOPLE
from tests.support.postgres import Cluster, in_thread
from tests.support.session import SessionFolder
from tests.support.stores import TestStore, _postgres_store, settings_for
from tests.support.traces import untraced

OPERATOR = Author(type="operator", id="os:test")
SENSITIVE = ("home_address", "birth_date", "id_number", "private_notes", "relations")


@dataclass(slots=True)
class World:
    """An open application, its ASGI face, and who is in it."""

    application: Application
    app: FastAPI
    departments: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _made: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    async def token(self, name: str) -> str:
        """Mint a token for a person (`staff`, `head` …) or a service account."""
        return (await self.application.tokens.mint(self.application.database.reader, name)).text

    async def as_(self, name: str | None) -> httpx.AsyncClient:
        """Give an HTTP client that calls as ``name``; ``None`` calls without a token."""
        key = name or "nobody"
        if key not in self._made:
            headers = {} if name is None else {"Authorization": f"Bearer {await self.token(name)}"}
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            client = httpx.AsyncClient(transport=transport, base_url="http://duanhao.test", headers=headers)
            self._made[key] = await self._open.enter_async_context(client)
        return self._made[key]

    async def card(self, reader: str, of: str, **query: str) -> dict[str, Any]:
        """Read the card of one person as another; fails unless the answer is 200."""
        answer = await (await self.as_(reader)).get(f"/v1/contacts/{self.people[of]}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def settle(self) -> None:
        """Bring every intent into the log, as the worker does."""
        await self.application.mover.move_all()

    async def viewer(self, name: str) -> Viewer:
        """Give the viewer that a caller's token makes."""
        subject = await self.application.verifier.verify(await self.token(name))
        return await self.application.standings.of(subject, fresh=True)

    async def close(self) -> None:
        """Close the clients."""
        await self._open.aclose()


async def found_company(world: World) -> None:
    """Write the small company."""
    application = world.application
    async with application.database.unit_of_work() as unit:
        for code, parent in DEPARTMENTS.items():
            new = DepartmentCreate(code=code, name=f"部门{code}", parent=parent)
            kept = await application.departments.create(unit, OPERATOR, new)
            world.departments[code] = kept.node.id
    tree = await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        for client in CLIENTS:
            await application.clients.add(unit.session, client)
        for name, person in PEOPLE.items():
            given = {member: value for member, value in person.members(name).items() if value is not None}
            written = await application.contact_writer.create(unit, OPERATOR, tree, person.kind, given)
            world.people[name] = written.record.subject
            if person.tier != "T1" or person.roles:
                await application.accounts.set_standing(unit.session, name, tier=person.tier, roles=person.roles)
        for code, head in HEADS.items():
            changes = DepartmentAmend(head=world.people[head])
            await application.departments.amend(unit, OPERATOR, tree.by_code[code], changes)
    await world.settle()


PLENTY = 1_000_000
"""A quota that no test spends by chance: those that mean to spend one set their own."""

PATIENT = AuditSettings(deadline_seconds=30, permit_seconds=30)
"""A log that a slow machine does not make a test fail by: a look waits as long as a setting allows before it is answered 503."""


def with_sensitive(settings: Settings) -> Settings:
    """Let forms ask for every C5 field, and callers look as often and as slowly as tests do unless the settings say otherwise."""
    given: dict[str, Any] = {"contacts": settings.contacts.model_copy(update={"collect_sensitive": SENSITIVE})}
    if "audit" not in settings.model_fields_set:
        given["audit"] = PATIENT
    if "quotas" in settings.model_fields_set:
        return settings.model_copy(update=given)
    plenty = QuotasSettings(contacts=PLENTY, reveals=PLENTY, service_contacts=PLENTY, alarms=())
    return settings.model_copy(update={**given, "quotas": plenty})


@asynccontextmanager
async def opened_world(
    settings: Settings, *, written: Path | None = None, clock: Clock | None = None
) -> AsyncIterator[World]:
    """Open the application on a store, with the company in it; ``written`` names who is in a store that has it already."""
    async with open_application(with_sensitive(settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        if written is None:
            await found_company(world)
        else:
            world.departments, world.people = _read_names(written)
        try:
            yield world
            assert not await untraced(application.database), "a write left no trace for the feed of changes"
        finally:
            await world.close()


@asynccontextmanager
async def opened_at_noon(folder: Path, store: TestStore, clock: Clock) -> AsyncIterator[World]:
    """Open the company that ``founded_at_noon`` put into the store, under a clock that begins there."""
    async with opened_world(store.settings, written=_names(folder, store.dialect, "noon"), clock=clock) as world:
        yield world


async def _write_company(settings: Settings, names: Path, clock: Clock | None = None) -> None:
    async with opened_world(settings, clock=clock) as world:
        _write_names(names, world.departments, world.people)


def _write_names(names: Path, *named: dict[str, UUID]) -> None:
    names.write_text(json.dumps([{name: str(each) for name, each in part.items()} for part in named]), encoding="utf-8")


def _read_names(names: Path) -> tuple[dict[str, UUID], ...]:
    named = json.loads(names.read_text(encoding="utf-8"))
    return tuple({name: UUID(each) for name, each in part.items()} for part in named)


def _names(folder: Path, dialect: str, which: str = "founded") -> Path:
    return folder / f"{dialect}-{which}.json"


def _on_sqlite(folder: SessionFolder, empty: Path, which: str, clock: Clock | None = None) -> Path:
    template, names = folder.root / f"sqlite-{which}", _names(folder.root, "sqlite", which)
    with folder.locked():
        if not names.exists():
            shutil.copytree(empty, template)
            in_thread(_write_company(settings_for(template), names, clock))
    return template


def _on_postgres(
    folder: SessionFolder, cluster: Cluster, empty: str, which: str, clock: Clock | None = None
) -> tuple[Path, str]:
    keys, names = folder.root / f"postgres-{which}", _names(folder.root, "postgresql", which)
    with folder.locked():
        if not names.exists():
            database = cluster.make(which, template=empty)
            in_thread(_write_company(_postgres_store(cluster, database, data_dir=keys).settings, names, clock))
    return keys, which


@pytest.fixture(scope="session")
def sqlite_founded(session_folder: SessionFolder, sqlite_template: Path) -> Path:
    """Write the small company into a data directory, once per run."""
    return _on_sqlite(session_folder, sqlite_template, "founded")


@pytest.fixture(scope="session")
def postgres_founded(
    session_folder: SessionFolder, postgres_cluster: Cluster, postgres_template: str
) -> tuple[Path, str]:
    """Write the small company into a database, once per run; give the folder of its keys and the name to copy it by."""
    return _on_postgres(session_folder, postgres_cluster, postgres_template, "founded")


@pytest.fixture(scope="session")
def sqlite_founded_at_noon(session_folder: SessionFolder, sqlite_template: Path) -> Path:
    """Do so under a clock that stands at ``NOON``."""
    return _on_sqlite(session_folder, sqlite_template, "noon", FrozenClock(NOON))


@pytest.fixture(scope="session")
def postgres_founded_at_noon(
    session_folder: SessionFolder, postgres_cluster: Cluster, postgres_template: str
) -> tuple[Path, str]:
    """Do so under a clock that stands at ``NOON``."""
    return _on_postgres(session_folder, postgres_cluster, postgres_template, "noon", FrozenClock(NOON))


@pytest_asyncio.fixture
async def world(founded: Path, store: TestStore) -> AsyncIterator[World]:
    """Give the company on either engine."""
    async with opened_world(store.settings, written=_names(founded, store.dialect)) as found:
        yield found


@pytest_asyncio.fixture
async def sqlite_world(founded: Path, sqlite_store: TestStore) -> AsyncIterator[World]:
    """Give the company on SQLite."""
    async with opened_world(sqlite_store.settings, written=_names(founded, "sqlite")) as found:
        yield found


@pytest_asyncio.fixture
async def application(world: World) -> Application:
    """Give the open application of ``world``."""
    return world.application


@pytest_asyncio.fixture
async def client(world: World) -> httpx.AsyncClient:
    """Give a client without a token; put one into ``headers`` to call as somebody."""
    return await world.as_(None)
