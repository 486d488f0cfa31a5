"""Numbers as personnel events need them: joiners get one, leavers' rest, and those of a department go along when it goes into another."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.numbers.errors import AllocationConflict
from app.numbers.pool_repository import PoolRepository
from app.numbers.repository import Grant, Holder, NumberRepository
from app.numbers.rules import Cause
from app.numbers.service import NumberService
from app.numbers.transferring import NumberMoves
from app.numbers.values import Named

_CALLER: Final = "system:hr"
_WHY: Final = "department.merged"


class PersonnelNumbers:
    """Gives, takes and brings along. Implements ``hr.numbers.Numbers``."""

    def __init__(
        self,
        *,
        service: NumberService,
        moves: NumberMoves,
        numbers: NumberRepository,
        pools: PoolRepository,
        clock: Clock,
    ) -> None:
        """Take what gives and takes, what passes on, the rows of numbers and of pools, and the clock."""
        self._service, self._moves, self._numbers = service, moves, numbers
        self._pools, self._clock = pools, clock

    async def number_for_joiner(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, department_id: UUID | None
    ) -> Sequence[str]:
        """As ``NumberService.number_for_joiner``."""
        return await self._service.number_for_joiner(unit, author, contact_id=contact_id, department_id=department_id)

    async def end_assignments(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> Sequence[str]:
        """As ``NumberService.end_assignments``."""
        return await self._service.end_assignments(unit, author, contact_id=contact_id, cause=cause)

    async def bring_along(self, unit: UnitOfWork, author: Author, *, from_id: UUID, to_id: UUID) -> int:
        """Give the numbers that a department holds, and the pools that it owns, to another; give how many numbers those are.

        A line that both share is the other's alone from then on. Raises ``AllocationConflict`` when somebody else is at one of them.
        """
        old, new = Holder("department", from_id), Holder("department", to_id)
        held = await self._numbers.open_of_holder(unit.session, old)
        rows = await self._numbers.locked(unit.session, {each.number_id for each, _ in held})
        for each, digits in held:
            holders = {one.holder for one in await self._numbers.open_of(unit.session, each.number_id)}
            if new in holders:
                await self._numbers.end(unit.session, [each.id], Cause.MOVED, author, self._clock.now())
                continue
            to = Grant(holder=new, role=each.role, caller=_CALLER, author=author)
            await self._moves.transfer(unit, Named(digits, rows[each.number_id].domain), to, holder=old, why=_WHY)
        await self._bring_pools(unit, author, from_id, to_id)
        return len(held)

    async def _bring_pools(self, unit: UnitOfWork, author: Author, from_id: UUID, to_id: UUID) -> None:
        now = self._clock.now()
        for pool in await self._pools.pools(unit.session):
            if pool.department_id != from_id:
                continue
            after = replace(pool, department_id=to_id, row_version=pool.row_version + 1)
            if not await self._pools.update_pool(unit.session, after, seen=pool.row_version, at=now):
                raise AllocationConflict
            draft = written(
                author, "number_pool.update", now, fields=("department_id",), query={"pool": pool.code, "why": _WHY}
            )
            await add_intent(unit.session, draft)
