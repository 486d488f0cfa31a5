"""Everything of sign-in, built from what the composition root has: the page, its grants at the token endpoint, the operator's way in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.code_grants import CodeGrants, GrantPolicy
from app.auth.errors import AccountNotFound, TotpNotBegun
from app.auth.families import FamilyRepository, forget_families
from app.auth.one_time_codes import OneTimeCodes
from app.auth.password_hashing import PasswordHasher
from app.auth.password_rules import PasswordRules
from app.auth.passwords import PasswordRepository, Passwords
from app.auth.redirects import RedirectUris
from app.auth.repository import AccountRepository
from app.auth.second_proof import SecondProof
from app.auth.service import TokenService
from app.auth.sign_in import SignIn
from app.auth.sign_in_brake import BrakeLimits, SignInBrake, forget_failures
from app.auth.sign_in_events import Masks, SignInEvents
from app.auth.sign_in_tickets import Tickets
from app.config import Settings
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.kit.clock import Clock
from app.kit.db import Database

_KEEP: Final = timedelta(days=1)
"""How long codes and sign-ins that are over stay, so that one that is shown again is recognised."""


class SignInDesk:
    """Sign-in, as routes, commands and the worker use it."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: UserAccounts,
        account_rows: AccountRepository,
        clients: Clients,
        tokens: TokenService,
        masks: Masks,
        clock: Clock,
        key: Callable[[str], bytes],
        forget: Callable[[], None],
        settings: Settings,
    ) -> None:
        """Take the collaborators; ``key`` gives the keyring's key for a label, ``forget`` drops verified tokens."""
        chosen = settings.sign_in
        self._clock = clock
        self._hasher = PasswordHasher(memory_kib=chosen.argon2_memory_kib, rounds=chosen.argon2_rounds)
        events = SignInEvents(masks, clock)
        families = self.families = FamilyRepository(RowSigner(key("token_family")))
        brake = SignInBrake(
            key("sign-in-failure"),
            clock=clock,
            limits=BrakeLimits(chosen.failures, chosen.failure_window_seconds),
        )
        self.redirects = RedirectUris(RowSigner(key("redirect_uri")))
        self.codes = OneTimeCodes(signer=RowSigner(key("totp")), box=SecretBox(key("totp-secret")), clock=clock)
        self._accounts = accounts
        self.passwords = Passwords(
            rows=PasswordRepository(RowSigner(key("password"))),
            accounts=accounts,
            hasher=self._hasher,
            clock=clock,
            rules=PasswordRules(
                chosen.password_length,
                chosen.password_days,
                chosen.first_password_days,
                chosen.password_history,
            ),
        )
        issuer = tokens.issuer
        self.page = SignIn(
            database=database,
            accounts=account_rows,
            clients=clients,
            redirects=self.redirects,
            passwords=self.passwords,
            codes=self.codes,
            families=families,
            brake=brake,
            tickets=Tickets(key("sign-in-form"), clock=clock, secure=issuer.issuer.startswith("https://")),
            events=events,
            clock=clock,
            issuer=issuer.issuer,
            code_seconds=chosen.code_seconds,
        )
        self.second_proof = SecondProof(
            database=database, accounts=account_rows, codes=self.codes, brake=brake, events=events, clock=clock
        )
        self.grants = CodeGrants(
            database=database,
            rows=families,
            accounts=account_rows,
            clients=clients,
            issuer=issuer,
            events=events,
            clock=clock,
            policy=GrantPolicy(
                settings.tokens.access_ttl_seconds, chosen.refresh_idle_seconds, chosen.refresh_absolute_seconds
            ),
            authenticate=tokens.authenticated,
            forget=forget,
        )
        tokens.serve({"authorization_code": self.grants.authorization_code, "refresh_token": self.grants.refresh_token})

    async def remove_codes(self, session: AsyncSession, user_name: str) -> None:
        """Take away a person's one-time codes, whose device is lost; raise ``AccountNotFound`` or ``TotpNotBegun``."""
        account = await self._accounts.by_user_name(session, user_name)
        if account is None:
            raise AccountNotFound
        if not await self.codes.remove(session, account.id):
            raise TotpNotBegun

    async def forget_expired(self, session: AsyncSession) -> None:
        """Delete what has been over for a day. For the schedule."""
        before = self._clock.now() - _KEEP
        await forget_families(session, before=before)
        await forget_failures(session, before=before)

    def close(self) -> None:
        """Stop the threads that hash."""
        self._hasher.close()
