"""Tiers and roles that approved requests lent to accounts: given with an end or without, and taken back once.

The account's own row says what it may do now; a loan says what of that goes when it ends. Loans may overlap: a role stays as long as
one loan of it does, and of tiers the highest counts. What somebody else set meanwhile is nobody's to take back. A loan whose row was edited
past us takes everything back that was not everybody's: hiding a loan by hand must not be worth anything. Nothing here commits.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountNotFound
from app.auth.models import StandingLoanRow
from app.auth.repository import Account, Holder, Query, Source
from app.auth.subject import Tier
from app.crypto.rowmac import RowSigner
from app.kit.db import Row, Statement
from app.kit.models import Id, new_id

_TABLE: Final = StandingLoanRow.__tablename__
_EVERYBODYS: Final[Tier] = "T1"
_COLUMNS: Final[tuple[Any, ...]] = (
    StandingLoanRow.id,
    StandingLoanRow.account_id,
    StandingLoanRow.request_id,
    StandingLoanRow.tier,
    StandingLoanRow.tier_before,
    StandingLoanRow.roles,
    StandingLoanRow.starts_at,
    StandingLoanRow.ends_at,
    StandingLoanRow.ended_at,
)


def _live(account_id: ColumnElement[UUID]) -> Statement:
    return select(*_COLUMNS, StandingLoanRow.mac).where(
        StandingLoanRow.account_id == account_id, StandingLoanRow.ended_at.is_(None)
    )


_LIVE: Final = Query(_live(bindparam("account_id", type_=Id())))
_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """What a request asks to be lent; ``until`` is ``None`` for what lasts until the holder moves or it is taken back."""

    request_id: UUID
    tier: Tier | None
    roles: tuple[str, ...]
    starts_at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account may do at a moment, and when that changes by itself."""

    tier: Tier
    roles: frozenset[str]
    edges: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lent:
    tier: Tier | None
    before: Tier | None
    roles: frozenset[str]


class StandingLoans:
    """Rows of ``standing_loan``, and what follows from them for accounts."""

    def __init__(self, *, accounts: UserAccounts, signer: RowSigner) -> None:
        """Take the accounts and the signer of this table."""
        self._accounts, self._signer = accounts, signer

    async def own(self, source: Source, account: Account) -> Standing:
        """Give what an account has of its own: what is left when every loan has ended."""
        return await self.at(source, account, None)

    async def at(self, source: Source, account: Account, now: datetime | None) -> Standing:
        """Give what an account may do at ``now``, whether or not what has ended was taken back already; ``None`` is after all loans."""
        return self.told(await _LIVE.rows(source, account_id=account.id), account, now)

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows that ``told`` reads, of one account."""
        return _live(holder.account)

    def told(self, rows: Iterable[Row], account: Account, now: datetime | None) -> Standing:
        """Give what the account may do at ``now``, as its loans that have not ended say."""
        ended, lasting, edges = list[_Lent](), list[_Lent](), set[datetime]()
        for *values, mac in rows:
            identity, _, _, tier, before, roles, _, ends, _ = values
            if not self._signer.verify(_TABLE, (*values[:5], tuple(roles), *values[6:]), mac):
                _log.error("row_mac_mismatch", table=_TABLE, row=str(identity))
                return Standing(_EVERYBODYS, frozenset())
            over = now is None or (ends is not None and ends <= now)
            (ended if over else lasting).append(_Lent(tier, before, frozenset(roles)))
            edges.update({ends} if ends is not None and not over else ())
        going = frozenset().union(*(each.roles for each in ended)).difference(*(each.roles for each in lasting))
        return Standing(_left(account.tier, ended, lasting), frozenset(account.roles) - going, tuple(sorted(edges)))

    async def live(self, source: Source, account: Account, now: datetime) -> list[Loan]:
        """List what requests lend an account now, oldest first; a row edited past us is reported and left out."""
        found = []
        for *values, mac in await _LIVE.rows(source, account_id=account.id):
            identity, _, request_id, tier, _, roles, starts, ends, _ = values
            if not self._signer.verify(_TABLE, (*values[:5], tuple(roles), *values[6:]), mac):
                _log.error("row_mac_mismatch", table=_TABLE, row=str(identity))
            elif ends is None or ends > now:
                loan = Loan(request_id=request_id, tier=tier, roles=tuple(roles), starts_at=starts, until=ends)
                found.append(loan)
        return found

    async def lend(self, session: AsyncSession, account_id: UUID, loan: Loan) -> Account:
        """Give an account what it has not, until ``loan`` ends; give the account as it is then. Raises ``AccountNotFound``."""
        account = await self._held(session, account_id)
        live = await self._live(session, account_id)
        own = set(account.roles).difference(*(each.roles for each in live))
        before = next((each.tier_before for each in live if each.tier is not None), account.tier)
        row = StandingLoanRow(
            id=new_id(),
            account_id=account_id,
            request_id=loan.request_id,
            tier=loan.tier,
            tier_before=None if loan.tier is None else before,
            roles=sorted(set(loan.roles) - own),
            starts_at=loan.starts_at,
            ends_at=loan.until,
        )
        self._sign(row)
        session.add(row)
        await session.flush()
        return await self._accounts.set_standing(
            session,
            account.user_name,
            tier=max(loan.tier or account.tier, account.tier),
            roles={*account.roles, *row.roles},
        )

    async def settle(
        self, session: AsyncSession, account_id: UUID, *, tier: Tier, roles: Collection[str], at: datetime
    ) -> Account:
        """Take every loan of an account back and leave it no more of its own than this; give the account. Raises ``AccountNotFound``."""
        await self.take_back_all(session, account_id, at=at)
        account = await self._held(session, account_id)
        return await self._accounts.set_standing(
            session, account.user_name, tier=min(tier, account.tier), roles=set(account.roles).intersection(roles)
        )

    async def take_back(self, session: AsyncSession, request_id: UUID, *, at: datetime) -> bool:
        """Take back what a request lent; ``False`` when that is done already, or nothing was."""
        await epochs.bump(session, epochs.TOKENS)
        (row,) = await self._rows(session, StandingLoanRow.request_id == request_id) or (None,)
        if row is None or row.ended_at is not None:
            return False
        return await self._end(session, row, at)

    async def take_back_all(self, session: AsyncSession, account_id: UUID, *, at: datetime) -> int:
        """Take back everything lent to an account, as its holder moves or leaves; tell how many loans ended."""
        rows = await self._live(session, account_id)
        if rows:
            await epochs.bump(session, epochs.TOKENS)
        return sum([await self._end(session, row, at) for row in rows])

    async def _end(self, session: AsyncSession, row: StandingLoanRow, at: datetime) -> bool:
        genuine = self._signer.verify(_TABLE, _values(row), row.mac)
        others = [each for each in await self._live(session, row.account_id) if each.id != row.id]
        row.ended_at = at
        self._sign(row)
        await session.flush()
        account = await self._accounts.by_id(session, row.account_id)
        if account is None or account.state == "disabled":
            return True
        if not genuine:
            _log.error("row_mac_mismatch", table=_TABLE, row=str(row.id))
            await self._accounts.set_standing(session, account.user_name, tier=_EVERYBODYS, roles=())
            return True
        going = set(row.roles).difference(*(each.roles for each in others))
        tier = _left(account.tier, [_lent(row)], [_lent(each) for each in others])
        await self._accounts.set_standing(session, account.user_name, tier=tier, roles=set(account.roles) - going)
        return True

    async def _held(self, session: AsyncSession, account_id: UUID) -> Account:
        """Load an account as the one who changes it now: the counter, moved first, makes the next one wait."""
        await epochs.bump(session, epochs.TOKENS)
        account = await self._accounts.by_id(session, account_id)
        if account is None or account.state == "disabled":
            raise AccountNotFound
        return account

    async def _live(self, session: AsyncSession, account_id: UUID) -> Sequence[StandingLoanRow]:
        return await self._rows(session, StandingLoanRow.account_id == account_id, StandingLoanRow.ended_at.is_(None))

    async def _rows(self, session: AsyncSession, *where: ColumnElement[bool]) -> Sequence[StandingLoanRow]:
        rows = await session.scalars(
            select(StandingLoanRow)
            .where(*where)
            .order_by(StandingLoanRow.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        return rows.all()

    def _sign(self, row: StandingLoanRow) -> None:
        row.mac = self._signer.sign(_TABLE, _values(row))


def _lent(row: StandingLoanRow) -> _Lent:
    return _Lent(row.tier, row.tier_before, frozenset(row.roles))


def _left(now: Tier, ended: Sequence[_Lent], lasting: Sequence[_Lent]) -> Tier:
    """Give the tier that is left: the highest of what lasts and of the one from before; unless another was set past all loans."""
    if all(each.tier is None for each in ended):
        return now
    left: list[Tier] = [each.before for each in ended if each.before is not None]
    left += [each.tier for each in lasting if each.tier is not None]
    every = [*left, *(each.tier for each in ended if each.tier is not None)]
    return max(left) if now == max(every) else now


def _values(row: StandingLoanRow) -> tuple[Any, ...]:
    values = [getattr(row, column.key) for column in _COLUMNS]
    return (*values[:5], tuple(row.roles), *values[6:])
