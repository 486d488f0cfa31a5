"""Holding numbers for a caller: may they, for how long, have they seen what they change, and what they are told."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader, UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import FieldError, Invalid, NotFound, PreconditionFailed
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.numbers.hold_repository import Hold
from app.numbers.holding import HoldService
from app.numbers.move_schemas import HoldAmend, HoldCreate
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.pools import refuse_others
from app.numbers.reading import NumberReader
from app.numbers.values import Kept, Wanted
from app.numbers.views import hold_view
from app.permissions.standing import Viewer, author_of

HOLDS: Final = "/v1/number-holds"


class HoldKeeper:
    """Holds numbers for a viewer; nobody else's hold is theirs to touch."""

    def __init__(
        self,
        *,
        service: HoldService,
        plan: PoolRepository,
        reader: NumberReader,
        source: Reader,
        idempotency: Idempotency,
        clock: Clock,
        longest: timedelta,
    ) -> None:
        """Take what holds, the pools, what writes versions, where to look, what makes a repeat harmless, the clock, how long at most."""
        self._service, self._plan, self._reader, self._source = service, plan, reader, source
        self._idempotency, self._clock, self._longest = idempotency, clock, longest

    async def hold(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: HoldCreate) -> Answer:
        """Hold numbers of a pool, once per ``key``. Raises ``NotPermitted``, ``NotFound`` without such a pool, and what holding raises."""
        _acts("number_hold.create")
        refuse_others(viewer)
        pool = await self._plan.pool(self._source, body.pool)
        if pool is None:
            raise NotFound
        length = self._length(body.minutes)
        wanted = Wanted(body.count, body.digits)

        async def work() -> Receipt:
            keep = Kept(
                kind="hold",
                owner=viewer.caller,
                purpose=body.purpose,
                until=self._clock.now() + length,
                pattern=body.pattern,
            )
            hold, digits = await self._service.hold(unit, author_of(viewer), pool, wanted, keep)
            return Receipt(hold.id, self._view(hold, pool, digits))

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", HOLDS, key),
            key and body.model_dump(mode="json"),
            allowed=lambda: refuse_others(viewer),
            work=work,
        )

    async def extend(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str, body: HoldAmend) -> Receipt:
        """Hold for longer. Raises ``NotPermitted``, ``NotFound``, ``PreconditionFailed``, ``HoldOver`` and ``HoldNotExtendable``."""
        _acts("number_hold.extend")
        length = self._length(body.minutes)
        hold, pool, digits = await self._seen(viewer, unit, identity, seen)
        after = await self._service.extend(unit, author_of(viewer), hold, length)
        return Receipt(after.id, self._view(after, pool, digits), 200)

    async def drop(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str) -> None:
        """Let the numbers go. Raises ``NotPermitted``, ``NotFound``, ``PreconditionFailed`` and ``HoldOver``."""
        _acts("number_hold.drop")
        hold, _, _ = await self._seen(viewer, unit, identity, seen)
        await self._service.drop(unit, author_of(viewer), hold)

    async def _seen(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str) -> tuple[Hold, Pool, list[str]]:
        refuse_others(viewer)
        hold, digits = await self._service.owned(unit, identity, viewer.caller)
        pool = await self._plan.pool(unit.session, str(hold.pool_id))
        if pool is None:
            raise NotFound
        if not names_version(seen, self._view(hold, pool, digits)["version"]):
            raise PreconditionFailed
        return hold, pool, digits

    def _length(self, minutes: int) -> timedelta:
        length = timedelta(minutes=minutes)
        if length > self._longest:
            most = int(self._longest.total_seconds()) // 60
            fault = FieldError("/minutes", "too_long", f"At most {most} minutes.", f"最长 {most} 分钟。")
            raise Invalid(errors=[fault])
        return length

    def _view(self, hold: Hold, pool: Pool, digits: list[str]) -> dict[str, Any]:
        return self._reader.versioned(hold_view(hold, pool.code, digits))


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
