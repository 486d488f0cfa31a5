"""What reading contacts remembers, and how it knows that nothing has changed since: never by age, always by asking the store.

A record is remembered with the row that it was made of. A page is made of remembered records without fetching their rows when the store
vouches for them: PostgreSQL by the place and the writing transaction of each row (``marks``, all of a page's in one value), SQLite by one
number that every commit of anybody changes (``stamp``). What is remembered holds what rows hold, C1 members and envelopes; the gate
believes none of it unverified.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import LargeBinary, func, literal_column, select, type_coerce
from sqlalchemy.sql.expression import ColumnElement

from app.contacts.record import RowShape, RowUnreadable, unreadable_record
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.db import Prepared, Reader, Row, Statement

_log = structlog.get_logger("duanhao.security")

_MOST_RECORDS: Final = 4096
_MOST_ON_PAGES: Final = 8192
"""Records on remembered pages, all pages together."""
_MOST_APART: Final = 64
"""Rows of a page that are fetched apart from it; above, the page is fetched whole."""
_ID_BYTES: Final = 16
_MARK: Final = type_coerce(
    func.uuid_send(literal_column("contact.id"))
    .concat(func.tidsend(literal_column("contact.ctid")))
    .concat(func.xidsend(literal_column("contact.xmin")))
    .concat(func.tidsend(literal_column("data_key.ctid")))
    .concat(func.xidsend(literal_column("data_key.xmin")))
    .concat(literal_column("contact.mac")),
    LargeBinary,
).label("mark")
"""On PostgreSQL: whose row it is, which version of it, and of its key. Every UPDATE makes a new version, whoever makes it and whatever
triggers are there. The MAC stands with it for a server that was put back to an earlier state, where transactions are numbered again."""
_MARK_BYTES: Final = 16 + 2 * (6 + 4) + 32
"""Of every mark; a row whose MAC somebody made longer or shorter has another, and its page is fetched whole."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The statement of a page, compiled: for its rows, and where the store has marks for these alone, one after the other as one value."""

    rows: Prepared
    marks: Prepared | None


def marked(reader: Reader) -> tuple[ColumnElement[bytes], ...]:
    """Give the last column of a statement for records: its mark, where the store has marks."""
    return (_MARK,) if reader.dialect.name == "postgresql" else ()


def listing(reader: Reader, statement: Statement) -> Listing:
    """Compile a statement for records, as a page is read."""
    if not marked(reader):
        return Listing(reader.prepare(statement), None)
    marks = statement.with_only_columns(*marked(reader), maintain_column_froms=True).subquery("marks")
    joined = type_coerce(func.string_agg(marks.c.mark, literal_column("''::bytea")), LargeBinary)
    return Listing(reader.prepare(statement), reader.prepare(select(joined)))


@dataclass(frozen=True, slots=True)
class _Page:
    stamp: int | bytes
    tree: Tree
    records: Sequence[Record]


class RememberedRecords:
    """Makes records of rows, each once."""

    def __init__(
        self, reader: Reader, shape: Prepared, rows_of: Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, Row]]]
    ) -> None:
        """Take the reader, a statement for records to read its rows by, and what fetches rows by their ids."""
        self._reader, self._shape, self._rows_of = reader, shape, rows_of
        self._made: dict[Any, tuple[Row, Tree, Record]] = {}
        self._marked: dict[bytes, tuple[Tree, Record]] = {}
        self._pages: OrderedDict[tuple[Any, ...], _Page] = OrderedDict()
        self._on_pages = 0

    def record(self, raw: Row, tree: Tree) -> Record:
        """Make a closed record of a row; a row that is to the last byte the one seen before is the record made before."""
        found = self._made.get(raw[0])
        if found is not None and found[1] is tree and found[0] == raw:
            return found[2]
        try:
            record = record_of(self._shape.row(raw), tree)
        except (RowUnreadable, TypeError, ValueError):
            identity = UUID(int=identity_of(raw).int)
            distrust(identity)
            return unreadable_record(raw, identity)
        _put(self._made, raw[0], (raw, tree, record))
        if marked(self._reader):
            _put(self._marked, raw[-1], (tree, record))
        return record

    async def page(self, listing: Listing, values: Mapping[str, Any], tree: Tree) -> Sequence[Record]:
        """Give the records of a page as it is now."""
        if listing.marks is not None:
            return await self._by_marks(listing, listing.marks, values, tree)
        stamp = self._reader.stamp()
        if stamp is None:
            return await self._fetched(listing, values, tree)
        key = (listing.rows, *values.values())
        page = self._pages.get(key)
        if page is None or page.stamp != stamp or page.tree is not tree:
            page = _Page(stamp, tree, await self._fetched(listing, values, tree))
            self._remember(key, page)
        return page.records

    async def _fetched(self, listing: Listing, values: Mapping[str, Any], tree: Tree) -> Sequence[Record]:
        return [self.record(row, tree) for row in await self._reader.fetch_raw(listing.rows, values)]

    async def _by_marks(
        self, listing: Listing, marks: Prepared, values: Mapping[str, Any], tree: Tree
    ) -> Sequence[Record]:
        """Give the page of the marks that the store tells now: the one of before, or with its unknown rows fetched apart, or all."""
        ((stamp,),) = await self._reader.fetch_raw(marks, values)
        stamp = stamp or b""
        key = (listing.rows, *values.values())
        page = self._pages.get(key)
        if page is not None and page.stamp == stamp and page.tree is tree:
            return page.records
        found = await self._marked_so(stamp, tree)
        if found is None:
            return await self._fetched(listing, values, tree)
        self._remember(key, _Page(stamp, tree, found))
        return found

    async def _marked_so(self, stamp: bytes, tree: Tree) -> Sequence[Record] | None:
        """Give the records that these marks are of, in their order; ``None`` when the page is to be fetched whole."""
        wanted = [stamp[at : at + _MARK_BYTES] for at in range(0, len(stamp), _MARK_BYTES)]
        get = self._marked.get
        known = {mark: found[1] for mark in wanted if (found := get(mark)) is not None and found[0] is tree}
        unknown = [mark for mark in wanted if mark not in known]
        if len(unknown) > _MOST_APART or len(stamp) % _MARK_BYTES:
            return None
        if unknown:
            rows = await self._rows_of([UUID(bytes=mark[:_ID_BYTES]) for mark in unknown])
            known.update((row[-1], self.record(row, tree)) for row in rows.values())
        return [known[mark] for mark in wanted] if all(mark in known for mark in unknown) else None

    def _remember(self, key: tuple[Any, ...], page: _Page) -> None:
        """Keep a page under the stamp that was read before it, or that it was found by: if it is newer, the stamp has moved on already."""
        before = self._pages.pop(key, None)
        self._pages[key] = page
        self._on_pages += len(page.records) - (0 if before is None else len(before.records))
        while self._on_pages > _MOST_ON_PAGES:
            _, gone = self._pages.popitem(last=False)
            self._on_pages -= len(gone.records)


def _put(remembered: dict[Any, Any], key: object, value: object) -> None:
    if len(remembered) >= _MOST_RECORDS:
        remembered.pop(next(iter(remembered)))
    remembered[key] = value


def record_of(row: Row, tree: Tree) -> Record:
    """Make a closed record of a row; raise ``RowUnreadable`` when what its MAC covers is of another kind than the service writes."""
    shape = RowShape(row)
    covered = shape.covered
    if not all(value is None or isinstance(value, str | bytes) for value in covered):
        raise RowUnreadable
    return Record(
        subject=shape.identity,
        key=shape.key,
        cohort=shape.cohort,
        boxes=shape.boxes,
        covered=covered,
        mac=shape.mac,
        public=shape.public(tree),
        consented=shape.plain["consented"],
    )


def identity_of(raw: Row) -> UUID:
    """Read the id of a row as the driver gave it."""
    identity = raw[0]
    return identity if isinstance(identity, UUID) else UUID(bytes=identity)


def distrust(identity: UUID) -> None:
    """Tell security of a row that somebody edited past the service."""
    _log.error("row_mac_mismatch", table="contact", row=str(identity))
