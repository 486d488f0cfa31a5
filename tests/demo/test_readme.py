"""What the READMEs say is so: the two commands, every setting, every command and path, in both languages."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

import pytest
import typer

from app.cli.root import app
from app.config import Settings
from app.demo.staffing import CLIENTS, PRINCIPALS
from tests.demo.readme import CHINESE, ENGLISH, ROOT, code, issuer_members, rows, settings, text

BOTH: Final = pytest.mark.parametrize("name", [ENGLISH, CHINESE])
IN_CHINESE: Final = {"unset": "未设", "required": "必填", " or ": " 或 "}


@BOTH
@pytest.mark.parametrize("command", ["make run", "make test"])
def test_a_command_is_one_plain_line(name: str, command: str) -> None:
    assert text(name).splitlines().count(command) == 1
    assert re.search(
        rf"^{command.removeprefix('make ')}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_every_setting_is_in_the_table() -> None:
    assert rows(ENGLISH) == [*settings(), *issuer_members()]


def test_every_setting_is_in_the_chinese_table() -> None:
    expected = []
    for variable, default, _ in [*settings(), *issuer_members()]:
        written = default
        for english, chinese in IN_CHINESE.items():
            written = written.replace(english, chinese)
        expected.append((variable, written))
    found = rows(CHINESE)
    assert [(variable, default) for variable, default, _ in found] == expected
    assert all(re.search(r"[\u4e00-\u9fff]", meaning) or meaning.count("`") == 2 for _, _, meaning in found)


def test_the_settings_that_are_listed_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are right: each takes its own default from the environment, and one letter more is refused."""
    made = Settings().model_dump()
    listed = {variable: default for variable, default, _ in settings()}
    plain = re.compile(r"`([^`\[{]*)`")
    for variable, default in listed.items():
        if found := plain.match(default):
            monkeypatch.setenv(variable, found[1])
    assert Settings().model_dump() == made
    monkeypatch.setenv("DUANHAO_HTTP__PORTS", "1")
    with pytest.raises(ValueError, match="ports"):
        Settings()


def commands(name: str) -> Iterator[list[str]]:
    """Find every use of the command line, as words."""
    for found in re.finditer(r"(?:^|^\$ |\.venv/bin/|run --rm api |`)duanhao ([^\n`)#]*)", text(name), re.MULTILINE):
        yield shlex.split(found[1].replace('"', ""))


@BOTH
def test_every_command_exists(name: str) -> None:
    found = list(commands(name))
    assert len(found) > 8
    for words in found:
        at: Any = typer.main.get_command(app)
        for word in words:
            if not hasattr(at, "commands"):
                break
            assert word in at.commands, words
            at = at.commands[word]
        options = {option for parameter in at.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, words


@BOTH
def test_every_path_and_file_exists(name: str) -> None:
    document = json.loads(
        (ROOT / "openapi/openapi.json").read_text(encoding="utf-8")
    )  # `make openapi-check` holds it to the code
    paths = {re.sub(r"\{\w+\}", "{}", path) for path in document["paths"]}
    paths |= {"/scim/v2/{}", "/scim/v2/{}/{}"}  # SCIM describes itself: one route serves everything below it
    addresses = re.findall(r"http://127\.0\.0\.1:8000(/[^'\"?\s>]+)", code(name))
    assert len(addresses) >= 7
    for address in addresses:
        assert any(re.fullmatch(re.escape(path).replace(r"\{\}", "[^/]+"), address) for path in paths), address
    for target in re.findall(r"\]\(([^)]+)\)", text(name)):
        heading = target.removeprefix("#")
        known = {
            line.lstrip("# ").lower().replace(" ", "-") for line in text(name).splitlines() if line.startswith("#")
        }
        assert heading in known if heading != target else (ROOT / target).exists(), target
    for target in re.findall(r"`((?:app|docs|migrations|tests|benchmarks|requirements)(?:/[\w./-]+)?)`", text(name)):
        assert (ROOT / target).exists(), target
    assert (ROOT / "docs/examples/hr-events.jsonl").exists()


@BOTH
def test_everybody_of_the_demo_is_named(name: str) -> None:
    names = {each.user_name for each in PRINCIPALS} | {each.client_id for each in CLIENTS if each.confidential}
    assert names <= set(re.findall(r"`([a-z]+(?:-[a-z]+)?)`", text(name)))
    assert set(re.findall(r"token mint ([a-z][a-z-]+)", code(name))) <= names


def test_both_say_the_same() -> None:
    def shape(name: str) -> list[str]:
        return [line.split(" ")[0] for line in text(name).splitlines() if line.startswith("#")]

    def asked(name: str) -> str:
        return re.sub(r'"reason": "[^"]*"|--reason "[^"]*"| +# .*', "", code(name))

    assert shape(ENGLISH) == shape(CHINESE)
    assert asked(ENGLISH) == asked(CHINESE)
    assert len(rows(ENGLISH)) == len(rows(CHINESE))


@BOTH
def test_the_four_states_are_explained(name: str) -> None:
    for state in ("shown", "masked", "withheld", "empty"):
        assert re.search(rf"^\| `{state}`", text(name), re.MULTILINE)


@BOTH
def test_the_layout_names_every_package_once(name: str) -> None:
    packages = {each.parent.name for each in (ROOT / "app").glob("*/__init__.py")}
    named = [
        found
        for row in text(name).splitlines()
        if row.startswith("| `app/")
        for found in re.findall(r"`app/(\w+)`", row)
    ]
    assert sorted(named) == sorted(packages)
