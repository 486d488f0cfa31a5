"""What everything that shows something to a viewer shares, handed around as one value."""

from dataclasses import dataclass

from app.disclosure.gate import Gate
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.pagination import Cursors
from app.permissions.standing import Standings


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """The gate, who viewers are, the key of cursors, where to read, and the clock."""

    gate: Gate
    standings: Standings
    cursors: Cursors
    reader: Reader
    clock: Clock
