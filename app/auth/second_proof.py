"""Setting up one-time codes, as the signed-in person does it through a front end.

Beginning and removing are for somebody who has just signed in: a token that was picked up later is not enough (RFC 9470), and to remove or
replace codes that work takes a sign-in that used one. Wrong codes are counted and put on record even though the request is refused.
"""

from datetime import datetime, timedelta
from typing import Final

from app.auth import totp
from app.auth.authorization import ACR_STEP_UP
from app.auth.errors import AccountNotFound, FreshSignInRequired, TotpEnrolled, TotpNotBegun, WrongCode
from app.auth.one_time_codes import SET_UP_SECONDS, OneTimeCodes, TotpFacts
from app.auth.repository import Account, AccountRepository
from app.auth.sign_in_brake import SignInBrake
from app.auth.sign_in_events import TOTP_BEGUN, TOTP_ENROLLED, TOTP_REMOVED, SignInEvents
from app.auth.subject import Person
from app.kit.clock import Clock
from app.kit.db import Database

FRESH_SECONDS: Final = 600
"""How long ago the person may have signed in."""

_ISSUER: Final = "Duanhao 短号"


class SecondProof:
    """One-time codes of the person who asks."""

    def __init__(
        self,
        *,
        database: Database,
        accounts: AccountRepository,
        codes: OneTimeCodes,
        brake: SignInBrake,
        events: SignInEvents,
        clock: Clock,
    ) -> None:
        """Take where accounts and secrets are kept, the brake on guessing, and the record."""
        self._database, self._accounts, self._codes = database, accounts, codes
        self._brake, self._events, self._clock = brake, events, clock

    async def confirmed_at(self, person: Person) -> datetime | None:
        """Tell since when the person has one-time codes; ``None``: not. Raises ``AccountNotFound``."""
        facts = await self._codes.of(self._database.reader, (await self._account(person)).id)
        return None if facts is None else facts.confirmed_at

    async def begin(self, person: Person) -> tuple[str, str, datetime]:
        """Begin a set-up: the secret and the address for an app, shown this once, and until when the first code is awaited.

        Raises ``FreshSignInRequired``, and ``TotpEnrolled`` when codes are set up already.
        """
        self._demand_fresh(person, acr=None)
        account = await self._account(person)
        if await self._codes.is_enrolled(self._database.reader, account.id):
            raise TotpEnrolled
        async with self._database.unit_of_work() as unit:
            secret = await self._codes.begin(unit.session, account.id)
            await self._events.put(unit.session, TOTP_BEGUN, account, client_id=person.client_id)
        ends = self._clock.now() + timedelta(seconds=SET_UP_SECONDS)
        uri = totp.enrolment_uri(secret, issuer=_ISSUER, user_name=account.user_name)
        return totp.written_secret(secret), uri, ends

    async def confirm(self, person: Person, typed: str) -> datetime:
        """Confirm the set-up with its first code and give the time; raise ``TotpNotBegun``, ``WrongCode`` or ``TooMany``."""
        account = await self._account(person)
        key = self._brake.key("code", str(account.id))
        with self._brake.one_at_a_time(key):
            await self._brake.check(self._database.reader, key, None)
            facts = await self._codes.of(self._database.reader, account.id)
            if facts is None or facts.confirmed_at is not None:
                raise TotpNotBegun
            if not await self._confirmed(person, account, facts, typed, key):
                raise WrongCode
        return self._clock.now()

    async def _confirmed(self, person: Person, account: Account, facts: TotpFacts, typed: str, key: bytes) -> bool:
        step = self._codes.step(facts, typed)
        async with self._database.unit_of_work() as unit:
            if step is None or not await self._codes.use(unit.session, facts, step):
                await self._brake.failed(unit.session, key, None)
                return False
            await self._brake.succeeded(unit.session, key, None)
            await self._events.put(unit.session, TOTP_ENROLLED, account, client_id=person.client_id)
            return True

    async def remove(self, person: Person) -> None:
        """Remove what is set up; raise ``FreshSignInRequired`` unless the person has just signed in with a code."""
        account = await self._account(person)
        enrolled = await self._codes.is_enrolled(self._database.reader, account.id)
        self._demand_fresh(person, acr=ACR_STEP_UP if enrolled else None)
        async with self._database.unit_of_work() as unit:
            if not await self._codes.remove(unit.session, account.id):
                raise TotpNotBegun
            await self._events.put(unit.session, TOTP_REMOVED, account, client_id=person.client_id)

    async def _account(self, person: Person) -> Account:
        account = await self._accounts.by_key(self._database.reader, person.user_name)
        if account is None:
            raise AccountNotFound
        return account

    def _demand_fresh(self, person: Person, *, acr: str | None) -> None:
        now = self._clock.now().timestamp()
        fresh = person.auth_time is not None and 0 <= now - person.auth_time <= FRESH_SECONDS
        if not fresh or (acr is not None and person.acr != acr):
            raise FreshSignInRequired(acr=acr, max_age=FRESH_SECONDS)
