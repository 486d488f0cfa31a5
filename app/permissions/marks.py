"""Marks that cap what a person sees: who set them, why, from when until when. All queries on them, and their MACs. Nothing here commits.

A mark is no state of an account: who carries one still signs in and works, under the caps that the policy ties to the mark. Its reason is
a word of a closed list, so that it can be told to the person in both languages and nothing personal is stored. Every change moves the
account's epoch, so no look that was being prepared without the mark is still disclosed. A row edited past us suspends until an operator
ends it: taking a mark off by hand must not be worth anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs
from app.auth.repository import Holder, Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.db import Row, Statement
from app.kit.models import Id, new_id
from app.permissions.errors import AlreadyMarked, MarkNotFound, UnfitReason
from app.permissions.models import StandingMark

_TABLE: Final = "standing_mark"
_log = structlog.get_logger("duanhao.security")


class MarkKind(StrEnum):
    """Every mark."""

    UNTRAINED = "untrained"
    SUSPENDED = "suspended"
    OVERDUE_RETURN = "overdue_return"


class MarkReason(StrEnum):
    """Why a mark was set."""

    NOT_TRAINED = "not_trained"
    TRAINING_EXPIRED = "training_expired"
    INVESTIGATION = "investigation"
    MISUSE = "misuse"
    LEAVE = "leave"
    OWN_REQUEST = "own_request"
    NOT_RETURNED = "not_returned"
    NOT_RECERTIFIED = "not_recertified"
    UNVERIFIED = "unverified"


REASONS: Final = {
    MarkKind.UNTRAINED: frozenset({MarkReason.NOT_TRAINED, MarkReason.TRAINING_EXPIRED}),
    MarkKind.SUSPENDED: frozenset(
        {
            MarkReason.INVESTIGATION,
            MarkReason.MISUSE,
            MarkReason.LEAVE,
            MarkReason.OWN_REQUEST,
            MarkReason.NOT_RECERTIFIED,
        }
    ),
    MarkKind.OVERDUE_RETURN: frozenset({MarkReason.NOT_RETURNED}),
}
"""For what a mark can be set; ``unverified`` is what a row edited past us says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark that is not ended; ``ends_at`` is ``None`` until somebody ends it, ``request_id`` or ``operator`` what or who set it."""

    id: UUID
    kind: MarkKind
    reason: MarkReason
    starts_at: datetime
    ends_at: datetime | None
    request_id: UUID | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class LiveMarks:
    """The marks in force, by kind, and the moments at which that changes by itself."""

    kinds: frozenset[str] = frozenset()
    edges: tuple[datetime, ...] = ()


_COLUMNS: Final[tuple[Any, ...]] = (
    StandingMark.id,
    StandingMark.account_id,
    StandingMark.kind,
    StandingMark.reason,
    StandingMark.starts_at,
    StandingMark.ends_at,
    StandingMark.request_id,
    StandingMark.operator,
    StandingMark.ended_at,
    StandingMark.mac,
)


def _of(account_id: ColumnElement[UUID]) -> Statement:
    return select(*_COLUMNS).where(StandingMark.account_id == account_id)


_OF_ACCOUNT: Final = Query(_of(bindparam("account_id", type_=Id())).order_by(StandingMark.id), by_key=True)


class MarkRepository:
    """Rows of ``standing_mark``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def live(self, source: Source, account_id: UUID, now: datetime) -> LiveMarks:
        """Give the kinds of mark in force on an account, and when one begins or ends by itself."""
        return self.told(await _OF_ACCOUNT.rows(source, account_id=account_id), now)

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows that ``told`` reads, of one account."""
        return _of(holder.account)

    def told(self, rows: Sequence[Row], now: datetime) -> LiveMarks:
        """Give the kinds of mark that these rows put in force, and when one begins or ends by itself."""
        marks = self._standing(rows, now)
        edges = {edge for mark in marks for edge in (mark.starts_at, mark.ends_at) if edge is not None and edge > now}
        return LiveMarks(frozenset(mark.kind.value for mark in marks if mark.starts_at <= now), tuple(sorted(edges)))

    async def of(self, source: Source, account_id: UUID, now: datetime) -> list[Mark]:
        """Load the marks of an account that are or will be in force, oldest first."""
        return self._standing(await _OF_ACCOUNT.rows(source, account_id=account_id), now)

    def _standing(self, rows: Sequence[Row], now: datetime) -> list[Mark]:
        found = []
        for row in rows:
            *values, mac = row
            identity, _, kind, reason, starts_at, ends_at, request_id, operator, ended_at = values
            if not self._signer.verify(_TABLE, tuple(values), mac):
                _log.error("row_mac_mismatch", table=_TABLE, row=str(identity))
                found.append(_unverified(identity, now))
            elif ended_at is None and (ends_at is None or ends_at > now):
                found.append(
                    Mark(
                        id=identity,
                        kind=MarkKind(kind),
                        reason=MarkReason(reason),
                        starts_at=starts_at,
                        ends_at=ends_at,
                        request_id=request_id,
                        operator=operator,
                    )
                )
        return found

    async def of_request(self, source: Source, account_id: UUID, request_id: UUID, now: datetime) -> Mark | None:
        """Give the mark on an account that a request set and that is not ended."""
        return next((each for each in await self.of(source, account_id, now) if each.request_id == request_id), None)

    async def add(
        self,
        session: AsyncSession,
        account_id: UUID,
        kind: MarkKind,
        reason: MarkReason,
        *,
        at: datetime,
        until: datetime | None = None,
        operator: str | None = None,
        request_id: UUID | None = None,
    ) -> UUID:
        """Set a mark from ``at`` on, by an operator or a request.

        Requests set each its own. Raises ``UnfitReason`` for a reason of another kind or an end that is past, ``AlreadyMarked`` when the
        account carries this mark from the same hand.
        """
        if reason not in REASONS[kind] or (until is not None and until <= at):
            raise UnfitReason
        there = await self.of(session, account_id, at)
        if any(mark.kind is kind and mark.request_id == request_id for mark in there):
            raise AlreadyMarked
        row = StandingMark(
            id=new_id(),
            account_id=account_id,
            kind=kind.value,
            reason=reason.value,
            starts_at=at,
            ends_at=until,
            operator=operator,
            request_id=request_id,
            created_at=at,
        )
        self._sign(row)
        session.add(row)
        await session.flush()
        await epochs.bump(session, f"user:{account_id}")
        return row.id

    async def end(
        self,
        session: AsyncSession,
        account_id: UUID,
        kind: MarkKind,
        *,
        at: datetime,
        request_id: UUID | None = None,
    ) -> list[UUID]:
        """Take a mark off, of one request where it is named, and with ``suspended`` whatever was edited past us; give what was ended.

        Raises ``MarkNotFound``.
        """
        wanted = {
            mark.id
            for mark in await self.of(session, account_id, at)
            if mark.kind is kind and request_id in {None, mark.request_id}
        }
        rows = await session.scalars(
            select(StandingMark).where(StandingMark.id.in_(wanted)).order_by(StandingMark.id).with_for_update()
        )
        ended = []
        for row in rows:
            row.ended_at = at
            self._sign(row)
            ended.append(row.id)
        if not ended:
            raise MarkNotFound
        await session.flush()
        await epochs.bump(session, f"user:{account_id}")
        return ended

    def _sign(self, row: StandingMark) -> None:
        values: list[Any] = [getattr(row, column.key) for column in _COLUMNS[:-1]]
        row.mac = self._signer.sign(_TABLE, tuple(values))


def _unverified(identity: UUID, now: datetime) -> Mark:
    return Mark(id=identity, kind=MarkKind.SUSPENDED, reason=MarkReason.UNVERIFIED, starts_at=now, ends_at=None)
