"""All queries on links and groups of provisioning clients; a row that was edited past the service is reported and is not there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, column, delete, select, table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.kit.db import Reader
from app.kit.models import Id
from app.kit.query import Query
from app.scim.errors import ExternalIdTaken, GroupExists
from app.scim.models import ScimGroup, ScimLink

SCIM: Final = "scim"
"""Label of the key of both tables."""
_AT_ONCE: Final = 500
_CONTACT: Final = table("contact", column("id", Id), column("status", String))
_ARCHIVED: Final = select(_CONTACT.c.id).where(_CONTACT.c.status == "archived")


@dataclass(frozen=True, slots=True)
class Link:
    """What a client calls a contact, and what of it the client has not said."""

    client_id: str
    contact_id: UUID
    external_id: str | None = None
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TagGroup:
    """A tag under an id of its own."""

    id: UUID
    client_id: str
    tag: str
    external_id: str | None
    created_at: datetime
    updated_at: datetime


class ScimRepository:
    """Rows of ``scim_link`` and ``scim_group``. Nothing here commits."""

    def __init__(self, reader: Reader, signer: RowSigner) -> None:
        """Take the reader, and the signer of both tables."""
        self._reader = reader
        self.links = Rows(ScimLink, Link, signer, key=("client_id", "contact_id"))
        self.groups = Rows(ScimGroup, TagGroup, signer)
        link = self.links.table.c
        self._external = Query(
            self.links.select(
                link.client_id == bindparam("client", type_=String()),
                link.external_id == bindparam("external", type_=String()),
            )
        )
        self._group = by_id(self.groups)
        self._groups = Query(self.groups.select())

    async def of(self, client_id: str, contacts: Sequence[UUID]) -> dict[UUID, Link]:
        """Give the client's links to these contacts."""
        found: dict[UUID, Link] = {}
        link = self.links.table.c
        for at in range(0, len(contacts), _AT_ONCE):
            some = self.links.select(link.client_id == client_id, link.contact_id.in_(contacts[at : at + _AT_ONCE]))
            rows = await self._reader.fetch(self._reader.prepare(some))
            found.update((each.contact_id, each) for each in self.links.read(rows))
        return found

    async def by_external_id(self, client_id: str, external_id: str) -> list[UUID]:
        """Find whom a client calls so."""
        found = await self.links.find(self._reader, self._external, client=client_id, external=external_id)
        return [each.contact_id for each in found]

    async def keep(self, session: AsyncSession, link: Link) -> None:
        """Write a link. Raises ``ExternalIdTaken``."""
        rows = self.links.table
        if link.external_id is not None:
            await self._forget_archived(
                session, rows.c.client_id == link.client_id, rows.c.external_id == link.external_id
            )
        named = (rows.c.client_id == link.client_id, rows.c.contact_id == link.contact_id)
        there = (await session.execute(select(rows.c.client_id).where(*named).with_for_update())).first()
        try:
            async with session.begin_nested():
                await (self.links.add if there is None else self.links.put)(session, link)
        except IntegrityError as error:
            raise ExternalIdTaken from error

    async def forget(self, session: AsyncSession, contact_id: UUID) -> None:
        """Delete every client's link to a contact."""
        rows = self.links.table
        await session.execute(delete(rows).where(rows.c.contact_id == bindparam("gone", contact_id, type_=Id())))

    async def sweep(self, session: AsyncSession) -> int:
        """Delete links to contacts that were archived by other means than these clients'; tell how many."""
        return await self._forget_archived(session)

    async def _forget_archived(self, session: AsyncSession, *narrowed: ColumnElement[bool]) -> int:
        rows = self.links.table
        gone = delete(rows).where(rows.c.contact_id.in_(_ARCHIVED), *narrowed).returning(rows.c.contact_id)
        return len((await session.execute(gone)).all())

    async def group(self, identity: UUID) -> TagGroup | None:
        """Find a group."""
        return next(iter(await self.groups.find(self._reader, self._group, wanted=identity)), None)

    async def lock_group(self, session: AsyncSession, identity: UUID) -> TagGroup | None:
        """Find a group and let nobody else change it until the transaction ends."""
        return next(iter(await self.groups.locked(session, self.groups.table.c.id == identity)), None)

    async def every_group(self) -> list[TagGroup]:
        """List all groups that were made here."""
        return await self.groups.find(self._reader, self._groups)

    async def add_group(self, session: AsyncSession, group: TagGroup) -> None:
        """Write a new group. Raises ``GroupExists``."""
        try:
            async with session.begin_nested():
                await self.groups.add(session, group)
        except IntegrityError as error:
            raise GroupExists from error

    async def put_group(self, session: AsyncSession, group: TagGroup, *, at: datetime) -> TagGroup:
        """Write a group as it is from now on. Raises ``GroupExists``."""
        written = replace(group, updated_at=at)
        try:
            async with session.begin_nested():
                await self.groups.put(session, written)
        except IntegrityError as error:
            raise GroupExists from error
        return written

    async def drop_group(self, session: AsyncSession, identity: UUID) -> None:
        """Delete a group."""
        rows = self.groups.table
        await session.execute(delete(rows).where(rows.c.id == bindparam("gone", identity, type_=Id())))
