"""The natural person behind a contact: an operator says which accounts are one human, separation of duties counts humans.

What is not linked is a person of its own. Who wrote past the service gains nothing by it: a contact whose newest row does not verify is
nobody that can be told apart, and whatever asks is refused until an operator has said anew who it is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import Table, func, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.delegation_errors import PersonUnclear, SamePerson
from app.approvals.person_models import PersonLink
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id

_TABLE: Final = PersonLink.__tablename__
_ROWS: Final = cast("Table", PersonLink.__table__)
_COLUMNS: Final[tuple[Any, ...]] = (
    PersonLink.id,
    PersonLink.contact_id,
    PersonLink.number,
    PersonLink.person_id,
    PersonLink.at,
    PersonLink.actor_type,
    PersonLink.actor_id,
    PersonLink.mac,
)
_NAMES: Final = tuple(column.key for column in _COLUMNS[:-1])
_QUEUE: Final = select(func.pg_advisory_xact_lock(func.hashtextextended("person_link", literal_column("0"))))

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    id: UUID
    contact_id: UUID
    number: int
    person_id: UUID
    at: datetime
    actor_type: str
    actor_id: str


class Persons:
    """Rows of ``person_link``."""

    def __init__(self, signer: RowSigner, clock: Clock) -> None:
        """Take the signer of this table and the clock."""
        self._signer, self._clock = signer, clock

    async def of(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, UUID]:
        """Give the person behind each contact, itself where there is no link; raise ``PersonUnclear``."""
        wanted = set(contacts)
        found = {each: each for each in wanted}
        for link in (await self._newest(source, wanted)).values():
            if link is None:
                raise PersonUnclear
            found[link.contact_id] = link.person_id
        return found

    async def join(self, unit: UnitOfWork, author: Author, one: UUID | None, other: UUID | None) -> frozenset[UUID]:
        """Say that two contacts are one person, with everybody whom they are already; give all of them. Raises ``SamePerson``."""
        if one is None or other is None or one == other:
            raise SamePerson
        await self._queue(unit.session)
        newest = await self._newest(unit.session, {one, other})
        known = {each: _person(each, newest.get(each)) for each in (one, other)}
        everybody = {one, other} | await self._behind(unit.session, set(known.values()))
        person = next((behind for each, behind in known.items() if behind != each), None) or new_id()
        there = await self._newest(unit.session, everybody)
        changed = [each for each in sorted(everybody) if (link := there.get(each)) is None or link.person_id != person]
        if changed:
            await self._write(unit, author, dict.fromkeys(changed, person))
            draft = written(author, "person.join", self._clock.now(), contacts=sorted(everybody))
            await add_intent(unit.session, draft)
        return frozenset(everybody)

    async def part(self, unit: UnitOfWork, author: Author, contact: UUID | None) -> bool:
        """Say that a contact is nobody else's card; ``False`` when nobody said otherwise. Raises ``SamePerson`` for no contact at all."""
        if contact is None:
            raise SamePerson
        await self._queue(unit.session)
        newest = await self._newest(unit.session, {contact})
        if contact not in newest or ((link := newest[contact]) is not None and link.person_id == contact):
            return False
        await self._write(unit, author, {contact: contact})
        await add_intent(unit.session, written(author, "person.part", self._clock.now(), contacts=[contact]))
        return True

    async def _behind(self, session: AsyncSession, persons: Collection[UUID]) -> set[UUID]:
        """Give the contacts behind which one of these persons is now."""
        ever = select(PersonLink.contact_id).where(PersonLink.person_id.in_(sorted(persons))).distinct()
        contacts = set(await session.scalars(ever))
        newest = await self._newest(session, contacts)
        return {each for each, link in newest.items() if link is not None and link.person_id in persons}

    async def _newest(self, source: Source, contacts: Collection[UUID]) -> dict[UUID, _Link | None]:
        """Give the newest link of each contact that has one; ``None`` where it does not verify, which is reported."""
        if not contacts:
            return {}
        statement = select(*_COLUMNS).where(PersonLink.contact_id.in_(sorted(contacts)))
        rows = await Query(statement.order_by(PersonLink.contact_id, PersonLink.number)).rows(source)
        newest = {row[1]: row for row in rows}
        return {contact: self._believed(row) for contact, row in newest.items()}

    def _believed(self, row: Iterable[Any]) -> _Link | None:
        *values, mac = row
        if self._signer.verify(_TABLE, values, mac):
            return _Link(**dict(zip(_NAMES, values, strict=True)))
        _log.error("row_mac_mismatch", table=_TABLE, row=str(values[0]))
        return None

    async def _write(self, unit: UnitOfWork, author: Author, persons: Mapping[UUID, UUID]) -> None:
        counted = (
            select(PersonLink.contact_id, func.max(PersonLink.number))
            .where(PersonLink.contact_id.in_(sorted(persons)))
            .group_by(PersonLink.contact_id)
        )
        numbers = {row[0]: int(row[1]) for row in await unit.session.execute(counted)}
        rows = []
        for contact, person in sorted(persons.items()):
            values = (
                new_id(),
                contact,
                numbers.get(contact, 0) + 1,
                person,
                self._clock.now(),
                author.type,
                author.id,
            )
            rows.append({**dict(zip(_NAMES, values, strict=True)), "mac": self._signer.sign(_TABLE, values)})
        await unit.session.execute(insert(_ROWS), rows)

    async def _queue(self, session: AsyncSession) -> None:
        """Let links be made one after the other (SQLite has one writer anyway)."""
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(_QUEUE)


def _person(contact: UUID, link: _Link | None) -> UUID:
    return contact if link is None else link.person_id
