"""What the code imports, what ``pyproject.toml`` names and what the locks pin are the same."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN: Final = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
TEST: Final = [Requirement(text) for text in PROJECT["project"]["optional-dependencies"]["test"]]
BUILD: Final = [Requirement(text) for text in PROJECT["build-system"]["requires"]]

LOADED_BY_NAME: Final = frozenset({"aiosqlite", "argon2-cffi", "python-multipart"})
"""Imported by another library for us: SQLAlchemy's SQLite driver, passlib's Argon2, FastAPI's form parser."""

NAMED: Final = frozenset({"libpass"})
"""Named by the user for the product and kept from the start: passwords come with the sign-in page."""

CHECKS: Final = frozenset({"import-linter", "mypy", "pytest-asyncio", "pytest-xdist", "ruff"})
"""Commands and plug-ins; stubs are told by their names."""


def imported_distributions(*folders: str) -> set[str]:
    """Name the distributions behind every import below ``folders`` that is neither ours nor the standard library's."""
    modules: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules.update(name.name for name in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
                    modules.add(node.module)
    tops = (
        {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names) - {"app", "benchmarks", "tests"}
    )
    owners = packages_distributions()
    return {canonicalize_name(owner) for top in tops for owner in owners.get(top, [top])}


def pins(lock: str) -> dict[str, set[Version]]:
    """Read the versions that a lock pins; a distribution may have several, told apart by markers."""
    found: dict[str, set[Version]] = {}
    for name, version in re.findall(
        r"^([a-z0-9._-]+)==([^\s;\\]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


def test_every_import_of_the_service_is_declared() -> None:
    through_fastapi = {"starlette"}
    declared = {canonicalize_name(requirement.name) for requirement in RUN}
    assert imported_distributions("app", "migrations") - declared - through_fastapi == set()


def test_every_dependency_of_the_service_is_used() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in RUN}
    named = {name for name in declared if _is_named(name)}
    assert declared - imported_distributions("app", "migrations") - LOADED_BY_NAME - NAMED - named == set()


def test_every_dependency_of_the_suite_is_used() -> None:
    declared = {canonicalize_name(requirement.name) for requirement in TEST}
    stubs = {name for name in declared if name.startswith("types-") or name.endswith("-stubs")}
    assert declared - imported_distributions("tests", "benchmarks") - CHECKS - stubs == set()


def test_the_locks_pin_what_is_declared() -> None:
    run, test = pins("requirements/run.lock"), pins("requirements/test.lock")
    for requirements, lock in ((RUN, run), (BUILD, run), (RUN, test), (BUILD, test), (TEST, test)):
        for requirement in requirements:
            versions = lock.get(canonicalize_name(requirement.name), set())
            assert versions, f"{requirement.name} is not locked: make lock"
            assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_one_environment_serves_both_locks() -> None:
    run, test = pins("requirements/run.lock"), pins("requirements/test.lock")
    assert {name: versions for name, versions in test.items() if name in run} == run


def test_the_build_backend_is_locked_with_the_rest() -> None:
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]


def test_every_pin_carries_hashes() -> None:
    for lock in ("requirements/run.lock", "requirements/test.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert len(blocks) > len(RUN)
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
        assert "://" not in text


def _is_named(distribution: str) -> bool:
    """Tell whether the service finds a distribution's files by its import name, as it does with static assets."""
    module = distribution.replace("-", "_")
    return any(f'"{module}"' in path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
