"""All queries on provisions and what belongs to them, behind row MACs, and the box of what is told in words. Nothing here commits.

A row that was edited past us is reported and is not there: nothing is packaged by it, and nobody is shown it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.crypto.secretbox import SecretBox
from app.kit.db import Reader
from app.kit.query import Query, Source
from app.provisions.models import ProvisionConsent, ProvisionPackage, ProvisionPart, ProvisionReturn, ProvisionRow
from app.provisions.rules import OVER, Consenter, Package, Part, Provision, ProvisionState, ReturnEntry

PROVISION: Final = "provision"
"""What the keys of this package are named after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which provisions a list asks for; ``concerning`` leaves those with which a person has to do."""

    concerning: UUID | None = None
    state: ProvisionState | None = None
    contract: str | None = None
    responsible: UUID | None = None
    contact: UUID | None = None
    before: UUID | None = None


class ProvisionRepository:
    """Rows of provisions."""

    def __init__(self, signer: RowSigner, box: SecretBox) -> None:
        """Take the signer of the tables, and the box of recipients and of evidence."""
        self._box = box
        self.provisions = Rows(ProvisionRow, Provision, signer)
        self.consents = Rows(ProvisionConsent, Consenter, signer, key=("provision_id", "contact_id"))
        self.packages = Rows(ProvisionPackage, Package, signer)
        self.parts = Rows(ProvisionPart, Part, signer, key=("package_id", "contact_id"))
        self.returns = Rows(ProvisionReturn, ReturnEntry, signer)
        self._one = by_id(self.provisions)
        self._package = by_id(self.packages, "provision_id")

    def close(self, identity: UUID, words: Mapping[str, Any]) -> bytes:
        """Box what is told in words, bound to the row of ``identity``."""
        return self._box.close(identity.bytes, orjson.dumps(dict(words)))

    def open(self, identity: UUID, box: bytes) -> dict[str, Any]:
        """Open what ``close`` boxed for this row."""
        found: dict[str, Any] = orjson.loads(self._box.open(identity.bytes, box))
        return found

    async def one(self, source: Source, identity: UUID) -> Provision | None:
        """Find a provision."""
        return next(iter(await self.provisions.find(source, self._one, wanted=identity)), None)

    async def held(self, session: AsyncSession, identity: UUID) -> Provision | None:
        """Find a provision and let nobody change it until the transaction ends."""
        return next(iter(await self.provisions.locked(session, self.provisions.table.c.id == identity)), None)

    async def answered_for(self, session: AsyncSession, person: UUID) -> list[Provision]:
        """Give the provisions that somebody answers for and that are not over, locked, by id."""
        columns = self.provisions.table.c
        live = columns.state.not_in(sorted(each.value for each in OVER))
        found = await self.provisions.locked(session, columns.responsible_id == person, live)
        return sorted(found, key=lambda each: each.id)

    async def add(self, session: AsyncSession, provision: Provision, people: Iterable[UUID]) -> None:
        """Add a provision, and who consented to it."""
        await self.provisions.add(session, provision, state=provision.state.value, next_at=provision.next_at)
        for each in sorted(people):
            await self.consents.add(session, Consenter(provision_id=provision.id, contact_id=each))

    async def save(self, session: AsyncSession, provision: Provision) -> Provision:
        """Write a provision as it is to be; give it with its row version."""
        after = replace(provision, row_version=provision.row_version + 1)
        await self.provisions.put(session, after, state=after.state.value, next_at=after.next_at)
        return after

    async def consenters(self, source: Source, provisions: Sequence[UUID]) -> dict[UUID, list[Consenter]]:
        """Give who consented to provisions, by provision, those who took it back too."""
        found: dict[UUID, list[Consenter]] = {each: [] for each in provisions}
        if found:
            columns = self.consents.table.c
            statement = self.consents.select(columns.provision_id.in_(sorted(found))).order_by(columns.contact_id)
            for each in self.consents.read(await Query(statement).rows(source)):
                found[each.provision_id].append(each)
        return found

    async def package(self, source: Source, provision: UUID) -> Package | None:
        """Give the package of a provision, if it was made."""
        return next(iter(await self.packages.find(source, self._package, wanted=provision)), None)

    async def parts_of(self, source: Source, package: UUID) -> dict[UUID, Part]:
        """Give whose fields were in a package, by contact."""
        statement = self.parts.select(self.parts.table.c.package_id == package)
        return {each.contact_id: each for each in self.parts.read(await Query(statement).rows(source))}

    async def returns_of(self, source: Source, provision: UUID) -> list[ReturnEntry]:
        """List what was said of the return of a provision, oldest first."""
        columns = self.returns.table.c
        statement = self.returns.select(columns.provision_id == provision).order_by(columns.id)
        return self.returns.read(await Query(statement).rows(source))

    async def add_package(self, session: AsyncSession, package: Package, parts: Iterable[Part]) -> None:
        """Add the package of a provision; the store takes no second one."""
        await self.packages.add(session, package)
        for each in parts:
            await self.parts.add(session, each)

    async def page(self, reader: Reader, wanted: Wanted, *, limit: int) -> tuple[list[Provision], UUID | None]:
        """List provisions, newest first, and where the page ends when more follows."""
        columns = self.provisions.table.c
        statement = self.provisions.select(*self._conditions(wanted)).order_by(columns.id.desc()).limit(limit + 1)
        rows = await Query(statement).rows(reader)
        return self.provisions.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def due(self, source: Source, now: datetime, *, but: Iterable[UUID], most: int) -> list[UUID]:
        """Name provisions with which the clock has something to do, leaving out ``but``."""
        columns = self.provisions.table.c
        statement = select(columns.id).where(columns.next_at <= now, columns.id.not_in(list(but)))
        return [row[0] for row in await Query(statement.order_by(columns.next_at).limit(most)).rows(source)]

    async def claimed(self, session: AsyncSession, identity: UUID, now: datetime) -> Provision | None:
        """Hold a provision with which something is still to be done, unless somebody else has it."""
        columns = self.provisions.table.c
        statement = self.provisions.select(columns.id == identity, columns.next_at <= now)
        rows = await session.execute(statement.with_for_update(skip_locked=True))
        return next(iter(self.provisions.read([tuple(row) for row in rows])), None)

    async def contacts(self, source: Source) -> frozenset[UUID]:
        """Give whose data somebody outside has or may still get: what they were told of rests on what history says of then."""
        columns, consents = self.provisions.table.c, self.consents.table.c
        live = select(columns.id).where(columns.state.not_in(sorted(each.value for each in OVER)))
        statement = select(consents.contact_id).where(consents.provision_id.in_(live)).distinct()
        return frozenset(row[0] for row in await Query(statement).rows(source))

    def _conditions(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        columns, consents = self.provisions.table.c, self.consents.table.c
        found: list[ColumnElement[bool]] = []

        def with_consent_of(person: UUID) -> ColumnElement[bool]:
            return columns.id.in_(select(consents.provision_id).where(consents.contact_id == person))

        if (person := wanted.concerning) is not None:
            own = (columns.requester_id == person, columns.responsible_id == person)
            found.append(or_(*own, with_consent_of(person)))
        if wanted.state is not None:
            found.append(columns.state == wanted.state.value)
        if wanted.contract is not None:
            found.append(columns.contract == wanted.contract)
        if wanted.responsible is not None:
            found.append(columns.responsible_id == wanted.responsible)
        if wanted.contact is not None:
            found.append(with_consent_of(wanted.contact))
        if wanted.before is not None:
            found.append(columns.id < wanted.before)
        return found
