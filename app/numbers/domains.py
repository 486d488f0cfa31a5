"""Keeping domains and the reserved table for a caller. What does not fit the ranges and numbers that are there is refused."""

from dataclasses import replace
from typing import Final

from sqlalchemy.exc import IntegrityError

from app.audit.authors import written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import FieldError, Invalid, NotFound, PreconditionFailed
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.numbers.conflicts import PROFILES, Profile, Severity, prefix_severity
from app.numbers.errors import DuplicateDomainCode
from app.numbers.plan_errors import (
    MOST_TOLD,
    DomainConflicts,
    DuplicateReserved,
    EmergencyStays,
    ReservedInUse,
)
from app.numbers.plan_reading import PlanReader
from app.numbers.plan_repository import PlanRepository, ReservedNumber
from app.numbers.plan_schemas import DomainAmend, DomainCreate, ReservedCreate
from app.numbers.pool_repository import Domain, PoolRepository
from app.numbers.pools import acts, refuse_others
from app.numbers.ranges import first_prefixes
from app.numbers.rules import reserved_in
from app.numbers.views import reserved_view
from app.permissions.standing import Viewer, author_of

DOMAINS: Final = "/v1/number-domains"
RESERVED: Final = "/v1/reserved-numbers"
_EMERGENCY: Final = "emergency"
_SHAPE: Final = ("first_digits", "shortest", "longest", "access_codes")


class DomainKeeper:
    """Creates and changes domains, and what is reserved in all of them."""

    def __init__(
        self,
        *,
        pools: PoolRepository,
        plan: PlanRepository,
        reader: PlanReader,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, how they are shown, what makes a repeat harmless, and the clock."""
        self._pools, self._plan, self._reader = pools, plan, reader
        self._idempotency, self._clock = idempotency, clock

    async def add(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: DomainCreate) -> Answer:
        """Make a domain once per ``key``. Raises ``NotPermitted``, ``DuplicateDomainCode``, and ``Invalid`` for lengths that cannot be."""
        acts("number_domain.create")
        profile = _shaped(PROFILES[body.profile], body)

        async def work() -> Receipt:
            domain = Domain(id=new_id(), code=body.code, name=body.name, dialling=body.dialling, profile=profile)
            try:
                await self._pools.add_domain(unit.session, domain, at=self._clock.now())
            except IntegrityError as error:
                raise DuplicateDomainCode from error
            await self._announce(viewer, unit, "number_domain.create", {"domain": domain.code})
            return Receipt(domain.id, self._reader.rendered_domain(domain))

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", DOMAINS, key),
            body.model_dump(mode="json"),
            allowed=lambda: refuse_others(viewer),
            work=work,
        )

    async def amend(self, viewer: Viewer, unit: UnitOfWork, named: str, version: str, body: DomainAmend) -> Receipt:
        """Change a domain that the caller saw as ``version``.

        Raises ``NotPermitted``, ``NotFound``, ``PreconditionFailed``, ``Invalid``, and ``DomainConflicts`` where ranges would not fit.
        """
        acts("number_domain.update")
        refuse_others(viewer)
        seen = await self._reader.look_at_domain(viewer, named)
        acts("number_domain.update")
        if not names_version(version, seen.version):
            raise PreconditionFailed
        before = seen.domain
        plain = {name: getattr(body, name) for name in ("name", "dialling") if name in body.model_fields_set}
        after = replace(before, **plain, profile=_shaped(before.profile, body), row_version=before.row_version + 1)
        changed = [name for name in ("name", "dialling") if getattr(after, name) != getattr(before, name)]
        changed += [name for name in _SHAPE if getattr(after.profile, name) != getattr(before.profile, name)]
        if not changed:
            return Receipt(before.id, self._reader.rendered_domain(before), 200)
        await self._pools.lock_domain(unit.session, before.id)
        await self._refuse_misfits(unit, before, after)
        if not await self._plan.update_domain(unit.session, after, seen=before.row_version, at=self._clock.now()):
            raise PreconditionFailed
        await self._announce(viewer, unit, "number_domain.update", {"domain": after.code}, *changed)
        return Receipt(after.id, self._reader.rendered_domain(after), 200)

    async def reserve(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: ReservedCreate) -> Answer:
        """Reserve digits once per ``key``. Raises ``NotPermitted``, ``DuplicateReserved`` and ``ReservedInUse``."""
        acts("number_reserved.create")

        async def work() -> Receipt:
            await self._plan.lock_domains(unit.session)
            entry = ReservedNumber(digits=body.digits, kind=body.kind, name_zh=body.name_zh, name_en=body.name_en)
            if any(each.digits == entry.digits for each in await self._plan.reserved(unit.session)):
                raise DuplicateReserved
            await self._refuse_in_use(unit, entry.digits)
            await self._plan.reserve(unit.session, entry)
            await self._announce(viewer, unit, "number_reserved.create", {"reserved": entry.digits})
            return Receipt(None, reserved_view(entry))

        return await self._idempotency.run(
            unit,
            Call(viewer.caller, "POST", RESERVED, key),
            body.model_dump(mode="json"),
            allowed=lambda: refuse_others(viewer),
            work=work,
        )

    async def open(self, viewer: Viewer, unit: UnitOfWork, digits: str) -> None:
        """Take digits off the reserved table. Raises ``NotPermitted``, ``NotFound`` and ``EmergencyStays``."""
        acts("number_reserved.delete")
        refuse_others(viewer)
        await self._plan.lock_domains(unit.session)
        found = next((each for each in await self._plan.reserved(unit.session) if each.digits == digits), None)
        if found is None:
            raise NotFound
        if found.kind == _EMERGENCY:
            raise EmergencyStays
        await self._plan.open(unit.session, digits)
        await self._announce(viewer, unit, "number_reserved.delete", {"reserved": digits})

    async def _refuse_misfits(self, unit: UnitOfWork, before: Domain, after: Domain) -> None:
        """Raise ``DomainConflicts`` for ranges that fit the domain as it was and would not fit it as it is to be."""
        ranges = await self._plan.ranges(unit.session, after.id)
        pools = await self._pools.pools(unit.session)
        codes = {pool.id: pool.code for pool in pools}
        found: list[dict[str, str]] = []
        for each in ranges:
            strange = after.profile.outside(each.stretch)
            if strange is not None and before.profile.outside(each.stretch) is None:
                found.append({"code": "out_of_range", "pool": codes[each.pool_id], "digits": strange})
            new = set(after.profile.dialled_codes) - set(before.profile.dialled_codes)
            for access, digits in reserved_in(each.stretch, sorted(new)).items():
                found.append({"code": "reserved", "pool": codes[each.pool_id], "digits": digits, "other": access})
        if after.dialling != before.dialling and prefix_severity(after.dialling) is Severity.ERROR:
            found += first_prefixes(ranges, pools)
        if found:
            raise DomainConflicts(found[:MOST_TOLD])

    async def _refuse_in_use(self, unit: UnitOfWork, digits: str) -> None:
        """Raise ``ReservedInUse`` for live numbers, and for those that the worker is about to make."""
        live = await self._plan.colliding(unit.session, digits, limit=MOST_TOLD)
        found = [{"digits": each.digits, "pool": each.pool, "domain": each.domain} for each in live]
        pools = {pool.id: pool for pool in await self._pools.pools(unit.session)}
        for each in await self._plan.in_making(unit.session):
            for first in reserved_in(each.stretch, [digits]).values():
                pool = pools[each.pool_id]
                found.append({"digits": first, "pool": pool.code, "domain": pool.domain})
        if found:
            raise ReservedInUse(found[:MOST_TOLD])

    async def _announce(
        self, viewer: Viewer, unit: UnitOfWork, action: str, query: dict[str, str], *fields: str
    ) -> None:
        draft = written(author_of(viewer), action, self._clock.now(), fields=fields, query=query)
        await add_intent(unit.session, draft)


def _shaped(profile: Profile, body: DomainCreate | DomainAmend) -> Profile:
    """Give ``profile`` with what ``body`` says otherwise; raise ``Invalid`` when the fewest digits are more than the most."""
    given = {name: getattr(body, name) for name in _SHAPE if getattr(body, name) is not None}
    if "access_codes" in given:
        given["access_codes"] = tuple(dict.fromkeys(given["access_codes"]))
    found = replace(profile, **given)
    if found.shortest > found.longest:
        fault = FieldError(
            "/longest", "lengths_reversed", "The most digits are fewer than the fewest.", "最长位数不能小于最短位数。"
        )
        raise Invalid(errors=[fault])
    return found
