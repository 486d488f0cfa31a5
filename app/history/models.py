"""Table of purges. Nobody's data: counts, times and digests; which keys were destroyed stands with the keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class HistoryPurge(Base):
    """One purge, under the id of the request that asked for it, and its signed certificate. Append-only."""

    __tablename__ = "history_purge"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(Text)
