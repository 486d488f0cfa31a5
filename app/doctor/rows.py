"""Rows under MACs, all of them: was any edited past the service, so that it is believed no more, or does any stand by a key not its own.

The service leaves such a row out wherever it meets it, and says so in the security log; what nobody has asked for yet only this examination
finds. It walks every table that has a column ``mac`` by its key, a page at a time, so that it needs as much memory for a million rows as
for five hundred, and opens nothing.
"""

from collections.abc import AsyncIterator, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
from sqlalchemy import LargeBinary, Table, Text, bindparam, cast, select, tuple_, type_coerce
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.engine import Dialect

from app import tables
from app.config import Settings
from app.contacts.record import RowUnreadable
from app.crypto.bootstrap import keyring_of
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import KeyUnavailable, SealBroken
from app.crypto.rowmac import RowSigner, RowValue
from app.crypto.sealed import SealedType
from app.crypto.sealer import KeySource, Sealer
from app.doctor.covers import Cover, covers
from app.doctor.erasures import certified
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.keys import opened
from app.doctor.store import Store, StoreSilent
from app.kit.db import Prepared, Statement
from app.kit.models import Json
from app.production import Words

_PAGE: Final = 500
_NAMED: Final = 3
_KEY: Final = ("handle", "version", "kek_version", "wrapped")
_KEKS: Final = "SELECT purpose, version, wrapped, state FROM kek WHERE state <> 'retired'"
_FIND_OUT: Final = Words(
    "somebody wrote past the service, which believes these rows no more: find out who, compare them with a backup and with the access log",
    "有人绕过服务改写数据，服务已不再采信这些记录：请查明，并与备份及访问日志核对",
)


class Vault(KeySource, Protocol):
    """The keyring, as far as MACs take it."""

    def mac_key(self, label: str) -> bytes:
        """Give the key of a table."""
        ...


@dataclass(slots=True)
class Tally:
    """How many rows of a table there were, how many of them were edited, and the first of these by their keys."""

    rows: int = 0
    edited: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, name: str, *, genuine: bool) -> None:
        """Count one row."""
        self.rows += 1
        if not genuine:
            self.edited += 1
            self.named += [name] if len(self.named) < _NAMED else []


def signed_tables() -> dict[str, Table]:
    """Give every table of this version that has a column ``mac``, by name."""
    return {each.name: each for each in tables.metadata.sorted_tables if "mac" in each.columns}


async def rows(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Examine every table; one that nobody has said the cover of is itself a finding."""
    try:
        vault = await keyring_of(await store.ask(_KEKS), opened(settings), cache_size=1)
    except KeyUnavailable:
        what = Words("MACs of rows cannot be compared without the keys", "缺少密钥，无法核对记录的校验码")
        yield bad("rows", Level.ERROR, what, Words("mend the keys first", "请先恢复密钥"))
        return
    erased = frozenset(each.contact for each in (await certified(settings, store))[0])
    known, count, clean = covers(tables.metadata.tables), 0, True
    silent = dict[str, str]()
    for name, table in signed_tables().items():
        cover = known.get(name)
        if cover is None:
            clean = False
            what = Words(f"nobody examines the rows of {name}", f"未检查 {name} 表的记录")
            yield bad(f"rows.{name}", Level.ERROR, what, Words("this version is faulty", "此版本有缺陷"))
            continue
        try:
            tally = await _tallied(store, Examiner(table, cover, vault, _dialect(store), erased))
        except StoreSilent as error:
            silent[name] = str(error)
            continue
        count += tally.rows
        if tally.edited:
            clean = False
            named = ", ".join(tally.named)
            what = Words(
                f"{tally.edited} of {tally.rows} rows of {name} were edited past the service, the first are {named}",
                f"{name} 表 {tally.rows} 条记录中有 {tally.edited} 条被绕过服务改写，例如 {named}",
            )
            yield bad(f"rows.{name}", Level.ERROR, what, _FIND_OUT)
    if silent:
        named, why = ", ".join(silent), next(iter(silent.values()))
        what = Words(f"cannot be read: {named} ({why})", f"无法读取：{named}（{why}）")
        mend = Words("mend what stands above first, then run this again", "请先处理上面的问题，然后重新运行")
        yield bad("rows", Level.ERROR, what, mend)
    elif clean:
        yield ok("rows", f"{count} rows, each as it was signed", f"{count} 条记录均与签名一致")


async def _tallied(store: Store, examiner: "Examiner") -> Tally:
    tally, after = Tally(), tuple[Any, ...]()
    while True:
        page = await store.ask(f"{(examiner.following if after else examiner.first).sql} LIMIT {_PAGE}", *after)
        for raw in page:
            tally.add(examiner.name(raw), genuine=examiner.genuine(raw))
        if len(page) < _PAGE:
            return tally
        after = tuple(page[-1][: examiner.width])


class Examiner:
    """Reads one table: its key first, then what is covered, the MAC, and where it is a person's own, the wrapped key."""

    def __init__(
        self, table: Table, cover: Cover, vault: Vault, dialect: Dialect, erased: Container[UUID] = ()
    ) -> None:
        """Take the table, its cover, the keys, the kind of store, and those whose key was destroyed, on record."""
        self._table, self._cover, self._erased = table, cover, erased
        self._signer = None if cover.label is None else RowSigner(vault.mac_key(cover.label))
        self._sealer = Sealer(vault)
        self._names = cover.columns(table)
        self._documents = frozenset(each for each in self._names if isinstance(table.c[each].type, Json))
        key = tuple(table.primary_key.columns)
        self.width: Final = len(key)
        listed = self._select(key).order_by(*key)
        places = [bindparam(f"after{at}", type_=each.type) for at, each in enumerate(key)]
        self.first: Final = Prepared(listed, dialect)
        self.following: Final = Prepared(listed.where(tuple_(*key) > tuple_(*places)), dialect)

    def _select(self, key: tuple[Any, ...]) -> Statement:
        table, person = self._table, self._cover.person
        covered = [_readable(table, name) for name in self._names]
        if person is None:
            return select(*key, *covered, table.c.mac)
        own = tables.metadata.tables["data_key"]
        joined = table.outerjoin(own, own.c.subject_id == table.c[person])
        return select(*key, *covered, table.c.mac, *(own.c[each] for each in _KEY)).select_from(joined)

    def name(self, raw: tuple[Any, ...]) -> str:
        """Name a row by its key, as people write it."""
        return " ".join(map(_written, raw[: self.width]))

    def genuine(self, raw: tuple[Any, ...]) -> bool:
        """Tell whether a row is as it was signed; what cannot even be read was never written by the service."""
        try:
            row = self.first.row(raw)[self.width :]
            named = dict(zip(self._names, row, strict=False))
            for each in self._documents:
                named[each] = None if named[each] is None else orjson.loads(named[each])
            mac, *key = row[len(self._names) :]
            return self._verified(named, self._cover.of(named), mac, key)
        except (ValueError, TypeError, OverflowError, AttributeError, RowUnreadable, SealBroken):
            return False

    def _verified(
        self, row: Mapping[str, Any], covered: tuple[RowValue, ...], mac: bytes | None, key: list[Any]
    ) -> bool:
        if self._signer is not None:
            return self._signer.verify(self._table.name, covered, mac)
        if None in key or self._cover.person is None:
            return self._cover.person is not None and row[self._cover.person] in self._erased
        return self._sealer.existing(row[self._cover.person], WrappedDataKey(*key)).verify(covered, mac)


def _readable(table: Table, name: str) -> Any:  # noqa: ANN401 — any column
    """Select a column so that either engine gives the same: documents as text, boxes as bytes."""
    column: Any = table.c[name]
    if isinstance(column.type, Json):
        column = cast(column, Text)
    elif isinstance(column.type, SealedType):
        column = type_coerce(column, LargeBinary)
    return column.label(f"covered_{name}")


def _written(part: object) -> str:
    match part:
        case bytes() if len(part) == len(UUID(int=0).bytes):
            return str(UUID(bytes=part))
        case bytes():
            return part.hex()
        case _:
            return str(part)


def _dialect(store: Store) -> Dialect:
    if store.dialect == "sqlite":
        return sqlite_dialect.dialect(paramstyle="qmark")
    return asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
