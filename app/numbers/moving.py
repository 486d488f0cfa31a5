"""Passing numbers on and taking them aside for a caller: may they, whom do they name, was it done before, and what are they told."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import UnitOfWork
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.schemas import Input
from app.numbers.errors import term_refused
from app.numbers.holders import HolderNames
from app.numbers.keeping import NUMBERS
from app.numbers.move_schemas import (
    BlockCreate,
    ConfirmationCreate,
    ReservationCreate,
    RestorationCreate,
    SwapCreate,
    TransferCreate,
)
from app.numbers.pools import refuse_others
from app.numbers.repository import Grant, NumberRow
from app.numbers.rules import Verb
from app.numbers.siding import NumberSides
from app.numbers.terms import TermFault
from app.numbers.transferring import NumberMoves
from app.numbers.values import Acting, Named, Passed
from app.numbers.views import allocated_view
from app.permissions.standing import Viewer, author_of

Work = Callable[[], Awaitable[Receipt]]


class MoveKeeper:
    """Passes numbers on and takes them aside for a viewer."""

    def __init__(
        self,
        *,
        moves: NumberMoves,
        sides: NumberSides,
        names: HolderNames,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take what does it, who may be named, what makes a repeat harmless, and the clock."""
        self._moves, self._sides, self._names = moves, sides, names
        self._idempotency, self._clock = idempotency, clock

    async def transfer(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named, body: TransferCreate
    ) -> Answer:
        """Let somebody else have a number, once per ``key``. Raises ``NotPermitted`` and what ``NumberMoves.transfer`` raises."""
        _acts("number.transfer")
        refuse_others(viewer)

        to = await self._names.known(viewer, body.to, until=body.until, pointer="/to/id")
        whose = None if body.holder is None else self._names.named(viewer, body.holder)
        grant = Grant(holder=to, role="short", caller=viewer.caller, author=author_of(viewer), until=body.until)

        async def work() -> Receipt:
            self._refuse_past(body.until)
            return Receipt(None, _passed(await self._moves.transfer(unit, named, grant, holder=whose, why=body.reason)))

        return await self._once(viewer, unit, key, named, "transfers", body, work)

    async def swap(self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named, body: SwapCreate) -> Answer:
        """Exchange two numbers of one domain, once per ``key``. Raises ``NotPermitted`` and what ``NumberMoves.swap`` raises."""
        _acts("number.swap")

        async def work() -> Receipt:
            both = await self._moves.swap(
                unit, named, Named(body.other, named.domain), self._by(viewer), why=body.reason
            )
            return Receipt(None, {"numbers": [_passed(each) for each in both]})

        return await self._once(viewer, unit, key, named, "swaps", body, work)

    async def restore(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named, body: RestorationCreate
    ) -> Answer:
        """Give a number that rests back to whoever had it last, once per ``key``. Raises what ``NumberMoves.restore`` raises."""
        _acts("number.restore")

        async def work() -> Receipt:
            given = await self._moves.restore(unit, named, self._by(viewer), until=body.until)
            return Receipt(None, {"numbers": [allocated_view(each) for each in given.numbers]})

        return await self._once(viewer, unit, key, named, "restorations", body, work)

    async def confirm(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named, body: ConfirmationCreate
    ) -> Answer:
        """Note that a number works, once per ``key``. Raises ``NotPermitted`` and what ``NumberMoves.confirm`` raises."""
        _acts("number.confirm")

        async def work() -> Receipt:
            return Receipt(
                None, _standing(await self._moves.confirm(unit, author_of(viewer), named, body.assignment_id))
            )

        return await self._once(viewer, unit, key, named, "confirmations", body, work)

    async def block(self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named, body: BlockCreate) -> Answer:
        """Block a number, once per ``key``. Raises ``NotPermitted`` and what ``NumberSides.block`` raises."""
        _acts("number.block")

        async def work() -> Receipt:
            self._refuse_past(body.until)
            after, ended = await self._sides.block(unit, author_of(viewer), named, why=body.reason, until=body.until)
            return Receipt(None, _aside(after, ended))

        return await self._once(viewer, unit, key, named, "blocks", body, work)

    async def reserve(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named, body: ReservationCreate
    ) -> Answer:
        """Keep a number for a purpose, once per ``key``. Raises ``NotPermitted`` and what ``NumberSides.reserve`` raises."""
        _acts("number.reserve")

        async def work() -> Receipt:
            self._refuse_past(body.until)
            after = await self._sides.reserve(unit, author_of(viewer), named, purpose=body.purpose, until=body.until)
            return Receipt(None, _aside(after))

        return await self._once(viewer, unit, key, named, "reservations", body, work)

    async def retire(self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: Named) -> Answer:
        """Give a number up for ever, once per ``key``. Raises ``NotPermitted`` and what ``NumberSides.retire`` raises."""
        _acts("number.retire")

        async def work() -> Receipt:
            return Receipt(None, _aside(await self._sides.retire(unit, author_of(viewer), named)))

        return await self._once(viewer, unit, key, named, "retirements", None, work)

    async def undo(self, viewer: Viewer, unit: UnitOfWork, named: Named, verb: Verb) -> None:
        """End a block or a reservation. Raises ``NotPermitted`` and what ``NumberSides.undo`` raises."""
        _acts("number.unblock" if verb is Verb.UNBLOCK else "number.open")
        refuse_others(viewer)
        await self._sides.undo(unit, author_of(viewer), named, verb)

    def _by(self, viewer: Viewer) -> Acting:
        return Acting(viewer.caller, author_of(viewer))

    def _refuse_past(self, until: datetime | None) -> None:
        if until is not None and until <= self._clock.now():
            raise term_refused(TermFault.PAST)

    async def _once(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        key: str | None,
        named: Named,
        what: str,
        body: Input | None,
        work: Work,
    ) -> Answer:
        call = Call(viewer.caller, "POST", f"{NUMBERS}/{named.digits}/{what}?domain={named.domain or ''}", key)
        told = None if body is None else body.model_dump(mode="json", by_alias=True)
        return await self._idempotency.run(unit, call, key and told, allowed=lambda: refuse_others(viewer), work=work)


def _passed(done: Passed) -> dict[str, Any]:
    return {
        "digits": done.number.digits,
        "domain": done.number.domain,
        "state": done.number.state.value,
        "assignment_id": str(done.now.id),
        "until": None if done.now.until is None else done.now.until.isoformat(),
    }


def _standing(number: NumberRow) -> dict[str, Any]:
    return {
        "digits": number.digits,
        "domain": number.domain,
        "state": number.state.value,
        "available_from": None if number.available_from is None else number.available_from.isoformat(),
    }


def _aside(number: NumberRow, released: int = 0) -> dict[str, Any]:
    return {**_standing(number), "kept_for": number.kept_for, "released": released}


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
