"""A number as a file tells it, and what cannot be read of the file.

Every reader gives a ``Plan``: lines that were understood, and for what was not a problem with its line, its column where there is one, and
a stable code. A reader never raises on what it is given and never holds more than its bounds: a file is somebody else's, and large ones
come by mistake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from unicodedata import category, normalize

LONGEST_NUMBER: Final = 15
LONGEST_NAME: Final = 100
LONGEST_VALUE: Final = 128
LONGEST_LINE: Final = 8192
MOST_LINES: Final = 200_000
MOST_PROBLEMS: Final = 10_000
MOST_PRIVILEGES: Final = 32
MOST_BYTES: Final = 67_108_864

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BETWEEN: Final = str.maketrans(dict.fromkeys(",;|/、，；", " "))


class Kind(StrEnum):
    """What a number is to its holder."""

    EXTENSION = "extension"
    NUMBER = "number"


class HolderKind(StrEnum):
    """By what a file names a holder."""

    EMPLOYEE_NO = "employee_no"
    USER_NAME = "user_name"
    ROOM = "room"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class HolderReference:
    """A holder as the file names it."""

    kind: HolderKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One number of the file, with what the file says of it. ``privileges`` are words of the exchange, as it spells them."""

    digits: str
    kind: Kind
    name: str | None = None
    holder: HolderReference | None = None
    privileges: tuple[str, ...] = ()
    department: str | None = None
    source_line: int


class Fault(StrEnum):
    """What cannot be read."""

    NOT_TEXT = "not_text"
    TOO_LARGE = "too_large"
    TOO_MANY_LINES = "too_many_lines"
    TOO_MANY_PROBLEMS = "too_many_problems"
    LINE_TOO_LONG = "line_too_long"
    MALFORMED_LINE = "malformed_line"
    MALFORMED_SECTION = "malformed_section"
    UNKNOWN_TEMPLATE = "unknown_template"
    UNCLOSED_COMMENT = "unclosed_comment"
    INCLUDE = "include"
    PREPROCESSOR = "preprocessor"
    UNRESOLVED_VARIABLE = "unresolved_variable"
    MALFORMED_XML = "malformed_xml"
    DOCUMENT_TYPE = "document_type"
    NO_NUMBER = "no_number"
    MALFORMED_NUMBER = "malformed_number"
    MALFORMED_VALUE = "malformed_value"
    NO_HEADER = "no_header"
    NO_NUMBER_COLUMN = "no_number_column"
    TWICE_THE_COLUMN = "twice_the_column"
    MALFORMED_ROW = "malformed_row"
    TOO_MANY_COLUMNS = "too_many_columns"
    FORMULA = "formula"
    NO_WORKBOOK = "no_workbook"


FAULTS: Final[Mapping[Fault, tuple[str, str]]] = MappingProxyType(
    {
        Fault.NOT_TEXT: ("The file is neither UTF-8 nor GB 18030.", "文件编码既不是 UTF-8 也不是 GB 18030。"),
        Fault.TOO_LARGE: ("The file is longer than 64 MiB, or unfolds to far more.", "文件超过 64 MiB，或解压后过大。"),
        Fault.TOO_MANY_LINES: ("Nothing after this line was read: too many.", "行数过多，此行之后未读取。"),
        Fault.TOO_MANY_PROBLEMS: ("Nothing after this line was read: too many faults.", "错误过多，此行之后未读取。"),
        Fault.LINE_TOO_LONG: ("The line is longer than 8192 characters.", "该行超过 8192 个字符。"),
        Fault.MALFORMED_LINE: ("The line is no setting.", "该行不是有效的设置项。"),
        Fault.MALFORMED_SECTION: ("The section's heading is not complete.", "小节标题不完整。"),
        Fault.UNKNOWN_TEMPLATE: ("No section of this name stands before.", "此前没有该名称的模板或小节。"),
        Fault.UNCLOSED_COMMENT: ("The comment that begins here has no end.", "此处开始的注释没有结束。"),
        Fault.INCLUDE: ("Other files are not followed; hand them in too.", "不会读取引用的其他文件，请一并提交。"),
        Fault.PREPROCESSOR: ("What the exchange would put here is not known.", "无法得知交换机预处理后的内容。"),
        Fault.UNRESOLVED_VARIABLE: ("The value has a variable in it.", "取值中含有未展开的变量。"),
        Fault.MALFORMED_XML: ("The document is not well formed from here on.", "文档从此处起格式有误。"),
        Fault.DOCUMENT_TYPE: ("Documents with a type or entities are not read.", "不读取带有文档类型或实体的文档。"),
        Fault.NO_NUMBER: ("No number stands here.", "此处没有号码。"),
        Fault.MALFORMED_NUMBER: ("A number is 1 to 15 digits.", "号码应为 1 至 15 位数字。"),
        Fault.MALFORMED_VALUE: ("The value is too long or has unseen characters.", "取值过长或含有不可见字符。"),
        Fault.NO_HEADER: ("The sheet has no row of column names.", "表格没有列名行。"),
        Fault.NO_NUMBER_COLUMN: ("No column of numbers or extensions.", "表格没有号码列或分机列。"),
        Fault.TWICE_THE_COLUMN: ("The column is there twice.", "该列重复。"),
        Fault.MALFORMED_ROW: ("The row's quotation marks do not match.", "该行引号不匹配。"),
        Fault.TOO_MANY_COLUMNS: ("The row has too many columns.", "该行列数过多。"),
        Fault.FORMULA: ("Formulas are not read; put the value there.", "不读取公式，请改为数值或文本。"),
        Fault.NO_WORKBOOK: ("The file is no workbook that can be read.", "文件不是可读取的工作簿。"),
    }
)
"""What each fault means, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read at a line; ``column`` is the sheet's column, or the setting or attribute."""

    line: int
    column: str | None
    code: Fault


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file says."""

    lines: tuple[Line, ...] = ()
    problems: tuple[Problem, ...] = ()


class Full(Exception):
    """No more is taken; what was gathered stands."""


@dataclass(slots=True)
class Gathering:
    """What a reader has gathered so far, within the bounds."""

    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: Line) -> None:
        """Take a line; raise ``Full`` after the last that is taken."""
        if len(self.lines) >= MOST_LINES:
            self.problems.append(Problem(line.source_line, None, Fault.TOO_MANY_LINES))
            raise Full
        self.lines.append(line)

    def fault(self, line: int, code: Fault, column: str | None = None) -> None:
        """Take a problem; raise ``Full`` after the last that is taken."""
        if len(self.problems) >= MOST_PROBLEMS:
            self.problems.append(Problem(line, None, Fault.TOO_MANY_PROBLEMS))
            raise Full
        self.problems.append(Problem(line, None if column is None else shortened(column), code))

    def plan(self) -> Plan:
        """Give it all, problems in the order of their lines."""
        return Plan(tuple(self.lines), tuple(sorted(self.problems, key=lambda each: each.line)))


def refused(code: Fault, line: int = 1) -> Plan:
    """Give the plan of a file that cannot be read at all."""
    return Plan((), (Problem(line, None, code),))


def decoded(content: str | bytes) -> str | Fault:
    """Read text in UTF-8, with a byte order mark or without, else in GB 18030; tell what hinders it."""
    if len(content) > MOST_BYTES:
        return Fault.TOO_LARGE
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return Fault.NOT_TEXT


def is_number(text: str) -> bool:
    """Tell whether a text is the digits of a number."""
    return 0 < len(text) <= LONGEST_NUMBER and text.isascii() and text.isdigit()


def number(text: str) -> str | None:
    """Read a number as people write it, with wide digits or spaces around; ``None`` when it is none."""
    if len(text) > LONGEST_VALUE:
        return None
    digits = normalize("NFKC", text).strip()
    return digits if is_number(digits) else None


def value(text: str, most: int = LONGEST_VALUE) -> str | None:
    """Read a name or code without what is around it; ``None`` when it is too long or has in it what nobody sees."""
    told = text.strip()
    return None if len(told) > most or any(category(each) in _UNSEEN for each in told) else told


def privileges(text: str) -> tuple[str, ...]:
    """Read a list of privileges, each once, in lower case, in the order of the file."""
    return tuple(dict.fromkeys(text.translate(_BETWEEN).lower().split()))[:MOST_PRIVILEGES]


def shortened(text: str) -> str:
    """Give as much of a text as a problem repeats, without what nobody sees."""
    return "".join(each for each in text[:40] if category(each) not in _UNSEEN)


HOLDER_WORDS: Final[Mapping[str, HolderKind]] = MappingProxyType(
    {
        "employee_no": HolderKind.EMPLOYEE_NO,
        "user_name": HolderKind.USER_NAME,
        "room": HolderKind.ROOM,
        "device": HolderKind.DEVICE,
    }
)
"""The names of variables, in either exchange, that say who the holder is; the first of them that is there counts."""


def holder_of(variables: Mapping[str, str]) -> HolderReference | None:
    """Give the holder that variables of an exchange name."""
    named: Sequence[HolderReference] = [
        HolderReference(kind, variables[word]) for word, kind in HOLDER_WORDS.items() if variables.get(word)
    ]
    return named[0] if named else None
