"""How names are read: two-character surnames, surnames read otherwise than elsewhere, heteronyms, minority, Latin and mixed names."""

import os
import subprocess
import sys

import pytest

from app.contacts.pinyin import COMPOUND, MOST_READINGS, SURNAMES, read_name, read_text, readings, words_of
from app.demo import names
from tests.support.tree import ROOT


def spoken(name: str) -> set[str]:
    return {"".join(each) for each in read_name(name)[0]}


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("张伟", {"zhangwei"}),
        ("欧阳锋", {"ouyangfeng"}),
        ("尉迟恭", {"yuchigong"}),
        ("司马光", {"simaguang"}),
        ("万俟卨", {"moqixie"}),
        ("澹台镜", {"tantaijing"}),
        ("令狐冲", {"linghuchong"}),
        ("曾巩", {"zenggong"}),
        ("解缙", {"xiejin"}),
        ("仇远", {"qiuyuan"}),
        ("区静", {"oujing"}),
        ("任静", {"renjing"}),
        ("盖静", {"gejing", "gaijing"}),
        ("朴静", {"piaojing", "pujing"}),
        ("查静", {"zhajing"}),
        ("翟静", {"zhaijing", "dijing"}),
        ("吕静", {"lvjing", "lujing", "lyujing"}),
        ("单于", {"chanyu", "shanyu"}),
        ("曹操重", {"caocaozhong", "caocaochong", "caocaotong"}),
        ("李lei", {"lilei"}),
    ],
)
def test_a_name_is_read_as_its_bearer_reads_it(name: str, read: set[str]) -> None:
    assert read <= spoken(name)


@pytest.mark.parametrize(
    ("name", "never"),
    [("曾巩", "cenggong"), ("解缙", "jiejin"), ("仇远", "chouyuan"), ("区静", "qujing"), ("尉迟恭", "weichigong")],
)
def test_a_surname_is_not_read_by_the_dictionary(name: str, never: str) -> None:
    assert never not in spoken(name)


def test_what_a_dictionary_says_of_a_surname_is_kept_apart() -> None:
    assert {"".join(each) for each in read_name("曾巩")[1]} == {"cenggong"}
    assert {"".join(each) for each in read_name("仇远")[1]} == {"chouyuan"}
    assert read_name("王明")[1] == []
    assert read_name("尉迟恭")[1] == []


def test_a_given_name_is_read_in_each_way_that_its_characters_are() -> None:
    assert {"wangzhong", "wangchong", "wangtong"} == spoken("王重")
    assert {"shanle", "shanyue"} <= spoken("单乐")


def test_a_long_name_has_a_bound_and_keeps_every_single_change_as_far_as_it_goes() -> None:
    name = "阿卜杜热依木买买提重重"
    found, odd = read_name(name)
    assert len(found) <= MOST_READINGS
    assert odd == []
    first = found[0]
    assert all(sum(one != other for one, other in zip(first, each, strict=True)) <= 1 for each in found)
    assert any("".join(each).startswith("abudureyimu") for each in found)


def test_what_is_not_chinese_has_no_pinyin() -> None:
    for text in ("", "li na", "müller", "🙂", "さくら", "\U0010ffff", "'; --"):
        assert read_text(text) == []
        assert read_name(text) == ([], [])


def test_characters_and_runs_of_letters_are_words() -> None:
    assert list(words_of("王xiao-ming3号")) == ["王", "xiao", "ming3", "号"]


def test_the_tables_are_read_as_they_are_written() -> None:
    for surname, read in COMPOUND.items():
        assert len(surname) == 2
        assert all(each.isascii() and each.isalpha() for each in read)
    for surname, ways in SURNAMES.items():
        assert len(surname) == 1
        assert all(each.isascii() and each.isalpha() and each for each in ways)
        assert any(each[:1] for each in readings(surname))


def test_the_demo_company_reads_its_surnames_alike() -> None:
    for family, read in (*names.COMMON, *names.COMPOUND, *names.HETERONYM):
        wanted = read.lower().replace("ü", "v")
        assert wanted + "an" in {"".join(each) for each in read_name(f"{family}安")[0]}, family


def test_the_table_of_phrases_stays_on_the_disk() -> None:
    code = (
        "import sys; from app.contacts.pinyin import readings; assert readings('曾') == ('ceng', 'zeng');"
        "assert not any('phrases_dict' in name for name in sys.modules), 'read'"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYPINYIN_NO_PHRASES"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=60)


def test_reading_cards_needs_no_dictionary() -> None:
    code = "import sys, app.contacts.service; assert 'pypinyin' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
