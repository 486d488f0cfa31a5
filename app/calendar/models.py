"""Tables of working days: what holds of a day, which years were announced, and every revision that made it so.

``calendar_day`` holds only the days of which something was said; any other is as its weekday, or as the law has it. It keeps two layers
apart: ``published``, which is what the State Council announced, and ``company``, which the company set for itself and which wins. A row of
``calendar_year`` makes its year confirmed; a year without one is predicted. Revisions are append-only and hold each changed day as it was
and as it is. Their numbers have no gaps, and the last one is the epoch by which a remembered calendar is known to be of now.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class CalendarDay(Base):
    """What one layer says of one day. ``year`` is that of the notice: one for 2012 also spoke of 2011-12-31."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        CheckConstraint("layer IN ('published','company')", name="layer"),
        CheckConstraint("kind IN ('working','off')", name="kind"),
        Index("ix_calendar_day_year_layer", "year", "layer"),
    )
    date: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    layer: Mapped[str] = mapped_column(String(16), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name_zh: Mapped[str | None] = mapped_column(String(64))
    name_en: Mapped[str | None] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(160))
    year: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)


class CalendarYear(Base):
    """A year that was announced, and by what."""

    __tablename__ = "calendar_year"
    __table_args__ = (CheckConstraint("status IN ('confirmed','predicted')", name="status"),)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(160))
    revision: Mapped[int] = mapped_column(Integer)


class CalendarRevision(Base):
    """Who changed what, when, on what ground; ``changes`` has each day that became another, before and after."""

    __tablename__ = "calendar_revision"
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(Id, unique=True)
    at: Mapped[dt.datetime] = mapped_column(Instant)
    kind: Mapped[str] = mapped_column(String(16))
    year: Mapped[int | None] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(160))
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(128))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Json)
