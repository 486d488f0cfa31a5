"""Remarks name what can never matter in a pack, and nothing else."""

from typing import Final

import pytest

from app.auth.scopes import VOCABULARY
from app.contacts.fields import CATALOGUE
from app.permissions.pack import load
from app.policy.checking import remarks
from app.policy.reading import read

HEAD: Final = "version: 1.0.0\nprofile: open\nzh: 包\nen: pack\nrules:\n"


def rule(name: str, effect: str, viewer: str = "{}", contact: str = "{}", also: str = "") -> str:
    head = (
        f"  - {{id: {name}, effect: {effect}, clauses: [X-1], zh: 规则, en: rule, viewer: {viewer}, contact: {contact}"
    )
    return f"{head}{also and ', '}{also}}}\n"


def told(*rules: str) -> list[tuple[str, str]]:
    reading = read(HEAD + "".join(rules))
    assert reading.pack is not None, reading.faults
    return [(each.about, each.code) for each in remarks(reading.pack, scopes=VOCABULARY, classes=CATALOGUE.classes)]


GIVES: Final = "shows: {C1: clear, C3: clear}"


@pytest.mark.parametrize(
    "viewer",
    [
        "{roles: [hr], not_roles: [hr]}",
        "{kinds: [service], scopes: ['contacts:read'], not_scopes: ['contacts:read']}",
        "{kinds: [service], roles: [hr]}",
        "{kinds: [service], tiers: [T4]}",
        "{kinds: [service], worker_kinds: [intern]}",
        "{kinds: [service], step_up: true}",
        "{scopes: ['contacts:raed']}",
    ],
)
def test_a_rule_that_can_apply_to_nobody_is_named(viewer: str) -> None:
    assert told(rule("some.rule", "grant", viewer, also=GIVES)) == [("some.rule", "never_applies")]


def test_a_service_stands_in_no_relation() -> None:
    assert told(rule("some.rule", "grant", "{kinds: [service]}", "{relation: self}", GIVES)) == [
        ("some.rule", "never_applies")
    ]
    assert told(rule("some.rule", "grant", "{kinds: [service]}", "{relation: others}", GIVES)) == []


def test_a_rule_about_whom_a_forbid_hides_is_named() -> None:
    left = "{statuses: [left]}"
    forbid = rule("row.left", "forbid", "{kinds: [person, service]}", left)
    assert told(forbid, rule("some.rule", "grant", "{roles: [hr]}", left, GIVES)) == [("some.rule", "always_forbidden")]
    assert told(forbid, rule("some.rule", "grant", "{roles: [hr]}", "{statuses: [left, active]}", GIVES)) == []
    narrow = rule("row.left", "forbid", "{not_roles: [hr]}", left)
    assert told(narrow, rule("some.rule", "grant", "{roles: [hr]}", left, GIVES)) == []


def test_a_grant_above_a_cap_that_always_holds_is_named() -> None:
    cap = rule("a.cap", "cap", "{}", "{kinds: [employee]}", "shows: {C3: mask_fine}")
    assert told(cap, rule("some.rule", "grant", "{roles: [hr]}", "{kinds: [employee]}", GIVES)) == [
        ("some.rule", "above_cap")
    ]
    assert told(cap, rule("some.rule", "grant", "{roles: [hr]}", "{}", GIVES)) == []
    assert told(cap, rule("some.rule", "grant", "{}", "{kinds: [employee]}", "shows: {C3: mask_coarse}")) == []


def test_a_demand_that_another_grant_does_not_make_is_named() -> None:
    asks = rule("asks.case", "grant", "{roles: [infosec]}", "{kinds: [employee]}", "reveals: {C3: clear}, reason: case")
    for wide, expected in (
        (rule("some.rule", "grant", "{}", "{kinds: [employee]}", "reveals: {C3: clear}"), True),
        (rule("some.rule", "grant", "{}", "{}", "shows: {C3: clear}"), False),
        (rule("some.rule", "grant", "{}", "{}", "shows: {C3: clear}, reveals: {C4: clear}"), False),
        (rule("some.rule", "grant", "{}", "{}", "reveals: {C3: mask_fine, C4: clear}"), False),
        (rule("some.rule", "grant", "{}", "{kinds: [temporary]}", "reveals: {C3: clear}"), False),
        (rule("some.rule", "grant", "{roles: [hr]}", "{}", "reveals: {C3: clear}"), False),
        (rule("some.rule", "grant", "{}", "{}", "reveals: {C3: clear}, reason: case"), False),
        (rule("some.rule", "grant", "{}", "{}", "reveals: {C3: clear}, obligations: [watermark]"), True),
    ):
        assert told(wide, asks) == [("asks.case", "asked_in_vain")] * expected, wide


def test_a_field_that_there_is_not_is_named() -> None:
    tests = "tests:\n  - {id: some.test, expect: {mobille: clear, mobile: clear, C3: clear}}\n"
    reading = read(HEAD + rule("some.rule", "grant", also=GIVES) + tests)
    assert reading.pack is not None
    (remark,) = remarks(reading.pack, scopes=VOCABULARY, classes=CATALOGUE.classes)
    assert (remark.about, remark.code, remark.pointer) == ("some.test", "unknown_field", "/tests/0/expect")


@pytest.mark.parametrize("name", ["default", "strict"])
def test_nothing_in_what_ships_is_without_effect(name: str) -> None:
    scopes = VOCABULARY | {"engagements:write"}
    assert remarks(load(name), scopes=scopes, classes=CATALOGUE.classes) == ()


def test_a_grant_with_an_obligation_that_nobody_would_meet_is_named() -> None:
    assert told(rule("some.rule", "grant", also=f"{GIVES}, obligations: [whisper]")) == [("some.rule", "never_applies")]


def test_a_power_that_a_cap_denies_is_named() -> None:
    cap = rule("a.cap", "cap", "{}", "{kinds: [employee]}", "denies: [export, lookup]")
    for given, expected in (("exports: [C1]", True), ("lookups: [mobile.exact]", True), ("matches: [C1]", False)):
        found = told(cap, rule("some.rule", "grant", "{}", "{kinds: [employee]}", given))
        assert found == [("some.rule", "above_cap")] * expected, given
