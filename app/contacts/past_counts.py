"""How much of history a purge reaches: whose, how many changes, and what it cannot reach. Counts; nothing is opened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Select, and_, case, func, select, type_coerce
from sqlalchemy.sql import false

from app.contacts.models import Contact, ContactChange
from app.crypto.history_purging import lives_before, went_with
from app.crypto.history_store import HISTORY_KEY_COLUMNS, with_named_key
from app.kit.query import Query, Source


def contacts_of(departments: frozenset[UUID]) -> Select[UUID]:
    """Select the contacts whose main department is one of these."""
    return select(Contact.id).where(Contact.department_id.in_(sorted(departments)))


def these(contacts: frozenset[UUID]) -> Select[UUID]:
    """Select those of ``contacts`` that there are."""
    return select(Contact.id).where(Contact.id.in_(sorted(contacts)) if contacts else false())


async def reached(source: Source, quarter: int, ends: datetime, among: Select[UUID] | None = None) -> tuple[int, int]:
    """Count values of history under keys of quarters before ``quarter``, and those of before ``ends`` that are under the card's key."""
    return await _counted(source, lives_before(quarter), ends, among)


async def gone(source: Source, purge: UUID, ends: datetime, among: Select[UUID] | None = None) -> tuple[int, int]:
    """Count values that a purge has taken from history, and those of before ``ends`` that are under the card's key."""
    return await _counted(source, went_with(purge), ends, among)


async def _counted(
    source: Source, under: ColumnElement[bool], ends: datetime, among: Select[UUID] | None
) -> tuple[int, int]:
    envelope, handle = type_coerce(ContactChange.value, LargeBinary), HISTORY_KEY_COLUMNS[0]
    older = and_(handle.is_(None), ContactChange.at < ends)
    statement = select(func.count(case((under, 1))), func.count(case((older, 1)))).select_from(ContactChange)
    counting = with_named_key(statement, ContactChange.contact_id.expression, envelope)
    counting = counting.where(ContactChange.value.is_not(None))
    if among is not None:
        counting = counting.where(ContactChange.contact_id.in_(among))
    ((taken, left),) = await Query(counting).rows(source)
    return taken, left
