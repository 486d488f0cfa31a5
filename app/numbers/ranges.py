"""Adding ranges, and holding the plan against itself: what must not stand side by side is refused, what may but should not is told.

Who adds a range queues behind whoever adds another one to the domain, or reserves digits, so of two that cannot be together the second
sees the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import Reader, UnitOfWork
from app.kit.errors import FieldError, NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.outbox import enqueue
from app.numbers.conflicts import NumberVerdict, Severity, meeting, prefix_severity
from app.numbers.errors import RangeOverlaps, RangeRefused, RangeReserved, RangeTooLarge
from app.numbers.jobs import CHUNK, MATERIALISE, RESCHEDULE, fill
from app.numbers.plan_errors import MOST_TOLD, RangeConflicts, RangeIsOpen, RangeOutsideDomain
from app.numbers.plan_repository import PlanRepository
from app.numbers.plan_schemas import RangeAmend, RangeCreate
from app.numbers.pool_repository import Domain, Held, Pool, PoolRepository
from app.numbers.pools import POOLS, acts, refuse_others
from app.numbers.rules import RangeMalformed, Stretch, reserved_in, stretch
from app.numbers.views import range_view
from app.permissions.jobs import JobBooking
from app.permissions.standing import Viewer, author_of

MOST_NUMBERS: Final = 1_000_000
JOBS: Final = "/v1/jobs"


class RangeKeeper:
    """Adds ranges to pools."""

    def __init__(
        self,
        *,
        pools: PoolRepository,
        plan: PlanRepository,
        source: Reader,
        idempotency: Idempotency,
        jobs: JobBooking,
        clock: Clock,
    ) -> None:
        """Take the rows, where to look outside of a transaction, what makes a repeat harmless, where long work is booked, and the clock."""
        self._pools, self._plan, self._source, self._jobs = pools, plan, source, jobs
        self._idempotency, self._clock = idempotency, clock

    async def add(self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: str, body: RangeCreate) -> Answer:
        """Add a range to a pool once per ``key``; a large one is filled by the worker, and the receipt is a 202 with its job.

        Raises ``NotPermitted``, ``NotFound``, ``RangeRefused``, ``RangeTooLarge``, ``RangeReserved``, ``RangeOutsideDomain``,
        ``RangeOverlaps`` and ``RangeConflicts``.
        """
        acts("number_pool.range")
        refuse_others(viewer)
        known = await self._pools.pool(self._source, named)
        if known is None:
            raise NotFound
        found = _read(body)
        if body.opens_at is not None and body.opens_at <= self._clock.now():
            past = FieldError("/opens_at", "in_the_past", "This moment has been.", "该时间已过。")
            raise RangeRefused(errors=[past])

        async def work() -> Receipt:
            await self._pools.lock_domain(unit.session, known.domain_id)
            pool = await self._pools.pool(unit.session, str(known.id))
            domain = await self._pools.domain(unit.session, known.domain)
            if pool is None or domain is None:
                raise NotFound
            warnings = await self._checked(unit, domain, found)
            held = Held(
                id=new_id(),
                pool_id=pool.id,
                domain_id=pool.domain_id,
                stretch=found,
                materialised=0,
                created_at=self._clock.now(),
                opens_at=body.opens_at,
            )
            await self._pools.add_range(unit.session, held)
            at_once, job = found.size <= CHUNK, None
            if at_once:
                await fill(unit, self._pools, held, pool)
                held = replace(held, materialised=found.size)
            else:
                where = f"{POOLS}/{pool.id}/ranges"
                job = await self._jobs.begin(unit, viewer, MATERIALISE, resource=where, total=found.size)
                work = {"range_id": str(held.id), "pool_id": str(pool.id), "job_id": str(job)}
                enqueue(unit, self._clock, MATERIALISE, work)
            detail = {"pool": pool.code, "start": found.first, "end": found.last, "size": str(found.size)}
            await add_intent(
                unit.session, written(author_of(viewer), "number_pool.range", self._clock.now(), query=detail)
            )
            told = {**range_view(held, pool), "warnings": warnings, "job": None if job is None else f"{JOBS}/{job}"}
            return Receipt(held.id, told, 201 if at_once else 202)

        call = Call(viewer.caller, "POST", f"{POOLS}/{known.id}/ranges", key)
        return await self._idempotency.run(
            unit, call, body.model_dump(mode="json"), allowed=lambda: refuse_others(viewer), work=work
        )

    async def amend(self, viewer: Viewer, unit: UnitOfWork, named: str, identity: UUID, body: RangeAmend) -> Receipt:
        """Say when a planned range opens, instead of what was said: later, earlier or at once.

        Raises ``NotPermitted``, ``NotFound`` and ``RangeIsOpen``.
        """
        acts("number_pool.range_opening")
        refuse_others(viewer)
        pool = await self._pools.pool(self._source, named)
        held = None if pool is None else await self._pools.range(unit.session, identity)
        if pool is None or held is None or held.pool_id != pool.id:
            raise NotFound
        now = self._clock.now()
        if held.opens_at is None or held.opens_at <= now:
            raise RangeIsOpen
        at = now if body.opens_at is None else max(now, body.opens_at)
        after = replace(held, opens_at=at)
        await self._pools.open_range(unit.session, held, at)
        last = await self._pools.reschedule(unit.session, after, after="", limit=CHUNK)
        if last is not None:
            enqueue(unit, self._clock, RESCHEDULE, {"range_id": str(held.id), "after": last})
        detail = {"pool": pool.code, "start": held.stretch.first, "end": held.stretch.last, "opens_at": at.isoformat()}
        await add_intent(
            unit.session, written(author_of(viewer), "number_pool.range_opening", self._clock.now(), query=detail)
        )
        return Receipt(held.id, range_view(after, pool), 200)

    async def _checked(self, unit: UnitOfWork, domain: Domain, found: Stretch) -> list[dict[str, str]]:
        reserved = [each.digits for each in await self._plan.reserved(unit.session)]
        faults = reserved_in(found, [*reserved, *domain.profile.dialled_codes])
        if faults:
            raise RangeReserved(faults)
        strange = domain.profile.outside(found)
        if strange is not None:
            profile = domain.profile
            raise RangeOutsideDomain(
                digits=strange,
                first_digits=profile.first_digits,
                shortest=profile.shortest,
                longest=profile.longest,
            )
        neighbours = await self._plan.neighbours(unit.session, domain.id, found)
        pools = {pool.id: pool for pool in await self._pools.pools(unit.session)}
        prefixes = []
        for each in neighbours:
            met = meeting(found, each.stretch)
            if met is None:
                continue
            if each.stretch.width == found.width:
                raise RangeOverlaps(pool=pools[each.pool_id].code, digits=met[0])
            prefixes.append(told_meeting(met, pools[each.pool_id]))
            if len(prefixes) == MOST_TOLD:
                break
        if prefixes and prefix_severity(domain.dialling) is Severity.ERROR:
            raise RangeConflicts(prefixes)
        return prefixes


def told_meeting(met: tuple[str, str], other: Pool) -> dict[str, str]:
    """Write that a number begins another one, of the pool ``other``, or begins with it."""
    digits, theirs = met
    code = NumberVerdict.PREFIX_OF if len(digits) < len(theirs) else NumberVerdict.EXTENDS
    return {"code": code.value, "digits": digits, "other": theirs, "pool": other.code}


def first_prefixes(ranges: Sequence[Held], pools: Iterable[Pool]) -> list[dict[str, Any]]:
    """List pairs of ranges of one domain of which a number begins another, up to ``MOST_TOLD``."""
    named = {pool.id: pool for pool in pools}
    found: list[dict[str, Any]] = []
    for place, one in enumerate(ranges):
        for two in ranges[place + 1 :]:
            met = None if one.stretch.width == two.stretch.width else meeting(one.stretch, two.stretch)
            if met is not None:
                found.append({**told_meeting(met, named[two.pool_id]), "of": named[one.pool_id].code})
                if len(found) == MOST_TOLD:
                    return found
    return found


def _read(body: RangeCreate) -> Stretch:
    try:
        found = stretch(body.start, body.end, body.step, body.excluded)
    except RangeMalformed as fault:
        raise RangeRefused(errors=[FieldError(fault.pointer, fault.code, fault.english, fault.chinese)]) from fault
    if found.size > MOST_NUMBERS:
        raise RangeTooLarge(most=MOST_NUMBERS)
    return found
