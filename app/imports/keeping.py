"""Taking files in: counted while they stream, boxed, and promised to a job in one transaction; and letting go of what nobody finished."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.audit.authors import written
from app.audit.intents import add_intent
from app.exchanges.line import MOST_BYTES
from app.imports.errors import EmptyFile, ImportStopped, UnknownFormat
from app.imports.kinds import Import, ImportKind
from app.imports.receiving import Berths, Receive
from app.imports.repository import ImportRepository
from app.imports.running import RUNNER
from app.imports.schemas import ImportAsk
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.kit.uploads import Upload
from app.permissions.jobs import JobQueue, TooManyJobs
from app.permissions.standing import Viewer, author_of

IMPORTS: Final = "/v1/imports"
MOST: Final = MOST_BYTES
WORK: Final = "import.run"
UNFINISHED: Final = timedelta(hours=24)
KEPT: Final = timedelta(days=30)
_AT_ONCE: Final = 2
_MOST_WAITING: Final = 20
_SWEPT: Final = 50


class ImportKeeper:
    """Takes files in."""

    def __init__(
        self,
        *,
        rows: ImportRepository,
        kinds: Mapping[str, ImportKind],
        jobs: JobQueue,
        database: Database,
        idempotency: Idempotency,
        digests: bytes,
        clock: Clock,
    ) -> None:
        """Take the rows, the kinds by name, where jobs are asked for, the stores, what repeats are told, and the key of digests."""
        self._rows, self._kinds, self._jobs, self._database = rows, kinds, jobs, database
        self._idempotency, self._digests, self._clock = idempotency, digests, clock
        self._berths = Berths(_AT_ONCE)

    async def take_in(
        self, viewer: Viewer, unit: UnitOfWork, key: str | None, ask: ImportAsk, receive: Receive
    ) -> Answer:
        """Take in a file that a job then settles row by row, once per ``key``; ``receive`` reads it.

        Raises ``NotPermitted``, ``UnknownFormat``, what the kind says of the place, ``TooManyUploads``, ``UploadTooSlow``, ``EmptyFile``
        and ``TooManyJobs``; before all but the last three nothing was read.
        """
        kind = self._kinds[ask.kind]
        kind.admit(viewer)
        if ask.format not in kind.formats:
            raise UnknownFormat
        place = await kind.check(self._database.reader, ask)
        async with self._berths.file(receive) as upload:
            found, boxes = await self._kept(viewer, ask, place, upload)

            async def work() -> Receipt:
                if await self._rows.waiting(unit.session) >= _MOST_WAITING:
                    raise TooManyJobs
                job = await self._jobs.submit(unit, viewer, WORK, {"import": str(found.id)})
                kept = replace(found, job_id=job)
                await self._rows.add(unit.session, kept, boxes)
                detail = {
                    "import": str(kept.id),
                    "kind": kept.kind,
                    "format": kept.format,
                    "place": kept.place,
                    "dry_run": kept.dry_run,
                    "overrules": kept.overrules,
                    "digest": kept.digest.hex(),
                }
                event = written(author_of(viewer), "import.create", kept.created_at, query=detail)
                await add_intent(unit.session, event)
                body = {"id": str(kept.id), "state": "queued", "job_id": str(job), "dry_run": kept.dry_run}
                return Receipt(kept.id, body, 202)

            call = Call(viewer.caller, "POST", IMPORTS, key)
            mark = {**ask.model_dump(mode="json"), "content": found.digest.hex()}
            return await self._idempotency.run(unit, call, mark, allowed=lambda: kind.admit(viewer), work=work)

    async def sweep(self) -> int:
        """End imports that nobody finished, with their files, and forget those that ended long ago; give how many."""
        total, now = 0, self._clock.now()
        async with self._database.unit_of_work() as unit:
            for each in await self._rows.stale(unit.session, now - UNFINISHED, _SWEPT):
                await self._rows.finish(unit.session, each, now, problem=ImportStopped.code)
                event = written(RUNNER, "import.stop", now, query={"import": str(each)})
                await add_intent(unit.session, event)
                total += 1
        async with self._database.unit_of_work() as unit:
            return total + await self._rows.forget(unit.session, now - KEPT, _SWEPT)

    async def _kept(self, viewer: Viewer, ask: ImportAsk, place: str, upload: Upload) -> tuple[Import, list[bytes]]:
        size = upload.content.tell()
        if not size:
            raise EmptyFile
        identity = new_id()

        def closed() -> tuple[bytes, list[bytes]]:
            with upload.content.getbuffer() as view:
                return hmac.digest(self._digests, view, "sha256"), self._rows.boxed(identity, view[:size])

        digest, boxes = await asyncio.to_thread(closed)
        standing = viewer.standing
        found = Import(
            id=identity,
            kind=ask.kind,
            format=ask.format,
            place=place,
            dry_run=ask.dry_run,
            overrules=ask.overrule,
            size=size,
            digest=digest,
            caller=viewer.caller,
            contact_id=standing.contact_id if standing.kind == "person" else None,
            job_id=identity,
            created_at=self._clock.now(),
        )
        return found, boxes
