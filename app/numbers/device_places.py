"""Devices as holders of numbers: a number is given to one that is registered and not retired, and to no other."""

from typing import Final
from uuid import UUID

from sqlalchemy import String, bindparam, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.models import Id

_DEVICES: Final = table("device", column("id", Id()), column("state", String()))
_STAYS: Final = select(_DEVICES.c.id).where(
    _DEVICES.c.id == bindparam("device", type_=Id()), _DEVICES.c.state != "retired"
)


async def device_stays(session: AsyncSession, identity: UUID) -> bool:
    """Tell whether a device is there; if it is, it is not retired before the transaction ends."""
    return (await session.execute(_STAYS.with_for_update(), {"device": identity})).first() is not None
