"""Trying a list of numbers against the plan: what stands in the way of each, all at once, with nothing held and nothing changed.

A few statements whatever the length of the list. What a number runs into is shown as a look at that number shows it: who holds it only to
whoever may know of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.disclosure.gate import Gate
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.numbers.checking_schemas import ValidationCreate, ValidationView
from app.numbers.conflicts import (
    SHORTEST,
    InList,
    NumberVerdict,
    Severity,
    is_number,
    prefix_severity,
    reserved_for,
    within_list,
)
from app.numbers.errors import UnknownDomain
from app.numbers.looking import Looks
from app.numbers.plan_repository import PlanRepository, ReservedNumber
from app.numbers.pool_repository import Domain, Pool, PoolRepository
from app.numbers.reading import NumberReader
from app.numbers.repository import NumberRow
from app.numbers.rules import State, standing
from app.numbers.views import reserved_view
from app.permissions.standing import Standings, Viewer

_FIRST_DOMAIN: Final = "main"
_TAKEN: Final = frozenset({State.ASSIGNED, State.HELD, State.PROVISIONING, State.BLOCKED, State.PLANNED})


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the list is held against."""

    domain: Domain
    pool: Pool | None
    reserved: Mapping[str, ReservedNumber]
    rows: Mapping[str, NumberRow]
    longer: Mapping[str, str]


class NumberValidator(Looks):
    """Tries lists."""

    def __init__(
        self,
        *,
        pools: PoolRepository,
        plan: PlanRepository,
        numbers: NumberReader,
        gate: Gate,
        standings: Standings,
        reader: Reader,
        clock: Clock,
    ) -> None:
        """Take the rows, how numbers are shown, the gate, who viewers are, where to read, and the clock."""
        super().__init__(pools=pools, gate=gate, standings=standings, reader=reader)
        self._plan, self._numbers, self._clock = plan, numbers, clock

    async def validate(self, viewer: Viewer, body: ValidationCreate) -> Disclosed[ValidationView]:
        """Tell every verdict on every number of a list. Raises ``NotFound`` for a pool that is not there, and ``UnknownDomain``."""

        async def attempt(viewer: Viewer) -> Disclosed[ValidationView]:
            plan = await self._loaded(body)
            now, inside = self._clock.now(), within_list(body.numbers)
            severity = prefix_severity(plan.domain.dialling)
            found = [_findings(text, plan, inside[place], severity, now) for place, text in enumerate(body.numbers)]
            rows = {each["digits"]: plan.rows[each["digits"]] for each in _about(found) if each["digits"] in plan.rows}
            items, known = await self._numbers.shown(viewer, list(rows.values()))
            shown = dict(zip(rows, items, strict=True))
            results = [_result(place, text, found[place], shown) for place, text in enumerate(body.numbers)]
            answer = {"domain": plan.domain.code, "results": results}
            query = {"domain": plan.domain.code, "count": str(len(body.numbers))}
            noted = await self._noted(viewer, "number.validate", answer, count=len(rows), contacts=known, query=query)
            return Disclosed(noted)

        return await self._with_current_rights("number.validate", viewer, attempt)

    async def _loaded(self, body: ValidationCreate) -> _Plan:
        pool = None if body.pool is None else await self._pool(body.pool)
        named = body.domain or (pool.domain if pool else _FIRST_DOMAIN)
        domain = await self._pools.domain(self._reader, named)
        if domain is None or (pool is not None and pool.domain_id != domain.id):
            raise UnknownDomain
        numbers = sorted({each for each in body.numbers if is_number(each)})
        longer = await self._plan.beginning(self._reader, domain.id, numbers)
        beginnings = {each[:size] for each in numbers for size in range(SHORTEST, len(each) + 1)}
        rows = await self._plan.live(self._reader, domain.id, sorted(beginnings | set(longer.values())))
        reserved = {each.digits: each for each in await self._plan.reserved(self._reader)}
        return _Plan(domain, pool, reserved, {row.digits: row for row in rows}, longer)


def _findings(
    text: str, plan: _Plan, inside: Sequence[InList], severity: Severity, now: datetime
) -> list[dict[str, Any]]:
    if not is_number(text):
        return [_finding(NumberVerdict.INVALID, Severity.ERROR)]
    found = [
        _finding(
            each.verdict,
            Severity.ERROR if each.verdict is NumberVerdict.DUPLICATE_IN_LIST else severity,
            place=each.place,
        )
        for each in inside
    ]
    found += [
        _finding(NumberVerdict.RESERVED, Severity.ERROR, reserved=reserved_view(plan.reserved[each]))
        for each in reserved_for(text, plan.reserved)
    ]
    found += [
        _finding(NumberVerdict.RESERVED, Severity.ERROR, access_code=each)
        for each in reserved_for(text, plan.domain.profile.dialled_codes)
    ]
    row = plan.rows.get(text)
    found += _standing_of(text, row, plan, now)
    if text in plan.longer:
        found.append(_finding(NumberVerdict.PREFIX_OF, severity, digits=plan.longer[text]))
    shorter = next((text[:size] for size in range(SHORTEST, len(text)) if text[:size] in plan.rows), None)
    if shorter is not None:
        found.append(_finding(NumberVerdict.EXTENDS, severity, digits=shorter))
    return found


def _standing_of(text: str, row: NumberRow | None, plan: _Plan, now: datetime) -> list[dict[str, Any]]:
    """Tell what stands in the way of giving the number itself out."""
    if row is None or (plan.pool is not None and row.pool_id != plan.pool.id):
        return [_finding(NumberVerdict.OUT_OF_RANGE, Severity.ERROR, digits=None if row is None else text)]
    state = standing(row.state, row.available_from, now)
    if state is State.QUARANTINED:
        return [_finding(NumberVerdict.QUARANTINED, Severity.ERROR, digits=text, until=row.available_from)]
    if state is State.RESERVED:
        return [_finding(NumberVerdict.RESERVED, Severity.ERROR, digits=text)]
    return [_finding(NumberVerdict.DUPLICATE, Severity.ERROR, digits=text)] if state in _TAKEN else []


def _finding(verdict: NumberVerdict, severity: Severity, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a finding
    given = {name: value for name, value in members.items() if value is not None}
    return {"verdict": verdict.value, "severity": severity.value, **given}


def _about(found: Sequence[Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    return [each for findings in found for each in findings if "digits" in each]


def _result(
    place: int, text: str, found: Sequence[Mapping[str, Any]], shown: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    stands = any(each["severity"] == Severity.ERROR for each in found)
    verdicts = dict.fromkeys([*([] if stands else [NumberVerdict.VALID.value]), *(each["verdict"] for each in found)])
    findings = [
        {
            "verdict": each["verdict"],
            "severity": each["severity"],
            "place": each.get("place"),
            "until": each.get("until"),
            "reserved": each.get("reserved"),
            "access_code": each.get("access_code"),
            "number": shown.get(each.get("digits", "")),
        }
        for each in found
    ]
    return {"place": place, "number": text, "verdicts": list(verdicts), "findings": findings}
