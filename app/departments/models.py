"""The table of departments. Its row MAC covers everything that policy reads, so a head edited by SQL heads nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class Department(Base):
    """One department. ``head_id`` and ``deputy_id`` name contacts; ``protected`` keeps heads above out."""

    __tablename__ = "department"
    __table_args__ = (
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),
        Index("ix_department_parent_id", "parent_id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    parent_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("department.id"))
    head_id: Mapped[UUID | None] = mapped_column(Id)
    deputy_id: Mapped[UUID | None] = mapped_column(Id)
    order: Mapped[int] = mapped_column("position", Integer, default=0)
    region: Mapped[str] = mapped_column(String(2))
    legal_entity: Mapped[str] = mapped_column(String(64), default="")
    protected: Mapped[bool] = mapped_column(Boolean, default=False)
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
