"""What the plan remembers about itself: which pools have been reported as running out, and how far it was told what waits no more."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class NumberPoolAlarm(Base):
    """Since when a pool stands reported, nothing once it has recovered, and how often it has been."""

    __tablename__ = "number_pool_alarm"
    __table_args__ = (CheckConstraint("kind IN ('low_water','exhaustion')", name="kind"),)
    pool_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_pool.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    since: Mapped[datetime | None] = mapped_column(Instant)
    crossings: Mapped[int] = mapped_column(Integer)


class NumberTide(Base):
    """How far along all dates at which numbers stop waiting programs were told; one row, that of the last number told at that moment."""

    __tablename__ = "number_tide"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    told_until: Mapped[datetime] = mapped_column(Instant)
    told_row: Mapped[int] = mapped_column(BigInteger)
