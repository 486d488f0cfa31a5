"""One declaration per field, from which column, class, mask, labels and index bits follow.

Pure. The catalogue is handed to the gate by the composition root; the order of its protected fields is the order of bits in the
log's index rows, so new fields are appended and old ones never move.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from app.permissions.outcomes import FieldClass


class MaskKind(StrEnum):
    """How a value of this kind is masked; each has one function in ``masks``."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    EMAIL = "email"
    HANDLE = "handle"
    ID_NUMBER = "id_number"
    ADDRESS = "address"
    DATE = "date"
    PLATE = "plate"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class ProtectedField:
    """A sealed field of a contact: its logical name, class, mask, labels, and the kinds of contact that may carry it."""

    name: str
    field_class: FieldClass
    mask: MaskKind
    zh: str
    en: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class PublicField:
    """A C1 member of a card: stored plain, shown to whoever may see the card at all."""

    name: str
    zh: str
    en: str


class Catalogue:
    """All fields of a contact."""

    def __init__(self, public: Iterable[PublicField], protected: Iterable[ProtectedField]) -> None:
        """Take every field once, in the order of the card; raise ``ValueError`` for a name given twice."""
        self.public = tuple(public)
        self.protected = tuple(protected)
        names = [*(field.name for field in self.public), *(field.name for field in self.protected)]
        if len(set(names)) != len(names):
            message = "a field is declared twice"
            raise ValueError(message)
        self.by_name: Mapping[str, ProtectedField] = MappingProxyType({field.name: field for field in self.protected})
        self.place: Mapping[str, int] = MappingProxyType({field.name: at for at, field in enumerate(self.protected)})
        self.classes: Mapping[str, FieldClass] = MappingProxyType(
            {field.name: field.field_class for field in self.protected}
        )

    def of_kind(self, kind: str) -> tuple[ProtectedField, ...]:
        """Give the protected fields that a contact of ``kind`` may carry."""
        return tuple(field for field in self.protected if kind in field.kinds)
