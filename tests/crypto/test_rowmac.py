"""A row's MAC covers every value, its type and its place."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.rowmac import RowSigner, RowValue, encode
from tests.crypto.material import ADA, BEN, counted


class DriverUuid(UUID):
    """As a driver makes them: a subclass."""


class Kind(StrEnum):
    employee = "employee"


class Order(IntEnum):
    second = 2


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=12),
    st.binary(max_size=12),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
)
values: st.SearchStrategy[RowValue] = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple))
rows = st.lists(values, max_size=5).map(tuple)


def typed(value: RowValue) -> object:
    """Spell a value with its type, because in Python 1 == True and 0 == False."""
    return tuple(typed(part) for part in value) if isinstance(value, tuple) else (type(value).__name__, value)


@given(rows, rows)
def test_rows_serialise_alike_only_when_they_are_alike(one: tuple[RowValue, ...], other: tuple[RowValue, ...]) -> None:
    assert (encode(one) == encode(other)) == (typed(one) == typed(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1,), (True,)),
        ((0,), (False,)),
        ((None,), ()),
        ((None,), ("",)),
        (("",), (b"",)),
        (("1",), (1,)),
        (("ab", "c"), ("a", "bc")),
        (("a", ("b",)), ("a", "b")),
        ((("a", "b"),), (("a",), ("b",))),
        (((),), ()),
        ((255,), (-1,)),
        ((ADA,), (ADA.bytes,)),
        ((ADA,), (str(ADA),)),
        ((datetime(2026, 1, 1, tzinfo=UTC),), (date(2026, 1, 1),)),
    ],
)
def test_lookalikes_are_kept_apart(one: tuple[RowValue, ...], other: tuple[RowValue, ...]) -> None:
    assert encode(one) != encode(other)


def test_one_instant_is_one_value_in_every_zone() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert encode([noon]) == encode([noon.astimezone(timezone(timedelta(hours=8)))])


@pytest.mark.parametrize(
    ("special", "plain"), [(DriverUuid(int=ADA.int), ADA), (Kind.employee, "employee"), (Order.second, 2)]
)
def test_subclasses_count_as_what_they_extend(special: RowValue, plain: RowValue) -> None:
    assert encode([special]) == encode([plain])


@pytest.mark.parametrize("value", [1.5, [1], {"a": 1}, object(), bytearray(b"x"), {1}])
def test_what_has_no_fixed_form_is_refused_without_being_shown(value: object) -> None:
    with pytest.raises(TypeError, match=rf"^a row MAC does not cover {type(value).__name__}$"):
        encode([cast("RowValue", value)])


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        encode([datetime(2026, 1, 1)])  # noqa: DTZ001 — the point of the test


@given(rows)
def test_a_signature_holds_for_its_row_and_only_there(row: tuple[RowValue, ...]) -> None:
    signer = RowSigner(counted(32))
    mac = signer.sign("grant", row)
    assert len(mac) == 32
    assert signer.verify("grant", row, mac)
    assert not signer.verify("role", row, mac)
    assert not signer.verify("grant", (*row, None), mac)
    assert not RowSigner(counted(32, 1)).verify("grant", row, mac)


def test_editing_a_tier_or_swapping_two_rows_breaks_the_signature() -> None:
    signer = RowSigner(counted(32))
    mac = signer.sign("user_account", (ADA, "T1", "active"))
    assert not signer.verify("user_account", (ADA, "T5", "active"), mac)
    assert not signer.verify("user_account", (BEN, "T1", "active"), mac)


@pytest.mark.parametrize("mac", [None, b"", bytes(32), bytes(31)])
def test_a_missing_or_foreign_signature_never_holds(mac: bytes | None) -> None:
    assert not RowSigner(counted(32)).verify("grant", (ADA,), mac)


def test_every_bit_of_a_signature_counts() -> None:
    signer = RowSigner(counted(32))
    mac = int.from_bytes(signer.sign("grant", (ADA,)), "big")
    assert not any(signer.verify("grant", (ADA,), (mac ^ 1 << bit).to_bytes(32, "big")) for bit in range(256))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        RowSigner(counted(size))
