"""Tables of contacts. Plain columns are C1; every sealed column states its class; nothing here needs a key.

``mac`` covers what policy reads (kind, status, secrecy, departments, user name, row counter) and every envelope and digest, under the
contact's own key. ``digests`` packs a 16-byte MAC per sealed value, by which a new value is compared with the stored one unopened.
``contact_change`` is append-only and holds every value sealed.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.fields import CATALOGUE
from app.crypto.sealed import FIELD_CLASS, Sealed, SealedType
from app.kit.models import Base, Id, Instant, Json


def sealed(name: str) -> Mapped[Sealed | None]:
    """Map the sealed column of a declared field, with its class in ``Column.info``."""
    return mapped_column(SealedType, nullable=True, info={FIELD_CLASS: CATALOGUE.by_name[name].field_class.value})


class Contact(Base):
    """A person or hotline of the directory."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("kind IN ('employee','external','temporary','student','applicant','hotline')", name="kind"),
        CheckConstraint("status IN ('prehire','active','frozen','leaving','left','archived')", name="status"),
        CheckConstraint("secrecy IN ('normal','core','executive','protected')", name="secrecy"),
        CheckConstraint("(status = 'archived') = (archive IS NOT NULL)", name="archive"),
        Index("ix_contact_name_id", "name", "id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    worker_kind: Mapped[str | None] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    secrecy: Mapped[str] = mapped_column(String(16), default="normal")
    name: Mapped[str | None] = mapped_column(String(100))
    name_en: Mapped[str | None] = mapped_column(String(100))
    alias: Mapped[str | None] = mapped_column(String(100))
    user_name: Mapped[str | None] = mapped_column(String(128))
    user_name_key: Mapped[str | None] = mapped_column(String(128), unique=True)
    employee_no: Mapped[str | None] = mapped_column(String(32), unique=True)
    department_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("department.id"), index=True)
    title: Mapped[str | None] = mapped_column(String(100))
    memberships: Mapped[Any] = mapped_column(Json)
    manager_id: Mapped[UUID | None] = mapped_column(Id)
    dotted_manager_id: Mapped[UUID | None] = mapped_column(Id)
    short_numbers: Mapped[Any] = mapped_column(Json)
    extension: Mapped[str | None] = mapped_column(String(16))
    location: Mapped[str | None] = mapped_column(String(100))
    duties: Mapped[str | None] = mapped_column(String(500))
    work_area: Mapped[str | None] = mapped_column(String(200))
    organisation: Mapped[str | None] = mapped_column(String(200))
    relation: Mapped[str | None] = mapped_column(String(100))
    contract_ref: Mapped[str | None] = mapped_column(String(64))
    contract_until: Mapped[date | None] = mapped_column(Date)
    review_due: Mapped[date | None] = mapped_column(Date)
    tags: Mapped[Any] = mapped_column(Json)
    category: Mapped[str | None] = mapped_column(String(64))
    away_until: Mapped[date | None] = mapped_column(Date)
    backup_contact_id: Mapped[UUID | None] = mapped_column(Id)

    office_phone: Mapped[Sealed | None] = sealed("office_phone")
    fax: Mapped[Sealed | None] = sealed("fax")
    email: Mapped[Sealed | None] = sealed("email")
    mobile: Mapped[Sealed | None] = sealed("mobile")
    wecom_id: Mapped[Sealed | None] = sealed("wecom_id")
    business_phone: Mapped[Sealed | None] = sealed("business_phone")
    business_email: Mapped[Sealed | None] = sealed("business_email")
    personal_mobile: Mapped[Sealed | None] = sealed("personal_mobile")
    personal_email: Mapped[Sealed | None] = sealed("personal_email")
    wechat: Mapped[Sealed | None] = sealed("wechat")
    qq: Mapped[Sealed | None] = sealed("qq")
    plate: Mapped[Sealed | None] = sealed("plate")
    delivery_address: Mapped[Sealed | None] = sealed("delivery_address")
    home_address: Mapped[Sealed | None] = sealed("home_address")
    birth_date: Mapped[Sealed | None] = sealed("birth_date")
    id_number: Mapped[Sealed | None] = sealed("id_number")
    private_notes: Mapped[Sealed | None] = sealed("private_notes")
    archive: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info={FIELD_CLASS: "C5"})

    digests: Mapped[bytes] = mapped_column(LargeBinary)
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class ContactDepartment(Base):
    """Every department of a contact, the main one included; derived from the row, for the predicate and for filters."""

    __tablename__ = "contact_department"
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    department_id: Mapped[UUID] = mapped_column(Id, ForeignKey("department.id"), primary_key=True, index=True)


class ContactTag(Base):
    """One tag of a contact; derived from the row, for filters."""

    __tablename__ = "contact_tag"
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class ContactChange(Base):
    """One member of a contact, changed: its new value, sealed (``None``: removed), by whom and by which request. Append-only."""

    __tablename__ = "contact_change"
    __table_args__ = (Index("ix_contact_change_contact_id_row_version", "contact_id", "row_version"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id)
    row_version: Mapped[int] = mapped_column(Integer)
    field: Mapped[str] = mapped_column(String(32))
    value: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info={FIELD_CLASS: "C5"})
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
