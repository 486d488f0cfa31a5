"""What a README must say about settings, worked out from the settings themselves, and what its code blocks hold.

A block of ``sh`` is what a reader pastes; ``# → text`` in it says that the answer of the commands above it holds that text. A block of
``console`` is for a place of the reader's own and is read only.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.config import ExternalIssuer, Settings

ROOT: Final = Path(__file__).parents[2]
ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
_COLUMNS: Final = 3
EXPECTS: Final = "# → "
_DEFAULT: Final = ("default", "默认值")
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    """Read a README."""
    return (ROOT / name).read_text(encoding="utf-8")


def code(name: str) -> str:
    """Give what stands in its code blocks."""
    return "".join(block for _, block in _FENCE.findall(text(name)))


@dataclass(frozen=True, slots=True)
class Walk:
    """What a reader would do: the commands of all ``sh`` blocks as one script, and what each stretch of its output must hold."""

    script: str
    expected: tuple[str, ...]


BY_HAND: Final = ("make run", "make test")
"""Blocks that are not part of the walk: the first is what it walks on, the second would be this very suite."""


def walk(name: str, mark: str) -> Walk:
    """Write the script; it prints ``mark`` on a line of its own after each stretch of which something is expected."""
    blocks = [block for kind, block in _FENCE.findall(text(name)) if kind == "sh" and block.strip() not in BY_HAND]
    lines: list[str] = []
    expected: list[str] = []
    for line in "".join(blocks).splitlines():
        if line.startswith(EXPECTS):
            expected.append(line.removeprefix(EXPECTS))
            lines.append(f"printf '\\n%s\\n' {shlex.quote(mark)}")
        else:
            lines.append(line)
    return Walk("\n".join(lines) + "\n", tuple(expected))


def settings() -> list[tuple[str, str, str]]:
    """List every setting: variable, default as the table writes it, meaning."""
    return [
        ("DUANHAO_" + "__".join(path).upper(), _written(field), field.title or "")
        for path, field in _leaves(Settings, ())
    ]


def issuer_members() -> list[tuple[str, str, str]]:
    """List the members of one issuer outside, likewise."""
    return [(name, _written(field), field.title or "") for name, field in ExternalIssuer.model_fields.items()]


def rows(name: str) -> list[tuple[str, str, str]]:
    """Read the rows of the tables of settings, in order: name, default, meaning."""
    found: list[tuple[str, str, str]] = []
    inside = False
    for line in text(name).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != _COLUMNS:
            inside = False
        elif cells[1] in _DEFAULT:
            inside = True
        elif inside and cells[0].startswith("`"):
            found.append((cells[0].strip("`"), cells[1], cells[2]))
    return found


def _leaves(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, (*above, name))
        else:
            yield (*above, name), field


def _written(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if get_origin(field.annotation) is Literal:
        return " or ".join(
            f"`{each}`" for each in sorted(get_args(field.annotation), key=lambda each: each != field.default)
        )
    default = field.get_default(call_default_factory=True, validated_data={})
    match default:
        case None:
            return "unset"
        case tuple():
            return f"`[{', '.join(map(repr, default))}]`".replace("'", '"')
        case dict():
            return "`{}`"
        case _:
            return f"`{default}`"
