"""What happens to a request, as notices: which of it is told to others, to whom, and with what. Ids, codes and times alone.

Who is asked is told that they are; who filed it, what came of it. Programs that subscribed are told all of it, in the order of versions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.approvals.delegation_rules import Delegated
from app.approvals.request import Request
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.service import Notices

_TYPES: Final[Mapping[str, str]] = {
    "request.add": "request.activated",
    "request.amend": "request.amended",
    "request.apply": "request.applied",
    "request.comment": "request.commented",
    "request.decide": "request.decided",
    "request.end": "request.revoked",
    "request.escalate": "request.escalated",
    "request.expire": "request.expired",
    "request.fail": "request.failed",
    "request.file": "request.filed",
    "request.overdue": "request.overdue",
    "request.reassign": "request.reassigned",
    "request.remind": "request.reminder",
    "request.reschedule": "request.rescheduled",
    "request.stale": "request.needs_reapproval",
    "request.step": "request.activated",
    "request.time_out": "request.timed_out",
    "request.transfer": "request.transferred",
    "request.withdraw": "request.withdrawn",
}
"""The notice of each event of a request; one that is not here (a check was made) is on record and told to nobody."""
_BY_STATE: Final[Mapping[tuple[str, str], str]] = {
    ("request.end", "returned"): "request.returned",
    ("request.consent_lapse", "rejected"): "request.decided",
}
"""Notices of events that are told by what came of them."""
_REASSIGNED: Final = "request.reassigned"
"""Told to whoever filed it and to whoever is asked now: who was asked before is not there to be told."""
_ASKS: Final = frozenset({"request.activated", "request.escalated", "request.reminder", "request.transferred"})
_TO_NOBODY: Final = frozenset({"request.filed", "request.rescheduled"})
"""What only programs are told: whoever filed a request knows, and whoever is asked is told that they are."""


class RequestTeller:
    """Tells what happens to requests (``advancing.Teller``)."""

    def __init__(self, notices: Notices) -> None:
        """Take what tells."""
        self._notices = notices

    async def request(self, unit: UnitOfWork, what: str, request: Request, people: tuple[UUID, ...]) -> None:
        """Promise, in this transaction, to tell ``people`` and whoever has subscribed."""
        notice_type = _BY_STATE.get((what, request.state.value)) or _TYPES.get(what)
        if notice_type is not None:
            await self._notices.tell(unit, _notice(notice_type, request, people))


class DelegationNotices:
    """Tells both sides of a delegation that it was given or ended (``delegations.DelegationTeller``)."""

    def __init__(self, notices: Notices) -> None:
        """Take what tells."""
        self._notices = notices

    async def told(self, unit: UnitOfWork, change: str, delegation: Delegated, at: datetime) -> None:
        """Promise, in this transaction, to tell both sides and whoever has subscribed."""
        body = {"delegation": {"id": delegation.id, "version": delegation.row_version}, "until": delegation.ends_at}
        people = (delegation.principal_id, delegation.delegate_id)
        await self._notices.tell(
            unit,
            Notice(
                id=new_id(),
                type=f"delegation.{change}",
                occurred_at=at,
                body=body,
                audience=Audience(people=people),
            ),
        )


def _notice(notice_type: str, request: Request, people: tuple[UUID, ...]) -> Notice:
    stage = request.course.at
    about = {"id": request.id, "kind": request.kind, "state": request.state.value, "version": request.version}
    body: dict[str, Any] = {"request": about}
    if stage is not None:
        deadline = request.deadlines.get(stage.id)
        body |= {"step": stage.id, "due_at": None if deadline is None else deadline.due}
    asked = () if stage is None else stage.waiting_for
    if notice_type in _ASKS:
        told = tuple(each for each in people if each in asked)
    elif notice_type == _REASSIGNED:
        told = tuple(each for each in people if each == request.requester or each in asked)
    elif notice_type in _TO_NOBODY:
        told = ()
    else:
        told = tuple(each for each in people if each == request.requester)
    return Notice(
        id=new_id(), type=notice_type, occurred_at=request.updated_at, body=body, audience=Audience(people=told)
    )
