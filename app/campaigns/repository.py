"""All queries on campaigns, their items and what was answered, and the MACs that make the rows believable. Nothing here commits.

A row that was edited past the service is left out of everything that is shown or answered, and reported; the sweep, which must not let a
right live on because its item was edited away, finds such rows by ``disbelieved``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import orjson
import structlog
from sqlalchemy import ColumnElement, Select, Table, bindparam, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.campaigns.models import Campaign, CampaignDecision, CampaignItem, CampaignOpening, CampaignPlan
from app.campaigns.rules import Item, Kind, Post, Review, Risk, Silence, Stage, State
from app.crypto.rowmac import RowSigner, RowValue
from app.kit.db import Row
from app.kit.models import Id, Instant, new_id

_REVIEWS: Final = cast("Table", Campaign.__table__)
_ITEMS: Final = cast("Table", CampaignItem.__table__)
_DECISIONS: Final = cast("Table", CampaignDecision.__table__)
_OPENINGS: Final = cast("Table", CampaignOpening.__table__)
UNSEALED: Final = {"watched", "next_at", "mac"}
_REVIEW_COLUMNS: Final[tuple[Any, ...]] = tuple(each for each in _REVIEWS.c if each.name not in UNSEALED)
_REVIEW_NAMES: Final = tuple(each.name for each in _REVIEW_COLUMNS)
_ITEM_COLUMNS: Final[tuple[Any, ...]] = tuple(each for each in _ITEMS.c if each.name != "mac")
_ITEM_NAMES: Final = tuple(each.name for each in _ITEM_COLUMNS)
_LIVE: Final = tuple(each.value for each in Stage if each not in {Stage.CLOSED, Stage.CANCELLED})
_PER_INSERT: Final = 200

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which items a list asks for; ``None`` leaves a member open. ``after`` is the id of the last one of the page before."""

    campaign_id: UUID
    reviewer_id: UUID | None = None
    anybody: bool = False
    state: State | None = None
    risk: Risk | None = None
    after: UUID | None = None


class CampaignRepository:
    """Rows of ``campaign`` and its side tables."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of these tables."""
        self._signer = signer

    async def reviews(self, source: Source, *, before: UUID | None, limit: int) -> tuple[list[Review], UUID | None]:
        """List campaigns, newest first, and the id where the page ends when more follows."""
        query = _EVERY if before is None else _BEFORE
        values: dict[str, Any] = {"most": limit + 1, **({} if before is None else {"before": before})}
        rows = await query.rows(source, **values)
        return self._reviews(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def review(self, source: Source, identity: UUID) -> Review | None:
        """Find a campaign; ``None`` also for a row that does not verify."""
        return next(iter(self._reviews(await _REVIEW.rows(source, id=identity))), None)

    async def locked_review(self, session: AsyncSession, identity: UUID, *, waiting: bool = True) -> Review | None:
        """Find a campaign and let nobody else move it; ``None`` as ``review`` does, or when somebody has it and nobody waits."""
        statement = _SELECT_REVIEW.where(_REVIEWS.c.id == identity).with_for_update(skip_locked=not waiting)
        return next(iter(self._reviews([tuple(row) for row in await session.execute(statement)])), None)

    async def running(self, session: AsyncSession, kind: Kind) -> bool:
        """Tell whether a campaign of a kind is under way, as the row says, believed or not."""
        wanted = select(Campaign.id).where(Campaign.kind == kind.value, Campaign.stage.in_(_LIVE))
        return await session.scalar(wanted.limit(1)) is not None

    async def due(self, source: Source, now: datetime, watched: int) -> list[UUID]:
        """List campaigns whose time has come, or under which the tree or the calendar has changed."""
        return [row[0] for row in await _DUE.rows(source, now=now, watched=watched)]

    async def add_review(
        self, session: AsyncSession, review: Review, *, watched: int, next_at: datetime | None
    ) -> None:
        """Add a campaign."""
        await session.execute(insert(Campaign).values(**self._review_row(review), watched=watched, next_at=next_at))

    async def move(self, session: AsyncSession, review: Review, *, watched: int, next_at: datetime | None) -> Review:
        """Write a campaign as it is to be from now on; give it with its new row version."""
        after = replace(review, row_version=review.row_version + 1)
        row = {**self._review_row(after), "watched": watched, "next_at": next_at}
        await session.execute(update(Campaign).where(Campaign.id == review.id).values(**row))
        return after

    async def plan(self, session: AsyncSession, kind: Kind) -> datetime | None:
        """Tell when the next campaign of a kind begins, and let nobody else begin it; ``None`` when that is not planned yet or is held."""
        wanted = select(CampaignPlan.next_at).where(CampaignPlan.kind == kind.value)
        found: datetime | None = await session.scalar(wanted.with_for_update(skip_locked=True))
        return found

    async def planned(self, source: Source) -> dict[str, datetime]:
        """Tell when the next campaign of each kind begins."""
        return {kind: at for kind, at in await _PLANS.rows(source)}  # noqa: C416 — a driver's row is no pair

    async def put_plan(self, session: AsyncSession, kind: Kind, at: datetime) -> None:
        """Say when the next campaign of a kind begins; of two who plan the first at once both may."""
        await session.execute(_PUT_PLAN, {"kind": kind.value, "at": at})

    async def keys(self, source: Source, campaign_id: UUID) -> frozenset[str]:
        """Give what a campaign asks about already."""
        return frozenset(row[0] for row in await _KEYS.rows(source, campaign=campaign_id))

    async def add(self, session: AsyncSession, items: Sequence[Item]) -> None:
        """Add items."""
        for at in range(0, len(items), _PER_INSERT):
            await session.execute(insert(_ITEMS), [self._item_row(each) for each in items[at : at + _PER_INSERT]])

    async def item(self, source: Source, identity: UUID) -> Item | None:
        """Find an item; ``None`` also for a row that does not verify."""
        return next(iter(self._items(await _ITEM.rows(source, id=identity))), None)

    async def page(self, source: Source, wanted: Wanted, *, limit: int) -> tuple[list[Item], UUID | None]:
        """List items in the order of their making, and the id where the page ends when more follows."""
        statement = select(*_ITEM_COLUMNS, _ITEMS.c.mac).where(*_conditions(wanted)).order_by(_ITEMS.c.id)
        rows = await Query(statement.limit(limit + 1)).rows(source)
        return self._items(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def locked(self, session: AsyncSession, identities: Collection[UUID]) -> dict[UUID, Item]:
        """Find items and let nobody else answer them until the transaction ends, always in one order."""
        if not identities:
            return {}
        statement = _SELECT_ITEM.where(_ITEMS.c.id.in_(sorted(identities))).order_by(_ITEMS.c.id).with_for_update()
        items = self._items([tuple(row) for row in await session.execute(statement)])
        return {each.id: each for each in items}

    async def unanswered(self, session: AsyncSession, wanted: Wanted, *, limit: int) -> list[Item]:
        """Lock the first items that fit, waiting for whoever answers one now; empty only when no believable row is left."""
        while True:
            statement = _SELECT_ITEM.where(*_conditions(wanted)).order_by(_ITEMS.c.id).limit(limit).with_for_update()
            rows = [tuple(row) for row in await session.execute(statement)]
            items = self._items(rows)
            if items or len(rows) < limit:
                return items
            wanted = replace(wanted, after=rows[-1][0])

    async def ending(self, session: AsyncSession, now: datetime, *, limit: int) -> list[Item]:
        """Lock items whose right was kept for a while that is over."""
        statement = _SELECT_ITEM.where(
            _ITEMS.c.state == State.SHORTENED.value, _ITEMS.c.ends_at.is_not(None), _ITEMS.c.ends_at <= now
        )
        rows = await session.execute(statement.order_by(_ITEMS.c.id).limit(limit).with_for_update(skip_locked=True))
        return self._items([tuple(row) for row in rows])

    async def of_holder(self, session: AsyncSession, holder: UUID, kind: str) -> list[Item]:
        """Lock the items of a kind about somebody, newest first."""
        statement = _SELECT_ITEM.where(_ITEMS.c.holder_id == holder, _ITEMS.c.kind == kind)
        rows = await session.execute(statement.order_by(_ITEMS.c.id.desc()).with_for_update())
        return self._items([tuple(row) for row in rows])

    async def disbelieved(self, session: AsyncSession, campaign_id: UUID) -> list[Item]:
        """Lock and give the items of a campaign that were edited past the service, as they now read."""
        statement = _SELECT_ITEM.where(_ITEMS.c.campaign_id == campaign_id).order_by(_ITEMS.c.id).with_for_update()
        rows = [tuple(row) for row in await session.execute(statement)]
        return [
            _item(row) for row in rows if not self._signer.verify("campaign_item", _item_covered(_item(row)), row[-1])
        ]

    async def counts(self, source: Source, campaign_id: UUID, reviewer: UUID | None) -> dict[tuple[str, str], int]:
        """Count items by state and risk: of one reviewer, or of all."""
        statement = select(_ITEMS.c.state, _ITEMS.c.risk, func.count()).where(_ITEMS.c.campaign_id == campaign_id)
        if reviewer is not None:
            statement = statement.where(_ITEMS.c.reviewer_id == reviewer)
        rows = await Query(statement.group_by(_ITEMS.c.state, _ITEMS.c.risk)).rows(source)
        return {(state, risk): int(count) for state, risk, count in rows}

    async def reviewers(self, source: Source, campaign_id: UUID) -> list[UUID]:
        """List who still has something to answer."""
        rows = await _REVIEWERS.rows(source, campaign=campaign_id)
        return [row[0] for row in rows]

    async def change(self, session: AsyncSession, item: Item) -> Item:
        """Write an item as it is to be from now on; give it with its new row version."""
        after = replace(item, row_version=item.row_version + 1)
        await session.execute(update(CampaignItem).where(CampaignItem.id == item.id).values(**self._item_row(after)))
        return after

    async def decide(self, session: AsyncSession, item: Item, verdict: str, person: UUID | None, at: datetime) -> None:
        """Put on record what became of an item at the version that it has."""
        row: dict[str, Any] = {
            "id": new_id(),
            "item_id": item.id,
            "item_version": item.row_version,
            "verdict": verdict,
            "ends_at": item.ends_at,
            "person_id": person,
            "at": at,
        }
        row["mac"] = self._signer.sign("campaign_decision", tuple(row.values()))
        await session.execute(insert(_DECISIONS), [row])

    async def opened(self, source: Source, items: Collection[UUID], person: UUID) -> frozenset[UUID]:
        """Tell which of these items a person has read by themselves."""
        if not items:
            return frozenset()
        wanted = select(*_OPENINGS.c).where(_OPENINGS.c.item_id.in_(sorted(items)), _OPENINGS.c.person_id == person)
        found = set()
        for *values, mac in await Query(wanted).rows(source):
            if self._signer.verify("campaign_opening", tuple(values), mac):
                found.add(values[0])
            else:
                _log.error("row_mac_mismatch", table="campaign_opening", row=str(values[0]))
        return frozenset(found)

    async def open(self, session: AsyncSession, item: UUID, person: UUID, event: UUID, at: datetime) -> None:
        """Remember that a person read an item by itself; once is enough."""
        known = select(CampaignOpening.item_id).where(
            CampaignOpening.item_id == item, CampaignOpening.person_id == person
        )
        if await session.scalar(known) is None:
            values = (item, person, event, at)
            row = dict(zip(("item_id", "person_id", "event_id", "at"), values, strict=True))
            await session.execute(insert(_OPENINGS), [{**row, "mac": self._signer.sign("campaign_opening", values)}])

    def _reviews(self, rows: Iterable[Row]) -> list[Review]:
        found = []
        for row in rows:
            review = _review(row)
            if self._signer.verify("campaign", _review_covered(review), row[-1]):
                found.append(review)
            else:
                _log.error("row_mac_mismatch", table="campaign", row=str(review.id))
        return found

    def _items(self, rows: Iterable[Row]) -> list[Item]:
        found = []
        for row in rows:
            item = _item(row)
            if self._signer.verify("campaign_item", _item_covered(item), row[-1]):
                found.append(item)
            else:
                _log.error("row_mac_mismatch", table="campaign_item", row=str(item.id))
        return found

    def _review_row(self, review: Review) -> dict[str, Any]:
        covered = _review_covered(review)
        return {**dict(zip(_REVIEW_NAMES, covered, strict=True)), "mac": self._signer.sign("campaign", covered)}

    def _item_row(self, item: Item) -> dict[str, Any]:
        covered = _item_covered(item)
        row = dict(zip(_ITEM_NAMES, covered, strict=True))
        plain = {"detail": dict(item.detail), "hints": list(item.hints)}
        return {**row, **plain, "mac": self._signer.sign("campaign_item", covered)}


def _review(row: Row) -> Review:
    values = dict(zip(_REVIEW_NAMES, row, strict=False))
    return Review(
        **{
            **values,
            "kind": Kind(values["kind"]),
            "stage": Stage(values["stage"]),
            "on_silence": Silence(values["on_silence"]),
        }
    )


def _review_covered(review: Review) -> tuple[RowValue, ...]:
    return tuple(_plain(getattr(review, name)) for name in _REVIEW_NAMES)


def _item(row: Row) -> Item:
    values = dict(zip(_ITEM_NAMES, row, strict=False))
    reviewer, post, department = (values.pop(name) for name in ("reviewer_id", "post", "post_department_id"))
    del values["key"]
    return Item(
        **{
            **values,
            "post": None if reviewer is None else Post(reviewer, post, department),
            "risk": Risk(values["risk"]),
            "state": State(values["state"]),
            "hints": tuple(values["hints"]),
        }
    )


def _item_covered(item: Item) -> tuple[RowValue, ...]:
    post = item.post
    derived: Mapping[str, Any] = {
        "reviewer_id": item.reviewer,
        "post": "nobody" if post is None else post.kind,
        "post_department_id": None if post is None else post.department,
        "detail": orjson.dumps(item.detail, option=orjson.OPT_SORT_KEYS).decode(),
    }
    return tuple(_plain(derived[name] if name in derived else getattr(item, name)) for name in _ITEM_NAMES)


def _plain(value: Any) -> RowValue:  # noqa: ANN401 — whatever a column holds
    return cast("RowValue", value.value if isinstance(value, Kind | Stage | Silence | State | Risk) else value)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    items = _ITEMS.c
    found: list[ColumnElement[bool]] = [items.campaign_id == wanted.campaign_id]
    if not wanted.anybody:
        found.append(items.reviewer_id == wanted.reviewer_id)
    if wanted.state is not None:
        found.append(items.state == wanted.state.value)
    if wanted.risk is not None:
        found.append(items.risk == wanted.risk.value)
    if wanted.after is not None:
        found.append(items.id > wanted.after)
    return found


_SELECT_REVIEW: Final[Select[Any]] = select(*_REVIEW_COLUMNS, _REVIEWS.c.mac)
_SELECT_ITEM: Final[Select[Any]] = select(*_ITEM_COLUMNS, _ITEMS.c.mac)
_NEWEST: Final = _SELECT_REVIEW.order_by(_REVIEWS.c.id.desc()).limit(bindparam("most"))
_EVERY: Final = Query(_NEWEST)
_BEFORE: Final = Query(_NEWEST.where(_REVIEWS.c.id < bindparam("before", type_=Id())))
_REVIEW: Final = Query(_SELECT_REVIEW.where(_REVIEWS.c.id == bindparam("id", type_=Id())), by_key=True)
_ITEM: Final = Query(_SELECT_ITEM.where(_ITEMS.c.id == bindparam("id", type_=Id())), by_key=True)
_KEYS: Final = Query(select(_ITEMS.c.key).where(_ITEMS.c.campaign_id == bindparam("campaign", type_=Id())))
_PUT_PLAN: Final = text(
    "INSERT INTO campaign_plan (kind, next_at) VALUES (:kind, :at) ON CONFLICT (kind) DO UPDATE SET next_at = excluded.next_at"
).bindparams(bindparam("at", type_=Instant()))
_PLANS: Final = Query(select(CampaignPlan.kind, CampaignPlan.next_at))
_REVIEWERS: Final = Query(
    select(_ITEMS.c.reviewer_id)
    .where(
        _ITEMS.c.campaign_id == bindparam("campaign", type_=Id()),
        _ITEMS.c.state == State.OPEN.value,
        _ITEMS.c.reviewer_id.is_not(None),
    )
    .distinct()
)
_DUE: Final = Query(
    select(_REVIEWS.c.id)
    .where(
        _REVIEWS.c.next_at.is_not(None),
        (_REVIEWS.c.next_at <= bindparam("now", type_=Instant()))
        | (_REVIEWS.c.watched != bindparam("watched", type_=_REVIEWS.c.watched.type)),
    )
    .order_by(_REVIEWS.c.next_at)
)
