"""``devices``: telephones and their like on a running service, over HTTP. The store is never opened here.

All of them end alike: 0 done; 1 the device is not in a state for it, or there is one with that serial number or address already; 2 the call
was refused otherwise, there is no such device, or the service could not be reached.
"""

from typing import Annotated, Any, Literal

import typer

from app.cli.asking import over_http

app = typer.Typer(no_args_is_help=True, help="Telephones and other devices. 话机等终端设备。")
Device = Annotated[str, typer.Argument(help="Id of the device.")]
Kind = Literal["desk_phone", "conference_phone", "dect_phone", "softphone", "gateway"]
State = Literal["in_stock", "in_use", "to_hand_over", "suspended", "lost", "retired"]
Department = Annotated[str | None, typer.Option(help="Where it stands: code or id of a department.")]
Serial = Annotated[str | None, typer.Option(help="Serial number.")]
Address = Annotated[str | None, typer.Option("--mac", help="MAC address, however it is printed.")]


def _given(**members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a body or a query
    return {name: value for name, value in members.items() if value is not None}


def list_(
    service: Any,  # noqa: ANN401 — a ``Service``, whose module is imported when a command runs
    kind: Annotated[Kind | None, typer.Option(help="Of this kind.")] = None,
    state: Annotated[State | None, typer.Option(help="In this state.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Of this vendor.")] = None,
    department: Annotated[str | None, typer.Option(help="Standing there or below: code or id.")] = None,
    holder: Annotated[str | None, typer.Option(help="Had by: id of a contact or department.")] = None,
    serial: Serial = None,
    mac_address: Address = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most of them.")] = 20,
    *,
    as_json: bool,
) -> int:
    """List devices, newest first. 列出设备。"""
    from app.cli import device_calls

    query = _given(
        kind=kind,
        state=state,
        vendor=vendor,
        department=department,
        holder=holder,
        serial=serial,
        mac_address=mac_address,
        limit=str(limit),
    )
    return device_calls.listed(service, query, as_json=as_json)


def add(
    service: Any,  # noqa: ANN401 — as ``list_``
    vendor: Annotated[str, typer.Option(help="Lower case: yealink, grandstream, fanvil …")],
    model: Annotated[str, typer.Option(help="T54W …")],
    kind: Annotated[Kind, typer.Option(help="What it is.")] = "desk_phone",
    serial: Serial = None,
    mac_address: Address = None,
    label: Annotated[str | None, typer.Option(help="What people call it; no personal data.")] = None,
    department: Department = None,
    room: Annotated[str | None, typer.Option(help="Room in which it stands.")] = None,
    follows: Annotated[
        Literal["person", "place"], typer.Option(help="Who moves takes it along, or it stays.")
    ] = "place",
    *,
    as_json: bool,
) -> int:
    """Register a device and print its id and its secret, this once. 登记设备并显示一次密钥。"""
    from app.cli import device_calls

    body = _given(
        kind=kind,
        vendor=vendor,
        model=model,
        serial=serial,
        mac_address=mac_address,
        label=label,
        department=department,
        room=room,
        follows=follows,
    )
    return device_calls.add(service, body, as_json=as_json)


def assign(
    service: Any,  # noqa: ANN401 — as ``list_``
    device: Device,
    holder: Annotated[
        str, typer.Option(help="Who gets it: a contact's id or employee number, `department:CODE` or `room:CODE`.")
    ],
    *,
    as_json: bool,
) -> int:
    """Give a device to somebody; whoever had it has it no more. 领用设备。"""
    from app.cli import device_calls

    kind, _, identity = holder.rpartition(":")
    body = {"holder": {"type": kind or "contact", "id": identity}}
    return device_calls.act(service, device, "assignments", body, as_json=as_json)


def return_(service: Any, device: Device, *, as_json: bool) -> int:  # noqa: ANN401 — as ``list_``
    """Take a device back into stock; its secrets are dead. 归还入库。"""
    from app.cli import device_calls

    return device_calls.act(service, device, "returns", {}, as_json=as_json)


def lost(service: Any, device: Device, *, as_json: bool) -> int:  # noqa: ANN401 — as ``list_``
    """Shut a device out at once and tell security. 挂失设备。"""
    from app.cli import device_calls

    return device_calls.act(service, device, "losses", {}, as_json=as_json)


def rotate_secret(
    service: Any,  # noqa: ANN401 — as ``list_``
    device: Device,
    overlap_hours: Annotated[int, typer.Option(min=0, max=72, help="How long the secret before stays good.")] = 24,
    *,
    as_json: bool,
) -> int:
    """Get another secret for a device and print it with the id, this once. 更换设备密钥并显示一次。"""
    from app.cli import device_calls

    return device_calls.rotate_secret(service, device, overlap_hours, as_json=as_json)


def retire(service: Any, device: Device, *, as_json: bool) -> int:  # noqa: ANN401 — as ``list_``
    """End a device for good; the numbers that it holds rest. 报废设备，名下号码进入冷冻期。"""
    from app.cli import device_calls

    return device_calls.retire(service, device, as_json=as_json)


for name, each in (
    ("list", list_),
    ("add", add),
    ("assign", assign),
    ("return", return_),
    ("lost", lost),
    ("rotate-secret", rotate_secret),
    ("retire", retire),
):
    app.command(name)(over_http(each))
