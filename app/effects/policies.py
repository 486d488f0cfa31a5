"""Putting a pack in force, for the first time or again: ``policy.change``, with the simulation that whoever decides has seen.

What is approved is one content by its digest, and what it was compared with: once another pack is in force, the simulation says nothing any
more and the request has to be approved again. Whoever wrote a pack files it and so decides nothing of it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Subject
from app.audit.authors import Author
from app.auth.repository import Source
from app.effects.sharing import until_of
from app.effects.unfit import CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.standing import Viewer
from app.permissions.versions import Version
from app.policy.errors import PolicyInForce
from app.policy.service import Grounds, PolicyService
from app.policy.showing import admit_author

_FURTHEST: Final = timedelta(days=92)


class PolicyChange:
    """Activates it."""

    def __init__(self, policy: PolicyService, clock: Clock) -> None:
        """Take what keeps packs, and the clock."""
        self._policy, self._clock = policy, clock

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell which content would follow which. Raises ``NotPermitted``, ``NotFound``, ``CannotBeAsked`` and the policy's refusals."""
        if viewer is not None:
            admit_author(viewer)
        version = await self._version(source, asked.subject)
        base, simulation = await self._policy.base(source), UUID(asked.form["simulation_id"])
        begins = None
        if viewer is not None:
            if version.digest == base:
                raise PolicyInForce
            await self._admit(source, version, asked.requester)
            self._policy.require_tests(version.pack())
            await self._policy.require_simulated(source, simulation, version)
            if "begins" in asked.form:
                begins = until_of(asked.form["begins"], self._clock, _FURTHEST, "/form/begins")
        facts = {"digest": version.digest, "base": base, "simulation": str(simulation), "profile": version.profile}
        return Examined(form=asked.form, facts=facts, begins=begins)

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Put it in force; looks that were decided under the pack before are refused by the log from this commit on."""
        version = await self._version(unit.session, approved.asked.subject)
        simulation = UUID(approved.facts["simulation"])
        grounds = Grounds(reason=approved.asked.form["reason"], request_id=approved.id, simulation_id=simulation)
        activation = await self._policy.activate(unit, author, version, grounds)
        return Applied(result={"activation": str(activation.id), "kind": activation.kind, "digest": version.digest})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: a pack does not end, another follows it, by a request of its own."""
        del unit, author, approved, result, cause

    async def _version(self, source: Source, subject: Subject) -> Version:
        version = None if subject.uuid is None else await self._policy.versions.by_id(source, subject.uuid)
        if version is None:
            raise NotFound
        return version

    async def _admit(self, source: Source, version: Version, requester: UUID) -> None:
        """Raise ``CannotBeAsked`` when somebody else wrote a version that was never in force: its author could decide on it."""
        others = version.author_type == "person" and version.author_id != str(requester)
        if others and not await self._policy.versions.was_active(source, version.id):
            raise CannotBeAsked("/subject", Why.OTHER_AUTHOR)
