"""Numbers that stay in use, by request: ``number.transfer`` to somebody else for good, ``number.reserve`` for a purpose until a time.

Who holds a number is compared when the chain is through: if it is somebody else by then, those who said yes are asked again. Which numbers
a reservation keeps is decided when it begins; those who give numbers out use it by its id, as a hold, and at its end they are free again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.approvals.resolving import Organisation
from app.audit.authors import Author
from app.auth.repository import Source
from app.effects.unfit import BeneficiaryGone, CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.numbers.holding import HoldService
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.repository import Assignment, Grant, Holder, NumberRepository, NumberRow
from app.numbers.service import one_number
from app.numbers.terms import LONGEST_RESERVATION
from app.numbers.transferring import NumberMoves
from app.numbers.values import Kept, Named, Wanted
from app.permissions.standing import Viewer

_CALLER: Final = "approvals"
_UNTIL: Final = "/form/until"


class NumberTransfer:
    """Lets whoever gains have the number that is the subject."""

    def __init__(self, *, moves: NumberMoves, pools: PoolRepository, organisation: Organisation) -> None:
        """Take what passes on, the pools, and who is in service."""
        self._moves, self._pools, self._organisation = moves, pools, organisation
        self._numbers = NumberRepository()

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell of which class the number is, and which assignment would end.

        Raises ``NotFound``, ``AmbiguousNumber``, ``CannotBeAsked`` and ``BeneficiaryGone``.
        """
        number, pool, held = await self._held(source, asked)
        if held.holder == Holder("contact", asked.beneficiary):
            raise CannotBeAsked("/beneficiary", Why.NO_CHANGE)
        if viewer is None and asked.beneficiary not in await self._organisation.facts(source, [asked.beneficiary]):
            raise BeneficiaryGone
        about = {"pool": number.pool, "pool_class": pool.pool_class.value, "assignment": str(held.id)}
        return Examined(form=asked.form, facts=about, owner=pool.department_id)

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Pass the number on. Raises what ``NumberMoves.transfer`` raises; then nothing has changed."""
        named = _named(approved.asked)
        to = Grant(holder=Holder("contact", approved.asked.beneficiary), role="short", caller=_CALLER, author=author)
        done = await self._moves.transfer(unit, named, to, holder=None, why="request")
        number = done.number
        return Applied(result={"digits": [number.digits], "domain": number.domain, "assignment": str(done.now.id)})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Leave it where it is: a transfer has no end, and is undone by another one."""

    async def _held(self, source: Source, asked: Asked) -> tuple[NumberRow, Pool, Assignment]:
        named = _named(asked)
        number = one_number(await self._numbers.named(source, named.digits, domain=named.domain))
        pool = await self._pools.pool(source, str(number.pool_id))
        held = await self._numbers.open_of(source, number.id)
        if pool is None:
            raise NotFound
        if len(held) != 1:
            raise CannotBeAsked("/subject/id", Why.NOT_HELD)
        return number, pool, held[0]


class NumberReservation:
    """Keeps numbers of a pool for a purpose."""

    def __init__(self, *, holding: HoldService, pools: PoolRepository, clock: Clock) -> None:
        """Take what holds, the pools and the clock."""
        self._holding, self._pools, self._clock = holding, pools, clock
        self._numbers = NumberRepository()

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell of which class the pool is. Raises ``NotFound`` and ``CannotBeAsked``."""
        del viewer
        pool = await self._pool(source, asked.subject.id)
        until, now = moment(asked.form["until"]), self._clock.now()
        if until is None or not now < until <= now + LONGEST_RESERVATION:
            raise CannotBeAsked(_UNTIL, Why.TERM)
        digits = asked.form.get("digits")
        if digits is not None and not await self._numbers.named(source, digits, domain=None, pool_id=pool.id):
            raise CannotBeAsked("/form/digits", Why.NOT_IN_POOL)
        about = {"pool": str(pool.id), "pool_class": pool.pool_class.value}
        return Examined(form=asked.form, facts=about, owner=pool.department_id, term=Term(until=until))

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Reserve the numbers. Raises ``PoolExhausted`` and ``NumberNotAvailable``; then nothing is kept."""
        form = approved.asked.form
        pool = await self._pool(unit.session, approved.asked.subject.id)
        assert approved.ends is not None, "a reservation has an end"  # noqa: S101 — ``examine`` gave it
        keep = Kept(
            kind="reservation",
            owner=f"request:{approved.id}",
            purpose=form["purpose"],
            until=approved.ends,
            pattern=form.get("pattern"),
        )
        wanted = Wanted(int(form.get("count", 1)), form.get("digits"))
        hold, digits = await self._holding.hold(unit, author, pool, wanted, keep)
        return Applied(
            result={"hold": str(hold.id), "digits": digits, "domain": pool.domain}, ends=approved.ends, lasting=True
        )

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Let the numbers go that nobody was given."""
        del approved, cause
        await self._holding.release(unit, author, UUID(result["hold"]))

    async def _pool(self, source: Source, named: str) -> Pool:
        pool = await self._pools.pool(source, named)
        if pool is None:
            raise NotFound
        return pool


def _named(asked: Asked) -> Named:
    return Named(asked.subject.id, asked.form.get("domain"))


def moment(text: object) -> datetime | None:
    """Read an end, which the form's schema has called a date and a time; without an offset it is none."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise CannotBeAsked(_UNTIL, Why.TERM) from None
    if found.tzinfo is None:
        raise CannotBeAsked(_UNTIL, Why.TERM)
    return found
