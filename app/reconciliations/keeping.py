"""Taking head-counts in: counted while they stream, boxed piece by piece, promised to a job; and letting go of them."""

import asyncio
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.exchanges.line import MOST_BYTES
from app.imports.receiving import Berths, Receive
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.uploads import Upload
from app.permissions.jobs import JobQueue, TooManyJobs
from app.permissions.standing import Viewer, author_of
from app.reconciliations.errors import EmptyFile, Expired, UnfitTime, UnknownScope
from app.reconciliations.kinds import Reconciliation, ReconciliationState
from app.reconciliations.repository import PIECE, ReconciliationRepository
from app.reconciliations.rights import sends
from app.reconciliations.running import RUNNER
from app.reconciliations.schemas import ReconciliationAsk

RECONCILIATIONS: Final = "/v1/hr/reconciliations"
MOST: Final = MOST_BYTES
COMPARE: Final = "hr.reconcile"
FORGOTTEN: Final = timedelta(days=30)
_CLOCKS_APART: Final = timedelta(minutes=5)
_AT_ONCE: Final = 1
_MOST_WAITING: Final = 5
_WAITS: Final = timedelta(hours=1)
"""How long a file counts among those that wait: one whose job was cancelled is compared by nobody."""
_SWEPT: Final = 50


class ReconciliationKeeper:
    """Takes head-counts in."""

    def __init__(
        self,
        *,
        rows: ReconciliationRepository,
        jobs: JobQueue,
        database: Database,
        idempotency: Idempotency,
        digests: bytes,
        kept: timedelta,
        clock: Clock,
    ) -> None:
        """Take the rows, where jobs are asked for, the stores, what repeats are told, the key of digests, how long diffs last."""
        self._rows, self._jobs, self._database, self._idempotency = rows, jobs, database, idempotency
        self._digests, self._kept, self._clock = digests, kept, clock
        self._berths = Berths(_AT_ONCE)

    async def take_in(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, ask: ReconciliationAsk, receive: Receive
    ) -> Answer:
        """Take in a head-count that a job then compares, once per ``key``; ``receive`` reads it.

        Raises ``NotPermitted``, ``UnknownScope`` and ``UnfitTime`` before anything was read; ``TooManyUploads``, ``UploadTooSlow``,
        ``EmptyFile`` and ``TooManyJobs``.
        """
        sends(viewer)
        now = self._clock.now()
        as_of = now if ask.as_of is None else ask.as_of
        if as_of > now + _CLOCKS_APART:
            raise UnfitTime
        node = None if ask.department is None else viewer.tree.find(ask.department)
        if ask.department is not None and node is None:
            raise UnknownScope
        async with self._berths.file(receive) as upload:
            size = upload.content.tell()
            if not size:
                raise EmptyFile
            digest = await asyncio.to_thread(self._digest, upload, size)
            found = _new(viewer, ask, None if node is None else node.id, min(as_of, now), size, digest, now)

            async def work() -> Receipt:
                return await self._promised(viewer, unit, found, upload)

            call = Call(viewer.caller, "POST", RECONCILIATIONS, key)
            mark = {**ask.model_dump(mode="json"), "content": digest.hex()}
            return await self._idempotency.run(unit, call, mark, allowed=lambda: sends(viewer), work=work)

    async def sweep(self) -> int:
        """Give up what was not applied in time, with what the file said, and forget what ended long ago; give how many."""
        total, now = 0, self._clock.now()
        async with self._database.unit_of_work() as unit:
            for each in await self._rows.overdue(unit.session, now - self._kept, _SWEPT):
                await self._rows.put(
                    unit.session, each, ReconciliationState.FAILED, problem=Expired.code, finished_at=now
                )
                await self._rows.drop_file(unit.session, each.id)
                await self._rows.drop_boxes(unit.session, each.id)
                event = written(RUNNER, "hr.reconcile.expire", now, query={"reconciliation": str(each.id)})
                await add_intent(unit.session, event)
                total += 1
        async with self._database.unit_of_work() as unit:
            return total + await self._rows.forget(unit.session, now - FORGOTTEN, _SWEPT)

    async def _promised(self, viewer: Viewer, unit: UnitOfWork, found: Reconciliation, upload: Upload) -> Receipt:
        if await self._rows.waiting(unit.session, found.created_at - _WAITS) >= _MOST_WAITING:
            raise TooManyJobs
        job = await self._jobs.submit(unit, viewer, COMPARE, {"reconciliation": str(found.id)})
        kept = replace(found, job_id=job)
        await self._rows.add(unit.session, kept)
        with upload.content.getbuffer() as view:
            for place in range(-(-kept.size // PIECE)):
                piece = bytes(view[place * PIECE : min((place + 1) * PIECE, kept.size)])
                await self._rows.add_piece(unit.session, kept, place, piece)
        await add_intent(
            unit.session, written(author_of(viewer), "hr.reconcile.create", kept.created_at, query=_detail(kept))
        )
        body = {"id": str(kept.id), "state": ReconciliationState.QUEUED.value, "job_id": str(job)}
        return Receipt(kept.id, body, 202)

    def _digest(self, upload: Upload, size: int) -> bytes:
        with upload.content.getbuffer() as view:
            return hmac.digest(self._digests, view[:size], "sha256")


def _new(
    viewer: Viewer,
    ask: ReconciliationAsk,
    department: UUID | None,
    as_of: datetime,
    size: int,
    digest: bytes,
    now: datetime,
) -> Reconciliation:
    identity = new_id()
    return Reconciliation(
        id=identity,
        source=ask.source or viewer.standing.client_id[:54],
        format=ask.format,
        department_id=department,
        as_of=as_of,
        size=size,
        content=digest,
        caller=viewer.caller,
        client_id=viewer.standing.client_id,
        job_id=identity,
        created_at=now,
    )


def _detail(found: Reconciliation) -> dict[str, Any]:
    return {
        "reconciliation": str(found.id),
        "source": found.source,
        "format": found.format,
        "department": None if found.department_id is None else str(found.department_id),
        "as_of": found.as_of.isoformat(),
        "digest": found.content.hex(),
    }
