"""Whether a diff may be applied: the one that was looked at, not older than what was applied, whole, and not more people gone than may.

It is decided in the transaction that promises the job, and no other application is allowed meanwhile: two halves of a split file that
are sent at once are judged one after the other. So it holds for every caller alike, for the command as for the API.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.headcount import HeadCount
from app.departments.tree import Tree
from app.hr.errors import FuseBlown
from app.hr.fuse import FuseExtent, Limits, Tally, Verdict, worst
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.query import Source
from app.permissions.jobs import JobQueue
from app.permissions.standing import Viewer, author_of
from app.reconciliations.errors import (
    AlreadyBegun,
    DiffMoved,
    Expired,
    Incomplete,
    NotCompared,
    Outdated,
)
from app.reconciliations.keeping import RECONCILIATIONS
from app.reconciliations.kinds import Reconciliation, ReconciliationState
from app.reconciliations.repository import ReconciliationRepository
from app.reconciliations.rights import sends
from app.reconciliations.running import scope_of
from app.reconciliations.schemas import ApplicationAsk

APPLY: Final = "hr.reconcile.apply"
DAY: Final = timedelta(hours=24)

_log = structlog.get_logger("duanhao.security")


class Fuse:
    """Judges diffs together with what else was let go within a day, whichever source it was called."""

    def __init__(self, *, rows: ReconciliationRepository, heads: HeadCount, limits: Limits, clock: Clock) -> None:
        """Take the rows, where people are counted, the limits and the clock."""
        self._rows, self._heads, self.limits, self._clock = rows, heads, limits, clock

    async def verdict(self, source: Source, tree: Tree, found: Reconciliation) -> Verdict:
        """Judge a diff that has been compared."""
        alone = Tally(FuseExtent.ALONE, found.leavers, found.people)
        since = self._clock.now() - DAY
        others = [each for each in await self._rows.begun(source, since) if each.id != found.id and each.leavers]
        if not others or not found.leavers:
            return worst([alone], self.limits)
        left = await self._rows.leavers_of(source, [each.id for each in others])
        scope = _existing(tree, found.department_id)
        everywhere = _union(scope, (_existing(tree, each.department_id) for each in others))
        places = await self._heads.places(source)
        tallies = [
            Tally(
                extent,
                found.leavers + sum(count for place, _, count in left if _inside(place, within)),
                sum(count for place, count in places.items() if _inside(place, within))
                + sum(count for place, gone, count in left if gone and _inside(place, within)),
            )
            for extent, within in ((FuseExtent.DAY_IN_SCOPE, scope), (FuseExtent.DAY, everywhere))
        ]
        return worst([alone, *tallies], self.limits)


class Applications:
    """Allows applications."""

    def __init__(
        self,
        *,
        rows: ReconciliationRepository,
        fuse: Fuse,
        jobs: JobQueue,
        idempotency: Idempotency,
        kept: timedelta,
        clock: Clock,
    ) -> None:
        """Take the rows, the fuse, where jobs are asked for, what repeats are told, how long a diff can be applied, and the clock."""
        self._rows, self._fuse, self._jobs = rows, fuse, jobs
        self._idempotency, self._kept, self._clock = idempotency, kept, clock

    async def begin(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, identity: UUID, ask: ApplicationAsk
    ) -> Answer:
        """Allow the application of a diff and promise its job, once per ``key``; one that was allowed within a day and stopped goes on.

        One that was allowed longer ago is judged again, as if it were asked for first: what it lets go counts among those of today.

        Raises ``NotPermitted``, ``NotFound``, ``TooManyJobs`` and the conflicts of ``errors``; then nothing will be applied.
        """

        async def work() -> Receipt:
            return await self._begun(viewer, unit, identity, ask)

        sends(viewer)
        call = Call(viewer.caller, "POST", f"{RECONCILIATIONS}/{identity}/applications", key)
        return await self._idempotency.run(
            unit, call, ask.model_dump(mode="json"), allowed=lambda: sends(viewer), work=work
        )

    async def _begun(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, ask: ApplicationAsk) -> Receipt:
        session, now = unit.session, self._clock.now()
        await self._rows.hold(session)
        locked = await self._rows.runs.locked(session, self._rows.runs.table.c.id == identity)
        found = locked[0] if locked else None
        if found is None or found.caller != viewer.caller:
            raise NotFound
        progress = (await self._rows.progress(session, [identity]))[identity]
        again = progress.state is ReconciliationState.APPLYING
        if not again:
            self._refuse_unready(found, progress.state)
        if found.digest is None or found.digest.hex() != ask.digest:
            raise DiffMoved
        recent = again and found.begun_at is not None and found.begun_at > now - DAY
        allowed = found if recent else replace(await self._judged(viewer, session, found), begun_at=now)
        job = await self._jobs.submit(unit, viewer, APPLY, {"reconciliation": str(identity)}, total=progress.total or 0)
        allowed = replace(allowed, apply_job_id=job)
        await self._rows.put(session, allowed, ReconciliationState.APPLYING, problem=None)
        detail = {
            "reconciliation": str(identity),
            "source": found.source,
            "digest": ask.digest,
            "leavers": found.leavers,
            "released_by": None if allowed.released_by is None else str(allowed.released_by),
        }
        await add_intent(session, written(author_of(viewer), "hr.reconcile.apply", now, query=detail))
        return Receipt(
            identity, {"id": str(identity), "state": ReconciliationState.APPLYING.value, "job_id": str(job)}, 202
        )

    def _refuse_unready(self, found: Reconciliation, state: ReconciliationState) -> None:
        if state is ReconciliationState.APPLIED:
            raise AlreadyBegun
        if state is not ReconciliationState.COMPARED:
            raise NotCompared
        if found.created_at < self._clock.now() - self._kept:
            raise Expired
        if found.nameless:
            raise Incomplete(found.nameless)

    async def _judged(self, viewer: Viewer, source: Source, found: Reconciliation) -> Reconciliation:
        newest = await self._rows.newest(source, found.client_id, found.source)
        if newest is not None and newest > found.as_of:
            raise Outdated
        verdict = await self._fuse.verdict(source, viewer.tree, found)
        if not verdict.blown:
            return found
        release = await self._rows.release_of(source, found)
        if release is not None:
            return replace(found, released_by=release.request_id)
        tally = verdict.tally
        _log.warning(
            "fuse_blown",
            reconciliation=str(found.id),
            source=found.source,
            reason=verdict.reason.value,
            extent=tally.extent.value,
            leavers=tally.leavers,
            people=tally.people,
        )
        raise FuseBlown(verdict, self._fuse.limits)


def _existing(tree: Tree, department: UUID | None) -> frozenset[UUID] | None:
    """Give a scope as it is now; one whose department is gone is that department alone."""
    if department is not None and department not in tree.nodes:
        return frozenset({department})
    return scope_of(tree, department)


def _union(first: frozenset[UUID] | None, others: Iterable[frozenset[UUID] | None]) -> frozenset[UUID] | None:
    for each in others:
        first = None if first is None or each is None else first | each
    return first


def _inside(place: UUID | None, scope: frozenset[UUID] | None) -> bool:
    return scope is None or place in scope
