"""Who sent an event, written down with it, so that their rights can be read again when it takes effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository, ClientRepository
from app.auth.scopes import Scope, scopes_of_person
from app.auth.subject import Caller, Person, Service
from app.kit.db import Reader
from app.permissions.errors import NoContact, NotPermitted
from app.permissions.standing import Standings, Viewer


def written_down(viewer: Viewer) -> dict[str, Any]:
    """Write down who sends: ids and scopes, and no second proof, which does not last."""
    found = {"client": viewer.subject.client_id, "scopes": sorted(viewer.subject.scopes)}
    if isinstance(viewer.subject, Person):
        found["contact"] = str(viewer.standing.contact_id)
    return found


@dataclass(frozen=True, slots=True)
class Senders:
    """Reads again what senders may."""

    reader: Reader
    accounts: AccountRepository
    clients: ClientRepository
    standings: Standings

    async def viewer(self, sender: Mapping[str, Any]) -> Viewer:
        """Give whoever sent an event, with the rights of now; raise what an event that they sent now would be refused with."""
        caller = await self._caller(sender)
        if Scope.HR_WRITE.value not in caller.scopes:
            raise NotPermitted
        return await self.standings.of(caller, fresh=True)

    async def _caller(self, sender: Mapping[str, Any]) -> Caller:
        """Read who it was; the scopes are those of then as far as their roles, or their registration, still give them."""
        scopes = frozenset(sender["scopes"])
        if "contact" not in sender:
            client = await self.clients.by_id(self.reader, sender["client"])
            if client is None:
                raise AccountRefused
            return Service(client.client_id, scopes & client.scopes)
        account = await self.accounts.by_contact(self.reader, UUID(sender["contact"]))
        if account is None:
            raise NoContact
        return Person(account.user_name, sender["client"], scopes & scopes_of_person(account.roles))
