"""Outside the package a protected value is a box: it shows nothing, takes no plain text, and must be classified."""

import copy
import pickle
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Column, Integer, MetaData, Table, insert, literal, select, text
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry

from app.crypto.sealed import FieldClassError, PlainValueError, Sealed, SealedType
from app.kit.models import Id
from tests.crypto.material import ADA, NUMBER, Vault


class Base(DeclarativeBase):
    """Of these tests alone, so that nothing here joins the service's tables."""


class Person(Base):
    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    mobile: Mapped[Sealed | None] = mapped_column(SealedType, info={"field_class": "C3"})


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'sealed.sqlite3'}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest.fixture
def box(vault: Vault) -> Sealed:
    return vault.sealer.new(ADA)[0].seal("mobile", NUMBER)


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>40}".format, "%s".__mod__, "%r".__mod__, ascii])
def test_a_box_shows_nothing(box: Sealed, show: Callable[[Sealed], str]) -> None:
    assert show(box) == "<sealed>"


def test_a_box_equals_its_own_bytes_in_a_box_and_nothing_else(box: Sealed) -> None:
    assert box == Sealed(box.envelope)
    assert hash(box) == hash(Sealed(box.envelope))
    for other in (NUMBER, box.envelope, "<sealed>", None):
        assert box != other


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_box_is_neither_copied_nor_pickled(box: Sealed, duplicate: Callable[[Sealed], object]) -> None:
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        duplicate(box)


def test_a_box_has_no_place_for_more(box: Sealed) -> None:
    with pytest.raises(AttributeError):
        box.envelope = b""  # type: ignore[misc]  # refused at run time too
    with pytest.raises(AttributeError):
        box.plain = NUMBER  # type: ignore[attr-defined]  # refused at run time too


def test_a_box_is_not_a_string_for_a_model_and_not_a_member_of_one(box: Sealed) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(str).validate_python(box)
    with pytest.raises(TypeError, match="never a member of a model"):
        type("Careless", (BaseModel,), {"__annotations__": {"mobile": Sealed}})


def test_a_box_is_not_json(box: Sealed) -> None:
    with pytest.raises(TypeError):
        orjson.dumps({"mobile": box})


@pytest.mark.parametrize("plain", [NUMBER, None, bytearray(b"x"), 1])
def test_only_bytes_are_boxed(plain: Any) -> None:  # noqa: ANN401 — wrong types are the point
    with pytest.raises(PlainValueError) as refused:
        Sealed(plain)
    assert NUMBER not in str(refused.value)


async def test_what_is_stored_comes_back_as_a_box_and_reads_as_ciphertext_in_raw_sql(
    engine: AsyncEngine, box: Sealed
) -> None:
    async with AsyncSession(engine) as session, session.begin():
        session.add(Person(id=ADA, mobile=box))
    async with AsyncSession(engine) as session:
        assert (await session.get_one(Person, ADA)).mobile == box
        raw = (await session.execute(text("SELECT mobile FROM person"))).scalar_one()
        assert raw == box.envelope
        assert raw[:3] == b"\xd5\x01\x01"
        for part in (NUMBER, "138", "1234"):
            assert part.encode() not in raw[25:]


async def test_absence_stays_absence(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, session.begin():
        session.add(Person(id=ADA, mobile=None))
    async with AsyncSession(engine) as session:
        assert (await session.get_one(Person, ADA)).mobile is None
        assert await session.scalar(select(Person.id).where(Person.mobile.is_(None))) == ADA


@pytest.mark.parametrize("plain", [NUMBER, NUMBER.encode()])
async def test_a_plain_value_is_neither_stored_nor_compared_nor_repeated_in_the_error(
    engine: AsyncEngine,
    plain: Any,  # noqa: ANN401 — wrong types are the point
) -> None:
    async with AsyncSession(engine) as session:
        session.add(Person(id=ADA, mobile=plain))
        with pytest.raises(PlainValueError) as stored:
            await session.flush()
    async with engine.connect() as connection:
        with pytest.raises(PlainValueError) as inserted:
            await connection.execute(insert(Person).values(id=ADA, mobile=plain))
        with pytest.raises(PlainValueError) as compared:
            await connection.execute(select(Person.id).where(Person.mobile == plain))
        assert (await connection.execute(text("SELECT count(*) FROM person"))).scalar_one() == 0
    for refused in (stored, inserted, compared):
        assert str(refused.value) == f"a sealed column stores Sealed, not {type(plain).__name__}"


def test_a_box_is_not_written_into_the_text_of_a_statement(box: Sealed) -> None:
    statement = select(literal(box, SealedType))
    with pytest.raises(CompileError, match='literal value "<sealed>"') as refused:
        statement.compile(compile_kwargs={"literal_binds": True})
    assert "not written into the text" in str(refused.value.__cause__)


@pytest.mark.parametrize("info", [{}, {"mask": "phone"}, {"field_class": None}])
def test_mapping_a_sealed_column_without_a_class_is_refused(info: dict[str, str | None]) -> None:
    with pytest.raises(FieldClassError, match=r"^sealed column careless\.mobile declares no field_class"):
        type(
            "Careless",
            (type("Own", (DeclarativeBase,), {"metadata": MetaData()}),),
            {
                "__tablename__": "careless",
                "id": mapped_column(Integer, primary_key=True),
                "mobile": mapped_column(SealedType, info=info),
            },
        )


def test_mapping_imperatively_does_not_slip_through() -> None:
    metadata = MetaData()
    table = Table("aside", metadata, Column("id", Integer, primary_key=True), Column("mobile", SealedType()))
    with pytest.raises(FieldClassError, match=r"aside\.mobile"):
        registry(metadata=metadata).map_imperatively(type("Aside", (), {}), table)


def test_a_classified_column_maps() -> None:
    assert Person.__table__.c.mobile.info == {"field_class": "C3"}
