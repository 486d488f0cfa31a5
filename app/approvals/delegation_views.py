"""A delegation as it is written out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from app.approvals.delegation_rules import Delegated


def state(each: Delegated, now: datetime) -> Literal["planned", "live", "ended"]:
    """Tell whether it is in force, will be, or will not be again."""
    if each.over(now):
        return "ended"
    return "live" if each.live(now) else "planned"


def written_state(each: Delegated, now: datetime) -> dict[str, Any]:
    """Write everything but who it is between."""
    return {
        "id": each.id,
        "kinds": None if each.kinds is None else sorted(each.kinds),
        "from": each.starts_at,
        "until": each.ends_at,
        "reason": each.reason.value,
        "state": state(each, now),
        "ended_at": each.ended_at,
        "cause": None if each.cause is None else each.cause.value,
    }


def view(each: Delegated, now: datetime, known: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    """Write it for somebody who may know of the people in ``known``."""
    return {
        **written_state(each, now),
        "principal": known.get(each.principal_id),
        "delegate": known.get(each.delegate_id),
        "filed_by": known.get(each.filed_by),
    }


def receipt(each: Delegated, now: datetime) -> dict[str, Any]:
    """Write what the caller said, who named both sides."""
    return {**written_state(each, now), "principal": each.principal_id, "delegate": each.delegate_id}
