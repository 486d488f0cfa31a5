"""Spellings of one character: the table is what its source says, and every surname of the old book is found in both."""

from importlib.resources import files

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.pinyin import COMPOUND, SURNAMES, dictionary, readings
from app.contacts.variants import read_as, simplified
from tests.contacts import unihan

TABLE = orjson.loads((files("app.contacts") / "variants.json").read_bytes())

LINES = """# a comment
U+3400\tkSemanticVariant\tU+4E18
U+4E7E\tkSimplifiedVariant\tU+4E7E U+5E72
U+5147\tkTraditionalVariant\tU+514C
U+6B50\tkSimplifiedVariant\tU+6B27
U+5DD5\tkSimplifiedVariant\tU+5DD6
U+5DD6\tkSimplifiedVariant\tU+5CA9
U+2A000\tkSemanticVariant\tU+0041 U+4E18<kMatthews,kMeyerWempe
U+2A001\tkZVariant\tU+2A002
""".splitlines()


def test_the_table_is_derived_by_a_rule() -> None:
    found = unihan.variants(LINES)
    assert unihan.simplified(found) == {"歐": "欧", "巕": "岩", "巖": "岩"}
    assert unihan.read_as(found, lambda each: ("qiu",) if each == "丘" else ()) == {
        "\u3400": "丘",
        "\U0002a000": "丘",
    }


def test_the_table_says_where_it_is_from_and_is_what_the_rule_gives() -> None:
    assert (TABLE["source"]["version"], len(TABLE["source"]["sha256"])) == ("10.0.0", 64)
    for name in ("compared", "read"):
        before, after = TABLE[name]
        assert len(before) == len(after) == len(set(before))
        assert list(before) == sorted(before)
    before, after = TABLE["compared"]
    assert set(before).isdisjoint(after)
    assert not any(dictionary(each) for each in TABLE["read"][0])
    assert all(dictionary(each) for each in TABLE["read"][1])


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("歐陽", "欧阳"), ("司馬", "司马"), ("諸葛", "诸葛"), ("尉遲", "尉迟"), ("万俟", "万俟"), ("澹臺", "澹台"), ("長孫", "长孙"),
        ("張王李趙", "张王李赵"), ("陳楊黃吳劉", "陈杨黄吴刘"), ("鄧許鄭謝羅", "邓许郑谢罗"), ("呂蘇盧蔣葉", "吕苏卢蒋叶"),
        ("閻鍾龔", "阎钟龚"),
        ("", ""), ("Anna Müller", "Anna Müller"), ("さくら", "さくら"), ("𬱟", "𬱟"), ("張乾", "张乾"),
    ],
)  # fmt: skip
def test_a_name_is_compared_in_its_simplified_form(written: str, compared: str) -> None:
    assert simplified(written) == compared


@given(st.text(st.characters(min_codepoint=0x3400, max_codepoint=0x323AF, exclude_categories=["Cs"])))
def test_simplifying_twice_is_simplifying_once_and_keeps_the_length(text: str) -> None:
    assert simplified(simplified(text)) == simplified(text)
    assert len(simplified(text)) == len(text)


def test_surnames_of_our_table_are_simplified_already() -> None:
    assert [each for each in (*COMPOUND, *SURNAMES) if simplified(each) not in {each, "于"}] == []


def test_what_no_dictionary_reads_is_read_as_a_variant_of_it() -> None:
    rare = TABLE["read"][0][-1]
    other = read_as(rare)
    assert other is not None
    assert readings(rare) == dictionary(other) != ()
    assert read_as("王") is None
    assert readings("\U00031351") == ()
