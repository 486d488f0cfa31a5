"""All queries on reconciliations. Rows that were edited past the service are reported and are not there; nothing here commits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Integer, String, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.crypto.secretbox import SecretBox
from app.kit.models import Id
from app.kit.query import Query, Source
from app.reconciliations.kinds import (
    APPLICABLE,
    Difference,
    DifferenceOutcome,
    DiffKind,
    Reconciliation,
    ReconciliationState,
    Release,
    Row,
)
from app.reconciliations.models import (
    ReconciliationPiece,
    ReconciliationRelease,
    ReconciliationRow,
    ReconciliationRun,
)

PIECE: Final = 1_048_576
_RUNS: Final = cast("Table", ReconciliationRun.__table__)
_PIECES: Final = cast("Table", ReconciliationPiece.__table__)
_ROWS: Final = cast("Table", ReconciliationRow.__table__)
_R: Final = _RUNS.c
_BESIDE: Final[tuple[Any, ...]] = (
    _R.id,
    _R.state,
    _R.done,
    _R.total,
    _R.counts,
    _R.outcomes,
    _R.notes,
    _R.problem,
    _R.finished_at,
)
_PROGRESS: Final = Query(select(*_BESIDE).where(_R.id == bindparam("run", type_=Id())))
_PIECE: Final = Query(
    select(_PIECES.c.box).where(
        _PIECES.c.reconciliation_id == bindparam("run", type_=Id()),
        _PIECES.c.place == bindparam("place", type_=Integer()),
    )
)
_COLUMNS: Final[tuple[Any, ...]] = (
    _ROWS.c.number,
    _ROWS.c.kind,
    _ROWS.c.line,
    _ROWS.c.employee_no,
    _ROWS.c.contact_id,
    _ROWS.c.department_id,
    _ROWS.c.version,
    _ROWS.c.members,
    _ROWS.c.column_name,
    _ROWS.c.code,
    _ROWS.c.box,
    _ROWS.c.outcome,
    _ROWS.c.result,
)


def _listed(*further: str) -> Query:
    conditions = [
        _ROWS.c.reconciliation_id == bindparam("run", type_=Id()),
        _ROWS.c.number > bindparam("after", type_=Integer()),
        *(_ROWS.c[name] == bindparam(name, type_=String()) for name in further),
    ]
    return Query(
        select(*_COLUMNS).where(*conditions).order_by(_ROWS.c.number).limit(bindparam("page", type_=Integer()))
    )


_LISTED: Final[Mapping[tuple[str, ...], Query]] = {
    names: _listed(*names) for names in ((), ("kind",), ("outcome",), ("kind", "outcome"))
}
_PENDING: Final = Query(
    select(*_COLUMNS)
    .where(
        _ROWS.c.reconciliation_id == bindparam("run", type_=Id()),
        _ROWS.c.wave.is_not(None),
        _ROWS.c.outcome.is_(None),
    )
    .order_by(_ROWS.c.wave, _ROWS.c.number)
    .limit(bindparam("page", type_=Integer()))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a reconciliation is, how many differences of each kind there are, and what became of them."""

    state: ReconciliationState
    done: int
    total: int | None
    counts: Mapping[str, int]
    outcomes: Mapping[str, int]
    notes: Mapping[str, Any]
    problem: str | None
    finished_at: datetime | None


class ReconciliationRepository:
    """Rows of ``reconciliation`` and its side tables."""

    def __init__(self, signer: RowSigner, box: SecretBox) -> None:
        """Take the signer of the tables, and the box of contents."""
        self.runs, self._box = Rows(ReconciliationRun, Reconciliation, signer), box
        self.releases = Rows(ReconciliationRelease, Release, signer, key=("request_id",))
        self._one = by_id(self.runs)

    async def add(self, session: AsyncSession, found: Reconciliation) -> None:
        """Write what was handed in."""
        beside = {"state": ReconciliationState.QUEUED.value, "done": 0, "counts": {}, "outcomes": {}, "notes": {}}
        await self.runs.add(session, found, **beside)

    async def add_piece(self, session: AsyncSession, found: Reconciliation, place: int, content: bytes) -> None:
        """Write a piece of its file, boxed for its place."""
        box = self._box.close(_context(found.id, b"file", place), content)
        await session.execute(insert(_PIECES).values(reconciliation_id=found.id, place=place, box=box))

    async def piece(self, source: Source, found: Reconciliation, place: int) -> bytes | None:
        """Load a piece, closed; ``None`` when it is not there."""
        rows = await _PIECE.rows(source, run=found.id, place=place)
        return bytes(rows[0][0]) if rows else None

    def unboxed(self, found: Reconciliation, place: int, box: bytes) -> bytes:
        """Open a piece; raise ``SealBroken`` for one that was changed."""
        return self._box.open(_context(found.id, b"file", place), box)

    def said(self, found: Reconciliation, row: Row) -> bytes:
        """Open what the file says of a difference; raise ``SealBroken``."""
        return self._box.open(_context(found.id, b"row", row.number), row.box or b"")

    async def one(self, source: Source, identity: UUID) -> Reconciliation | None:
        """Find one."""
        return next(iter(await self.runs.find(source, self._one, wanted=identity)), None)

    async def page(
        self, source: Source, caller: str | None, *, before: UUID | None, limit: int
    ) -> tuple[list[Reconciliation], UUID | None]:
        """List reconciliations of a caller, or of everybody, newest first, and the id where the page ends when more follow."""
        conditions = [
            *([] if caller is None else [_R.caller == caller]),
            *([] if before is None else [_R.id < before]),
        ]
        statement = self.runs.select(*conditions).order_by(_R.id.desc()).limit(limit + 1)
        rows = await Query(cast("Any", statement)).rows(source)
        return self.runs.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def progress(self, source: Source, identities: Sequence[UUID]) -> dict[UUID, Progress]:
        """Tell how far reconciliations are."""
        if len(identities) == 1:
            rows = await _PROGRESS.rows(source, run=identities[0])
        else:
            rows = await Query(select(*_BESIDE).where(_R.id.in_(identities))).rows(source)
        return {
            row[0]: Progress(
                state=ReconciliationState(row[1]),
                done=row[2],
                total=row[3],
                counts=row[4],
                outcomes=row[5],
                notes=row[6],
                problem=row[7],
                finished_at=row[8],
            )
            for row in rows
        }

    async def restart(self, session: AsyncSession, identity: UUID) -> bool:
        """Drop what an earlier run found, before it is compared anew; ``False`` when it has been compared, or is over."""
        begun = await session.execute(
            update(_RUNS)
            .where(
                _R.id == identity, _R.state.in_((ReconciliationState.QUEUED.value, ReconciliationState.COMPARING.value))
            )
            .values(state=ReconciliationState.COMPARING.value, done=0, total=None)
            .returning(_R.id)
        )
        if not begun.all():
            return False
        await session.execute(delete(_ROWS).where(_ROWS.c.reconciliation_id == identity))
        return True

    async def found(
        self, session: AsyncSession, run: Reconciliation, at: int, differences: Sequence[Difference], wave: int | None
    ) -> None:
        """Write differences from number ``at`` on."""
        if differences:
            await session.execute(insert(_ROWS), list(self._written(run, at, differences, wave)))

    def _written(
        self, run: Reconciliation, at: int, differences: Sequence[Difference], wave: int | None
    ) -> Iterator[dict[str, Any]]:
        for number, each in enumerate(differences, start=at):
            box = None if each.said is None else self._box.close(_context(run.id, b"row", number), each.said)
            yield {
                "reconciliation_id": run.id,
                "number": number,
                "wave": wave if each.kind in APPLICABLE else None,
                "kind": each.kind.value,
                "line": each.line,
                "employee_no": each.employee_no,
                "contact_id": each.contact_id,
                "department_id": each.department_id,
                "version": each.version,
                "members": list(each.members),
                "column_name": each.column,
                "code": each.code,
                "box": box,
            }

    async def reorder(self, session: AsyncSession, identity: UUID, waves: Mapping[int, int]) -> None:
        """Say in which wave rows come, by number."""
        if waves:
            await session.execute(
                update(_ROWS)
                .where(
                    _ROWS.c.reconciliation_id == bindparam("b_run", type_=Id()),
                    _ROWS.c.number == bindparam("b_number", type_=Integer()),
                )
                .values(wave=bindparam("b_wave", type_=Integer())),
                [{"b_run": identity, "b_number": number, "b_wave": wave} for number, wave in waves.items()],
            )

    async def advance(
        self, session: AsyncSession, identity: UUID, state: ReconciliationState, beside: Mapping[str, Any]
    ) -> bool:
        """Write how far it is; ``False`` when it is not in ``state`` any more."""
        done = await session.execute(
            update(_RUNS).where(_R.id == identity, _R.state == state.value).values(**beside).returning(_R.id)
        )
        return bool(done.all())

    async def put(
        self, session: AsyncSession, found: Reconciliation, state: ReconciliationState, **beside: object
    ) -> None:
        """Write what was found or allowed."""
        await self.runs.put(session, found, state=state.value, **beside)

    async def drop_file(self, session: AsyncSession, identity: UUID) -> None:
        """Let go of a file."""
        await session.execute(delete(_PIECES).where(_PIECES.c.reconciliation_id == identity))

    async def drop_boxes(self, session: AsyncSession, identity: UUID) -> None:
        """Let go of what the file says of differences that are settled one way or the other; the diff stays readable."""
        await session.execute(
            update(_ROWS).where(_ROWS.c.reconciliation_id == identity, _ROWS.c.box.is_not(None)).values(box=None)
        )

    async def rows(
        self,
        source: Source,
        identity: UUID,
        *,
        after: int = -1,
        limit: int,
        kind: DiffKind | None = None,
        outcome: DifferenceOutcome | None = None,
    ) -> list[Row]:
        """List differences by number."""
        given = {"kind": kind, "outcome": outcome}
        narrowed = {name: each.value for name, each in given.items() if each is not None}
        rows = await _LISTED[tuple(narrowed)].rows(source, run=identity, after=after, page=limit, **narrowed)
        return list(map(_row, rows))

    async def pending(self, source: Source, identity: UUID, limit: int) -> list[Row]:
        """List differences that are to be applied next, in their order."""
        return list(map(_row, await _PENDING.rows(source, run=identity, page=limit)))

    async def settle(
        self, session: AsyncSession, identity: UUID, number: int, outcome: DifferenceOutcome, why: str | None
    ) -> bool:
        """Write what became of a difference; ``False`` when that was written before."""
        done = await session.execute(
            update(_ROWS)
            .where(_ROWS.c.reconciliation_id == identity, _ROWS.c.number == number, _ROWS.c.outcome.is_(None))
            .values(outcome=outcome.value, result=why)
            .returning(_ROWS.c.number)
        )
        return bool(done.all())

    async def hold(self, session: AsyncSession) -> None:
        """Let no other application begin before this transaction ends."""
        open_ones = _R.state.in_((ReconciliationState.COMPARED.value, ReconciliationState.APPLYING.value))
        await session.execute(select(_R.id).where(open_ones).order_by(_R.id).with_for_update())

    async def begun(self, source: Source, since: datetime) -> list[Reconciliation]:
        """List those whose application was allowed since then, without a request."""
        statement = self.runs.select(_R.begun_at > since, _R.released_by.is_(None)).order_by(_R.id)
        return self.runs.read(await Query(cast("Any", statement)).rows(source))

    async def newest(self, source: Source, client: str, name: str) -> datetime | None:
        """Give the time of the newest head-count of a source whose application was allowed."""
        statement = (
            self.runs.select(_R.client_id == client, _R.source == name, _R.begun_at.is_not(None))
            .order_by(_R.as_of.desc())
            .limit(1)
        )
        found = self.runs.read(await Query(cast("Any", statement)).rows(source))
        return found[0].as_of if found else None

    async def leavers_of(self, source: Source, identities: Sequence[UUID]) -> list[tuple[UUID | None, bool, int]]:
        """Count leavers of several diffs by their department, and by whether they are gone already."""
        gone = _ROWS.c.outcome.is_not(None)
        statement = (
            select(_ROWS.c.department_id, gone, func.count())
            .where(
                _ROWS.c.reconciliation_id.in_(identities),
                _ROWS.c.kind == DiffKind.LEAVER.value,
                _ROWS.c.outcome.is_(None) | (_ROWS.c.outcome == DifferenceOutcome.APPLIED.value),
            )
            .group_by(_ROWS.c.department_id, gone)
        )
        return [(place, bool(left), count) for place, left, count in await Query(statement).rows(source)]

    async def release_of(self, source: Source, found: Reconciliation) -> Release | None:
        """Find the word of an approved request for this very diff and so many people."""
        statement = self.runs_release(found.id)
        for each in self.releases.read(await Query(cast("Any", statement)).rows(source)):
            if each.digest == found.digest and each.leavers == found.leavers:
                return each
        return None

    def runs_release(self, identity: UUID) -> Any:  # noqa: ANN401 — a select of the release's columns
        """Select what was released of a reconciliation."""
        table = self.releases.table
        return self.releases.select(table.c.reconciliation_id == identity).order_by(table.c.request_id)

    async def overdue(self, session: AsyncSession, before: datetime, most: int) -> list[Reconciliation]:
        """List those handed in before then that were neither applied nor given up; what another process has is left out."""
        open_ones = (
            ReconciliationState.QUEUED.value,
            ReconciliationState.COMPARING.value,
            ReconciliationState.COMPARED.value,
            ReconciliationState.APPLYING.value,
        )
        statement = (
            self.runs.select(_R.created_at < before, _R.state.in_(open_ones))
            .order_by(_R.created_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return self.runs.read([tuple(row) for row in await session.execute(statement)])

    async def forget(self, session: AsyncSession, before: datetime, most: int) -> int:
        """Drop what ended before then, with its differences."""
        old = select(_R.id).where(_R.finished_at < before).order_by(_R.id).limit(most).with_for_update(skip_locked=True)
        ids = list(await session.scalars(old))
        for table in (_ROWS, _PIECES):
            await session.execute(delete(table).where(table.c.reconciliation_id.in_(ids)))
        await session.execute(delete(_RUNS).where(_R.id.in_(ids)))
        return len(ids)

    async def waiting(self, session: AsyncSession, since: datetime) -> int:
        """Count the files handed in since then that wait to be compared."""
        waits = _R.state.in_((ReconciliationState.QUEUED.value, ReconciliationState.COMPARING.value))
        return int(await session.scalar(select(func.count()).where(waits, _R.created_at > since)) or 0)


def _row(row: Sequence[Any]) -> Row:
    number, kind, line, employee_no, contact, place, version, members, column, code, box, outcome, result = row
    return Row(
        number=number,
        kind=DiffKind(kind),
        line=line,
        employee_no=employee_no,
        contact_id=contact,
        department_id=place,
        version=version,
        members=tuple(members),
        column=column,
        code=code,
        box=None if box is None else bytes(box),
        outcome=None if outcome is None else DifferenceOutcome(outcome),
        result=result,
    )


def _context(identity: UUID, what: bytes, place: int) -> bytes:
    return what + identity.bytes + place.to_bytes(4)
