"""What is always true of the number plan, each rule by its name, and what a store says that is not. Pure.

Everybody who writes numbers keeps these rules by constraint, lock or transaction; the check is for what went past them: a restored table,
a hand in SQL, a fault of ours. Nothing here needs more of the store at a time than one number with its history, or one card with what its
contact holds, so a plan of a million numbers is checked in the memory of a page.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from app.numbers.conflicts import Severity, meeting, prefix_severity
from app.numbers.facts import CardFact, GrantedFact, HoldFact, Line, NumberFact, PlanFacts, RangeFact, Tenure
from app.numbers.nice import OPEN_FROM, VERSION, Level, looks
from app.numbers.rules import ENDING, State, reserved_in, standing
from app.numbers.terms import MUST_END

_SHARED: Final = "shared"
_EXTENSION: Final = "extension"
_BY_DATE_ALONE: Final = frozenset({State.PLANNED, State.HELD, State.QUARANTINED})
"""States that only a date ends; what is reserved or blocked can wait for somebody."""
_HELD: Final = frozenset({State.ASSIGNED, State.PROVISIONING})
_IN_OFFICE: Final = frozenset({"prehire", "active", "frozen", "leaving"})


class Rule(StrEnum):
    """What is always true, by what it is called when it is not."""

    RANGE_DOMAIN = "range_domain"
    RANGE_SIZE = "range_size"
    RANGE_ROWS = "range_rows"
    RANGE_OVERLAP = "range_overlap"
    RANGE_PREFIX = "range_prefix"
    RANGE_RESERVED = "range_reserved"
    RANGE_OUTSIDE_DOMAIN = "range_outside_domain"
    NUMBER_RANGE = "number_range"
    HOLDER_MISSING = "holder_missing"
    HOLDER_UNEXPECTED = "holder_unexpected"
    HOLDER_TWICE = "holder_twice"
    DATE_MISSING = "date_missing"
    DATE_UNEXPECTED = "date_unexpected"
    HOLD_CONTRADICTS = "hold_contradicts"
    PLACE = "place"
    LOOKS = "looks"
    ASSIGNMENT_POOL = "assignment_pool"
    ASSIGNMENT_REVERSED = "assignment_reversed"
    ASSIGNMENT_OVERLAP = "assignment_overlap"
    END_MISSING = "end_missing"
    END_UNWATCHED = "end_unwatched"
    HOLDER_GONE = "holder_gone"
    HOLDER_UNKNOWN = "holder_unknown"
    CARD_LACKS = "card_lacks"
    CARD_EXCEEDS = "card_exceeds"
    PRIVILEGE_UNSIGNED = "privilege_unsigned"
    PRIVILEGE_LINE = "privilege_line"
    PRIVILEGE_GONE = "privilege_gone"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in both languages."""

    en: str
    zh: str


RULES: Final[Mapping[Rule, Words]] = MappingProxyType(
    {
        Rule.RANGE_DOMAIN: Words("a range is of its pool's domain", "号段与其号池属同一编号域"),
        Rule.RANGE_SIZE: Words("a range counts its numbers right", "号段容量与其起止、步长、排除项一致"),
        Rule.RANGE_ROWS: Words("a range has as many rows as it says it made", "号段已生成数量与号码行数一致"),
        Rule.RANGE_OVERLAP: Words("no two ranges of a domain have a number in common", "同一编号域内号段互不重叠"),
        Rule.RANGE_PREFIX: Words(
            "where sets dial digit by digit no number begins another", "逐位拨号域内号码互不为前缀"
        ),
        Rule.RANGE_RESERVED: Words(
            "no range runs into reserved digits or an access code", "号段不与保留号码或接入码冲突"
        ),
        Rule.RANGE_OUTSIDE_DOMAIN: Words(
            "a range has the lengths and first digits of its domain", "号段位数与首位符合编号域"
        ),
        Rule.NUMBER_RANGE: Words(
            "a number lies in its range, and in the pool and domain of it", "号码在其号段内，号池与编号域一致"
        ),
        Rule.HOLDER_MISSING: Words("an assigned number has a holder", "已分配号码有持有人"),
        Rule.HOLDER_UNEXPECTED: Words("only an assigned number has a holder", "只有已分配号码有持有人"),
        Rule.HOLDER_TWICE: Words("one open assignment per number unless shared", "非共享号码只有一个有效分配"),
        Rule.DATE_MISSING: Words("a held or resting number has a date at which it is free", "占用或冷冻的号码有到期日"),
        Rule.DATE_UNEXPECTED: Words("a state that does not end has no date", "不会到期的状态没有日期"),
        Rule.HOLD_CONTRADICTS: Words("a held number is held by a hold that says so", "占用号码与其占用记录一致"),
        Rule.PLACE: Words("a number stands below zero if and only if its pool keeps it", "靓号保留与排序位置一致"),
        Rule.LOOKS: Words("the level of a number is that of its digits", "号码靓号等级与号码一致"),
        Rule.ASSIGNMENT_POOL: Words("an assignment is of its number's pool", "分配记录与号码属同一号池"),
        Rule.ASSIGNMENT_REVERSED: Words("no assignment ends before it began", "分配的结束不早于开始"),
        Rule.ASSIGNMENT_OVERLAP: Words("nobody held a number while somebody else did", "历史分配互不重叠"),
        Rule.END_MISSING: Words("a temporary number has an end", "临时号码有到期日"),
        Rule.END_UNWATCHED: Words("an end is on the list of what the worker looks at", "到期的分配在待办之列"),
        Rule.HOLDER_GONE: Words("nobody who is gone holds a number", "已离开者不持有号码"),
        Rule.HOLDER_UNKNOWN: Words("a holder is there", "持有人存在"),
        Rule.CARD_LACKS: Words("a card tells every number that its contact holds", "名片列出持有的全部号码"),
        Rule.CARD_EXCEEDS: Words("a card tells no number that its contact does not hold", "名片不列出未持有的号码"),
        Rule.PRIVILEGE_UNSIGNED: Words("a calling privilege is as it was signed", "呼叫权限记录未被改动"),
        Rule.PRIVILEGE_LINE: Words(
            "a calling privilege names its line's number and holder", "呼叫权限与线路及持有人一致"
        ),
        Rule.PRIVILEGE_GONE: Words("nobody who is gone has a calling privilege in force", "已离开者没有有效呼叫权限"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it always is; ``other`` is what it is held against: digits, a date or a word of the plan."""

    rule: Rule
    domain: str | None = None
    pool: str | None = None
    digits: str | None = None
    contact: UUID | None = None
    other: str | None = None


def of_plan(plan: PlanFacts) -> Iterator[Finding]:
    """Hold ranges against their pools and domains, the reserved table and each other."""
    by_domain: dict[UUID, list[RangeFact]] = {}
    for each in plan.ranges.values():
        yield from _of_range(plan, each)
        by_domain.setdefault(each.domain_id, []).append(each)
    for domain_id, ranges in by_domain.items():
        strict = prefix_severity(plan.domains[domain_id].dialling) is Severity.ERROR
        ordered = sorted(ranges, key=lambda each: (each.stretch.width, each.stretch.first, each.id))
        for place, one in enumerate(ordered):
            for two in ordered[place + 1 :]:
                same = one.stretch.width == two.stretch.width
                met = meeting(one.stretch, two.stretch) if same or strict else None
                if met is not None:
                    rule = Rule.RANGE_OVERLAP if same else Rule.RANGE_PREFIX
                    yield _at_range(plan, one, rule, digits=met[0], other=met[1])


def _of_range(plan: PlanFacts, each: RangeFact) -> Iterator[Finding]:
    domain, pool = plan.domains[each.domain_id], plan.pools[each.pool_id]
    first = each.stretch.first
    if pool.domain_id != each.domain_id:
        yield _at_range(plan, each, Rule.RANGE_DOMAIN, digits=first, other=plan.domains[pool.domain_id].code)
    if each.size != each.stretch.size:
        yield _at_range(plan, each, Rule.RANGE_SIZE, digits=first, other=str(each.size))
    for other, digits in reserved_in(each.stretch, (*plan.reserved, *domain.profile.dialled_codes)).items():
        yield _at_range(plan, each, Rule.RANGE_RESERVED, digits=digits, other=other)
    strange = domain.profile.outside(each.stretch)
    if strange is not None:
        yield _at_range(plan, each, Rule.RANGE_OUTSIDE_DOMAIN, digits=strange)


def of_rows(plan: PlanFacts, rows: Mapping[UUID, int]) -> Iterator[Finding]:
    """Hold what ranges say they have made against the ``rows`` that were counted of each."""
    for identity, each in plan.ranges.items():
        if rows.get(identity, 0) != each.made:
            told = f"{rows.get(identity, 0)} ≠ {each.made}"
            yield _at_range(plan, each, Rule.RANGE_ROWS, digits=each.stretch.first, other=told)


def _at_range(plan: PlanFacts, each: RangeFact, rule: Rule, *, digits: str, other: str | None = None) -> Finding:
    return Finding(
        rule=rule,
        domain=plan.domains[each.domain_id].code,
        pool=plan.pools[each.pool_id].code,
        digits=digits,
        other=other,
    )


def of_number(
    plan: PlanFacts, number: NumberFact, tenures: Sequence[Tenure], hold: HoldFact | None, now: datetime
) -> Iterator[Finding]:
    """Hold one number against its range, its holders now and before (``tenures``, oldest first), and the hold that it names."""

    def at(rule: Rule, other: str | None = None) -> Finding:
        domain, pool = plan.domains[number.domain_id].code, plan.pools[number.pool_id].code
        return Finding(rule=rule, domain=domain, pool=pool, digits=number.digits, other=other)

    within = plan.ranges[number.range_id]
    belongs = (within.pool_id, within.domain_id) == (number.pool_id, number.domain_id)
    if not belongs or not within.holds(number.digits):
        yield at(Rule.NUMBER_RANGE, f"{within.stretch.first}-{within.stretch.last}")
    yield from (at(rule, other) for rule, other in _of_state(number, hold, now))
    level = looks(number.digits).level
    kept = plan.pools[number.pool_id].keeps_nice and level >= Level.NICE
    if (number.sort_key < OPEN_FROM) != kept:
        yield at(Rule.PLACE, str(number.sort_key))
    if number.nice_version == VERSION and number.nice != int(level):
        yield at(Rule.LOOKS, str(number.nice))
    yield from (at(rule, other) for rule, other in _of_tenures(plan, number, tenures))


def _of_state(number: NumberFact, hold: HoldFact | None, now: datetime) -> Iterator[tuple[Rule, str]]:
    state, until = number.state, number.available_from
    if until is None and state in _BY_DATE_ALONE:
        yield Rule.DATE_MISSING, state.value
    if until is not None and state not in ENDING:
        yield Rule.DATE_UNEXPECTED, f"{state.value} {until.isoformat()}"
    names_hold = state is State.HELD or (state is State.RESERVED and number.hold_id is not None)
    if names_hold and standing(state, until, now) is state:
        told = _hold_fault(number, hold)
        if told is not None:
            yield Rule.HOLD_CONTRADICTS, told


def _hold_fault(number: NumberFact, hold: HoldFact | None) -> str | None:
    if hold is None:
        return "none"
    if hold.ended:
        return "ended"
    if number.id not in hold.numbers or hold.pool_id != number.pool_id:
        return "of other numbers"
    if hold.state is not number.state:
        return hold.state.value
    return None if hold.expires_at == number.available_from else hold.expires_at.isoformat()


def _of_tenures(plan: PlanFacts, number: NumberFact, tenures: Sequence[Tenure]) -> Iterator[tuple[Rule, str]]:
    held = [each for each in tenures if each.ended_at is None]
    if number.state in _HELD and not held:
        yield Rule.HOLDER_MISSING, number.state.value
    if number.state not in _HELD and held:
        yield Rule.HOLDER_UNEXPECTED, number.state.value
    if len(held) > 1 and any(each.role != _SHARED for each in held):
        yield Rule.HOLDER_TWICE, str(len(held))
    must_end = plan.pools[number.pool_id].pool_class in MUST_END
    yield from ((Rule.END_MISSING, str(each.id)) for each in held if must_end and each.until is None)
    yield from ((Rule.END_UNWATCHED, str(each.id)) for each in held if each.until and each.due_at is None)
    yield from _of_history(number, tenures)


def _of_history(number: NumberFact, tenures: Sequence[Tenure]) -> Iterator[tuple[Rule, str]]:
    for each in tenures:
        if each.pool_id != number.pool_id:
            yield Rule.ASSIGNMENT_POOL, str(each.id)
        if each.ended_at is not None and each.ended_at < each.started_at:
            yield Rule.ASSIGNMENT_REVERSED, str(each.id)
    latest: datetime | None = None
    alone = (each for each in tenures if each.role != _SHARED)
    for each in (each for each in alone if each.ended_at is None or each.ended_at > each.started_at):
        if latest is not None and each.started_at < latest:
            yield Rule.ASSIGNMENT_OVERLAP, str(each.id)
        if each.ended_at is not None:
            latest = max(latest or each.ended_at, each.ended_at)


def of_card(card: CardFact, lines: Iterable[Line]) -> Iterator[Finding]:
    """Hold a card against what its contact holds."""
    held = list(lines)
    own, other = [each.digits for each in held if each.role == _EXTENSION], _short(held)
    if held and card.status not in _IN_OFFICE:
        for each in held:
            yield Finding(rule=Rule.HOLDER_GONE, digits=each.digits, contact=card.id, other=card.status)
    told = [] if card.extension is None else [card.extension]
    lacks = [*(other - Counter(card.short_numbers)).elements(), *(own if own and card.extension not in own else [])]
    exceeds = [*(Counter(card.short_numbers) - other).elements(), *(each for each in told if each not in own)]
    for digits in sorted(lacks):
        yield Finding(rule=Rule.CARD_LACKS, digits=digits, contact=card.id)
    for digits in sorted(exceeds):
        yield Finding(rule=Rule.CARD_EXCEEDS, digits=digits, contact=card.id)


def _short(held: Iterable[Line]) -> Counter[str]:
    return Counter(each.digits for each in held if each.role != _EXTENSION)


def of_strangers(lines: Iterable[Line], there: Container[UUID]) -> Iterator[Finding]:
    """Tell of open assignments whose holder is not ``there``."""
    for each in lines:
        if each.holder_id not in there:
            yield Finding(rule=Rule.HOLDER_UNKNOWN, digits=each.digits, other=str(each.holder_id))


def of_privilege(granted: GrantedFact, status: str | None) -> Iterator[Finding]:
    """Hold a calling privilege against its line and its holder, of whom ``status`` tells; ``None`` where nobody is there.

    What hangs on a line that has ended is not in force, whatever its own row says, and so nothing is wrong with it.
    """

    def at(rule: Rule, other: str | None = None) -> Finding:
        return Finding(rule=rule, domain=granted.domain, digits=granted.digits, contact=granted.contact_id, other=other)

    if not granted.signed:
        yield at(Rule.PRIVILEGE_UNSIGNED)
    told = (granted.domain, granted.digits, granted.contact_id)
    if told != (granted.line_domain, granted.line_digits, granted.line_holder):
        yield at(Rule.PRIVILEGE_LINE, f"{granted.line_domain} {granted.line_digits}")
    if granted.in_force and granted.line_open and status not in _IN_OFFICE:
        yield at(Rule.PRIVILEGE_GONE, status)
