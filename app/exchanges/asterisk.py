"""Numbers in Asterisk's ``pjsip.conf``: what its sections of ``type = endpoint`` say.

The number is the section's name or, where that is a person's, the one in ``callerid = "Name" <61234>``. Who holds it, what it may do and
of which department it is come from ``set_var``: ``employee_no``, ``user_name``, ``room``, ``device``, ``toll_allow``, ``department``.
Sections take from templates and from each other as in Asterisk; other files are named as a problem and not followed.

Grammar: Asterisk's own ``config.c`` and its documentation "Using Configuration Templates": ``[name](!)``, ``[name](a,b)``, ``[name](+)``,
a ``;`` to the end of a line unless a backslash stands before it, ``;--`` to ``--;`` over lines and nested, ``=`` or ``=>``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Final

from app.exchanges.line import (
    HOLDER_WORDS,
    LONGEST_LINE,
    LONGEST_NAME,
    Fault,
    Full,
    Gathering,
    HolderKind,
    HolderReference,
    Kind,
    Line,
    Plan,
    decoded,
    holder_of,
    is_number,
    privileges,
    refused,
    value,
)

_TYPE: Final = "type"
_CALLER: Final = "callerid"
_VARIABLE: Final = "set_var"
_ENDPOINT: Final = "endpoint"
TOLL_ALLOW: Final = "toll_allow"
DEPARTMENT: Final = "department"
_WORDS: Final = frozenset({*HOLDER_WORDS, TOLL_ALLOW, DEPARTMENT})
_INCLUDES: Final = ("#include", "#tryinclude", "#exec")


@dataclass(slots=True)
class _Section:
    name: str
    line: int
    template: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def take(self, other: "_Section") -> None:
        self.settings |= other.settings
        self.variables |= other.variables


class _Comments:
    """What is left of lines without comments; those between ``;--`` and ``--;`` go over lines."""

    def __init__(self) -> None:
        self.depth = 0
        self.began = 0

    def without(self, at: int, line: str) -> str:
        kept: list[str] = []
        place, end = 0, len(line)
        while place < end:
            if self.depth:
                place = self._inside(line, place)
                continue
            mark = line.find(";", place)
            if mark < 0:
                kept.append(line[place:])
                break
            if mark > place and line[mark - 1] == "\\":
                kept.append(line[place : mark - 1] + ";")
                place = mark + 1
                continue
            kept.append(line[place:mark])
            if not _opens(line, mark):
                break
            self.depth, self.began, place = 1, at, mark + 3
        return "".join(kept).strip()

    def _inside(self, line: str, place: int) -> int:
        closing, opening = line.find("--;", place), line.find(";--", place)
        if opening >= 0 and (closing < 0 or opening < closing) and _opens(line, opening):
            self.depth += 1
            return opening + 3
        if closing < 0:
            return len(line)
        self.depth -= 1
        return closing + 3


def _opens(line: str, mark: int) -> bool:
    return line.startswith(";--", mark) and line[mark + 3 : mark + 4] != "-"


class _Reader:
    """Takes lines, and has the sections."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._first: dict[str, _Section] = {}
        self._current: _Section | None = None
        self._known = False
        self.sections: list[_Section] = []

    def take(self, at: int, text: str) -> None:
        if text.startswith("["):
            self._current, self._known = self._heading(at, text), True
        elif text.startswith("#"):
            code = Fault.INCLUDE if text.lower().startswith(_INCLUDES) else Fault.MALFORMED_LINE
            self._gathering.fault(at, code)
        elif text:
            self._setting(at, text)

    def _heading(self, at: int, text: str) -> _Section | None:
        name, closed, rest = text[1:].partition("]")
        name, rest = name.strip(), rest.strip()
        options: list[str] = []
        if rest:
            if not (rest.startswith("(") and rest.endswith(")")):
                closed = ""
            options = [each.strip() for each in rest[1:-1].split(",") if each.strip()]
        if not closed or not name:
            self._gathering.fault(at, Fault.MALFORMED_SECTION)
            return None
        if "+" in options:
            known = self._first.get(name)
            if known is None:
                self._gathering.fault(at, Fault.UNKNOWN_TEMPLATE, name)
            return known
        section = _Section(name, at, template="!" in options)
        for parent in options:
            if parent == "!":
                continue
            known = self._first.get(parent)
            if known is None:
                self._gathering.fault(at, Fault.UNKNOWN_TEMPLATE, parent)
            else:
                section.take(known)
        self._first.setdefault(name, section)
        self.sections.append(section)
        return section

    def _setting(self, at: int, text: str) -> None:
        key, told, content = text.partition("=")
        key, content = key.strip().lower(), content.removeprefix(">").strip()
        if not told or not key or not self._known:
            self._gathering.fault(at, Fault.MALFORMED_LINE)
        elif self._current is None:
            return
        elif key in {_TYPE, _CALLER}:
            self._current.settings[key] = content
        elif key == _VARIABLE:
            word, _, meant = content.partition("=")
            if word.strip().lower() in _WORDS:
                self._current.variables[word.strip().lower()] = meant.strip()


def read(content: str | bytes) -> Plan:
    """Read a ``pjsip.conf``. It never raises: what cannot be read is a problem of the plan."""
    text = decoded(content)
    if isinstance(text, Fault):
        return refused(text)
    gathering, comments = Gathering(), _Comments()
    reader = _Reader(gathering)
    try:
        for at, line in enumerate(StringIO(text, newline="\n"), start=1):
            if len(line) > LONGEST_LINE:
                gathering.fault(at, Fault.LINE_TOO_LONG)
                continue
            reader.take(at, comments.without(at, line))
        if comments.depth:
            gathering.fault(comments.began, Fault.UNCLOSED_COMMENT)
        for section in reader.sections:
            for found in _lines(section, gathering):
                gathering.add(found)
    except Full:
        return gathering.plan()
    return gathering.plan()


def _lines(section: _Section, gathering: Gathering) -> Iterator[Line]:
    if section.template or section.settings.get(_TYPE, "").lower() != _ENDPOINT:
        return
    told, number = caller(section.settings.get(_CALLER, ""))
    named = is_number(section.name)
    digits = section.name if named else number
    if not digits:
        gathering.fault(section.line, Fault.NO_NUMBER, section.name)
        return
    if not is_number(digits):
        gathering.fault(section.line, Fault.MALFORMED_NUMBER, section.name if named else _CALLER)
        return
    variables: dict[str, str] = {}
    for word, text in section.variables.items():
        kept = text if word == TOLL_ALLOW else value(text)
        if kept is None:
            gathering.fault(section.line, Fault.MALFORMED_VALUE, word)
            return
        variables[word] = kept
    name = value(told, LONGEST_NAME)
    if name is None:
        gathering.fault(section.line, Fault.MALFORMED_VALUE, _CALLER)
        return
    holder = holder_of(variables)
    if holder is None and not named:
        code = value(section.name)
        holder = HolderReference(HolderKind.USER_NAME, code) if code else None
    yield Line(
        digits=digits,
        kind=Kind.EXTENSION,
        name=name or None,
        holder=holder,
        privileges=privileges(variables.get(TOLL_ALLOW, "")),
        department=variables.get(DEPARTMENT) or None,
        source_line=section.line,
    )


def caller(text: str) -> tuple[str, str]:
    """Read ``"Name" <61234>``: the name and the number, either empty where it is not there."""
    told = text.strip()
    if told.endswith(">") and "<" in told:
        name, _, number = told[:-1].rpartition("<")
        return _unquoted(name), number.strip()
    return ("", told) if is_number(told) else (_unquoted(told), "")


def _unquoted(text: str) -> str:
    told = text.strip()
    if len(told) > 1 and told[0] == told[-1] == '"':
        told = told[1:-1]
    return told.replace('\\"', '"').replace("\\\\", "\\").strip()
