"""Who writes, as the log and the history keep it, and the event that goes beside a write.

Every write has an author: a person, a service account, an operator at the machine, or a job. The author is a value,
so that a service can be used by a route, a command and a job alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.audit.events import ActorType, CohortEntry, EventDraft
from app.kit.models import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who writes: ``id`` is a contact's id for people, the client id for services, a device's own id, the user or job name else.

    ``on_behalf_of`` is the person's contact id again where a back end, ``client_id``, acts for the person. ``signed`` is the source of
    personnel events whose signature a service account came in with instead of a token.
    """

    type: ActorType
    id: str
    tier: str | None = None
    department_id: UUID | None = None
    client_id: str | None = None
    on_behalf_of: str | None = None
    policy_version: str | None = None
    address: str | None = None
    request_id: str | None = None
    signed: UUID | None = None


def written(
    author: Author,
    action: str,
    at: datetime,
    *,
    contacts: Sequence[UUID] = (),
    fields: Sequence[str] = (),
    query: Mapping[str, Any] | None = None,
    reason: bytes | None = None,
) -> EventDraft:
    """Draft the event of a write: who did ``action`` to which contacts, changing which fields; never their values."""
    return EventDraft(
        id=new_id(),
        at=at,
        actor_type=author.type,
        actor_id=author.id,
        tier=author.tier,
        department_id=author.department_id,
        client_id=author.client_id,
        on_behalf_of=author.on_behalf_of,
        action=action,
        decision="allowed",
        reason=reason,
        policy_version=author.policy_version,
        cohorts=(CohortEntry({}, tuple(contacts)),) if contacts else (),
        fields=tuple(fields),
        query=query if author.signed is None else {**(query or {}), "signed": str(author.signed)},
        count=len(contacts),
        address=author.address,
        request_id=author.request_id,
    )
