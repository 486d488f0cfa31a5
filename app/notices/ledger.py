"""All queries on notices: kept once per id, spread once, forgotten after a month. Nothing here commits.

What is told to others stands under a MAC; a notice that was written or edited past the service is told to nobody, and reported.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import orjson
import structlog
from sqlalchemy import String, Table, and_, bindparam, delete, exists, insert, literal_column, or_, select, text, update
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner, RowValue
from app.kit.db import Row
from app.kit.models import Id
from app.kit.straight import Straight, Writes
from app.notices.models import NoticeDeliveryRow, NoticeRow, WebhookRow
from app.notices.notice import Audience, Notice
from app.notices.told import Delivery

_TABLE: Final = NoticeRow.__tablename__
_NOTICES: Final = cast("Table", NoticeRow.__table__)
_DELIVERIES: Final = cast("Table", NoticeDeliveryRow.__table__)
_COLUMNS: Final[tuple[Any, ...]] = (
    NoticeRow.id,
    NoticeRow.type,
    NoticeRow.occurred_at,
    NoticeRow.body,
    NoticeRow.audience,
    NoticeRow.mac,
)
_BY_ID: Final = Query(select(*_COLUMNS).where(NoticeRow.id == bindparam("id", type_=Id())), by_key=True)
_ANY: Final = Query(select(NoticeRow.id).where(NoticeRow.spread_at.is_(None)).limit(1))

_GIVEN: Final = tuple(each for each in _NOTICES.columns if each.key != "spread_at")
_WANTED: Final = exists().where(
    WebhookRow.kind == text("'standard'"),
    WebhookRow.state != text("'disabled'"),
    cast_to(WebhookRow.types, String).like(bindparam("family", type_=String())),
)
_IF_WANTED: Final = Straight(
    insert(_NOTICES).from_select(
        [each.key for each in _GIVEN],
        select(*(bindparam(each.key, type_=each.type) for each in _GIVEN)).where(_WANTED),
    )
)
_LISTENS: Final = Straight(select(literal_column("1")).where(_WANTED))
"""Whether an address names a type of the family; which type, and whether the address is believed, is asked when the notice is spread."""

_log = structlog.get_logger("duanhao.security")


class NoticeLedger:
    """Rows of ``notice``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._signer = signer

    async def add(self, session: AsyncSession, notice: Notice, *, at: datetime, spread: bool = False) -> None:
        """Keep a notice; one with this id that is there already stays as it is. ``spread`` says that its tellings are made here and now."""
        row = {**self._row(notice, at), "spread_at": at if spread else None}
        await session.execute(_unless_there(session, _NOTICES), row)

    def gather(self, writes: Writes, family: str, notices: Iterable[Notice], *, at: datetime) -> None:
        """Put notices of one family, for subscribers alone, among ``writes``; kept if somebody subscribes to any of the family then."""
        rows = [{**self._row(notice, at), "family": _naming(family)} for notice in notices]
        writes.add(_IF_WANTED, *rows)

    async def listens(self, session: AsyncSession, family: str) -> bool:
        """Tell whether an address that is not disabled names a type of the family."""
        return bool(await _LISTENS.rows(session, {"family": _naming(family)}))

    async def waits(self, source: Source) -> bool:
        """Tell whether any notice is still to be spread."""
        return bool(await _ANY.rows(source))

    async def next(self, session: AsyncSession) -> tuple[UUID, datetime, Notice | None] | None:
        """Take the oldest notice that is to be spread and that nobody else has in hand: its id, when it was put, and what it says.

        One whose resource has an earlier notice to be spread is not taken, also while somebody else has that one in hand: tellings of one
        resource come into being in the order of its versions. ``None`` in the place of the notice stands for a row that does not verify.
        """
        earlier = aliased(NoticeRow)
        before = or_(
            earlier.version < NoticeRow.version, and_(earlier.version == NoticeRow.version, earlier.id < NoticeRow.id)
        )
        statement = (
            select(*_COLUMNS, NoticeRow.created_at)
            .where(
                NoticeRow.spread_at.is_(None),
                ~exists().where(earlier.spread_at.is_(None), earlier.resource == NoticeRow.resource, before),
            )
            .order_by(NoticeRow.created_at, NoticeRow.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=NoticeRow)
        )
        row = (await session.execute(statement)).first()
        if row is None:
            return None
        *values, created_at = row
        return values[0], created_at, self._notice(tuple(values))

    async def spread(
        self, session: AsyncSession, identity: UUID, deliveries: Iterable[Delivery], *, at: datetime
    ) -> None:
        """Make the tellings of a notice, each once, and say that it is spread."""
        rows = [{name: getattr(each, name) for name in Delivery.__slots__} for each in deliveries]
        if rows:
            await session.execute(_unless_there(session, _DELIVERIES), rows)
        await session.execute(update(NoticeRow).where(NoticeRow.id == identity).values(spread_at=at))

    async def by_id(self, source: Source, identity: UUID) -> Notice | None:
        """Find a notice; ``None`` also for a row that does not verify."""
        rows = await _BY_ID.rows(source, id=identity)
        return self._notice(rows[0]) if rows else None

    async def by_ids(self, source: Source, identities: Sequence[UUID]) -> dict[UUID, Notice]:
        """Find notices; those that do not verify are left out."""
        if not identities:
            return {}
        statement = select(*_COLUMNS).where(NoticeRow.id.in_(sorted(set(identities))))
        found = [self._notice(row) for row in await Query(statement).rows(source)]
        return {each.id: each for each in found if each is not None}

    async def forget(self, session: AsyncSession, *, before: datetime) -> None:
        """Drop notices that were put before a time, and their tellings."""
        old = select(NoticeRow.id).where(NoticeRow.created_at < before)
        await session.execute(delete(NoticeDeliveryRow).where(NoticeDeliveryRow.notice_id.in_(old)))
        await session.execute(delete(NoticeRow).where(NoticeRow.created_at < before))

    def _row(self, notice: Notice, at: datetime) -> dict[str, Any]:
        return {
            "id": notice.id,
            "type": notice.type,
            "occurred_at": notice.occurred_at,
            "resource": notice.resource,
            "version": notice.version,
            "body": dict(notice.body),
            "audience": _audience(notice),
            "created_at": at,
            "mac": self._signer.sign(_TABLE, _covered(notice)),
        }

    def _notice(self, row: Row) -> Notice | None:
        identity, notice_type, occurred_at, body, audience, mac = row
        notice = Notice(
            id=identity,
            type=notice_type,
            occurred_at=occurred_at,
            body=body,
            audience=Audience(
                people=tuple(UUID(each) for each in audience["people"]),
                roles=tuple(audience["roles"]),
                subscribers=audience["subscribers"],
            ),
        )
        if self._signer.verify(_TABLE, _covered(notice), mac):
            return notice
        _log.error("row_mac_mismatch", table=_TABLE, row=str(identity))
        return None


def _naming(family: str) -> str:
    return f'%"{family}.%'


def _unless_there(session: AsyncSession, table: Table) -> Any:  # noqa: ANN401 — the inserts of two dialects
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _audience(notice: Notice) -> dict[str, Any]:
    told = notice.audience
    return {
        "people": [str(each) for each in told.people],
        "roles": list(told.roles),
        "subscribers": told.subscribers,
    }


def _covered(notice: Notice) -> tuple[RowValue, ...]:
    return (notice.id, notice.type, notice.occurred_at, _canonical(dict(notice.body)), _canonical(_audience(notice)))


def _canonical(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
