"""The client behind ``duanhao devices``: what is asked, and how it is told on a line.

A secret stands in the one answer that makes it, so what makes one is sent once: whoever loses the answer looks, and gets another.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.cli.numbering import Service, called

DEVICES: Final = "/v1/devices"
READ: Final = "devices:read"
WRITE: Final = "devices:write"


def listed(service: Service, query: Mapping[str, str], *, as_json: bool) -> int:
    """List devices; give the exit code."""

    def told(answer: Mapping[str, Any]) -> str:
        more = [] if answer["next"] is None else ["… more 更多: --limit"]
        return "\n".join([*map(_line, answer["items"]), *more] or ["none 无"])

    return called(service, READ, lambda caller: caller.get(DEVICES, query=query), told, as_json=as_json)


def add(service: Service, body: Mapping[str, Any], *, as_json: bool) -> int:
    """Register a device; give the exit code, having told its id and secret."""
    return called(service, WRITE, lambda caller: caller.once(DEVICES, body), _secret, as_json=as_json)


def rotate_secret(service: Service, device: str, overlap_hours: int, *, as_json: bool) -> int:
    """Get another secret for a device; give the exit code, having told it."""
    path, body = f"{DEVICES}/{device}/secrets", {"overlap_hours": overlap_hours}
    return called(service, WRITE, lambda caller: caller.once(path, body), _secret, as_json=as_json)


def act(service: Service, device: str, part: str, body: Mapping[str, Any], *, as_json: bool) -> int:
    """Do something to a device by creating ``part`` of it; give the exit code, having said how it stands."""
    path = f"{DEVICES}/{device}/{part}"
    return called(service, WRITE, lambda caller: caller.post(path, body), _line, as_json=as_json)


def retire(service: Service, device: str, *, as_json: bool) -> int:
    """End a device for good; give the exit code."""
    path = f"{DEVICES}/{device}"
    return called(
        service,
        WRITE,
        lambda caller: caller.change("DELETE", path),
        lambda _: f"{device} retired 已报废",
        as_json=as_json,
    )


def _secret(answer: Mapping[str, Any]) -> str:
    return f"{answer['id']} {answer['secret']}"


def _line(device: Mapping[str, Any]) -> str:
    holder = device["holder"]
    marks = [
        device["label"],
        device["room"],
        device["mac_address"],
        None if holder is None else f"{holder['type']} {holder['code'] or holder['id'] or '?'}",
        None if device["hand_over_by"] is None else f"hand over by 须移交 {device['hand_over_by']}",
    ]
    return " · ".join([f"{device['id']} {device['state']} {device['vendor']} {device['model']}", *filter(None, marks)])
