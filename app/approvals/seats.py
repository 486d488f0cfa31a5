"""As what people are asked now, read from the index of tasks: a few rows, however many requests are open."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.approvals.course import State
from app.approvals.models import ApprovalRequest, ApprovalTask
from app.auth.repository import Query, Source


@dataclass(frozen=True, slots=True)
class Seat:
    """As what somebody is asked in open tasks of a kind."""

    person: UUID
    basis: str | None
    kind: str


class Seats:
    """Queries on open tasks."""

    async def taken(self, source: Source) -> list[Seat]:
        """List as what people are asked now."""
        statement = select(ApprovalTask.person_id, ApprovalTask.basis, ApprovalTask.kind).where(ApprovalTask.open)
        return [Seat(*row) for row in await Query(statement.distinct()).rows(source)]

    async def requests(self, source: Source, seats: Iterable[Seat]) -> list[UUID]:
        """List the requests in which somebody is asked as one of ``seats``."""
        found: dict[UUID, None] = {}
        for each in seats:
            statement = select(ApprovalTask.request_id).where(
                ApprovalTask.open,
                ApprovalTask.person_id == each.person,
                ApprovalTask.kind == each.kind,
                ApprovalTask.basis.is_(None) if each.basis is None else ApprovalTask.basis == each.basis,
            )
            found |= dict.fromkeys(row[0] for row in await Query(statement).rows(source))
        return list(found)

    async def unasked(self, source: Source) -> list[UUID]:
        """List requests that are pending and ask nobody: nobody was found when their step began."""
        asks = select(ApprovalTask.request_id).where(ApprovalTask.request_id == ApprovalRequest.id, ApprovalTask.open)
        statement = select(ApprovalRequest.id).where(
            ApprovalRequest.next_at.is_not(None), ApprovalRequest.state == State.PENDING.value, ~asks.exists()
        )
        return [row[0] for row in await Query(statement).rows(source)]
