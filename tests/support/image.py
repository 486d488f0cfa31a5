"""The image without a container engine: the Dockerfile's instructions carried out on folders, and containers of mount namespaces.

A stage is a folder that holds the directories in which images differ; a namespace lays them over this machine's own, so every ``RUN``,
``HEALTHCHECK`` and ``CMD`` runs as it is written. A container is read-only but for its volumes and ``/tmp``, has a network of its own, no
capability, and the image's user. The base image is this Python, laid over ``/usr/local``. Needs root.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LAID_OVER: Final = ("opt", "srv", "etc", "run", "var/lib", "root")
_BASE_PATH: Final = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_OF_THE_NETWORK: Final = re.compile(r"(PIP|SSL|REQUESTS|CURL)_\w+|(https?|all|no)_proxy", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")
_RAISE: Final = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14x', b'lo', 1))"
_LOOPBACK_UP: Final = shlex.join(["/usr/local/bin/python", "-c", _RAISE])
_CLOSE: Final = (
    "closed() { for _ in $(seq 50); do mount -o remount,ro,bind $1 2>/dev/null && return; sleep 0.1; done; exit 9; }"
)
"""A mount that something is writing to at this moment cannot be made read-only; the kernel says so, and the next try succeeds."""


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Read a Dockerfile as (instruction, arguments): comment lines dropped, continued lines joined."""
    kept = "\n".join(line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", kept)
    return [(words[0], words[1]) for line in joined.splitlines() if len(words := line.strip().split(maxsplit=1)) == 2]


def stages(dockerfile: str) -> list[list[tuple[str, str]]]:
    """Cut the instructions at each ``FROM``; build arguments before the first one are put in their place."""
    arguments: dict[str, str] = {}
    found: list[list[tuple[str, str]]] = []
    for name, value in instructions(dockerfile):
        if name == "FROM":
            found.append([(name, _filled(value, arguments))])
        elif found:
            found[-1].append((name, value))
        else:
            key, _, default = value.partition("=")
            arguments[key] = default
    return found


def let_in(dockerignore: str) -> frozenset[str]:
    """List what a ``.dockerignore`` that begins with ``*`` lets into the build."""
    return frozenset(line[1:] for line in dockerignore.splitlines() if line.startswith("!"))


def has_namespaces() -> bool:
    """Tell whether mount and network namespaces can be made here."""
    command = ["unshare", "--mount", "--net", "--propagation", "private", "true"]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


@dataclass(slots=True)
class Stage:
    """One stage, and at the end the image: its folders and what its instructions have set."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _BASE_PATH})
    workdir: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)

    def place(self, path: str) -> Path:
        """Find where a path of the image is on this machine."""
        inside = (Path(self.workdir) / path).relative_to("/")
        if not any(inside.is_relative_to(each) for each in LAID_OVER):
            message = f"the image writes to /{inside}, which no folder is laid over"
            raise ValueError(message)
        return self.root / inside


def build(dockerfile: str, context: Path, folder: Path) -> Stage:
    """Carry the whole Dockerfile out; give its last stage. Raises ``AssertionError`` with the output of a ``RUN`` that fails."""
    allowed = let_in((context / ".dockerignore").read_text(encoding="utf-8"))
    made: dict[str, Stage] = {}
    stage = Stage(folder)
    for number, steps in enumerate(stages(dockerfile)):
        stage = Stage(folder / f"stage-{number}")
        for directory in LAID_OVER:
            (stage.root / directory).mkdir(parents=True, mode=0o755)
        shutil.copytree("/etc", stage.root / "etc", symlinks=True, dirs_exist_ok=True)
        made[_name(steps[0][1], number)] = stage
        for name, value in steps[1:]:
            _carry_out(stage, name, value, _Sources(context, allowed, made))
    return stage


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where ``COPY`` finds things."""

    context: Path
    allowed: frozenset[str]
    stages: Mapping[str, Stage]


def _name(arguments: str, number: int) -> str:
    words = arguments.split()
    return words[2] if len(words) == 3 else str(number)


def _carry_out(stage: Stage, name: str, value: str, sources: _Sources) -> None:  # noqa: C901 — one case for each instruction
    match name:
        case "ENV":
            stage.environment |= dict(word.split("=", 1) for word in shlex.split(value))
        case "LABEL":
            stage.labels |= dict(word.split("=", 1) for word in shlex.split(value))
        case "WORKDIR":
            stage.workdir = value
            stage.place(".").mkdir(parents=True, exist_ok=True)
        case "RUN":
            _run(stage, value)
        case "COPY":
            _copy(stage, value.split(), sources)
        case "USER":
            stage.user = value
        case "VOLUME":
            stage.volumes = json.loads(value)
        case "CMD":
            stage.command = json.loads(value)
        case "HEALTHCHECK":
            stage.health = json.loads(value.split("CMD", 1)[1])
        case "EXPOSE" | "STOPSIGNAL":
            int(value) if name == "EXPOSE" else value.index("SIG")
        case _:
            message = f"{name} is not known here"
            raise ValueError(message)


def _copy(stage: Stage, words: list[str], sources: _Sources) -> None:
    *given, target = [word for word in words if not word.startswith("--")]
    origin = next((word.partition("=")[2] for word in words if word.startswith("--from=")), None)
    for source in given:
        if origin is None and source not in sources.allowed:
            message = f"{source} is not let into the build"
            raise ValueError(message)
        found = sources.context / source if origin is None else sources.stages[origin].place(source)
        placed = stage.place(target) / found.name if target.endswith("/") else stage.place(target)
        placed.parent.mkdir(parents=True, exist_ok=True)
        if found.is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "*.pyc") if origin is None else None
            shutil.copytree(found, placed, symlinks=True, ignore=left_out)
        else:
            shutil.copy2(found, placed)


def _run(stage: Stage, command: str) -> None:
    network = {name: value for name, value in os.environ.items() if _OF_THE_NETWORK.fullmatch(name)}
    script = "\n".join([*_laid(stage), f"cd {shlex.quote(stage.workdir)}", f"exec /bin/sh -c {shlex.quote(command)}"])
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-euc", script],  # noqa: S607 — where it is differs
        env={**network, **stage.environment, "LD_LIBRARY_PATH": "/usr/local/lib", "HOME": "/root"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, f"RUN {command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"


def _laid(stage: Stage) -> list[str]:
    base = [f"mount --bind {shlex.quote(sys.base_prefix)} /usr/local"]
    return base + [f"mount --bind {shlex.quote(str(stage.root / each))} /{each}" for each in LAID_OVER]


def _filled(text: str, arguments: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], text)


@dataclass(frozen=True, slots=True)
class Container:
    """An image with volumes (path inside to folder or file here) and an environment of its own."""

    image: Stage
    environment: Mapping[str, str]
    volumes: Mapping[str, Path]

    def start(self, command: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
        """Start ``command`` as the container's process; what it prints goes to ``output``."""
        with output.open("ab") as printed:
            return subprocess.Popen(
                self._entered(command),
                env=self._environment(),
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run ``command`` to its end in a container of its own."""
        return subprocess.run(
            self._entered(command), env=self._environment(), capture_output=True, text=True, check=False, timeout=120
        )

    def execute(self, process: "subprocess.Popen[bytes]", command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        """Run ``command`` inside of a running container, as a health check is."""
        inside = ["nsenter", "--target", str(process.pid), "--mount", "--net", "--wd=/"]
        return subprocess.run(
            [*inside, *self._as_user(), *command],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _environment(self) -> dict[str, str]:
        return {**self.image.environment, **self.environment, "LD_LIBRARY_PATH": "/usr/local/lib"}

    def _as_user(self) -> list[str]:
        user, _, group = self.image.user.partition(":")
        identity = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
        return [*identity, "--bounding-set=-all", "--inh-caps=-all"]

    def _entered(self, command: Sequence[str]) -> list[str]:
        script = [
            *_laid(self.image),
            *self._mounted(),
            "mount -t tmpfs -o mode=1777,size=256m tmpfs /tmp",
            _LOOPBACK_UP,
        ]
        script += [f"cd {shlex.quote(self.image.workdir)}", f"exec {shlex.join([*self._as_user(), *command])}"]
        namespaces = ["unshare", "--mount", "--net", "--propagation", "private"]
        return [*namespaces, "/bin/sh", "-euc", "\n".join(script)]

    def _mounted(self) -> Iterator[str]:
        for inside, here in self.volumes.items():
            point = shlex.quote(inside)
            make = f"mkdir -p {point}" if here.is_dir() else f"mkdir -p $(dirname {point}) && touch {point}"
            yield f"{make} && mount --bind {shlex.quote(str(here))} {point}"
        yield _CLOSE
        for each in ("", *LAID_OVER, "usr/local"):
            yield f"closed /{each}"
