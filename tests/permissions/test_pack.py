"""A pack is taken whole or not at all: what a reviewer could overlook, or a machine could read otherwise, is refused."""

from pathlib import Path
from typing import Final

import pytest

from app.permissions.outcomes import FieldClass, Outcome
from app.permissions.pack import BadPackError, Effect, load, load_file, parse

GOOD: Final = """
version: 1.2.3
profile: open
zh: 测试策略
en: Test policy
rules:
  - id: staff.some
    effect: grant
    clauses: [S1a-7]
    zh: 规则
    en: A rule
    contact: {kinds: [employee]}
    shows: {C1: clear, C2: mask_fine}
    requests: {C2: field.reveal}
"""


def test_a_good_pack_is_read_and_named_by_its_content() -> None:
    pack = parse(GOOD)
    (rule,) = pack.rules
    assert (rule.effect, rule.shows) == (
        Effect.GRANT,
        {FieldClass.C1: Outcome.CLEAR, FieldClass.C2: Outcome.MASK_FINE},
    )
    assert pack.label == f"open-1.2.3+{pack.digest[:12]}"


def test_the_digest_is_of_the_meaning_and_not_of_the_spelling() -> None:
    same = GOOD.replace("shows: {C1: clear, C2: mask_fine}", "shows:\n      C2: MASK_FINE # fine\n      C1: clear")
    assert parse(same).digest == parse(GOOD).digest
    for other in (
        GOOD.replace("mask_fine", "mask_full"),
        GOOD.replace("A rule", "Another"),
        GOOD.replace("1.2.3", "1.2.4"),
    ):
        assert parse(other).digest != parse(GOOD).digest


BAD: Final = {
    "a duplicate member": ("effect: grant", "effect: grant\n    effect: cap"),
    "a duplicate member in another spelling": ("effect: grant", 'effect: grant\n    "effect": cap'),
    "a duplicate class": ("C2: mask_fine}", "C2: mask_fine, C1: hidden}"),
    "a merge key": ("clauses: [S1a-7]", "clauses: [S1a-7]\n    <<: {shows: {C5: clear}}"),
    "an alias": ("zh: 规则\n    en: A rule", "zh: &x 规则\n    en: *x"),
    "an unknown member": ("effect: grant", "effect: grant\n    efect: cap"),
    "an unknown condition": ("kinds: [employee]", "kinds: [employee], tier: [T1]"),
    "an unknown kind": ("kinds: [employee]", "kinds: [employees]"),
    "an unknown class": ("C2: mask_fine}", "C6: mask_fine}"),
    "an unknown outcome": ("C2: mask_fine}", "C2: mask_a_little}"),
    "an outcome beyond the lattice": ("C2: mask_fine}", "C2: 5}"),
    "an unknown effect": ("effect: grant", "effect: permit"),
    "an obligation with a space": ("effect: grant", "effect: grant\n    obligations: [tell all]"),
    "an unknown role": ("effect: grant", "effect: grant\n    viewer: {roles: [king]}"),
    "a look-alike role": ("effect: grant", "effect: grant\n    viewer: {roles: [h\u0433]}"),
    "an unknown mark": ("effect: grant", "effect: grant\n    viewer: {marks: [tired]}"),
    "an unknown tag kind": ("effect: grant", "effect: grant\n    lookups: [mobile.prefix]"),
    "a power denied by a grant": ("effect: grant", "effect: grant\n    denies: [match]"),
    "a masked C1": ("{C1: clear", "{C1: mask_fine"),
    "clear C3 for a purpose alone": ("effect: grant", "effect: grant\n    reason: purpose\n    reveals: {C3: clear}"),
    "an unknown purpose": ("effect: grant", "effect: grant\n    purposes: [fun]"),
    "an unknown tier": ("effect: grant", "effect: grant\n    viewer: {tiers: [T9]}"),
    "an unknown relation": ("kinds: [employee]", "relation: friend"),
    "no clause": ("clauses: [S1a-7]", "clauses: []"),
    "no words": ("en: A rule", "en: ''"),
    "a look-alike id": ("id: staff.some", "id: st\u0430ff.some"),
    "an id in capitals": ("id: staff.some", "id: Staff.some"),
    "a profile of its own": ("profile: open", "profile: anything"),
    "a version that is none": ("version: 1.2.3", "version: latest"),
    "a version with a newline": ("version: 1.2.3", 'version: "1.2.3\\n"'),
    "a grant that gives nothing": (
        "shows: {C1: clear, C2: mask_fine}\n    requests: {C2: field.reveal}",
        "obligations: [watermark]",
    ),
    "a forbid that shows": ("effect: grant", "effect: forbid"),
    "a cap that files": ("effect: grant", "effect: cap"),
    "a python object": ("en: A rule", "en: !!python/object/apply:os.system [true]"),
    "a request kind with a space": ("field.reveal", "field reveal"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_pack_with_a_fault_is_refused(fault: str) -> None:
    before, after = BAD[fault]
    assert before in GOOD
    with pytest.raises(BadPackError):
        parse(GOOD.replace(before, after, 1))


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "rules: []", "a: b", "{", "\t", "---\na: 1\n---\nb: 2", GOOD + GOOD, "? [a]\n: b", "!!binary x"],
)
def test_what_is_no_pack_is_refused(text: str) -> None:
    with pytest.raises(BadPackError):
        parse(text)


def test_two_rules_with_one_id_are_refused() -> None:
    head, _, rule = GOOD.partition("rules:\n")
    with pytest.raises(BadPackError, match=r"duplicate rule ids: staff\.some"):
        parse(f"{head}rules:\n{rule}{rule}")


@pytest.mark.parametrize("name", ["default", "strict"])
def test_shipped_packs_are_read_and_speak_both_languages(name: str) -> None:
    pack = load(name)
    assert {"open": "default", "strict": "strict"}[pack.profile] == name
    for rule in pack.rules:
        assert any("\u4e00" <= letter <= "\u9fff" for letter in rule.zh), rule.id
        assert rule.en.isascii(), rule.id


def test_the_strict_pack_shows_no_more_than_the_default() -> None:
    default = {rule.id: rule for rule in load("default").rules}
    for rule in load("strict").rules:
        assert rule == default[rule.id], rule.id
    assert {rule.id for rule in load("default").rules} - {rule.id for rule in load("strict").rules} == {
        "staff.directory",
        "external.directory",
    }


def test_a_pack_of_the_operators_own_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "pack.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_file(path) == parse(GOOD)
