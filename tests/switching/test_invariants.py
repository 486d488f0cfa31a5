"""The rules of the number plan: each broken alone is told alone, and those that reckon are held against counting everything."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.numbers.conflicts import Profile
from app.numbers.facts import (
    CardFact,
    DomainFact,
    GrantedFact,
    HoldFact,
    Line,
    NumberFact,
    PlanFacts,
    PoolFact,
    RangeFact,
    Tenure,
)
from app.numbers.invariants import (
    RULES,
    Finding,
    Rule,
    of_card,
    of_number,
    of_plan,
    of_privilege,
    of_rows,
    of_strangers,
)
from app.numbers.rules import PoolClass, State, Stretch, stretch

NOW: Final = datetime(2026, 11, 22, 8, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
EARLIER: Final = NOW - timedelta(days=1)
DOMAIN, POOL, OTHER_POOL, RANGE, HOLD, SOMEBODY = (UUID(int=each) for each in range(1, 7))


def a_range(identity: UUID, found: Stretch, **members: Any) -> RangeFact:  # noqa: ANN401 — members of a range
    plain = {"pool_id": POOL, "domain_id": DOMAIN, "size": found.size, "made": found.size}
    return RangeFact(id=identity, stretch=found, **{**plain, **members})


PLAN: Final = PlanFacts(
    domains={DOMAIN: DomainFact(code="main", dialling="overlap", profile=Profile(access_codes=("66", "*9")))},
    pools={
        POOL: PoolFact(code="desk", domain_id=DOMAIN, pool_class=PoolClass.INTERNAL),
        OTHER_POOL: PoolFact(code="temp", domain_id=DOMAIN, pool_class=PoolClass.TEMPORARY, keeps_nice=True),
    },
    ranges={RANGE: a_range(RANGE, stretch("7100", "7199", 1, ["7150-7159"]))},
    reserved=("110",),
)
FREE: Final = NumberFact(
    id=1,
    domain_id=DOMAIN,
    pool_id=POOL,
    range_id=RANGE,
    digits="7102",
    state=State.AVAILABLE,
    sort_key=7102,
    available_from=None,
    nice=0,
    nice_version=1,
    hold_id=None,
)
ASSIGNED: Final = replace(FREE, state=State.ASSIGNED)
HELD: Final = replace(FREE, state=State.HELD, available_from=LATER, hold_id=HOLD)
ITS_HOLD: Final = HoldFact(
    id=HOLD, pool_id=POOL, numbers=frozenset({1, 2}), state=State.HELD, expires_at=LATER, ended=False
)
OPEN: Final = Tenure(
    id=UUID(int=90),
    number_id=1,
    pool_id=POOL,
    role="short",
    started_at=EARLIER,
    ended_at=None,
    until=None,
    due_at=None,
)
PAST: Final = replace(OPEN, id=UUID(int=91), started_at=EARLIER - timedelta(days=9), ended_at=EARLIER)
CARD: Final = CardFact(id=SOMEBODY, status="active", short_numbers=("7102",), extension="8001")
LINES: Final = (Line(SOMEBODY, "short", "7102"), Line(SOMEBODY, "extension", "8001"))
GRANTED: Final = GrantedFact(
    domain="main",
    digits="7102",
    contact_id=SOMEBODY,
    in_force=True,
    signed=True,
    line_digits="7102",
    line_domain="main",
    line_holder=SOMEBODY,
    line_open=True,
)


def rules(found: Iterator[Finding]) -> list[Rule]:
    return [each.rule for each in found]


def test_every_rule_says_in_both_languages_what_is_true() -> None:
    assert set(RULES) == set(Rule)
    assert all(words.en and words.zh for words in RULES.values())


@pytest.mark.parametrize(
    ("number", "tenures", "hold"),
    [
        (FREE, (), None),
        (FREE, (PAST,), None),
        (ASSIGNED, (PAST, OPEN), None),
        (replace(ASSIGNED, state=State.PROVISIONING), (OPEN,), None),
        (replace(ASSIGNED, hold_id=HOLD), (OPEN,), None),
        (ASSIGNED, (replace(OPEN, role="shared"), replace(OPEN, role="shared", id=UUID(int=92))), None),
        (ASSIGNED, (replace(OPEN, until=LATER, due_at=LATER),), None),
        (HELD, (), ITS_HOLD),
        (replace(HELD, available_from=EARLIER), (), None),
        (replace(HELD, state=State.RESERVED), (), replace(ITS_HOLD, state=State.RESERVED)),
        (replace(HELD, state=State.RESERVED, hold_id=None, available_from=None), (), None),
        (replace(FREE, state=State.BLOCKED), (PAST,), None),
        (replace(FREE, state=State.QUARANTINED, available_from=LATER), (PAST,), None),
        (replace(FREE, nice=3, nice_version=0), (), None),
    ],
)
def test_nothing_is_said_of_what_may_be(number: NumberFact, tenures: Sequence[Tenure], hold: HoldFact | None) -> None:
    assert rules(of_number(PLAN, number, tenures, hold, NOW)) == []


@pytest.mark.parametrize(
    ("number", "tenures", "hold", "rule"),
    [
        (replace(FREE, digits="7200"), (), None, Rule.NUMBER_RANGE),
        (replace(FREE, digits="71025"), (), None, Rule.NUMBER_RANGE),
        (replace(FREE, digits="7153"), (), None, Rule.NUMBER_RANGE),
        (replace(FREE, pool_id=OTHER_POOL), (), None, Rule.NUMBER_RANGE),
        (ASSIGNED, (), None, Rule.HOLDER_MISSING),
        (replace(ASSIGNED, state=State.PROVISIONING), (PAST,), None, Rule.HOLDER_MISSING),
        (FREE, (OPEN,), None, Rule.HOLDER_UNEXPECTED),
        (replace(FREE, state=State.RETIRED), (OPEN,), None, Rule.HOLDER_UNEXPECTED),
        (ASSIGNED, (OPEN, replace(OPEN, role="shared", id=UUID(int=92))), None, Rule.HOLDER_TWICE),
        (replace(FREE, state=State.QUARANTINED), (), None, Rule.DATE_MISSING),
        (replace(FREE, available_from=LATER), (), None, Rule.DATE_UNEXPECTED),
        (replace(ASSIGNED, available_from=EARLIER), (OPEN,), None, Rule.DATE_UNEXPECTED),
        (HELD, (), None, Rule.HOLD_CONTRADICTS),
        (HELD, (), replace(ITS_HOLD, ended=True), Rule.HOLD_CONTRADICTS),
        (HELD, (), replace(ITS_HOLD, numbers=frozenset({2})), Rule.HOLD_CONTRADICTS),
        (HELD, (), replace(ITS_HOLD, pool_id=OTHER_POOL), Rule.HOLD_CONTRADICTS),
        (HELD, (), replace(ITS_HOLD, state=State.RESERVED), Rule.HOLD_CONTRADICTS),
        (HELD, (), replace(ITS_HOLD, expires_at=EARLIER), Rule.HOLD_CONTRADICTS),
        (replace(FREE, sort_key=-7103), (), None, Rule.PLACE),
        (replace(FREE, nice=3), (), None, Rule.LOOKS),
        (ASSIGNED, (replace(OPEN, pool_id=OTHER_POOL),), None, Rule.ASSIGNMENT_POOL),
        (FREE, (replace(PAST, ended_at=PAST.started_at - timedelta(days=1)),), None, Rule.ASSIGNMENT_REVERSED),
        (ASSIGNED, (PAST, replace(OPEN, started_at=EARLIER - timedelta(days=1))), None, Rule.ASSIGNMENT_OVERLAP),
        (ASSIGNED, (replace(OPEN, until=LATER),), None, Rule.END_UNWATCHED),
    ],
)
def test_what_may_not_be_is_told_alone(
    number: NumberFact, tenures: Sequence[Tenure], hold: HoldFact | None, rule: Rule
) -> None:
    (found,) = of_number(PLAN, number, tenures, hold, NOW)
    assert (found.rule, found.digits, found.domain) == (rule, number.digits, "main")


def test_a_pool_that_keeps_nice_numbers_has_them_below_zero_and_a_temporary_one_has_ends() -> None:
    plan = replace(PLAN, ranges={RANGE: a_range(RANGE, stretch("7777", "7780", 1, []), pool_id=OTHER_POOL)})
    nice = replace(FREE, pool_id=OTHER_POOL, digits="7777", nice=3, sort_key=-1)
    assert rules(of_number(plan, nice, (), None, NOW)) == []
    assert rules(of_number(plan, replace(nice, sort_key=0), (), None, NOW)) == [Rule.PLACE]
    taken = replace(nice, state=State.ASSIGNED)
    endless = replace(OPEN, pool_id=OTHER_POOL)
    assert rules(of_number(plan, taken, (endless,), None, NOW)) == [Rule.END_MISSING]
    assert rules(of_number(plan, taken, (replace(endless, until=LATER, due_at=NOW),), None, NOW)) == []


@pytest.mark.parametrize(
    ("card", "lines", "found"),
    [
        (CARD, LINES, []),
        (replace(CARD, short_numbers=(), extension=None), (), []),
        (CARD, LINES[1:], [(Rule.CARD_EXCEEDS, "7102")]),
        (CARD, LINES[:1], [(Rule.CARD_EXCEEDS, "8001")]),
        (replace(CARD, short_numbers=()), LINES, [(Rule.CARD_LACKS, "7102")]),
        (replace(CARD, extension=None), LINES, [(Rule.CARD_LACKS, "8001")]),
        (replace(CARD, extension="8002"), LINES, [(Rule.CARD_LACKS, "8001"), (Rule.CARD_EXCEEDS, "8002")]),
        (replace(CARD, short_numbers=("7102", "7102")), LINES, [(Rule.CARD_EXCEEDS, "7102")]),
        (CARD, (*LINES, Line(SOMEBODY, "extension", "8009")), []),
        (CARD, (*LINES, Line(SOMEBODY, "shared", "7103")), [(Rule.CARD_LACKS, "7103")]),
        (replace(CARD, status="left"), LINES, [(Rule.HOLDER_GONE, "7102"), (Rule.HOLDER_GONE, "8001")]),
        (replace(CARD, status="archived", short_numbers=(), extension=None), (), []),
    ],
)
def test_a_card_tells_what_its_contact_holds(
    card: CardFact, lines: Sequence[Line], found: list[tuple[Rule, str]]
) -> None:
    assert [(each.rule, each.digits) for each in of_card(card, lines)] == found
    assert all(each.contact == SOMEBODY for each in of_card(card, lines))


@pytest.mark.parametrize(
    ("granted", "status", "rule"),
    [
        (GRANTED, "active", None),
        (replace(GRANTED, line_open=False), "left", None),
        (replace(GRANTED, in_force=False), "left", None),
        (GRANTED, "left", Rule.PRIVILEGE_GONE),
        (GRANTED, None, Rule.PRIVILEGE_GONE),
        (replace(GRANTED, signed=False), "active", Rule.PRIVILEGE_UNSIGNED),
        (replace(GRANTED, line_digits="7103"), "active", Rule.PRIVILEGE_LINE),
        (replace(GRANTED, line_holder=POOL), "active", Rule.PRIVILEGE_LINE),
        (replace(GRANTED, line_domain="other"), "active", Rule.PRIVILEGE_LINE),
    ],
)
def test_a_privilege_hangs_on_its_line(granted: GrantedFact, status: str | None, rule: Rule | None) -> None:
    assert rules(of_privilege(granted, status)) == ([] if rule is None else [rule])


def test_a_holder_is_there() -> None:
    assert rules(of_strangers(LINES, {SOMEBODY})) == []
    assert rules(of_strangers(LINES, ())) == [Rule.HOLDER_UNKNOWN] * 2


@pytest.mark.parametrize(
    ("members", "rule", "other"),
    [
        ({"size": 99}, Rule.RANGE_SIZE, "99"),
        ({"domain_id": OTHER_POOL}, Rule.RANGE_DOMAIN, "main"),
    ],
)
def test_a_range_says_of_itself_what_it_is(members: dict[str, Any], rule: Rule, other: str) -> None:
    domains = {DOMAIN: PLAN.domains[DOMAIN], OTHER_POOL: replace(PLAN.domains[DOMAIN], code="second")}
    odd = a_range(RANGE, stretch("7100", "7199", 1, []), **members)
    (found,) = of_plan(replace(PLAN, domains=domains, ranges={RANGE: odd}))
    assert (found.rule, found.other) == (rule, other)


def test_ranges_are_held_against_the_domain_and_what_is_reserved() -> None:
    for start, end, rule, digits, other in (
        ("6600", "6603", Rule.RANGE_RESERVED, "6600", "66"),
        ("9100", "9103", Rule.RANGE_OUTSIDE_DOMAIN, "9100", None),
    ):
        found = list(of_plan(replace(PLAN, ranges={RANGE: a_range(RANGE, stretch(start, end, 1, []))})))
        assert [(each.rule, each.digits, each.other) for each in found] == [(rule, digits, other)]
    both = replace(PLAN, ranges={RANGE: a_range(RANGE, stretch("1100", "1103", 1, []))})
    assert set(rules(of_plan(both))) == {Rule.RANGE_RESERVED, Rule.RANGE_OUTSIDE_DOMAIN}


def test_rows_are_counted() -> None:
    assert rules(of_rows(PLAN, {RANGE: 90})) == []
    assert [each.other for each in of_rows(PLAN, {RANGE: 89})] == ["89 ≠ 90"]
    assert [each.other for each in of_rows(PLAN, {})] == ["0 ≠ 90"]


@st.composite
def stretches(draw: st.DrawFn) -> Stretch:
    """Draw a small range of two or three digits."""
    width = draw(st.integers(2, 3))
    low = draw(st.integers(2 * 10 ** (width - 1), 9 * 10 ** (width - 1) - 1))
    high = min(low + draw(st.integers(0, 30)), 9 * 10 ** (width - 1) - 1)
    gaps = draw(st.lists(st.integers(low, high).map(str), max_size=3, unique=True))
    kept = gaps if len(gaps) < high - low + 1 else []
    step = draw(st.integers(1, 4))
    found = Stretch(str(low), str(high), step, tuple((each, each) for each in kept))
    return found if found.size else Stretch(str(low), str(low), 1)


def members(found: Stretch) -> set[str]:
    return set(found.chunk(0, found.size))


@settings(max_examples=50, deadline=None)
@given(st.lists(stretches(), min_size=2, max_size=4), st.booleans())
def test_ranges_conflict_where_their_numbers_do(found: list[Stretch], overlap: bool) -> None:  # noqa: FBT001 — drawn
    domain = DomainFact(code="main", dialling="overlap" if overlap else "en_bloc", profile=Profile())
    ranges = {UUID(int=100 + at): a_range(UUID(int=100 + at), each) for at, each in enumerate(found)}
    plan = replace(PLAN, domains={DOMAIN: domain}, ranges=ranges, reserved=())
    expected: Counter[Rule] = Counter()
    for one, two in combinations(found, 2):
        if members(one) & members(two):
            expected[Rule.RANGE_OVERLAP] += 1
        elif overlap and any(
            len(a) != len(b) and (a.startswith(b) or b.startswith(a)) for a in members(one) for b in members(two)
        ):
            expected[Rule.RANGE_PREFIX] += 1
    assert Counter(rules(of_plan(plan))) == expected


@given(stretches(), st.integers(0, 1100).map(str))
def test_a_number_is_found_in_its_range_however_many_gaps_it_has(found: Stretch, digits: str) -> None:
    assert a_range(RANGE, found).holds(digits) == (digits in members(found))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12) | st.none(), st.booleans()), max_size=6))
def test_who_held_a_number_while_somebody_did(drawn: list[tuple[int, int | None, bool]]) -> None:
    hour = timedelta(hours=1)
    tenures = [
        replace(
            OPEN,
            id=UUID(int=200 + at),
            role="shared" if shared else "short",
            started_at=NOW + begin * hour,
            ended_at=None if length is None else NOW + (begin + length) * hour,
        )
        for at, (begin, length, shared) in enumerate(sorted(drawn, key=lambda each: each[0]))
    ]
    ended = {
        each.id: {hour_of for hour_of in range(30) if each.started_at <= NOW + hour_of * hour < each.ended_at}
        for each in tenures
        if each.role != "shared" and each.ended_at is not None
    }
    expected = set()
    for at, each in enumerate(tenures):
        begin = (each.started_at - NOW) // hour
        if each.role != "shared" and (each.ended_at is None or ended[each.id]):
            before = [ended[one.id] for one in tenures[:at] if one.id in ended]
            expected |= {each.id} if any(hours and max(hours) >= begin for hours in before) else set()
    found = of_number(PLAN, ASSIGNED, tenures, None, NOW)
    assert {each.other for each in found if each.rule is Rule.ASSIGNMENT_OVERLAP} == {str(each) for each in expected}


@given(
    st.lists(st.sampled_from(["71", "72", "73"]), max_size=4), st.lists(st.sampled_from(["71", "72", "73"]), max_size=4)
)
def test_a_card_and_lines_differ_by_exactly_what_is_told(told: list[str], held: list[str]) -> None:
    card = replace(CARD, short_numbers=tuple(told), extension=None)
    found = list(of_card(card, [Line(SOMEBODY, "short", each) for each in held]))
    mended = Counter(told)
    mended.update(str(each.digits) for each in found if each.rule is Rule.CARD_LACKS)
    mended.subtract(str(each.digits) for each in found if each.rule is Rule.CARD_EXCEEDS)
    assert +mended == Counter(held)
    assert min(mended.values(), default=0) >= 0
