"""Writing down who holds numbers already, as an exchange tells it. Part of the caller's one transaction.

As in ``service``, holders' cards are locked first, by id, and numbers after them. What could be adopted is looked at again under the locks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author
from app.contacts.carrying import LockedCard
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.kit.straight import Writes
from app.numbers.adoption_rules import Overrule, Stands, Verdict, judge
from app.numbers.errors import HolderNotFound
from app.numbers.handing import Handing
from app.numbers.models import Number, NumberAssignment, NumberDomain, NumberPool
from app.numbers.nice import OPEN_FROM
from app.numbers.repository import Grant, Holder, NumberRepository, Taken
from app.numbers.rules import State, Verb
from app.numbers.taking import held_by
from app.numbers.telling import Change, given_out
from app.numbers.terms import MUST_END

_COLUMNS: Final[tuple[Any, ...]] = (
    Number.digits,
    Number.id,
    Number.pool_id,
    Number.state,
    Number.available_from,
    Number.sort_key,
    NumberPool.pool_class,
)
_OPEN: Final[tuple[Any, ...]] = (
    NumberAssignment.number_id,
    NumberAssignment.holder_type,
    NumberAssignment.holder_id,
    NumberAssignment.role,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A number that somebody has in a role; ``told`` is whether the file says the role."""

    digits: str
    holder: Holder
    role: str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopting:
    """For whom numbers are adopted: the domain's code, who imports, which import, and whether kept numbers are taken over."""

    domain: str
    author: Author
    import_id: UUID
    overrule: Overrule


class NumberAdoption:
    """Adopts numbers."""

    def __init__(self, *, handing: Handing, numbers: NumberRepository, clock: Clock) -> None:
        """Take what writes who holds numbers, the rows, and the clock."""
        self._handing, self._numbers, self._clock = handing, numbers, clock

    async def adopt(self, unit: UnitOfWork, what: Adopting, wishes: Sequence[Wish]) -> list[Verdict]:
        """Adopt what may be; tell of each wish what became of it. Wishes are of different numbers."""
        found = await self._stands(unit.session, what.domain, [each.digits for each in wishes])
        verdicts = [self._judged(found, each, what.overrule) for each in wishes]
        hopeful = [at for at, verdict in enumerate(verdicts) if verdict is Verdict.ADOPTED]
        if not hopeful:
            return verdicts
        cards, unfit = await self._receivers(unit.session, {wishes[at].holder for at in hopeful})
        wanted = [at for at in hopeful if wishes[at].holder not in unfit]
        await self._numbers.locked(unit.session, [found[wishes[at].digits][0] for at in wanted])
        found = await self._stands(unit.session, what.domain, [wishes[at].digits for at in wanted])
        for at in hopeful:
            unfit_holder = wishes[at].holder in unfit
            verdicts[at] = Verdict.UNKNOWN_HOLDER if unfit_holder else self._judged(found, wishes[at], what.overrule)
        adopted = [wishes[at] for at in wanted if verdicts[at] is Verdict.ADOPTED]
        if adopted:
            await self._written(unit.session, what, adopted, {each: found[each][:2] for each in found}, cards)
        return verdicts

    def _judged(self, found: dict[str, tuple[int, UUID, Stands]], wish: Wish, overrule: Overrule) -> Verdict:
        number = found.get(wish.digits)
        stands = None if number is None else number[2]
        return judge(stands, wish.holder, wish.role, overrule=overrule, now=self._clock.now(), told=wish.told)

    async def _receivers(
        self, session: AsyncSession, holders: set[Holder]
    ) -> tuple[dict[Holder, LockedCard | None], set[Holder]]:
        """Lock those who are to have numbers; give their cards, and who cannot be given any."""
        cards: dict[Holder, LockedCard | None] = {}
        unfit: set[Holder] = set()
        for holder in sorted(holders, key=lambda each: each.id):
            try:
                cards[holder] = await self._handing.cards.receiver(session, holder)
            except HolderNotFound:
                unfit.add(holder)
        return cards, unfit

    async def _stands(
        self, session: AsyncSession, domain: str, digits: Sequence[str]
    ) -> dict[str, tuple[int, UUID, Stands]]:
        """Tell how numbers stand, each with its row number and pool."""
        rows = await session.execute(
            select(*_COLUMNS)
            .join(NumberPool, NumberPool.id == Number.pool_id)
            .join(NumberDomain, NumberDomain.id == Number.domain_id)
            .where(
                NumberDomain.code == domain, Number.digits.in_(sorted(set(digits))), Number.state != State.RETIRED.value
            )
        )
        found = [tuple(row) for row in rows]
        held: dict[int, list[tuple[Holder, str]]] = {}
        open_now = select(*_OPEN).where(
            NumberAssignment.number_id.in_([row[1] for row in found]), NumberAssignment.ended_at.is_(None)
        )
        for number, kind, identity, role in await session.execute(open_now):
            held.setdefault(number, []).append((Holder(kind, identity), role))
        return {
            row[0]: (
                row[1],
                row[2],
                Stands(
                    state=State(row[3]),
                    available_from=row[4],
                    kept_back=row[5] < OPEN_FROM,
                    must_end=row[6] in MUST_END,
                    held=tuple(held.get(row[1], ())),
                ),
            )
            for row in found
        }

    async def _written(
        self,
        session: AsyncSession,
        what: Adopting,
        adopted: Sequence[Wish],
        rows: dict[str, tuple[int, UUID]],
        cards: dict[Holder, LockedCard | None],
    ) -> None:
        """Write assignments from now on, and the holders' cards. The exchange has set these numbers up, so none waits for it."""
        now = self._clock.now()
        taken = await session.execute(
            update(Number)
            .where(Number.id.in_(sorted(rows[each.digits][0] for each in adopted)))
            .values(
                state=State.ASSIGNED.value,
                available_from=None,
                hold_id=None,
                kept_for=None,
                row_version=Number.row_version + 1,
            )
            .returning(Number.id, Number.digits, Number.row_version)
            .execution_options(synchronize_session=False)
        )
        numbers = {digits: Taken(row, digits, version=version) for row, digits, version in taken}
        writes, changes = Writes(), list[Change]()
        for holder in dict.fromkeys(each.holder for each in adopted):
            mine = [each for each in adopted if each.holder == holder]
            before = await held_by(session, holder)
            for each in mine:
                (_, pool), number, identity = rows[each.digits], numbers[each.digits], new_id()
                grant = Grant(holder=holder, role=each.role, caller=f"import:{what.import_id}", author=what.author)
                self._numbers.assign(writes, pool, grant, [(identity, number)], now)
                changes.append(given_out(pool, grant, identity, number, Verb.ALLOCATE))
            held = [*before, *((each.role, each.digits) for each in mine)]
            self._handing.cards.tell(writes, what.author, cards[holder], held, {each.role for each in mine})
            told = {"import": str(what.import_id), "numbers": [each.digits for each in mine], "cause": "imported"}
            self._handing.announce(writes, what.author, "number.adopt", [holder], **told)
        await self._handing.telling.gather(session, writes, changes)
        await writes.run(session)
