"""Giving out and taking back for a caller: may they, whom do they name, was it done before, and what are they told."""

from uuid import UUID

from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader, UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.numbers.errors import HolderNotFound
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.pools import POOLS, refuse_others
from app.numbers.reading import NumberReader
from app.numbers.repository import Grant, Holder
from app.numbers.schemas import AllocationCreate, HolderRef, ReleaseCreate
from app.numbers.service import NumberService
from app.numbers.values import Wanted
from app.permissions.standing import Viewer, author_of

NUMBERS = "/v1/numbers"
_MOST_POOLS = 1000


class NumberKeeper:
    """Gives numbers out and takes them back for a viewer."""

    def __init__(
        self,
        *,
        service: NumberService,
        plan: PoolRepository,
        reader: NumberReader,
        source: Reader,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take what does it, the pools, who may be named, where to look outside of a transaction, and what makes a repeat harmless."""
        self._service, self._plan, self._reader = service, plan, reader
        self._source, self._idempotency, self._clock = source, idempotency, clock
        self._pools: dict[str, Pool] = {}

    async def allocate(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: str, body: AllocationCreate
    ) -> Answer:
        """Give numbers of a pool to somebody, once per ``key`` and once per ``consumer_ref``.

        Raises ``NotPermitted``, ``NotFound`` for a pool that is not there, ``HolderNotFound``, and what the service raises.
        """
        _acts("number.allocate")
        refuse_others(viewer)
        pool = await self._pool(named)
        if body.until is not None and body.until <= self._clock.now():
            raise Invalid(errors=[FieldError("/until", "in_the_past", "This time is over.", "该时间已过。")])
        holder = await self._holder(viewer, body.holder)
        grant = Grant(
            holder=holder,
            role=body.role,
            caller=viewer.caller,
            author=author_of(viewer),
            consumer_ref=body.consumer_ref,
            until=body.until,
        )
        told_again = False

        async def work() -> Receipt:
            nonlocal told_again
            given = await self._service.allocate(unit, pool, grant, Wanted(body.count, body.digits))
            told_again = given.replayed
            numbers = [
                {
                    "digits": digits,
                    "state": "assigned",
                    "assignment_id": str(identity),
                    "until": None if until is None else until.isoformat(),
                }
                for identity, digits, until in given.numbers
            ]
            return Receipt(None, {"numbers": numbers})

        call = Call(viewer.caller, "POST", f"{POOLS}/{pool.id}/allocations", key)
        answer = await self._idempotency.run(
            unit, call, key and body.model_dump(mode="json"), allowed=lambda: refuse_others(viewer), work=work
        )
        return Answer(answer.receipt, replayed=answer.replayed or told_again)

    async def release(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, digits: str, domain: str | None, body: ReleaseCreate
    ) -> Answer:
        """End what holds a number, once per ``key``. Raises ``NotPermitted`` and what the service raises."""
        _acts("number.release")

        async def work() -> Receipt:
            holder = None if body.holder is None else self._named(viewer, body.holder)
            done = await self._service.release(
                unit, author_of(viewer), digits, domain=domain, cause=body.reason, holder=holder
            )
            number = done.number
            rests = None if number.available_from is None else number.available_from.isoformat()
            told = {
                "digits": number.digits,
                "domain": number.domain,
                "state": number.state.value,
                "available_from": rests,
                "reason": body.reason.value,
                "released": done.ended,
            }
            return Receipt(None, told)

        call = Call(viewer.caller, "POST", f"{NUMBERS}/{digits}/releases?domain={domain or ''}", key)
        return await self._idempotency.run(
            unit, call, key and body.model_dump(mode="json"), allowed=lambda: refuse_others(viewer), work=work
        )

    async def _pool(self, named: str) -> Pool:
        """Find a pool to take numbers of, once: what is asked of it here, its id and code, it has for ever, and pools are not removed."""
        found = self._pools.get(named)
        if found is None:
            found = await self._plan.pool(self._source, named)
            if found is None:
                raise NotFound
            if len(self._pools) >= _MOST_POOLS:
                self._pools.clear()
            self._pools[named] = found
        return found

    async def _holder(self, viewer: Viewer, named: HolderRef) -> Holder:
        holder = self._named(viewer, named)
        if holder.type == "contact" and not await self._reader.may_name(viewer, holder.id):
            raise HolderNotFound
        return holder

    def _named(self, viewer: Viewer, named: HolderRef) -> Holder:
        match named.type:
            case "contact":
                try:
                    return Holder("contact", UUID(named.id))
                except ValueError as error:
                    raise HolderNotFound from error
            case "department":
                node = viewer.tree.find(named.id)
                if node is None:
                    raise HolderNotFound
                return Holder("department", node.id)


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
