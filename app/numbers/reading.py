"""Numbers and pools as a caller is shown them. Every answer is a look, on record before it leaves.

The plan itself is nobody's secret; who holds a number is C1 of that person. A holder is named only where the reader may know of them, by
the verdict that the person's card would get; one whom the reader may not know and one who is no more look alike. What is not there is
never said before the reader's rights were read afresh.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader
from app.kit.dependencies import names_version
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.numbers.lookup import Narrowing, NumberLookup
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.repository import Assignment, NumberRepository, NumberRow
from app.numbers.rules import ENDING, NUMBER_KEEPERS, State, standing
from app.numbers.schemas import (
    AvailablePage,
    DomainPage,
    NumberHistoryPage,
    NumberHistoryQuery,
    NumberPage,
    NumbersQuery,
    NumberView,
    PoolPage,
    PoolView,
    RangePage,
    UtilisationView,
)
from app.numbers.service import one_number
from app.numbers.views import domain_view, pool_view, range_view
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

_T = TypeVar("_T")
_PURPOSE: Final = Purpose.WORK_CONTACT
_NOBODY: Final = UUID(int=0)
_WITHHELD: Final = "withheld"
_PEOPLE: Final = frozenset({"contact", "hotline"})


class ClosedContacts(Protocol):
    """Where the contacts who hold numbers are found, closed."""

    async def by_id(self, identity: UUID, tree: Tree) -> Record | None:
        """Load one; calls made together become one statement."""
        ...


@dataclass(frozen=True, slots=True)
class SeenPool:
    """One pool as it was just shown: the row, its rendering, the version of that, and the note of the look."""

    pool: Pool
    card: bytes
    version: str
    note: bytes


class NumberReader:
    """Shows the number plan to a viewer."""

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
        reader: Reader,
        clock: Clock,
        utc_offset: timedelta,
    ) -> None:
        """Take the rows, the contacts, the gate, who viewers are, the key of cursors, the clock, and when the company's day begins."""
        self._plan, self._numbers, self._lookup, self._contacts = plan, numbers, lookup, contacts
        self._gate, self._standings, self._cursors = gate, standings, cursors
        self._reader, self._clock, self._zone = reader, clock, timezone(utc_offset)

    async def domains(self, viewer: Viewer) -> Disclosed[DomainPage]:
        """List all domains."""
        items = [domain_view(each) for each in await self._plan.domains(self._reader)]
        return await self._whole(viewer, "number_domain.list", items)

    async def pools(self, viewer: Viewer) -> Disclosed[PoolPage]:
        """List all pools."""
        items = [self.rendered(each) for each in await self._plan.pools(self._reader)]
        return await self._whole(viewer, "number_pool.list", items)

    async def pool(self, viewer: Viewer, named: str, *, known: str | None = None) -> Disclosed[PoolView]:
        """Show one pool; 304 when ``known`` (``If-None-Match``) names what would be shown. Raises ``NotFound``."""
        seen = await self.look(viewer, named)
        if known is not None and names_version(known, seen.version):
            return Disclosed(b"", etag=seen.version, status_code=304)
        body = b'%b,"version":"%b","disclosure":%b}' % (seen.card[:-1], seen.version.encode(), seen.note)
        return Disclosed(body, etag=seen.version)

    async def look(self, viewer: Viewer, named: str) -> SeenPool:
        """Show one pool to ``viewer``, for an answer or for a write that builds on what was seen; raise ``NotFound``."""

        async def attempt(viewer: Viewer) -> SeenPool:
            pool = await self._pool(named)
            card = orjson.dumps(pool_view(pool))
            look = Look(action="number_pool.read", purpose=_PURPOSE, query={"pool": pool.code})
            note = await self._gate.disclose_plain(viewer, look, count=1)
            return SeenPool(pool, card, self._gate.version(card), note)

        return await self._with_current_rights("number_pool.read", viewer, attempt)

    def rendered(self, pool: Pool) -> dict[str, Any]:
        """Write a pool as everybody is shown it, with its version."""
        return self.versioned(pool_view(pool))

    def versioned(self, card: Mapping[str, Any]) -> dict[str, Any]:
        """Add to a rendering what its version is called."""
        return {**card, "version": self._gate.version(orjson.dumps(card))}

    async def ranges(self, viewer: Viewer, named: str) -> Disclosed[RangePage]:
        """List the ranges of a pool. Raises ``NotFound``."""
        pool = await self._pool(named)
        items = [range_view(each, pool) for each in await self._plan.ranges(self._reader, pool.id)]
        return await self._whole(viewer, "number_pool.ranges", items, pool=pool.code)

    async def available(self, viewer: Viewer, named: str, limit: int) -> Disclosed[AvailablePage]:
        """List the numbers that would be next. Raises ``NotFound``."""
        pool = await self._pool(named)
        items = await self._lookup.preview(self._reader, pool.id, wanted=limit, now=self._clock.now())
        return await self._whole(viewer, "number_pool.available", items, pool=pool.code)

    async def utilisation(self, viewer: Viewer, named: str) -> Disclosed[UtilisationView]:
        """Count where a pool's numbers stand. Raises ``NotFound``."""
        pool = await self._pool(named)
        states = await self._lookup.counted(self._reader, pool.id, self._clock.now())
        size, free = sum(states.values()) - states[State.RETIRED], states[State.AVAILABLE]
        body = {
            "pool": pool.code,
            "size": size,
            "free": free,
            "used": round(1 - free / size, 4) if size else 0.0,
            "states": {state.value: count for state, count in states.items()},
            "low_water": pool.low_water,
            "low": pool.low_water is not None and free < pool.low_water,
        }
        return Disclosed(await self._noted(viewer, "number_pool.utilisation", body, count=1, query={"pool": pool.code}))

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
                now=self._clock.now(),
                after=after,
            )
            rows = await self._lookup.page(self._reader, narrowing, limit=query.limit + 1)
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                last = page[-1]
                following = self._cursors.seal(viewer.caller, shape, [str(last.pool_id), last.digits, last.id])
            items, known = await self._shown(viewer, page)
            body = {"items": items, "next": following}
            return Disclosed(
                await self._noted(viewer, "number.list", body, count=len(page), contacts=known, query=shape)
            )

        return await self._with_current_rights("number.list", viewer, attempt)

    async def number(self, viewer: Viewer, digits: str, domain: str | None) -> Disclosed[NumberView]:
        """Show one number. Raises ``NotFound`` and ``AmbiguousNumber``."""

        async def attempt(viewer: Viewer) -> Disclosed[NumberView]:
            row = one_number(await self._numbers.named(self._reader, digits, domain=domain))
            (item,), known = await self._shown(viewer, [row])
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
        if record is None or self._gate.verdict(viewer.plan(_PURPOSE), record) is None:
            return None
        return str(record.public["kind"])

    async def _nameable(self, viewer: Viewer, holder: UUID | None) -> UUID | None:
        if holder is None or holder in viewer.tree.nodes or await self._known(viewer, [holder]):
            return holder
        return _NOBODY

    async def _pool(self, named: str) -> Pool:
        pool = await self._plan.pool(self._reader, named)
        if pool is None:
            raise NotFound
        return pool

    async def _known(self, viewer: Viewer, contacts: Iterable[UUID]) -> frozenset[UUID]:
        wanted = list(dict.fromkeys(contacts))
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        plan = viewer.plan(_PURPOSE)
        verdicts = [None if record is None else self._gate.verdict(plan, record) for record in records]
        return frozenset(each for each, verdict in zip(wanted, verdicts, strict=True) if verdict is not None)

    async def _shown(self, viewer: Viewer, rows: Sequence[NumberRow]) -> tuple[list[dict[str, Any]], frozenset[UUID]]:
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

    async def _whole(self, viewer: Viewer, action: str, items: Sequence[Any], **query: str) -> Disclosed[Any]:
        async def attempt(viewer: Viewer) -> Disclosed[Any]:
            body = {"items": items, "next": None}
            return Disclosed(await self._noted(viewer, action, body, count=len(items), query=query))

        return await self._with_current_rights(action, viewer, attempt)

    async def _noted(
        self,
        viewer: Viewer,
        action: str,
        body: Mapping[str, Any],
        *,
        count: int,
        query: Mapping[str, object],
        contacts: Iterable[UUID] = (),
    ) -> bytes:
        look = Look(action=action, purpose=_PURPOSE, query=query or None)
        note = await self._gate.disclose_plain(viewer, look, count=count, contacts=sorted(contacts))
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)})

    async def _with_current_rights(self, action: str, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        context = current_request()
        if context is not None:
            context.action = action
        try:
            return await attempt(viewer)
        except (EpochMoved, NotFound):
            return await attempt(await self._standings.of(viewer.subject, fresh=True))


def _holders(assignments: Iterable[Assignment]) -> list[UUID]:
    return [each.holder.id for each in assignments if each.holder.type in _PEOPLE]


def _authors(assignments: Iterable[Assignment]) -> list[UUID]:
    return [UUID(each.by[1]) for each in assignments if each.by[0] == "person"]


def _holder(each: Assignment, known: frozenset[UUID]) -> dict[str, Any]:
    told = each.holder.type not in _PEOPLE or each.holder.id in known
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
