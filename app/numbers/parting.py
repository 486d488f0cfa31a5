"""Numbers of somebody who leaves or moves, in the transaction of that.

Who leaves holds nothing any more and keeps nothing for anybody. Who moves keeps what the company gave; what a department's own pool gave
stays with that department, and the pool of where they come gives another, as to a joiner.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from app.audit.authors import Author
from app.departments.tree import Tree
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.numbers.hold_repository import HoldNarrowing, HoldRepository
from app.numbers.holding import HoldService
from app.numbers.pool_repository import Pool
from app.numbers.service import NumberService

_MOST_HOLDS: Final = 200


class NumberParting:
    """Takes numbers back."""

    def __init__(self, *, service: NumberService, holds: HoldService, clock: Clock) -> None:
        """Take what gives and takes numbers, what holds them, and the clock."""
        self._service, self._holding, self._clock = service, holds, clock
        self._holds = HoldRepository()

    async def drop_holds(self, unit: UnitOfWork, author: Author, *, contact_id: UUID) -> int:
        """Let the numbers go that somebody holds for later; give how many holds. What an approved request reserves is the company's."""
        narrowing = HoldNarrowing(now=self._clock.now(), owner=f"person:{contact_id}")
        dropped = 0
        for each in await self._holds.page(unit.session, narrowing, limit=_MOST_HOLDS):
            hold = await self._holds.held(unit.session, each.id)
            if hold is not None and hold.kind == "hold" and not hold.over(narrowing.now):
                await self._holding.drop(unit, author, hold)
                dropped += 1
        return dropped

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """Put everything that somebody holds to rest; give how much that was."""
        return len(await self._service.end_assignments(unit, author, contact_id=contact_id, cause=cause))

    async def move(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, tree: Tree, department_id: UUID | None
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Take back what belongs to places that somebody has moved out of, and give what is due where they come: both as digits.

        Raises ``PoolExhausted``, when nothing is left there to be given; then nothing was changed.
        """
        taken = await self._service.end_assignments(
            unit, author, contact_id=contact_id, cause="moved", among=_elsewhere(tree, department_id)
        )
        if not taken:
            return (), ()
        given = await self._service.number_instead(unit, author, contact_id=contact_id, department_id=department_id)
        return taken, given


def _elsewhere(tree: Tree, department_id: UUID | None) -> Callable[[Pool], bool]:
    """Tell of a pool whether it is a department's above which, or in which, somebody at ``department_id`` does not stand."""
    here = frozenset() if department_id is None else {node.id for node in tree.ancestry(department_id)}
    return lambda pool: pool.department_id is not None and pool.department_id not in here
