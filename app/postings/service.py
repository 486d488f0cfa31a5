"""Making generations of sets: anew when enough people changed since the last, and none where the directory is small.

What a generation knows is the directory of one version, so whatever is read after that version is as good: who changed meanwhile, and until
the next generation, is told by the traces of changes and looked at one by one. Nothing writes here when a card changes. Making one never
takes more than a twentieth of the time, however often people change; until it is made, searches do without, slower and no different.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from app.kit.clock import Clock
from app.kit.db import Database
from app.postings.gathering import Gathered, Gatherer
from app.postings.repository import PostingRepository, Span
from app.traces.numbering import Sequencer
from app.traces.repository import TraceRepository

LEAST: Final = 1_024
"""Keys from which on whom a text finds is kept as a set."""
SMALL: Final = 32_768
"""People up to whom a directory has no sets: reading what is stored of them costs no more."""
MOST_CHANGED: Final = 512
"""Contacts that a search looks at one by one since they changed after the sets were made; where there are more, it does without sets."""
_RENEWED: Final = MOST_CHANGED // 2
_SHARE: Final = 20
_FORSAKEN: Final = timedelta(minutes=15)
"""After how long a generation that nobody works on, or that was withdrawn, is dropped."""
_IN_USE: Final = timedelta(minutes=5)
"""For how long a search that began before may still read what was replaced."""
_SETS_AT_ONCE: Final = 64
_NUMBERED_AT_ONCE: Final = 10_000
_DELETED_AT_ONCE: Final = 20_000
_BETWEEN: Final = b"\0"
_ID_BYTES: Final = 16


class Keys(Protocol):
    """What sets are made of."""

    ranks: Sequence[tuple[int, bool]]
    """Ranks of keys, each with whether one asks for texts by their beginning."""

    async def more_than(self, people: int) -> bool:
        """Tell whether more people than so many can be found."""
        ...

    def people(self) -> AsyncIterator[Sequence[tuple[str, UUID]]]:
        """Read who can be found, with the name that breaks ties, page by page in any order, each once."""
        ...

    def of_rank(self, rank: int, generation: int) -> AsyncIterator[Sequence[tuple[str, int]]]:
        """Read the keys of one rank in the order of their texts, with the ordinals of whose they are, page by page."""
        ...


class Postings:
    """Keeps the newest generation; run by one worker at a time, and by two at once without harm."""

    def __init__(
        self,
        database: Database,
        sequencer: Sequencer,
        keys: Keys,
        clock: Clock,
        *,
        least: int = LEAST,
        small: int = SMALL,
    ) -> None:
        """Take the store, what tells its version, the keys and the clock; ``least`` and ``small`` as the constants of these names."""
        self._database, self._sequencer, self._keys, self._clock = database, sequencer, keys, clock
        self._least, self._small = least, small
        self._repository, self._traces = PostingRepository(), TraceRepository()

    async def sweep(self) -> bool:
        """Make a generation if one is due, and drop those that are of no use any longer; tell whether there was something to do."""
        spans = await self._repository.spans(self._database.reader)
        is_large = await self._keys.more_than(self._small)
        now = self._clock.now()
        ready = [each for each in spans if each.ready_at is not None]
        under_way = [each for each in spans if each.ready_at is None and now - each.alive_at < _FORSAKEN]
        read = [each for at, each in enumerate(ready) if at == 0 or now - ready[0].ready < _IN_USE]
        past = [each for each in spans if each not in read and each not in under_way]
        for each in past:
            await self._drop(each)
        if not is_large:
            return await self._withdraw(read) or bool(past)
        if under_way or (ready and not await self._is_due(ready[0])):
            return bool(past)
        await self.make()
        return True

    async def make(self) -> int:
        """Make a generation; give its id. The one before it is left to the next ``sweep``, for searches that read it now."""
        version = (await self._sequencer.place()).version
        async with self._database.unit_of_work() as unit:
            generation = await self._repository.begin(unit, version, self._clock.now())
        await self._number(generation)
        for rank, beginnings in self._keys.ranks:
            gatherer = Gatherer(self._least, beginnings=beginnings)
            gathered: list[Gathered] = []
            async for page in self._keys.of_rank(rank, generation):
                gathered += [each for term, ordinal in page for each in gatherer.add(term, ordinal)]
                if len(gathered) >= _SETS_AT_ONCE:
                    await self._keep(generation, rank, gathered)
                    gathered = []
            await self._keep(generation, rank, [*gathered, *gatherer.end()])
        async with self._database.unit_of_work() as unit:
            await self._repository.ready(unit, generation, self._clock.now())
        return generation

    async def _number(self, generation: int) -> None:
        """Give everybody a number by name, then id; a name and its id are held as one text of bytes, some 70 for each."""
        people: list[bytes] = []
        async for page in self._keys.people():
            people += [name.encode() + _BETWEEN + contact.bytes for name, contact in page]
        people.sort()
        for first in range(0, len(people), _NUMBERED_AT_ONCE):
            contacts = [UUID(bytes=each[-_ID_BYTES:]) for each in people[first : first + _NUMBERED_AT_ONCE]]
            async with self._database.unit_of_work() as unit:
                await self._repository.number(unit, generation, first, contacts)
                await self._repository.alive(unit, generation, self._clock.now())

    async def _keep(self, generation: int, rank: int, gathered: Sequence[Gathered]) -> None:
        for start in range(0, len(gathered), _SETS_AT_ONCE):
            async with self._database.unit_of_work() as unit:
                await self._repository.keep(unit, generation, rank, gathered[start : start + _SETS_AT_ONCE])
                await self._repository.alive(unit, generation, self._clock.now())

    async def _is_due(self, newest: Span) -> bool:
        if self._clock.now() - newest.ready < (newest.ready - newest.begun_at) * _SHARE:
            return False
        changed = await self._traces.contacts_since(self._database.reader, newest.version, most=_RENEWED)
        return changed is None

    async def _withdraw(self, spans: Sequence[Span]) -> bool:
        """Let no search begin with these any longer; they are dropped when nobody can still be reading them."""
        async with self._database.unit_of_work() as unit:
            for each in spans:
                await self._repository.ready(unit, each.id, self._clock.now(), is_ready=False)
        return bool(spans)

    async def _drop(self, span: Span) -> None:
        is_gone = False
        while not is_gone:
            async with self._database.unit_of_work() as unit:
                is_gone = await self._repository.drop_some(unit, span.id, most=_DELETED_AT_ONCE)
