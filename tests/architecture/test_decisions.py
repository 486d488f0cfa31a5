"""Decisions are pages of one shape, listed once, and point at code that is there."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.tree import ROOT, read

FOLDER: Final = Path("docs/decisions")
PAGES: Final = sorted(path.relative_to(ROOT) for path in (ROOT / FOLDER).glob("[0-9]*.md"))
SECTIONS: Final = ["Context", "Decision", "Consequences", "Rejected", "References"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_decision_has_one_shape(page: Path) -> None:
    text = read(page)
    assert text.startswith(f"# {page.name[:4]}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(re.findall(r"^> ", text, re.MULTILINE)) == 1
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_decision_points_at_what_is_there(page: Path) -> None:
    named = re.findall(r"`((?:app|benchmarks|migrations|tests)/[\w/.-]*|pyproject\.toml)`", read(page))
    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    numbers = [int(page.name[:4]) for page in PAGES]
    assert numbers == list(range(1, len(PAGES) + 1))
    index = read(FOLDER / "README.md")
    assert re.findall(r"\]\((.+?)\)", index) == [page.name for page in PAGES]
    quotes = [line[2:] for page in PAGES for line in read(page).splitlines() if line.startswith("> ")]
    assert [quote for quote in quotes if quote not in index] == []
