"""Tables of devices, of the secrets that they call with, and of who has them.

Each row is under a MAC, because a device's row lets somebody in. Serial number and hardware address say which apparatus somebody has on
their desk: they stand here in clear, to be unique, and are told to those alone who look after devices. Rows are never removed.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

_THERE: Final = text("state <> 'retired'")
_OPEN: Final = text("ended_at IS NULL")
_DUE: Final = text("state = 'to_hand_over'")


class DeviceRow(Base):
    """One apparatus. ``answerable_id``: whoever has to hand it over by ``due_at``; ``room`` and department are where it stands."""

    __tablename__ = "device"
    __table_args__ = (
        CheckConstraint("kind IN ('desk_phone','conference_phone','dect_phone','softphone','gateway')", name="kind"),
        CheckConstraint("follows IN ('person','place')", name="follows"),
        CheckConstraint(
            "state IN ('in_stock','in_use','to_hand_over','suspended','lost','retired')",
            name="state",
        ),
        CheckConstraint("(state = 'to_hand_over') = (due_at IS NOT NULL)", name="due"),
        Index("uq_device_serial", "vendor", "serial", unique=True, sqlite_where=_THERE, postgresql_where=_THERE),
        Index("uq_device_mac_address", "mac_address", unique=True, sqlite_where=_THERE, postgresql_where=_THERE),
        Index("ix_device_department_id", "department_id"),
        Index("ix_device_due_at", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    vendor: Mapped[str] = mapped_column(String(32))
    model: Mapped[str] = mapped_column(String(64))
    serial: Mapped[str | None] = mapped_column(String(64))
    mac_address: Mapped[str | None] = mapped_column(String(17))
    label: Mapped[str | None] = mapped_column(String(64))
    department_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("department.id"))
    room: Mapped[str | None] = mapped_column(String(32))
    follows: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    answerable_id: Mapped[UUID | None] = mapped_column(Id)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class DeviceSecret(Base):
    """A secret as its keyed hash; of a device at most two are good at once, the older one for a short time."""

    __tablename__ = "device_secret"
    __table_args__ = (Index("ix_device_secret_device_id", "device_id"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class DeviceAssignment(Base):
    """Who has, or had, a device; ``holder_name`` is the code of a room. At most one of a device is open."""

    __tablename__ = "device_assignment"
    __table_args__ = (
        CheckConstraint("holder_type IN ('contact','department','room')", name="holder_type"),
        CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name="ended"),
        Index("uq_device_assignment_open", "device_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_device_assignment_device_id_id", "device_id", "id"),
        Index("ix_device_assignment_holder_id", "holder_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(Id, ForeignKey("device.id"))
    holder_type: Mapped[str] = mapped_column(String(16))
    holder_id: Mapped[UUID] = mapped_column(Id)
    holder_name: Mapped[str | None] = mapped_column(String(32))
    since: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(16))
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(128))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
