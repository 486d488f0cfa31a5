"""What somebody decides about an event that failed or waits: to try it again, or to give it up. Each with a reason, and on record.

A source decides about what it sent; people of HR about whatever was sent, but for what is about themselves. What is tried again is tried
with the rights of whoever sent it. What is given up stays in the ledger without effect, and what it held up goes on.

Each decision in a transaction of its own; undone because another transaction was in its way, it is taken once more (``kit.anew``), with
what waits opened again and the rights of then.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.crypto.sealer import Sealer
from app.hr.backlog import Backlog, Deferred
from app.hr.errors import EventSettled, Skipped
from app.hr.known import Known, KnownSubjects
from app.hr.models import HrEvent
from app.hr.repository import HrLedger
from app.hr.service import HrService, Told, told_of
from app.hr.settling import Settling
from app.kit.anew import once_more
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.permissions.errors import NotPermitted
from app.permissions.standing import Standings, Viewer, author_of


@dataclass(frozen=True, slots=True)
class Decision:
    """Which event, of which source where two use its id, and why."""

    event_id: str
    source: str | None
    reason: str


class LedgerKeeper:
    """Replays and skips."""

    def __init__(
        self,
        *,
        database: Database,
        standings: Standings,
        ledger: HrLedger,
        backlog: Backlog,
        settling: Settling,
        service: HrService,
        known: KnownSubjects,
        sealer: Sealer,
        clock: Clock,
    ) -> None:
        """Take the store, who callers are, the ledger, what opens, settles and records, what is known of subjects, sealer and clock."""
        self._database, self._standings = database, standings
        self._ledger, self._backlog, self._settling = ledger, backlog, settling
        self._service, self._known, self._sealer, self._clock = service, known, sealer, clock

    async def replay(self, viewer: Viewer, decision: Decision) -> Told:
        """Try an event again that failed or waits; raise ``NotFound``, ``NotPermitted``, and ``EventSettled`` for any other."""

        async def attempt(viewer: Viewer) -> Told:
            identity, subject = await self._sought(viewer, decision)
            deferred = await self._backlog.one(identity)
            others = await self._backlog.waiting(subject, but=identity)
            async with self._database.unit_of_work() as unit:
                row, known = await self._locked(viewer, unit, identity, subject, ("failed", "waiting"))
                row.wait_until = None
                await self._settling.attend(unit, row, deferred, again=True)
                return await self._settled(viewer, unit, "hr.event.replay", row, known, decision, others)

        return await self._decided(viewer, attempt)

    async def skip(self, viewer: Viewer, decision: Decision) -> Told:
        """Give an event up that failed, waits or is scheduled; raise as ``replay`` does."""

        async def attempt(viewer: Viewer) -> Told:
            identity, subject = await self._sought(viewer, decision)
            others = await self._backlog.waiting(subject, but=identity)
            async with self._database.unit_of_work() as unit:
                row, known = await self._locked(viewer, unit, identity, subject, ("failed", "waiting", "scheduled"))
                await self._settling.give_up(unit, row, Skipped())
                await unit.session.flush()
                if known is not None:
                    await self._settling.pass_over(unit, row, known)
                return await self._settled(viewer, unit, "hr.event.skip", row, known, decision, others)

        return await self._decided(viewer, attempt)

    async def _decided(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[Told]]) -> Told:
        async def admitted(again: bool) -> Told:  # noqa: FBT001 — as it is called
            current = await self._standings.of(viewer.subject, fresh=True) if again else viewer
            self._service.admit(current)
            return await attempt(current)

        return await once_more(admitted)

    async def _sought(self, viewer: Viewer, decision: Decision) -> tuple[UUID, bytes]:
        rows = [
            row
            for row in await self._ledger.named(self._database.reader, decision.event_id)
            if decision.source in (None, row[2])
            and (viewer.standing.kind == "person" or row[1] == viewer.standing.client_id)
        ]
        if not rows:
            raise NotFound
        if len(rows) > 1:
            fault = FieldError("?source", "missing", "Two sources use this id.", "该编号被多个来源使用。")
            raise Invalid(errors=[fault])
        return rows[0][0], bytes(rows[0][3])

    async def _locked(
        self, viewer: Viewer, unit: UnitOfWork, identity: UUID, subject: bytes, states: tuple[str, ...]
    ) -> tuple[HrEvent, Known | None]:
        known = await self._known.of_hash(unit, subject)
        row = await self._ledger.lock(unit.session, identity)
        if row is None or row.state not in states or row.payload is None:
            raise EventSettled
        about = (row.contact_id, None if known is None else known.id)
        if viewer.standing.kind == "person" and viewer.standing.contact_id in about:
            raise NotPermitted
        return row, known

    async def _settled(
        self,
        viewer: Viewer,
        unit: UnitOfWork,
        action: str,
        row: HrEvent,
        known: Known | None,
        decision: Decision,
        others: list[Deferred],
    ) -> Told:
        """Put a decision on record, its reason sealed as the event is; then let go on what it held up."""
        contacts = () if row.contact_id is None else (row.contact_id,)
        reason = None
        if known is not None:
            key = await self._known.key(unit.session, known)
            reason = self._sealer.existing(known.id, key).seal("audit.reason", decision.reason).envelope
        query = {"entry": str(row.id), "type": row.type, "state": row.state}
        draft = written(author_of(viewer), action, self._clock.now(), contacts=contacts, query=query, reason=reason)
        await add_intent(unit.session, draft)
        if row.state not in ("waiting", "failed"):
            await self._service.release(unit, row, others)
        return told_of(row) if viewer.standing.kind == "service" else Told(row.event_id, row.state, None, row.problem)
