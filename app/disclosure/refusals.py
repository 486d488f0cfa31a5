"""Refusals of known callers, put on record: who wanted what, of a reveal which fields, and under which code it was refused.

Runs after the transaction of the request has been rolled back and before the answer leaves. A caller whose account is bound to nobody is
named by client and a keyed hash of the user name, since the log holds no personal value.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from fastapi import FastAPI

from app.audit.events import CohortEntry, EventDraft
from app.audit.terms import Terms
from app.audit.writer import AccessLog
from app.auth.subject import Device, Person, kind_of
from app.kit.clock import Clock
from app.kit.context import RequestContext
from app.kit.errors import Problem
from app.kit.models import new_id
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer


class Records(Protocol):
    """What recording a refusal needs of the application."""

    log: AccessLog
    clock: Clock
    terms: Terms


def recorder(app: FastAPI) -> Callable[[RequestContext, Problem], Awaitable[None]]:
    """Give what puts a refusal on record for ``app``; it raises ``LogUnavailable`` when it cannot."""

    async def record(context: RequestContext, problem: Problem) -> None:
        parts: Records = app.state.application
        viewer, subject = context.viewer, context.subject
        standing = viewer.standing if isinstance(viewer, Viewer) else None
        unbound = (
            {"subject": parts.terms.masked(subject.user_name)}
            if standing is None and isinstance(subject, Person)
            else {}
        )
        await parts.log.record(
            EventDraft(
                id=new_id(),
                at=parts.clock.now(),
                actor_type=kind_of(subject),
                actor_id=_actor(context) if standing is None else standing.actor_id,
                tier=standing.tier.value if standing is not None and standing.kind == "person" else None,
                department_id=standing.main_department if standing is not None else None,
                client_id=context.client_id,
                on_behalf_of=viewer.on_behalf_of if isinstance(viewer, Viewer) else None,
                action=context.action or "request",
                decision="refused",
                code=problem.code,
                purpose=context.purpose,
                policy_version=viewer.plan(Purpose.WORK_CONTACT).pack_label if isinstance(viewer, Viewer) else None,
                cohorts=(CohortEntry({}, (context.sought,)),) if context.sought is not None else (),
                fields=context.fields,
                query=unbound or None,
                address=context.address,
                request_id=context.request_id,
            )
        )

    return record


def _actor(context: RequestContext) -> str | None:
    """Name who was refused before anything was known of their standing; the log has no user name."""
    subject = context.subject
    if isinstance(subject, Person):
        return None
    return str(subject.device_id) if isinstance(subject, Device) else context.client_id
