"""Numbers as a caller is shown them. Every answer is a look, on record before it leaves.

The plan itself is nobody's secret; who holds a number is C1 of that person. A holder is named only where the reader may know of them, by
the verdict that the person's card would get; one whom the reader may not know and one who is no more look alike. What is not there is
never said before the reader's rights were read afresh.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, Protocol
from uuid import UUID

from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.pagination import Cursors
from app.numbers.looking import PURPOSE, Looks
from app.numbers.lookup import Narrowing, NumberLookup
from app.numbers.naming import NumberNames
from app.numbers.pool_repository import PoolRepository
from app.numbers.repository import Assignment, NumberRepository, NumberRow
from app.numbers.rules import ENDING, NUMBER_KEEPERS, PEOPLE, standing
from app.numbers.schemas import NumberHistoryPage, NumberHistoryQuery, NumberPage, NumbersQuery, NumberView
from app.numbers.service import one_number
from app.permissions.standing import Standings, Viewer

_NOBODY: Final = UUID(int=0)
_WITHHELD: Final = "withheld"


class ClosedContacts(Protocol):
    """Where the contacts who hold numbers are found, closed."""

    async def by_id(self, identity: UUID, tree: Tree) -> Record | None:
        """Load one; calls made together become one statement."""
        ...


class NumberReader(Looks):
    """Shows numbers to a viewer."""

    def __init__(
        self,
        *,
        plan: PoolRepository,
        numbers: NumberRepository,
        lookup: NumberLookup,
        contacts: ClosedContacts,
        gate: Gate,
        standings: Standings,
        cursors: Cursors,
        names: NumberNames,
        reader: Reader,
        clock: Clock,
        utc_offset: timedelta,
    ) -> None:
        """Take the rows, the contacts, the gate, who viewers are, cursors, what numbers are called, the clock, and when a day begins."""
        super().__init__(pools=plan, gate=gate, standings=standings, reader=reader)
        self._plan, self._numbers, self._lookup, self._contacts = plan, numbers, lookup, contacts
        self._cursors, self._names = cursors, names
        self._clock, self._zone = clock, timezone(utc_offset)

    async def page(self, viewer: Viewer, query: NumbersQuery) -> Disclosed[NumberPage]:
        """List numbers by pool and digits; of a holder whom the viewer may not know there are none."""
        shape = query.shape()
        after = None
        if query.cursor is not None:
            pool_id, digits, identity = self._cursors.open(viewer.caller, shape, query.cursor)
            after = (UUID(pool_id), digits, identity)

        async def attempt(viewer: Viewer) -> Disclosed[NumberPage]:
            pool = None if query.pool is None else await self._plan.pool(self._reader, query.pool)
            narrowing = Narrowing(
                pool_id=pool.id if pool else None if query.pool is None else _NOBODY,
                state=query.state,
                holder_id=await self._nameable(viewer, query.holder),
                digits=query.digits,
                number_id=None if query.id is None else self._names.row(query.id) or 0,
                now=self._clock.now(),
                after=after,
            )
            rows = await self._lookup.page(self._reader, narrowing, limit=query.limit + 1)
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                last = page[-1]
                following = self._cursors.seal(viewer.caller, shape, [str(last.pool_id), last.digits, last.id])
            items, known = await self.shown(viewer, page)
            body = {"items": items, "next": following}
            return Disclosed(
                await self._noted(viewer, "number.list", body, count=len(page), contacts=known, query=shape)
            )

        return await self._with_current_rights("number.list", viewer, attempt)

    async def number(self, viewer: Viewer, digits: str, domain: str | None) -> Disclosed[NumberView]:
        """Show one number. Raises ``NotFound`` and ``AmbiguousNumber``."""

        async def attempt(viewer: Viewer) -> Disclosed[NumberView]:
            row = one_number(await self._numbers.named(self._reader, digits, domain=domain))
            (item,), known = await self.shown(viewer, [row])
            body = await self._noted(viewer, "number.read", item, count=1, contacts=known, query={"number": digits})
            return Disclosed(body)

        return await self._with_current_rights("number.read", viewer, attempt)

    async def history(self, viewer: Viewer, digits: str, query: NumberHistoryQuery) -> Disclosed[NumberHistoryPage]:
        """List who held a number, latest first, or who did on a day. Raises ``NotFound`` and ``AmbiguousNumber``."""
        shape = {"number": digits, **query.model_dump(mode="json", include={"domain", "at"}, exclude_none=True)}
        before = None
        if query.cursor is not None:
            at, identity = self._cursors.open(viewer.caller, shape, query.cursor)
            before = (datetime.fromisoformat(at), UUID(identity))

        async def attempt(viewer: Viewer) -> Disclosed[NumberHistoryPage]:
            row = one_number(await self._numbers.named(self._reader, digits, domain=query.domain))
            rows = await self._lookup.history(
                self._reader, row.id, during=self._during(query.at), before=before, limit=query.limit + 1
            )
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                last = page[-1]
                following = self._cursors.seal(viewer.caller, shape, [last.started_at.isoformat(), str(last.id)])
            known = await self._known(viewer, (*_holders(page), *_authors(page)))
            body = {"items": [_held(each, known) for each in page], "next": following}
            noted = await self._noted(viewer, "number.history", body, count=len(page), contacts=known, query=shape)
            return Disclosed(noted)

        return await self._with_current_rights("number.history", viewer, attempt)

    async def kind_of(self, viewer: Viewer, contact: UUID) -> str | None:
        """Tell of which kind a contact is, for a write that names one; ``None`` where ``viewer`` may not know of them."""
        record = await self._contacts.by_id(contact, viewer.tree)
        if record is None or self._gate.verdict(viewer.plan(PURPOSE), record) is None:
            return None
        return str(record.public["kind"])

    async def _nameable(self, viewer: Viewer, holder: UUID | None) -> UUID | None:
        if holder is None or holder in viewer.tree.nodes or await self._known(viewer, [holder]):
            return holder
        return _NOBODY

    async def _known(self, viewer: Viewer, contacts: Iterable[UUID]) -> frozenset[UUID]:
        wanted = list(dict.fromkeys(contacts))
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        plan = viewer.plan(PURPOSE)
        verdicts = [None if record is None else self._gate.verdict(plan, record) for record in records]
        return frozenset(each for each, verdict in zip(wanted, verdicts, strict=True) if verdict is not None)

    async def shown(self, viewer: Viewer, rows: Sequence[NumberRow]) -> tuple[list[dict[str, Any]], frozenset[UUID]]:
        """Write numbers as ``viewer`` is shown them, and give the contacts of whom that tells."""
        holding = await self._lookup.holding(self._reader, [row.id for row in rows])
        known = await self._known(viewer, _holders(holding))
        now = self._clock.now()
        keeps = viewer.standing.kind != "person" or not viewer.standing.roles.isdisjoint(NUMBER_KEEPERS)
        shown = [(row, [each for each in holding if each.number_id == row.id]) for row in rows]
        return [_number(row, now, held, known, keeps=keeps) for row, held in shown], known

    def _during(self, at: datetime | date | None) -> tuple[datetime, datetime] | None:
        match at:
            case None:
                return None
            case datetime():
                return at, at + timedelta.resolution
            case date():
                begin = datetime(at.year, at.month, at.day, tzinfo=self._zone).astimezone(UTC)
                return begin, begin + timedelta(days=1)


def _holders(assignments: Iterable[Assignment]) -> list[UUID]:
    return [each.holder.id for each in assignments if each.holder.type in PEOPLE]


def _authors(assignments: Iterable[Assignment]) -> list[UUID]:
    return [UUID(each.by[1]) for each in assignments if each.by[0] == "person"]


def _holder(each: Assignment, known: frozenset[UUID]) -> dict[str, Any]:
    told = each.holder.type not in PEOPLE or each.holder.id in known
    return {
        "type": each.holder.type if told else _WITHHELD,
        "id": each.holder.id if told else None,
        "code": each.holder.code,
        "role": each.role,
        "since": each.started_at,
        "until": each.until,
    }


def _number(
    row: NumberRow, now: datetime, holding: Sequence[Assignment], known: frozenset[UUID], *, keeps: bool
) -> dict[str, Any]:
    state = standing(row.state, row.available_from, now)
    return {
        "digits": row.digits,
        "domain": row.domain,
        "pool": row.pool,
        "state": state.value,
        "available_from": row.available_from if state in ENDING else None,
        "kept_for": row.kept_for if keeps and state in ENDING else None,
        "holders": [_holder(each, known) for each in holding],
    }


def _held(each: Assignment, known: frozenset[UUID]) -> dict[str, Any]:
    kind, identity = each.by
    told = kind != "person" or UUID(identity) in known
    return {
        "holder": _holder(each, known),
        "ended_at": each.ended_at,
        "reason": each.cause,
        "by": {"type": kind, "id": identity if told else None},
    }
