"""All queries on queues and tellings: which queue has something due, who serves it, what comes next, and what came of it. Nothing commits.

A queue is served by one process at a time, under a lease that ends by itself when that process dies. What was being sent then is sent
again, under the same id: at least once. In a queue, a telling waits while one of the same resource with an earlier version waits; all
others pass.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Table, and_, bindparam, exists, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.auth.repository import Query, Source
from app.kit.models import Id, Instant
from app.notices.models import NoticeDeliveryRow, NoticeQueueRow, WebhookRow
from app.notices.told import MAIL_QUEUES, Delivery, DeliveryState

LEASE: Final = timedelta(seconds=90)
"""How long a queue stays with a process that says nothing more; longer than any single attempt takes."""

_QUEUES: Final = cast("Table", NoticeQueueRow.__table__)
_COLUMNS: Final[tuple[Any, ...]] = tuple(getattr(NoticeDeliveryRow, name) for name in Delivery.__slots__)
_BY_ID: Final = Query(select(*_COLUMNS).where(NoticeDeliveryRow.id == bindparam("id", type_=Id())), by_key=True)


def _free(now: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
    return [
        or_(NoticeQueueRow.leased_until.is_(None), NoticeQueueRow.leased_until <= now),
        or_(NoticeQueueRow.rests_until.is_(None), NoticeQueueRow.rests_until <= now),
    ]


def _may_go(now: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
    """Tell what of a queue may be told now: what is due and has nothing before it that still waits."""
    earlier, this = aliased(NoticeDeliveryRow), NoticeDeliveryRow
    before = or_(earlier.version < this.version, and_(earlier.version == this.version, earlier.id < this.id))
    held = exists().where(
        earlier.queue == this.queue, earlier.resource == this.resource, earlier.state == "waiting", before
    )
    return [this.state == "waiting", this.due_at <= now, ~held]


def _ready() -> Query:
    now = bindparam("now", type_=Instant())
    due = exists().where(NoticeDeliveryRow.queue == NoticeQueueRow.name, *_may_go(now))
    statement = (
        select(NoticeQueueRow.name)
        .outerjoin(WebhookRow, WebhookRow.id == NoticeQueueRow.webhook_id)
        .where(*_free(now), or_(NoticeQueueRow.webhook_id.is_(None), WebhookRow.state == "active"), due)
        .order_by(NoticeQueueRow.served_at, NoticeQueueRow.name)
        .limit(bindparam("most", type_=Integer()))
    )
    return Query(statement)


_READY: Final = _ready()


class DeliveryQueues:
    """Rows of ``notice_queue`` and ``notice_delivery``."""

    async def ready(self, source: Source, now: datetime, *, most: int) -> list[str]:
        """Name queues that nobody serves, that do not rest and have something due; those that waited longest first."""
        return [row[0] for row in await _READY.rows(source, now=now, most=most)] if most > 0 else []

    async def make_mail(self, session: AsyncSession, now: datetime) -> None:
        """Make the queues of mail, where they are not there yet."""
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        rows = [{"name": name, "served_at": now, "failures": 0} for name in MAIL_QUEUES]
        await session.execute(dialect.insert(_QUEUES).on_conflict_do_nothing(), rows)

    async def lease(self, session: AsyncSession, queue: str, server: UUID, now: datetime) -> bool:
        """Take a free queue, or keep one's own; tell whether it is ``server``'s now."""
        mine = NoticeQueueRow.server == server
        statement = update(NoticeQueueRow).where(
            NoticeQueueRow.name == queue, or_(mine, and_(*_free(literal(now, Instant()))))
        )
        taken = statement.values(server=server, leased_until=now + LEASE).returning(NoticeQueueRow.name)
        return (await session.execute(taken)).first() is not None

    async def release(self, session: AsyncSession, queue: str, server: UUID, now: datetime) -> None:
        """Let go of a queue."""
        mine = update(NoticeQueueRow).where(NoticeQueueRow.name == queue, NoticeQueueRow.server == server)
        await session.execute(mine.values(server=None, leased_until=None, served_at=now))

    async def next(self, session: AsyncSession, queue: str, now: datetime) -> Delivery | None:
        """Give what is to be told next in a queue."""
        this = NoticeDeliveryRow
        statement = select(*_COLUMNS).where(this.queue == queue, *_may_go(literal(now, Instant())))
        row = (await session.execute(statement.order_by(this.due_at, this.id).limit(1))).first()
        return None if row is None else _delivery(tuple(row))

    async def record(self, session: AsyncSession, before: Delivery, **values: Any) -> bool:  # noqa: ANN401 — columns
        """Write what came of an attempt; tell whether the telling still stood as ``before`` did."""
        this = NoticeDeliveryRow
        unchanged = (this.id == before.id, this.state == before.state, this.attempts == before.attempts)
        statement = update(this).where(*unchanged).values(**values).returning(this.id)
        return (await session.execute(statement)).first() is not None

    async def bury(self, session: AsyncSession, queue: str, outcome: str) -> None:
        """Give up all that waits in a queue."""
        waiting = update(NoticeDeliveryRow).where(
            NoticeDeliveryRow.queue == queue, NoticeDeliveryRow.state == "waiting"
        )
        await session.execute(waiting.values(state="dead", outcome=outcome))

    async def succeeded(self, session: AsyncSession, queue: str, *, rests_until: datetime | None) -> None:
        """Forget the failures of a queue."""
        this = update(NoticeQueueRow).where(NoticeQueueRow.name == queue)
        await session.execute(this.values(failures=0, failing_since=None, rests_until=rests_until))

    async def failing(self, session: AsyncSession, queue: str) -> tuple[int, datetime | None]:
        """Tell how often a queue has failed in a row, and since when; nobody changes that until the transaction ends."""
        statement = select(NoticeQueueRow.failures, NoticeQueueRow.failing_since).where(NoticeQueueRow.name == queue)
        row = (await session.execute(statement.with_for_update(key_share=True))).first()
        return (0, None) if row is None else (int(row[0]), row[1])

    async def failed(
        self, session: AsyncSession, queue: str, *, failures: int, since: datetime, rests_until: datetime | None
    ) -> None:
        """Note a failure of a whole queue."""
        this = update(NoticeQueueRow).where(NoticeQueueRow.name == queue)
        await session.execute(this.values(failures=failures, failing_since=since, rests_until=rests_until))

    async def by_id(self, source: Source, identity: UUID) -> Delivery | None:
        """Find a telling."""
        rows = await _BY_ID.rows(source, id=identity)
        return _delivery(rows[0]) if rows else None

    async def page(
        self, source: Source, queue: str, *, state: DeliveryState | None, before: UUID | None, limit: int
    ) -> list[Delivery]:
        """List the tellings of a queue, newest first."""
        this = NoticeDeliveryRow
        conditions = [this.queue == queue]
        if state is not None:
            conditions.append(this.state == state)
        if before is not None:
            conditions.append(this.id < before)
        statement = select(*_COLUMNS).where(*conditions).order_by(this.id.desc()).limit(limit)
        return [_delivery(row) for row in await Query(statement).rows(source)]


def _delivery(row: Sequence[Any]) -> Delivery:
    return Delivery(**dict(zip(Delivery.__slots__, row, strict=True)))
