"""Whom open requests are about, for whoever has to wait until they are decided. Ids; says nothing of what is asked."""

from typing import Final
from uuid import UUID

from sqlalchemy import String, bindparam, select

from app.approvals.machine import OPEN
from app.approvals.models import ApprovalRequest
from app.approvals.values import Subject
from app.kit.query import Query, Source

_CONTACT: Final = "contact"
_OPEN: Final = Query(
    select(ApprovalRequest.subject_type, ApprovalRequest.subject_id)
    .where(ApprovalRequest.state.in_(sorted(each.value for each in OPEN)), ApprovalRequest.subject_type == _CONTACT)
    .distinct()
)


_ABOUT: Final = Query(
    select(ApprovalRequest.id).where(
        ApprovalRequest.subject_id == bindparam("subject", type_=String()), ApprovalRequest.subject_type == _CONTACT
    )
)


class OpenRequests:
    """Reads them."""

    async def contacts(self, source: Source) -> frozenset[UUID]:
        """Give the contacts that a request is about which somebody has still to decide."""
        found = (Subject(*row).uuid for row in await _OPEN.rows(source))
        return frozenset(each for each in found if each is not None)

    async def about(self, source: Source, contact_id: UUID) -> list[UUID]:
        """Name every request that was ever about somebody, open or ended."""
        return [row[0] for row in await _ABOUT.rows(source, subject=str(contact_id))]
