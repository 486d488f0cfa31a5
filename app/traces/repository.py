"""Reading what is numbered, and deleting what is kept no longer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Table, bindparam, delete, func, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Database, Row
from app.kit.models import Instant
from app.kit.query import Query, Source
from app.traces.models import DirectoryChange, DirectoryHead
from app.traces.trace import Numbered, Sort, SubjectType, Trace

_MOST_DELETED: Final = 5000
_TRACES: Final = cast("Table", DirectoryChange.__table__)
_HEAD: Final = cast("Table", DirectoryHead.__table__)
_VERSION: Final[Any] = _TRACES.c.version
_AFTER: Final = bindparam("after", type_=BigInteger())
_UNTIL: Final = bindparam("until", type_=BigInteger())
_MOST: Final = bindparam("most", type_=Integer())
_COLUMNS: Final[tuple[Any, ...]] = (
    _TRACES.c.seq,
    _VERSION,
    _TRACES.c.at,
    _TRACES.c.subject_type,
    _TRACES.c.subject_id,
    _TRACES.c.sort,
    _TRACES.c.groups,
    _TRACES.c.before,
    _TRACES.c.about,
)
_WITHIN: Final[Any] = select(*_COLUMNS).where(_VERSION > _AFTER, _VERSION <= _UNTIL)
_OLDEST: Final = Query(_WITHIN.order_by(_VERSION, _TRACES.c.seq).limit(_MOST))
_NEWEST: Final = Query(_WITHIN.order_by(_VERSION.desc(), _TRACES.c.seq.desc()).limit(_MOST))
_SUBJECTS: Final = select(_TRACES.c.subject_id).where(
    _VERSION > _AFTER, _VERSION <= _UNTIL, _TRACES.c.subject_type == "contact"
)
_LATER: Final = Query(
    select(*_COLUMNS)
    .where(
        _TRACES.c.before.is_not(None),
        _TRACES.c.seq > bindparam("beyond", type_=BigInteger()),
        _TRACES.c.subject_id.in_(_SUBJECTS),
    )
    .order_by(_TRACES.c.seq)
)

_SINCE: Final = Query(
    union(
        select(_TRACES.c.subject_id).where(_VERSION > _AFTER, _TRACES.c.subject_type == "contact"),
        select(_TRACES.c.subject_id).where(_VERSION.is_(None), _TRACES.c.subject_type == "contact"),
    )
    .subquery()
    .select()
    .limit(_MOST)
)
_FLOOR: Final = Query(select(_HEAD.c.floor))


class TraceRepository:
    """Rows of ``directory_change`` that have a version."""

    async def contacts_since(self, source: Source, version: int, *, most: int) -> Sequence[UUID] | None:
        """List the contacts that changed after a version, numbered already or not; ``None`` where they are more, or kept no longer."""
        found = [identity for (identity,) in await _SINCE.rows(source, after=version, most=most + 1)]
        ((floor,),) = await _FLOOR.rows(source)
        if version < floor:
            return None
        return found if len(found) <= most else None

    async def oldest(self, source: Source, *, after: int, until: int, most: int) -> Sequence[Numbered]:
        """List traces of whole versions after one, oldest first: about ``most``, and at least one version."""
        rows = await _OLDEST.rows(source, after=after, until=until, most=most + 1)
        return _whole([_numbered(row) for row in rows], most)

    async def newest(self, source: Source, *, after: int, until: int, most: int) -> Sequence[Numbered]:
        """List traces of whole versions up to one, in the order of time, but the newest of them where there are more than ``most``."""
        rows = await _NEWEST.rows(source, after=after, until=until, most=most + 1)
        return _whole([_numbered(row) for row in rows], most)[::-1]

    async def later(self, source: Source, *, after: int, until: int, beyond: int) -> Sequence[Numbered]:
        """List what changed, after the trace ``beyond``, how policy sees the contacts of the versions after one until another."""
        return [_numbered(row) for row in await _LATER.rows(source, after=after, until=until, beyond=beyond)]

    async def told(self, session: AsyncSession, version: int) -> int | None:
        """Keep how far programs were told; give how far they were before, ``None`` when that was no less far."""
        before = await session.scalar(select(_HEAD.c.told).with_for_update())
        if before is None or before >= version:
            return None
        await session.execute(update(_HEAD).values(told=version))
        return int(before)

    async def forget(self, database: Database, *, before: datetime) -> int:
        """Delete what was numbered before a time, a piece at a time; give how many traces went."""
        gone = 0
        while True:
            oldest = (
                select(_VERSION, _TRACES.c.at).where(_VERSION.is_not(None)).order_by(_VERSION).limit(_MOST_DELETED)
            ).subquery()
            past = select(func.max(oldest.c.version)).where(oldest.c.at < bindparam("before", type_=Instant()))
            async with database.unit_of_work() as unit:
                floor = await unit.session.scalar(past, {"before": before})
                if floor is None:
                    return gone
                await unit.session.execute(update(_HEAD).values(floor=floor))
                deleted = await unit.session.execute(delete(_TRACES).where(floor >= _VERSION).returning(_TRACES.c.seq))
                gone += len(deleted.all())


def _whole(rows: Sequence[Numbered], most: int) -> Sequence[Numbered]:
    """Leave out the last version where it may not be whole."""
    if len(rows) <= most:
        return rows
    return [each for each in rows if each.version != rows[-1].version]


def _numbered(row: Row) -> Numbered:
    seq, version, at, kind, subject, sort, groups, before, about = row
    named: SubjectType = "department" if kind == "department" else "contact"
    trace = Trace(
        type=named,
        subject=subject,
        sort=Sort(sort),
        groups=tuple(groups.split(",")) if groups else (),
        before=None if before is None else bytes(before),
        about=about,
    )
    return Numbered(seq, version, at, trace)
