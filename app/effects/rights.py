"""Effects of the kinds that change what people and systems may see or do, by the name that their kinds call them by."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.approvals.effects import Effect
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.loans import StandingLoans
from app.contacts.repository import ContactRepository
from app.disclosure.showing import Showing
from app.effects.clients import ClientRegistration
from app.effects.customers import SensitiveUse
from app.effects.granting import Granting
from app.effects.policies import PolicyChange
from app.effects.provisions import Provide
from app.effects.reveals import Reveal
from app.effects.sharing import Share
from app.effects.standing import StandingChange
from app.permissions.marks import MarkRepository
from app.permissions.repository import GrantRepository
from app.policy.service import PolicyService
from app.provisions.service import Provisions


@dataclass(frozen=True, slots=True)
class Rights:
    """Where rights are kept."""

    accounts: UserAccounts
    loans: StandingLoans
    clients: Clients
    contacts: ContactRepository
    grants: GrantRepository
    marks: MarkRepository
    policy: PolicyService
    provisions: Provisions


def rights_effects(showing: Showing, rights: Rights) -> Mapping[str, Effect]:
    """Make each of them once."""
    clock = showing.clock
    granting = Granting(
        accounts=rights.accounts,
        grants=rights.grants,
        contacts=rights.contacts,
        standings=showing.standings,
        gate=showing.gate,
        clock=clock,
    )
    return {
        "reveal": Reveal(granting),
        "share": Share(granting),
        "sensitive_use": SensitiveUse(granting, rights.marks),
        "standing_grant": StandingChange(granting, rights.loans, clock, whole=False),
        "standing_change": StandingChange(granting, rights.loans, clock, whole=True),
        "policy_change": PolicyChange(rights.policy, clock),
        "provide": Provide(granting, rights.provisions, rights.contacts, showing.gate),
        "client_register": ClientRegistration(granting, rights.clients, clock),
    }
