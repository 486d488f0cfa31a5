"""Simulations: what a candidate would give and take, bound to both packs by their digests and to its result by a MAC."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class PolicySimulation(Base):
    """One question about a candidate and, once the work is done, its answer: counts, and no value of anybody."""

    __tablename__ = "policy_simulation"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    base_digest: Mapped[str] = mapped_column(String(64))
    candidate_digest: Mapped[str] = mapped_column(String(64))
    candidate: Mapped[str] = mapped_column(Text)
    sample: Mapped[int] = mapped_column(Integer)
    job_id: Mapped[UUID | None] = mapped_column(Id)
    author_type: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    result: Mapped[str | None] = mapped_column(Text)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
