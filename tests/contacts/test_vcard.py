"""One card as a vCard: what is written, read back by a reader that is not ours, and nothing that a value can do to the format."""

from typing import Any, Final
from uuid import UUID

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.vcard import CARRIED, Edition, Setting, escaped, folded, parted, vcard
from app.disclosure.surnames import COMPOUND

SETTING: Final = Setting("phones.example.com", "欧阳明 · intranet", "0190-1")
CARD: Final[dict[str, Any]] = {
    "id": str(UUID(int=7)),
    "kind": "employee",
    "name": "欧阳明",
    "name_en": "Ming; Ouyang",
    "alias": None,
    "title": "工程师, 高级",
    "department": {"id": str(UUID(int=8)), "code": "RD", "name": "研发中心", "path": "示例集团/研发中心"},
    "short_numbers": ["61234", "*9#"],
    "extension": "61234",
    "tags": ["安全员"],
    "away_until": "2026-12-01",
    "mobile": {"state": "shown", "value": "+8613800000001"},
    "office_phone": {"state": "shown", "value": "+861088880001-23"},
    "email": {"state": "shown", "value": "ming@example.com"},
    "personal_mobile": {"state": "masked", "value": "138****0002", "next": "reveal"},
    "wechat": {"state": "withheld"},
    "qq": {"state": "empty"},
    "home_address": {"state": "shown", "value": "示例路 1 号; 2 层"},
    "birth_date": {"state": "shown", "value": "1990-02-03"},
    "id_number": {"state": "shown", "value": "secret"},
    "private_notes": {"state": "shown", "value": "secret"},
}
EDITIONS: Final[tuple[Edition, ...]] = ("4.0", "3.0")
anything = st.text(st.characters(codec="utf-8"), min_size=1, max_size=90)


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


@pytest.mark.parametrize("edition", EDITIONS)
class TestACard:
    def test_it_is_read_back_by_another_reader(self, edition: Edition) -> None:
        read = vobject.readOne(vcard(CARD, SETTING, edition).decode())
        assert read.version.value == edition
        assert read.fn.value == "欧阳明"
        assert (read.n.value.family, read.n.value.given) == ("欧阳", "明")
        assert read.org.value == ["示例集团", "研发中心"]
        assert read.title.value == "工程师, 高级"
        assert read.email.value == "ming@example.com"
        assert read.adr.value.street == "示例路 1 号; 2 层"
        assert read.uid.value.endswith(str(UUID(int=7)))
        assert read.nickname.value == "Ming; Ouyang"
        assert [each.value for each in read.contents["note"]] == [
            "离岗至 2026-12-01 / away until 2026-12-01",
            SETTING.watermark,
        ]

    def test_what_is_not_shown_clear_is_not_in_it(self, edition: Edition) -> None:
        content = vcard(CARD, SETTING, edition).decode()
        for hidden in ("138****", "secret", "masked", "withheld", "empty", "reveal", "wechat", "weixin"):
            assert hidden not in content

    def test_no_line_is_longer_than_75_octets(self, edition: Edition) -> None:
        content = vcard({**CARD, "title": "长" * 100}, SETTING, edition)
        assert max(len(line) for line in content.split(b"\r\n")) <= 75
        assert vobject.readOne(content.decode()).title.value == "长" * 100


def test_numbers_are_uris_that_say_where_they_are_dialled() -> None:
    lines = unfolded(vcard(CARD, SETTING, "4.0"))
    assert [line for line in lines if line.startswith("TEL")] == [
        'TEL;TYPE="work,voice";VALUE=uri:tel:61234;phone-context=phones.example.com',
        'TEL;TYPE="work,voice";VALUE=uri:tel:*9%23;phone-context=phones.example.com',
        'TEL;TYPE="work,voice";VALUE=uri:tel:+861088880001;ext=23',
        'TEL;TYPE="work,cell";VALUE=uri:tel:+8613800000001',
    ]


def test_short_numbers_of_no_known_domain_are_texts() -> None:
    lines = unfolded(vcard(CARD, Setting(None, "w", "e"), "4.0"))
    assert 'TEL;TYPE="work,voice";VALUE=text:61234' in lines


def test_the_older_version_writes_plain_numbers() -> None:
    lines = unfolded(vcard(CARD, SETTING, "3.0"))
    assert "TEL;TYPE=WORK,VOICE:61234" in lines
    assert "TEL;TYPE=WORK,CELL:+8613800000001" in lines
    assert "EMAIL;TYPE=INTERNET,WORK:ming@example.com" in lines
    assert not [line for line in lines if line.startswith("KIND")]


def test_an_outsider_stands_under_their_organisation() -> None:
    card = {
        **CARD,
        "kind": "external",
        "name": {"state": "masked", "value": "欧*"},
        "organisation": "示例云帆",
        "department": None,
    }
    lines = unfolded(vcard(card, SETTING, "4.0"))
    assert "FN:示例云帆" in lines
    assert "ORG:示例云帆" in lines
    assert "欧*" not in "".join(lines)


def test_a_hotline_is_no_person() -> None:
    lines = unfolded(vcard({**CARD, "kind": "hotline", "name": "总机服务台"}, SETTING, "4.0"))
    assert {"KIND:org", "N:总机服务台;;;;"} <= set(lines)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("张伟", ("张", "伟")),
        ("欧阳明", ("欧阳", "明")),
        ("欧阳", ("欧", "阳")),
        ("李", ("李", "")),
        ("Ann Lee", ("Ann Lee", "")),
        ("阿依古丽·买买提", ("阿依古丽·买买提", "")),
    ],
)
def test_names_are_parted_where_they_are_chinese(name: str, parts: tuple[str, str]) -> None:
    assert parted(name) == parts


@given(
    st.sampled_from(sorted(COMPOUND)),
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=4),
)
def test_a_surname_of_two_characters_stays_whole(surname: str, own: str) -> None:
    assert parted(surname + own) == (surname, own)


@given(anything, anything, anything, st.sampled_from(EDITIONS))
def test_nothing_that_a_value_holds_makes_a_line(name: str, title: str, mail: str, edition: Edition) -> None:
    plain = unfolded(vcard(CARD, SETTING, edition))
    card = {**CARD, "name": f"x{name}", "title": f"x{title}", "email": {"state": "shown", "value": f"x{mail}"}}
    hostile = unfolded(vcard(card, SETTING, edition))
    assert [line.partition(":")[0] for line in hostile] == [line.partition(":")[0] for line in plain]


@given(anything)
def test_a_text_comes_back_as_it_was(value: str) -> None:
    kept = escaped(value)
    back = kept.replace("\\\\", "\0").replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";").replace("\0", "\\")
    assert escaped(back) == kept
    assert "\n" not in kept
    assert "\r" not in kept


@given(anything)
def test_folding_cuts_no_character(line: str) -> None:
    one = line.replace("\r", "").replace("\n", "")
    pieces = folded(one).removesuffix(b"\r\n").split(b"\r\n")
    assert "".join(piece.decode()[bool(at) :] for at, piece in enumerate(pieces)) == one
    assert all(len(piece) <= 75 for piece in pieces)


def test_what_belongs_in_no_address_book_is_never_opened() -> None:
    assert CARRIED.isdisjoint({"id_number", "private_notes", "plate", "relations", "photo"})
