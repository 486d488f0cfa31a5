"""Numbers as nearly everybody writes them are read without the library, to exactly what the library makes of them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.contacts import values
from app.contacts.values import normal
from app.disclosure.fields import MaskKind


@given(st.from_regex(re.compile(r"(\+86)?1[3-9][0-9]{9}", re.ASCII), fullmatch=True))
def test_mobiles(text: str) -> None:
    assert normal(MaskKind.MOBILE, text, region="CN") == values._parsed(text, "CN")


@given(st.from_regex(re.compile(r"0(10|2[0-9])-?[0-9]{8}", re.ASCII), fullmatch=True))
def test_lines(text: str) -> None:
    assert normal(MaskKind.LANDLINE, text, region="CN") == values._parsed(text, "CN")
