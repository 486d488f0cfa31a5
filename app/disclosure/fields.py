"""One declaration per field, from which column, class, mask, labels and index bits follow.

Pure. The catalogue is handed to the gate by the composition root; the order in which protected fields are declared is the order of bits in
the log's index rows, so new fields are appended and old ones never move.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.permissions.outcomes import FieldClass

ALL_KINDS: Final = frozenset({"employee", "external", "temporary", "student", "applicant", "hotline"})
"""Every kind of contact."""


class MaskKind(StrEnum):
    """How a value of this kind is masked; each has one function in ``masks``."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    EMAIL = "email"
    HANDLE = "handle"
    ID_NUMBER = "id_number"
    ADDRESS = "address"
    DELIVERY = "delivery"
    DATE = "date"
    PLATE = "plate"
    TEXT = "text"
    PICTURE = "picture"
    NAME = "name"
    RELATIONS = "relations"


@dataclass(frozen=True, slots=True)
class ProtectedField:
    """A sealed field of a contact: its logical name, class, mask, labels, and the kinds of contact that may carry it.

    One that is not ``on_card`` is stored and shown apart from the card, in a place of its own. ``stored_as`` names the column where that is
    not the field's name: what is plain for one kind and sealed for another has a column of each.
    """

    name: str
    field_class: FieldClass
    mask: MaskKind
    zh: str
    en: str
    kinds: frozenset[str]
    on_card: bool = True
    stored_as: str | None = None

    @property
    def column(self) -> str:
        """Name the column of the sealed value."""
        return self.stored_as or self.name


@dataclass(frozen=True, slots=True)
class PublicField:
    """A C1 member of a card: stored plain, shown to whoever may see the card at all; ``kinds`` are those that may be given it."""

    name: str
    zh: str
    en: str
    kinds: frozenset[str] = ALL_KINDS


class Catalogue:
    """All fields of a contact.

    ``protected`` are the sealed fields of the card, in its order, ``apart`` those shown elsewhere; ``declared`` is both, in the order of
    the log's bits. ``by_name`` and ``place`` speak of the card; ``classes`` of everything sealed. A name may be both public and protected,
    of different kinds: ``protects`` tells which it is.
    """

    def __init__(self, public: Iterable[PublicField], protected: Iterable[ProtectedField]) -> None:
        """Take every field once, in the order of the card; raise ``ValueError`` for a name given twice for one kind."""
        self.public = tuple(public)
        self.declared = tuple(protected)
        self.protected = tuple(field for field in self.declared if field.on_card)
        self.apart: Mapping[str, ProtectedField] = MappingProxyType(
            {field.name: field for field in self.declared if not field.on_card}
        )
        names = [*(each.name for each in self.public), *(f"sealed {each.name}" for each in self.declared)]
        ways = [(each.name, kind) for each in self.public for kind in each.kinds]
        ways += [(each.name, kind) for each in self.declared for kind in each.kinds]
        if len(set(names)) != len(names) or len(set(ways)) != len(ways):
            message = "a field is declared twice"
            raise ValueError(message)
        self.by_name: Mapping[str, ProtectedField] = MappingProxyType({field.name: field for field in self.protected})
        self.place: Mapping[str, int] = MappingProxyType({field.name: at for at, field in enumerate(self.protected)})
        self.classes: Mapping[str, FieldClass] = MappingProxyType(
            {field.name: field.field_class for field in self.declared}
        )
        self._plain: Mapping[str, frozenset[str]] = MappingProxyType(
            {kind: frozenset(field.name for field in self.public if kind in field.kinds) for kind in ALL_KINDS}
        )
        self._carried: Mapping[str, tuple[ProtectedField, ...]] = MappingProxyType(
            {
                kind: tuple(
                    sorted((each for each in self.protected if kind in each.kinds), key=lambda each: each.field_class)
                )
                for kind in ALL_KINDS
            }
        )

    @property
    def logged(self) -> tuple[str, ...]:
        """Name the fields of the log's index rows, in the order of their bits."""
        return tuple(field.name for field in self.declared)

    def named(self, names: Iterable[str]) -> tuple[str, ...]:
        """Keep what names a sealed field, each once: a caller's other words are nobody's to put on record."""
        return tuple(dict.fromkeys(name for name in names if name in self.classes))

    def of_kind(self, kind: str) -> tuple[ProtectedField, ...]:
        """Give the protected fields that the card of a contact of ``kind`` may carry, by class."""
        return self._carried.get(kind, ())

    def plain(self, kind: str) -> frozenset[str]:
        """Name the public fields that a contact of ``kind`` may be given."""
        return self._plain.get(kind, frozenset())

    def protects(self, kind: str, name: str) -> ProtectedField | None:
        """Give the protected field of the card that ``name`` is for ``kind``; ``None`` where it is public or none at all.

        What a kind does not carry, but others carry sealed, is protected: better nowhere than in clear.
        """
        return None if name in self.plain(kind) else self.by_name.get(name)
