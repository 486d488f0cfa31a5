"""Tables of reviews: a campaign, its items, who opened one, what was decided, and when the next campaign begins.

A campaign's row is a promise (what happens when nobody answers, and on which day) and an item's row keeps a right alive or ends it, so both
stand under MACs. What was opened and what was decided is only ever appended. ``next_at`` and ``ends_at`` are what the sweep finds them by.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json

_KINDS: Final = "kind IN ('rights','accuracy')"
_STAGES: Final = "stage IN ('preparing','asked','reminded','escalated','closed','cancelled')"
_STATES: Final = "state IN ('open','kept','shortened','revoked','ended','confirmed','disputed','suspended','retained','unconfirmed','moot')"
_DUE: Final = text("next_at IS NOT NULL")
_RUNNING: Final = text("stage NOT IN ('closed','cancelled')")
_ENDING: Final = text("state = 'shortened' AND ends_at IS NOT NULL")


class Campaign(Base):
    """One review of one kind. ``slot`` names the quarter that it is for, so that a quarter is reviewed once."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint(_STAGES, name="stage"),
        CheckConstraint("on_silence IN ('suspend','keep')", name="on_silence"),
        CheckConstraint("remind_at <= due_at AND due_at <= suspend_at", name="in_order"),
        Index("ix_campaign_next_at", "next_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("uq_campaign_running", "kind", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(16))
    slot: Mapped[str | None] = mapped_column(String(32), unique=True)
    started_by: Mapped[UUID | None] = mapped_column(Id)
    started_at: Mapped[datetime] = mapped_column(Instant)
    answer_days: Mapped[int] = mapped_column(Integer)
    suspend_days: Mapped[int] = mapped_column(Integer)
    on_silence: Mapped[str] = mapped_column(String(16))
    remind_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    suspend_at: Mapped[datetime] = mapped_column(Instant)
    predicted: Mapped[bool] = mapped_column(Boolean)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    watched: Mapped[int] = mapped_column(BigInteger)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class CampaignItem(Base):
    """One right, card or list that somebody answers for. ``key`` is unique in its campaign; ``detail`` holds ids and codes only."""

    __tablename__ = "campaign_item"
    __table_args__ = (
        Unique("campaign_id", "key"),
        CheckConstraint(_STATES, name="state"),
        CheckConstraint("risk IN ('low','high')", name="risk"),
        Index("ix_campaign_item_campaign_id_reviewer_id_id", "campaign_id", "reviewer_id", "id"),
        Index("ix_campaign_item_campaign_id_state_id", "campaign_id", "state", "id"),
        Index("ix_campaign_item_holder_id", "holder_id"),
        Index("ix_campaign_item_ends_at", "ends_at", sqlite_where=_ENDING, postgresql_where=_ENDING),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(Id, ForeignKey("campaign.id"))
    key: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(96))
    holder_id: Mapped[UUID | None] = mapped_column(Id)
    account_id: Mapped[UUID | None] = mapped_column(Id)
    detail: Mapped[Any] = mapped_column(Json)
    reviewer_id: Mapped[UUID | None] = mapped_column(Id)
    post: Mapped[str] = mapped_column(String(16))
    post_department_id: Mapped[UUID | None] = mapped_column(Id)
    risk: Mapped[str] = mapped_column(String(8))
    hints: Mapped[Any] = mapped_column(Json)
    held_since: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16))
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[UUID | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class CampaignDecision(Base):
    """What became of an item at one of its versions, by whom (``None``: by nobody, because time ran out). Append-only."""

    __tablename__ = "campaign_decision"
    __table_args__ = (Unique("item_id", "item_version"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    item_id: Mapped[UUID] = mapped_column(Id)
    item_version: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(16))
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    person_id: Mapped[UUID | None] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class CampaignOpening(Base):
    """That a reviewer read an item by itself, and the event of that look in the access log. Append-only."""

    __tablename__ = "campaign_opening"
    item_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class CampaignPlan(Base):
    """When the next review of a kind begins."""

    __tablename__ = "campaign_plan"
    __table_args__ = (CheckConstraint(_KINDS, name="kind"),)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(Instant)
