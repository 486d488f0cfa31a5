"""Who may ask the access log, what their question means, and how it is put on record.

Who may is decided here, after the scope: people of security and audit, and service accounts that were given the scope. A question is
recorded with its filter, and the filter may hold text of the caller's own, which the log does not keep: an actor or a request that could be
anything is written as a keyed hash.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from app.audit.errors import EpochMoved
from app.audit.matching import EventFilter
from app.audit.repository import AccessLogRepository
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.log_names import EventNames, contact_id
from app.disclosure.log_queries import EventCriteria, network_of
from app.kit.context import current_request
from app.kit.errors import FieldError, Invalid
from app.kit.logging import swept
from app.permissions.errors import NotPermitted
from app.permissions.standing import Standings, Viewer

READERS: Final = frozenset({"auditor", "infosec"})
"""Roles whose task the log is (design/security.md: "the security team is told who and whom by name")."""

IN_QUERY, IN_BODY = "?", "/"
"""Where a question stands, for the pointers of its faults."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAccess:
    """What every way of reading the log needs.

    ``fields`` names every field of a contact that an event can tell of; ``masked`` hashes a term for the log.
    """

    events: AccessLogRepository
    names: EventNames
    gate: Gate
    standings: Standings
    fields: frozenset[str]
    masked: Callable[[str], str]

    async def with_current_rights(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        """Do ``attempt`` for a viewer who may; once more, decided anew, when the rights moved meanwhile.

        Raises ``NotPermitted``, ``EpochMoved``, and what ``attempt`` raises.
        """
        admit(viewer)
        try:
            return await attempt(viewer)
        except EpochMoved:
            viewer = await self.standings.of(viewer.subject, fresh=True)
            admit(viewer)
            return await attempt(viewer)

    def wanted(self, viewer: Viewer, asked: EventCriteria, *, place: str) -> EventFilter:
        """Read a question; raise ``Invalid`` for a field or a department that there is not."""
        if asked.field is not None and asked.field not in self.fields:
            raise Invalid(
                errors=[FieldError(f"{place}field", "unknown_value", "There is no such field.", "没有这个字段。")]
            )
        return EventFilter(
            contact_id=asked.contact,
            actor_id=asked.actor,
            action=asked.action,
            decision=asked.decision,
            since=asked.since,
            until=asked.until,
            departments=None if asked.department is None else _departments(viewer.tree, asked.department, place),
            field=asked.field,
            state=None if asked.state is None else str(asked.state),
            purpose=None if asked.purpose is None else asked.purpose.value,
            request_id=asked.request,
            network=None if asked.ip is None else network_of(asked.ip),
            case=asked.case,
        )

    def logged(self, asked: EventCriteria, clients: Mapping[str, str]) -> dict[str, Any]:
        """Write a question for the log; ``clients`` are the service accounts that there are, among those it names."""
        found = dict(asked.shape())
        actor, action, request = asked.actor, asked.action, asked.request
        if actor is not None and contact_id(actor) is None and actor not in clients:
            found["actor"] = self.masked(actor)
        if action is not None and ("." not in action or swept(action) != action):
            found["action"] = self.masked(action)
        if request is not None and swept(request) != request:
            found["request"] = self.masked(request)
        return found


def admit(viewer: Viewer) -> None:
    """Let in whose task the log is; raise ``NotPermitted`` for everybody else."""
    standing = viewer.standing
    if standing.kind == "person" and standing.roles.isdisjoint(READERS):
        raise NotPermitted


def name_action(action: str) -> None:
    """Say what the request is about to do, should it be refused."""
    context = current_request()
    if context is not None:
        context.action = action


def _departments(tree: Tree, named: str, place: str) -> frozenset[UUID]:
    """Give a department and all below it; one that is gone, or not to be trusted, is still found by its id."""
    node = tree.find(named)
    if node is not None:
        return tree.subtree(node.id)
    try:
        return frozenset({UUID(named)})
    except ValueError as error:
        fault = FieldError(f"{place}department", "unknown_department", "There is no such department.", "没有这个部门。")
        raise Invalid(errors=[fault]) from error
