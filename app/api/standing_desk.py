"""Standing as the composition root sees it: what its routes call, made from what it shares."""

from typing import Protocol

from app.api.grant_ending import GrantEnder, KeptGrants
from app.api.grant_reading import GrantReader, GrantRows
from app.api.role_reading import RoleReader
from app.auth.accounts import UserAccounts
from app.contacts.rights import CurrentRights
from app.disclosure.acquaintances import Acquaintances, ClosedContacts
from app.disclosure.log_access import LogAccess
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.pagination import Cursors


class Rows(GrantRows, KeptGrants, Protocol):
    """Where grants are kept, for both."""


class StandingDesk:
    """Roles, tiers, grants."""

    def __init__(
        self,
        *,
        accounts: UserAccounts,
        grants: Rows,
        contacts: ClosedContacts,
        access: LogAccess,
        reader: Reader,
        cursors: Cursors,
        clock: Clock,
    ) -> None:
        """Take the rows, the gate and viewers (as reading the log has them), the store, the key of cursors and the clock."""
        gate, rights = access.gate, CurrentRights(access.standings)
        people = Acquaintances(contacts, gate)
        self.roles = RoleReader(
            accounts=accounts, reader=reader, people=people, gate=gate, rights=rights, cursors=cursors
        )
        self.grants = GrantReader(
            grants=grants,
            accounts=accounts,
            reader=reader,
            people=people,
            gate=gate,
            rights=rights,
            cursors=cursors,
            clock=clock,
        )
        self.ender = GrantEnder(grants=grants, accounts=accounts, clock=clock)
