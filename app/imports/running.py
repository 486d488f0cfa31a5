"""Settling an import: the file is read once per run, then its rows a stretch at a time, each in a transaction of its own.

What a stretch writes, what became of its rows and how far the import is are one transaction; so a run that takes over after a crash goes on
with the first row that is not settled, and no row is settled twice. A dry run settles every stretch too, takes that back, and keeps only
what it was told. The rights are those of whoever asked, read again for every stretch.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.approvals.delegation_errors import PersonUnclear
from app.approvals.persons import Persons
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.crypto.errors import SealBroken
from app.imports.errors import ImportStopped
from app.imports.kinds import Import, ImportKind, ImportState, RowResult, Settle, Sheet
from app.imports.repository import ImportRepository
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Internal, NotFound, Problem
from app.permissions.jobs import JobEnded, JobRun
from app.permissions.standing import author_of

STRETCH: Final = 100
RUNNER: Final = Author(type="system", id="imports")


class _TakenBack(Exception):
    """Everything worked; nothing of it is to stay."""


class ImportRunner:
    """Runs imports; ``work`` implements ``permissions.jobs.JobHandler``."""

    def __init__(
        self,
        *,
        rows: ImportRepository,
        kinds: Mapping[str, ImportKind],
        persons: Persons,
        database: Database,
        clock: Clock,
    ) -> None:
        """Take the rows, the kinds by name, which accounts are one person, the store and the clock."""
        self._rows, self._kinds, self._persons = rows, kinds, persons
        self._database, self._clock = database, clock

    async def work(self, run: JobRun) -> Mapping[str, Any]:
        """Settle the import that a job is about. Raises what a request of whoever asked would be refused with."""
        identity = UUID(run.payload["import"])
        found = await self._rows.one(self._database.reader, identity)
        if found is None:
            raise NotFound
        try:
            return await self._settled(run, found)
        except Problem as problem:
            await self._end(found, run, problem=problem.code)
            raise
        except JobEnded:
            raise
        except Exception:
            await self._end(found, run, problem=Internal.code)
            raise

    async def _settled(self, run: JobRun, found: Import) -> Mapping[str, Any]:
        kind = self._kinds[found.kind]
        viewer = await run.viewer()
        kind.admit(viewer)
        progress = (await self._rows.progress(self._database.reader, [found.id]))[found.id]
        if progress.state is ImportState.DONE:
            return dict(progress.counts)
        sheet = await kind.read(found, await self._content(found), seconded=await self._seconded(found))
        before, total = len(sheet.problems), len(sheet.problems) + sheet.total
        done = progress.done
        if progress.total is None:
            done = await self._keep(found, 0, sheet.problems, total)
            await run.advance(done, total)
        while done < total:
            viewer = await run.viewer()
            kind.admit(viewer)
            settle = await sheet.stretch(viewer, done - before, min(STRETCH, total - done))
            done = await self._stretch(found, done, settle, total)
            await run.advance(done, total)
        return await self._finished(found, run, sheet)

    async def _stretch(self, found: Import, at: int, settle: Settle, total: int) -> int:
        if not found.dry_run:
            async with self._database.unit_of_work() as unit:
                results = await settle(unit)
                if not await self._rows.advance(unit.session, found.id, at, results, total=total):
                    raise JobEnded
            return at + len(results)
        told: list[RowResult] = []
        try:
            async with self._database.unit_of_work() as unit:
                told += await settle(unit)
                raise _TakenBack  # noqa: TRY301 — so that the transaction ends as one that failed
        except _TakenBack:
            return await self._keep(found, at, told, total)

    async def _keep(self, found: Import, at: int, results: Sequence[RowResult], total: int) -> int:
        async with self._database.unit_of_work() as unit:
            if not await self._rows.advance(unit.session, found.id, at, results, total=total):
                raise JobEnded
        return at + len(results)

    async def _finished(self, found: Import, run: JobRun, sheet: Sheet) -> Mapping[str, Any]:
        proposals = await sheet.proposals(self._database.reader)
        await self._end(found, run, proposals=proposals)
        progress = (await self._rows.progress(self._database.reader, [found.id]))[found.id]
        return {"import_id": str(found.id), **progress.counts}

    async def _end(
        self, found: Import, run: JobRun, *, proposals: Mapping[str, Any] | None = None, problem: str | None = None
    ) -> None:
        now, author = self._clock.now(), RUNNER if problem else author_of(await run.viewer())
        detail = {"import": str(found.id), "kind": found.kind, "dry_run": found.dry_run, "problem": problem}
        told = {name: value for name, value in detail.items() if value is not None}
        async with self._database.unit_of_work() as unit:
            if not await self._rows.finish(unit.session, found.id, now, proposals=proposals, problem=problem):
                return
            await add_intent(unit.session, written(author, "import.finish", now, query=told))

    async def _content(self, found: Import) -> bytes:
        boxes = await self._rows.boxes(self._database.reader, found.id)
        if not boxes:
            raise ImportStopped
        try:
            content = await asyncio.to_thread(self._rows.unboxed, found, boxes)
        except SealBroken:
            raise ImportStopped from None
        if len(content) != found.size:
            raise ImportStopped
        return content

    async def _seconded(self, found: Import) -> bool:
        """Tell whether another natural person has handed in the same file; in doubt who is who, nobody has."""
        if not found.overrules or found.contact_id is None:
            return False
        others = await self._rows.seconders(self._database.reader, found)
        try:
            people = await self._persons.of(self._database.reader, {found.contact_id, *others})
        except PersonUnclear:
            return False
        return any(people[each] != people[found.contact_id] for each in others)
