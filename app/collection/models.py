"""Consents, privacy notices, and who saw which. All three are append-only: what was said is not unsaid, it is followed by something else.

A row of ``consent`` is under the MAC of its contact's own key, as everything of a contact; notices and acknowledgements, of which the
texts are nobody's data, under one key of the service. Which consents are live is not worked out from here: the contact's row says it,
under its MAC (``Contact.consented``), so that a row put here past the service opens nothing.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.crypto.sealed import FIELD_CLASS, Sealed, SealedType
from app.kit.models import Base, Id, Instant


class Consent(Base):
    """One consent to one field, given or withdrawn, by the person or as somebody put it on record; the proof is sealed."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("event IN ('given','withdrawn')", name="event"),
        CheckConstraint("source IN ('person','recorded')", name="source"),
        CheckConstraint(
            "basis IN ('consent','separate_consent','provision','cross_border','number_tail')", name="basis"
        ),
        Index("ix_consent_contact_id_id", "contact_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id)
    field: Mapped[str] = mapped_column(String(32))
    basis: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(12))
    purpose: Mapped[str | None] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(12))
    proof: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info={FIELD_CLASS: "C5"})
    notice_version: Mapped[int | None] = mapped_column(Integer)
    forms: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class PrivacyNotice(Base):
    """A version of the privacy notice, in both languages, and from when it is valid; ``digest`` is the SHA-256 of what it says."""

    __tablename__ = "privacy_notice"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, unique=True)
    title_zh: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    valid_from: Mapped[datetime] = mapped_column(Instant)
    published_at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class PrivacyAcknowledgement(Base):
    """Somebody saw a version of the privacy notice."""

    __tablename__ = "privacy_acknowledgement"
    notice_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
