"""What was said earlier and takes effect now: opened by permit, on record before, and with the rights that its sender has by now.

Outside of any transaction, because the log is never awaited inside one: whoever is about to change something about a subject opens what
waits for it first. A box is opened by the gate as every box is; that it holds the event of its row, and no other, is asked of its content.
"""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from pydantic import ValidationError

from app.audit.authors import Author
from app.crypto.envelope import cut
from app.crypto.errors import SealBroken
from app.crypto.sealer import Sealer
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.hr.errors import PayloadLost
from app.hr.happenings import place_of
from app.hr.repository import HrLedger, Kept
from app.hr.schemas import HrEventIn
from app.hr.senders import Senders, written_down
from app.hr.subjects import PERSONNEL
from app.kit.db import Reader
from app.kit.errors import Forbidden, Problem
from app.permissions.standing import Viewer

PAYLOAD: Final = "hr.payload"
AUTHOR: Final = Author(type="system", id="hr")
_ACTION: Final = "hr.event.open"


@dataclass(frozen=True, slots=True)
class Deferred:
    """An event that was kept, open: what it says, and for whom it is applied; or the problem that stands in its way."""

    id: UUID
    event: HrEventIn | None = None
    viewer: Viewer | None = None
    problem: Problem | None = None


def content(event: HrEventIn, viewer: Viewer) -> str:
    """Write what is sealed of an event: what it says, as it was read, and who sent it."""
    return orjson.dumps({"sender": written_down(viewer), "event": orjson.loads(event.canonical())}).decode()


class Backlog:
    """Opens what was kept."""

    def __init__(self, *, ledger: HrLedger, reader: Reader, gate: Gate, sealer: Sealer, senders: Senders) -> None:
        """Take the ledger and where to read it, what opens, whose keys there are, and what reads rights again."""
        self._ledger, self._reader, self._gate = ledger, reader, gate
        self._sealer, self._senders = sealer, senders

    async def waiting(self, subject_hash: bytes, *, but: UUID | None = None) -> list[Deferred]:
        """Open what waits for a subject, in the order of events."""
        kept = [each for each in await self._ledger.waiting(self._reader, subject_hash) if each.id != but]
        opened = await asyncio.gather(*(self._opened(each) for each in kept))
        return sorted(opened, key=_order)

    async def one(self, identity: UUID) -> Deferred:
        """Open one event."""
        kept = await self._ledger.kept(self._reader, identity)
        return Deferred(identity, problem=PayloadLost()) if kept is None else await self._opened(kept)

    async def _opened(self, kept: Kept) -> Deferred:
        text = (await self._values(kept)).get(PAYLOAD)
        if text is None:
            return Deferred(kept.id, problem=PayloadLost())
        try:
            document = orjson.loads(text)
            event = HrEventIn.model_validate(document["event"])
        except (orjson.JSONDecodeError, KeyError, ValidationError):
            return Deferred(kept.id, problem=PayloadLost())
        if (event.source, event.id) != (kept.source, kept.event_id):
            return Deferred(kept.id, problem=PayloadLost())
        try:
            return Deferred(kept.id, event, await self._senders.viewer(document["sender"]))
        except Forbidden as problem:
            return Deferred(kept.id, event, problem=problem)

    async def _values(self, kept: Kept) -> dict[str, str]:
        """Ask the gate; the box itself proves whose it is, so the record that carries it has nothing else to cover."""
        try:
            mac = self._sealer.existing(kept.sealed_for, kept.key).mac(())
        except SealBroken:
            return {}
        box = cut(PAYLOAD, kept.envelope)
        record = Record(
            subject=kept.sealed_for, key=kept.key, cohort=PERSONNEL, boxes=(box,), covered=(), mac=mac, public={}
        )
        query = {"entry": str(kept.id)}
        (values,) = await self._gate.open_for_upkeep(AUTHOR, _ACTION, [record], frozenset({PAYLOAD}), query=query)
        return values


def _order(deferred: Deferred) -> tuple[float, int]:
    if deferred.event is None:
        return 0.0, 0
    place = place_of(deferred.event)
    return place.at.timestamp(), place.sequence or 0
