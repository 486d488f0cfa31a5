"""What the plan remembers about itself: which pools have been reported as running out, so that each crossing is told once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String
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
