"""All queries on devices, their secrets and who has them, and the MACs that make the rows believable. Nothing here commits.

A row that was written or edited past the service is reported and left out: an edited device is no device, an edited secret opens nothing,
and an edited assignment gives nobody anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    String,
    and_,
    bindparam,
    column,
    exists,
    insert,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.crypto.rowmac import RowSigner
from app.devices.models import DeviceAssignment, DeviceRow, DeviceSecret
from app.devices.rules import TRUSTED, Assignment, Device, Secret, State
from app.kit.db import Reader, Row
from app.kit.models import Id, Instant
from app.kit.query import Query, Source
from app.permissions.devices import DeviceFacts

DEVICES: Final = DeviceRow.__tablename__
SECRETS: Final = DeviceSecret.__tablename__
ASSIGNMENTS: Final = DeviceAssignment.__tablename__

_DEVICE_NAMES: Final = Device.__slots__
_SECRET_NAMES: Final = Secret.__slots__
_ASSIGNMENT_NAMES: Final = Assignment.__slots__
_DEVICE: Final[tuple[Any, ...]] = tuple(getattr(DeviceRow, name) for name in (*_DEVICE_NAMES, "mac"))
_SECRET: Final[tuple[Any, ...]] = tuple(getattr(DeviceSecret, name) for name in (*_SECRET_NAMES, "mac"))
_ASSIGNMENT: Final[tuple[Any, ...]] = tuple(getattr(DeviceAssignment, name) for name in (*_ASSIGNMENT_NAMES, "mac"))
_EPOCH: Final = table("epoch", column("key", String), column("value", BigInteger))
_COUNTERS: Final = tuple(
    select(_EPOCH.c.value).where(_EPOCH.c.key == bindparam(name, type_=String())).scalar_subquery()
    for name in ("own", "other", "third")
)
_NAMED: Final = DeviceRow.id == bindparam("id", type_=Id())
_OPEN: Final = DeviceAssignment.ended_at.is_(None)
_BY_ID: Final = Query(select(*_DEVICE).where(_NAMED), by_key=True)
_WITH_COUNTERS: Final = Query(select(*_DEVICE, *_COUNTERS).where(_NAMED), by_key=True)
_SECRETS_OF: Final = Query(
    select(*_SECRET)
    .where(
        DeviceSecret.device_id == bindparam("device", type_=Id()),
        or_(DeviceSecret.until.is_(None), DeviceSecret.until > bindparam("now", type_=Instant())),
    )
    .order_by(DeviceSecret.id)
)
_HELD_BY: Final = Query(
    select(*_ASSIGNMENT).where(DeviceAssignment.holder_id == bindparam("holder", type_=Id()), _OPEN)
)
_HISTORY: Final = Query(
    select(*_ASSIGNMENT)
    .where(DeviceAssignment.device_id == bindparam("device", type_=Id()))
    .order_by(DeviceAssignment.id.desc())
    .limit(50)
)
_LATER: Final = aliased(DeviceAssignment)
_WAITS: Final = and_(
    DeviceAssignment.cause == "left",
    DeviceRow.state.in_((State.TO_HAND_OVER.value, State.SUSPENDED.value)),
    ~exists().where(_LATER.device_id == DeviceAssignment.device_id, _LATER.id > DeviceAssignment.id),
)
_LEFT_WITH: Final = (
    select(DeviceAssignment.device_id)
    .join(DeviceRow, DeviceRow.id == DeviceAssignment.device_id)
    .where(or_(_OPEN, _WAITS))
)
_DUE: Final = Query(
    select(DeviceRow.id)
    .where(DeviceRow.state == State.TO_HAND_OVER.value, DeviceRow.due_at <= bindparam("now", type_=Instant()))
    .order_by(DeviceRow.due_at)
    .limit(100)
)

_T = TypeVar("_T")

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which devices are looked for; every member that is given narrows.

    ``seen_by`` restricts them to what this contact holds or answers for, ``headed`` being the departments that they head.
    """

    kind: str | None = None
    state: str | None = None
    vendor: str | None = None
    department: frozenset[UUID] | None = None
    holder_id: UUID | None = None
    serial: str | None = None
    mac_address: str | None = None
    seen_by: UUID | None = None
    headed: frozenset[UUID] = frozenset()
    before: UUID | None = None


class DeviceRepository:
    """Rows of ``device``, ``device_secret`` and ``device_assignment``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the three tables."""
        self._signer = signer

    async def by_id(self, source: Source, identity: UUID) -> Device | None:
        """Find a device; ``None`` also for a row that does not verify."""
        return next(iter(self._devices(await _BY_ID.rows(source, id=identity))), None)

    async def trusted(
        self, source: Source, device_id: UUID, other: str, third: str
    ) -> tuple[DeviceFacts | None, int, int]:
        """Give a device that may call, as it is at one moment with its own counter and two others; see ``DeviceReader``."""
        rows = await _WITH_COUNTERS.rows(source, id=device_id, own=f"device:{device_id}", other=other, third=third)
        if not rows:
            return None, 0, 0
        *row, own, counted, last = rows[0]
        device = next(iter(self._devices([tuple(row)])), None)
        if device is None or device.state not in TRUSTED:
            return None, 0, 0
        facts = DeviceFacts(device.id, device.name, device.department_id, int(own or 0))
        return facts, int(counted or 0), int(last or 0)

    async def locked(self, session: AsyncSession, identity: UUID) -> Device | None:
        """Find a device and let nobody change it until the transaction ends; ``None`` as ``by_id`` does."""
        statement = select(*_DEVICE).where(DeviceRow.id == identity).with_for_update()
        return next(iter(self._devices([tuple(row) for row in await session.execute(statement)])), None)

    async def page(self, reader: Reader, narrowing: Narrowing, *, limit: int) -> tuple[list[Device], UUID | None]:
        """List devices, newest first, and the id where the page ends when more follow; rows that do not verify are left out of it."""
        statement = select(*_DEVICE).where(*_conditions(narrowing)).order_by(DeviceRow.id.desc()).limit(limit + 1)
        rows = await reader.fetch(reader.prepare(statement))
        return self._devices(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def due(self, source: Source, now: datetime) -> list[UUID]:
        """Name devices that should have been handed over by now."""
        return [row[0] for row in await _DUE.rows(source, now=now)]

    async def add(self, session: AsyncSession, device: Device) -> None:
        """Add a device; serial number and hardware address are unique among those that are not retired, by constraint."""
        await session.execute(insert(DeviceRow).values(**self._row(DEVICES, device, _DEVICE_NAMES)))

    async def change(self, session: AsyncSession, device: Device, *, at: datetime) -> Device:
        """Write a device as it is to be from now on; give it with its new row version."""
        after = replace(device, row_version=device.row_version + 1, updated_at=at)
        await session.execute(
            update(DeviceRow).where(DeviceRow.id == device.id).values(**self._row(DEVICES, after, _DEVICE_NAMES))
        )
        return after

    async def secrets(self, source: Source, device_id: UUID, now: datetime) -> list[Secret]:
        """Give the secrets of a device that are good now, oldest first."""
        return self._believed(SECRETS, Secret, _SECRET_NAMES, await _SECRETS_OF.rows(source, device=device_id, now=now))

    async def add_secret(self, session: AsyncSession, secret: Secret) -> None:
        """Add a secret."""
        await session.execute(insert(DeviceSecret).values(**self._row(SECRETS, secret, _SECRET_NAMES)))

    async def end_secrets(self, session: AsyncSession, device_id: UUID, until: datetime, *, now: datetime) -> int:
        """Let every secret of a device be good until ``until`` at the longest; give how many were good."""
        live = await self.secrets(session, device_id, now)
        for each in live:
            if each.until is None or each.until > until:
                await self.end_secret(session, each, until)
        return len(live)

    async def end_secret(self, session: AsyncSession, secret: Secret, until: datetime) -> None:
        """Let a secret be good until then and no longer."""
        values = self._row(SECRETS, replace(secret, until=until), _SECRET_NAMES)
        await session.execute(update(DeviceSecret).where(DeviceSecret.id == secret.id).values(**values))

    async def holders(self, source: Source, devices: Iterable[UUID]) -> dict[UUID, Assignment]:
        """Give who has each of these devices now."""
        wanted = sorted(set(devices))
        if not wanted:
            return {}
        statement = Query(select(*_ASSIGNMENT).where(DeviceAssignment.device_id.in_(wanted), _OPEN))
        return {each.device_id: each for each in self._assignments(await statement.rows(source))}

    async def with_holders(self, source: Source, devices: Iterable[UUID]) -> list[tuple[Device, Assignment | None]]:
        """Give each of these devices with who has it now; one of which either row does not verify is left out."""
        held = and_(DeviceAssignment.device_id == DeviceRow.id, _OPEN)
        statement: Any = select(*_DEVICE, *_ASSIGNMENT).outerjoin(DeviceAssignment, held)
        found, width = list[tuple[Device, Assignment | None]](), len(_DEVICE)
        for row in await Query(statement.where(DeviceRow.id.in_(sorted(set(devices))))).rows(source):
            believed = self._devices([row[:width]])
            assigned = [] if row[width] is None else self._assignments([row[width:]])
            if believed and (assigned or row[width] is None):
                found.append((believed[0], assigned[0] if assigned else None))
        return found

    async def held_by(self, source: Source, holder_id: UUID) -> list[Assignment]:
        """Give what somebody has now."""
        return self._assignments(await _HELD_BY.rows(source, holder=holder_id))

    async def left_with(self, source: Source, person: UUID) -> list[UUID]:
        """Name the devices that somebody has, or had when they left and that nobody has taken over or put away since."""
        statement = _LEFT_WITH.where(DeviceAssignment.holder_id == person)
        return [row[0] for row in await Query(statement.distinct()).rows(source)]

    async def history(self, source: Source, device_id: UUID) -> list[Assignment]:
        """Give who has had a device, the newest fifty first."""
        return self._assignments(await _HISTORY.rows(source, device=device_id))

    async def assign(self, session: AsyncSession, assignment: Assignment) -> None:
        """Add an assignment; a second open one of a device is refused by constraint."""
        await session.execute(insert(DeviceAssignment).values(**self._row(ASSIGNMENTS, assignment, _ASSIGNMENT_NAMES)))

    async def end_assignment(self, session: AsyncSession, assignment: Assignment, *, at: datetime, cause: str) -> None:
        """End an assignment."""
        after = replace(assignment, ended_at=at, cause=cause)
        values = self._row(ASSIGNMENTS, after, _ASSIGNMENT_NAMES)
        await session.execute(update(DeviceAssignment).where(DeviceAssignment.id == assignment.id).values(**values))

    def _devices(self, rows: Iterable[Row]) -> list[Device]:
        found = self._believed(DEVICES, Device, _DEVICE_NAMES, rows)
        return [replace(each, state=State(each.state)) for each in found]

    def _assignments(self, rows: Iterable[Row]) -> list[Assignment]:
        return self._believed(ASSIGNMENTS, Assignment, _ASSIGNMENT_NAMES, rows)

    def _believed(self, name: str, made: type[_T], members: Sequence[str], rows: Iterable[Row]) -> list[_T]:
        found = []
        for *values, mac in rows:
            if self._signer.verify(name, tuple(values), mac):
                found.append(made(**dict(zip(members, values, strict=True))))
            else:
                _log.error("row_mac_mismatch", table=name, row=str(values[0]))
        return found

    def _row(self, name: str, value: object, members: Sequence[str]) -> dict[str, Any]:
        row = {each: _plain(getattr(value, each)) for each in members}
        return {**row, "mac": self._signer.sign(name, tuple(row.values()))}


def _plain(value: object) -> Any:  # noqa: ANN401 — any value of a row
    return value.value if isinstance(value, State) else value


def _conditions(narrowing: Narrowing) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        found == wanted
        for found, wanted in (
            (DeviceRow.kind, narrowing.kind),
            (DeviceRow.state, narrowing.state),
            (DeviceRow.vendor, narrowing.vendor),
            (DeviceRow.serial, narrowing.serial),
            (DeviceRow.mac_address, narrowing.mac_address),
        )
        if wanted is not None
    ]
    if narrowing.department is not None:
        conditions.append(DeviceRow.department_id.in_(sorted(narrowing.department)))
    if narrowing.holder_id is not None:
        holding = (DeviceAssignment.device_id == DeviceRow.id, DeviceAssignment.holder_id == narrowing.holder_id, _OPEN)
        conditions.append(exists().where(*holding))
    if narrowing.seen_by is not None:
        held = (DeviceAssignment.device_id == DeviceRow.id, DeviceAssignment.holder_id == narrowing.seen_by, _OPEN)
        heads = DeviceRow.department_id.in_(sorted(narrowing.headed))
        conditions.append(or_(exists().where(*held), DeviceRow.answerable_id == narrowing.seen_by, heads))
    if narrowing.before is not None:
        conditions.append(DeviceRow.id < narrowing.before)
    return conditions
