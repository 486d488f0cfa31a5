"""All queries on imports. Rows that were edited past the service are reported and are not there; nothing here commits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Integer, String, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.crypto.secretbox import SecretBox
from app.imports.kinds import Import, ImportState, Outcome, RowResult
from app.imports.models import ImportPiece, ImportRow, ImportRun
from app.kit.models import Id
from app.kit.query import Query, Source

PIECE: Final = 1_048_576
SECONDED_WITHIN: Final = timedelta(days=7)
_RUNS: Final = cast("Table", ImportRun.__table__)
_PIECES: Final = cast("Table", ImportPiece.__table__)
_ROWS: Final = cast("Table", ImportRow.__table__)
_R: Final = _RUNS.c
_PROGRESS_COLUMNS: Final[tuple[Any, ...]] = (
    _R.id,
    _R.state,
    _R.done,
    _R.total,
    _R.counts,
    _R.proposals,
    _R.problem,
    _R.finished_at,
)
_PROGRESS: Final = Query(select(*_PROGRESS_COLUMNS).where(_R.id == bindparam("run", type_=Id())))
_BOXES: Final = Query(
    select(_PIECES.c.place, _PIECES.c.box)
    .where(_PIECES.c.import_id == bindparam("run", type_=Id()))
    .order_by(_PIECES.c.place)
)
_RESULT_COLUMNS: Final[tuple[Any, ...]] = (
    _ROWS.c.number,
    _ROWS.c.line,
    _ROWS.c.outcome,
    _ROWS.c.code,
    _ROWS.c.column_name,
    _ROWS.c.item,
    _ROWS.c.notes,
)


def _results(*, narrowed: bool) -> Query:
    conditions = [
        _ROWS.c.import_id == bindparam("run", type_=Id()),
        _ROWS.c.number > bindparam("after", type_=Integer()),
    ]
    if narrowed:
        conditions.append(_ROWS.c.outcome == bindparam("outcome", type_=String()))
    return Query(
        select(*_RESULT_COLUMNS).where(*conditions).order_by(_ROWS.c.number).limit(bindparam("page", type_=Integer()))
    )


_RESULTS: Final = {narrowed: _results(narrowed=narrowed) for narrowed in (False, True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import is, and what came of it."""

    state: ImportState
    done: int
    total: int | None
    counts: Mapping[str, int]
    proposals: Mapping[str, Any] | None
    problem: str | None
    finished_at: datetime | None


class ImportRepository:
    """Rows of ``import_run``, ``import_piece`` and ``import_row``."""

    def __init__(self, signer: RowSigner, box: SecretBox) -> None:
        """Take the signer of the table, and the box of contents."""
        self._rows, self._box = Rows(ImportRun, Import, signer), box
        self._one = by_id(self._rows)

    def boxed(self, identity: UUID, content: memoryview) -> list[bytes]:
        """Put a file into boxes, piece by piece, each bound to its place and to how many there are."""
        places = -(-len(content) // PIECE)
        return [
            self._box.close(_context(identity, at, places), bytes(content[at * PIECE : (at + 1) * PIECE]))
            for at in range(places)
        ]

    def unboxed(self, found: Import, boxes: Sequence[bytes]) -> bytes:
        """Take a file out of its boxes; raise ``SealBroken`` for any that is missing or was changed."""
        pieces = (self._box.open(_context(found.id, at, len(boxes)), box) for at, box in enumerate(boxes))
        return b"".join(pieces)

    async def add(self, session: AsyncSession, found: Import, boxes: Sequence[bytes]) -> None:
        """Write a file that was handed in."""
        await self._rows.add(session, found, state=ImportState.QUEUED.value, done=0, counts={})
        for place, box in enumerate(boxes):
            await session.execute(insert(_PIECES).values(import_id=found.id, place=place, box=box))

    async def one(self, source: Source, identity: UUID) -> Import | None:
        """Find one."""
        return next(iter(await self._rows.find(source, self._one, wanted=identity)), None)

    async def page(
        self, source: Source, kinds: Sequence[str], *, before: UUID | None, limit: int
    ) -> tuple[list[Import], UUID | None]:
        """List imports of some kinds, newest first, and the id where the page ends when more follow."""
        conditions = [_R.kind.in_(kinds), *([] if before is None else [_R.id < before])]
        statement = self._rows.select(*conditions).order_by(_R.id.desc()).limit(limit + 1)
        rows = await Query(cast("Any", statement)).rows(source)
        return self._rows.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def progress(self, source: Source, identities: Sequence[UUID]) -> dict[UUID, Progress]:
        """Tell how far imports are."""
        if len(identities) == 1:
            rows = await _PROGRESS.rows(source, run=identities[0])
        else:
            rows = await Query(select(*_PROGRESS_COLUMNS).where(_R.id.in_(identities))).rows(source)
        return {
            identity: Progress(
                state=ImportState(state),
                done=done,
                total=total,
                counts=counts,
                proposals=proposals,
                problem=problem,
                finished_at=finished_at,
            )
            for identity, state, done, total, counts, proposals, problem, finished_at in rows
        }

    async def boxes(self, source: Source, identity: UUID) -> list[bytes]:
        """Load a file, closed."""
        return [bytes(box) for _, box in await _BOXES.rows(source, run=identity)]

    async def results(
        self, source: Source, identity: UUID, *, outcome: Outcome | None, after: int, limit: int
    ) -> list[tuple[int, RowResult]]:
        """List what became of rows, by their number."""
        narrowed = {} if outcome is None else {"outcome": outcome.value}
        rows = await _RESULTS[outcome is not None].rows(source, run=identity, after=after, page=limit, **narrowed)
        return [
            (
                number,
                RowResult(line=line, outcome=Outcome(told), code=code, column=column, item=item, notes=tuple(notes)),
            )
            for number, line, told, code, column, item, notes in rows
        ]

    async def seconders(self, source: Source, found: Import) -> list[UUID]:
        """List people who have handed in the same file for the same, and whose import of it is done, within a week."""
        statement = (
            self._rows.select(
                _R.digest == found.digest,
                _R.kind == found.kind,
                _R.place == found.place,
                _R.overrules.is_(True),
                _R.contact_id.is_not(None),
                _R.state == ImportState.DONE.value,
                _R.created_at > found.created_at - SECONDED_WITHIN,
                _R.id != found.id,
            )
            .order_by(_R.id.desc())
            .limit(50)
        )
        rows = self._rows.read(await Query(cast("Any", statement)).rows(source))
        return [each.contact_id for each in rows if each.contact_id is not None]

    async def advance(
        self, session: AsyncSession, identity: UUID, at: int, results: Sequence[RowResult], *, total: int
    ) -> bool:
        """Write what became of the rows from number ``at`` on, and that they are settled; ``False`` when they were before."""
        counts = await session.scalar(
            select(_R.counts).where(_R.id == identity, _R.done == at, _R.finished_at.is_(None)).with_for_update()
        )
        if counts is None:
            return False
        tally = Counter(counts) + Counter(each.outcome.value for each in results)
        if results:
            await session.execute(
                insert(_ROWS),
                [
                    {
                        "import_id": identity,
                        "number": number,
                        "line": each.line,
                        "outcome": each.outcome.value,
                        "code": each.code,
                        "column_name": each.column,
                        "item": each.item,
                        "notes": list(each.notes),
                    }
                    for number, each in enumerate(results, start=at)
                ],
            )
        values = {"state": ImportState.RUNNING.value, "done": at + len(results), "total": total, "counts": dict(tally)}
        await session.execute(update(_RUNS).where(_R.id == identity).values(**values))
        return True

    async def finish(
        self,
        session: AsyncSession,
        identity: UUID,
        at: datetime,
        *,
        proposals: Mapping[str, Any] | None = None,
        problem: str | None = None,
    ) -> bool:
        """End an import, and let go of its file; ``False`` when it had ended."""
        state = ImportState.DONE if problem is None else ImportState.FAILED
        ended = await session.execute(
            update(_RUNS)
            .where(_R.id == identity, _R.finished_at.is_(None))
            .values(state=state.value, proposals=proposals, problem=problem, finished_at=at)
            .returning(_R.id)
        )
        await session.execute(delete(_PIECES).where(_PIECES.c.import_id == identity))
        return bool(ended.all())

    async def stale(self, session: AsyncSession, before: datetime, most: int) -> list[UUID]:
        """List imports handed in before then that have not ended; what another process ends is left out."""
        statement = (
            select(_R.id)
            .where(_R.finished_at.is_(None), _R.created_at < before)
            .order_by(_R.created_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return list(await session.scalars(statement))

    async def forget(self, session: AsyncSession, before: datetime, most: int) -> int:
        """Drop imports that ended before then, with what became of their rows."""
        old = select(_R.id).where(_R.finished_at < before).order_by(_R.id).limit(most).with_for_update(skip_locked=True)
        ids = list(await session.scalars(old))
        for table in (_ROWS, _PIECES):
            await session.execute(delete(table).where(table.c.import_id.in_(ids)))
        await session.execute(delete(_RUNS).where(_R.id.in_(ids)))
        return len(ids)

    async def waiting(self, session: AsyncSession) -> int:
        """Count the files that are kept."""
        return int(await session.scalar(select(func.count()).where(_R.finished_at.is_(None))) or 0)


def _context(identity: UUID, place: int, places: int) -> bytes:
    return identity.bytes + place.to_bytes(4) + places.to_bytes(4)
