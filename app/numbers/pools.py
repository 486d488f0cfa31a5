"""Keeping the plan for a caller: domains, pools and ranges. May they, have they seen what they change, and what they are told.

Who adds a range queues behind whoever adds another one to the domain, so two ranges that overlap cannot both be found free of overlap.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.errors import UnknownDepartment
from app.kit.clock import Clock
from app.kit.context import current_request
from app.kit.db import Reader, UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import FieldError, NotFound, PreconditionFailed
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.outbox import enqueue
from app.numbers.errors import (
    DuplicateDomainCode,
    DuplicatePoolCode,
    RangeOverlaps,
    RangeRefused,
    RangeReserved,
    RangeTooLarge,
    UnknownDomain,
)
from app.numbers.jobs import CHUNK, MATERIALISE, fill
from app.numbers.pool_repository import Domain, Held, Pool, PoolRepository, department_stays
from app.numbers.reading import NumberReader
from app.numbers.rules import CLASS_DAYS, NUMBER_KEEPERS, RangeMalformed, Stretch, collision, reserved_in, stretch
from app.numbers.schemas import DomainCreate, PoolAmend, PoolCreate, RangeCreate
from app.numbers.views import domain_view, range_view
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer, author_of

DOMAINS: Final = "/v1/number-domains"
POOLS: Final = "/v1/number-pools"
MOST_NUMBERS: Final = 1_000_000
_FIRST_DOMAIN: Final = "main"


def refuse_others(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` for a person who holds none of ``NUMBER_KEEPERS``, whatever scopes the token carries.

    Clause S3-1: numbers are given out by one office; everybody else asks it (request kinds ``number.*``).
    """
    if viewer.standing.kind == "person" and viewer.standing.roles.isdisjoint(NUMBER_KEEPERS):
        raise NotPermitted


class PoolKeeper:
    """Creates and changes what numbers are made of."""

    def __init__(
        self, *, plan: PoolRepository, reader: NumberReader, source: Reader, idempotency: Idempotency, clock: Clock
    ) -> None:
        """Take the rows, how they are shown, where to look outside of a transaction, what makes a repeat harmless, and the clock."""
        self._plan, self._reader, self._source = plan, reader, source
        self._idempotency, self._clock = idempotency, clock

    async def add_domain(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: DomainCreate) -> Answer:
        """Make a domain once per ``key``. Raises ``NotPermitted`` and ``DuplicateDomainCode``."""
        _acts("number_domain.create")

        async def work() -> Receipt:
            domain = Domain(id=new_id(), code=body.code, name=body.name, dialling=body.dialling)
            try:
                await self._plan.add_domain(unit.session, domain, at=self._clock.now())
            except IntegrityError as error:
                raise DuplicateDomainCode from error
            await self._announce(viewer, unit, "number_domain.create", {"domain": domain.code})
            return Receipt(domain.id, domain_view(domain))

        return await self._once(viewer, unit, Call(viewer.caller, "POST", DOMAINS, key), body, work)

    async def add_pool(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: PoolCreate) -> Answer:
        """Make a pool once per ``key``. Raises ``NotPermitted``, ``DuplicatePoolCode``, ``UnknownDomain``, ``UnknownDepartment``."""
        _acts("number_pool.create")

        async def work() -> Receipt:
            domain = await self._plan.domain(unit.session, body.domain or _FIRST_DOMAIN)
            if domain is None:
                raise UnknownDomain
            days = CLASS_DAYS[body.pool_class] if body.quarantine_days is None else body.quarantine_days
            pool = Pool(
                id=new_id(),
                domain_id=domain.id,
                domain=domain.code,
                code=body.code,
                name=body.name,
                pool_class=body.pool_class,
                strategy=body.strategy,
                quarantine_days=days,
                department_id=_department(viewer, body.department),
                joiners=body.joiners,
                low_water=body.low_water,
                confirms=body.confirms,
            )
            await self._refuse_strangers(unit, pool)
            try:
                await self._plan.add_pool(unit.session, pool, at=self._clock.now())
            except IntegrityError as error:
                raise DuplicatePoolCode from error
            await self._announce(viewer, unit, "number_pool.create", {"pool": pool.code})
            return Receipt(pool.id, self._reader.rendered(pool))

        return await self._once(viewer, unit, Call(viewer.caller, "POST", POOLS, key), body, work)

    async def amend_pool(self, viewer: Viewer, unit: UnitOfWork, named: str, version: str, body: PoolAmend) -> Receipt:
        """Change a pool that the caller saw as ``version``. Raises ``NotPermitted``, ``NotFound``, ``PreconditionFailed``."""
        _acts("number_pool.update")
        refuse_others(viewer)
        seen = await self._reader.look(viewer, named)
        _acts("number_pool.update")
        if not names_version(version, seen.version):
            raise PreconditionFailed
        given = {name: getattr(body, name) for name in body.model_fields_set}
        if "department" in given:
            given["department_id"] = _department(viewer, given.pop("department"))
        after = replace(seen.pool, **given, row_version=seen.pool.row_version + 1)
        changed = sorted(name for name in given if getattr(after, name) != getattr(seen.pool, name))
        if not changed:
            return Receipt(seen.pool.id, self._reader.rendered(seen.pool), 200)
        if "department_id" in changed:
            await self._refuse_strangers(unit, after)
        if not await self._plan.update_pool(unit.session, after, seen=seen.pool.row_version, at=self._clock.now()):
            raise PreconditionFailed
        await self._announce(viewer, unit, "number_pool.update", {"pool": after.code}, *changed)
        return Receipt(after.id, self._reader.rendered(after), 200)

    async def add_range(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, named: str, body: RangeCreate
    ) -> Answer:
        """Add numbers to a pool once per ``key``: at once, or, more than a chunk of them, by the worker (then the receipt is a 202).

        Raises ``NotPermitted``, ``NotFound``, ``RangeRefused``, ``RangeTooLarge``, ``RangeReserved`` and ``RangeOverlaps``.
        """
        _acts("number_pool.range")
        refuse_others(viewer)
        pool = await self._plan.pool(self._source, named)
        if pool is None:
            raise NotFound
        found = _read(body)

        async def work() -> Receipt:
            await self._plan.lock_domain(unit.session, pool.domain_id)
            await self._refuse_collisions(unit, pool, found)
            held = Held(
                id=new_id(),
                pool_id=pool.id,
                domain_id=pool.domain_id,
                stretch=found,
                materialised=0,
                created_at=self._clock.now(),
            )
            await self._plan.add_range(unit.session, held)
            at_once = found.size <= CHUNK
            if at_once:
                await fill(unit, self._plan, held, pool)
                held = replace(held, materialised=found.size)
            else:
                enqueue(unit, self._clock, MATERIALISE, {"range_id": str(held.id), "pool_id": str(pool.id)})
            detail = {"pool": pool.code, "start": found.first, "end": found.last, "size": str(found.size)}
            await self._announce(viewer, unit, "number_pool.range", detail)
            return Receipt(held.id, range_view(held, pool), 201 if at_once else 202)

        call = Call(viewer.caller, "POST", f"{POOLS}/{pool.id}/ranges", key)
        return await self._once(viewer, unit, call, body, work)

    async def _refuse_strangers(self, unit: UnitOfWork, pool: Pool) -> None:
        """Raise ``UnknownDepartment`` for a department that has just been removed; until the transaction ends it is not."""
        if pool.department_id is not None and not await department_stays(unit.session, pool.department_id):
            pointer = "/department"
            raise UnknownDepartment(pointer)

    async def _refuse_collisions(self, unit: UnitOfWork, pool: Pool, found: Stretch) -> None:
        faults = reserved_in(found, await self._plan.reserved(unit.session))
        if faults:
            raise RangeReserved(faults)
        for each in await self._plan.neighbours(unit.session, pool.domain_id, found):
            digits = collision(found, each.stretch)
            if digits is not None:
                other = await self._plan.pool(unit.session, str(each.pool_id))
                raise RangeOverlaps(pool=other.code if other else "", digits=digits)

    async def _once(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        call: Call,
        body: DomainCreate | PoolCreate | RangeCreate,
        work: Callable[[], Awaitable[Receipt]],
    ) -> Answer:
        return await self._idempotency.run(
            unit,
            call,
            body.model_dump(mode="json", by_alias=True),
            allowed=lambda: refuse_others(viewer),
            work=work,
        )

    async def _announce(
        self, viewer: Viewer, unit: UnitOfWork, action: str, query: dict[str, str], *fields: str
    ) -> None:
        draft = written(author_of(viewer), action, self._clock.now(), fields=fields, query=query)
        await add_intent(unit.session, draft)


def _department(viewer: Viewer, named: str | None) -> UUID | None:
    if named is None:
        return None
    node = viewer.tree.find(named)
    if node is None:
        raise UnknownDepartment("/department")
    return node.id


def _read(body: RangeCreate) -> Stretch:
    try:
        found = stretch(body.start, body.end, body.step, body.excluded)
    except RangeMalformed as fault:
        raise RangeRefused(errors=[FieldError(fault.pointer, fault.code, fault.english, fault.chinese)]) from fault
    if found.size > MOST_NUMBERS:
        raise RangeTooLarge(most=MOST_NUMBERS)
    return found


def _acts(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action
