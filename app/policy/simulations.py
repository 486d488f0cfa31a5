"""Simulations: what would change if a candidate were in force, over the people and contacts of now, told in counts.

It is asked for as a job, because it asks about everybody; the answer is stored with both packs' digests, so that an approval can name what
the approvers saw. Asking is a look as good as any (it tells who could see what), so it is on record, and for those who govern the policy.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any, Final, Protocol
from uuid import UUID

import orjson

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository
from app.auth.scopes import scopes_of_person
from app.auth.subject import Person
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.jobs import JobQueue, JobRun
from app.permissions.outcomes import Outcome
from app.permissions.pack import Pack, canonical
from app.permissions.plan import CohortKey, Standing
from app.permissions.standing import Standings, Viewer, author_of
from app.permissions.versions import VersionRepository
from app.policy.differences import EASE, SAID, Cell, Change, Comparison, Tally
from app.policy.errors import SimulationMismatch, UnknownPolicyVersion
from app.policy.showing import admit_reader
from app.policy.simulation_repository import Simulation, SimulationRepository

SIMULATE: Final = "policy.simulate"
SAMPLE: Final = 2_000
MOST_SAMPLED: Final = 20_000
_MOST_CELLS: Final = 1_000
_PAGE: Final = 500
_BREATH_SECONDS: Final = 0.005
_STEP_SECONDS: Final = 1.0
_FIRST: Final = UUID(int=0)
_GRADED: Final = frozenset({"show", "reveal"})

Step = Callable[[int, int], Awaitable[None]]


class EveryContact(Protocol):
    """Where all contacts are read, closed."""

    async def size(self) -> int:
        """Count them."""
        ...

    async def walk(self, after: UUID, tree: Tree, *, limit: int) -> list[Record]:
        """List them by id."""
        ...


@dataclass(slots=True)
class _Breath:
    """Lets others run every few milliseconds, and tells how far it is now and then."""

    step: Step
    _breathed: float = field(default_factory=monotonic)
    _told: float = field(default_factory=monotonic)

    async def take(self, done: int, total: int) -> None:
        now = monotonic()
        if now - self._told > _STEP_SECONDS:
            await self.step(done, total)
            self._told = monotonic()
        if now - self._breathed > _BREATH_SECONDS:
            await asyncio.sleep(0)
            self._breathed = monotonic()


@dataclass(frozen=True, slots=True)
class Everybody:
    """Whom a comparison is about: standings and contacts, and of how many they were taken."""

    viewers: tuple[Standing, ...]
    viewers_of: int
    contacts: tuple[tuple[UUID, CohortKey], ...]
    contacts_of: int


class Simulations:
    """Asks and answers."""

    def __init__(
        self,
        *,
        rows: SimulationRepository,
        versions: VersionRepository,
        jobs: JobQueue,
        standings: Standings,
        accounts: AccountRepository,
        contacts: EveryContact,
        database: Database,
        clock: Clock,
        clock_here: timedelta,
    ) -> None:
        """Take the rows, where jobs are asked for, who everybody is, the store, the clock, and when a day begins."""
        self.rows, self._versions, self._jobs = rows, versions, jobs
        self._standings, self._accounts, self._contacts = standings, accounts, contacts
        self._database, self._clock, self._clock_here = database, clock, clock_here

    async def ask(self, viewer: Viewer, unit: UnitOfWork, candidate: Pack, sample: int) -> Simulation:
        """Ask for a simulation against the pack in force, as a job. Raises ``NotPermitted`` and ``TooManyJobs``."""
        admit_reader(viewer)
        identity = new_id()
        job = await self._jobs.submit(unit, viewer, SIMULATE, {"simulation": str(identity)})
        return await self._asked(unit, author_of(viewer), candidate, sample, identity=identity, job_id=job)

    async def work(self, run: JobRun) -> Mapping[str, Any]:
        """Answer what a job asks, as long as whoever asked may. Implements ``permissions.jobs.JobHandler``."""
        admit_reader(await run.viewer())
        simulation = await self.rows.by_id(self._database.reader, UUID(run.payload["simulation"]))
        if simulation is None:
            raise SimulationMismatch

        async def step(done: int, total: int) -> None:
            await run.advance(done, total)
            admit_reader(await run.viewer())

        result = await self.answer(simulation, step)
        await step(result["steps"], result["steps"])
        return {
            "simulation_id": str(simulation.id),
            **{name: len(result[name]) for name in ("gained", "lost", "high_risk")},
        }

    async def at_once(
        self, author: Author, candidate: Pack, sample: int, step: Step
    ) -> tuple[Simulation, dict[str, Any]]:
        """Ask and answer in one go, for a command at the machine."""
        async with self._database.unit_of_work() as unit:
            simulation = await self._asked(unit, author, candidate, sample, identity=new_id(), job_id=None)
        return simulation, await self.answer(simulation, step)

    async def answer(self, simulation: Simulation, step: Step) -> dict[str, Any]:
        """Compare the two packs of a simulation over everybody, store what comes out, and give it."""
        base = await self._versions.by_digest(self._database.reader, simulation.base_digest)
        if base is None:
            raise UnknownPolicyVersion
        breath = _Breath(step)
        packs = (base.pack(), simulation.pack())
        everybody = await self.everybody(simulation.sample, breath)
        comparison = Comparison(
            packs, everybody.viewers, everybody.contacts, self._clock.now(), clock_here=self._clock_here
        )
        total = len(everybody.viewers) + len(everybody.contacts) + len(comparison.groups)
        for done, group in enumerate(comparison.groups, start=total - len(comparison.groups)):
            comparison.count(group)
            await breath.take(done, total)
        result = {**told(packs, everybody, comparison.tallies), "steps": total}
        async with self._database.unit_of_work() as unit:
            await self.rows.finish(unit.session, simulation, orjson.dumps(result).decode(), at=self._clock.now())
        return result

    async def everybody(self, sample: int, breath: _Breath) -> Everybody:
        """Read who there is: active people with their standing of now, and contacts; evenly thinned out to ``sample`` of each."""
        accounts = []
        page = await self._accounts.active(self._database.reader, after=_FIRST, limit=_PAGE)
        while page:
            accounts += page
            page = await self._accounts.active(self._database.reader, after=page[-1].id, limit=_PAGE)
        chosen = [each for at, each in enumerate(accounts) if _falls(at, len(accounts), sample)]
        size = await self._contacts.size()
        expected, viewers = len(chosen) + min(size, sample), []
        for done, account in enumerate(chosen):
            subject = Person(account.user_name, "", scopes_of_person(account.roles))
            try:
                viewers.append((await self._standings.passing(subject)).standing)
            except (NoContact, AccountSuspended, AccountRefused):
                continue
            await breath.take(done, expected)
        tree = await self._standings.tree()
        contacts: list[tuple[UUID, CohortKey]] = []
        after, seen = _FIRST, 0
        while records := await self._contacts.walk(after, tree, limit=_PAGE):
            contacts += [
                (each.subject, each.cohort) for at, each in enumerate(records, start=seen) if _falls(at, size, sample)
            ]
            after, seen = records[-1].subject, seen + len(records)
            await breath.take(min(len(viewers) + len(contacts), expected), expected)
        return Everybody(tuple(viewers), len(accounts), tuple(contacts), seen)

    async def _asked(
        self,
        unit: UnitOfWork,
        author: Author,
        candidate: Pack,
        sample: int,
        *,
        identity: UUID,
        job_id: UUID | None,
    ) -> Simulation:
        _, base = await self._versions.in_force(unit.session)
        simulation = Simulation(
            id=identity,
            base_digest=base.digest,
            candidate_digest=candidate.digest,
            candidate=canonical(candidate).decode(),
            sample=sample,
            job_id=job_id,
            author_type=author.type,
            author_id=author.id,
            created_at=self._clock.now(),
        )
        await self.rows.add(unit.session, simulation)
        detail = {"simulation": str(identity), "base": base.digest, "candidate": candidate.digest}
        await add_intent(unit.session, written(author, SIMULATE, simulation.created_at, query=detail))
        return simulation


def _falls(at: int, size: int, sample: int) -> bool:
    """Tell whether the one at a place is among ``sample`` that are evenly spread over ``size``."""
    return size <= sample or at * sample // size != (at - 1) * sample // size


def told(packs: tuple[Pack, Pack], everybody: Everybody, tallies: Mapping[Cell, Tally]) -> dict[str, Any]:
    """Write down what a comparison found: counts by role, class and cohort, named gains of high risk, and head-counts."""
    gained = [(cell, tally) for cell, tally in tallies.items() if cell.change.gains]
    lost = [(cell, tally) for cell, tally in tallies.items() if not cell.change.gains]
    return {
        "base": packs[0].label,
        "candidate": packs[1].label,
        "sampled": {
            "viewers": len(everybody.viewers),
            "viewers_of": everybody.viewers_of,
            "contacts": len(everybody.contacts),
            "contacts_of": everybody.contacts_of,
        },
        "heads": {
            "viewers_gaining": _heads(tally.viewers for _, tally in gained),
            "viewers_losing": _heads(tally.viewers for _, tally in lost),
            "contacts_shown_more": _heads(tally.contacts for _, tally in gained),
            "contacts_shown_less": _heads(tally.contacts for _, tally in lost),
        },
        "gained": _cells(gained),
        "lost": _cells(lost),
        "high_risk": _cells([(cell, tally) for cell, tally in gained if cell.is_high_risk]),
        "left_out": max(0, len(gained) - _MOST_CELLS) + max(0, len(lost) - _MOST_CELLS),
    }


def _heads(sets: Iterable[set[int]]) -> int:
    return len(set[int]().union(*sets))


def _cells(found: list[tuple[Cell, Tally]]) -> list[dict[str, Any]]:
    found.sort(key=lambda each: (-each[1].pairs, each[0]))
    return [_cell(cell, tally) for cell, tally in found[:_MOST_CELLS]]


def _level(change: Change, level: int) -> str:
    if change.power == SAID:
        return EASE[level].value
    return Outcome(level).name.lower() if change.power in _GRADED else ("no", "yes")[level]


def _cell(cell: Cell, tally: Tally) -> dict[str, Any]:
    change = cell.change
    before, after = (_level(change, each) for each in (change.before, change.after))
    return {
        "role": cell.role,
        "class": change.field_class.value,
        "cohort": {"kind": cell.kind, "status": cell.status, "secrecy": cell.secrecy},
        "purposes": [each.value for each in change.purposes],
        "power": change.power,
        "from": before,
        "to": after,
        "pairs": tally.pairs,
        "viewers": len(tally.viewers),
        "contacts": len(tally.contacts),
    }
