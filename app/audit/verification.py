"""Verification: everything is computed again from the rows, and the answer names the first place that differs.

Leaf against payload, payload against derived columns and index rows, indexes without a gap, every signed batch
against the tree over the leaves before it, the head row against all of it; optionally against checkpoints kept
elsewhere, which is what shows a log that was put back or rewritten with its own key. Only the public key is needed.

Where leaf and payload disagree, the next signed batch tells which of the two was changed. Where both were changed
alike, nothing but the signature knows, and the damage is named by the range of that batch.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, Final

import orjson

from app.audit.errors import LogDamaged
from app.audit.events import MEMBERS, VERSION, FieldBits
from app.audit.merkle import Frontier, leaf_hash
from app.audit.note import NoteInvalid, Verifier
from app.audit.sources import BatchRow, Chunk, EventRow, Extent, LogSource
from app.audit.stores import StoredHead, StoreUnavailable, check_floor
from app.kit.models import to_microseconds

_MOST_FINDINGS: Final = 100
_MOST_BEYOND: Final = 10_000
_ID_BYTES: Final = 16
_AGAINST_AT_ONCE: Final = 500
_DERIVED_NAMES: Final = ("actor_type", "actor_id", "action", "decision")
_DERIVED: Final = itemgetter(*_DERIVED_NAMES)


class DamageKind(StrEnum):
    """What is wrong at an index, in the words of the report."""

    EDITED_PAYLOAD = "edited_payload"
    EDITED_LEAF = "edited_leaf"
    UNREADABLE = "unreadable_payload"
    EDITED_COLUMN = "edited_column"
    EDITED_INDEX_ROW = "edited_index_row"
    MISSING_LEAF = "missing_leaf"
    MISSING_PAYLOAD = "missing_payload"
    TRUNCATED = "truncated"
    UNSIGNED_TAIL = "unsigned_tail"
    REWRITTEN = "rewritten"
    MISSING_BATCH = "missing_batch"
    FORGED_BATCH = "forged_batch"
    BAD_SIGNATURE = "bad_signature"
    HEAD_MISMATCH = "head_mismatch"
    ROLLED_BACK = "rolled_back"
    FORKED = "forked"


@dataclass(frozen=True, slots=True, order=True)
class Damage:
    """One finding: from ``index`` to ``last``, which are the same where the exact event is known."""

    index: int
    last: int
    kind: DamageKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. ``damage`` is in order of index and holds the first hundred findings."""

    size: int
    root: bytes
    batches: int
    checkpoints: int
    damage: tuple[Damage, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing differs."""
        return not self.damage

    @property
    def first(self) -> Damage | None:
        """The finding with the lowest index."""
        return self.damage[0] if self.damage else None


@dataclass(slots=True)
class _Findings:
    damage: list[Damage] = field(default_factory=list)

    def add(self, kind: DamageKind, index: int, last: int | None = None, detail: str = "") -> None:
        if len(self.damage) < _MOST_FINDINGS:
            self.damage.append(Damage(index, index if last is None else last, kind, detail))


class LogVerifier:
    """Takes a log chunk by chunk and collects what differs. Pure: it reads nothing itself."""

    def __init__(self, verifier: Verifier, bits: FieldBits, *, every_signature: bool = True) -> None:
        """Take the public key and the field order of index rows; ``every_signature=False`` checks the newest only."""
        self._verifier, self._bits, self._every = verifier, bits, every_signature
        self._findings = _Findings()
        # The tree as the leaves tell it, and as the payloads do; they part where one of the two was changed.
        self._leaves, self._payloads = Frontier(), Frontier()
        self._differing: list[int] = []
        self._broken = False
        # Index rows past the end: of events written meanwhile, or of none.
        self._beyond: deque[int] = deque(maxlen=_MOST_BEYOND)
        self._signed = 0
        self._batches = 0
        self._last_batch: BatchRow | None = None

    def feed(self, chunk: Chunk) -> None:
        """Check one chunk; they come in order and without a gap."""
        batches = iter(chunk.batches)
        batch = next(batches, None)
        for index in range(chunk.start, chunk.end):
            self._event(index, chunk.leaves.get(index), chunk.events.get(index), chunk.subjects.pop(index, {}))
            while batch is not None and batch.size == index + 1:
                self._batch(batch)
                batch = next(batches, None)
        self._beyond.extend(chunk.subjects)

    def _event(self, index: int, leaf: bytes | None, event: EventRow | None, subjects: Mapping[bytes, int]) -> None:
        computed = None if event is None else leaf_hash(event.payload)
        if leaf is None:
            self._findings.add(DamageKind.MISSING_LEAF, index)
        if event is None:
            self._findings.add(DamageKind.MISSING_PAYLOAD, index)
        elif leaf is not None and leaf != computed:
            self._differing.append(index)
        else:
            self._columns(index, event, subjects)
        told, shown = leaf or computed, computed or leaf
        if told is None or shown is None:
            self._broken = True
        elif not self._broken:
            if self._differing and self._payloads is self._leaves:
                self._payloads = self._leaves.copy()
            self._leaves.append(told)
            if self._payloads is not self._leaves:
                self._payloads.append(shown)

    def _columns(self, index: int, event: EventRow, subjects: Mapping[bytes, int]) -> None:
        try:
            document = orjson.loads(event.payload)
            if document["v"] != VERSION or tuple(document) != MEMBERS:
                self._findings.add(DamageKind.UNREADABLE, index, detail="not an event of a version known here")
                return
            edited = _edited_columns(document, event)
            expected = self._expected(document["cohorts"])
        except (ValueError, KeyError, TypeError, AttributeError, Base64Error):
            self._findings.add(DamageKind.UNREADABLE, index, detail="not an event")
            return
        if edited:
            self._findings.add(DamageKind.EDITED_COLUMN, index, detail=", ".join(edited))
        if expected != subjects:
            wrong = len(expected.items() ^ subjects.items())
            self._findings.add(DamageKind.EDITED_INDEX_ROW, index, detail=f"{wrong} rows differ")

    def _expected(self, cohorts: Sequence[Mapping[str, Any]]) -> dict[bytes, int]:
        rows: dict[bytes, int] = {}
        for cohort in cohorts:
            bits, packed = self._bits.of(cohort["states"]), a2b_base64(cohort["contacts"])
            for at in range(0, len(packed), _ID_BYTES):
                contact = packed[at : at + _ID_BYTES]
                rows[contact] = rows.get(contact, 0) | bits
        return rows

    def _batch(self, batch: BatchRow) -> None:
        start, last = self._signed, batch.size - 1
        if batch.first != start:
            self._findings.add(
                DamageKind.MISSING_BATCH, start, batch.first - 1, f"before the batch of size {batch.size}"
            )
        self._settle(batch, start, last)
        self._signed, self._batches, self._last_batch = batch.size, self._batches + 1, batch

    def _settle(self, batch: BatchRow, start: int, last: int) -> None:
        """Hold the tree against one signed batch, and say which side of each difference before it was changed."""
        try:
            stated = self._open(batch)
        except NoteInvalid as error:
            self._findings.add(DamageKind.BAD_SIGNATURE, start, last, f"batch of size {batch.size}: {error}")
            stated = None
        if stated is not None and stated != (batch.size, batch.root):
            self._findings.add(
                DamageKind.FORGED_BATCH, start, last, f"batch of size {batch.size} is not what was signed"
            )
        root = batch.root if stated is None else stated[1]
        if self._broken:
            fits_leaves = fits_payloads = False
        else:
            fits_leaves, fits_payloads = self._leaves.root() == root, self._payloads.root() == root
        for index in self._differing:
            kind = DamageKind.EDITED_LEAF if fits_payloads and not fits_leaves else DamageKind.EDITED_PAYLOAD
            self._findings.add(kind, index)
        if not self._broken and not fits_leaves and not fits_payloads and stated is not None:
            self._findings.add(
                DamageKind.REWRITTEN, start, last, f"the tree does not have the root signed at {batch.size}"
            )
            self._broken = True
        self._differing = []
        if fits_leaves or fits_payloads:
            self._leaves = self._payloads = self._leaves if fits_leaves else self._payloads

    def _open(self, batch: BatchRow) -> tuple[int, bytes]:
        """Give size and root that the batch's note states, its signature checked unless told otherwise."""
        if not self._every:
            return batch.size, batch.root
        checkpoint = self._verifier.open(batch.note)
        return checkpoint.size, checkpoint.root

    def finish(self, extent: Extent, *, events_now: int) -> tuple[int, bytes, int, list[Damage]]:
        """Check the end of the log; give its size, root, number of batches, and all findings in order.

        ``extent`` is how far the log went when the verification began, ``events_now`` its last event when it ended.
        """
        head, add = extent.head, self._findings.add
        size = 0 if head is None else head.size
        for index in self._differing:
            add(DamageKind.EDITED_PAYLOAD, index)
        if head is None:
            add(DamageKind.HEAD_MISMATCH, 0, detail="there is no head row")
        else:
            self._head(head)
        if head is not None and extent.batch > size:
            add(DamageKind.HEAD_MISMATCH, size, extent.batch, f"signed batches go on to {extent.batch}")
        elif max(extent.leaf, extent.event) >= size:
            add(DamageKind.UNSIGNED_TAIL, size, max(extent.leaf, extent.event), "rows that no head covers")
        for index in self._beyond:
            if index > events_now:
                add(DamageKind.EDITED_INDEX_ROW, index, detail="index rows of an event that does not exist")
        if self._signed < size <= max(extent.leaf, extent.event) + 1:
            add(DamageKind.MISSING_BATCH, self._signed, size - 1, "no batch ends at the head")
        if not self._every and self._last_batch is not None:
            self._newest(self._last_batch)
        return size, self._leaves.root(), self._batches, sorted(_truncation(self._findings.damage, size, extent))

    def _head(self, head: StoredHead) -> None:
        frontier = self._leaves
        try:
            checkpoint = self._verifier.open(head.note)
        except NoteInvalid as error:
            self._findings.add(DamageKind.BAD_SIGNATURE, head.size, detail=f"head: {error}")
        else:
            if (checkpoint.size, checkpoint.root) != (head.size, head.root):
                self._findings.add(DamageKind.HEAD_MISMATCH, head.size, detail="the head is not what was signed")
        if not self._broken and (head.frontier != frontier.encode() or head.root != frontier.root()):
            self._findings.add(DamageKind.HEAD_MISMATCH, head.size, detail="the head does not fit the tree")

    def _newest(self, batch: BatchRow) -> None:
        try:
            checkpoint = self._verifier.open(batch.note)
        except NoteInvalid as error:
            self._findings.add(DamageKind.BAD_SIGNATURE, batch.first, batch.size - 1, str(error))
        else:
            if (checkpoint.size, checkpoint.root) != (batch.size, batch.root):
                self._findings.add(DamageKind.FORGED_BATCH, batch.first, batch.size - 1)


def _edited_columns(document: Mapping[str, Any], event: EventRow) -> list[str]:
    """Name the derived columns that do not say what the payload says."""
    edited: list[str] = []
    if event[2:6] != _DERIVED(document):
        edited = [name for name in _DERIVED_NAMES if document[name] != getattr(event, name)]
    if bytes.fromhex(document["id"].replace("-", "")) != event.id:
        edited.append("id")
    if to_microseconds(datetime.fromisoformat(document["at"])) != event.at:
        edited.append("at")
    return edited


def _truncation(damage: Iterable[Damage], size: int, extent: Extent) -> list[Damage]:
    """Say "truncated" once where the end of the log is gone, instead of "missing" for each index of it."""
    lost = max(extent.leaf, extent.event) + 1
    found = [each for each in damage if each.index < lost or each.kind not in _GONE]
    if lost < size:
        found.append(Damage(lost, size - 1, DamageKind.TRUNCATED, f"the head covers {size} events, {lost} are left"))
    return found


_GONE: Final = frozenset({DamageKind.MISSING_LEAF, DamageKind.MISSING_PAYLOAD})


async def verify(
    source: LogSource,
    *,
    verifier: Verifier,
    bits: FieldBits,
    against: Iterable[str] = (),
    every_signature: bool = True,
) -> Report:
    """Verify the whole log in ``source``; ``against`` are signed notes that were kept elsewhere, in any order.

    Raises ``StoreUnavailable`` when the log cannot be read; whatever is wrong with it is in the report.
    """
    extent = await source.extent()
    checking = LogVerifier(verifier, bits, every_signature=every_signature)
    stored = max(extent.leaf, extent.event) + 1
    async for chunk in source.chunks(stored if extent.head is None else min(stored, extent.head.size)):
        checking.feed(chunk)
    size, root, batches, damage = checking.finish(extent, events_now=(await source.extent()).event)
    compared, elsewhere = await _compare(source, verifier, size, against)
    return Report(size, root, batches, compared, tuple(sorted([*damage, *elsewhere])[:_MOST_FINDINGS]))


async def _compare(
    source: LogSource, verifier: Verifier, size: int, against: Iterable[str]
) -> tuple[int, list[Damage]]:
    """Hold the signed batches, themselves held against the tree before, against notes kept elsewhere."""
    findings = _Findings()
    compared, waiting = 0, dict[int, bytes]()
    for note in against:
        compared += 1
        try:
            checkpoint = verifier.open(note)
        except NoteInvalid as error:
            findings.add(DamageKind.BAD_SIGNATURE, size, detail=f"checkpoint {compared} kept elsewhere: {error}")
            continue
        if waiting.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            findings.add(DamageKind.FORKED, checkpoint.size - 1, detail="two checkpoints kept elsewhere differ")
        if len(waiting) >= _AGAINST_AT_ONCE:
            await _hold(source, size, waiting, findings)
            waiting = {}
    await _hold(source, size, waiting, findings)
    return compared, findings.damage


async def _hold(source: LogSource, size: int, roots: Mapping[int, bytes], findings: _Findings) -> None:
    stored = await source.batches([each for each in roots if each])
    for at, root in roots.items():
        if at > size:
            findings.add(DamageKind.ROLLED_BACK, size, at - 1, f"a checkpoint kept elsewhere covers {at} events")
        elif at and at not in stored:
            findings.add(
                DamageKind.REWRITTEN, 0, at - 1, f"no batch ends at {at}, where a checkpoint kept elsewhere does"
            )
        elif at and stored[at].root != root:
            findings.add(DamageKind.FORKED, 0, at - 1, f"a checkpoint kept elsewhere has another root at {at}")


async def check_head(source: LogSource, *, verifier: Verifier, published: str | None = None) -> None:
    """Check in a few reads that the service may build on this log; ``published`` is the newest note kept elsewhere.

    Raises ``LogDamaged`` with the reason; ``StoreUnavailable`` when the log cannot be read. A log without a head is
    new.
    """
    extent = await source.extent()
    head = extent.head
    if head is None:
        if max(extent.leaf, extent.event, extent.batch) >= 0 or published is not None:
            message = "the log has no head row, but it has had events"
            raise LogDamaged(message)
        return
    try:
        check_floor(head, extent.leaf, 0)
        _agrees(head, verifier, head.note)
        if head.size:
            tail = await source.tail(head.size)
            together = extent.batch == head.size and extent.event == extent.leaf == head.size - 1
            if not together or tail.batch is None or tail.event is None:
                message = f"leaves, events and batches do not end together at {head.size}"
                raise LogDamaged(message)
            _agrees(head, verifier, tail.batch.note)
            if tail.leaf != leaf_hash(tail.event.payload):
                message = f"the last event ({head.size - 1}) is not what its leaf says"
                raise LogDamaged(message)
    except (NoteInvalid, StoreUnavailable) as error:
        raise LogDamaged(str(error)) from error
    if published is not None:
        _, damage = await _compare(source, verifier, head.size, [published])
        if damage:
            message = f"{damage[0].kind} at {damage[0].index}: {damage[0].detail}"
            raise LogDamaged(message)


def _agrees(head: StoredHead, verifier: Verifier, note: str) -> None:
    checkpoint = verifier.open(note)
    if (checkpoint.size, checkpoint.root) != (head.size, head.root):
        message = f"a signature of the log states {checkpoint.size} events, its head {head.size}, or another root"
        raise LogDamaged(message)
