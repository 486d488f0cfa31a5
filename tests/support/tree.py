"""The files of the project as they would be committed: neither what running made nor what the checks cached."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_HIDDEN_BUT_OURS: Final = frozenset({".ci", ".gitignore", ".dockerignore"})
_MADE: Final = frozenset({"var", "build", "dist", "__pycache__", "results"})


def project_files() -> list[Path]:
    """List every file of ours, as paths relative to the root."""
    return sorted(_files(Path()))


def read(path: Path) -> str:
    """Read a text file of the project; bytes that are not UTF-8 are replaced."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def _files(folder: Path) -> Iterator[Path]:
    for entry in (ROOT / folder).iterdir():
        path = folder / entry.name
        if entry.name in _MADE or entry.suffix == ".egg-info":
            continue
        if entry.name.startswith(".") and entry.name not in _HIDDEN_BUT_OURS:
            continue
        if entry.is_dir():
            yield from _files(path)
        elif entry.is_file():
            yield path
