"""Files in pieces: what was sealed opens, and nothing else does, whatever is done to the pieces."""

import os
from collections.abc import Callable
from uuid import UUID

import pytest

from app.crypto.chunks import CHUNK_SIZE, chunks_of, open_chunks, seal_chunks
from app.crypto.datakey import DataKey

NAME = "attachment"
KEY = DataKey.generate(UUID(int=1))
CONTENT = os.urandom(3 * CHUNK_SIZE)
SEALED = list(seal_chunks(KEY, NAME, memoryview(CONTENT)))


@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])
def test_what_was_sealed_opens(size: int) -> None:
    sealed = list(seal_chunks(KEY, NAME, memoryview(CONTENT)[:size]))
    assert len(sealed) == chunks_of(size) == max(1, -(-size // CHUNK_SIZE))
    opened = open_chunks(KEY, NAME, sealed)
    assert opened is not None
    assert b"".join(opened) == CONTENT[:size]


def test_no_piece_shows_anything_and_none_is_like_another() -> None:
    again = list(seal_chunks(KEY, NAME, memoryview(CONTENT)))
    assert len({*SEALED, *again}) == 6
    assert not any(CONTENT[:64] in each for each in SEALED)


def flipped(sealed: list[bytes]) -> list[bytes]:
    return [sealed[0][:-1] + bytes((sealed[0][-1] ^ 1,)), *sealed[1:]]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sealed: sealed[:-1], id="the end taken away"),
        pytest.param(lambda sealed: sealed[1:], id="the beginning taken away"),
        pytest.param(lambda sealed: [sealed[1], sealed[0], sealed[2]], id="two swapped"),
        pytest.param(lambda sealed: [*sealed, sealed[-1]], id="the end twice"),
        pytest.param(lambda sealed: [sealed[0], sealed[0], sealed[2]], id="one repeated"),
        pytest.param(flipped, id="a bit flipped"),
        pytest.param(lambda sealed: [sealed[0][:-16], *sealed[1:]], id="a piece cut"),
        pytest.param(lambda sealed: [b"", *sealed[1:]], id="a piece emptied"),
        pytest.param(lambda sealed: [sealed[0][:11] + b"\x00\x09" + sealed[0][13:], *sealed[1:]], id="another version"),
        pytest.param(lambda _: [], id="nothing left"),
    ],
)
def test_whatever_is_done_to_the_pieces_shows(change: Callable[[list[bytes]], list[bytes]]) -> None:
    assert open_chunks(KEY, NAME, change(list(SEALED))) is None


def test_pieces_of_another_file_name_or_key_do_not_open() -> None:
    other = DataKey.generate(UUID(int=2))
    assert open_chunks(other, NAME, SEALED) is None
    assert open_chunks(KEY, "photo", SEALED) is None
    second = list(seal_chunks(other, NAME, memoryview(CONTENT)))
    assert open_chunks(KEY, NAME, [SEALED[0], second[1], SEALED[2]]) is None


def test_a_piece_is_no_value_and_a_value_no_piece() -> None:
    """Both lie under one key's cipher; what they are bound to never reads the same."""
    value = KEY.seal(NAME, "x" * 100).envelope
    assert open_chunks(KEY, NAME, [value]) is None
