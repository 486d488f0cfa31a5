"""Effects as the engine drives them, without the engine: examine as the requester, keep values sealed, examine again, act."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Effect, Examined, Proposed, Subject
from app.audit.authors import Author
from app.contacts.proposals import ProposalBoxes
from app.effects.cards import Cards
from app.kit.models import new_id
from tests.support.application import World


def cards_of(world: World) -> Cards:
    """Build the cards of effects from the application's parts."""
    application = world.application
    return Cards(
        contacts=application.contact_rows,
        members=application.keeper._members,
        writer=application.contact_writer,
        parting=application.departures.departing,
        sealer=application.sealer,
        standings=application.standings,
        gate=application.gate,
        clock=application.clock,
    )


def asking(world: World, kind: str, who: str, subject: tuple[str, Any], **form: Any) -> Asked:  # noqa: ANN401 — JSON
    """Say what ``who`` asks for."""
    requester = world.people[who]
    return Asked(
        kind=kind, requester=requester, beneficiary=requester, subject=Subject(subject[0], str(subject[1])), form=form
    )


async def examined(world: World, effect: Effect, who: str, asked: Asked) -> Examined:
    """Examine as the requester at filing."""
    return await effect.examine(world.application.database.reader, await world.viewer(who), asked)


def author(world: World, who: str) -> Author:
    """Name somebody as who decides."""
    return Author(type="person", id=str(world.people[who]), request_id="http-request")


async def acted(
    world: World,
    effect: Effect,
    asked: Asked,
    found: Examined,
    *,
    by: str,
    decided: tuple[UUID, ...] = (),
    values: Mapping[str, Proposed] | None = None,
) -> tuple[Approved, Applied]:
    """Let an approved request act, in one transaction, if its facts still hold then."""
    application = world.application
    kept = Asked(
        kind=asked.kind,
        requester=asked.requester,
        beneficiary=asked.beneficiary,
        subject=asked.subject,
        form=found.form,
    )
    async with application.database.unit_of_work() as unit:
        sealed = (
            await ProposalBoxes(application.sealer).seal(unit, found.about[0], found.values) if found.values else {}
        )
    async with application.database.unit_of_work() as unit:
        again = await effect.examine(unit.session, None, kept)
        assert again.facts == found.facts, "a difference sends the request back to be approved again"
        begins = application.clock.now()
        approved = Approved(
            id=new_id(),
            asked=kept,
            facts=found.facts,
            variant="any",
            values=sealed if values is None else values,
            begins=begins,
            ends=found.term.ends(begins),
            decided_by=decided,
        )
        applied = await effect.apply(unit, author(world, by), approved)
    return approved, applied
