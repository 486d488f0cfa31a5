"""How a device is written: one rendering for looks and receipts, by how much of it the viewer is told."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from app.devices.rules import Assignment, Device, Sight, State


def device_view(device: Device, held: Assignment | None, told: Sight, known: Collection[UUID]) -> dict[str, Any]:
    """Write a device with who has it now; ``known`` are the contacts of whom the viewer may know."""
    full = told is Sight.FULL
    waits = device.state is State.TO_HAND_OVER
    return {
        "id": str(device.id),
        "kind": device.kind,
        "vendor": device.vendor,
        "model": device.model,
        "serial": device.serial if full else None,
        "mac_address": device.mac_address if full else None,
        "label": device.label,
        "department": None if device.department_id is None else str(device.department_id),
        "room": device.room,
        "follows": device.follows,
        "state": device.state.value,
        "holder": None if held is None else holder_view(held, known),
        "hand_over_by": device.due_at.isoformat() if waits and device.due_at is not None else None,
        "answerable": str(device.answerable_id) if waits and device.answerable_id in known else None,
        "version": str(device.row_version),
    }


def holder_view(held: Assignment, known: Collection[UUID]) -> dict[str, Any]:
    """Write who has a device; somebody of whom the viewer may not know has no id."""
    is_told = held.holder_type == "department" or held.holder_id in known
    return {
        "type": held.holder_type,
        "id": str(held.holder_id) if is_told else None,
        "code": held.holder_name,
        "since": held.since.isoformat(),
    }


def past_view(held: Assignment, known: Collection[UUID]) -> dict[str, Any]:
    """Write who has or had a device."""
    until = None if held.ended_at is None else held.ended_at.isoformat()
    return {**holder_view(held, known), "until": until, "cause": held.cause}


def people_of(device: Device, held: Assignment | None) -> list[UUID]:
    """List the contacts whom a device names."""
    holder = [held.holder_id] if held is not None and held.holder_type == "contact" else []
    return [*holder, *([device.answerable_id] if device.answerable_id is not None else [])]
