"""The whole application on a store of its own, a small company in it, and callers with tokens.

Tests start from the caller: ``await (await world.as_("staff")).get("/v1/contacts/…")``. Everything is written by the
services that write it in earnest.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI

from app.application import Application
from app.audit.authors import Author
from app.composition import open_application
from app.config import QuotasSettings, Settings
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.main import create_app
from app.permissions.standing import Viewer
from tests.support.company import CLIENTS, DEPARTMENTS, HEADS, PEOPLE
from tests.support.stores import TestStore

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


def with_sensitive(settings: Settings) -> Settings:
    """Let forms ask for every C5 field, and callers look as often as tests do unless the settings say otherwise."""
    given: dict[str, Any] = {"contacts": settings.contacts.model_copy(update={"collect_sensitive": SENSITIVE})}
    if "quotas" in settings.model_fields_set:
        return settings.model_copy(update=given)
    plenty = QuotasSettings(contacts=PLENTY, reveals=PLENTY, service_contacts=PLENTY, alarms=())
    return settings.model_copy(update={**given, "quotas": plenty})


@asynccontextmanager
async def opened_world(settings: Settings) -> AsyncIterator[World]:
    """Open the application on a store, with the company in it."""
    async with open_application(with_sensitive(settings)) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        try:
            yield world
        finally:
            await world.close()


@pytest_asyncio.fixture
async def world(store: TestStore) -> AsyncIterator[World]:
    """Give the company on either engine."""
    async with opened_world(store.settings) as found:
        yield found


@pytest_asyncio.fixture
async def sqlite_world(sqlite_store: TestStore) -> AsyncIterator[World]:
    """Give the company on SQLite."""
    async with opened_world(sqlite_store.settings) as found:
        yield found


@pytest_asyncio.fixture
async def application(world: World) -> Application:
    """Give the open application of ``world``."""
    return world.application


@pytest_asyncio.fixture
async def client(world: World) -> httpx.AsyncClient:
    """Give a client without a token; put one into ``headers`` to call as somebody."""
    return await world.as_(None)
