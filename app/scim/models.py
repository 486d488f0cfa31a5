"""What a provisioning client calls those whom it keeps, and the groups that it made; under a MAC, because it is found by.

Nothing of a card is here: ``external_id`` is the client's own name of a contact, which it chooses and may choose badly, so the row goes
when the contact is archived. ``unsaid`` names attributes that the client has not given or has taken back, and that a card cannot be
without.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class ScimLink(Base):
    """One contact as one client knows it."""

    __tablename__ = "scim_link"
    __table_args__ = (UniqueConstraint("client_id", "external_id"), Index(None, "contact_id"))
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(255))
    unsaid: Mapped[Any] = mapped_column(Json)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ScimGroup(Base):
    """A group that a client made, which is a tag: under an id of its own, since a tag is its name and a group can be given another."""

    __tablename__ = "scim_group"
    __table_args__ = (UniqueConstraint("tag"), UniqueConstraint("client_id", "external_id"))
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    tag: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
