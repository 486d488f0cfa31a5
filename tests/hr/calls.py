"""Sending events as a source does, and looking at what they did."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import func, select

from app.audit.models import AuditIntent
from app.auth.models import AccountRow
from app.contacts.models import Contact, ContactChange
from app.crypto.models import DataKeyRow
from app.hr.models import HrEvent
from app.kit.records import OutboxRecord
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import GrantScope
from app.permissions.repository import NewGrant
from tests.support.application import World

TABLES = (HrEvent, Contact, ContactChange, DataKeyRow, AccountRow, AuditIntent, OutboxRecord)


async def post(world: World, body: Mapping[str, Any], *, as_: str = "hr-system", **headers: str) -> httpx.Response:
    """Send an event."""
    return await (await world.as_(as_)).post("/v1/hr/events", json=body, headers=headers)


async def applied(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """Send an event that must apply, and give what is told."""
    answer = await post(world, body)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    assert told["state"] == "applied", told
    return told


async def counted(world: World) -> dict[str, int]:
    """Count the rows of every table that an event can touch."""
    async with world.application.database.session() as session:
        return {
            table.__tablename__: await session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES
        }


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Tell which tables have more rows than before, and how many."""
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


async def grant_to(world: World, employee_no: str, *, of: str, now: datetime | None = None) -> UUID:
    """Grant somebody the mobile of ``of`` for an hour; give their account's id."""
    application, now = world.application, now or datetime.now(UTC)
    async with application.database.unit_of_work() as unit:
        contact = await unit.session.scalar(select(Contact.id).where(Contact.employee_no == employee_no))
        assert contact is not None
        account = await application.accounts.by_contact(unit.session, contact)
        assert account is not None
        given = NewGrant(
            account_id=account.id,
            scope=GrantScope("contact", str(world.people[of])),
            fields=("mobile",),
            outcome=Outcome.CLEAR,
            purpose=Purpose.WORK_CONTACT,
            request_id=uuid4(),
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=1),
        )
        await application.grants.add(unit.session, given, at=now)
    return account.id


async def live_grants(world: World, account_id: UUID, now: datetime | None = None) -> int:
    """Count the grants of an account that are in force."""
    application = world.application
    return len(await application.grants.live(application.database.reader, account_id, now or datetime.now(UTC)))


async def kept(world: World, event_id: str) -> HrEvent:
    """Load the ledger row of an event."""
    async with world.application.database.session() as session:
        row = await session.scalar(select(HrEvent).where(HrEvent.event_id == event_id))
        assert row is not None
        return row


async def listed(world: World, reader: str, **query: str) -> list[dict[str, Any]]:
    """List cards as ``reader``."""
    answer = await (await world.as_(reader)).get("/v1/contacts", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
