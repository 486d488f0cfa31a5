"""How others learn of an emergency: the joint with notices, and the notices that there are. Ids and codes only, never a value or a reason.

``Notice`` and ``Audience`` have the shape of those of notices, which this package is wired to by its one method.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.emergency.rules import Session
from app.kit.db import UnitOfWork
from app.kit.models import new_id

INFOSEC: Final = ("infosec",)
REVIEWERS: Final = ("infosec", "hr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who is to be told: people by their contact ids, holders of roles, and whoever has subscribed."""

    people: tuple[UUID, ...] = ()
    roles: tuple[str, ...] = ()
    subscribers: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened."""

    id: UUID
    type: str
    occurred_at: datetime
    body: Mapping[str, Any]
    audience: Audience = field(default_factory=Audience)


class Teller(Protocol):
    """Takes notices."""

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Put a notice into the transaction of ``unit``."""
        ...


class OnRecord:
    """Tells nobody, and puts on record that there was something to tell: for a service without notices."""

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Write the notice's event."""
        detail = {"type": notice.type, "roles": list(notice.audience.roles), **notice.body}
        author = Author(type="system", id="emergency")
        people = notice.audience.people
        draft = written(author, "emergency.notice", notice.occurred_at, contacts=people, query=detail)
        await add_intent(unit.session, draft)


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
