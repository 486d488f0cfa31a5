"""Holds as a caller is shown them: one's own, and everybody's to those who keep the plan. Every answer is a look, on record.

Somebody else's hold and one that is not there are the same 404.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.auth.scopes import Scope
from app.disclosure.gate import Gate
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.numbers.hold_repository import Hold, HoldNarrowing, HoldRepository
from app.numbers.hold_schemas import HoldPage, HoldQuery, HoldView
from app.numbers.looking import Looks
from app.numbers.pool_repository import PoolRepository
from app.numbers.reading import NumberReader
from app.numbers.rules import NUMBER_KEEPERS
from app.numbers.views import hold_view
from app.permissions.standing import Standings, Viewer

_NOWHERE = UUID(int=0)


class HoldPages(Looks):
    """Shows holds to a viewer."""

    def __init__(
        self,
        *,
        pools: PoolRepository,
        numbers: NumberReader,
        gate: Gate,
        standings: Standings,
        cursors: Cursors,
        reader: Reader,
        clock: Clock,
    ) -> None:
        """Take the pools, who tells whom a viewer may know, the gate, who viewers are, the key of cursors, where to read, and the clock."""
        super().__init__(pools=pools, gate=gate, standings=standings, reader=reader)
        self._numbers, self._cursors, self._clock = numbers, cursors, clock
        self._holds = HoldRepository()

    async def page(self, viewer: Viewer, query: HoldQuery) -> Disclosed[HoldPage]:
        """List holds that are not over, latest first."""
        shape = query.shape()
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[HoldPage]:
            pools = {pool.id: pool.code for pool in await self._pools.pools(self._reader)}
            named = [each for each, code in pools.items() if query.pool in (code, str(each))]
            narrowing = HoldNarrowing(
                owner=None if keeps_plan(viewer) else viewer.caller,
                pool_id=None if query.pool is None else next(iter(named), _NOWHERE),
                expires_before=query.expires_before,
                now=self._clock.now(),
                before=before,
            )
            rows = await self._holds.page(self._reader, narrowing, limit=query.limit + 1)
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, shape, str(page[-1].id))
            items, known = await self._shown(viewer, page, pools)
            body = {"items": items, "next": following}
            noted = await self._noted(viewer, "number_hold.list", body, count=len(page), contacts=known, query=shape)
            return Disclosed(noted)

        return await self._with_current_rights("number_hold.list", viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[HoldView]:
        """Show a hold, also when it is over. Raises ``NotFound``."""

        async def attempt(viewer: Viewer) -> Disclosed[HoldView]:
            hold = await self._holds.by_id(self._reader, identity)
            if hold is None or not (hold.owner == viewer.caller or keeps_plan(viewer)):
                raise NotFound
            pools = {pool.id: pool.code for pool in await self._pools.pools(self._reader)}
            (item,), known = await self._shown(viewer, [hold], pools)
            query = {"hold": str(identity)}
            noted = await self._noted(viewer, "number_hold.read", item, count=1, contacts=known, query=query)
            return Disclosed(noted)

        return await self._with_current_rights("number_hold.read", viewer, attempt)

    async def _shown(
        self, viewer: Viewer, holds: Iterable[Hold], pools: dict[UUID, str]
    ) -> tuple[list[dict[str, Any]], frozenset[UUID]]:
        found, now = list(holds), self._clock.now()
        digits = await self._holds.digits_of(self._reader, found)
        people = {owner for kind, owner in (_owner(each) for each in found) if kind == "person"}
        kinds = {each: await self._numbers.kind_of(viewer, UUID(each)) for each in sorted(people)}
        known = frozenset(UUID(each) for each, kind in kinds.items() if kind is not None)
        items = []
        for hold in found:
            who, owner = _owner(hold)
            told = who != "person" or UUID(owner) in known
            card = self.versioned(hold_view(hold, pools[hold.pool_id], [digits[each] for each in hold.numbers]))
            by = {"type": who, "id": owner if told else None}
            items.append(
                {**card, "kind": hold.kind, "state": hold.standing(now), "created_at": hold.created_at, "by": by}
            )
        return items, known


def keeps_plan(viewer: Viewer) -> bool:
    """Tell whether a caller keeps the number plan: people by their office, service accounts by the scope that theirs gave them."""
    if viewer.standing.kind == "person":
        return not viewer.standing.roles.isdisjoint(NUMBER_KEEPERS)
    return Scope.NUMBERS_ADMIN in viewer.subject.scopes


def _owner(hold: Hold) -> tuple[str, str]:
    kind, _, identity = hold.owner.partition(":")
    return kind, identity
