"""The columns of a sheet of numbers, by the names that people give them, and rows read by them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from unicodedata import normalize

from app.exchanges.line import (
    LONGEST_NAME,
    LONGEST_VALUE,
    Fault,
    Gathering,
    HolderKind,
    HolderReference,
    Kind,
    Line,
    number,
    privileges,
    value,
)

MOST_COLUMNS: Final = 64


class Column(StrEnum):
    """What a column may say."""

    NUMBER = "number"
    EXTENSION = "extension"
    NAME = "name"
    EMPLOYEE_NO = "employee_no"
    USER_NAME = "user_name"
    ROOM = "room"
    DEVICE = "device"
    DEPARTMENT = "department"
    PRIVILEGES = "privileges"


HEADINGS: Final[Mapping[Column, tuple[str, ...]]] = MappingProxyType(
    {
        Column.NUMBER: (
            "短号",
            "号码",
            "短号码",
            "电话",
            "电话号码",
            "number",
            "short number",
            "short",
            "digits",
            "did",
        ),
        Column.EXTENSION: ("分机", "分机号", "分机号码", "extension", "ext", "extension no", "extension number"),
        Column.NAME: ("姓名", "名称", "名字", "使用人", "持有人", "name", "full name", "display name", "caller name"),
        Column.EMPLOYEE_NO: ("工号", "员工号", "员工编号", "employee no", "employee number", "employee id", "staff no"),
        Column.USER_NAME: ("账号", "帐号", "用户名", "登录名", "user name", "login", "account"),
        Column.ROOM: ("房间", "房间号", "会议室", "会议室编号", "room", "room code"),
        Column.DEVICE: ("设备", "设备号", "设备序列号", "序列号", "device", "device serial", "serial", "serial number"),
        Column.DEPARTMENT: ("部门", "所在部门", "部门编码", "department", "department code", "dept"),
        Column.PRIVILEGES: ("权限", "呼叫权限", "通话权限", "privileges", "toll allow", "calling privileges", "rights"),
    }
)
"""Spellings of each column, Chinese and English; case, spaces, ``_``, ``-`` and a ``*`` of mandatory columns make no difference."""

_NOISE: Final = re.compile(r"[\s_\-*.:：]+")
_TEXT_FORMULA: Final = re.compile(r'="([^"]*)"')
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_HOLDERS: Final[Mapping[Column, HolderKind]] = MappingProxyType(
    {
        Column.EMPLOYEE_NO: HolderKind.EMPLOYEE_NO,
        Column.USER_NAME: HolderKind.USER_NAME,
        Column.ROOM: HolderKind.ROOM,
        Column.DEVICE: HolderKind.DEVICE,
    }
)
_NUMBERS: Final = ((Column.NUMBER, Kind.NUMBER), (Column.EXTENSION, Kind.EXTENSION))


@dataclass(frozen=True, slots=True)
class Heading:
    """Which column stands where, and what the sheet calls it."""

    places: Mapping[int, tuple[Column, str]]


def spelled(word: str) -> str:
    """Give a heading without what makes no difference between two spellings of it."""
    return _NOISE.sub("", normalize("NFKC", word).casefold())


_WORDS: Final = {spelled(word): column for column, words in HEADINGS.items() for word in words}


def column_of(word: str) -> Column | None:
    """Tell what a column is by its name; ``None`` for one that is not ours."""
    if len(word) > LONGEST_VALUE:
        return None
    return _WORDS.get(spelled(word))


def heading(at: int, row: Sequence[str], gathering: Gathering) -> Heading | None:
    """Read a row of column names; ``None``, with the problem noted, where no number can be found by it."""
    places: dict[int, tuple[Column, str]] = {}
    for place, word in enumerate(row[:MOST_COLUMNS]):
        column = column_of(word)
        if column is None:
            continue
        if any(column is known for known, _ in places.values()):
            gathering.fault(at, Fault.TWICE_THE_COLUMN, word)
            return None
        places[place] = (column, word.strip())
    if not any(column in {Column.NUMBER, Column.EXTENSION} for column, _ in places.values()):
        gathering.fault(at, Fault.NO_NUMBER_COLUMN)
        return None
    return Heading(places)


def literal(text: str) -> str | None:
    """Read a cell that is text; ``="007"`` and ``'007`` are how sheets keep zeros. ``None``: a formula."""
    told = text.strip(" \u3000")
    kept = _TEXT_FORMULA.fullmatch(told)
    if kept is not None:
        told = kept[1]
    elif told.startswith("'"):
        return told[1:].strip()
    return None if told.startswith(_FORMULA) else told.strip()


def lines(at: int, row: Sequence[str], columns: Heading, gathering: Gathering) -> Iterator[Line]:
    """Give the numbers of one row: a number, an extension, or both of one holder. What cannot be read is noted, and the row left out."""
    told: dict[Column, str] = {}
    words: dict[Column, str] = {}
    for place, (column, word) in columns.places.items():
        text = row[place] if place < len(row) else ""
        kept = literal(text)
        if kept is None:
            gathering.fault(at, Fault.FORMULA, word)
            return
        limit = LONGEST_NAME if column in {Column.NAME, Column.DEPARTMENT} else LONGEST_VALUE
        read = value(kept, limit)
        if read is None:
            gathering.fault(at, Fault.MALFORMED_VALUE, word)
            return
        told[column], words[column] = read, word
    found = [(number(told[column]), kind, words[column]) for column, kind in _NUMBERS if told.get(column)]
    if not found:
        if any(told.values()):
            gathering.fault(at, Fault.NO_NUMBER)
        return
    holder = next((HolderReference(kind, told[each]) for each, kind in _HOLDERS.items() if told.get(each)), None)
    for digits, kind, word in found:
        if digits is None:
            gathering.fault(at, Fault.MALFORMED_NUMBER, word)
            continue
        yield Line(
            digits=digits,
            kind=kind,
            name=told.get(Column.NAME) or None,
            holder=holder,
            privileges=privileges(told.get(Column.PRIVILEGES, "")),
            department=told.get(Column.DEPARTMENT) or None,
            source_line=at,
        )
