"""Devices as holders of numbers: a number is given to one that is registered and not retired, and to no other."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import String, bindparam, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.models import Id

_DEVICES: Final = table("device", column("id", Id()), column("serial", String()), column("state", String()))
_STAYS: Final = select(_DEVICES.c.id).where(
    _DEVICES.c.id == bindparam("device", type_=Id()), _DEVICES.c.state != "retired"
)


async def device_stays(session: AsyncSession, identity: UUID) -> bool:
    """Tell whether a device is there; if it is, it is not retired before the transaction ends."""
    return (await session.execute(_STAYS.with_for_update(), {"device": identity})).first() is not None


async def devices_by_serial(session: AsyncSession, serials: Iterable[str]) -> Mapping[str, UUID]:
    """Find devices that are not retired by serial number, in whatever case and with whatever spaces it was typed."""
    typed = {each: "".join(each.split()).upper() for each in serials}
    rows = await session.execute(
        select(_DEVICES.c.serial, _DEVICES.c.id).where(
            _DEVICES.c.serial.in_(sorted(set(typed.values()))), _DEVICES.c.state != "retired"
        )
    )
    found = {row.serial: row.id for row in rows}
    return {each: found[written] for each, written in typed.items() if written in found}
