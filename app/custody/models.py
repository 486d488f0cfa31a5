"""Tables of custody: what operators put down and did at the machine, and service accounts on their way to another owner.

Both decide who gets power without being asked, so both stand under MACs; they name people by id and hold no personal data.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

_OPEN: Final = text("settled_at IS NULL")


class OperatorAct(Base):
    """Something that an operator does where nobody can be asked: put down by one, from ``ready_at`` until ``until`` done by another.

    ``digest`` is of all that was put down, so that the second operator does that and nothing else.
    """

    __tablename__ = "operator_act"
    __table_args__ = (
        CheckConstraint("(done_by IS NULL) = (done_at IS NULL)", name="whole"),
        Index("ix_operator_act_what", "kind", "what"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    what: Mapped[str] = mapped_column(String(64))
    whom: Mapped[UUID | None] = mapped_column(Id)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    proposed_by: Mapped[str] = mapped_column(String(96))
    proposed_at: Mapped[datetime] = mapped_column(Instant)
    ready_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    done_by: Mapped[str | None] = mapped_column(String(96))
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ClientHandover(Base):
    """A service account whose owner has left: who answers for it meanwhile, and by when they have to take it over."""

    __tablename__ = "client_handover"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (settled_at IS NULL)", name="whole"),
        CheckConstraint("outcome IN ('taken_over', 'passed_on', 'disabled')", name="outcome"),
        Index("ix_client_handover_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("uq_client_handover_open", "client_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(63))
    former_id: Mapped[UUID] = mapped_column(Id)
    acting_id: Mapped[UUID | None] = mapped_column(Id)
    cause: Mapped[str] = mapped_column(String(16))
    began_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(16))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
