"""A protected value as everything outside this package meets it: a box that shows nothing.

A column of ``SealedType`` loads as ``Sealed`` and takes nothing but ``Sealed``. There is no plaintext attribute to
reach for, no text form but a placeholder, no pickle, and no Pydantic schema, so a careless log line, response model or
cache entry fails or says "<sealed>". Mapping a sealed column that does not declare its field class fails when the class
is defined: a value that no policy knows is a value that nobody guards.
"""

from typing import Any, Final, NoReturn, SupportsIndex

from sqlalchemy import Dialect, LargeBinary, event
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeDecorator

FIELD_CLASS: Final = "field_class"
"""The key of ``Column.info`` under which a sealed column states its class."""


class PlainValueError(DontWrapMixin, TypeError):
    """Something other than a box was about to be stored in a sealed column.

    Not wrapped by SQLAlchemy, whose ``StatementError`` would print the parameters, and with them the plain value.
    """

    def __init__(self, kind: type) -> None:
        """Name the type of what was refused, never the value."""
        super().__init__(f"a sealed column stores Sealed, not {kind.__name__}")


class FieldClassError(TypeError):
    """A sealed column was mapped without a field class."""

    def __init__(self, table: str, column: str) -> None:
        """Name the column."""
        super().__init__(f"sealed column {table}.{column} declares no {FIELD_CLASS} in Column.info")


class Sealed:
    """A closed box. ``envelope`` is the ciphertext as stored; opening takes a permit, elsewhere."""

    __slots__ = ("_envelope",)

    def __init__(self, envelope: bytes) -> None:
        """Take the stored bytes; whether they are sound shows on opening. Raises ``PlainValueError`` unless bytes."""
        if not isinstance(envelope, bytes):
            raise PlainValueError(type(envelope))
        self._envelope = envelope

    @property
    def envelope(self) -> bytes:
        """The envelope's bytes, for storing, moving and row MACs."""
        return self._envelope

    def __eq__(self, other: object) -> bool:
        """Compare boxes by their bytes; a box equals nothing else, and two seals of one value differ."""
        return isinstance(other, Sealed) and self._envelope == other._envelope

    def __hash__(self) -> int:
        """Hash the bytes."""
        return hash(self._envelope)

    def __repr__(self) -> str:
        """Show nothing."""
        return "<sealed>"

    def __format__(self, spec: str) -> str:
        """Show nothing, whatever the format asks for."""
        return "<sealed>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse: a box is stored in its column, not in a pickle."""
        message = "a sealed value is neither copied nor pickled"
        raise TypeError(message)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> NoReturn:
        """Refuse to be a member of a request or response model."""
        message = "a sealed value is never a member of a model"
        raise TypeError(message)


class SealedType(TypeDecorator[Sealed]):
    """Column type of a sealed value: bytes in the store, ``Sealed`` in Python."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 — signature
        """Store the envelope; raises ``PlainValueError`` on anything that is not a box."""
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise PlainValueError(type(value))
        return value.envelope

    def process_literal_param(self, value: Sealed | None, dialect: Dialect) -> NoReturn:  # noqa: ARG002 — signature
        """Refuse to be written into the text of a statement, which is logged."""
        message = "a sealed value is not written into the text of a statement"
        raise TypeError(message)

    def process_result_value(self, value: Any, dialect: Dialect) -> Sealed | None:  # noqa: ANN401, ARG002 — driver value
        """Box what the store gave."""
        return None if value is None else Sealed(bytes(value))


def refuse_unclassified(mapper: Mapper[Any], mapped: type) -> None:  # noqa: ARG001 — signature of the mapper event
    """Raise ``FieldClassError`` when the mapping has a sealed column whose ``Column.info`` names no field class."""
    for column in mapper.columns:
        if isinstance(column.type, SealedType) and column.info.get(FIELD_CLASS) is None:
            table = getattr(column.table, "name", mapper.class_.__name__)
            raise FieldClassError(table, column.name)


event.listen(Mapper, "after_mapper_constructed", refuse_unclassified)
