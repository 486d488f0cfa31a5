"""One-time codes of people: the secret boxed under a key of ours, begun and confirmed by its person, each step's code taken once.

The secret is shown at the beginning and never again. A set-up that is not confirmed by a code within minutes proves nothing and is over.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import totp
from app.auth.models import TotpRow
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.kit.clock import Clock

SET_UP_SECONDS: Final = 600
"""How long a set-up waits for its first code."""

_TABLE: Final = TotpRow.__tablename__
_NEVER: Final = -1
_OF_ACCOUNT: Final = Query(
    select(TotpRow.secret, TotpRow.begun_at, TotpRow.confirmed_at, TotpRow.last_step, TotpRow.mac).where(
        TotpRow.account_id == bindparam("account_id")
    ),
    by_key=True,
)

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class TotpFacts:
    """One account's set-up. ``secret`` is boxed; ``last_step`` is the newest step whose code was taken."""

    account_id: UUID
    secret: bytes = field(repr=False)
    begun_at: datetime
    confirmed_at: datetime | None
    last_step: int

    @property
    def values(self) -> tuple[Any, ...]:
        """Give the values under the MAC."""
        return (self.account_id, self.secret, self.begun_at, self.confirmed_at, self.last_step)


class OneTimeCodes:
    """Keeps secrets and compares codes."""

    def __init__(self, *, signer: RowSigner, box: SecretBox, clock: Clock) -> None:
        """Take the signer of the table, the box that secrets lie in, and the time."""
        self._signer, self._box, self._clock = signer, box, clock

    async def of(self, source: Source, account_id: UUID) -> TotpFacts | None:
        """Find an account's set-up, confirmed or still waiting; what is over, or was edited past us, counts as none."""
        rows = await _OF_ACCOUNT.rows(source, account_id=account_id)
        if not rows:
            return None
        *values, mac = rows[0]
        facts = TotpFacts(account_id, *values)
        if not self._signer.verify(_TABLE, facts.values, mac):
            _log.error("row_mac_mismatch", table=_TABLE, row=str(account_id))
            return None
        over = facts.begun_at + timedelta(seconds=SET_UP_SECONDS)
        return None if facts.confirmed_at is None and self._clock.now() >= over else facts

    async def is_enrolled(self, source: Source, account_id: UUID) -> bool:
        """Tell whether the account has a confirmed set-up."""
        facts = await self.of(source, account_id)
        return facts is not None and facts.confirmed_at is not None

    async def begin(self, session: AsyncSession, account_id: UUID) -> bytes:
        """Make a secret, in the place of any that was there, and give it, this once."""
        secret = token_bytes(totp.SECRET_BYTES)
        boxed = self._box.close(account_id.bytes, secret)
        facts = TotpFacts(account_id, boxed, self._clock.now(), None, _NEVER)
        await self.remove(session, account_id)
        row = {
            "account_id": account_id,
            "secret": facts.secret,
            "begun_at": facts.begun_at,
            "confirmed_at": None,
            "last_step": facts.last_step,
            "mac": self._signer.sign(_TABLE, facts.values),
        }
        await session.execute(insert(TotpRow).values(**row))
        return secret

    async def remove(self, session: AsyncSession, account_id: UUID) -> bool:
        """Forget an account's set-up; tell whether there was one."""
        gone = await session.execute(
            delete(TotpRow).where(TotpRow.account_id == account_id).returning(TotpRow.account_id)
        )
        return gone.first() is not None

    def step(self, facts: TotpFacts, typed: str) -> int | None:
        """Give the step whose code was typed, or ``None``; raises ``SealBroken`` for a box that does not open."""
        secret = self._box.open(facts.account_id.bytes, facts.secret)
        return totp.matching_step(secret, typed, now=self._clock.now().timestamp())

    async def use(self, session: AsyncSession, facts: TotpFacts, step: int) -> bool:
        """Take the code of ``step``, and with the first one confirm the set-up; ``False`` when it, or a later one, was taken before."""
        used = replace(facts, last_step=step, confirmed_at=facts.confirmed_at or self._clock.now())
        statement = (
            update(TotpRow)
            .where(TotpRow.account_id == facts.account_id, TotpRow.last_step < step, TotpRow.secret == facts.secret)
            .values(last_step=step, confirmed_at=used.confirmed_at, mac=self._signer.sign(_TABLE, used.values))
            .returning(TotpRow.account_id)
        )
        return (await session.execute(statement)).first() is not None
