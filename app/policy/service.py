"""Keeping packs: storing what was uploaded, and putting a version in force or back. Nothing here commits.

Who may is decided before: by an approved request, or by whoever holds the machine. What holds for all of them is here: a number names one
content for ever, a pack whose tests fail is never in force, and every step is an event in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError
from app.kit.models import new_id
from app.permissions.errors import PolicyUnreadable
from app.permissions.outcomes import FieldClass
from app.permissions.pack import Pack, canonical, shipped
from app.permissions.versions import Activation, ActivationKind, Version, VersionRepository
from app.policy.errors import (
    PolicyInForce,
    PolicyTestsFailed,
    PolicyVersionTaken,
    SimulationMismatch,
    UnknownPolicyVersion,
)
from app.policy.simulation_repository import SimulationRepository
from app.policy.trials import try_pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Why a version enters into force: in words, and by which request and simulation where there are."""

    reason: str
    request_id: UUID | None = None
    simulation_id: UUID | None = None


class PolicyService:
    """Stores versions and puts them in force."""

    def __init__(
        self,
        *,
        versions: VersionRepository,
        simulations: SimulationRepository,
        classes: Mapping[str, FieldClass],
        clock: Clock,
    ) -> None:
        """Take the rows of versions and of simulations, the class of every field, and the clock."""
        self.versions, self._simulations, self._classes, self._clock = versions, simulations, classes, clock

    async def store(self, unit: UnitOfWork, author: Author, pack: Pack, source: str) -> tuple[Version, bool]:
        """Keep a pack; give its version and whether it is new. The same content is stored once.

        Raises ``PolicyVersionTaken``, also for a number that a pack which ships has and this one would keep from it.
        """
        found = await self.versions.by_digest(unit.session, pack.digest)
        if found is not None:
            return found, False
        held = await self.versions.by_number(unit.session, pack.profile, pack.version)
        if held is not None:
            raise PolicyVersionTaken.by_stored(held.label, held.id)
        if shipped().get((pack.profile, pack.version), pack.digest) != pack.digest:
            number = f"{pack.profile}-{pack.version}"
            raise PolicyVersionTaken.by_shipped(number)
        version = Version(
            id=new_id(),
            version=pack.version,
            profile=pack.profile,
            digest=pack.digest,
            canonical=canonical(pack).decode(),
            source=source,
            author_type=author.type,
            author_id=author.id,
            created_at=self._clock.now(),
        )
        await self.versions.add_version(unit.session, version)
        await self._announce(unit, author, "policy.upload", {"version": version.label, "digest": version.digest})
        return version, True

    async def activate(self, unit: UnitOfWork, author: Author, version: Version, grounds: Grounds) -> Activation:
        """Put a stored version in force, for the first time or again.

        Raises ``PolicyInForce``, ``PolicyTestsFailed`` and, for grounds that name another simulation, ``SimulationMismatch``. The counter
        moves in the same transaction: from its commit on no look that was decided under the pack before is recorded.
        """
        seq = await self.versions.next_seq(unit.session)
        before = await self._in_force(unit.session)
        if before is not None and before.version_id == version.id:
            raise PolicyInForce
        self.require_tests(version.pack())
        if grounds.simulation_id is not None:
            await self.require_simulated(unit.session, grounds.simulation_id, version)
        kind: ActivationKind = "first" if seq == 1 else "activated"
        if await self.versions.was_active(unit.session, version.id):
            kind = "rolled_back"
        activation = Activation(
            seq=seq,
            id=new_id(),
            version_id=version.id,
            previous_id=None if before is None else before.version_id,
            kind=kind,
            at=self._clock.now(),
            actor_type=author.type,
            actor_id=author.id,
            request_id=grounds.request_id,
            simulation_id=grounds.simulation_id,
            reason=grounds.reason,
        )
        await self.versions.add_activation(unit.session, activation)
        named = {"request": grounds.request_id, "simulation": grounds.simulation_id, "previous": activation.previous_id}
        detail = {"version": version.label, "digest": version.digest, "kind": kind, "activation": str(activation.id)}
        detail |= {name: str(value) for name, value in named.items() if value is not None}
        await self._announce(unit, author, "policy.activate", detail)
        return activation

    async def named(self, unit: UnitOfWork, name: str) -> Version:
        """Find a stored version by its id, or as events name it, with or without digest. Raises ``UnknownPolicyVersion``."""
        profile, _, number = name.partition("+")[0].partition("-")
        version = await self.versions.by_number(unit.session, profile, number)
        if version is None:
            try:
                version = await self.versions.by_id(unit.session, UUID(name))
            except ValueError:
                version = None
        if version is None:
            raise UnknownPolicyVersion
        return version

    async def earlier(self, unit: UnitOfWork) -> Version:
        """Give the version that was in force before the present one. Raises ``UnknownPolicyVersion`` when there was none."""
        before = await self._in_force(unit.session)
        previous = None if before is None or before.previous_id is None else before.previous_id
        version = None if previous is None else await self.versions.by_id(unit.session, previous)
        if version is None:
            raise UnknownPolicyVersion
        return version

    def require_tests(self, pack: Pack) -> None:
        """Raise ``PolicyTestsFailed``, naming each failure, when the pack does not keep its own promises."""
        failures = try_pack(pack, self._classes)
        if failures:
            places = {test.id: at for at, test in enumerate(pack.tests)}
            raise PolicyTestsFailed(
                errors=[
                    FieldError(f"/tests/{places[each.test]}", "test_failed", str(each), str(each)) for each in failures
                ]
            )

    async def base(self, source: Source) -> str:
        """Give the digest of the pack in force; nothing when there is none that verifies."""
        before = await self._in_force(source)
        version = None if before is None else await self.versions.by_id(source, before.version_id)
        return "" if version is None else version.digest

    async def require_simulated(self, source: Source, identity: UUID, version: Version) -> None:
        """Raise ``SimulationMismatch`` unless the simulation is answered, and of this version against what is in force."""
        simulation = await self._simulations.by_id(source, identity)
        if (
            simulation is None
            or simulation.result is None
            or (simulation.base_digest, simulation.candidate_digest) != (await self.base(source), version.digest)
        ):
            raise SimulationMismatch

    async def _in_force(self, source: Source) -> Activation | None:
        """Give what decided until now; ``None`` when there is nothing that verifies, which a new activation mends."""
        try:
            return await self.versions.newest(source)
        except PolicyUnreadable:
            return None

    async def _announce(self, unit: UnitOfWork, author: Author, action: str, detail: dict[str, str]) -> None:
        await add_intent(unit.session, written(author, action, self._clock.now(), query=detail))
