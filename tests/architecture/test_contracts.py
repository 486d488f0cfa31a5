"""The import contracts hold, and each of them can fail.

A contract that nothing can break proves nothing. So every contract of ``pyproject.toml`` has a control here: a copy
of the tree with one forbidden import written into it, on which exactly that contract must break. Controls that differ
in nothing but the module share a copy, and each has to be found in the report by its own line.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SETTINGS: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]
CONTRACTS: Final[dict[str, dict[str, Any]]] = {contract["id"]: contract for contract in SETTINGS["contracts"]}


@dataclass(frozen=True, slots=True)
class Control:
    """One forbidden import: the contract that it breaks, the files it is written into, and the lines written."""

    contract: str
    lines: dict[str, str]

    def __str__(self) -> str:
        importer, line = next(iter(self.lines.items()))
        return f"{self.contract}: {importer}: {line or '(new)'}"


BELOW_KIT: Final = frozenset({"app.exchanges"})
"""Pure modules for which importing kit would break the layers as well."""


def source_of(module: str) -> str:
    """Give the file of a module, in the folder of the application; of a package the file that makes it one."""
    path = module.removeprefix("app.").replace(".", "/")
    return f"{path}/__init__.py" if (ROOT / "app" / path / "__init__.py").exists() else f"{path}.py"


def one(contract: str, importer: str, line: str) -> Control:
    return Control(contract, {importer: line})


CONTROLS: Final = (
    one("layers", "kit/clock.py", "import app.contacts"),
    one("layers", "config.py", "import app.kit.clock"),
    one("layers", "audit/errors.py", "import app.permissions"),
    one("layers", "departments/errors.py", "import app.disclosure"),
    one("layers", "contacts/errors.py", "import app.hr"),
    one("layers", "hr/errors.py", "import app.composition"),
    one("layers", "composition.py", "import app.cli"),
    one("layers", "newcomer/__init__.py", ""),
    Control("acyclic", {"kit/heads.py": "import app.kit.tails", "kit/tails.py": "import app.kit.heads"}),
    one("keyring", "main.py", "import app.crypto.keyring"),
    one("keyring", "contacts/errors.py", "from app.crypto.keyring import Keyring"),
    one("permit", "main.py", "import app.crypto.permit"),
    one("permit", "contacts/errors.py", "from app.crypto.permit import Permit"),
    one("hotlines", "main.py", "import app.disclosure.hotlines"),
    one("hotlines", "numbers/errors.py", "from app.disclosure.hotlines import HotlineDoor"),
    one("routes", "contacts/routes.py", "import app.contacts.repository"),
    one("routes", "contacts/routes.py", "import app.contacts.models"),
    one("routes", "api/tokens.py", "import app.audit.repository"),
    one("pure", "crypto/envelope.py", "import sqlalchemy"),
    one("pure", "audit/merkle.py", "import fastapi"),
)
"""Each in a copy of its own."""

ALIKE: Final = {
    "models": tuple(
        one(name, "main.py", f"import app.{name.removeprefix('models-')}.models")
        for name in CONTRACTS
        if name.startswith("models-")
    ),
    "pure": tuple(
        one("pure", source_of(module), "import sqlalchemy" if module in BELOW_KIT else "import app.kit.db")
        for module in CONTRACTS["pure"]["source_modules"]
    ),
}
"""All of one kind in one copy."""


def broken_contracts(tree: Path) -> dict[str, str]:
    """Run import-linter on the ``app`` in ``tree``; answer the ids of the contracts that it calls broken, and what it says of each."""
    command = (
        "import sys; from importlinter.cli import lint_imports_command as run; sys.argv[0] = 'lint-imports'; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b.*$", done.stdout, flags=re.MULTILINE))
    assert set(verdicts) == {contract["name"] for contract in CONTRACTS.values()}, done.stdout + done.stderr
    _, *sections = re.split(r"^(.+)\n-+\n", done.stdout, flags=re.MULTILINE)
    told = dict(zip(sections[::2], sections[1::2], strict=True))
    broken = {
        name: told[contract["name"]] for name, contract in CONTRACTS.items() if verdicts[contract["name"]] == "BROKEN"
    }
    assert (done.returncode != 0) == bool(broken), done.stdout
    return broken


def write(tree: Path, control: Control) -> None:
    """Write a control's lines into a copy of the tree."""
    for name, line in control.lines.items():
        path = tree / "app" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")


def is_told(control: Control, section: str) -> bool:
    """Tell whether a contract's section of the report names the import that a control wrote."""
    ((importer, line),) = control.lines.items()
    module = "app." + importer.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    chain = rf"^-\s+{re.escape(module)} -> {re.escape(line.removeprefix('import '))} \(l\.\d+\)$"
    return re.search(chain, section, flags=re.MULTILINE) is not None


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    assert broken_contracts(tree) == {}


@pytest.mark.parametrize("control", CONTROLS, ids=str)
def test_a_forbidden_import_breaks_its_contract_and_no_other(tree: Path, control: Control) -> None:
    write(tree, control)
    assert set(broken_contracts(tree)) == {control.contract}


@pytest.mark.parametrize("kind", ALIKE)
def test_each_import_of_one_kind_is_found_and_breaks_its_contract_and_no_other(tree: Path, kind: str) -> None:
    for control in ALIKE[kind]:
        write(tree, control)
    broken = broken_contracts(tree)
    assert set(broken) == {control.contract for control in ALIKE[kind]}
    assert [str(control) for control in ALIKE[kind] if not is_told(control, broken[control.contract])] == []


def test_every_contract_has_a_control() -> None:
    assert {control.contract for control in (*CONTROLS, *ALIKE["models"], *ALIKE["pure"])} == set(CONTRACTS)


def test_every_table_module_is_protected() -> None:
    """``kit.models`` is the base of all of them and open to all."""
    tables = {f"app.{path.parent.name}.models" for path in (ROOT / "app").glob("*/models.py")} - {"app.kit.models"}
    protected = {module for contract in CONTRACTS.values() for module in contract.get("protected_modules", ())}
    assert tables <= protected
