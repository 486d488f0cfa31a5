"""What others learn of an emergency, as notices: ids and codes only, never a value or a reason."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.emergency.rules import Session
from app.kit.models import new_id
from app.notices.notice import Audience, Notice

INFOSEC: Final = ("infosec",)
REVIEWERS: Final = ("infosec", "hr")


def notice_of(
    session: Session,
    kind: str,
    at: datetime,
    *,
    people: tuple[UUID, ...] = (),
    roles: tuple[str, ...] = INFOSEC,
    subscribers: bool = True,
    **further: Any,  # noqa: ANN401 — ids and codes
) -> Notice:
    """Write a notice about a session."""
    about = {"id": session.id, "version": session.row_version, "scenario": session.scenario.value}
    links = {"session": f"/v1/emergency-sessions/{session.id}"}
    return Notice(
        id=new_id(),
        type=f"emergency.{kind}",
        occurred_at=at,
        body={"emergency": about, "actor": session.actor_id, "links": links, **further},
        audience=Audience(people=people, roles=roles, subscribers=subscribers),
    )
