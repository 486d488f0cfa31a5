"""Deadlines as those who answer for them are shown them: HR and auditors all of them, a head those of the departments they head.

Nobody else is told that there are any: a list is refused, and one deadline is not there. Every answer goes through the gate and the log,
which names everybody whose id is in it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Final
from uuid import UUID

import orjson

from app.clocks.errors import PeriodUnfit
from app.clocks.repository import Count, DeadlineRepository, Narrowing
from app.clocks.rules import Deadline, Kind
from app.clocks.schemas import DeadlinePage, DeadlineQuery, DeadlineRead, DeadlineSummary, SummaryQuery
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

OFFICES: Final = frozenset({"hr", "auditor"})
_LIST, _READ, _SUMMARY = "deadline.list", "deadline.read", "deadline.summary"
_DAY: Final = timedelta(days=1)
_LONGEST_DAYS: Final = 1098
_YEAR: Final = 12


class DeadlinePages:
    """Shows deadlines."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: DeadlineRepository,
        people: Acquaintances,
        days: Mapping[Kind, int],
        clock_here: timedelta,
    ) -> None:
        """Take what desks share, the rows, whom viewers may know, the days that are given, and how far the clocks here are ahead."""
        self._rows, self._people, self._days, self._here = rows, people, days, timezone(clock_here)
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._cursors, self._rights = showing.cursors, CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: DeadlineQuery) -> Disclosed[DeadlinePage]:
        """List deadlines. Raises ``NotPermitted``, ``PeriodUnfit``, ``BadCursor`` and ``LogUnavailable``."""
        shape = query.shape()
        seek(_LIST, Purpose.WORK_CONTACT)
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))
        since, until = self._period(query.since, query.until)

        async def attempt(viewer: Viewer) -> Disclosed[DeadlinePage]:
            narrowing = Narrowing(
                departments=_within(viewer, query.department),
                kind=query.kind,
                state=query.state,
                since=since,
                until=until,
                before=before,
            )
            found, ends = await self._rows.page(self._reader, narrowing, limit=query.limit)
            items, people = await self._items(viewer, found)
            look = Look(action=_LIST, purpose=Purpose.WORK_CONTACT, query=shape)
            note = await self._gate.disclose_plain(viewer, look, count=len(items), contacts=people)
            following = None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends))
            return _answer({"items": items, "next": following}, note)

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[DeadlineRead]:
        """Show one. Raises ``NotFound`` alike where there is none and where it is not told, and ``LogUnavailable``."""
        seek(_READ, Purpose.WORK_CONTACT)

        async def attempt(viewer: Viewer) -> Disclosed[DeadlineRead]:
            found = await self._rows.one(self._reader, identity)
            if found is None or not _is_told(viewer, found):
                raise NotFound
            (item,), people = await self._items(viewer, [found])
            look = Look(action=_READ, purpose=Purpose.WORK_CONTACT, query={"deadline": str(identity)})
            return _answer(item, await self._gate.disclose_plain(viewer, look, count=1, contacts=people))

        return await self._rights.of(viewer, attempt)

    async def summary(self, viewer: Viewer, query: SummaryQuery) -> Disclosed[DeadlineSummary]:
        """Count deadlines by the month in which they are due, kind and department. Raises as ``page`` does."""
        seek(_SUMMARY, Purpose.WORK_CONTACT)
        today = self._clock.now().astimezone(self._here).date()
        last = query.until or max(query.since or today, today + _DAY * 31)
        first = query.since or _months_before(last, _YEAR - 1)
        self._period(first, last)

        async def attempt(viewer: Viewer) -> Disclosed[DeadlineSummary]:
            departments, items = _within(viewer, query.department), list[dict[str, Any]]()
            for begins, ends in _months(first, last):
                since, until = self._period(begins, ends)
                narrowing = Narrowing(departments=departments, kind=query.kind, since=since, until=until)
                counts = await self._rows.counts(self._reader, narrowing)
                items += [_counted(viewer, begins, each) for each in _ordered(viewer, counts)]
            look = Look(action=_SUMMARY, purpose=Purpose.WORK_CONTACT, query=query.shape())
            note = await self._gate.disclose_plain(viewer, look, count=len(items))
            days = {kind.value: self._days[kind] for kind in Kind}
            return _answer({"from": first, "to": last, "days": days, "items": items}, note)

        return await self._rights.of(viewer, attempt)

    def _period(self, first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
        """Give the moments at which a period of days here begins and is over. Raises ``PeriodUnfit``."""
        if first is not None and last is not None and not timedelta() <= last - first <= _DAY * _LONGEST_DAYS:
            raise PeriodUnfit
        try:
            since = None if first is None else datetime.combine(first, time(), self._here)
            until = None if last is None else datetime.combine(last + _DAY, time(), self._here)
        except OverflowError:
            raise PeriodUnfit from None
        return since, until

    async def _items(self, viewer: Viewer, found: Sequence[Deadline]) -> tuple[list[dict[str, Any]], list[UUID]]:
        people = sorted({each.contact_id for each in found if each.contact_id is not None})
        known = await self._people.known(viewer, people)
        return [_item(viewer, each, known) for each in found], people


def _answer(body: Mapping[str, Any], note: bytes) -> Disclosed[Any]:
    return Disclosed(orjson.dumps({**body, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z))


def _item(viewer: Viewer, deadline: Deadline, known: Mapping[UUID, dict[str, Any]]) -> dict[str, Any]:
    whom = deadline.contact_id
    times = (
        "began_at days due_at first_due_at predicted recorded_at reminded_at escalated_at breached_at met_at ended_at"
    )
    return {
        "id": deadline.id,
        "kind": deadline.kind.value,
        "state": deadline.state.value,
        "event": {"source": deadline.source, "id": deadline.event_id},
        "contact_id": whom,
        "contact": None if whom is None else known.get(whom),
        "department": _department(viewer, deadline.department_id),
        **{name: getattr(deadline, name) for name in times.split()},
        "cause": None if deadline.cause is None else deadline.cause.value,
    }


def _counted(viewer: Viewer, month: date, count: Count) -> dict[str, Any]:
    numbers = {name: getattr(count, name) for name in ("met", "late", "open", "overdue", "withdrawn")}
    department = _department(viewer, count.department_id)
    return {"month": f"{month:%Y-%m}", "kind": count.kind.value, "department": department, **numbers}


def _ordered(viewer: Viewer, counts: Sequence[Count]) -> list[Count]:
    def place(count: Count) -> tuple[str, str]:
        node = None if count.department_id is None else viewer.tree.nodes.get(count.department_id)
        return count.kind.value, "" if node is None else node.code

    return sorted(counts, key=place)


def _department(viewer: Viewer, identity: UUID | None) -> object:
    view = None if identity is None else viewer.tree.views.get(identity)
    return None if view is None else orjson.Fragment(view)


def _told_departments(viewer: Viewer) -> frozenset[UUID] | None:
    """Give the departments of whose deadlines a viewer is told: ``None`` of all, and of nobody's."""
    standing = viewer.standing
    if standing.kind == "person" and not standing.roles.isdisjoint(OFFICES):
        return None
    return standing.headed if standing.kind == "person" else frozenset()


def _is_told(viewer: Viewer, deadline: Deadline) -> bool:
    told = _told_departments(viewer)
    return told is None or deadline.department_id in told


def _within(viewer: Viewer, named: str | None) -> frozenset[UUID] | None:
    """Give the departments to look into. Raises ``NotPermitted`` for who is told of none."""
    told = _told_departments(viewer)
    if told is not None and not told:
        raise NotPermitted
    if named is None:
        return told
    node = viewer.tree.find(named)
    wanted = frozenset[UUID]() if node is None else viewer.tree.subtree(node.id)
    return wanted if told is None else wanted & told


def _months(first: date, last: date) -> list[tuple[date, date]]:
    """Cut a period at the ends of months."""
    found, begins = [], first
    while begins <= last:
        following = (begins.replace(day=1) + _DAY * 31).replace(day=1)
        found.append((begins, min(last, following - _DAY)))
        begins = following
    return found


def _months_before(day: date, months: int) -> date:
    """Give the first day of the month that many months before that of ``day``."""
    at = day.year * _YEAR + day.month - 1 - months
    return date(at // _YEAR, at % _YEAR + 1, 1)
