"""The table of sources whose events are taken under a signature: whose signature it is, and for which service account it speaks.

Its secrets are boxed, its rows stand under a MAC: whoever could write a row past us could otherwise bind a secret of their own to a service
account. A source is never removed, so that a name on record keeps its meaning.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class HrSourceRow(Base):
    """One source: at most two secrets in force, the older one until ``former_until``."""

    __tablename__ = "hr_source"
    __table_args__ = (
        CheckConstraint("state IN ('active','disabled')", name="state"),
        CheckConstraint("(former_secret IS NULL) = (former_until IS NULL)", name="former"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    since: Mapped[datetime] = mapped_column(Instant)
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
