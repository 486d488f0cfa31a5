"""Giving out and taking back for a caller: may they, whom do they name, was it done before, and what are they told."""

from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Database, Reader, UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.numbers.errors import term_refused
from app.numbers.grouping import AllocationGroups
from app.numbers.holders import HolderNames
from app.numbers.nice import pattern
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.pools import POOLS, refuse_others
from app.numbers.repository import Grant
from app.numbers.rules import Strategy
from app.numbers.schemas import AllocationCreate, ReleaseCreate
from app.numbers.service import NumberService
from app.numbers.terms import term_fault
from app.numbers.values import Allocated, Wanted
from app.numbers.views import allocated_view
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
        names: HolderNames,
        source: Reader,
        database: Database,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take what does it, the pools, who may be named, where to look and where to write, and what makes a repeat harmless."""
        self._service, self._plan, self._names, self._database = service, plan, names, database
        self.groups = AllocationGroups(database=database, handing=service.handing, clock=clock)
        self._source, self._idempotency, self._clock = source, idempotency, clock
        self._pools: dict[str, Pool] = {}

    async def allocate(self, viewer: Viewer, key: str | None, named: str, body: AllocationCreate) -> Answer:
        """Give numbers of a pool to somebody, once per ``key`` and once per ``consumer_ref``, in a transaction that ends before it answers.

        Raises ``NotPermitted``, ``NotFound`` for a pool that is not there, ``HolderNotFound``, and what the service raises.
        """
        _acts("number.allocate")
        refuse_others(viewer)
        pool = await self._pool(named)
        fault = term_fault(pool.pool_class, body.until, self._clock.now())
        if fault is not None:
            raise term_refused(fault)
        holder = await self._names.known(viewer, body.holder, until=body.until)
        grant = Grant(
            holder=holder,
            role=body.role,
            caller=viewer.caller,
            author=author_of(viewer),
            consumer_ref=body.consumer_ref,
            until=body.until,
        )
        wanted = Wanted(
            count=body.count,
            digits=body.digits,
            pattern=None if body.pattern is None else pattern(body.pattern),
            contiguous=body.contiguous,
            hold=body.hold,
        )
        if key is None and self.groups.serves and _is_plain(pool, grant, wanted):
            given = await self.groups.give((pool.id, pool.code), grant)
            if given is not None:
                return Answer(_receipt(given))
        told_again = False

        async def work() -> Receipt:
            nonlocal told_again
            given = await self._service.allocate(unit, pool, grant, wanted)
            told_again = given.replayed
            return _receipt(given)

        call = Call(viewer.caller, "POST", f"{POOLS}/{pool.id}/allocations", key)
        async with self._database.unit_of_work() as unit:
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
            holder = None if body.holder is None else self._names.named(viewer, body.holder)
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
        """Find a pool to take numbers of, once: its id, code, class and strategy it has for ever, and pools are not removed."""
        found = self._pools.get(named)
        if found is None:
            found = await self._plan.pool(self._source, named)
            if found is None:
                raise NotFound
            if len(self._pools) >= _MOST_POOLS:
                self._pools.clear()
            self._pools[named] = found
        return found


def _is_plain(pool: Pool, grant: Grant, wanted: Wanted) -> bool:
    """Tell whether any one number will do, whoever gets it, for a contact, and nothing is to be known again by."""
    anybodys = pool.strategy is not Strategy.MOBILE_TAIL
    return anybodys and grant.holder.type == "contact" and grant.consumer_ref is None and wanted == Wanted()


def _receipt(given: Allocated) -> Receipt:
    return Receipt(None, {"numbers": [allocated_view(each) for each in given.numbers]})


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
