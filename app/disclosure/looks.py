"""What the log is told of a look, what the look costs, and the note that goes with the answer.

Pure but for the request at hand, which names itself. The gate decides and opens; here is only how that is written down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import StringConstraints

from app.audit.events import CASE, CohortEntry, EventDraft
from app.disclosure.programs import Program
from app.disclosure.records import Record
from app.kit.context import current_request
from app.kit.models import new_id
from app.permissions.outcomes import Purpose
from app.permissions.plan import Plan, Standing
from app.permissions.standing import Viewer

CaseNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,15}-[0-9]{4,10}$")]
"""How a case is called: a register and a number in it. It stands in the log as it is, with no room for a mobile or an identity number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look is, beside whom it shows: for the log. ``case`` is the number of the case that it is for."""

    action: str
    purpose: Purpose
    query: Mapping[str, Any] | None = None
    reason: bytes | None = None
    fields: tuple[str, ...] = ()
    case: str | None = None


def draft_of(
    viewer: Viewer, plan: Plan, look: Look, at: datetime, told: tuple[CohortEntry, ...], count: int
) -> EventDraft:
    """Draft the event of a look: who, under which rules, at whom; one inside an emergency session names the session in ``query``."""
    standing, context = viewer.standing, current_request()
    return EventDraft(
        id=new_id(),
        at=at,
        actor_type=standing.kind,
        actor_id=standing.actor_id,
        tier=standing.tier.value if standing.kind == "person" else None,
        department_id=standing.main_department,
        client_id=standing.client_id,
        on_behalf_of=viewer.on_behalf_of,
        action=look.action,
        decision="allowed",
        purpose=look.purpose.value,
        reason=look.reason,
        policy_version=plan.pack_label,
        cohorts=told,
        fields=look.fields,
        query=_query(look, plan),
        count=count,
        address=context.address if context else None,
        request_id=context.request_id if context else None,
    )


def _query(look: Look, plan: Plan) -> Mapping[str, Any] | None:
    """Write what was asked for, with the case that it was asked for and the emergency session that it was asked in."""
    case = {} if look.case is None else {CASE: look.case}
    inside = {} if plan.emergency is None else {"emergency": str(plan.emergency.session_id)}
    return {**(look.query or {}), **case, **inside} if case or inside else look.query


def charged(standing: Standing, admitted: Sequence[tuple[Record, Program]]) -> int:
    """Count the contacts that cost something, as ``counts`` does for one; by their bytes, which are compared ten times as fast as ids."""
    contact = standing.contact_id
    own = None if contact is None else contact.bytes
    costs = [
        record.subject_bytes != own and record.cohort.kind != "hotline"
        for record, program in admitted
        if program.charged
    ]
    return sum(costs)


def counts(viewer: Viewer, record: Record) -> bool:
    """Tell whether looking at a contact costs anything: oneself and hotlines are free."""
    return record.subject != viewer.standing.contact_id and record.cohort.kind != "hotline"


def entries(
    admitted: Sequence[tuple[Record, Program]],
) -> tuple[tuple[CohortEntry, ...], dict[UUID, frozenset[str]]]:
    """Write what the log is told of a look, one entry per program, and what the permit is to open."""
    grouped: dict[int, tuple[Program, list[Record]]] = {}
    for record, program in admitted:
        grouped.setdefault(id(program), (program, []))[1].append(record)
    packed = tuple(entry(program, records) for program, records in grouped.values())
    return packed, {record.subject: program.scope for record, program in admitted}


def entry(program: Program, records: Sequence[Record]) -> CohortEntry:
    """Write what the log is told of contacts that one program is for."""
    subjects = tuple([record.subject for record in records])
    packed = b"".join([record.subject_bytes for record in records])
    return CohortEntry(program.states, subjects, program.states_json, program.bits, packed)


def note(viewer: Viewer, plan: Plan, event_id: UUID | None, obligations: Sequence[str]) -> bytes:
    """Write the note that goes with an answer: under which record and rules, and what the reader owes.

    The watermark of what was shown inside an emergency session names the session too.
    """
    inside = "" if plan.emergency is None else f" · {plan.emergency.session_id}"
    return orjson.dumps(
        {
            "event_id": None if event_id is None else str(event_id),
            "purpose": plan.purpose.value,
            "policy_version": plan.pack_label,
            "obligations": list(obligations),
            "watermark": f"{viewer.standing.name} · {viewer.standing.client_id}{inside}",
        }
    )
