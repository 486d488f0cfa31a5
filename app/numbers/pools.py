"""Keeping pools for a caller: may they, have they seen what they change, and what they are told."""

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
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import PreconditionFailed
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.outbox import enqueue
from app.numbers.errors import DuplicatePoolCode, UnknownDomain
from app.numbers.jobs import CLASSIFY
from app.numbers.plan_reading import PlanReader
from app.numbers.plan_schemas import PoolAmend, PoolCreate
from app.numbers.pool_repository import Pool, PoolRepository, department_stays
from app.numbers.rules import CLASS_DAYS, NUMBER_KEEPERS
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer, author_of

POOLS: Final = "/v1/number-pools"
_FIRST_DOMAIN: Final = "main"


def refuse_others(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` for a person who holds none of ``NUMBER_KEEPERS``, whatever scopes the token carries.

    Clause S3-1: numbers are given out by one office; everybody else asks it (request kinds ``number.*``).
    """
    if viewer.standing.kind == "person" and viewer.standing.roles.isdisjoint(NUMBER_KEEPERS):
        raise NotPermitted


class PoolKeeper:
    """Creates and changes pools."""

    def __init__(self, *, plan: PoolRepository, reader: PlanReader, idempotency: Idempotency, clock: Clock) -> None:
        """Take the rows, how they are shown, what makes a repeat harmless, and the clock."""
        self._plan, self._reader = plan, reader
        self._idempotency, self._clock = idempotency, clock

    async def add_pool(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: PoolCreate) -> Answer:
        """Make a pool once per ``key``. Raises ``NotPermitted``, ``DuplicatePoolCode``, ``UnknownDomain``, ``UnknownDepartment``."""
        acts("number_pool.create")

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
                lead_days=body.lead_days,
                keeps_nice=body.keeps_nice,
                confirms=body.confirms,
                pattern=body.pattern,
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
        acts("number_pool.update")
        refuse_others(viewer)
        seen = await self._reader.look(viewer, named)
        acts("number_pool.update")
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
        if "keeps_nice" in changed:
            await self._plan.lock_domain(unit.session, after.domain_id)
        if not await self._plan.update_pool(unit.session, after, seen=seen.pool.row_version, at=self._clock.now()):
            raise PreconditionFailed
        if "keeps_nice" in changed:
            enqueue(unit, self._clock, CLASSIFY, {"pool_id": str(after.id)})
        await self._announce(viewer, unit, "number_pool.update", {"pool": after.code}, *changed)
        return Receipt(after.id, self._reader.rendered(after), 200)

    async def _refuse_strangers(self, unit: UnitOfWork, pool: Pool) -> None:
        """Raise ``UnknownDepartment`` for a department that has just been removed; until the transaction ends it is not."""
        if pool.department_id is not None and not await department_stays(unit.session, pool.department_id):
            pointer = "/department"
            raise UnknownDepartment(pointer)

    async def _once(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        call: Call,
        body: PoolCreate,
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


def acts(action: str) -> None:
    """Name what the request being served does, for the log."""
    context = current_request()
    if context is not None:
        context.action = action
