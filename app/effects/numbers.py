"""Short numbers by request: ``number.allocate`` for good, ``number.temporary`` until a time, and then back into quarantine by itself.

Numbers are taken when the chain is through, not when they are asked for: which ones they are is the pool's business, unless the form names
one. One that rests is given before its rest is over only where the form says so, and by a longer chain. A pool that has too few by then
makes the request fail with its name, and nothing is taken. The allocation's reference is the request, so it is made once.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from app.approvals.effects import Applied, Approved, Asked, Cause, Effect, Examined, Term
from app.approvals.resolving import Organisation
from app.audit.authors import Author
from app.auth.repository import Source
from app.effects.number_moves import NumberReservation, NumberTransfer, moment
from app.effects.unfit import BeneficiaryGone, CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.numbers.errors import NumberNotAssigned
from app.numbers.holding import HoldService
from app.numbers.nice import Level, looks, pattern
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.repository import Grant, Holder, NumberRepository
from app.numbers.rules import Cause as Ended
from app.numbers.service import NumberService
from app.numbers.terms import TermFault, term_fault
from app.numbers.transferring import NumberMoves
from app.numbers.values import Wanted
from app.permissions.standing import Viewer

_CALLER: Final = "approvals"


class NumberGift:
    """Gives numbers of a pool to whoever gains."""

    def __init__(
        self,
        *,
        service: NumberService,
        pools: PoolRepository,
        organisation: Organisation,
        clock: Clock,
        temporary: bool,
    ) -> None:
        """Take what gives, the pools, who is in service, the clock, and whether an end is asked for."""
        self._service, self._pools, self._organisation = service, pools, organisation
        self._clock, self._temporary = clock, temporary
        self._numbers = NumberRepository()

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell of which class the pool is. Raises ``NotFound``, ``CannotBeAsked`` and ``BeneficiaryGone``."""
        pool = await self._pool(source, asked.subject.id)
        facts = await self._organisation.facts(source, [asked.beneficiary])
        if viewer is None and asked.beneficiary not in facts:
            raise BeneficiaryGone
        until = moment(asked.form.get("until"))
        match term_fault(pool.pool_class, until, self._clock.now()):
            case TermFault.MISSING:
                raise CannotBeAsked("/subject/id", Why.MUST_END)
            case TermFault():
                raise CannotBeAsked("/form/until", Why.TERM)
            case None:
                pass
        about = {
            "pool": str(pool.id),
            "pool_class": pool.pool_class.value,
            "nice": await self._nice(source, pool, asked),
            "early": "yes" if asked.form.get("digits") is not None and asked.form.get("early") else "no",
        }
        return Examined(form=asked.form, facts=about, owner=pool.department_id, term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Take the numbers. Raises ``PoolExhausted``, ``NumberNotAvailable`` and ``HolderNotFound``; then nothing was taken."""
        pool = await self._pool(unit.session, approved.asked.subject.id)
        until = approved.ends if self._temporary else None
        grant = Grant(
            holder=Holder("contact", approved.asked.beneficiary),
            role="short",
            caller=_CALLER,
            author=author,
            consumer_ref=str(approved.id),
            until=until,
        )
        form = approved.asked.form
        looks = form.get("pattern")
        wanted = Wanted(
            count=int(form.get("count", 1)),
            digits=form.get("digits"),
            pattern=None if looks is None else pattern(str(looks)),
            kept=True,
            early=approved.facts.get("early") == "yes",
        )
        given = await self._service.allocate(unit, pool, grant, wanted)
        result = {"digits": list(given.digits), "domain": pool.domain}
        return Applied(result=result, ends=until, lasting=self._temporary)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Take them back into quarantine; what has been released since is left alone."""
        why = Ended.EXPIRED if cause is Cause.EXPIRED else Ended.RELEASED
        holder = Holder("contact", approved.asked.beneficiary)
        for digits in result["digits"]:
            with suppress(NumberNotAssigned):
                await self._service.release(unit, author, digits, domain=result["domain"], cause=why, holder=holder)

    async def _nice(self, source: Source, pool: Pool, asked: Asked) -> str:
        """Tell how nice what is asked for is, where its pool keeps nice numbers back; by a pattern one can get any of them.

        Raises ``CannotBeAsked`` for a number that is none of the pool's, and for two ways of choosing at once.
        """
        digits, looks_so = asked.form.get("digits"), asked.form.get("pattern")
        if digits is not None:
            if looks_so is not None or asked.form.get("count", 1) != 1:
                raise CannotBeAsked("/form/digits", Why.CHOICE)
            if not await self._numbers.named(source, str(digits), domain=None, pool_id=pool.id):
                raise CannotBeAsked("/form/digits", Why.NOT_IN_POOL)
        if not pool.keeps_nice or (digits is None and looks_so is None):
            return Level.PLAIN.name.lower()
        return (Level.RARE if digits is None else looks(str(digits)).level).name.lower()

    async def _pool(self, source: Source, named: str) -> Pool:
        pool = await self._pools.pool(source, named)
        if pool is None:
            raise NotFound
        return pool


def number_effects(*, service: NumberService, organisation: Organisation, clock: Clock) -> Mapping[str, Effect]:
    """Make all that requests do to numbers."""
    pools, numbers = PoolRepository(), NumberRepository()
    moves = NumberMoves(service=service, numbers=numbers, clock=clock)
    holding = HoldService(numbers=numbers, telling=service.handing.telling, clock=clock)
    return {
        **{
            name: NumberGift(service=service, pools=pools, organisation=organisation, clock=clock, temporary=temporary)
            for name, temporary in (("number_allocate", False), ("number_temporary", True))
        },
        "number_transfer": NumberTransfer(moves=moves, pools=pools, organisation=organisation),
        "number_reserve": NumberReservation(holding=holding, pools=pools, clock=clock),
    }
