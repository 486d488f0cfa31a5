"""All queries on contacts. Reads go straight to the driver and give closed records; writes load rows for a session. Nothing here commits.

Single reads that arrive while another is under way are fetched together: under load one statement serves many requests, and a single
caller waits for nobody. A record is remembered with the row that it was made of and used again only for that very row, so what is
remembered is never stale; it holds what the row holds, C1 members and envelopes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import (
    ColumnElement,
    Integer,
    LargeBinary,
    String,
    Text,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Holder, Query, Source
from app.contacts.criteria import COLUMNS, Criteria, Order, narrowed
from app.contacts.fields import CATALOGUE
from app.contacts.models import LABEL, Contact, ContactChange, ContactDepartment, ContactTag
from app.contacts.record import RowShape, RowUnreadable, readable
from app.contacts.remembered import Listing, RememberedRecords, distrust, identity_of, listing, marked
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import SealBroken
from app.crypto.history_store import HISTORY_KEY_COLUMNS, with_named_key
from app.crypto.sealer import Sealer
from app.crypto.stored import KEY_COLUMNS, found_key, with_key
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.db import Prepared, Reader, Row, Statement
from app.kit.models import Id
from app.permissions.outcomes import Power
from app.permissions.parts import ViewerFacts
from app.permissions.plan import Plan
from app.permissions.predicate import visible

_MOST_TOGETHER: Final = 64
_LEAST_AMONG: Final = 32
_MOST_LISTINGS: Final = 256
NIL: Final = UUID(int=0)
"""Stands for an id until there is one."""

_AS_STORED: Final = {
    **dict.fromkeys(("memberships", "short_numbers", "tags"), Text()),
    **dict.fromkeys(("contract_until", "review_due", "away_until", "retain_until", "unconfirmed_since"), String()),
}
"""Columns that go out as they are stored: JSON is not parsed only to be written again, nor are dates."""
_PLAIN: Final = tuple(
    type_coerce(getattr(Contact, name), _AS_STORED[name]).label(name) if name in _AS_STORED else getattr(Contact, name)
    for name in RowShape.PLAIN
)
_SEALED: Final = tuple(type_coerce(getattr(Contact, field.column), LargeBinary) for field in CATALOGUE.protected)


def _records(*further: ColumnElement[Any]) -> Statement:
    columns = (*_PLAIN, *_SEALED, Contact.digests, Contact.mac, *KEY_COLUMNS, *further)
    return with_key(select(*columns), Contact.id.expression)


def closed_rows() -> Statement:
    """Select rows as ``RowShape`` takes them, for whoever goes over many at once."""
    return _records()


class ContactRepository:
    """Rows of ``contact`` and its side tables."""

    def __init__(self, reader: Reader, sealer: Sealer) -> None:
        """Take the reader, and the sealer that checks a row's MAC without opening anything."""
        self._reader, self._sealer = reader, sealer
        self._waiting: dict[UUID, asyncio.Future[Row | None]] = {}
        self._fetching = False
        self._by_ids: dict[int, Prepared] = {}
        self._marks = marked(reader)
        self._remembered = RememberedRecords(reader, reader.prepare(_records(*self._marks)), self._rows_of)
        self._predicates: WeakKeyDictionary[Plan, dict[frozenset[Power], ColumnElement[bool]]] = WeakKeyDictionary()
        self._listings: OrderedDict[tuple[Any, ...], tuple[ColumnElement[bool], Listing]] = OrderedDict()

    async def by_id(self, identity: UUID, tree: Tree) -> Record | None:
        """Load one closed record; together with others that are asked for at the same time."""
        future = self._waiting.get(identity)
        if future is None:
            future = self._waiting[identity] = asyncio.get_running_loop().create_future()
            if not self._fetching:
                self._fetching = True
                asyncio.get_running_loop().call_soon(self._start)
        row = await asyncio.shield(future)
        return None if row is None else self._remembered.record(row, tree)

    async def by_ids(self, identities: Sequence[UUID], tree: Tree) -> dict[UUID, Record]:
        """Load the closed records of those among ``identities`` that there are."""
        found: dict[UUID, Record] = {}
        for at in range(0, len(identities), _MOST_TOGETHER):
            rows = await self._rows_of(identities[at : at + _MOST_TOGETHER])
            found.update((identity, self._remembered.record(row, tree)) for identity, row in rows.items())
        return found

    def _start(self) -> None:
        self._task = asyncio.create_task(self._fetch_waiting())

    async def _fetch_waiting(self) -> None:
        while self._waiting:
            batch = dict(list(self._waiting.items())[:_MOST_TOGETHER])
            for identity in batch:
                del self._waiting[identity]
            try:
                rows = await self._rows_of(list(batch))
            except Exception as error:  # noqa: BLE001 — handed to every request that waits for this statement
                for future in batch.values():
                    if not future.done():
                        future.set_exception(error)
                        future.exception()
                continue
            for identity, future in batch.items():
                if not future.done():
                    future.set_result(rows.get(identity))
        self._fetching = False

    def prepare(self) -> None:
        """Compile beforehand every statement that loads single records, for a process that is about to serve."""
        for power in range(_MOST_TOGETHER.bit_length()):
            self._loading(1 << power)

    def _loading(self, size: int) -> Prepared:
        prepared = self._by_ids.get(size)
        if prepared is None:
            wanted = [bindparam(f"id{at}", type_=Id()) for at in range(size)]
            prepared = self._by_ids[size] = self._reader.prepare(_records(*self._marks).where(Contact.id.in_(wanted)))
        return prepared

    async def _rows_of(self, identities: Sequence[UUID]) -> dict[UUID, Row]:
        size = 1 << (len(identities) - 1).bit_length()
        prepared = self._loading(size)
        padded = [*identities, *(identities[-1] for _ in range(size - len(identities)))]
        rows = await self._reader.fetch_points(prepared, {f"id{at}": identity for at, identity in enumerate(padded)})
        return {identity_of(row): row for row in rows}

    async def search(
        self,
        criteria: Criteria,
        plan: Plan,
        *,
        order: Order,
        after: tuple[str, UUID] | None,
        limit: int,
        tree: Tree,
    ) -> Sequence[Record]:
        """List closed records that ``plan`` and ``criteria`` allow, from ``after`` (sort key and id) on."""
        page = self._listing(criteria, self._predicate(plan, criteria.powers), order, paged=after is not None)
        values: dict[str, Any] = {**criteria.values, "page": limit}
        if after is not None:
            values["after"], values["after_id"] = after
        return await self._remembered.page(page, values, tree)

    async def among(self, identities: Sequence[UUID], criteria: Criteria, plan: Plan, tree: Tree) -> dict[UUID, Record]:
        """Give the closed records of those among ``identities`` that ``plan`` and ``criteria`` allow, what was typed apart."""
        if not identities:
            return {}
        predicate = self._predicate(plan, criteria.powers)
        size = max(_LEAST_AMONG, 1 << (len(identities) - 1).bit_length())

        def written() -> Listing:
            wanted = [bindparam(f"id{at}", NIL, type_=Id()) for at in range(size)]
            statement = _records(*self._marks).where(Contact.id.in_(wanted), predicate)
            return listing(self._reader, statement.where(*narrowed(criteria, found=False)))

        compiled = self._compiled((id(predicate), criteria.shape[1:], size), predicate, written)
        padded = [*identities, *(identities[-1] for _ in range(size - len(identities)))]
        values = {**criteria.values, **{f"id{at}": identity for at, identity in enumerate(padded)}}
        return {record.subject: record for record in await self._remembered.page(compiled, values, tree)}

    def _listing(self, criteria: Criteria, predicate: ColumnElement[bool], order: Order, *, paged: bool) -> Listing:
        """Compile a list's statement; one that was asked before under the same predicate is not compiled again."""

        def written() -> Listing:
            by = LABEL if order.by == "name" else func.coalesce(getattr(Contact, order.by), "")
            statement = _records(*self._marks).where(predicate, *narrowed(criteria))
            if paged:
                value, identity = bindparam("after", "", type_=String()), bindparam("after_id", NIL, type_=Id())
                beyond = by < value if order.descending else by > value
                later = Contact.id < identity if order.descending else Contact.id > identity
                statement = statement.where(beyond | ((by == value) & later))
            ordering = (by.desc(), Contact.id.desc()) if order.descending else (by, Contact.id)
            return listing(self._reader, statement.order_by(*ordering).limit(bindparam("page", 1, type_=Integer())))

        return self._compiled((id(predicate), criteria.shape, order, paged), predicate, written)

    def _compiled(
        self, key: tuple[Any, ...], predicate: ColumnElement[bool], written: Callable[[], Listing]
    ) -> Listing:
        """Give the compiled statement of this key, made for this very predicate; ``written`` compiles it when there is none."""
        found = self._listings.get(key)
        if found is not None and found[0] is predicate:
            self._listings.move_to_end(key)
            return found[1]
        compiled = written()
        self._listings[key] = (predicate, compiled)
        while len(self._listings) > _MOST_LISTINGS:
            self._listings.popitem(last=False)
        return compiled

    def _predicate(self, plan: Plan, powers: frozenset[Power]) -> ColumnElement[bool]:
        """Write when a contact is visible under ``plan`` with ``powers`` over it; once per plan."""
        known = self._predicates.setdefault(plan, {})
        found = known.get(powers)
        if found is None:
            found = known[powers] = visible(plan, COLUMNS, powers)
        return found

    async def walk(self, after: UUID, tree: Tree, *, limit: int) -> list[Record]:
        """List closed records by id, whoever may see them: for work that counts and shows nobody."""
        later = Contact.id > bindparam("after", type_=Id())
        statement = _records(*self._marks).where(later).order_by(Contact.id).limit(bindparam("page", type_=Integer()))
        rows = await self._reader.fetch_raw(self._reader.prepare(statement), {"after": after, "page": limit})
        return [self._remembered.record(row, tree) for row in rows]

    async def size(self) -> int:
        """Count all contacts there are, whoever may see them."""
        rows = await self._reader.fetch(self._reader.prepare(select(func.count()).select_from(Contact)))
        return int(rows[0][0])

    async def count(self, criteria: Criteria, plan: Plan) -> int:
        """Count what ``search`` would list."""
        predicate = self._predicate(plan, criteria.powers | {Power.COUNT})

        def written() -> Listing:
            statement = select(func.count()).select_from(Contact).where(predicate, *narrowed(criteria))
            return Listing(self._reader.prepare(statement), None)

        compiled = self._compiled((id(predicate), criteria.shape, "count"), predicate, written)
        rows = await self._reader.fetch(compiled.rows, criteria.values)
        return int(rows[0][0])

    async def viewer_facts(self, source: Source, contact_id: UUID) -> ViewerFacts | None:
        """Give what standing needs of a viewer's own contact; ``None`` when the row does not verify."""
        return self.told(await _BY_ID.rows(source, id=contact_id))

    def of_holder(self, holder: Holder) -> Statement:
        """Select the row that ``told`` reads: the holder's own contact."""
        return _records().where(Contact.id == holder.contact)

    def told(self, rows: Sequence[Row]) -> ViewerFacts | None:
        """Give what standing needs of a viewer's own contact; ``None`` when there is none or its row does not verify."""
        if not rows:
            return None
        shape = RowShape(rows[0])
        contact_id = shape.identity
        try:
            intact = self._sealer.existing(contact_id, shape.key).verify(shape.covered, shape.mac)
        except SealBroken:
            return None
        except RowUnreadable:
            intact = False
        if not intact:
            distrust(contact_id)
            return None
        plain = shape.plain
        return ViewerFacts(
            contact_id=contact_id,
            name=plain["name"] or "",
            kind=plain["kind"],
            worker_kind=plain["worker_kind"],
            status=plain["status"],
            department_id=plain["department_id"],
            departments=shape.departments,
            manager_id=plain["manager_id"],
        )

    async def hold(self, session: AsyncSession, contacts: Iterable[UUID]) -> None:
        """Lock rows until the transaction ends, by id, so that two who want the same ones do not wait in a ring."""
        wanted = select(Contact.id).where(Contact.id.in_(sorted(set(contacts)))).order_by(Contact.id)
        await session.execute(wanted.with_for_update())

    async def for_change(self, session: AsyncSession, identity: UUID) -> tuple[Contact, WrappedDataKey] | None:
        """Load one row and its key for a write, locked until the transaction ends; ``None`` when there is none that can be read."""
        try:
            contact = await session.scalar(select(Contact).where(Contact.id == identity).with_for_update())
            if contact is None:
                return None
            readable(memberships=contact.memberships, short_numbers=contact.short_numbers, tags=contact.tags)
        except (orjson.JSONDecodeError, RowUnreadable):
            distrust(identity)
            return None
        key = await found_key(session, identity)
        return None if key is None else (contact, key)

    async def clear_sides(self, session: AsyncSession, identity: UUID) -> None:
        """Empty the side tables of a contact, before they are written anew."""
        for side in (ContactDepartment, ContactTag):
            await session.execute(delete(side).where(side.contact_id == identity))

    async def by_employee_no(self, session: AsyncSession, employee_no: str) -> UUID | None:
        """Find a contact by its employee number."""
        return await session.scalar(select(Contact.id).where(Contact.employee_no == employee_no))

    async def belonging_to(self, session: AsyncSession, department_id: UUID) -> list[UUID]:
        """Name everybody who belongs to a department, mainly or besides, those who left among them."""
        main = select(Contact.id).where(Contact.department_id == department_id)
        besides = select(ContactDepartment.contact_id).where(ContactDepartment.department_id == department_id)
        return sorted({*await session.scalars(main), *await session.scalars(besides)})

    async def taken(self, session: AsyncSession, *, employee_no: str | None, user_name_key: str | None) -> set[str]:
        """Tell which of the two unique names another contact has."""
        found = set()
        if employee_no and await session.scalar(select(Contact.id).where(Contact.employee_no == employee_no)):
            found.add("employee_no")
        if user_name_key and await session.scalar(select(Contact.id).where(Contact.user_name_key == user_name_key)):
            found.add("user_name")
        return found

    async def known(self, session: AsyncSession, identities: Iterable[UUID]) -> set[UUID]:
        """Tell which of these contacts exist and are not gone."""
        wanted = list(identities)
        if not wanted:
            return set()
        rows = await session.scalars(
            select(Contact.id).where(Contact.id.in_(wanted), Contact.status.in_(("active", "frozen", "leaving")))
        )
        return set(rows)

    async def changes(
        self, identity: UUID, *, hidden: Iterable[str], before: UUID | None, limit: int, since_kind: bool = False
    ) -> list[Row]:
        """List changes of a contact but those of ``hidden`` fields, newest first; ``since_kind``: since it is of the kind that it is.

        Columns: id, row version, field, envelope, time, actor type, actor id, request id; then those of the key of history that the
        envelope names, if it names one.
        """
        envelope = type_coerce(ContactChange.value, LargeBinary)
        changes = select(
            ContactChange.id,
            ContactChange.row_version,
            ContactChange.field,
            envelope,
            ContactChange.at,
            ContactChange.actor_type,
            ContactChange.actor_id,
            ContactChange.request_id,
            *HISTORY_KEY_COLUMNS,
        ).where(ContactChange.contact_id == identity, ContactChange.field.not_in(sorted(hidden)))
        statement = with_named_key(changes, ContactChange.contact_id.expression, envelope)
        if since_kind:
            kinds = select(func.max(ContactChange.row_version)).where(
                ContactChange.contact_id == identity, ContactChange.field == "kind"
            )
            statement = statement.where(ContactChange.row_version >= func.coalesce(kinds.scalar_subquery(), 0))
        if before is not None:
            statement = statement.where(ContactChange.id < before)
        return await self._reader.fetch(self._reader.prepare(statement.order_by(ContactChange.id.desc()).limit(limit)))

    async def names(self, identities: Iterable[UUID]) -> dict[UUID, str]:
        """Give the names of contacts, for those whose task is to know who and whom (the access log)."""
        wanted = sorted(set(identities))
        if not wanted:
            return {}
        rows = await self._reader.fetch(
            self._reader.prepare(select(Contact.id, Contact.name).where(Contact.id.in_(wanted)))
        )
        return {identity: name for identity, name in rows if name}


_BY_ID: Final = Query(_records().where(Contact.id == bindparam("id", type_=Id())))
