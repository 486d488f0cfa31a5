"""Tables of contacts. Plain columns are C1; every sealed column states its class; nothing here needs a key.

``mac`` covers what policy reads (kind, status, secrecy, departments, user name, row counter), the consents that are live, and every
envelope and digest, under the contact's own key. ``digests`` packs a 16-byte MAC per sealed value, by which a new value is compared with
the stored one unopened. A name is plain for some kinds and sealed for others, in a column of each. ``erased_at``: retention was over, the
key is destroyed, and the row is an id that others refer to.
``contact_change`` is append-only and holds every value sealed.
"""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.contacts.fields import CATALOGUE, PHOTO
from app.crypto.sealed import FIELD_CLASS, Sealed, SealedType
from app.kit.models import Base, Id, Instant, Json


def _bytewise(length: int) -> String:
    """Text that is compared by its bytes on every engine, so that a prefix is a range of an index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def sealed(name: str) -> Mapped[Sealed | None]:
    """Map the sealed column of a declared field, with its class in ``Column.info``."""
    return mapped_column(SealedType, nullable=True, info={FIELD_CLASS: CATALOGUE.by_name[name].field_class.value})


_UNCONFIRMED: Final = text("unconfirmed_since IS NOT NULL")
_HOTLINE: Final = text("kind = 'hotline'")
IN_ARCHIVE: Final = text("status = 'archived' AND erased_at IS NULL")
"""In the archive, and not erased yet: word by word as the index has it, since SQLite knows it by no other."""


class Contact(Base):
    """A person or hotline of the directory."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("kind IN ('employee','external','temporary','student','applicant','hotline')", name="kind"),
        CheckConstraint("status IN ('prehire','active','frozen','leaving','left','archived')", name="status"),
        CheckConstraint("secrecy IN ('normal','core','executive','protected')", name="secrecy"),
        CheckConstraint("(status = 'archived') = (archive IS NOT NULL)", name="archive"),
        CheckConstraint(
            "kind IN ('external','student','applicant')"
            " OR (sealed_name IS NULL AND sealed_name_en IS NULL AND sealed_alias IS NULL)",
            name="sealed_name",
        ),
        CheckConstraint(
            "kind NOT IN ('external','student','applicant') OR (name IS NULL AND name_en IS NULL AND alias IS NULL)",
            name="plain_name",
        ),
        Index("ix_contact_name_id", "name", "id"),
        Index("ix_contact_hotline", "id", sqlite_where=_HOTLINE, postgresql_where=_HOTLINE),
        Index("ix_contact_unconfirmed", "id", sqlite_where=_UNCONFIRMED, postgresql_where=_UNCONFIRMED),
        Index("ix_contact_in_archive", "id", sqlite_where=IN_ARCHIVE, postgresql_where=IN_ARCHIVE),
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
    retain_until: Mapped[date | None] = mapped_column(Date)
    consented: Mapped[str | None] = mapped_column(Text)
    unconfirmed_since: Mapped[date | None] = mapped_column(Date)

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
    sealed_name: Mapped[Sealed | None] = sealed("name")
    sealed_name_en: Mapped[Sealed | None] = sealed("name_en")
    sealed_alias: Mapped[Sealed | None] = sealed("alias")
    relations: Mapped[Sealed | None] = sealed("relations")
    archive: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info={FIELD_CLASS: "C5"})

    digests: Mapped[bytes] = mapped_column(LargeBinary)
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


LABEL: Final = func.coalesce(Contact.name, Contact.organisation, literal_column("''"))
"""What a list by name is ordered by: who has no plain name stands under their organisation."""
Index("ix_contact_label_id", LABEL, Contact.id)


class ContactDepartment(Base):
    """Every department of a contact, the main one included; derived from the row, for the predicate and for filters.

    Members are listed from the index alone; with rows to fetch PostgreSQL would rather read everybody until it has found enough of them.
    """

    __tablename__ = "contact_department"
    __table_args__ = (Index("ix_contact_department_department_id_contact_id", "department_id", "contact_id"),)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    department_id: Mapped[UUID] = mapped_column(Id, ForeignKey("department.id"), primary_key=True)


class ContactTag(Base):
    """One tag of a contact; derived from the row, for filters."""

    __tablename__ = "contact_tag"
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class ContactKey(Base):
    """A piece of a contact's C1 text that it is found by; derived from the row, for searching (``app.contacts.search``).

    ``name`` breaks ties. The index is in the order in which hits of one rank are listed, so that a page is its beginning.
    """

    __tablename__ = "contact_key"
    __table_args__ = (
        Index("ix_contact_key_rank_term", "rank", "term", "name", "contact_id"),
        {"sqlite_with_rowid": False},
    )
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    term: Mapped[str] = mapped_column(_bytewise(65), primary_key=True)
    name: Mapped[str] = mapped_column(_bytewise(32))


class DepartmentKey(Base):
    """The keys of contacts once more, under each department of theirs: for searching within departments. Numbers are not among them.

    Nothing but the index it is: in each department in the order of hits. What it names is in ``contact_key`` and ``contact_department``,
    which it follows in the same transaction.
    """

    __tablename__ = "department_key"
    __table_args__ = ({"sqlite_with_rowid": False},)
    department_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    term: Mapped[str] = mapped_column(_bytewise(65), primary_key=True)
    name: Mapped[str] = mapped_column(_bytewise(32), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, primary_key=True)


class ContactChange(Base):
    """One member of a contact, changed: its new value (``None``: removed), by whom and by which request. Append-only.

    ``value`` is sealed under the key of the contact's history of that quarter (``app.crypto.historykey``), which a purge destroys.
    """

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


class ContactPhoto(Base):
    """The photo of a contact: a JPEG of our own making, as base64, sealed; in a table of its own so that a card's row stays small.

    ``mac`` covers the other columns under the contact's own key. A photo that is replaced or removed is gone; history tells that it was.
    """

    __tablename__ = "contact_photo"
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    image: Mapped[Sealed] = mapped_column(SealedType, info={FIELD_CLASS: PHOTO.field_class.value})
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    updated_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class Tag(Base):
    """A tag that the company offers, whether or not anybody carries it; cards may carry others. Nobody's data."""

    __tablename__ = "tag"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    description: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)


class SearchTag(Base):
    """A search tag of a sealed value: few bits of a keyed hash, shared by many; derived from the value, for exact lookups.

    ``proof`` is what a candidate is compared by, unopened: 8 bytes of the digest beside the value, and a MAC over kind, value and these
    under the contact's own key; so a tag that is moved to somebody else, or outlives its value, matches nothing.
    """

    __tablename__ = "search_tag"
    __table_args__ = (Index(None, "contact_id"), {"sqlite_with_rowid": False})
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    partition: Mapped[UUID] = mapped_column(Id, primary_key=True)
    tag: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    field: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    proof: Mapped[bytes] = mapped_column(LargeBinary(24))


class SearchPlan(Base):
    """The one row that says how tags are made: the generation that is looked up in, and the one that is being written, if any."""

    __tablename__ = "search_plan"
    __table_args__ = (
        CheckConstraint("id = 1", name="one"),
        CheckConstraint("(next_key_version IS NULL) = (next_bits IS NULL)", name="following"),
    )
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(Integer)
    key_version: Mapped[int] = mapped_column(Integer)
    bits: Mapped[Any] = mapped_column(Json)
    next_key_version: Mapped[int | None] = mapped_column(Integer)
    next_bits: Mapped[Any | None] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(Instant)
