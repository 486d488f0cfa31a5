"""Applying a diff, exactly that: as personnel events of a source of their own, each in a transaction of its own, with what became of it.

Each difference has one event id for ever (two where somebody moves and changes otherwise too), so a run that takes over after a crash, or
is asked for again, does nothing twice. Somebody whose card has changed since is compared again, and only what the diff named and is
different still is written. The events' time is that of the head-count: what the ledger knows to be newer stands.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import ValidationError

from app.audit.authors import written
from app.audit.intents import add_intent
from app.auth.errors import AccountRefused
from app.contacts.errors import UnknownDepartment
from app.contacts.headcount import IN_SERVICE, Head, HeadCount
from app.contacts.members import PEOPLE
from app.hr.data import JoinedData, LeftData, MovedData, RehiredData, UpdatedData
from app.hr.schemas import HrEventIn
from app.hr.service import HrService, Told
from app.hr.subjects import GONE
from app.kit.anew import once_more
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Conflict, Internal, Invalid, NotFound, PreconditionFailed, Problem
from app.permissions.errors import NotPermitted
from app.permissions.jobs import JobEnded, JobRun
from app.permissions.standing import Viewer, author_of
from app.reconciliations.comparing import Comparer
from app.reconciliations.errors import DiffAltered
from app.reconciliations.kinds import (
    SOURCE_PREFIX,
    DifferenceOutcome,
    DiffKind,
    Digest,
    Reconciliation,
    ReconciliationState,
    Row,
)
from app.reconciliations.people import changes, still
from app.reconciliations.repository import ReconciliationRepository
from app.reconciliations.rights import sends
from app.reconciliations.running import scope_of

STRETCH: Final = 20
_PAGE: Final = 1000
_REFUSALS: Final = (Invalid, NotPermitted, AccountRefused, NotFound, PreconditionFailed, Conflict)
"""What a single difference fails with; everything else is a failure of ours, and the run ends with what is done."""
_TYPES: Final = {MovedData: "employee.moved", UpdatedData: "employee.updated"}


@dataclass(frozen=True, slots=True)
class _At:
    """A difference that is being applied, and how far the application is before it."""

    found: Reconciliation
    row: Row
    done: int
    outcomes: Counter[str]


class Application:
    """Runs applications; ``work`` implements ``permissions.jobs.JobHandler``."""

    def __init__(
        self,
        *,
        rows: ReconciliationRepository,
        heads: HeadCount,
        comparer: Comparer,
        events: HrService,
        database: Database,
        clock: Clock,
    ) -> None:
        """Take the rows, where people are read and compared, who takes events, the store and the clock."""
        self._rows, self._heads, self._comparer = rows, heads, comparer
        self._events, self._database, self._clock = events, database, clock

    async def work(self, run: JobRun) -> Mapping[str, Any]:
        """Apply the diff that a job is about. Raises what a request of whoever asked would be refused with."""
        found = await self._rows.one(self._database.reader, UUID(run.payload["reconciliation"]))
        if found is None:
            raise NotFound
        try:
            return await self._applied(run, found)
        except Problem as problem:
            await self._stopped(found, problem.code)
            raise
        except JobEnded:
            raise
        except Exception:
            await self._stopped(found, Internal.code)
            raise

    async def _applied(self, run: JobRun, found: Reconciliation) -> Mapping[str, Any]:
        sends(await run.viewer())
        await self._refuse_altered(found)
        progress = (await self._rows.progress(self._database.reader, [found.id]))[found.id]
        total, done, outcomes = progress.total or 0, progress.done, Counter(progress.outcomes)
        while rows := await self._rows.pending(self._database.reader, found.id, STRETCH):
            for row in rows:
                viewer = await run.viewer()
                sends(viewer)
                outcome = await self._one(run, viewer, _At(found, row, done, outcomes))
                done, outcomes = done + 1, outcomes + Counter([outcome])
            await run.advance(done, total)
        return await self._finished(run, found, outcomes)

    async def _refuse_altered(self, found: Reconciliation) -> None:
        digest, after = Digest(found.id), -1
        while page := await self._rows.rows(self._database.reader, found.id, after=after, limit=_PAGE):
            digest.take(page)
            after = page[-1].number
        if digest.value() != found.digest:
            raise DiffAltered

    async def _one(self, run: JobRun, viewer: Viewer, at: "_At") -> str:
        """Do what a difference says, and write what became of it in the transaction of its last event."""
        try:
            events = await self._events_of(viewer, at.found, at.row)
            if isinstance(events, str):
                return await self._settled(at, DifferenceOutcome.SETTLED, events)
            for event in events[:-1]:
                outcome, why = await self._taken(run, viewer, event)
                if outcome is not DifferenceOutcome.APPLIED:
                    return await self._settled(at, outcome, why)
            outcome, _ = await self._taken(run, viewer, events[-1], last=at)
        except ValidationError:
            return await self._settled(at, DifferenceOutcome.FAILED, Invalid.code)
        except _REFUSALS as problem:
            code = problem.errors[0].code if problem.errors else problem.code
            return await self._settled(at, DifferenceOutcome.FAILED, code)
        return outcome.value

    async def _taken(
        self, run: JobRun, viewer: Viewer, event: HrEventIn, *, last: "_At | None" = None
    ) -> tuple[DifferenceOutcome, str | None]:
        """Take one event in a transaction of its own, with what became of the difference whose ``last`` it is."""

        async def attempt(again: bool) -> tuple[DifferenceOutcome, str | None]:  # noqa: FBT001 — as it is called
            current = await run.viewer() if again else viewer
            async with self._database.unit_of_work() as unit:
                outcome, why = _told(await self._events.take_own(current, unit, event))
                if last is not None:
                    await self._settle(unit, last, outcome, why)
                return outcome, why

        return await once_more(attempt)

    async def _settled(self, at: "_At", outcome: DifferenceOutcome, why: str | None) -> str:
        async with self._database.unit_of_work() as unit:
            await self._settle(unit, at, outcome, why)
        return outcome.value

    async def _settle(self, unit: UnitOfWork, at: "_At", outcome: DifferenceOutcome, why: str | None) -> None:
        """Write what became of a difference, and how far the application is; raise ``JobEnded`` where another run has done so."""
        if not await self._rows.settle(unit.session, at.found.id, at.row.number, outcome, why):
            raise JobEnded
        told = {"done": at.done + 1, "outcomes": dict(at.outcomes + Counter([outcome.value]))}
        if not await self._rows.advance(unit.session, at.found.id, ReconciliationState.APPLYING, told):
            raise JobEnded

    async def _events_of(self, viewer: Viewer, found: Reconciliation, row: Row) -> list[HrEventIn] | str:
        """Write the events of a difference; a code where it is about something that is not so any more."""
        heads = await self._heads.rows(self._database.reader, [row.employee_no or ""])
        head = heads.get(row.employee_no or "")
        status = None if head is None else head.shape.plain["status"]
        match row.kind:
            case DiffKind.JOINER:
                data = JoinedData.model_validate(self._said(found, row))
                return "no_longer_so" if head is not None else [_event(found, row, "j", "employee.joined", data)]
            case DiffKind.RETURNED:
                returned = RehiredData.model_validate(self._said(found, row))
                return "no_longer_so" if status != GONE else [_event(found, row, "r", "employee.rehired", returned)]
            case DiffKind.LEAVER:
                scope = scope_of(viewer.tree, found.department_id)
                place = None if head is None else head.shape.plain["department_id"]
                if status not in IN_SERVICE or (scope is not None and place not in scope):
                    return "no_longer_so"
                return [_event(found, row, "l", "employee.left", LeftData())]
            case _ if head is None or status not in IN_SERVICE:
                return "no_longer_so"
            case _:
                return await self._changes(viewer, found, row, head)

    async def _changes(self, viewer: Viewer, found: Reconciliation, row: Row, head: Head) -> list[HrEventIn] | str:
        events = []
        for last, data in changes(self._said(found, row)):
            kept: MovedData | UpdatedData | None = data
            if head.version != row.version:
                kept = await self._still(viewer, head, data)
            if kept is not None:
                events.append(_event(found, row, last, _TYPES[type(kept)], kept))
        return events or "nothing_left"

    async def _still(self, viewer: Viewer, head: Head, data: MovedData | UpdatedData) -> MovedData | UpdatedData | None:
        """Compare a change again with the card as it is now."""
        given = data.given()
        named = {str(given[name]) for name in PEOPLE if given.get(name) is not None}
        known = await self._heads.ids(self._database.reader, sorted(named))
        try:
            members = self._comparer.differing(viewer.tree, head, given, known)
        except UnknownDepartment:
            return data
        if members is None:
            raise NotFound
        return still(data, members)

    def _said(self, found: Reconciliation, row: Row) -> Mapping[str, Any]:
        said: Mapping[str, Any] = orjson.loads(self._rows.said(found, row))
        return said

    async def _finished(self, run: JobRun, found: Reconciliation, outcomes: Counter[str]) -> Mapping[str, Any]:
        now, viewer = self._clock.now(), await run.viewer()
        async with self._database.unit_of_work() as unit:
            done = {"state": ReconciliationState.APPLIED.value, "finished_at": now, "problem": None}
            if await self._rows.advance(unit.session, found.id, ReconciliationState.APPLYING, done):
                await self._rows.drop_boxes(unit.session, found.id)
                detail = {"reconciliation": str(found.id), "source": found.source, "outcomes": dict(outcomes)}
                await add_intent(unit.session, written(author_of(viewer), "hr.reconcile.finish", now, query=detail))
        return {"reconciliation_id": str(found.id), **outcomes}

    async def _stopped(self, found: Reconciliation, problem: str) -> None:
        """Say why it stopped; what is done stays, and it can be asked for again."""
        async with self._database.unit_of_work() as unit:
            await self._rows.advance(unit.session, found.id, ReconciliationState.APPLYING, {"problem": problem})


def _told(told: Told) -> tuple[DifferenceOutcome, str | None]:
    return DifferenceOutcome(told.state), None if told.problem is None else told.problem["code"]


def _event(
    found: Reconciliation,
    row: Row,
    last: str,
    kind: str,
    data: JoinedData | RehiredData | LeftData | MovedData | UpdatedData,
) -> HrEventIn:
    return HrEventIn.model_validate(
        {
            "id": f"{found.id.hex}.{row.number}.{last}",
            "source": f"{SOURCE_PREFIX}{found.source}",
            "type": kind,
            "subject": row.employee_no,
            "time": found.as_of,
            "data": data.model_dump(mode="json", exclude_unset=True),
        }
    )
