"""Keeping search tags complete, and planned for as many people as there are: a job that may be cut off anywhere and goes on.

A directory that has grown or shrunk, other kinds, or another version of the ``index`` key call for a new generation. It is announced in
the plan's row first, so that every write makes its tags too; then everybody who lacks them is tagged, a stretch at a time; then lookups
take it up and the tags before it are deleted. Tags that are absent from the generation in use are filled in the same way.

To tag what is already sealed it must be opened. The gate does that, by permit: on record before, as *used*, by this job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from uuid import UUID

import structlog

from app.audit.authors import Author
from app.contacts.repository import ContactRepository
from app.contacts.tag_rules import Generation, Population, ProfileName, outgrown, planned
from app.contacts.tag_upkeep import Spread, TagUpkeep
from app.contacts.tagging import Tagger
from app.crypto.sealer import Sealer
from app.crypto.tags import TagKeys
from app.disclosure.gate import Gate
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.permissions.outcomes import Tag
from app.permissions.standing import Standings

ACTION: Final = "search_tags.write"
AUTHOR: Final = Author(type="system", id="job:retag")
_STRETCH: Final = 500
_AGAIN_SECONDS: Final = 600.0
_EVERYBODY_SECONDS: Final = 3600.0
"""How often everybody is looked at although the plan stays: writers keep tags, but an earlier version that still runs does not."""
_MOST_PASSES: Final = 20
_NOBODY: Final = UUID(int=0)

_log = structlog.get_logger("duanhao.worker")


@dataclass(frozen=True, slots=True)
class TagPolicy:
    """What the operator chose: which kinds have tags, and how many people at least are to share one."""

    kinds: frozenset[Tag]
    profile: ProfileName


@dataclass(frozen=True, slots=True)
class RetagReport:
    """What the tags are now: the generation in use, how values lie on tags, how many contacts were tagged and could not be."""

    generation: Generation
    spreads: tuple[Spread, ...]
    tagged: int
    left: int

    def document(self) -> dict[str, Any]:
        """Write it for machines."""
        return {
            "generation": self.generation.number,
            "key_version": self.generation.key_version,
            "tagged": self.tagged,
            "not_opened": self.left,
            "kinds": {
                each.kind.value: {
                    "values": each.values,
                    "bits": each.bits,
                    "tags": each.tags,
                    "alone": each.alone,
                    "least": each.least,
                    "most": each.most,
                }
                for each in self.spreads
            },
        }


@dataclass(slots=True)
class _Pass:
    """One walk over everybody: what for, how far, and what it could not do."""

    current: Generation
    target: Generation
    after: UUID = _NOBODY
    moved: int = 0
    left: int = 0
    passes: int = 1


class Retagger:
    """Writes tags that are absent. Any number of processes may run one: what is done twice is done alike."""

    def __init__(
        self,
        *,
        database: Database,
        upkeep: TagUpkeep,
        tagger: Tagger,
        keys: TagKeys,
        repository: ContactRepository,
        gate: Gate,
        standings: Standings,
        sealer: Sealer,
        policy: TagPolicy,
        clock: Clock,
    ) -> None:
        """Take the store, who writes tags and by which keys, how sealed values are had, and what the operator chose."""
        self._database, self._upkeep, self._tagger, self._keys = database, upkeep, tagger, keys
        self._repository, self._gate, self._standings, self._sealer = repository, gate, standings, sealer
        self._policy, self._clock = policy, clock
        self._pass: _Pass | None = None
        self._due = self._everybody = 0.0
        self._asked: set[UUID] = set()
        self.tagged = self.left = 0

    async def asked(self, _: UnitOfWork, payload: Mapping[str, Any]) -> None:
        """Take note that ``contact_id`` has a value without tags: the next step makes them. What a process forgets, the walk finds."""
        self._asked.add(UUID(payload["contact_id"]))

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> RetagReport:
        """Do all that is to do now; tell ``progress`` how many contacts have been looked at since."""
        self._due, self._everybody, self.tagged, self.left, seen = 0.0, 0.0, 0, 0, 0
        while await self.step():
            seen += _STRETCH
            progress(seen)
        current, _ = await self._upkeep.plans()
        return RetagReport(current, tuple(await self._upkeep.spread(current)), self.tagged, self.left)

    async def step(self) -> bool:
        """Do a little; tell whether there is more to do now. When all is done it looks at the plan every ten minutes.

        Raises ``LogUnavailable`` when what is to be opened cannot be recorded; nothing was then, and the next step goes on from there.
        """
        if self._asked:
            await self._tag_asked()
            return True
        if self._pass is None:
            if monotonic() < self._due:
                return False
            self._pass = await self._begun()
        walk = self._pass
        if walk is None:
            self._due = monotonic() + _AGAIN_SECONDS
            return False
        chunk = await self._upkeep.chunk(walk.target, walk.after, _STRETCH)
        if chunk.lacking:
            await self._tag(walk, chunk.lacking)
        if chunk.last is not None:
            walk.after = chunk.last
        if chunk.size == _STRETCH:
            return True
        if walk.moved and walk.passes < _MOST_PASSES:
            walk.after, walk.moved, walk.left, walk.passes = _NOBODY, 0, 0, walk.passes + 1
            return True
        return await self._ended(walk)

    async def foresee(self, unit: UnitOfWork, people: Population) -> None:
        """Plan for as many as a store is about to be filled with, so that they are tagged once; where there are tags, do nothing."""
        bits = planned(self._policy.kinds, people, self._policy.profile)
        await self._upkeep.foresee(unit.session, bits, at=self._clock.now())

    async def _tag_asked(self) -> None:
        """Tag those whom a write asks for, in every generation that is written; one whose row moved meanwhile is asked for again."""
        some = sorted(self._asked)[:_STRETCH]
        current, following = await self._upkeep.plans()
        moved = 0
        for generation in filter(None, (current, following)):
            walk = _Pass(current, generation)
            await self._tag(walk, some)
            moved += walk.moved
        if not moved:
            self._asked.difference_update(some)

    async def _begun(self) -> _Pass | None:
        current, following = await self._upkeep.plans()
        if following is None:
            population = await self._upkeep.population(self._policy.kinds, current)
            wanted = planned(self._policy.kinds, population, self._policy.profile)
            newest = self._keys.version
            if current.key_version != newest or outgrown(current, wanted, population, self._policy.profile):
                async with self._database.unit_of_work() as unit:
                    await self._upkeep.begin(
                        unit.session, current, key_version=newest, bits=wanted, at=self._clock.now()
                    )
                _log.info("search_tags_planned", generation=current.number + 1, bits=wanted)
                current, following = await self._upkeep.plans()
        if following is None and monotonic() < self._everybody:
            return None
        return _Pass(current, following or current)

    async def _ended(self, walk: _Pass) -> bool:
        """Take up what is complete, then delete what is past."""
        if walk.moved:
            _log.error("search_tags_incomplete", left=walk.moved)
        elif walk.target.number != walk.current.number:
            async with self._database.unit_of_work() as unit:
                await self._upkeep.take_up(unit.session, walk.current, at=self._clock.now())
            walk.current = walk.target
        async with self._database.unit_of_work() as unit:
            deleted = await self._upkeep.forget_past(unit.session, walk.current)
        if deleted:
            return True
        self._pass, self.left = None, walk.left
        self._due, self._everybody = monotonic() + _AGAIN_SECONDS, monotonic() + _EVERYBODY_SECONDS
        return False

    async def _tag(self, walk: _Pass, identities: Sequence[UUID]) -> None:
        records = await self._repository.by_ids(identities, await self._standings.tree())
        everybody = list(records.values())
        opened = await self._gate.open_for_upkeep(AUTHOR, ACTION, everybody, walk.target.fields)
        walk.left += sum(not each for each in opened)
        async with self._database.unit_of_work() as unit:
            locked = await self._upkeep.locked(unit.session, [each.subject for each in everybody])
            tagged = []
            for record, values in zip(everybody, opened, strict=True):
                found = locked.get(record.subject)
                if found is None or not values:
                    continue
                mac, department = found
                if mac != record.mac:
                    walk.moved += 1
                    continue
                tagged.append((record.subject, department, self._sealer.existing(record.subject, record.key), values))
            await self._tagger.put(unit.session, walk.target, tagged)
        self.tagged += len(tagged)
