"""The rules of searching, without a store: what is compared, which keys a card gives, and what is made of what was typed."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.search import (
    ACCOUNT,
    FIELDS,
    INITIALS,
    INSIDE,
    LAST,
    LONGEST_KEY,
    LONGEST_NAME,
    MEMBER,
    MOST_PLACES,
    NAME,
    NUMBER,
    PINYIN,
    START,
    T9,
    TITLE,
    WHOLE,
    WORD,
    Key,
    folded,
    keys_of,
    member_term,
    rank,
    separated,
    sort_name,
    too_many_words,
    wanted,
)
from app.departments.tree import Node, Tree

DEPARTMENT = UUID(int=7)


def card(**given: Any) -> dict[str, Any]:  # noqa: ANN401 — columns
    columns = ("name", "name_en", "alias", "title", "user_name_key", "employee_no", "extension")
    return {"kind": "employee", "short_numbers": [], **dict.fromkeys(columns), **given}


def terms(field: int, place: int, **given: Any) -> set[str]:  # noqa: ANN401 — columns
    return {key.term for key in keys_of(card(**given), ()) if key.rank == rank(place, field)}


def tree(**names: str) -> Tree:
    nodes = [
        Node(
            id=UUID(int=at),
            code=code.replace("_", "-"),
            name=name,
            parent_id=None,
            head_id=None,
            deputy_id=None,
            order=0,
            region="CN",
            legal_entity="",
            protected=False,
        )
        for at, (code, name) in enumerate(names.items(), 1)
    ]
    return Tree(nodes)


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("\uff37\uff21\uff2e\uff27\u3000\uff37\uff45\uff49", "wang wei"),
        ("Müller", "muller"),
        ("LÜ", "lu"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("\uff16\uff11\uff12", "612"),
        ("㍿", "株式会社"),
        ("a\u200bb\ufeff", "ab"),
        ("100%_\\", "100%_\\"),
        ("が", "が"),
        ("👩‍💻", "👩💻"),
        ("歐陽鋒", "欧阳锋"),
        ("張乾", "张乾"),
        ("\U00031351\U0002ebf0", "\U00031351\U0002ebf0"),
    ],
)
def test_what_is_compared_has_no_case_width_accent_or_hidden_letter(text: str, compared: str) -> None:
    assert folded(text) == compared


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert LAST not in once


def test_a_name_begins_at_each_character_and_the_given_name_is_a_word() -> None:
    assert terms(NAME, START, name="欧阳若砚") == {"欧阳若砚"}
    assert terms(NAME, WORD, name="欧阳若砚") == {"若砚"}
    assert terms(NAME, INSIDE, name="欧阳若砚") == {"阳若砚", "砚"}
    assert terms(NAME, WORD, name_en="Anna-Lena van Dijk") == {"lenavandijk", "vandijk", "dijk"}
    assert terms(NAME, WORD, name="阿依·买买提") == {"依买买提", "买买提"}


def test_pinyin_begins_at_each_syllable_and_initials_at_each_letter() -> None:
    assert terms(PINYIN, START, name="曾明") == {"zengming", "zengmeng"}
    assert terms(PINYIN, WORD, name="曾明") == {"ming", "meng"}
    assert terms(PINYIN, INSIDE, name="曾明") == {"cengming", "cengmeng"}
    assert terms(INITIALS, START, name="欧阳海") == {"oyh"}
    assert terms(INITIALS, WORD, name="欧阳海") == {"yh", "h"}
    assert terms(INITIALS, START, name="Li Na") == {"ln"}
    assert terms(PINYIN, START, name="Li Na") == set()


def test_a_hotline_is_no_person_and_has_no_surname() -> None:
    assert "danweirexian" in terms(PINYIN, START, kind="hotline", name="单位热线")
    assert "shanweirexian" in terms(PINYIN, START, name="单位热线")


def test_accounts_begin_and_employee_numbers_are_whole() -> None:
    given = {"user_name_key": "wei.zhang", "employee_no": "E1001"}
    assert terms(ACCOUNT, START, **given) == {"wei.zhang"}
    assert terms(ACCOUNT, WHOLE, **given) == {"e1001"}
    both = {"user_name_key": "e1001", "employee_no": "E1001"}
    assert (terms(ACCOUNT, START, **both), terms(ACCOUNT, WHOLE, **both)) == ({"e1001"}, set())


def test_numbers_titles_and_departments_are_kept() -> None:
    assert terms(NUMBER, START, short_numbers=["61234"], extension="8001") == {"61234", "8001"}
    assert terms(TITLE, INSIDE, title="工程师") == {"程师", "师"}
    assert keys_of(card(), [DEPARTMENT]) == {Key(MEMBER, member_term(DEPARTMENT))}


@pytest.mark.parametrize("kind", ["external", "student", "applicant"])
def test_nothing_is_kept_of_a_sealed_name(kind: str) -> None:
    found = keys_of(card(kind=kind, name="欧阳若砚", name_en="Ruoyan", alias="小欧", title="经理"), [DEPARTMENT])
    assert {key.rank % FIELDS for key in found} == {TITLE, MEMBER}


@given(st.text(max_size=120), st.text(max_size=120), st.lists(st.text(min_size=1, max_size=20), max_size=3))
def test_any_text_gives_bounded_keys_and_no_word_is_a_member(name: str, title: str, numbers: list[str]) -> None:
    found = keys_of(card(name=name, title=title, alias=name, short_numbers=numbers), ())
    for key in found:
        assert 1 <= len(key.term) <= LONGEST_KEY or key.rank == rank(START, NUMBER)
        assert key.rank != MEMBER
        assert not key.term.startswith("D")
    assert sum(key.rank in {rank(place, TITLE) for place in range(4)} for key in found) <= MOST_PLACES
    assert all(key.term.isdigit() for key in found if key.rank % FIELDS == T9)
    assert len(sort_name(card(name=name))) <= LONGEST_NAME


def test_digits_spell_a_name_a_place_lower_than_what_they_spell() -> None:
    assert terms(T9, WORD, name="欧海", name_en="Ou Hai") == {"68424"}
    assert terms(T9, INSIDE, name="欧海", name_en="Ou Hai") == {"424"}
    assert terms(T9, WORD, name="李海林", alias="A1") == {"54424546", "545"}
    assert terms(T9, START, name="李海林") == terms(T9, WHOLE, name="李海林") == set()


@pytest.mark.parametrize("dot", "·•‧・･∙⋅⸱᛫ꞏᐧ●.\uff0e\ufe52")
@pytest.mark.parametrize("around", ["", " "])
def test_a_name_of_several_words_is_one_however_its_dot_is_typed(dot: str, around: str) -> None:
    name = f"阿依古丽{around}{dot}{around}买买提"
    assert separated(folded(name)) == ["阿依古丽", "买买提"] or around
    assert terms(NAME, START, name=name) == {"阿依古丽买买提"}
    assert "买买提" in terms(NAME, WORD, name=name)
    assert wanted(name, tree()).phrase.text == "阿依古丽买买提"


def test_a_full_stop_elsewhere_is_a_full_stop() -> None:
    for text in ("v1.2", "wei.zhang", "3.5室", "a.甲", "甲."):
        assert separated(text) == [text]


def test_a_traditional_name_is_compared_as_a_simplified_one_and_read_as_itself() -> None:
    assert terms(NAME, START, name="歐陽傑") == terms(NAME, START, name="欧阳杰") == {"欧阳杰"}
    assert terms(NAME, WORD, name="歐陽傑") == {"杰"}
    assert terms(PINYIN, START, name="單傑") == {"shanjie"}
    assert "zhangqian" in terms(PINYIN, START, name="張乾")


def test_a_rare_character_is_found_read_or_left_out_and_never_hides_the_rest() -> None:
    rare = "\U00031351"
    assert terms(NAME, START, name=f"{rare}明") == {f"{rare}明"}
    assert terms(NAME, WORD, name=f"{rare}明") == {"明"}
    assert "ming" in terms(PINYIN, START, name=f"{rare}明")
    assert terms(PINYIN, START, name="王\U0002cc5f") == {"wangwei"}


def test_scripts_are_asked_for_apart_too() -> None:
    def words(text: str) -> list[str]:
        return [word.text for word in wanted(text, tree()).words]

    assert words("李lei") == ["李", "lei"]
    assert words("ouyang锋") == ["ouyang", "锋"]
    assert words("研发3组") == words("v1.2") == words("lei") == []
    assert words("a甲b乙c丙d") == []
    assert len(words("a甲b乙c丙")) == 6


def test_a_word_cannot_be_taken_for_the_whole_of_a_text_that_was_cut() -> None:
    (key,) = (each for each in keys_of(card(title="长" * 90), ()) if each.rank == rank(START, TITLE))
    assert len(key.term) == LONGEST_KEY
    assert wanted("长" * 65, tree()).phrase.text == LAST


def test_several_words_are_asked_for_together_and_apart() -> None:
    found = wanted(" Zhang   WEI ", tree())
    assert found.phrase.text == "zhangwei"
    assert [word.text for word in found.words] == ["zhang", "wei"]
    assert wanted("zhang", tree()).words == ()
    assert [word.text for word in wanted("li LI", tree()).words] == ["li"]


def test_the_first_word_that_names_no_department_ranks() -> None:
    company = tree(RD="研发部", SALES="销售部")
    assert [word.text for word in wanted("研发 张伟", company).words] == ["张伟", "研发"]
    assert [word.text for word in wanted("rd 销售", company).words] == ["rd", "销售"]


def test_departments_are_named_by_name_or_by_the_beginning_of_the_code() -> None:
    company = tree(RD="研发部", RD_CORE="核心组", HR="研发人力 RD")

    def named(word: str) -> list[set[UUID]]:
        return [set(each) for each in wanted(word, company).phrase.departments]

    first, second, third = (UUID(int=at) for at in (1, 2, 3))
    assert named("研发部") == [{first}, set(), set(), set()]
    assert named("RD") == [{first}, {second}, {third}, set()]
    assert named("发") == [set(), set(), set(), {first, third}]
    assert named("core") == [set(), set(), set(), set()]


def test_shapes_forget_words_and_round_departments_up() -> None:
    company = tree(A="一组", B="二组", C="三组")
    one, other = wanted("张", company), wanted("李", company)
    assert one.shape == other.shape
    assert wanted("组", company).shape[0].departments == (0, 0, 0, 4)
    (members,) = [each for each in wanted("组", company).phrase.members() if each]
    assert len(members) == 4
    assert len(set(members)) == 3


@pytest.mark.parametrize("text", ["", " ", "·", "\u3000", "・ ·", "\u200b"])
def test_what_has_nothing_to_look_for_finds_nobody(text: str) -> None:
    assert wanted(text, tree(RD="研发部")).phrase.text == LAST


def test_seven_words_are_too_many() -> None:
    assert not too_many_words("a b c d e f")
    assert too_many_words("a b c d e·f g")
    assert separated("a·b　c") == ["a", "b", "c"]
