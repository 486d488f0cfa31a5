"""The declarative base, the column types that read alike on both engines, and the ids.

Constraint names come from one convention, so a migration can always name what it drops. ``Id`` is a UUID everywhere in Python and the
smallest faithful form in the store; ``Instant`` is an aware UTC time, kept as integer microseconds on SQLite so that it sorts and
compares as what it is.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, MetaData, String, Text, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine
from uuid_utils.compat import uuid7

LOG_SCHEMA: Final = "log"
"""Schema of the access log's tables; on SQLite a file of its own."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_GROUPS: Final = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
"""Where the digits between the hyphens of a written id begin, and how many they are."""


class Base(DeclarativeBase):
    """Base of every mapped table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562 section 5.7): time-ordered, so that new rows land at the end of an index."""
    return uuid7()


def to_microseconds(moment: datetime) -> int:
    """Count microseconds since 1970 of an aware time; exact, no floating point."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Give back the aware UTC time of ``to_microseconds``."""
    return _EPOCH + count * _MICROSECOND


class Id(TypeDecorator[UUID]):
    """A UUID: 16 bytes on SQLite, ``uuid`` on PostgreSQL."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the native type where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid())
        return dialect.type_descriptor(LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:  # noqa: ANN401 — driver value
        """Hand the driver what it stores."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:  # noqa: ANN401 — driver value
        """Give Python one kind of UUID, whatever the driver made: asyncpg's own subclass cannot be written as JSON."""
        if value is None:
            return None
        return UUID(int=value.int) if dialect.name == "postgresql" else UUID(bytes=value)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time: integer microseconds on SQLite, ``timestamptz`` on PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the native type where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 — driver value
        """Refuse a naive time, which would mean another hour on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a stored time must be aware"
            raise ValueError(message)
        return value if dialect.name == "postgresql" else to_microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401 — driver value
        """Give back UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else from_microseconds(value)


class Json(TypeDecorator[Any]):
    """A small JSON document: text on SQLite, ``jsonb`` on PostgreSQL; never for protected values."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the native type where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 — any JSON
        """Write canonical text on SQLite; PostgreSQL's own type serialises."""
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 — any JSON
        """Read the document back."""
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.loads(value)


class WrittenId(FunctionElement[str]):
    """An id as Python writes it, within a statement: for keys that are made of one."""

    name = "written_id"
    inherit_cache = True
    type = String()


@compiles(WrittenId, "postgresql")
def _on_postgresql(element: WrittenId, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 — the compiler's
    return f"CAST({compiler.process(element.clauses, **options)} AS VARCHAR)"


@compiles(WrittenId, "sqlite")
def _on_sqlite(element: WrittenId, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 — the compiler's
    digits = f"lower(hex({compiler.process(element.clauses, **options)}))"
    return " || '-' || ".join(f"substr({digits}, {at}, {length})" for at, length in _GROUPS)
