"""The table of which contacts are one natural person: somebody's second card, with an account of its own.

Append-only, each row under a MAC: the newest of a contact, by its number, says who is behind it. So a link that was taken back stands there
as long as the one that was made, and neither is made by SQL.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class PersonLink(Base):
    """The person behind a contact from ``at`` on; the contact's own id says that it is nobody else's card."""

    __tablename__ = "person_link"
    __table_args__ = (UniqueConstraint("contact_id", "number"), Index("ix_person_link_person_id", "person_id"))
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id)
    number: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[UUID] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
