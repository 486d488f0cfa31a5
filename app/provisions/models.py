"""Tables of provisions: the provision, who consented, its one package with whose fields were in it, and what was said of its return.

Every row is under a MAC. Packages, their parts and returns are append-only; nothing of any of them is ever deleted by the service. The
sealed bytes themselves are kept nowhere.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json

_DUE: Final = text("next_at IS NOT NULL")


class ProvisionRow(Base):
    """One provision. ``state`` and ``next_at`` are worked out from the rest, to be searched by."""

    __tablename__ = "provision"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open','provided','overdue','declared','returned','destroyed','lapsed')", name="state"
        ),
        CheckConstraint("return_kind IN ('returned','destroyed')", name="return_kind"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("confirmed_by <> declared_by", name="second_person"),
        Index("ix_provision_requester_id_id", "requester_id", "id"),
        Index("ix_provision_responsible_id_id", "responsible_id", "id"),
        Index("ix_provision_next_at", "next_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Id, unique=True)
    requester_id: Mapped[UUID] = mapped_column(Id)
    responsible_id: Mapped[UUID] = mapped_column(Id)
    contract: Mapped[str] = mapped_column(String(128))
    fields: Mapped[Any] = mapped_column(Json)
    crosses: Mapped[Any] = mapped_column(Json)
    terms: Mapped[bytes] = mapped_column(LargeBinary)
    asked: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    return_by: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(32))
    package_id: Mapped[UUID | None] = mapped_column(Id)
    packaged_at: Mapped[datetime | None] = mapped_column(Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)
    overdue_at: Mapped[datetime | None] = mapped_column(Instant)
    return_kind: Mapped[str | None] = mapped_column(String(16))
    declared_by: Mapped[UUID | None] = mapped_column(Id)
    declared_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[UUID | None] = mapped_column(Id)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ProvisionConsent(Base):
    """Somebody who consented to one provision."""

    __tablename__ = "provision_consent"
    __table_args__ = (Index("ix_provision_consent_contact_id", "contact_id"),)
    provision_id: Mapped[UUID] = mapped_column(Id, ForeignKey("provision.id"), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ProvisionPackage(Base):
    """The one package of a provision. Append-only; the key makes a second one impossible."""

    __tablename__ = "provision_package"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    provision_id: Mapped[UUID] = mapped_column(Id, ForeignKey("provision.id"), unique=True)
    made_by: Mapped[UUID] = mapped_column(Id)
    made_at: Mapped[datetime] = mapped_column(Instant)
    event_id: Mapped[UUID] = mapped_column(Id)
    sealed_to: Mapped[str] = mapped_column(String(32))
    people: Mapped[int] = mapped_column(Integer)
    left_out: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ProvisionPart(Base):
    """Whose fields were in a package. Append-only."""

    __tablename__ = "provision_part"
    __table_args__ = (Index("ix_provision_part_contact_id", "contact_id"),)
    package_id: Mapped[UUID] = mapped_column(Id, ForeignKey("provision_package.id"), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    fields: Mapped[Any] = mapped_column(Json)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ProvisionReturn(Base):
    """What somebody said of a return. Append-only."""

    __tablename__ = "provision_return"
    __table_args__ = (
        CheckConstraint("said IN ('declared','confirmed','refused')", name="said"),
        CheckConstraint("kind IN ('returned','destroyed')", name="kind"),
        Index("ix_provision_return_provision_id_id", "provision_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    provision_id: Mapped[UUID] = mapped_column(Id, ForeignKey("provision.id"))
    said: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[UUID] = mapped_column(Id)
    evidence: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
