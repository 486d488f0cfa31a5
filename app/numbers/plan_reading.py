"""The plan as a caller is shown it: domains, reserved numbers, pools and their ranges, what is free, how full pools are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any, Final

import orjson

from app.auth.scopes import Scope
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.dependencies import names_version
from app.kit.errors import NotFound
from app.numbers.choosing import Choice, free_like
from app.numbers.counting import counted
from app.numbers.expecting import Expecting
from app.numbers.forecasting import Known
from app.numbers.looking import PURPOSE, Looks
from app.numbers.lookup import NumberLookup
from app.numbers.nice import Level, pattern
from app.numbers.outlook import outlook
from app.numbers.plan_repository import PlanRepository
from app.numbers.plan_schemas import (
    AvailablePage,
    DomainPage,
    DomainView,
    PoolPage,
    PoolView,
    PreviewQuery,
    RangePage,
    ReservedPage,
)
from app.numbers.pool_repository import Domain, Pool, PoolRepository
from app.numbers.usage_schemas import ForecastQuery, ForecastView, UtilisationView
from app.numbers.views import domain_view, forecast_view, free_view, pool_view, range_view, reserved_view
from app.permissions.standing import Standings, Viewer

_UTILISATION: Final = "number_pool.utilisation"
_FORECAST: Final = "number_pool.forecast"
_GIVES: Final = frozenset({Scope.NUMBERS_ADMIN.value, Scope.NUMBERS_ALLOCATE.value})


@dataclass(frozen=True, slots=True)
class SeenPool:
    """One pool as it was just shown: the row, its rendering, the version of that, and the note of the look."""

    pool: Pool
    card: bytes
    version: str
    note: bytes


@dataclass(frozen=True, slots=True)
class SeenDomain:
    """One domain as it was just shown."""

    domain: Domain
    card: bytes
    version: str
    note: bytes


class PlanReader(Looks):
    """Shows the number plan to a viewer."""

    def __init__(
        self,
        *,
        pools: PoolRepository,
        plan: PlanRepository,
        lookup: NumberLookup,
        expecting: Expecting,
        gate: Gate,
        standings: Standings,
        reader: Reader,
        clock: Clock,
        utc_offset: timedelta,
    ) -> None:
        """Take the rows, who is expected, the gate, who viewers are, where to read, the clock, and when the company's day begins."""
        super().__init__(pools=pools, gate=gate, standings=standings, reader=reader)
        self._expecting = expecting
        self._plan, self._lookup, self._clock, self._zone = plan, lookup, clock, timezone(utc_offset)

    async def domains(self, viewer: Viewer) -> Disclosed[DomainPage]:
        """List all domains."""
        items = [self.rendered_domain(each) for each in await self._pools.domains(self._reader)]
        return await self._whole(viewer, "number_domain.list", items)

    async def domain(self, viewer: Viewer, named: str, *, known: str | None = None) -> Disclosed[DomainView]:
        """Show one domain; 304 when ``known`` names what would be shown. Raises ``NotFound``."""
        seen = await self.look_at_domain(viewer, named)
        if known is not None and names_version(known, seen.version):
            return Disclosed(b"", etag=seen.version, status_code=304)
        body = b'%b,"version":"%b","disclosure":%b}' % (seen.card[:-1], seen.version.encode(), seen.note)
        return Disclosed(body, etag=seen.version)

    async def look_at_domain(self, viewer: Viewer, named: str) -> SeenDomain:
        """Show one domain to ``viewer``, for an answer or for a write that builds on what was seen; raise ``NotFound``."""

        async def attempt(viewer: Viewer) -> SeenDomain:
            domain = await self._pools.domain(self._reader, named)
            if domain is None:
                raise NotFound
            card = orjson.dumps(domain_view(domain))
            look = Look(action="number_domain.read", purpose=PURPOSE, query={"domain": domain.code})
            note = await self._gate.disclose_plain(viewer, look, count=1)
            return SeenDomain(domain, card, self._gate.version(card), note)

        return await self._with_current_rights("number_domain.read", viewer, attempt)

    def rendered_domain(self, domain: Domain) -> dict[str, Any]:
        """Write a domain as everybody is shown it, with its version."""
        return self.versioned(domain_view(domain))

    async def reserved(self, viewer: Viewer) -> Disclosed[ReservedPage]:
        """List the reserved table."""
        items = [reserved_view(each) for each in await self._plan.reserved(self._reader)]
        return await self._whole(viewer, "number_reserved.list", items)

    async def pools(self, viewer: Viewer) -> Disclosed[PoolPage]:
        """List all pools."""
        items = [self.rendered(each) for each in await self._pools.pools(self._reader)]
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
            look = Look(action="number_pool.read", purpose=PURPOSE, query={"pool": pool.code})
            note = await self._gate.disclose_plain(viewer, look, count=1)
            return SeenPool(pool, card, self._gate.version(card), note)

        return await self._with_current_rights("number_pool.read", viewer, attempt)

    def rendered(self, pool: Pool) -> dict[str, Any]:
        """Write a pool as everybody is shown it, with its version."""
        return self.versioned(pool_view(pool))

    async def ranges(self, viewer: Viewer, named: str) -> Disclosed[RangePage]:
        """List the ranges of a pool. Raises ``NotFound``."""
        pool = await self._pool(named)
        items = [range_view(each, pool) for each in await self._pools.ranges(self._reader, pool.id)]
        return await self._whole(viewer, "number_pool.ranges", items, pool=pool.code)

    async def available(self, viewer: Viewer, named: str, query: PreviewQuery) -> Disclosed[AvailablePage]:
        """List free numbers: those that would be next, or those that look as ``query`` says. Raises ``NotFound``."""
        pool, now = await self._pool(named), self._clock.now()
        found: Sequence[tuple[str, bool]]
        if query.pattern is None and query.nice is None:
            following = await self._lookup.preview(self._reader, pool.id, wanted=query.limit, now=now)
            found = [(digits, False) for digits in following]
        else:
            choice = Choice(
                pattern=None if query.pattern is None else pattern(query.pattern),
                least=Level.PLAIN if query.nice is None else Level[query.nice.upper()],
                kept=True,
            )
            found = await free_like(self._reader, pool.id, choice, now=now, limit=query.limit)
        asked = query.model_dump(mode="json", include={"pattern", "nice"}, exclude_none=True)

        async def attempt(viewer: Viewer) -> Disclosed[AvailablePage]:
            numbers = [free_view(digits, kept=kept) for digits, kept in found]
            body = {"items": [digits for digits, _ in found], "numbers": numbers, "next": None}
            shape = {"pool": pool.code, **asked}
            return Disclosed(await self._noted(viewer, "number_pool.available", body, count=len(found), query=shape))

        return await self._with_current_rights("number_pool.available", viewer, attempt)

    async def utilisation(self, viewer: Viewer, named: str) -> Disclosed[UtilisationView]:
        """Count where a pool's numbers stand. Raises ``NotFound``."""
        pool = await self._pool(named)
        found = await counted(self._reader, pool.id, self._clock.now())
        body = {
            "pool": pool.code,
            "size": found.size,
            "free": found.free,
            "kept": found.kept,
            "used": round(1 - found.free / found.size, 4) if found.size else 0.0,
            "states": {state.value: count for state, count in found.states.items()},
            "low_water": pool.low_water,
            "low": pool.low_water is not None and found.free - found.kept < pool.low_water,
        }

        async def attempt(viewer: Viewer) -> Disclosed[UtilisationView]:
            return Disclosed(await self._noted(viewer, _UTILISATION, body, count=1, query={"pool": pool.code}))

        return await self._with_current_rights(_UTILISATION, viewer, attempt)

    async def forecast(self, viewer: Viewer, named: str, query: ForecastQuery) -> Disclosed[ForecastView]:
        """Tell when a pool runs out; joiners whom HR has announced are counted in for those who may know. Raises ``NotFound``."""
        pool, now = await self._pool(named), self._clock.now()
        today = now.astimezone(self._zone).date()

        async def attempt(viewer: Viewer) -> Disclosed[ForecastView]:
            knows = _may_know_announced(viewer)
            announced = (await self._expecting.by_pool(self._reader)).get(pool.id, ()) if knows else ()
            asked = [Known(query.joiners_by or today, query.joiners)] if query.joiners else []
            found = await outlook(self._reader, pool, now=now, today=today, known=[*announced, *asked])
            body = forecast_view(
                pool, found, now=now, today=today, announced=sum(each.count for each in announced) if knows else None
            )
            return Disclosed(await self._noted(viewer, _FORECAST, body, count=1, query={"pool": pool.code}))

        return await self._with_current_rights(_FORECAST, viewer, attempt)


def _may_know_announced(viewer: Viewer) -> bool:
    """Tell whether a viewer may know how many people HR has announced: all may read the plan, and whom a department hires is its own."""
    return viewer.standing.kind == "service" or not _GIVES.isdisjoint(viewer.standing.scopes)
