"""The log's one door: a look is durable here before a permit exists.

Whatever arrives while a batch is being committed goes into the next one (group commit), so sixty waiters cost one
disk flush. The loop that commits belongs to the service and not to a request: a caller who disconnects stops nothing,
and a record without a look is the safe mistake. Every waiter has a deadline; when it passes the answer is
``LogUnavailable``, nothing was opened, and the entry is withdrawn unless a batch already has it.

A failing store turns ``healthy`` red. It is tried again with growing pauses, by waiting entries or, without any, by a
probe that really commits; so full disks, locks, stopped servers and replaced files heal without a restart. An entry
that the store can never take is found by dividing its batch and fails alone.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from app.audit import quotas
from app.audit.errors import AuditInsideTransaction, EpochMoved, EventUnrecordable, LogUnavailable, QuotaSpent
from app.audit.events import EventDraft, EventMalformed, FieldBits
from app.audit.publication import CheckpointFile
from app.audit.scope import beyond
from app.audit.stores import (
    NO_EPOCHS,
    Appended,
    Clash,
    EntriesRejected,
    Entry,
    LogStore,
    Moved,
    Outcome,
    QuotaCharge,
    Spent,
    StoreUnavailable,
    Written,
    entry_of,
)
from app.audit.waiting import Item, Teller
from app.crypto.permit import Permit, mint
from app.kit.db import current_unit_of_work

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_MOST_INDEX_ROWS: Final = 20_000
_MOST_PACKED: Final = 8192
"""Packed index rows after which some are spread even though the log is busy."""

_log = structlog.get_logger("duanhao.audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how much: times in seconds, the rest in entries.

    ``deadline`` is how long a look may wait for the log, ``permit_lifetime`` how long a permit opens, ``max_batch``
    the size of one transaction, ``max_waiting`` how many may wait at once, ``probe_interval`` how often an idle log
    looks whether it is still there.
    """

    deadline: float = 2.0
    permit_lifetime: float = 2.0
    max_batch: int = 512
    max_waiting: int = 8192
    probe_interval: float = 1.0


class AccessLog:
    """Writes the log in batches and mints permits for what is durable. Started and stopped by the composition root."""

    def __init__(
        self,
        store: LogStore,
        *,
        bits: FieldBits,
        limits: Limits | None = None,
        checkpoints: CheckpointFile | None = None,
    ) -> None:
        """Take the store, the order of fields in index rows, the limits, and where checkpoints are published."""
        self._store, self._bits, self._checkpoints = store, bits, checkpoints
        self._limits = limits or Limits()
        self._pending: deque[Item] = deque()
        self._in_flight: list[Item] = []
        self._teller = Teller()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._healthy = False
        self._pause = _FIRST_PAUSE
        self._size = 0
        self._packed = 1
        self._index_wanted: list[asyncio.Future[None]] = []

    @property
    def healthy(self) -> bool:
        """Whether the last attempt to write succeeded and the loop is alive."""
        return self._healthy and self._task is not None and not self._task.done()

    @property
    def size(self) -> int:
        """Events in the log, as far as this process has seen."""
        return self._size

    @property
    def waiting(self) -> int:
        """Entries that no batch has taken yet."""
        return len(self._pending)

    async def start(self) -> None:
        """Open the store and prove that it can be written; raise ``LogUnavailable`` when it cannot."""
        try:
            await self._store.open()
            head = await self._store.newest()
        except (StoreUnavailable, EntriesRejected) as error:
            _log.critical("access_log_unavailable", reason=str(error))
            raise LogUnavailable from error
        self._size, self._healthy, self._stopping = head.size, True, False
        if self._checkpoints is not None:
            await self._checkpoints.start()
            self._checkpoints.offer(head.note)
        self._task = asyncio.create_task(self._run(), name="audit-writer")

    async def stop(self) -> None:
        """Take no more, write what is waiting within the deadline, and close the store."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=self._limits.deadline)
            if not self._task.done():
                self._task.cancel()
                with suppress(asyncio.CancelledError):
                    await self._task
            self._task = None
        self._teller.finish()
        for item in (*self._in_flight, *self._pending):
            item.fail(LogUnavailable())
        self._pending.clear()
        self._in_flight = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._healthy = False
        if self._checkpoints is not None:
            await self._checkpoints.stop()
        await self._store.close()

    async def permit(
        self,
        draft: EventDraft,
        *,
        scope: Mapping[UUID, frozenset[str]],
        epochs: Mapping[str, int] = NO_EPOCHS,
        quota: QuotaCharge | None = None,
    ) -> Permit:
        """Make the look ``draft`` durable and give the permit to open ``scope``, all of which ``draft`` must disclose.

        Raises ``LogUnavailable``, ``EpochMoved``, ``QuotaSpent``, ``EventUnrecordable`` or
        ``AuditInsideTransaction``; then nothing may be opened, and whether a refusal is itself put on record is the
        caller's business.
        """
        exceeded = beyond(draft.cohorts, scope) if scope else None
        if exceeded is not None:
            _log.error("permit_exceeds_event", contact_id=str(exceeded))
            raise EventUnrecordable
        outcome = await self._submitted(self._entry(draft, epochs, quota))
        if isinstance(outcome, Spent) and quota is not None:
            raise quotas.refusal(quota, outcome, draft.at)
        index = _index(outcome)
        return mint(event_id=draft.id, index=index, expires=monotonic() + self._limits.permit_lifetime, scope=scope)

    async def record(self, draft: EventDraft) -> int:
        """Make ``draft`` durable and give its index: refusals, and what operators do. Raises as ``permit`` does."""
        return _index(await self._submit(self._entry(draft, NO_EPOCHS, None)))

    async def complete_index(self) -> None:
        """Return when every event recorded before the call is in the index of contacts; raise ``LogUnavailable``.

        Answers about many people are indexed packed and spread a moment later; who asks "who saw this person" waits for it.
        """
        if self._stopping or self._task is None or self._task.done():
            raise LogUnavailable
        wanted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._index_wanted.append(wanted)
        self._wake.set()
        try:
            async with asyncio.timeout(self._limits.deadline):
                await wanted
        except TimeoutError as error:
            raise LogUnavailable from error

    async def replay(self, entries: Sequence[Entry]) -> list[int | None]:
        """Bring entries into the log in their order, each once whatever happened before, and give their indexes.

        For the mover of intents; ``None`` stands for an entry that can never be written. Raises ``LogUnavailable``
        when they are not all known to be durable.
        """
        outcomes = await asyncio.gather(*(self._submit(entry) for entry in entries), return_exceptions=True)
        indexes: list[int | None] = []
        for outcome in outcomes:
            match outcome:
                case Written(index=index):
                    indexes.append(index)
                case Clash() | EventUnrecordable():
                    indexes.append(None)
                case BaseException():
                    raise outcome
                case Moved() | Spent():
                    message = "an intent has neither epochs nor a quota"
                    raise AssertionError(message)
        return indexes

    def _entry(self, draft: EventDraft, epochs: Mapping[str, int], quota: QuotaCharge | None) -> Entry:
        try:
            return entry_of(draft, self._bits, epochs, quota)
        except EventMalformed as error:
            raise EventUnrecordable from error

    async def _submit(self, entry: Entry) -> Outcome:
        return await self._submitted(entry)

    def _submitted(self, entry: Entry) -> asyncio.Future[Outcome]:
        unit = current_unit_of_work()
        if unit is not None and unit.is_open:
            raise AuditInsideTransaction
        if self._stopping or self._task is None or self._task.done() or len(self._pending) >= self._limits.max_waiting:
            raise LogUnavailable
        loop = asyncio.get_running_loop()
        item = Item(entry, loop.create_future(), loop.time() + self._limits.deadline)
        self._pending.append(item)
        self._wake.set()
        if self._timer is None:
            self._timer = loop.call_at(item.expires, self._expire)
        return item.outcome

    def _expire(self) -> None:
        """Answer everyone whose deadline has passed, and come back when the next one's does."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._pending and self._pending[0].expires <= now:
            self._pending.popleft().fail(LogUnavailable())
        overdue = [item for item in self._in_flight if item.expires <= now and not item.outcome.done()]
        for item in overdue:
            item.fail(LogUnavailable())
        if overdue:
            self._turn_red("a batch is past its deadline")
        ahead = [item.expires for item in self._in_flight if not item.outcome.done()]
        if self._pending:
            ahead.append(self._pending[0].expires)
        self._timer = loop.call_at(min(ahead), self._expire) if ahead else None

    async def _run(self) -> None:
        while True:
            if self._index_wanted or self._packed >= _MOST_PACKED:
                await self._spread()
            if not self._pending:
                if self._stopping:
                    return
                await self._idle()
                continue
            # One turn of the event loop: everything that became ready together goes into one batch.
            await asyncio.sleep(0)
            await self._commit(self._take())

    async def _spread(self) -> None:
        """Spread the packed rows of the index: some between two batches; all of them when idle, and for whoever waits for them."""
        wanted, self._index_wanted, self._packed = self._index_wanted, [], 0
        try:
            while await self._store.unpack(wait=bool(wanted)) and (wanted or not self._pending):
                pass
        except (StoreUnavailable, EntriesRejected) as error:
            if isinstance(error, StoreUnavailable):
                self._turn_red(str(error))
            else:
                _log.error("index_damaged", reason=str(error))
            for future in wanted:
                if not future.done():
                    future.set_exception(LogUnavailable())
                    future.exception()
        else:
            for future in wanted:
                if not future.done():
                    future.set_result(None)

    async def _idle(self) -> None:
        self._wake.clear()
        if self._index_wanted:
            return
        try:
            async with asyncio.timeout(self._limits.probe_interval if self._healthy else self._pause):
                await self._wake.wait()
        except TimeoutError:
            if self._packed and self._healthy:
                await self._spread()
                return
            try:
                await self._store.probe(durable=not self._healthy)
            except (StoreUnavailable, EntriesRejected) as error:
                self._turn_red(str(error))
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            else:
                self._turn_green()

    def _take(self) -> list[Item]:
        now = asyncio.get_running_loop().time()
        batch: list[Item] = []
        rows = 0
        while self._pending and len(batch) < self._limits.max_batch and rows < _MOST_INDEX_ROWS:
            item = self._pending.popleft()
            if item.expires <= now:
                item.fail(LogUnavailable())
                continue
            rows += item.rows
            batch.append(item)
        return batch

    async def _commit(self, batch: list[Item]) -> None:
        segments = [batch] if batch else []
        while segments:
            segment = self._in_flight = segments.pop()
            try:
                appended = await self._store.append([item.entry for item in segment])
            except EntriesRejected as error:
                if len(segment) == 1:
                    _log.error("event_unrecordable", event_id=str(segment[0].entry.id), reason=str(error))
                    segment[0].fail(EventUnrecordable())
                else:
                    half = len(segment) // 2
                    segments += [segment[half:], segment[:half]]
            except StoreUnavailable as error:
                self._turn_red(str(error))
                left = [item for part in (segment, *reversed(segments)) for item in part]
                self._pending.extendleft(item for item in reversed(left) if not item.outcome.done())
                self._in_flight = []
                await self._rest()
                return
            else:
                self._settle(segment, appended)
            self._in_flight = []

    async def _rest(self) -> None:
        """Pause before the next attempt, longer each time; stopping does not wait for it."""
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        await asyncio.sleep(0 if self._stopping else pause)

    def _settle(self, items: Sequence[Item], appended: Appended) -> None:
        told = list(zip(items, appended.outcomes, strict=True))
        self._teller.tell(told)
        for item, outcome in told:
            self._packed += item.rows
            if item.entry.quota is not None and isinstance(outcome, Written) and outcome.used is not None:
                quotas.tell(item.entry.quota, outcome.used)
        self._turn_green()
        if appended.size != self._size:
            self._size = appended.size
            if self._checkpoints is not None:
                self._checkpoints.offer(appended.note)

    def _turn_red(self, reason: str) -> None:
        if self._healthy:
            _log.error("access_log_unavailable", reason=reason)
        self._healthy = False

    def _turn_green(self) -> None:
        if not self._healthy:
            _log.warning("access_log_recovered")
        self._healthy, self._pause = True, _FIRST_PAUSE


def _index(outcome: Outcome) -> int:
    match outcome:
        case Written(index=index):
            return index
        case Moved():
            raise EpochMoved
        case Spent():
            raise QuotaSpent
        case Clash(index=index):
            _log.error("event_id_reused", index=index)
            raise EventUnrecordable
