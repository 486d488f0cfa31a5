"""Cards as they leave the gate: rendered, without their closing, so that version and note are written once, behind them."""

from dataclasses import dataclass
from uuid import UUID

import orjson


@dataclass(slots=True)
class Opened:
    """What was disclosed: rendered cards without their closing, each with its version, and the note that goes with them."""

    cards: list[tuple[UUID, bytes, str]]
    note: bytes
    event_id: UUID | None

    def one(self) -> tuple[bytes, str]:
        """Write the only card as a whole body; give it with its version."""
        (_, card, version) = self.cards[0]
        return b'%b,"version":"%b","disclosure":%b}' % (card[:-1], version.encode(), self.note), version

    def page(self, following: str | None, total: int | None = None) -> bytes:
        """Write all cards as one page."""
        items = b",".join([b'%b,"version":"%b"}' % (card[:-1], version.encode()) for _, card, version in self.cards])
        counted = b"" if total is None else b',"total":%d' % total
        return b'{"items":[%b],"next":%b%b,"disclosure":%b}' % (items, orjson.dumps(following), counted, self.note)
