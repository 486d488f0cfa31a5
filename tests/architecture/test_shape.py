"""The tree has the shape of the design: short modules that say what they promise, no place for odds and ends."""

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
APP: Final = ROOT / "app"
MODULES: Final = sorted(path.relative_to(ROOT) for path in APP.rglob("*.py"))
TESTS: Final = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))

CEILINGS: Final = {"routes": 150, "service": 300}
CEILING: Final = 400
NAMELESS: Final = frozenset({"utils", "util", "common", "helpers", "helper", "core", "misc", "shared"})


def ceiling(path: Path) -> int:
    """Tell the most lines a module may have; the HTTP faces of the foundations in ``app/api`` are routes too."""
    if path.parent == Path("app/api"):
        return CEILINGS["routes"]
    return CEILINGS.get(path.stem, CEILING)


def test_a_module_stays_below_its_ceiling() -> None:
    lines = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in MODULES}
    above = {str(path): count for path, count in lines.items() if count > ceiling(path)}
    assert above == {}, "split by use-case"


def test_ceilings_go_by_the_name_of_the_module() -> None:
    paths = ("app/contacts/routes.py", "app/api/tokens.py", "app/contacts/service.py", "app/contacts/models.py")
    assert [ceiling(Path(path)) for path in paths] == [150, 150, 300, 400]


def says_what_it_promises(path: Path) -> bool:
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    return docstring is not None and docstring.partition("\n")[0].rstrip().endswith((".", "?", ":"))


def test_a_module_says_what_it_promises() -> None:
    assert [str(path) for path in (*MODULES, *TESTS) if not says_what_it_promises(path)] == []


def test_every_package_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert {folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()} == set()


def test_names_say_what_is_inside() -> None:
    assert [str(path) for path in MODULES if not NAMELESS.isdisjoint({*path.parts[1:-1], path.stem})] == []


def test_tables_knows_every_table() -> None:
    """A table that ``app.tables`` does not import is missing from migrations without anybody noticing."""
    tree = ast.parse((APP / "tables.py").read_text(encoding="utf-8"))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            imported.update({node.module, *(f"{node.module}.{name.name}" for name in node.names)})
    declaring = {".".join(path.with_suffix("").parts) for path in MODULES if _declares_a_table(ROOT / path)}
    assert declaring, "no table was found; the search is broken"
    assert declaring - imported == set()


def _declares_a_table(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(
        isinstance(target, ast.Name) and target.id == "__tablename__"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


FOLDERS: Final = frozenset({"app", "benchmarks", "docs", "migrations", "openapi", "requirements", "tests"})
PAPERS: Final = frozenset({"CHANGELOG.md", "LICENSE", "README.md", "README.zh-CN.md"})
TOOLING: Final = frozenset({"Dockerfile", "Makefile", "alembic.ini", "docker-compose.yml", "pyproject.toml"})
MADE_BY_RUNNING: Final = frozenset({"var", "build", "dist", "duanhao.egg-info", "__pycache__"})


def test_the_top_level_is_the_one_of_the_design() -> None:
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert found - FOLDERS - PAPERS - TOOLING - MADE_BY_RUNNING == set()
