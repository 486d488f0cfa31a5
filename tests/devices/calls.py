"""Calls on devices that tests share."""

from base64 import b64encode
from itertools import count
from typing import Any, Final

import httpx

from app.devices.errors import DeviceRefused
from tests.support.application import World

PATH: Final = "/v1/devices"
_SERIALS: Final = count(10_000)


def basic(device: object, secret: str) -> dict[str, str]:
    """Write the credentials of a device."""
    return {"Authorization": "Basic " + b64encode(f"{device}:{secret}".encode()).decode()}


async def call(
    world: World,
    who: str,
    method: str,
    path: str = "",
    *,
    status: int | None = None,
    headers: dict[str, str] | None = None,
    **members: Any,  # noqa: ANN401 — members of a body
) -> httpx.Response:
    """Call an operation of devices; fails unless it answers ``status``, where one is given."""
    client = await world.as_(who)
    body = members if method in {"POST", "PATCH"} else None
    answer = await client.request(method, f"{PATH}{path}", json=body, headers=headers)
    assert status is None or answer.status_code == status, answer.text
    return answer


async def register(world: World, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a device
    """Register a telephone; give it with its secret."""
    number = next(_SERIALS)
    given = {
        "kind": "desk_phone",
        "vendor": "yealink",
        "model": "T54W",
        "serial": f"sn {number}",
        "mac_address": f"0015.65{number // 256:02x}.{number % 256:02x}00"[:24],
        **members,
    }
    told: dict[str, Any] = (await call(world, "it", "POST", status=201, **given)).json()
    return told


async def assign(
    world: World, device: str, holder: object, kind: str = "contact", *, who: str = "it"
) -> dict[str, Any]:
    """Give a device to somebody."""
    named = {"type": kind, "id": str(holder)}
    told: dict[str, Any] = (await call(world, who, "POST", f"/{device}/assignments", status=201, holder=named)).json()
    return told


async def read(world: World, who: str, device: str, status: int = 200) -> dict[str, Any]:
    """Read a device as somebody."""
    told: dict[str, Any] = (await call(world, who, "GET", f"/{device}", status=status)).json()
    return told


async def admits(world: World, device: str, secret: str) -> bool:
    """Tell whether the door lets a device in."""
    header = basic(device, secret)["Authorization"].encode()
    try:
        await world.application.devices.door.admit([(b"authorization", header)])
    except DeviceRefused:
        return False
    return True
