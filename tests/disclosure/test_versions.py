"""A version is an HMAC of the card, by whoever's arithmetic."""

import hmac
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.versions import Versions

KEYS = st.binary(min_size=1, max_size=64)


@given(key=KEYS, card=st.binary(max_size=5000))
def test_a_version_is_the_hmac_of_the_card(key: bytes, card: bytes) -> None:
    assert Versions(key).of(card) == urlsafe_b64encode(hmac.digest(key, card, "sha256")[:15]).decode()


@pytest.mark.parametrize("size", [1999, 2000, 2001, 4000, 100_000])
def test_a_long_card_is_hashed_whole(size: int) -> None:
    versions = Versions(b"k" * 32)
    card = b"x" * (size - 1)
    assert len({versions.of(card + b"x"), versions.of(card + b"y"), versions.of(b"y" + card)}) == 3


def test_a_key_that_is_longer_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="block"):
        Versions(b"k" * 65)
