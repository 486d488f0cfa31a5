"""Logs cannot print a protected value: objects by their type alone, exceptions by their kind, texts swept, libraries included."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.sealed import Sealed
from app.kit import logging as structured
from app.kit.logging import swept
from tests.support.company import PEOPLE


@dataclass
class Row:
    """What somebody might log by mistake."""

    mobile: str


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    """Put everything back."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = before, level


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Give the one line."""
    found: dict[str, object] = orjson.loads(capsys.readouterr().err)
    return found


def test_plain_values_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("info")
    identity = UUID(int=7)
    structlog.get_logger("x").info(
        "told", number=1, flag=True, none=None, id=identity, at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    line = printed(capsys)
    assert line["event"] == "told"
    assert (line["number"], line["flag"], line["none"], line["id"]) == (1, True, None, str(identity))
    assert line["at"] == "2026-01-02 00:00:00+00:00"
    assert line["level"] == "info"


def test_objects_are_printed_by_their_type(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("info")
    row = Row(PEOPLE["staff"].mobile)
    structlog.get_logger("x").info(
        "told", row=row, rows=[row, {"deep": row}], raw=b"13800002101", box=Sealed(b"x" * 60)
    )
    line = printed(capsys)
    assert (line["row"], line["raw"], line["box"]) == ("<Row>", "<bytes>", "<Sealed>")
    assert line["rows"] == ["<Row>", {"deep": "<Row>"}]


def test_what_is_nested_too_deep_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("info")
    deep: object = "bottom"
    for _ in range(20):
        deep = [deep]
    structlog.get_logger("x").info("told", deep=deep)
    assert "bottom" not in str(printed(capsys))


def test_texts_are_swept_wherever_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("info")
    structlog.get_logger("x").info(
        "call 13800002101", items=["id 11010519491231002X", {"to person2101@example.com": "+86 138-0000-2101"}]
    )
    line = str(printed(capsys))
    for secret in ("13800002101", "person2101", "11010519491231002X", "138-0000"):
        assert secret not in line


def test_an_exceptions_message_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("info")

    def fails() -> None:
        raise ValueError(PEOPLE["staff"].email, "wx_2101_x")

    try:
        fails()
    except ValueError as error:
        structlog.get_logger("x").error("failed", exc_info=True, error=error)
        logging.getLogger("library").exception("went wrong")
    lines = capsys.readouterr().err
    assert "wx_2101_x" not in lines
    assert "person2101" not in lines
    assert "ValueError" in lines
    assert "Traceback" not in lines


def test_what_libraries_log_is_a_line_of_ours_and_swept(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("info")
    logging.getLogger("asyncpg").warning("DETAIL: Key (mobile)=(%s) exists\nmore 13800002101", "13800002101")
    line = printed(capsys)
    assert line["event"] == "DETAIL: Key (mobile)=([protected]) exists"
    logging.getLogger("sqlalchemy.engine").info("SELECT '13800002101'")
    assert capsys.readouterr().err == "", "libraries speak from warning on"


def test_lines_below_the_level_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    structured.configure("warning")
    structlog.get_logger("x").info("quiet")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "text",
    [
        "13800002101",
        "+8613800002101",
        "86 138 0000 2101",
        "138-0000-2101",
        "a13",
        "person2101@example.com",
        "x=person.2101+tag@mail.example.co.uk;",
        "11010519491231002X",
        "11010519491231002x",
        "号码13800002101。",
    ],
)
def test_sweeping_finds_numbers_mail_addresses_and_identity_numbers(text: str) -> None:
    assert ("[protected]" in swept(text)) == (text != "a13")


@pytest.mark.parametrize(
    "text",
    [
        "contact.read",
        "01a1ff4d-569e-7717-8e8b-1e438dab1950",
        "01a1ff4d569e77178e8b1e438dab1950",
        "2026-11-21T18:00:00Z",
        "61234",
    ],
)
def test_sweeping_leaves_ids_and_times_alone(text: str) -> None:
    assert swept(text) == text


@given(
    number=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    before=st.sampled_from(["", " ", ":", "=", "(", "号", "\n", '"']),
)
def test_no_mobile_survives(number: str, before: str) -> None:
    assert number not in swept(f"x{before}{number}{before}" if before else number)
