"""Who is let in: accounts and service accounts, the tokens that say so, signing in, and how often somebody may ask.

Apart from ``assembly`` because all of it needs the store, the keys and the clock, and nothing of what is looked at afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.audit.terms import Terms
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.guard import Authenticator
from app.auth.issuer import BuiltInIssuer
from app.auth.repository import AccountRepository, ClientRepository
from app.auth.service import Directory, TokenPolicy, TokenService
from app.auth.sign_in_desk import SignInDesk
from app.auth.token_desk import TokenDesk
from app.auth.verifier import TokenLimits, TokenVerifier
from app.config import Settings
from app.crypto.signing import SigningVault, TokenKeys
from app.kit.clock import Clock
from app.kit.db import Database
from app.opening import limiter, token_desk

FRONT_END: Final = "intranet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What lets callers in."""

    accounts: UserAccounts
    clients: Clients
    verifier: TokenVerifier
    authenticator: Authenticator
    tokens: TokenService
    sign_in: SignInDesk
    token_desk: TokenDesk
    terms: Terms


def admitted(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    key: Callable[[str], bytes],
    vault: SigningVault,
    token_keys: TokenKeys,
    accounts: AccountRepository,
    clients: ClientRepository,
) -> Admission:
    """Build it over open stores; ``key`` derives keys by their purpose, ``vault`` opens and closes those that sign."""
    verifier = TokenVerifier(
        accounts=accounts,
        clients=clients,
        reader=database.reader,
        clock=clock,
        limits=TokenLimits(settings.tokens.leeway_seconds, settings.tokens.max_bytes, settings.tokens.cache_size),
    )
    people = UserAccounts(accounts=accounts, clients=clients, clock=clock, changed=verifier.forget)
    services = Clients(clients=clients, accounts=accounts, clock=clock, changed=verifier.forget)
    tokens = TokenService(
        issuer=BuiltInIssuer(
            issuer=settings.tokens.issuer, audience=settings.tokens.audience, keys=token_keys, clock=clock
        ),
        verifier=verifier,
        directory=Directory(people, services, database.reader),
        clock=clock,
        policy=TokenPolicy(settings.tokens.access_ttl_seconds, settings.env == "production", FRONT_END),
    )
    terms = Terms(key("search-terms"))
    sign_in = SignInDesk(
        database=database,
        accounts=people,
        account_rows=accounts,
        clients=services,
        tokens=tokens,
        masks=terms,
        clock=clock,
        key=key,
        forget=verifier.forget,
        settings=settings,
    )
    return Admission(
        accounts=people,
        clients=services,
        verifier=verifier,
        authenticator=Authenticator(verifier, people=limiter(settings, "person"), clients=limiter(settings, "client")),
        tokens=tokens,
        sign_in=sign_in,
        token_desk=token_desk(
            settings,
            database,
            clock,
            tokens=tokens,
            verifier=verifier,
            accounts=accounts,
            clients=services,
            vault=vault,
            refresh=sign_in.grants,
        ),
        terms=terms,
    )
