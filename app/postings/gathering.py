"""From keys in the order of their texts to the sets of whom each beginning finds. Pure.

Read in order, the keys that begin alike lie together, and so do those within them that begin alike for longer: whom a beginning finds is a
stretch of what was read. A stretch is kept where it is long. One that holds the same people as a longer beginning within it is not kept
twice: the first that is kept from a beginning on stands for it.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from pyroaring import BitMap


@dataclass(frozen=True, slots=True)
class Gathered:
    """Whom a text finds: by all keys that begin with it or, ``whole``, by those that are it."""

    term: str
    whole: bool
    members: BitMap


class Gatherer:
    """Takes the keys of one rank one by one, in order, and gives the long sets as they end."""

    def __init__(self, least: int, *, beginnings: bool = True) -> None:
        """Keep sets of at least so many keys; of whole texts alone where there are no ``beginnings`` to ask for."""
        self._least, self._beginnings = least, beginnings
        self._term = ""
        self._starts: list[int] = []
        self._read = array("I")
        self._run = 0

    def add(self, term: str, ordinal: int) -> Iterator[Gathered]:
        """Take a key; ``term`` is no less than the last."""
        if term != self._term:
            yield from self._end(_shared(self._term, term))
            self._starts += [len(self._read)] * (len(term) - len(self._starts))
            self._term, self._run = term, len(self._read)
        self._read.append(ordinal)

    def end(self) -> Iterator[Gathered]:
        """Give what is left, after the last key."""
        yield from self._end(0)

    def _end(self, shared: int) -> Iterator[Gathered]:
        """Close every beginning that is longer than what the next text shares with the last."""
        until = len(self._read)
        if self._term and until - self._run >= self._least:
            yield Gathered(self._term, True, BitMap(self._read[self._run :]))  # noqa: FBT003 — a field of its own
        starts = self._starts
        if self._beginnings and len(starts) > shared and until - starts[shared] >= self._least:
            kept = until
            for at in range(len(starts) - 1, shared - 1, -1):
                if until - starts[at] >= self._least and starts[at] != kept:
                    kept = starts[at]
                    yield Gathered(self._term[: at + 1], False, BitMap(self._read[kept:]))  # noqa: FBT003 — as above
        del starts[shared:]
        if not shared:
            del self._read[:]
            self._run = 0


def _shared(one: str, other: str) -> int:
    """Count the letters that two texts begin with in common."""
    most = min(len(one), len(other))
    return next((at for at in range(most) if one[at] != other[at]), most)
