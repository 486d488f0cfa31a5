"""Every fault of a pack has its line, and what a reviewer could overlook is a fault."""

from typing import Final

import pytest

from app.permissions.pack import load, parse, texts
from app.policy.reading import MOST_BYTES, read

GOOD: Final = """version: 1.2.3
profile: open
zh: 测试策略
en: Test policy
rules:
  - id: staff.some
    effect: grant
    clauses: [S1a-7]
    zh: 规则
    en: A rule
    viewer: {roles: [hr]}
    contact: {kinds: [employee]}
    shows: {C1: clear, C2: mask_fine}
tests:
  - id: some.test
    viewer: {roles: [hr]}
    expect: {C1: clear}
"""

BAD: Final = {
    "a duplicate member": ("effect: grant", "effect: grant\n    effect: cap", 8, "/rules/0/effect", "duplicate_member"),
    "a duplicate class": ("C2: mask_fine}", "C2: mask_fine, C1: hidden}", 13, "/rules/0/shows/C1", "duplicate_member"),
    "a merge key": ("clauses: [S1a-7]", "clauses: [S1a-7]\n    <<: {a: b}", 9, "/rules/0/<<", "merge_key"),
    "an alias": ("zh: 规则\n    en: A rule", "zh: &x 规则\n    en: *x", 10, "", "alias"),
    "two documents": ("tests:", "---\ntests:", 14, "", "two_documents"),
    "an unknown member": ("effect: grant", "effect: grant\n    efect: cap", 8, "/rules/0/efect", "unknown_member"),
    "an unknown condition": ("kinds: [employee]", "kin: [employee]", 12, "/rules/0/contact/kin", "unknown_member"),
    "an unknown kind": ("[employee]", "[employees]", 12, "/rules/0/contact/kinds/0", "unknown_value"),
    "an unknown outcome": ("mask_fine}", "mask_a_little}", 13, "/rules/0/shows/C2", "unknown_value"),
    "a missing member": ("    en: A rule\n", "", 6, "/rules/0/en", "missing"),
    "an empty list": ("[S1a-7]", "[]", 8, "/rules/0/clauses", "too_few"),
    "a look-alike id": ("id: staff.some", "id: st\u0430ff.some", 6, "/rules/0/id", "malformed"),
    "a look-alike role": ("roles: [hr]}", "roles: [h\u0433]}", 11, "/rules/0/viewer/roles/0", "look_alike"),
    "a full-width role": ("roles: [hr]}", "roles: [\uff48\uff52]}", 11, "/rules/0/viewer/roles/0", "look_alike"),
    "a role that there is not": ("roles: [hr]}", "roles: [boss]}", 11, "/rules/0/viewer/roles/0", "unknown_name"),
    "an excluded role": ("roles: [hr]}", "not_roles: [boss]}", 11, "/rules/0/viewer/not_roles/0", "unknown_name"),
    "a mark that there is not": ("roles: [hr]}", "marks: [tired]}", 11, "/rules/0/viewer/marks/0", "unknown_name"),
    "a test that expects nothing": ("    expect: {C1: clear}\n", "", 15, "/tests/0", "invalid_value"),
    "a test's unknown member": ("{C1: clear}\n", "{C1: {show: clear}}\n", 17, "/tests/0/expect/C1/show", "unknown_member"),
    "a tab": ("    effect: grant", "\teffect: grant", 7, "", "malformed_yaml"),
    "an object": ("A rule", "!!python/object/apply:os.system [true]", 10, "", "malformed_yaml"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_fault_has_its_line_and_its_place(fault: str) -> None:
    before, after, line, pointer, code = BAD[fault]
    assert before in GOOD
    reading = read(GOOD.replace(before, after, 1))
    assert reading.pack is None
    assert [(each.line, each.pointer, each.code) for each in reading.faults] == [(line, pointer, code)]
    assert all(each.en and any("\u4e00" <= letter <= "\u9fff" for letter in each.zh) for each in reading.faults)


def test_all_faults_are_told_at_once() -> None:
    reading = read(GOOD.replace("[employee]", "[nobody]").replace("mask_fine", "some").replace("hr", "boss"))
    assert [each.line for each in reading.faults] == [11, 12, 13]


@pytest.mark.parametrize("name", ["default", "strict"])
def test_what_ships_is_read_alike_in_both_ways(name: str) -> None:
    reading = read(*texts(name))
    assert reading.faults == ()
    assert reading.pack == load(name)
    assert reading.pack is not None
    assert reading.lines["/rules/0"] > 1


def test_json_is_read_as_well() -> None:
    pack = parse(GOOD)
    text = pack.model_dump_json(exclude={"digest"}, indent=1)
    assert read(text).pack == pack
    twice = text.replace('"profile"', '"profile":"strict","profile"', 1)
    assert [each.code for each in read(twice).faults] == ["duplicate_member"]


NONE: Final = (
    "",
    "null",
    "[]",
    "a: b",
    "{",
    "\x00",
    "\t",
    "? [a]\n: b",
    "!!binary x",
    "\ud800",
    "&a [*a]",
    "%YAML 9.9\n--- a",
)


@pytest.mark.parametrize("text", [*NONE, "- " * 4000, "[" * 4000, "{a: " * 4000])
def test_what_is_no_pack_is_refused(text: str) -> None:
    reading = read(text)
    assert reading.pack is None
    assert reading.faults


def test_a_long_text_is_refused_unread() -> None:
    assert [each.code for each in read("#" * (MOST_BYTES + 1)).faults] == ["too_long"]
    assert read(GOOD + "#" * (MOST_BYTES - len(GOOD.encode()))).pack is not None


def test_tests_beside_a_pack_belong_to_it() -> None:
    rules, _, tests = GOOD.partition("tests:\n")
    assert read(rules, f"tests:\n{tests}").pack == read(GOOD).pack
    assert read(rules).pack != read(GOOD).pack
    for beside in ("tests: 1", "rules: []", "tests:\n  - id: x", "a: *b", "tests: []\nrules: []"):
        assert read(rules, beside).pack is None, beside
    faulty = read(rules, f"# tests\ntests:\n{tests}".replace("clear", "shown"))
    assert [(each.line, each.pointer) for each in faulty.faults] == [(5, "/tests/0/expect/C1")]
