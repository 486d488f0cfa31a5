"""Exceptions as approved requests will give them, and marks, for tests that start from there."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.kit.models import new_id
from app.permissions.grants import NewGrant
from app.permissions.marks import MarkKind, MarkReason
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import GrantScope
from tests.support.application import World


async def account_of(world: World, name: str) -> UUID:
    """Give the id of a person's account."""
    account = await world.application.accounts.by_user_name(world.application.database.reader, name)
    assert account is not None
    return account.id


async def give(world: World, holder: str, scope: GrantScope, **members: Any) -> UUID:  # noqa: ANN401 — members of a grant
    """Give somebody the mobiles of a scope for a quarter of an hour; give the grant's id."""
    now = world.application.clock.now()
    given: dict[str, Any] = {
        "account_id": await account_of(world, holder),
        "scope": scope,
        "fields": ("mobile",),
        "outcome": Outcome.CLEAR,
        "purpose": Purpose.WORK_CONTACT,
        "request_id": new_id(),
        "starts_at": now,
        "ends_at": now + timedelta(minutes=15),
        **members,
    }
    async with world.application.database.unit_of_work() as unit:
        return await world.application.grants.add(unit.session, NewGrant(**given), at=now)


async def set_mark(
    world: World,
    name: str,
    kind: MarkKind = MarkKind.SUSPENDED,
    reason: MarkReason = MarkReason.INVESTIGATION,
    *,
    at: datetime | None = None,
    until: datetime | None = None,
) -> UUID:
    """Mark somebody, as an operator does; ``at`` where what asks has a clock of its own."""
    application = world.application
    account, now = await account_of(world, name), at or application.clock.now()
    async with application.database.unit_of_work() as unit:
        return await application.marks.add(unit.session, account, kind, reason, at=now, until=until, operator="os:test")


async def end_mark(world: World, name: str, kind: MarkKind = MarkKind.SUSPENDED) -> None:
    """Take a mark off, as an operator does."""
    application = world.application
    account = await account_of(world, name)
    async with application.database.unit_of_work() as unit:
        await application.marks.end(unit.session, account, kind, at=application.clock.now())
