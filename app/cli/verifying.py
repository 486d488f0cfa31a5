"""What ``audit head`` and ``audit verify`` do: find the log and its public key without opening the application, check, and say so.

Opening the application would make keys and bring up the schema; a verification must work on evidence that nobody touches, so it goes to
the stores with connections that can only read. Every report stands in English and Chinese, except for JSON.
"""

import asyncio
import sqlite3
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
import orjson
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.audit.events import FieldBits
from app.audit.note import NoteInvalid, Verifier, find_notes
from app.audit.sources import BatchRow, Chunk, Extent, LogSource, PostgresSource, SqliteSource, Tail
from app.audit.stores import StoreUnavailable
from app.audit.verification import DamageKind, Report, verify
from app.config import Settings
from app.contacts.fields import CATALOGUE
from app.crypto.errors import KeyUnavailable
from app.crypto.signing import load_log_verifiers
from app.kit.db import Database
from app.kit.engines import postgres_engine

_T = TypeVar("_T")
_WHOLE, _DAMAGED, _UNREADABLE = 0, 1, 2

BITS: Final = FieldBits(CATALOGUE.logged)
"""The field order of index rows, made here too: the composition root would bring the whole service along."""

KINDS: Final[dict[DamageKind, tuple[str, str]]] = {
    DamageKind.EDITED_PAYLOAD: ("the event was edited", "事件内容被修改"),
    DamageKind.EDITED_LEAF: ("the leaf was edited", "叶哈希被修改"),
    DamageKind.UNREADABLE: ("the event cannot be read", "事件无法解析"),
    DamageKind.EDITED_COLUMN: ("a search column was edited", "检索列被修改"),
    DamageKind.EDITED_INDEX_ROW: ("index rows were edited", "索引行被修改"),
    DamageKind.MISSING_LEAF: ("the leaf is missing", "叶哈希缺失"),
    DamageKind.MISSING_PAYLOAD: ("the event is missing", "事件缺失"),
    DamageKind.TRUNCATED: ("the end of the log is gone", "日志尾部被截断"),
    DamageKind.UNSIGNED_TAIL: ("rows that no signature covers", "存在未签名的记录"),
    DamageKind.REWRITTEN: ("events of this range were rewritten", "该区间的事件被重写"),
    DamageKind.MISSING_BATCH: ("a signed batch is missing", "签名批次缺失"),
    DamageKind.FORGED_BATCH: ("a batch is not what was signed", "批次与签名内容不符"),
    DamageKind.BAD_SIGNATURE: ("a signature does not verify", "签名无效"),
    DamageKind.HEAD_MISMATCH: ("the head does not fit the log", "日志头与内容不符"),
    DamageKind.ROLLED_BACK: ("the log was put back to an earlier state", "日志被回滚"),
    DamageKind.FORKED: ("the log was replaced by another", "日志被替换"),
}
"""Each class of damage in words, English and Chinese."""


class CannotReadError(Exception):
    """The log, a key or a file of checkpoints is not there or not readable; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look: the configured store or a copy of a log, and the key that was given (text or file), if any."""

    settings: Settings
    public_key: str | None
    log: Path | None

    def source(self) -> LogSource:
        """Give the log, for reading only."""
        if self.log is not None:
            return SqliteSource(self.log)
        database = Database(self.settings)
        return SqliteSource(database.log_path) if database.dsn is None else PostgresSource(database.dsn)

    async def verifier(self) -> Verifier:
        """Give the public key: the one that was given, else the one that signs for this store now.

        Raises ``CannotReadError`` and ``NoteInvalid``.
        """
        given = self._given()
        return Verifier(self.settings.audit.origin, await self._stored()) if given is None else Verifier.parse(given)

    def _given(self) -> str | None:
        if self.public_key is None or not Path(self.public_key).is_file():
            return self.public_key
        return Path(self.public_key).read_text(encoding="utf-8")

    async def _stored(self) -> Ed25519PublicKey:
        database = Database(self.settings)
        if database.dsn is None:
            if not database.business_path.is_file():
                message = f"there is no store in {self.settings.data_dir}"
                raise CannotReadError(message)
            uri = database.business_path.absolute().as_uri()
            address = URL.create("sqlite+aiosqlite", database=uri, query={"mode": "ro", "uri": "true"})
            engine = create_async_engine(address, hide_parameters=True)
        else:
            engine = postgres_engine(database.dsn)
        try:
            async with AsyncSession(engine) as session:
                verifiers = await load_log_verifiers(session)
        finally:
            await engine.dispose()
        for each in verifiers:
            if each.state == "current":
                return each.public
        message = "the store has no key that signs the log"
        raise CannotReadError(message)


class _Watched:
    """A log that tells how far it has been read."""

    def __init__(self, source: LogSource, begin: Callable[[int], None], reach: Callable[[int], None]) -> None:
        self._source, self._begin, self._reach = source, begin, reach

    async def extent(self) -> Extent:
        extent = await self._source.extent()
        self._begin(extent.head.size if extent.head is not None else 0)
        return extent

    async def chunks(self, end: int) -> AsyncIterator[Chunk]:
        async for chunk in self._source.chunks(end):
            yield chunk
            self._reach(chunk.end)

    async def batches(self, sizes: Sequence[int]) -> dict[int, BatchRow]:
        return await self._source.batches(sizes)

    async def tail(self, size: int) -> Tail:
        return await self._source.tail(size)


def show_head(place: Place, *, as_json: bool) -> int:
    """Print the head row's checkpoint and check its signature; give the exit code."""

    async def look() -> tuple[Verifier, Extent]:
        return await place.verifier(), await place.source().extent()

    found = _read(look)
    if found is None:
        return _UNREADABLE
    verifier, extent = found
    if extent.head is None:
        typer.echo("the log has no head row; 日志没有日志头", err=True)
        return _UNREADABLE
    note, fault = extent.head.note, None
    try:
        checkpoint = verifier.open(note)
        if (checkpoint.size, checkpoint.root) != (extent.head.size, extent.head.root):
            fault = "the head row is not what was signed"
    except NoteInvalid as error:
        fault = str(error)
    if as_json:
        told = {
            "intact": fault is None,
            "size": extent.head.size,
            "root": b64encode(extent.head.root).decode(),
            "checkpoint": note,
            "verifier_key": verifier.text(),
            "fault": fault,
        }
        typer.echo(orjson.dumps(told))
        return _WHOLE if fault is None else _DAMAGED
    typer.echo(note, nl=False)
    typer.echo(
        f"\n{extent.head.size} events · 共 {extent.head.size} 条事件\nverifier key · 验证公钥: {verifier.text()}"
    )
    if fault is None:
        return _WHOLE
    typer.echo(f"DAMAGED · 已损坏: {fault}", err=True)
    return _DAMAGED


def show_verification(place: Place, against: Sequence[Path], *, as_json: bool) -> int:
    """Verify the log, with a progress bar on a terminal, and print the report; give the exit code."""

    async def check() -> tuple[Verifier, Report]:
        # Checkpoints first: the log may grow meanwhile, and then it covers them all the same.
        notes = [note for path in against for note in _notes(path)]
        verifier = await place.verifier()
        with _progress(silent=as_json) as (begin, reach):
            watched = _Watched(place.source(), begin, reach)
            return verifier, await verify(watched, verifier=verifier, bits=BITS, against=notes)

    found = _read(check)
    if found is None:
        return _UNREADABLE
    verifier, report = found
    if as_json:
        typer.echo(orjson.dumps(_document(verifier, report)))
    else:
        _print(verifier, report)
    return _WHOLE if report.intact else _DAMAGED


def _notes(path: Path) -> list[str]:
    """Read the checkpoints in a file; raise ``CannotReadError`` when there is none, since then nothing would be compared."""
    found = find_notes(path.read_text(encoding="utf-8", errors="replace"))
    if not found:
        message = f"{path} holds no checkpoint"
        raise CannotReadError(message)
    return found


def _read(work: Callable[[], Awaitable[_T]]) -> _T | None:
    """Do ``work``; say on standard error why something cannot be read, and give ``None`` then."""

    async def done() -> _T:
        return await work()

    try:
        return asyncio.run(done())
    except (CannotReadError, StoreUnavailable, NoteInvalid, KeyUnavailable, OSError) as error:
        reason = str(error)
    except (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    typer.echo(f"cannot read the log: {reason}\n无法读取访问日志", err=True)
    return None


@contextmanager
def _progress(*, silent: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Give what sets the length of the bar and what moves it; the bar shows on a terminal only."""
    console = Console(stderr=True)
    columns = (TextColumn("verify · 校验"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=silent or not console.is_terminal) as progress:
        task = progress.add_task("verify", total=None)
        yield (
            lambda total: progress.update(task, total=total),
            lambda reached: progress.update(task, completed=reached),
        )


def _document(verifier: Verifier, report: Report) -> dict[str, object]:
    return {
        "intact": report.intact,
        "size": report.size,
        "root": b64encode(report.root).decode(),
        "batches": report.batches,
        "checkpoints": report.checkpoints,
        "verifier_key": verifier.text(),
        "damage": [
            {"index": each.index, "last": each.last, "kind": each.kind.value, "detail": each.detail}
            for each in report.damage
        ],
    }


def _print(verifier: Verifier, report: Report) -> None:
    root = b64encode(report.root).decode()
    typer.echo(
        f"{report.size} events, {report.batches} signed batches, {report.checkpoints} checkpoints kept elsewhere"
    )
    typer.echo(f"{report.size} 条事件，{report.batches} 个签名批次，比对 {report.checkpoints} 个另存检查点")
    typer.echo(f"root · 根哈希: {root}\nverifier key · 验证公钥: {verifier.text()}")
    if report.intact:
        typer.echo(
            "INTACT: every event, leaf, index row and signature agrees.\n完好：所有事件、叶哈希、索引行与签名一致。"
        )
        return
    for each in report.damage:
        english, chinese = KINDS[each.kind]
        where = f"index {each.index}" if each.index == each.last else f"index {each.index} to {each.last}"
        place = f"序号 {each.index}" if each.index == each.last else f"序号 {each.index} 至 {each.last}"
        detail = f" ({each.detail})" if each.detail else ""
        typer.echo(f"DAMAGED {where}: {each.kind.value}: {english}{detail}\n已损坏 {place}：{chinese}")
