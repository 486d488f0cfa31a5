"""A service account for a system: ``client.register``, with scopes, a ceiling and a person who answers for it.

Approving makes the account and shows nobody a secret: it is made with one that is thrown away. Its owner then has a secret made, which is
shown to them once, and another whenever they need one (``POST /v1/clients/{id}/secrets``); so none lies in a request or a notice.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.clients import Clients, NewClient
from app.auth.repository import Source
from app.auth.scopes import Scope
from app.auth.subject import is_client_id
from app.effects.granting import Granting, owner_of
from app.effects.unfit import CannotBeAsked, Why
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer

GIVEN: Final = frozenset(
    {
        Scope.CONTACTS_READ,
        Scope.CONTACTS_LOOKUP,
        Scope.NUMBERS_READ,
        Scope.NUMBERS_ALLOCATE,
        Scope.ENGAGEMENTS_WRITE,
        Scope.HR_WRITE,
        Scope.SCIM,
    }
)
"""Scopes of systems; who governs, oversees or decides is a person."""
_WRITES: Final = frozenset({Scope.NUMBERS_ALLOCATE, Scope.ENGAGEMENTS_WRITE, Scope.HR_WRITE, Scope.SCIM})


class ClientRegistration:
    """Makes it, and disables it when the approval is taken back."""

    def __init__(self, granting: Granting, clients: Clients, clock: Clock) -> None:
        """Take who people are, the clients, and the clock."""
        self._granting, self._clients, self._clock = granting, clients, clock

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Tell how far the account would reach, and who answers for it: the beneficiary. Raises ``CannotBeAsked``, ``BeneficiaryGone``."""
        _, person = await self._granting.person(asked.beneficiary)
        if viewer is None:
            await self._granting.account(source, asked.beneficiary)
        department = owner_of(person)
        if not is_client_id(asked.subject.id):
            raise CannotBeAsked("/subject", Why.CLIENT_ID)
        if await self._clients.taken(source, asked.subject.id):
            raise CannotBeAsked("/subject", Why.TAKEN)
        scopes = list(asked.form["scopes"])
        for at, scope in enumerate(scopes):
            if scope not in GIVEN:
                raise CannotBeAsked("/form/scopes", Why.SCOPE, at)
        facts = {
            "scopes": " ".join(sorted(scopes)),
            "ceiling": str(asked.form["ceiling"]),
            "writes": "no" if _WRITES.isdisjoint(scopes) else "yes",
            "owner_department": str(department or ""),
        }
        return Examined(form=asked.form, facts=facts, owner=department)

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Make the account, with a secret that nobody knows."""
        asked = approved.asked
        new = NewClient(
            asked.subject.id,
            asked.form["name"],
            scopes=tuple(asked.form["scopes"]),
            ceiling=asked.form["ceiling"],
            owner=asked.beneficiary,
        )
        client = (await self._clients.add(unit.session, new)).client
        await self._announce(unit, author, approved, "client.create", scopes=sorted(client.scopes))
        return Applied(result={"client_id": client.client_id}, lasting=True)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Disable the account; every token that it got ends."""
        client = await self._clients.by_client_id(unit.session, result["client_id"])
        if client is None or client.state == "disabled":
            return
        await self._clients.disable(unit.session, client.client_id)
        await self._announce(unit, author, approved, "client.disable", by=cause.value)

    async def _announce(
        self, unit: UnitOfWork, author: Author, approved: Approved, action: str, **told: object
    ) -> None:
        query = {"client_id": approved.asked.subject.id, "request": str(approved.id), **told}
        people = [approved.asked.beneficiary]
        await add_intent(unit.session, written(author, action, self._clock.now(), contacts=people, query=query))
