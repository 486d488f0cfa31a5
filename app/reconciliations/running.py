"""Comparing a head-count with the directory, as a job: the file goes by twice, a piece at a time, and the directory once.

First it is learnt whom the file names, so that the order of its rows makes no difference; then its rows are compared, a thousand at once;
at last everybody in service is gone over for those whom it does not name. Memory holds the employee numbers and one stretch. Nothing that
this does changes anybody, so a run that takes over after a crash begins anew.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.contacts.headcount import AT_ONCE, HeadCount
from app.crypto.errors import SealBroken
from app.departments.tree import Tree
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Internal, NotFound, Problem
from app.permissions.jobs import JobEnded, JobRun
from app.permissions.standing import author_of
from app.reconciliations import people
from app.reconciliations.comparing import Comparer, Found, Sight, named_by
from app.reconciliations.errors import FileGone, UnknownScope
from app.reconciliations.kinds import (
    CHANGES_AFTER,
    LEAVES_AFTER,
    Difference,
    DiffKind,
    Digest,
    Reconciliation,
    ReconciliationState,
    waves,
)
from app.reconciliations.reading import MOST_ROWS, Entry, FileUnreadable, NotUtf8, reader_of
from app.reconciliations.repository import PIECE, ReconciliationRepository
from app.reconciliations.rights import sends

T = TypeVar("T")
RUNNER: Final = Author(type="system", id="reconciliations")
_MOST_UNKNOWN: Final = 100
_WALKED: Final = 5000
_COMERS: Final = frozenset({DiffKind.JOINER, DiffKind.RETURNED})


@dataclass(slots=True)
class _Findings:
    """What a run has found so far."""

    number: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    comers: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    people: int = 0


class Comparison:
    """Runs comparisons; ``work`` implements ``permissions.jobs.JobHandler``."""

    def __init__(
        self,
        *,
        rows: ReconciliationRepository,
        heads: HeadCount,
        comparer: Comparer,
        database: Database,
        clock: Clock,
    ) -> None:
        """Take the rows, where people are read, what compares, the store and the clock."""
        self._rows, self._heads, self._comparer = rows, heads, comparer
        self._database, self._clock = database, clock

    async def work(self, run: JobRun) -> Mapping[str, Any]:
        """Compare the head-count that a job is about. Raises what a request of whoever asked would be refused with."""
        found = await self._rows.one(self._database.reader, UUID(run.payload["reconciliation"]))
        if found is None:
            raise NotFound
        try:
            return await self._compared(run, found)
        except FileUnreadable as problem:
            await self._fail(found, problem.fault)
            raise
        except Problem as problem:
            await self._fail(found, problem.code)
            raise
        except JobEnded:
            raise
        except Exception:
            await self._fail(found, Internal.code)
            raise

    async def _compared(self, run: JobRun, found: Reconciliation) -> Mapping[str, Any]:
        viewer = await run.viewer()
        sends(viewer)
        async with self._database.unit_of_work() as unit:
            if not await self._rows.restart(unit.session, found.id):
                raise JobEnded
        encoding, named, nameless = await self._named(found)
        total = named.total() + nameless
        sight = Sight(
            viewer=viewer,
            tree=viewer.tree,
            scope=scope_of(viewer.tree, found.department_id),
            as_of=found.as_of,
            named=named,
        )
        findings, done = _Findings(), 0
        reader = reader_of(found.format, encoding)
        async for entries in self._entries(found, reader):
            for some in _stretches(entries):
                viewer = await run.viewer()
                sends(viewer)
                sight = replace(sight, viewer=viewer, tree=viewer.tree)
                await self._stretch(found, findings, sight, some)
                done += len(some)
                await run.advance(done, total)
        await self._absent(run, found, findings, sight)
        return await self._finished(run, found, findings, nameless=nameless, ignored=reader.ignored)

    async def _named(self, found: Reconciliation) -> tuple[str, Counter[str], int]:
        """Learn whom the file names, and how often; in GB 18030 a sheet that is no UTF-8."""
        encodings = ("utf-8", "gb18030") if found.format == "csv" else ("utf-8",)
        for encoding in encodings:
            named: Counter[str] = Counter()
            nameless = 0
            try:
                async for entries in self._entries(found, reader_of(found.format, encoding)):
                    numbers = await asyncio.to_thread(lambda some: list(map(people.number_of, some)), entries)
                    named.update(each for each in numbers if each is not None)
                    nameless += numbers.count(None)
                    if named.total() + nameless > MOST_ROWS:
                        raise FileUnreadable("too_many_rows")
            except NotUtf8:
                continue
            return encoding, named, nameless
        raise FileUnreadable("not_text")

    async def _entries(self, found: Reconciliation, reader: Any) -> AsyncIterator[list[Entry]]:  # noqa: ANN401 — a ``Reader``
        for place in range(-(-found.size // PIECE)):
            box = await self._rows.piece(self._database.reader, found, place)
            if box is None:
                raise FileGone
            yield await asyncio.to_thread(self._taken, found, place, box, reader)
        rest = reader.finish()
        while (entries := await asyncio.to_thread(next, rest, None)) is not None:
            yield entries

    def _taken(self, found: Reconciliation, place: int, box: bytes, reader: Any) -> list[Entry]:  # noqa: ANN401 — a ``Reader``
        try:
            piece = self._rows.unboxed(found, place, box)
        except SealBroken:
            raise FileGone from None
        entries: list[Entry] = reader.take(piece)
        return entries

    async def _stretch(
        self, found: Reconciliation, findings: _Findings, sight: Sight, entries: Sequence[Entry]
    ) -> None:
        source = self._database.reader
        rows = await asyncio.to_thread(lambda: list(map(people.read, entries)))
        numbers = list({row.employee_no for row in rows if row.employee_no is not None})
        heads = await self._heads.rows(source, numbers)
        known = await self._heads.ids(source, sorted(named_by(rows)))
        told: Found = await asyncio.to_thread(self._comparer.rows, sight, rows, heads, known)
        findings.counts["unchanged"] += told.unchanged
        findings.unknown.update(told.unknown)
        await self._keep(found, findings, told.differences, CHANGES_AFTER)

    async def _absent(self, run: JobRun, found: Reconciliation, findings: _Findings, sight: Sight) -> None:
        source, after = self._database.reader, ""
        while page := await self._heads.walk(source, after, _WALKED):
            after = page[-1][0]
            theirs = [number for number, place in page if sight.in_scope(place)]
            findings.people += len(theirs)
            missing = [number for number in theirs if number not in sight.named]
            for some in _stretches(missing):
                viewer = await run.viewer()
                sends(viewer)
                sight = replace(sight, viewer=viewer)
                heads = await self._heads.rows(source, some)
                told = await asyncio.to_thread(self._comparer.absent, sight, heads.values())
                await self._keep(found, findings, sorted(told, key=lambda each: each.employee_no or ""), LEAVES_AFTER)

    async def _keep(self, found: Reconciliation, findings: _Findings, differences: list[Difference], wave: int) -> None:
        if not differences:
            return
        async with self._database.unit_of_work() as unit:
            await self._rows.found(unit.session, found, findings.number, differences, wave)
        for number, each in enumerate(differences, start=findings.number):
            findings.counts[each.kind.value] += 1
            if each.kind in _COMERS and each.employee_no is not None:
                findings.comers[each.employee_no] = (number, each.names)
        findings.number += len(differences)

    async def _finished(
        self, run: JobRun, found: Reconciliation, findings: _Findings, *, nameless: int, ignored: list[str]
    ) -> Mapping[str, Any]:
        order = await asyncio.to_thread(waves, {who: names for who, (_, names) in findings.comers.items()})
        digest, after = Digest(found.id), -1
        while page := await self._rows.rows(self._database.reader, found.id, after=after, limit=AT_ONCE):
            digest.take(page)
            after = page[-1].number
        now, viewer = self._clock.now(), await run.viewer()
        compared = replace(
            found,
            compared_at=now,
            digest=digest.value(),
            rows=findings.number,
            leavers=findings.counts[DiffKind.LEAVER.value],
            people=findings.people,
            nameless=nameless,
        )
        counts = {name: count for name, count in findings.counts.items() if count}
        notes = {"unknown_departments": dict(findings.unknown.most_common(_MOST_UNKNOWN)), "ignored_columns": ignored}
        async with self._database.unit_of_work() as unit:
            await self._rows.reorder(
                unit.session, found.id, {findings.comers[who][0]: wave for who, wave in order.items()}
            )
            if not await self._rows.advance(
                unit.session, found.id, ReconciliationState.COMPARING, {"counts": counts, "notes": notes}
            ):
                raise JobEnded
            await self._rows.put(
                unit.session, compared, ReconciliationState.COMPARED, done=0, total=sum(_to_apply(counts))
            )
            await self._rows.drop_file(unit.session, found.id)
            detail = {"reconciliation": str(found.id), "source": found.source, "counts": counts}
            told = {**detail, "digest": compared.digest.hex() if compared.digest else None}
            await add_intent(unit.session, written(author_of(viewer), "hr.reconcile.compare", now, query=told))
        return {"reconciliation_id": str(found.id), **counts}

    async def _fail(self, found: Reconciliation, problem: str) -> None:
        now = self._clock.now()
        async with self._database.unit_of_work() as unit:
            ended = {"state": ReconciliationState.FAILED.value, "problem": problem, "finished_at": now}
            if not await self._rows.advance(unit.session, found.id, ReconciliationState.COMPARING, ended):
                return
            await self._rows.drop_file(unit.session, found.id)
            detail = {"reconciliation": str(found.id), "source": found.source, "problem": problem}
            await add_intent(unit.session, written(RUNNER, "hr.reconcile.fail", now, query=detail))


def scope_of(tree: Tree, department: UUID | None) -> frozenset[UUID] | None:
    """Give a department and everything below it, ``None`` for the whole company; raise ``UnknownScope``."""
    if department is None:
        return None
    if department not in tree.nodes:
        raise UnknownScope
    return tree.subtree(department)


def _stretches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[at : at + AT_ONCE] for at in range(0, len(items), AT_ONCE))


def _to_apply(counts: Mapping[str, int]) -> list[int]:
    return [counts.get(each.value, 0) for each in (*_COMERS, DiffKind.CHANGED, DiffKind.LEAVER)]
