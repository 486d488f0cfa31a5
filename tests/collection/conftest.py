"""The small company on each engine, under forms that let some of a staff member's fields rest on consent, and rules for applicants."""

import shutil
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio

from app.config import ContactsSettings, PolicySettings, Settings
from app.kit.strict_yaml import read
from tests.policy.tampering import Intruder
from tests.support.application import SENSITIVE, World, opened_world
from tests.support.postgres import Cluster
from tests.support.shared import Company
from tests.support.stores import SqliteTestStore, TestStore, _postgres_store, settings_for

PRIVATE_KINDS: Final[list[dict[str, Any]]] = [
    {
        "id": "test.private_kinds",
        "effect": "grant",
        "clauses": ["S1a-6"],
        "zh": "人事维护应聘者与学生",
        "en": "HR keeps applicants and students",
        "viewer": {"roles": ["hr", "directory_steward"]},
        "contact": {"kinds": ["applicant", "student"]},
        "shows": {"C1": "clear", "C2": "clear", "C3": "mask_fine", "C4": "mask_fine", "C5": "mask_full"},
        "reveals": {"C3": "clear", "C4": "clear", "C5": "clear"},
        "edits": ["C1", "C2", "C3", "C4", "C5"],
    },
    {
        "id": "test.service.applicants",
        "effect": "grant",
        "clauses": ["S1a-6"],
        "zh": "人事系统办理应聘者入职",
        "en": "The HR system lets applicants join",
        "viewer": {"kinds": ["service"], "scopes": ["hr:write"]},
        "contact": {"kinds": ["applicant"]},
        "edits": ["C1", "C2", "C3", "C4", "C5"],
    },
]


def pack(folder: Path) -> Path:
    """Write the shipped pack, with a reveal of what is sensitive of applicants and students, and the HR system writing applicants."""
    shipped = read((files("app.permissions") / "packs" / "default.yaml").read_text(encoding="utf-8"))
    shipped["rules"] += PRIVATE_KINDS
    shipped["version"] = "99.0.0"
    path = folder / "pack.json"
    path.write_bytes(orjson.dumps(shipped))
    return path


def forms(folder: Path) -> Path:
    """Write the shipped forms, with plate, QQ and photo of employees on consent, and their relations on separate consent."""
    shipped = read((files("app.contacts") / "form_sets" / "default.yaml").read_text(encoding="utf-8"))
    (employee,) = [form for form in shipped["forms"] if form["kind"] == "employee"]
    for name in ("plate", "qq", "photo"):
        employee["fields"]["hr_management"].remove(name)
    employee["fields"]["emergency"].remove("relations")
    employee["fields"] |= {"consent": ["plate", "qq", "photo"], "separate_consent": ["relations"]}
    path = folder / "forms.json"
    path.write_bytes(orjson.dumps(shipped))
    return path


def under_forms(settings: Settings, folder: Path) -> Settings:
    """Give settings with these files."""
    return settings.model_copy(
        update={
            "policy": PolicySettings(file=pack(folder)),
            "contacts": ContactsSettings(forms_file=forms(folder), collect_sensitive=SENSITIVE),
        }
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def collecting_company(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Company]:
    """Give the company that tests of collection share, on each engine in turn."""
    own = tmp_path_factory.mktemp(f"collecting-{request.param}")
    folder = own / "var"
    store: TestStore
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("sqlite_template"), folder)
        folder.chmod(0o700)
        store = SqliteTestStore(settings=settings_for(folder))
        async with opened_world(under_forms(store.settings, own)) as world:
            yield Company(world, store)
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    database = cluster.make(uuid4().hex[:12], template=request.getfixturevalue("postgres_template"))
    store = _postgres_store(cluster, database, data_dir=folder)
    async with opened_world(under_forms(store.settings, own)) as world:
        yield Company(world, store)
    cluster.drop(database)


@pytest.fixture
def collecting(collecting_company: Company) -> World:
    """Give the world of that company."""
    return collecting_company.world


@pytest.fixture
def intruder(collecting_company: Company) -> Intruder:
    """Give somebody with its database in hand."""
    return Intruder(collecting_company.store)
