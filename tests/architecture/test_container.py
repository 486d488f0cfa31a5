"""The container files say what is true: they parse, keep their promises, and name commands and options that exist."""

import json
import re
import subprocess
import sys
import tomllib
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS: Final = {
    name: service for name, service in COMPOSE["services"].items() if service["image"].startswith("duanhao:")
}
INSTRUCTIONS: Final = frozenset(
    [
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)


def dockerfile() -> list[tuple[str, str]]:
    """Read the Dockerfile as (instruction, arguments), continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    instructions = dockerfile()
    start = max(at for at, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[start:]


def image_command() -> list[str]:
    (command,) = [json.loads(arguments) for name, arguments in last_stage() if name == "CMD"]
    return list(command)


COMMANDS: Final = sorted({tuple(image_command()), *(tuple(service["command"]) for service in OURS.values())})


def test_the_dockerfile_parses() -> None:
    assert {name for name, _ in dockerfile()} <= INSTRUCTIONS
    assert dockerfile()[-1][0] == "CMD"


def test_the_image_copies_only_what_is_there_and_let_in() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    sources = {
        source
        for name, arguments in dockerfile()
        if name == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    }
    assert sources == let_in
    assert {source for source in sources if not (ROOT / source).exists()} == set()


def test_the_image_runs_as_nobody_with_a_health_check() -> None:
    arguments = dict(last_stage())
    assert arguments["USER"] == "10001:10001"
    probe = json.loads(arguments["HEALTHCHECK"].split("CMD", 1)[1])
    assert probe[:2] == ["python", "-c"]
    compile(probe[2], "probe", "exec")
    assert "/livez" in probe[2]


def test_the_image_installs_by_hash_only() -> None:
    installs = [
        part
        for name, arguments in dockerfile()
        if name == "RUN"
        for part in arguments.split("&&")
        if " install " in part
    ]
    pips = [part for part in installs if "/pip " in part]
    assert len(pips) == 2
    assert all("--require-hashes" in part or "--no-deps --no-build-isolation" in part for part in pips)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_of_ours_cannot_write_its_own_code(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_runs_the_migration_before_anything_serves() -> None:
    for name in ("api", "worker"):
        assert OURS[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert OURS["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_only_the_migration_step_holds_the_owner_role() -> None:
    holders = {name for name, service in OURS.items() if "DUANHAO_DATABASE__OWNER_URL" in service["environment"]}
    assert holders == {"migrate"}


def test_every_secret_of_compose_comes_from_outside() -> None:
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            if re.search(r"PASSWORD|_KEY$|URL$", name):
                assert re.search(r"\$\{\w+:\?\}", value), name


def test_every_named_volume_and_config_is_declared() -> None:
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            assert volume.split(":")[0] in COMPOSE["volumes"]
        for config in service.get("configs", ()):
            assert config["source"] in COMPOSE["configs"]


def test_the_settings_named_by_compose_exist() -> None:
    from app.config import Settings  # noqa: PLC0415 — the other tests here need no application

    for service in OURS.values():
        for name in service["environment"]:
            if name == "DUANHAO_ROOT_KEY":
                continue
            group, _, member = name.removeprefix("DUANHAO_").lower().partition("__")
            assert group in Settings.model_fields
            annotation = Settings.model_fields[group].annotation
            assert not member or (annotation is not None and member in annotation.model_fields)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_named_command_and_its_options_exist(command: tuple[str, ...]) -> None:
    program, *words = command
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, _, function = scripts[program].partition(":")
    verbs = list(takewhile(lambda word: not word.startswith("-"), words))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; from {module} import {function}; sys.argv[0] = 'duanhao'; {function}()",
            *verbs,
            "--help",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for option in (word for word in words if word.startswith("--")):
        assert option in done.stdout
