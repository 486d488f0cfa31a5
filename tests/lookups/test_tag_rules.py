"""The planner's promises: every tag is shared, few bits for few people, a plan that stays while it serves; and what tags give away."""

from collections import Counter
from math import log2
from random import Random
from typing import Final, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.tag_rules import (
    DEFAULT_KINDS,
    RULES,
    SHARED,
    Generation,
    Population,
    ProfileName,
    outgrown,
    planned,
    planned_bits,
    tagged_form,
)
from app.crypto.tags import MOST_BITS, TagKeys
from app.permissions.outcomes import Tag

PROFILES: Final = get_args(ProfileName)
SIZES: Final = st.integers(0, 5_000_000)
DEPARTMENT: Final = UUID(int=7)


class Keys:
    """Keys of a test."""

    def mac_key(self, label: str, *, version: int | None = None) -> bytes:
        return f"{label}/{version}".encode().ljust(32, b".")

    def current_version(self, purpose: str) -> int:
        assert purpose == "index"
        return 1


def plan(population: int, department: int = 0, profile: ProfileName = "strict") -> Generation:
    bits = planned(DEFAULT_KINDS, populated(population, department), profile)
    return Generation(1, 1, bits)


def populated(population: int, department: int = 0) -> Population:
    values = dict.fromkeys(DEFAULT_KINDS, population)
    return Population(values, {DEPARTMENT: department} if department else {})


@given(SIZES, st.sampled_from(PROFILES))
def test_a_tag_is_expected_to_be_shared_by_as_many_as_the_profile_asks_for(
    population: int, profile: ProfileName
) -> None:
    for kind in DEFAULT_KINDS - {Tag.MOBILE_LAST4}:
        bits = plan(population, profile=profile).bits[kind.value]
        assert 0 <= bits <= MOST_BITS
        if bits:
            assert population / 2**bits >= SHARED[profile]


@given(SIZES, SIZES)
def test_more_people_never_have_fewer_bits(one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert planned_bits(fewer, 64, 32.5) <= planned_bits(more, 64, 32.5)


@given(st.integers(2, 5_000_000), st.integers(1, 5_000_000), st.sampled_from(PROFILES))
def test_both_tags_of_a_mobile_together_still_stand_for_two_people(
    population: int, department: int, profile: ProfileName
) -> None:
    found = plan(population, min(population, department), profile)
    exact, ending = found.bits[Tag.MOBILE.value], found.width(Tag.MOBILE_LAST4, DEPARTMENT)
    assert exact + ending <= max(exact, log2(population) - 1)
    assert ending <= RULES[Tag.MOBILE_LAST4].domain_bits - 1


@given(SIZES, st.integers(0, 100_000), st.sampled_from(PROFILES))
def test_a_plan_just_made_is_not_outgrown(population: int, department: int, profile: ProfileName) -> None:
    people = populated(population, min(population, department))
    wanted = planned(DEFAULT_KINDS, people, profile)
    assert not outgrown(Generation(1, 1, wanted), wanted, people, profile)


@pytest.mark.parametrize(("before", "now"), [(10_000, 100_000), (100_000, 10_000), (100, 100_000), (100_000, 3)])
def test_a_directory_of_another_order_has_outgrown_its_plan(before: int, now: int) -> None:
    people = populated(now)
    assert outgrown(plan(before), planned(DEFAULT_KINDS, people, "strict"), people, "strict")


def test_half_as_many_again_change_nothing() -> None:
    people = populated(15_000)
    assert not outgrown(plan(10_000), planned(DEFAULT_KINDS, people, "strict"), people, "strict")


def test_other_kinds_call_for_another_plan() -> None:
    kinds, people = DEFAULT_KINDS | {Tag.WECHAT}, populated(10)
    assert outgrown(plan(10), planned(kinds, people, "strict"), people, "strict")


def test_a_large_department_that_shrank_is_planned_anew() -> None:
    found = plan(1_000_000, 100_000)
    assert found.width(Tag.MOBILE_LAST4, DEPARTMENT) > 0
    gone = populated(1_000_000)
    assert outgrown(found, planned(DEFAULT_KINDS, gone, "strict"), gone, "strict")


@pytest.mark.parametrize(
    ("population", "bits"), [(0, 0), (14, 0), (127, 0), (128, 1), (10_000, 7), (100_000, 10), (1_000_000, 13)]
)
def test_the_strict_plan_is_this(population: int, bits: int) -> None:
    assert plan(population).bits["mobile.exact"] == bits


def test_the_last_digits_have_no_bits_in_a_department_of_some_hundred() -> None:
    assert plan(100_000, 100).width(Tag.MOBILE_LAST4, DEPARTMENT) == 0
    assert plan(100_000, 1000).width(Tag.MOBILE_LAST4, DEPARTMENT) == 3


@pytest.mark.parametrize(("bits", "least"), [(-3, 0), (64, MOST_BITS)])
def test_a_plan_that_somebody_edited_makes_no_longer_tags(bits: int, least: int) -> None:
    assert Generation(1, 1, {"mobile.exact": bits}).width(Tag.MOBILE, UUID(int=0)) == least


@given(st.sampled_from(list(Tag)), st.text(min_size=1), st.integers(0, MOST_BITS), st.integers(1, 3))
def test_a_tag_is_short_and_says_the_same_twice(kind: Tag, value: str, bits: int, version: int) -> None:
    keys = TagKeys(Keys())
    tag = keys.tag(kind.value, value, partition=b"p", version=version, bits=bits)
    assert 0 <= tag < 2**bits
    assert tag == TagKeys(Keys()).tag(kind.value, value, partition=b"p", version=version, bits=bits)


def test_kinds_partitions_and_versions_have_nothing_to_do_with_each_other() -> None:
    keys = TagKeys(Keys())

    def tags(kind: str, partition: bytes, version: int) -> list[int]:
        return [
            keys.tag(kind, f"+861380000{at:04d}", partition=partition, version=version, bits=20) for at in range(50)
        ]

    every = [tags(kind, part, version) for kind in ("a", "b") for part in (b"", b"x") for version in (1, 2)]
    assert len({tuple(each) for each in every}) == 8
    assert max(sum(one == two for one, two in zip(every[0], each, strict=True)) for each in every[1:]) <= 1


def test_where_a_part_ends_cannot_be_moved() -> None:
    keys = TagKeys(Keys())
    one = keys.tag("a", "bc", partition=b"", version=1, bits=20)
    assert one != keys.tag("a", "c", partition=b"b", version=1, bits=20)


@pytest.mark.parametrize("bits", [-1, 21, 64, 256])
def test_a_longer_tag_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="at most 20"):
        TagKeys(Keys()).tag("a", "b", partition=b"", version=1, bits=bits)


def test_keys_of_tags_say_nothing() -> None:
    assert repr(TagKeys(Keys())) == "<tag keys>"


@pytest.mark.parametrize(
    ("kind", "value", "form"),
    [
        (Tag.MOBILE, "+8613800001234", "+8613800001234"),
        (Tag.MOBILE_LAST4, "+8613800001234", "1234"),
        (Tag.EMAIL, "Ruoyan@example.com", "ruoyan@example.com"),
        (Tag.NAME, "Ruoyan  OUYANG", "ruoyan ouyang"),
        (Tag.NAME, "欧阳若砚", "欧阳若砚"),
        (Tag.WECHAT, "WX_1", "wx_1"),
        (Tag.ID_NUMBER, "11010519491231002X", "11010519491231002X"),
    ],
)
def test_what_is_tagged(kind: Tag, value: str, form: str) -> None:
    assert tagged_form(kind, value) == form


# ------------------------------------------------------------------------------------------------------------- what leaks


def vanity(chance: Random, count: int) -> list[str]:
    """Invent mobiles as people choose them: some prefixes and some endings are sought after."""
    ends = ["8888", "6666", "9999", "1688", "5188"]
    return [
        f"+861{chance.choice('35789')}{chance.randrange(10**5):05d}"
        + (chance.choice(ends) if chance.random() < 0.05 else f"{chance.randrange(10**4):04d}")
        for _ in range(count)
    ]


@pytest.mark.parametrize("population", [200, 2_000, 10_000, 100_000])
def test_no_tag_stands_for_one_person_alone(population: int) -> None:
    keys, bits = TagKeys(Keys()), plan(population).bits["mobile.exact"]
    numbers = vanity(Random(population), population)
    found = Counter(keys.tag("mobile.exact", each, partition=b"", version=1, bits=bits) for each in numbers)
    expected = population / 2**bits
    assert min(found.values()) > expected / 2
    assert max(found.values()) < expected * 2
    squares = sum((count - expected) ** 2 / expected for count in found.values())
    freedom = 2**bits - 1
    assert squares < freedom + 6 * (2 * freedom) ** 0.5 + 40


def test_whoever_has_the_key_still_guesses_among_thousands() -> None:
    """A frequency attack with the key and every number that there may be recovers less than one in 64."""
    keys, population = TagKeys(Keys()), 10_000
    bits = plan(population).bits["mobile.exact"]
    chance = Random(1)
    everybody = sorted(set(vanity(chance, population)))
    by_tag: dict[int, list[str]] = {}
    for each in everybody:
        by_tag.setdefault(keys.tag("mobile.exact", each, partition=b"", version=1, bits=bits), []).append(each)
    right = sum(
        chance.choice(by_tag[keys.tag("mobile.exact", each, partition=b"", version=1, bits=bits)]) == each
        for each in everybody
    )
    assert right / len(everybody) < 1 / 32
