"""Running long work: one job of a kind at a time, whoever claims it; alive as long as it says so, taken over when it does not.

A run commits progress together with what became of its items, so a run that takes over after a crash goes on where the last step ended. Who
asked is looked up again for every ``viewer()``: somebody who left, was suspended or lost a role has no job that goes on with it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository, ClientRepository
from app.auth.scopes import scopes_of_person
from app.auth.subject import Caller, Person, Service
from app.jobs.repository import KEPT, JobRepository, JobState
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Internal, Problem
from app.kit.models import new_id
from app.permissions.errors import NoContact
from app.permissions.jobs import JobEnded, JobHandler, RowOutcome
from app.permissions.standing import Standings, Viewer

MOST_ATTEMPTS: Final = 5
_BEAT_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 10.0

_log = structlog.get_logger("duanhao.jobs")


class Interrupted(Internal):
    """Every run of the job died; it is not tried again."""

    code, title, title_zh = "job_interrupted", "The job was interrupted too often", "任务多次中断"


class Run:
    """One run of one job; implements ``permissions.jobs.JobRun``."""

    def __init__(self, runner: "JobRunner", job: JobState, owner: UUID) -> None:
        """Take the job that was claimed for ``owner``."""
        self.id, self.payload, self.done = job.id, job.payload, job.done
        self._runner, self._job, self._owner = runner, job, owner
        self._rows = job.done

    async def viewer(self) -> Viewer:
        """Give whoever asked, with the rights of now; raise what a request of theirs would be refused with."""
        return await self._runner.viewer_of(self._job)

    async def advance(self, done: int, total: int, rows: Sequence[RowOutcome] = ()) -> None:
        """Say how far it is; raise ``JobEnded`` when the run is not wanted any more, and as ``viewer`` does."""
        await self.viewer()
        await self._runner.advanced(self._job, self._owner, (done, total), self._rows, rows)
        self._rows += len(rows)


class JobRunner:
    """Claims jobs and runs them, one after the other."""

    def __init__(
        self,
        *,
        database: Database,
        repository: JobRepository,
        standings: Standings,
        accounts: AccountRepository,
        clients: ClientRepository,
        handlers: Mapping[str, JobHandler],
        clock: Clock,
    ) -> None:
        """Take the store, the rows, who viewers are, what each kind of work means, and the clock."""
        self._database, self._repository, self._standings = database, repository, standings
        self._accounts, self._clients = accounts, clients
        self._handlers, self._clock = dict(handlers), clock

    async def run(self) -> None:
        """Run jobs for ever; end by cancellation. A round that fails is reported and tried again."""
        pause = _PAUSE_SECONDS
        while True:
            try:
                pause = 0.0 if await self.once() else _PAUSE_SECONDS
            except Exception as error:  # noqa: BLE001 — the loop outlives any one failure, which is reported and tried again
                _log.error("job_round_failed", error=type(error).__name__)
                pause = min(max(pause, _PAUSE_SECONDS) * 2, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def once(self) -> bool:
        """Run the next job that may run, to its end; tell whether there was one."""
        owner = new_id()
        try:
            async with self._database.unit_of_work() as unit:
                job = await self._repository.claim(
                    unit.session, owner=owner, kinds=self._handlers, now=self._clock.now()
                )
        except IntegrityError:
            return False
        if job is None:
            return False
        beating = asyncio.create_task(self._beats(job.id, owner))
        try:
            await self._worked(job, owner)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
        return True

    async def forget(self, unit: UnitOfWork) -> None:
        """Drop what ended long ago."""
        await self._repository.forget(unit.session, before=self._clock.now() - KEPT)

    async def viewer_of(self, job: JobState) -> Viewer:
        """Give whoever asked for a job, with the rights of now."""
        viewer = await self._standings.of(await self._subject(job), fresh=True)
        if viewer.caller != job.caller:
            raise NoContact
        return viewer

    async def advanced(
        self, job: JobState, owner: UUID, at: tuple[int, int], first: int, rows: Sequence[RowOutcome]
    ) -> None:
        """Commit a step of a run; raise ``JobEnded`` when it is not the job's any more."""
        async with self._database.unit_of_work() as unit:
            mine = await self._repository.advance(
                unit.session, job.id, owner, at=at, first=first, rows=rows, now=self._clock.now()
            )
        if not mine:
            raise JobEnded

    async def _worked(self, job: JobState, owner: UUID) -> None:
        try:
            if job.attempts >= MOST_ATTEMPTS:
                raise Interrupted  # noqa: TRY301 — told as every other failure is
            result = await self._handlers[job.kind](Run(self, job, owner))
        except JobEnded:
            _log.info("job_ended", kind=job.kind, job=str(job.id))
        except Problem as problem:
            await self._ended(job, owner, "failed", problem=problem)
        except Exception as error:  # noqa: BLE001 — a handler's fault ends its job and no other, and is reported
            _log.error("job_failed", kind=job.kind, job=str(job.id), error=type(error).__name__)
            await self._ended(job, owner, "failed", problem=Internal())
        else:
            await self._ended(job, owner, "done", result=result)

    async def _ended(
        self,
        job: JobState,
        owner: UUID,
        state: str,
        *,
        result: Mapping[str, Any] | None = None,
        problem: Problem | None = None,
    ) -> None:
        told = None if problem is None else {name: getattr(problem, name) for name in ("code", "title", "title_zh")}
        now = self._clock.now()
        async with self._database.unit_of_work() as unit:
            if await self._repository.finish(
                unit.session, job.id, owner, state=state, result=result, problem=told, now=now
            ):
                kind, _, identity = job.caller.partition(":")
                author = Author(type="service" if kind == "service" else "person", id=identity)
                detail = {"job": str(job.id), "kind": job.kind, "state": state}
                await add_intent(unit.session, written(author, "job.finish", now, query=detail))

    async def _beats(self, identity: UUID, owner: UUID) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            try:
                async with self._database.unit_of_work() as unit:
                    await self._repository.beat(unit.session, identity, owner, now=self._clock.now())
            except Problem as problem:
                _log.warning("job_beat_failed", job=str(identity), code=problem.code)

    async def _subject(self, job: JobState) -> Caller:
        """Read who asked; the scopes are those of then as far as their roles, or their registration, still give them."""
        scopes = frozenset(job.subject["scopes"])
        if "contact" not in job.subject:
            client = await self._clients.by_id(self._database.reader, job.subject["client"])
            if client is None:
                raise AccountRefused
            return Service(client.client_id, scopes & client.scopes)
        account = await self._accounts.by_contact(self._database.reader, UUID(job.subject["contact"]))
        if account is None:
            raise NoContact
        return Person(account.user_name, job.subject["client"], scopes & scopes_of_person(account.roles))
