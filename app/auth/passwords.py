"""Passwords of people: given once by an operator, chosen at the first sign-in, changed when they are old.

The hash stands on the account, under the account's MAC; when it was set, whether it was given, and the hashes before it stand beside,
under a MAC of their own. Setting one moves the account's epoch, so whatever was signed in with the old one is over.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.accounts import UserAccounts
from app.auth.errors import AccountNotFound, PasswordRefused
from app.auth.models import PasswordRow
from app.auth.password_hashing import PasswordHasher
from app.auth.password_rules import PasswordRules, Rule, broken
from app.auth.repository import Account, Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.clock import Clock
from app.kit.errors import FieldError
from app.kit.models import new_id

_TABLE: Final = PasswordRow.__tablename__
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what is misread: 0 and o, 1, l and i."""
_GROUPS: Final = 4
_GROUP: Final = 5
_OF_ACCOUNT: Final = Query(
    select(PasswordRow.set_at, PasswordRow.temporary, PasswordRow.previous, PasswordRow.mac).where(
        PasswordRow.account_id == bindparam("account_id")
    ),
    by_key=True,
)

_log = structlog.get_logger("duanhao.security")


class Standing(Enum):
    """What became of a password that was typed; everything but the first two is one answer to whoever typed it."""

    RIGHT = "right"
    CHANGE = "change"
    UNKNOWN = "unknown_account"
    WRONG = "wrong_password"
    NONE = "no_password"
    EXPIRED = "first_password_expired"
    SUSPENDED = "account_suspended"
    DISABLED = "account_disabled"


@dataclass(frozen=True, slots=True)
class PasswordFacts:
    """What is known of a password beside its hash; ``temporary`` was given by an operator, ``previous`` are hashes."""

    account_id: UUID
    set_at: datetime
    temporary: bool
    previous: tuple[str, ...] = field(repr=False)


class PasswordRepository:
    """Rows of ``password``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._signer = signer

    async def of(self, source: Source, account_id: UUID) -> PasswordFacts | None:
        """Find the facts; a row that was edited past us is reported and counts as none."""
        rows = await _OF_ACCOUNT.rows(source, account_id=account_id)
        if not rows:
            return None
        set_at, temporary, previous, mac = rows[0]
        facts = PasswordFacts(account_id, set_at, bool(temporary), tuple(previous))
        if not self._signer.verify(_TABLE, _values(facts), mac):
            _log.error("row_mac_mismatch", table=_TABLE, row=str(account_id))
            return None
        return facts

    async def replace(self, session: AsyncSession, facts: PasswordFacts) -> None:
        """Put the facts in the place of those that were there; the caller holds the account."""
        await session.execute(delete(PasswordRow).where(PasswordRow.account_id == facts.account_id))
        row: dict[str, Any] = {
            "account_id": facts.account_id,
            "set_at": facts.set_at,
            "temporary": facts.temporary,
            "previous": list(facts.previous),
            "mac": self._signer.sign(_TABLE, _values(facts)),
        }
        await session.execute(insert(PasswordRow).values(**row))


def _values(facts: PasswordFacts) -> tuple[Any, ...]:
    return (facts.account_id, facts.set_at, facts.temporary, facts.previous)


class Passwords:
    """Compares, gives and changes passwords."""

    def __init__(
        self,
        *,
        rows: PasswordRepository,
        accounts: UserAccounts,
        hasher: PasswordHasher,
        clock: Clock,
        rules: PasswordRules,
    ) -> None:
        """Take the rows, the accounts that the hashes stand on, what hashes, and the rules."""
        self._rows, self._accounts, self._hasher, self._clock = rows, accounts, hasher, clock
        self.rules = rules

    async def compare(self, source: Source, account: Account | None, typed: str) -> Standing:
        """Tell what becomes of a typed password; whoever is asked about, known or not, costs two reads and one hash.

        Raises ``TooMany``.
        """
        facts = await self._rows.of(source, new_id() if account is None else account.id)
        right = await self._hasher.matches(typed, None if account is None else account.password_hash)
        if account is None:
            return Standing.UNKNOWN
        if account.state != "active":
            return Standing.SUSPENDED if account.state == "suspended" else Standing.DISABLED
        if account.password_hash is None or facts is None:
            return Standing.NONE
        if not right:
            return Standing.WRONG
        return self._age(facts)

    def _age(self, facts: PasswordFacts) -> Standing:
        age = self._clock.now() - facts.set_at
        if facts.temporary:
            return Standing.CHANGE if age <= timedelta(days=self.rules.days_first) else Standing.EXPIRED
        old = self.rules.days > 0 and age > timedelta(days=self.rules.days)
        return Standing.CHANGE if old else Standing.RIGHT

    async def faults(self, source: Source, account: Account, chosen: str) -> list[Rule]:
        """List the rules that a newly chosen password breaks, those about earlier ones included; raises ``TooMany``."""
        found = broken(chosen, user_name=account.user_name, rules=self.rules)
        if found:
            return found
        facts = await self._rows.of(source, account.id)
        used = (account.password_hash, *(facts.previous if facts else ()))
        for each in used[: max(self.rules.earlier, 1)]:
            if each is not None and await self._hasher.matches(chosen, each):
                return [Rule.USED_BEFORE]
        return []

    async def hashed(self, chosen: str) -> str:
        """Hash a password that broke no rule, before a transaction begins; raises ``TooMany``."""
        return await self._hasher.hash(chosen)

    async def put(self, session: AsyncSession, account: Account, hashed: str, *, temporary: bool) -> Account:
        """Make ``hashed`` the account's password and give the account as it is now; raise ``AccountNotFound``."""
        changed = await self._accounts.set_password_hash(session, account.user_name, hashed)
        facts = await self._rows.of(session, account.id)
        earlier = (account.password_hash, *(facts.previous if facts else ()))
        kept = tuple(each for each in earlier if each is not None)[: max(self.rules.earlier - 1, 0)]
        await self._rows.replace(session, PasswordFacts(account.id, self._clock.now(), temporary, kept))
        return changed

    async def give(self, source: Source, user_name: str, password: str | None = None) -> tuple[Account, str, str]:
        """Prepare a first password, generated unless one is given: the account, the password, its hash for ``put``.

        Raises ``AccountNotFound`` and, for a given one, ``PasswordRefused``.
        """
        account = await self._accounts.by_user_name(source, user_name)
        if account is None:
            raise AccountNotFound
        if password is not None:
            self._demand(broken(password, user_name=account.user_name, rules=self.rules))
        chosen = generated() if password is None else password
        return account, chosen, await self._hasher.hash(chosen)

    def _demand(self, faults: Sequence[Rule]) -> None:
        if faults:
            told = [(each.code, *self.rules.words(each)) for each in faults]
            raise PasswordRefused(
                " ".join(en for _, en, _ in told),
                detail_zh="".join(zh for _, _, zh in told),
                errors=[FieldError("/password", *each) for each in told],
            )


def generated() -> str:
    """Make a password of 20 characters, nearly 100 bits, that can be read out over a telephone."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
