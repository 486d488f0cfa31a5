"""Leaving traces: one small insert in the transaction of a change, on no row that another writer writes.

Whoever writes a contact or a department calls this, and tests hold the version of every row to its traces (``tests/support/traces.py``). A
trace is left after the row that it is of was locked: so of two changes of one row, the later has the greater ``seq``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.models import new_id
from app.kit.straight import Straight, Writes
from app.traces.models import DirectoryChange
from app.traces.trace import Trace

_PLACE: Final = "duanhao.change_set"
_COLUMNS: Final = ("change_set", "subject_type", "subject_id", "sort", "groups", "before", "about")
_ADD: Final = Straight(insert(cast("Table", DirectoryChange.__table__)).inline(), columns=_COLUMNS)


def change_set(session: AsyncSession) -> UUID:
    """Give what all traces of the session's transaction have in common, whether it has begun or is about to."""
    transaction = session.sync_session.get_transaction()
    known: tuple[object, UUID] | None = session.info.get(_PLACE)
    if known is None or (known[0] is not transaction and known[0] is not None):
        known = (transaction, new_id())
    session.info[_PLACE] = (transaction, known[1])
    return known[1]


async def leave(session: AsyncSession, traces: Iterable[Trace]) -> None:
    """Leave traces in the session's transaction."""
    of = change_set(session)
    await _ADD.each(session, [_row(of, each) for each in traces])


def gather(writes: Writes, of: UUID, *traces: Trace) -> None:
    """Put traces of the change set ``of`` among the writes of its transaction."""
    writes.add(_ADD, *(_row(of, each) for each in traces))


def _row(of: UUID, trace: Trace) -> Mapping[str, Any]:
    return {
        "change_set": of,
        "subject_type": trace.type,
        "subject_id": trace.subject,
        "sort": trace.sort.value,
        "groups": ",".join(trace.groups),
        "before": trace.before,
        "about": trace.about,
    }
