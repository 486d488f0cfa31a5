"""The table of calling privileges: one row per function of one assignment of one number, for good; only how it ended is written later.

It hangs on the assignment and not on the number, so it cannot pass to the next holder, whoever forgets to end it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class CallingPrivilege(Base):
    """One function that a line has until a time."""

    __tablename__ = "calling_privilege"
    __table_args__ = (
        CheckConstraint(
            "function IN ('long_distance','international','external_forward','conference')", name="function"
        ),
        CheckConstraint("until > since", name="ends_after_start"),
        CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name="ended"),
        Index("ix_calling_privilege_contact_id_id", "contact_id", "id"),
        Index("ix_calling_privilege_assignment_id", "assignment_id"),
        Index("ix_calling_privilege_request_id", "request_id"),
        Index("ix_calling_privilege_until", "until"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Id)
    assignment_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_assignment.id"))
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"))
    domain: Mapped[str] = mapped_column(String(32))
    digits: Mapped[str] = mapped_column(String(15))
    function: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(12))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
