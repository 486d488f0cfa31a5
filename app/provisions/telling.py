"""What others learn of a provision, as notices and as events: ids and codes, never a value, a recipient or a reason."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.provisions.rules import Provision

OVERSEERS: Final = ("administration", "infosec")
"""Roles that are told of what goes outside."""


class Notices(Protocol):
    """Takes notices."""

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Put a notice into the transaction of ``unit``."""
        ...


class ProvisionTeller:
    """Puts on record, and tells, what happens to provisions."""

    def __init__(self, notices: Notices) -> None:
        """Take what tells."""
        self._notices = notices

    async def told(
        self,
        unit: UnitOfWork,
        what: str,
        provision: Provision,
        at: datetime,
        *,
        people: Iterable[UUID] = (),
        roles: tuple[str, ...] = (),
        **further: Any,  # noqa: ANN401 — ids and codes
    ) -> None:
        """Promise, in this transaction, to tell ``people``, holders of ``roles`` and whoever has subscribed."""
        about = {"id": provision.id, "version": provision.row_version, "state": provision.state.value}
        notice = Notice(
            id=new_id(),
            type=f"provision.{what}",
            occurred_at=at,
            body={"provision": about, "return_by": provision.return_by, **further},
            audience=Audience(people=tuple(dict.fromkeys(people)), roles=roles),
        )
        await self._notices.tell(unit, notice)


async def recorded(
    unit: UnitOfWork,
    author: Author,
    what: str,
    provision: Provision,
    at: datetime,
    *,
    contacts: Iterable[UUID] = (),
    fields: tuple[str, ...] = (),
    **further: Any,  # noqa: ANN401 — ids and codes
) -> None:
    """Put on record what somebody did to a provision, in this transaction."""
    query = {"provision": str(provision.id), "request": str(provision.request_id), **further}
    draft = written(author, f"provision.{what}", at, contacts=tuple(contacts), fields=fields, query=query)
    await add_intent(unit.session, draft)
