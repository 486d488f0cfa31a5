"""What a store of the log promises, and the plan of a batch, which is the same on every engine and does no I/O.

A store takes entries and makes them durable in one transaction: head read and locked, indexes without a gap,
frontier, signed checkpoint, quotas charged, epochs compared. Each entry gets an outcome of its own. A batch fails as
a whole in two ways only: ``StoreUnavailable`` (try again later) and ``EntriesRejected`` (one entry in it can never be
written: divide and find it).

An id that is already in the log, with the same evidence, yields its index and is not written again. So whoever does
not know whether a commit went through may simply hand in the same entry once more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from app.audit.events import ID_BYTES, EventDraft, FieldBits, decode_event, encode_event
from app.audit.merkle import Frontier, FrontierMalformed, leaf_hash
from app.audit.note import Signer

_MOST_AT_ONCE: Final = 8192
"""Contacts whose rows one transaction spreads: a few hundredths of a second."""
PAGES_AT_ONCE: Final = 4096
NO_EPOCHS: Final[Mapping[str, int]] = {}


class StoreUnavailable(Exception):
    """Nothing of this batch is known to be durable; the message says why, for the operator's log."""


class EntriesRejected(Exception):
    """The store refused the content of an entry; nothing of this batch was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaCharge:
    """What a look costs: ``amount`` of the actor's allowance of ``kind`` on ``day`` (ISO date), ``limit`` in all.

    Passing one of ``alarms`` is told to the security log; ``resets_at`` is when the day is over.
    """

    actor_id: str
    kind: str
    day: str
    amount: int
    limit: int
    alarms: tuple[int, ...] = ()
    resets_at: datetime | None = None


QuotaKey = tuple[str, str, str]


class Entry(NamedTuple):
    """One event ready to be written: evidence, leaf, derived columns, index rows, and the conditions of its writing."""

    id: UUID
    at: datetime
    actor_type: str
    actor_id: str | None
    action: str
    decision: str
    payload: bytes
    leaf: bytes
    pages: list[tuple[int, bytes]]
    epochs: Mapping[str, int] = NO_EPOCHS
    quota: QuotaCharge | None = None


def entry_of(
    draft: EventDraft, bits: FieldBits, epochs: Mapping[str, int] = NO_EPOCHS, quota: QuotaCharge | None = None
) -> Entry:
    """Make the entry of ``draft``; raise ``EventMalformed`` when it cannot be evidence."""
    payload = encode_event(draft)
    return Entry(
        draft.id,
        draft.at,
        draft.actor_type,
        draft.actor_id,
        draft.action,
        draft.decision,
        payload,
        leaf_hash(payload),
        bits.pages(draft.cohorts),
        epochs,
        quota,
    )


def entry_from(payload: bytes, bits: FieldBits) -> Entry:
    """Make the entry of stored evidence, byte for byte; raise ``EventMalformed`` when it is none."""
    draft = decode_event(payload)
    return Entry(
        draft.id,
        draft.at,
        draft.actor_type,
        draft.actor_id,
        draft.action,
        draft.decision,
        payload,
        leaf_hash(payload),
        bits.pages(draft.cohorts),
    )


@dataclass(frozen=True, slots=True)
class Written:
    """Durable at ``index``; ``fresh`` unless it had been there before. ``used`` is what its quota stands at, where it has one."""

    index: int
    fresh: bool = True
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Not written: this epoch is not what the viewer's standing was loaded with."""

    key: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Not written and not charged: the quota does not cover it."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Not written: its id belongs to other evidence, at ``index``."""

    index: int


Outcome = Written | Moved | Spent | Clash


class StoredHead(NamedTuple):
    """The head row."""

    size: int
    frontier: bytes
    root: bytes
    note: str


class Appended(NamedTuple):
    """What became of a batch: an outcome per entry, and the newest signed checkpoint with its size."""

    outcomes: list[Outcome]
    size: int
    note: str


class LogStore(Protocol):
    """A durable place for the log. One caller at a time: the writer's loop."""

    async def open(self) -> None:
        """Connect, and sign the empty tree into a log that has no head; raise ``StoreUnavailable``."""
        ...

    async def append(self, entries: Sequence[Entry]) -> Appended:
        """Write one batch durably; raise ``StoreUnavailable`` or ``EntriesRejected``: nothing counts as written."""
        ...

    async def unpack(self, *, wait: bool) -> bool:
        """Spread some packed index rows, oldest first, into one row per contact; tell whether there are more of them.

        Another process may be at it: ``wait`` for it, or leave it to that one. Raises ``StoreUnavailable``; then nothing was moved.
        """
        ...

    async def probe(self, *, durable: bool) -> None:
        """Try whether a batch could be written now, with a real commit if ``durable``; raise ``StoreUnavailable``."""
        ...

    async def newest(self) -> StoredHead:
        """Give the head row; raise ``StoreUnavailable``."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass(slots=True)
class Known:
    """What a batch has to know before it is planned, read under the lock of the head row."""

    last_leaf: int
    ids: dict[UUID, tuple[int, bytes]] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    used: dict[QuotaKey, int] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What a batch will write: entries from index ``first`` on, the head after them, the quotas that changed."""

    outcomes: list[Outcome]
    first: int
    fresh: list[Entry]
    head: StoredHead
    charged: dict[QuotaKey, int]


def check_floor(head: StoredHead, last_leaf: int, floor: int) -> Frontier:
    """Refuse to build on a head that contradicts itself, its leaves, or what this process has seen; give its frontier.

    ``floor`` is the greatest size that this process has seen committed: a smaller one means that the file or database
    was put back.
    """
    try:
        frontier = Frontier.decode(head.frontier)
    except FrontierMalformed as error:
        message = "the head row of the log is damaged"
        raise StoreUnavailable(message) from error
    if frontier.size != head.size or frontier.root() != head.root or last_leaf != head.size - 1:
        message = f"the head row of the log ({head.size}) contradicts its leaves (last {last_leaf}): run audit verify"
        raise StoreUnavailable(message)
    if head.size < floor:
        message = f"the log was put back from {floor} to {head.size} events while the service ran"
        raise StoreUnavailable(message)
    return frontier


def plan(head: StoredHead, frontier: Frontier, entries: Sequence[Entry], known: Known, signer: Signer) -> Plan:
    """Decide every entry in order, and sign the tree after them. ``frontier`` is consumed.

    An epoch that is absent counts as zero. Epochs are compared before quotas, and a refused entry is not charged.
    """
    outcomes: list[Outcome] = []
    fresh: list[Entry] = []
    charged: dict[QuotaKey, int] = {}
    ids = dict(known.ids)
    for entry in entries:
        at = ids.get(entry.id)
        if at is not None:
            outcomes.append(Written(at[0], fresh=False) if at[1] == entry.leaf else Clash(at[0]))
            continue
        refused = _refused(entry, known, charged)
        if refused is not None:
            outcomes.append(refused)
            continue
        index = frontier.size
        ids[entry.id] = (index, entry.leaf)
        frontier.append(entry.leaf)
        fresh.append(entry)
        outcomes.append(Written(index, used=None if entry.quota is None else charged[quota_key(entry.quota)]))
    if fresh:
        root = frontier.root()
        after = StoredHead(frontier.size, frontier.encode(), root, signer.sign(frontier.size, root))
    else:
        after = head
    return Plan(outcomes, head.size, fresh, after, charged)


def _refused(entry: Entry, known: Known, charged: dict[QuotaKey, int]) -> Outcome | None:
    for key, value in entry.epochs.items():
        if known.epochs.get(key, 0) != value:
            return Moved(key)
    if entry.quota is not None:
        counter = quota_key(entry.quota)
        used = charged.get(counter, known.used.get(counter, 0))
        if used + entry.quota.amount > entry.quota.limit:
            return Spent(used, entry.quota.limit)
        charged[counter] = used + entry.quota.amount
    return None


def quota_key(charge: QuotaCharge) -> QuotaKey:
    """Name the counter that a charge goes to."""
    return charge.actor_id, charge.day, charge.kind


def epoch_keys(entries: Iterable[Entry]) -> list[str]:
    """List every epoch that the entries ask for, each once."""
    return list(dict.fromkeys(key for entry in entries for key in entry.epochs))


def quota_keys(entries: Iterable[Entry]) -> list[QuotaKey]:
    """List every counter that the entries would charge, each once."""
    return list(dict.fromkeys(quota_key(entry.quota) for entry in entries if entry.quota is not None))


def first_pages(pages: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, int], bool] | None:
    """Choose the oldest of ``pages`` (index, part, bytes of ids; in order) that are to be spread in one transaction.

    Gives the last one's place, and whether more are left; ``None`` when there are none.
    """
    if not pages:
        return None
    contacts = 0
    for at, (index, part, size) in enumerate(pages):
        contacts += size // ID_BYTES
        if contacts >= _MOST_AT_ONCE:
            return (index, part), at + 1 < len(pages) or len(pages) == PAGES_AT_ONCE
    return (pages[-1][0], pages[-1][1]), len(pages) == PAGES_AT_ONCE


def empty_head(signer: Signer) -> StoredHead:
    """Make the head of a log without events."""
    frontier = Frontier()
    root = frontier.root()
    return StoredHead(0, frontier.encode(), root, signer.sign(0, root))
