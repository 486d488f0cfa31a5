"""A cursor opens for the caller and the question that it was written for, and for nobody and nothing else."""

from base64 import urlsafe_b64encode
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.pagination import BadCursor, Cursors

CURSORS: Final = Cursors(b"k" * 32)
POSITIONS: Final = st.one_of(
    st.text(max_size=20), st.integers(-(2**53), 2**53), st.lists(st.text(max_size=8), max_size=3), st.none()
)


@given(caller=st.text(max_size=20), query=st.dictionaries(st.text(max_size=5), st.text(max_size=5)), position=POSITIONS)
def test_what_was_sealed_opens(caller: str, query: dict[str, str], position: object) -> None:
    cursor = CURSORS.seal(caller, query, position)
    assert CURSORS.open(caller, query, cursor) == position
    assert cursor.isascii()
    assert "=" not in cursor


def test_members_in_another_order_are_the_same_question() -> None:
    cursor = CURSORS.seal("a", {"x": 1, "y": 2}, 7)
    assert CURSORS.open("a", {"y": 2, "x": 1}, cursor) == 7


@pytest.mark.parametrize(
    ("caller", "query"),
    [
        ("b", {"q": "x"}),
        ("a", {"q": "y"}),
        ("a", {}),
        ("a", {"q": "x", "z": ""}),
        ("", {"q": "x"}),
        ("a", None),
        ("A", {"q": "x"}),
    ],
)
def test_another_caller_or_question_is_refused(caller: str, query: object) -> None:
    cursor = CURSORS.seal("a", {"q": "x"}, ["name", "id"])
    with pytest.raises(BadCursor):
        CURSORS.open(caller, query, cursor)


def test_another_key_is_refused() -> None:
    with pytest.raises(BadCursor):
        Cursors(b"x" * 32).open("a", {}, CURSORS.seal("a", {}, 1))


def test_every_changed_letter_is_noticed() -> None:
    cursor = CURSORS.seal("a", {}, ["name", "0123"])
    for at, letter in enumerate(cursor[:-1]):
        other = cursor[:at] + ("A" if letter != "A" else "B") + cursor[at + 1 :]
        with pytest.raises(BadCursor):
            CURSORS.open("a", {}, other)


@given(text=st.text(max_size=60))
def test_what_was_never_sealed_is_refused_and_never_a_crash(text: str) -> None:
    with pytest.raises(BadCursor):
        CURSORS.open("a", {}, text)


def test_a_position_without_a_mac_is_refused() -> None:
    with pytest.raises(BadCursor):
        CURSORS.open("a", {}, urlsafe_b64encode(b'["",""]').decode())


def test_a_caller_cannot_be_continued_into_the_question() -> None:
    """The boundary between what is bound and the position is part of the MAC."""
    assert CURSORS.seal("a", "b", "c")[:20] != CURSORS.seal("a", "bc", "")[:20]
