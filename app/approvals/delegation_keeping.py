"""Giving decisions away and taking them back for a caller: whose are they, to whom, for how long, and what they are told.

Everybody gives away their own; an absent person's, a superior. Whoever files for somebody else does not name himself. Nobody learns
here of people whom they may not know: a stranger, a leaver and an intern are the same refusal, and so is the absent person who is none
of theirs.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from app.approvals.chains import Chains
from app.approvals.delegation_errors import UnfitDelegate, UnfitTerm, UnknownKind
from app.approvals.delegation_reading import person_of
from app.approvals.delegation_repository import DelegationRepository
from app.approvals.delegation_rules import CLOCK_DIFFERENCE, SOON, Delegated, leads
from app.approvals.delegation_schemas import DelegationCreate
from app.approvals.delegation_views import receipt
from app.approvals.delegations import Delegations
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.log_access import name_action
from app.kit.clock import Clock
from app.kit.db import Reader, UnitOfWork
from app.kit.errors import NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.parts import ContactFacts
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/delegations"
ENDERS: Final = frozenset({"infosec"})
"""Roles that end anybody's delegations."""


class DelegationKeeper:
    """Keeps delegations for a viewer."""

    def __init__(
        self,
        *,
        service: Delegations,
        rows: DelegationRepository,
        people: Acquaintances,
        contacts: ContactFacts,
        chains: Chains,
        reader: Reader,
        idempotency: Idempotency,
        clock: Clock,
        longest: timedelta,
    ) -> None:
        """Take what does it, the rows, whom viewers may know, who people are, the kinds of requests, and how long a delegation can be."""
        self._service, self._rows, self._people = service, rows, people
        self._contacts, self._chains, self._reader = contacts, chains, reader
        self._idempotency, self._clock, self._longest = idempotency, clock, longest

    async def give(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: DelegationCreate) -> Answer:
        """Give decisions away, once per ``key``.

        Raises ``NoContact``, ``NotPermitted``, ``UnknownKind``, ``UnfitTerm``, ``UnfitDelegate``, and what the service raises.
        """
        name_action("delegation.give")
        own = person_of(viewer)
        principal = own if body.on_behalf_of is None else body.on_behalf_of
        if principal != own:
            await self._refuse_strangers(viewer, principal)

        async def work() -> Receipt:
            new = self._new(own, principal, body)
            if body.to not in await self._people.known(viewer, [body.to]):
                raise UnfitDelegate
            await self._service.give(unit, author_of(viewer), new)
            told: dict[str, Any] = orjson.loads(orjson.dumps(receipt(new, self._clock.now()), option=orjson.OPT_UTC_Z))
            return Receipt(new.id, told)

        call = Call(viewer.caller, "POST", COLLECTION, key)
        said = key and body.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return await self._idempotency.run(unit, call, said, allowed=_allowed, work=work)

    async def end(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End one that the viewer gave, was given or filed, or any for security; ended twice is ended once. Raises ``NotFound``."""
        name_action("delegation.end")
        own = person_of(viewer)
        found = await self._rows.one(unit.session, identity)
        if found is None or not (
            own in {found.principal_id, found.delegate_id, found.filed_by}
            or not viewer.standing.roles.isdisjoint(ENDERS)
        ):
            raise NotFound
        await self._service.end(unit, author_of(viewer), identity)

    async def _refuse_strangers(self, viewer: Viewer, person: UUID) -> None:
        """Raise ``NotPermitted`` unless the viewer is a superior of ``person``; alike for somebody they may not know, and for nobody."""
        known = (await self._people.cards(viewer, [person])).get(person)
        facts = None if known is None else await self._contacts.viewer_facts(self._reader, person)
        if known is None or facts is None:
            raise NotPermitted
        department, manager = facts.department_id, known.get("manager")
        if not leads(viewer.standing, viewer.tree, person, department=department, manager=manager):
            raise NotPermitted

    def _new(self, own: UUID, principal: UUID, body: DelegationCreate) -> Delegated:
        """Make what the caller asks for; raise ``UnknownKind`` and ``UnfitTerm``."""
        now = self._clock.now()
        self._refuse_kinds(body.kinds or ())
        starts = now if body.since is None else body.since
        if not now - CLOCK_DIFFERENCE <= starts <= now + SOON:
            raise UnfitTerm("/from", longest=self._longest)
        starts = max(starts, now)
        if not starts < body.until <= starts + self._longest:
            raise UnfitTerm("/until", longest=self._longest)
        return Delegated(
            id=new_id(),
            principal_id=principal,
            delegate_id=body.to,
            kinds=None if body.kinds is None else frozenset(body.kinds),
            starts_at=_utc(starts),
            ends_at=_utc(body.until),
            reason=body.reason,
            filed_by=own,
            created_at=now,
        )

    def _refuse_kinds(self, kinds: Sequence[str]) -> None:
        strangers = [at for at, each in enumerate(kinds) if self._chains.enabled(each) is None]
        if strangers:
            raise UnknownKind(strangers)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _allowed() -> None:
    """Ask nothing further: who may not was refused before, by the rights of now."""
