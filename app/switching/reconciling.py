"""Drift between the directory and an exchange, both ways, as lines of JSON; nothing is changed by asking.

The dump is read whole, since its order is its writer's; the directory's side comes in windows of digits, each laid beside the lines of that
window. A page of differences names who holds what, so each is on record before it leaves, and the last line, without which the answer is
not whole, says what was compared. The rights of the caller hold all the way: where they change in between, the answer ends.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from app.disclosure.looks import Look
from app.disclosure.rights import seek
from app.disclosure.showing import Showing
from app.disclosure.stream import LINES, DisclosedStream
from app.exchanges import asterisk, freeswitch, sheets
from app.exchanges.line import Plan
from app.numbers.pool_repository import Domain
from app.numbers.pools import refuse_others
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer
from app.switching.drift import Difference, Drift, beside, dump, twice
from app.switching.lines import OurLine
from app.switching.live import WINDOW, LivePlan
from app.switching.reconcile_schemas import DriftText, DumpFormat, ReconciliationQuery

PAGE: Final = 200
_ACTION: Final = "number.reconcile"
_READERS: Final[Mapping[DumpFormat, Callable[[bytes], Plan]]] = {
    DumpFormat.ASTERISK: asterisk.read,
    DumpFormat.FREESWITCH: freeswitch.read,
    DumpFormat.SHEET: sheets.read,
}


class DriftStream(DisclosedStream[DriftText]):
    """One difference a line."""


@dataclass(slots=True)
class _Count:
    """What was compared so far."""

    lines: int = 0
    numbers: int = 0
    withheld: int = 0
    drift: Counter[Drift] = field(default_factory=Counter)


class Reconciliations:
    """Compares, for a caller who keeps the plan."""

    def __init__(self, showing: Showing, *, live: LivePlan) -> None:
        """Take what desks share, and the live plan."""
        self._gate, self._standings, self._live = showing.gate, showing.standings, live
        self._turn = asyncio.Lock()

    async def compare(self, viewer: Viewer, asked: ReconciliationQuery, content: bytes) -> DriftStream:
        """Begin; the first page is on record when this returns.

        Raises ``NotPermitted`` for who does not keep the plan, ``Invalid`` for a domain that there is not, and ``LogUnavailable``.
        """
        seek(_ACTION, Purpose.WORK_CONTACT)
        viewer = await self._standings.of(viewer.subject, fresh=True)
        refuse_others(viewer)
        domain = await self._live.domain(asked.domain)
        async with self._turn:
            plan = await asyncio.to_thread(_READERS[asked.format], content)
        pages = self._pages(viewer, domain, asked, plan)
        return DriftStream(await anext(pages), pages, media_type=LINES, filename="number-drift.ndjson")

    async def _pages(
        self, viewer: Viewer, domain: Domain, asked: ReconciliationQuery, plan: Plan
    ) -> AsyncGenerator[bytes]:
        count, page = _Count(), list[Difference]()
        async with aclosing(self._differences(viewer, domain, plan, count)) as found:
            async for each in found:
                count.drift[each.kind] += 1
                page.append(each)
                if len(page) == PAGE:
                    yield await self._recorded(viewer, asked, page, b"".join(map(_written, page)))
                    page = []
        summary = {
            "domain": domain.code,
            "lines": count.lines,
            "numbers": count.numbers,
            "withheld": count.withheld,
            "drift": {kind.value: count.drift[kind] for kind in Drift if count.drift[kind]},
        }
        body = b"".join(map(_written, page)) + orjson.dumps({"summary": summary}) + b"\n"
        yield await self._recorded(viewer, asked, page, body)

    async def _differences(
        self, viewer: Viewer, domain: Domain, plan: Plan, count: _Count
    ) -> AsyncGenerator[Difference]:
        for fault in plan.problems:
            told = ":".join(each for each in (fault.code.value, fault.column) if each)
            yield Difference(kind=Drift.UNREADABLE, digits="", exchange=told, source_line=fault.line)
        theirs = dump(plan.lines)
        count.lines = len(theirs.lines)
        for each in twice(theirs.odd):
            yield each
        digits, after, at, more = [each.digits for each in theirs.lines], "", 0, True
        while more:
            ours = await self._live.window(viewer, domain, after=after)
            more = bool(ours)
            after = ours[-1].digits if more else after
            end = bisect_right(digits, after, at) if more else len(digits)
            count.numbers += len(ours)
            count.withheld += sum(each.withheld for each in ours)
            lines, held = theirs.lines[at:end], {each.digits for each in ours}
            strays = [each.digits for each in lines if each.digits not in held]
            standing: dict[str, OurLine] = {}
            for place in range(0, len(strays), WINDOW):
                standing |= await self._live.standing(domain, strays[place : place + WINDOW])
            for found in beside(ours, lines, standing):
                yield found
            at = end

    async def _recorded(
        self, viewer: Viewer, asked: ReconciliationQuery, page: Sequence[Difference], body: bytes
    ) -> bytes:
        """Put a page on record; where rights have moved since it was made the log refuses it, and the answer ends."""
        about = sorted({each.contact for each in page if each.contact is not None})
        query = {"format": asked.format.value, "domain": asked.domain, "differences": str(len(page))}
        look = Look(action=_ACTION, purpose=Purpose.WORK_CONTACT, query=query)
        await self._gate.disclose_plain(viewer, look, count=len(page), contacts=about)
        return body


def _written(each: Difference) -> bytes:
    told: dict[str, Any] = {
        "kind": each.kind.value,
        "digits": each.digits or None,
        "pool": each.pool,
        "state": None if each.state is None else each.state.value,
        "directory": each.directory,
        "exchange": each.exchange,
        "line": each.source_line,
        "contact": each.contact,
    }
    return orjson.dumps({"difference": told}) + b"\n"
