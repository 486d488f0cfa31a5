"""Effects without the engine: what is asked is examined, acted on and ended directly, as the engine does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.approvals.chains import load
from app.approvals.effects import Applied, Approved, Asked, Cause, Effect, Examined, Subject
from app.audit.authors import Author
from app.disclosure.showing import Showing
from app.effects.rights import Rights, rights_effects
from app.kit.models import new_id
from tests.support.application import World

CHAINS: Final = load()
DECIDER: Final = Author(type="person", id="00000000-0000-7000-8000-000000000009")


@dataclass(slots=True)
class Counter:
    """Where the people of a world ask."""

    world: World
    effects: Mapping[str, Effect]

    def asked(self, kind: str, by: UUID, subject: str, form: Mapping[str, Any], gains: UUID | None = None) -> Asked:
        """Say what is asked."""
        about = Subject(CHAINS.by_name[kind].subject, subject)
        assert CHAINS.by_name[kind].validator.is_valid(dict(form)), form
        return Asked(kind=kind, requester=by, beneficiary=gains or by, subject=about, form=form)

    async def examine(self, asked: Asked, by: str | None = None) -> Examined:
        """Examine as at filing by somebody, or as just before acting."""
        viewer = None if by is None else await self.world.viewer(by)
        async with self.world.application.database.unit_of_work() as unit:
            return await self._effect(asked).examine(unit.session, viewer, asked)

    async def approve(self, asked: Asked, by: str) -> tuple[Approved, Applied]:
        """Examine, choose the chain, take it for approved and act."""
        found = await self.examine(asked, by)
        begins = self.world.application.clock.now()
        approved = Approved(
            id=new_id(),
            asked=asked,
            facts=found.facts,
            variant=CHAINS.by_name[asked.kind].variant(found.facts).name,
            values={},
            begins=begins,
            ends=found.term.ends(begins),
            decided_by=(),
        )
        assert (await self.examine(asked)).facts == found.facts
        async with self.world.application.database.unit_of_work() as unit:
            return approved, await self._effect(asked).apply(unit, DECIDER, approved)

    async def end(self, approved: Approved, applied: Applied, cause: Cause = Cause.REVOKED) -> None:
        """End it, twice."""
        for _ in range(2):
            async with self.world.application.database.unit_of_work() as unit:
                effect = self._effect(approved.asked)
                await effect.end(unit, DECIDER, approved, applied.result, cause)

    def _effect(self, asked: Asked) -> Effect:
        return self.effects[CHAINS.by_name[asked.kind].effect]


def counter_in(world: World) -> Counter:
    """Open a counter."""
    application = world.application
    showing = Showing(
        gate=application.gate,
        standings=application.standings,
        cursors=application.cursors,
        reader=application.database.reader,
        clock=application.clock,
    )
    rights = Rights(
        application.accounts,
        application.loans,
        application.clients,
        application.contact_rows,
        application.grants,
        application.marks,
        application.policy.service,
        application.provisions.service,
    )
    return Counter(world, rights_effects(showing, rights))
