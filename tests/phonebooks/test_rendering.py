"""What telephones are given: well-formed whatever stands on a card, with the same text in it, and no longer than they take."""

from datetime import date
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.phonebooks import fanvil, grandstream, yealink
from app.phonebooks.entry import Away, Entry, Limits, away_text, dialled, groups, label
from app.phonebooks.markup import cut, element, escaped, legal
from app.phonebooks.vendors import VENDORS, VendorName
from tests.phonebooks.documents import TODAY, book, entries, texts, told

HOSTILE: Final = (
    "]]><DirectoryEntry><Name>假</Name><Telephone>110</Telephone></DirectoryEntry>",
    "</Name><Telephone>110</Telephone><Name>",
    '"/><Unit Name="假" Phone1="110"',
    "&xxe; <!DOCTYPE a [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]>",
    "=HYPERLINK(1)",
    "a\r\nb\tc\x00d\ud800\ufffe",
    "  周  ",
    "\u202e倒\u0301",
)
VENDOR_NAMES: Final[list[VendorName]] = sorted(VENDORS)


@given(texts)
@example("\x00\x1f\ud800\uffff\r\n\t<>&\"'")
def test_any_text_in_an_element_or_an_attribute_is_read_back(text: str) -> None:
    document = f'<a b="{escaped(text)}">{element("c", text)}</a>'.encode()
    root = ET.fromstring(document)  # noqa: S314 — what this very test is about
    assert (root.attrib["b"], root.findtext("c") or "") == (legal(text), legal(text))


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=40))
def test_a_text_that_can_be_written_is_not_changed(text: str) -> None:
    assert legal(text) == text


@given(st.text(max_size=60).map(legal), st.integers(-5, 120))
@example("𠮷野家", 4)
@example("曾若砚", 8)
def test_a_text_is_cut_between_characters_and_as_late_as_possible(text: str, size: int) -> None:
    kept = cut(text, size)
    assert text.startswith(kept)
    assert len(kept.encode()) <= max(size, 0)
    assert kept == text or len(text[: len(kept) + 1].encode()) > size


@pytest.mark.parametrize("name", VENDOR_NAMES)
@settings(max_examples=25)
@given(listed=st.lists(entries, max_size=3), grouped=st.booleans())
def test_every_make_tells_all_entries_within_its_limits(
    name: VendorName, listed: list[Entry], *, grouped: bool
) -> None:
    limits = VENDORS[name].limits
    found = told(VENDORS[name].render(book(*listed, grouped=grouped and VENDORS[name].grouped)))
    assert sorted(each.numbers for each in found) == sorted(each.numbers[: limits.numbers] for each in listed)
    for each in found:
        assert len(each.name.encode()) <= limits.name_bytes
        assert len((each.group or "").encode()) <= limits.group_bytes


@pytest.mark.parametrize("name", VENDOR_NAMES)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_stands_on_a_card_is_text_and_nothing_else(name: VendorName, text: str) -> None:
    entry = Entry(name=text, numbers=("61234",), departments=(text,))
    for grouped in {False, VENDORS[name].grouped}:
        (only,) = told(VENDORS[name].render(book(entry, grouped=grouped)))
        assert only.numbers == ("61234",)
        assert only.name.startswith(legal(text)[:10])


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [
        (("61234", None, "8001", "61234"), ("61234", "8001")),
        (("tel:110", "61 234", "sip:x@y", "", "\uff16\uff11\uff12", "*72#"), ("*72#",)),
        (("1" * 16,), ()),
    ],
)
def test_only_what_can_be_dialled_is_a_number(numbers: tuple[str | None, ...], kept: tuple[str, ...]) -> None:
    assert dialled(numbers) == kept


AWAY: Final = Away(date(2026, 11, 30), "61236")


@pytest.mark.parametrize(
    ("away", "zh", "en"),
    [
        (AWAY, "(离岗至 11-30 → 61236)", "(away until 11-30 → 61236)"),
        (Away(date(2026, 11, 30), None), "(离岗至 11-30)", "(away until 11-30)"),
        (Away(date(2027, 1, 4), "1"), "(离岗至 2027-01-04 → 1)", "(away until 2027-01-04 → 1)"),
    ],
    ids=["within the year", "nobody instead", "next year"],
)
def test_who_is_away_has_it_behind_the_name(away: Away, zh: str, en: str) -> None:
    assert away_text(away, TODAY, "zh") == zh
    assert away_text(away, TODAY, "en") == en
    entry = Entry(name="曾若砚", numbers=("61234",), departments=("总部", "研发部"), away=away)
    assert label(entry, book(), yealink.LIMITS) == f"曾若砚 · 研发部 {zh}"
    assert label(entry, book(grouped=True), yealink.LIMITS) == f"曾若砚 {zh}"


def test_a_long_name_loses_its_department_first_and_never_that_somebody_is_away() -> None:
    limits = Limits(entries=1, name_bytes=50, numbers=1, group_bytes=9, groups=1)
    entry = Entry(name="欧阳" * 3, numbers=("1",), departments=("一个名字很长的部门",), away=AWAY)
    assert label(entry, book(), limits) == "欧阳欧阳欧阳 (离岗至 11-30 → 61236)"
    long = Entry(name="欧" * 30, numbers=("1",), away=AWAY)
    assert label(long, book(), limits) == "欧欧欧欧欧欧欧 (离岗至 11-30 → 61236)"


def named(name: str, *departments: str) -> Entry:
    return Entry(name=name, numbers=("1",), departments=departments)


def test_groups_are_departments_and_what_is_above_them_where_there_are_too_many() -> None:
    listed = [named("a", "R", "R1"), named("b", "R", "R2"), named("c", "S"), named("d"), named("e", "T")]
    limits = {most: Limits(entries=9, name_bytes=9, numbers=1, group_bytes=9, groups=most) for most in (9, 4, 3, 1)}
    parted = {
        most: {name: [each.name for each in found] for name, found in groups(book(*listed), each_limits).items()}
        for most, each_limits in limits.items()
    }
    assert parted[9] == {"R1": ["a"], "R2": ["b"], "S": ["c"], "T": ["e"], "其他": ["d"]}
    assert parted[4] == {"R": ["a", "b"], "S": ["c"], "T": ["e"], "其他": ["d"]}
    assert parted[3] == {"R": ["a", "b"], "S": ["c"], "其他": ["d", "e"]}
    assert parted[1] == {"其他": ["d", "a", "b", "c", "e"]}


@settings(max_examples=25)
@given(st.lists(entries, max_size=6), st.integers(1, 3))
def test_groups_lose_nobody_and_are_as_many_as_are_taken(listed: list[Entry], most: int) -> None:
    limits = Limits(entries=99, name_bytes=99, numbers=1, group_bytes=99, groups=most)
    parted = groups(book(*listed), limits)
    assert len(parted) <= most
    assert sorted(map(repr, listed)) == sorted(repr(each) for found in parted.values() for each in found)


def test_each_make_has_its_own_form() -> None:
    entry = Entry(name="曾若砚", numbers=("61234", "8001"), departments=("研发部",))
    assert yealink.render(book(entry)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<YealinkIPPhoneDirectory>\n<Title>电话簿</Title>\n'
        "<DirectoryEntry><Name>曾若砚 · 研发部</Name><Telephone>61234</Telephone><Telephone>8001</Telephone></DirectoryEntry>\n"
        "</YealinkIPPhoneDirectory>\n"
    )
    assert yealink.render(book(entry, grouped=True)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<YealinkIPPhoneBook>\n<Title>电话簿</Title>\n<Menu Name="研发部">\n'
        '<Unit Name="曾若砚" Phone1="61234" Phone2="8001" Phone3="" default_photo="Resource:"/>\n</Menu>\n'
        "</YealinkIPPhoneBook>\n"
    )
    assert grandstream.render(book(entry)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AddressBook>\n<version>1</version>\n'
        "<pbgroup><id>1</id><name>研发部</name></pbgroup>\n"
        "<Contact><FirstName>曾若砚</FirstName><LastName></LastName><Frequent>0</Frequent>"
        '<Phone type="Work"><phonenumber>61234</phonenumber><accountindex>0</accountindex></Phone>'
        '<Phone type="Other"><phonenumber>8001</phonenumber><accountindex>0</accountindex></Phone>'
        "<Group>1</Group></Contact>\n</AddressBook>\n"
    )
    assert fanvil.render(book(entry)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<FanvilIPPhoneDirectory>\n<Title>电话簿</Title>\n'
        "<DirectoryEntry><Name>曾若砚 · 研发部</Name><Telephone>61234</Telephone><Other>8001</Other></DirectoryEntry>\n"
        "</FanvilIPPhoneDirectory>\n"
    )
