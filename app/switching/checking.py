"""The check of the number plan: every rule of ``app.numbers.invariants`` over every row, as of one moment, in the memory of a page.

It is made by the service and not by a command beside it, because only the service may open the store, and what it finds names who holds
what: it goes through the gate and stands in the log. Findings are counted without end and told up to a number of each rule, so that one
kind of damage hides no other.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.calling.repository import PrivilegeRepository
from app.calling.rules import Privilege
from app.contacts.told_numbers import ToldNumbers, statuses, told_numbers
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.db import Database, Reader
from app.kit.snapshot import snapshot
from app.numbers.fact_repository import FactRepository
from app.numbers.facts import CardFact, GrantedFact, Line
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
from app.numbers.pools import refuse_others
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer
from app.switching.check_schemas import CheckCreate, CheckView

_PAGE: Final = 1000
_FIRST: Final = UUID(int=0)
_LAST: Final = UUID(int=(1 << 128) - 1)
_ACTION: Final = "number.check"


@dataclass(slots=True)
class Tally:
    """What was looked at and what was found; of each rule the first ``most`` findings."""

    most: int
    rows: Counter[str] = field(default_factory=Counter)
    broken: Counter[Rule] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, found: Iterable[Finding]) -> None:
        """Count findings, and keep those that are told."""
        for each in found:
            self.broken[each.rule] += 1
            if self.broken[each.rule] <= self.most:
                self.findings.append(each)


@dataclass(frozen=True, slots=True)
class Examination:
    """Goes through a store from end to end."""

    facts: FactRepository
    privileges: PrivilegeRepository
    page: int = _PAGE

    async def run(self, source: Reader, tally: Tally, now: datetime) -> None:
        """Check everything that ``source`` shows."""
        await self._numbers(source, tally, now)
        await self._cards(source, tally)
        await self._granted(source, tally, now)

    async def _numbers(self, source: Reader, tally: Tally, now: datetime) -> None:
        plan, made, after = await self.facts.plan(source), Counter[UUID](), 0
        tally.rows.update(domains=len(plan.domains), pools=len(plan.pools), ranges=len(plan.ranges))
        tally.add(of_plan(plan))
        while rows := await self.facts.numbers(source, after=after, limit=self.page):
            tenures = await self.facts.tenures(source, after=after, last=rows[-1].id)
            holds = await self.facts.holds(source, {each.hold_id for each in rows if each.hold_id is not None})
            for each in rows:
                hold = None if each.hold_id is None else holds.get(each.hold_id)
                tally.add(of_number(plan, each, tenures.get(each.id, ()), hold, now))
            made.update(each.range_id for each in rows)
            tally.rows.update(numbers=len(rows), assignments=sum(map(len, tenures.values())))
            after = rows[-1].id
        tally.add(of_rows(plan, made))

    async def _cards(self, source: Reader, tally: Tally) -> None:
        after, more = _FIRST, True
        while more:
            cards = await told_numbers(source, after=after, limit=self.page)
            more = len(cards) == self.page
            last = cards[-1].id if more else _LAST
            held: dict[UUID, list[Line]] = {}
            for line in await self.facts.lines(source, after=after, last=last):
                held.setdefault(line.holder_id, []).append(line)
            for each in cards:
                tally.add(of_card(_card(each), held.pop(each.id, ())))
            for lines in held.values():
                tally.add(of_strangers(lines, ()))
            tally.rows.update(cards=len(cards))
            after = last
        tally.add(of_strangers(await self.facts.abandoned(source), ()))

    async def _granted(self, source: Reader, tally: Tally, now: datetime) -> None:
        after = _FIRST
        while True:
            found, still = await self.privileges.examined(source, after=after, limit=self.page)
            if not found:
                return
            standing = await statuses(source, sorted({each.contact_id for each, _ in found}))
            lines = await self.facts.of_assignments(source, sorted({each.assignment_id for each, _ in found}))
            for each, signed in found:
                fact = _granted(each, lines[each.assignment_id], now, signed=signed, still=each.assignment_id in still)
                tally.add(of_privilege(fact, standing.get(each.contact_id)))
            tally.rows.update(privileges=len(found))
            after = found[-1][0].id


class NumberChecks:
    """Checks the plan for a caller who keeps it."""

    def __init__(
        self, showing: Showing, *, database: Database, examination: Examination, people: Acquaintances
    ) -> None:
        """Take what desks share, the store, what goes through it, and whom viewers may know."""
        self._gate, self._clock, self._rights = showing.gate, showing.clock, CurrentRights(showing.standings)
        self._database, self._examination, self._people = database, examination, people
        self._turn = asyncio.Lock()

    async def check(self, viewer: Viewer, body: CheckCreate) -> Disclosed[CheckView]:
        """Check every rule; checks that are asked for at once are made one after the other.

        Raises ``NotPermitted`` for who does not keep the plan, ``Unavailable`` and ``LogUnavailable``.
        """
        seek(_ACTION, Purpose.WORK_CONTACT)
        refuse_others(viewer)
        tally = Tally(body.findings)
        async with self._turn, snapshot(self._database) as source:
            await self._examination.run(source, tally, self._clock.now())

        async def attempt(viewer: Viewer) -> Disclosed[CheckView]:
            refuse_others(viewer)
            known = await self._people.cards(viewer, [each.contact for each in tally.findings if each.contact])
            query = {"findings": str(tally.broken.total()), "numbers": str(tally.rows["numbers"])}
            look = Look(action=_ACTION, purpose=Purpose.WORK_CONTACT, query=query)
            count = len(tally.findings)
            note = await self._gate.disclose_plain(viewer, look, count=count, contacts=sorted(known))
            told = {**_told(tally, frozenset(known)), "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(told))

        return await self._rights.of(viewer, attempt)


def _told(tally: Tally, known: frozenset[UUID]) -> dict[str, Any]:
    names = ("domains", "pools", "ranges", "numbers", "assignments", "cards", "privileges")
    return {
        "sound": not tally.broken,
        "rules": len(RULES),
        "checked": {name: tally.rows[name] for name in names},
        "broken": [
            {"rule": rule.value, "count": tally.broken[rule], "en": words.en, "zh": words.zh}
            for rule, words in RULES.items()
            if tally.broken[rule]
        ],
        "findings": [
            {
                "rule": each.rule.value,
                "domain": each.domain,
                "pool": each.pool,
                "digits": each.digits,
                "contact": each.contact if each.contact in known else None,
                "other": each.other,
            }
            for each in tally.findings
        ],
    }


def _card(told: ToldNumbers) -> CardFact:
    return CardFact(id=told.id, status=told.status, short_numbers=told.short_numbers, extension=told.extension)


def _granted(each: Privilege, line: tuple[UUID, str, str], now: datetime, *, signed: bool, still: bool) -> GrantedFact:
    holder, domain, digits = line
    return GrantedFact(
        domain=each.domain,
        digits=each.digits,
        contact_id=each.contact_id,
        in_force=each.ended_at is None and each.until > now,
        signed=signed,
        line_digits=digits,
        line_domain=domain,
        line_holder=holder,
        line_open=still,
    )
