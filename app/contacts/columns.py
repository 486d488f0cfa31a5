"""Which columns a sheet of contacts has, and what a card says in each. No I/O.

Columns are the fields of the table, under their names or labels, so that our own import reads what an export wrote. What cannot stand in
one cell and be read again as it was, an empty one stands for: to an import an empty cell says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.contacts.fields import CATALOGUE
from app.contacts.vcard import shown, text

Labels = Literal["zh", "en", "names"]
SEPARATOR: Final = ";"
_SPLITS: Final = ";；"
_NO_CELL: Final = frozenset({"relations"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a field's name, or one that is worked out from a field; and its two labels."""

    name: str
    zh: str
    en: str


_PATH: Final = Column("department_path", "部门路径", "Department path")
WATERMARK: Final = Column("watermark", "水印", "Watermark")


def _columns() -> tuple[Column, ...]:
    found: dict[str, Column] = {}
    for public in CATALOGUE.public:
        found.setdefault(public.name, Column(public.name, public.zh, public.en))
        if public.name == "department":
            found[_PATH.name] = _PATH
    for field in CATALOGUE.protected:
        if field.name not in _NO_CELL:
            found.setdefault(field.name, Column(field.name, field.zh, field.en))
    return tuple(found.values())


COLUMNS: Final = _columns()
NAMES: Final = tuple(each.name for each in COLUMNS)
SEALED: Final = frozenset(CATALOGUE.by_name) - _NO_CELL
"""Columns of fields that are sealed, for some kind of contact at least."""


def chosen(names: Sequence[str], kind: str | None) -> tuple[Column, ...]:
    """Give the columns of these names, in the table's order; for none the columns that a contact of ``kind``, or any, may fill."""
    if names:
        return tuple(each for each in COLUMNS if each.name in names)
    if kind is None:
        return COLUMNS
    carried = {*CATALOGUE.plain(kind), *(each.name for each in CATALOGUE.of_kind(kind)), _PATH.name}
    return tuple(each for each in COLUMNS if each.name in carried)


def head(columns: Sequence[Column], labels: Labels) -> list[str]:
    """Write the row of column names."""
    return [each.name if labels == "names" else getattr(each, labels) for each in (*columns, WATERMARK)]


def row(card: Mapping[str, Any], columns: Sequence[Column], watermark: str) -> list[str]:
    """Write what a card, as the gate rendered it, says in each column, and the watermark."""
    return [*(_cell(card, each.name) for each in columns), watermark]


def _cell(card: Mapping[str, Any], name: str) -> str:
    value = card.get(name)
    match name:
        case "department":
            return _of(value, "code")
        case _PATH.name:
            return _of(card.get("department"), "path")
        case "memberships":
            further = [each for each in value or () if not each.get("main")]
            return _joined([_of(each.get("department"), "code") for each in further])
        case "tags" | "short_numbers":
            return _joined([str(each) for each in value or ()])
        case _:
            return shown(value) or text(value) or ""


def _of(department: object, member: str) -> str:
    return str(department.get(member) or "") if isinstance(department, Mapping) else ""


def _joined(parts: Sequence[str]) -> str:
    """Join texts, unless one of them would be parted when it is read."""
    return "" if any(sign in each for each in parts for sign in _SPLITS) else SEPARATOR.join(parts)
