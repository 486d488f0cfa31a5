"""One small company per engine for the whole run, for tests that leave it as they found it.

Opening a store of its own costs a test a second; asking the shared company costs milliseconds. Whoever wants to change somebody adds a
person of his own (``add_person``), and whoever counts looks in a department of his own (``add_department``).
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from app.departments.schemas import DepartmentCreate
from tests.support.application import OPERATOR, World, opened_world
from tests.support.postgres import Cluster
from tests.support.stores import SqliteTestStore, TestStore, _postgres_store, settings_for

_NUMBERS: Final = count(10_001)
"""Of five digits, which is room for all that one process of tests adds."""


@dataclass(frozen=True, slots=True)
class Added:
    """A person whom a test added, with values that nobody else has."""

    name: str
    id: UUID
    number: int

    @property
    def mobile(self) -> str:
        """The work mobile."""
        return f"137000{self.number}"

    @property
    def personal_mobile(self) -> str:
        """The private mobile."""
        return f"136000{self.number}"

    @property
    def path(self) -> str:
        """Where the card is."""
        return f"/v1/contacts/{self.id}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every protected value, as a leak would show it."""
        return (self.mobile, self.personal_mobile, f"someone{self.number}@example.com", f"wy_{self.number}_x")


async def add_person(
    world: World,
    *,
    department: str | None = "RD",
    kind: str = "employee",
    tier: Literal["T0", "T1", "T2", "T3", "T4", "T5"] = "T1",
    roles: tuple[str, ...] = (),
    **members: Any,  # noqa: ANN401 — members of a contact
) -> Added:
    """Add a person; ``members`` overrule what everybody gets, ``None`` leaves a member out."""
    number = next(_NUMBERS)
    added = f"person{number}"
    application = world.application
    given = {
        "name": f"新人{number}",
        "department": department,
        "user_name": added,
        "employee_no": f"N{number}",
        "office_phone": f"010-777{number}",
        "email": f"someone{number}@example.com",
        "mobile": f"137000{number}",
        "personal_mobile": f"136000{number}",
        "wechat": f"wy_{number}_x",
        **members,
    }
    async with application.database.unit_of_work() as unit:
        written = await application.contact_writer.create(
            unit,
            OPERATOR,
            await application.standings.tree(),
            kind,
            {name: value for name, value in given.items() if value is not None},
        )
        if tier != "T1" or roles:
            await application.accounts.set_standing(unit.session, added, tier=tier, roles=roles)
    world.people[added] = written.record.subject
    return Added(added, written.record.subject, number)


async def add_department(
    world: World, *, name: str | None = None, parent: str | None = None, head: UUID | None = None
) -> str:
    """Add a department; give its code, which is in its name too where it is given no other."""
    code = f"D{next(_NUMBERS)}"
    application = world.application
    new = DepartmentCreate(code=code, name=name or f"临时{code}", parent=parent, head=head)
    async with application.database.unit_of_work() as unit:
        kept = await application.departments.create(unit, OPERATOR, new)
    world.departments[code] = kept.node.id
    return code


@dataclass(frozen=True, slots=True)
class Company:
    """The shared company and the store under it."""

    world: World
    store: TestStore


@contextmanager
def kept_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStore]:
    """Give a store for a whole run, on the engine that the fixture's parameter names."""
    folder = tmp_path_factory.mktemp(f"company-{request.param}") / "var"
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copytree(template, folder)
        folder.chmod(0o700)
        yield SqliteTestStore(settings=settings_for(folder))
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    database = cluster.make(uuid4().hex[:12], template=request.getfixturevalue("postgres_template"))
    yield _postgres_store(cluster, database, data_dir=folder)
    cluster.drop(database)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def company(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    """Give the company that tests share, on each engine in turn; a test that uses it runs in the session's loop."""
    with kept_store(request, tmp_path_factory) as store:
        async with opened_world(store.settings) as world:
            yield Company(world, store)


@pytest.fixture
def shared(company: Company) -> World:
    """Give the shared company's world."""
    return company.world
