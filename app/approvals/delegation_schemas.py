"""What comes in about who decides for whom, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from app.approvals.chains import KindName
from app.approvals.delegation_rules import Cause, Reason
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose

MOST_KINDS = 50

_KINDS = "Only requests of these kinds (`/v1/request-kinds`); absent or null: of every kind."
_EXAMPLE: dict[str, Any] = {
    "to": "019a0000-0000-7000-8000-000000000001",
    "kinds": ["field.reveal", "share.cross_dept"],
    "from": "2026-12-01T00:00:00+08:00",
    "until": "2026-12-08T00:00:00+08:00",
    "reason": "OUT_OF_OFFICE",
}


class DelegationCreate(Input):
    """Somebody is to decide for the caller, or for an absent person whose superior the caller is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    to: UUID = Field(description="Who is to decide: a colleague, by the id of the contact.")
    kinds: Annotated[tuple[KindName, ...], Field(min_length=1, max_length=MOST_KINDS)] | None = Field(
        None, description=_KINDS
    )
    since: AwareDatetime | None = Field(
        None, alias="from", description="From this time on; absent: from now on. What is pending then counts too."
    )
    until: AwareDatetime = Field(description="To just before this time.")
    reason: Reason = Reason.MANUAL
    on_behalf_of: UUID | None = Field(
        None, description="Whose decisions are given away; absent: the caller's own. Their superior alone can."
    )


class DelegationReadQuery(Input):
    """How a delegation is read."""

    purpose: Purpose = Purpose.WORK_CONTACT


class DelegationQuery(DelegationReadQuery):
    """Which delegations are listed; those of the caller, and of everybody to security and audit."""

    side: Literal["given", "received"] | None = Field(
        None, description="Only those that the person gave, or that they were given."
    )
    person: UUID | None = Field(
        None, description="Of this person; absent: the caller's own, or everybody's to overseers."
    )
    live: bool | None = Field(None, description="Only those in force now, or only the others.")
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit", "purpose"}, exclude_defaults=True)


class PartyDepartment(Output):
    """Where somebody works."""

    id: UUID
    code: str = Field(examples=["RD"])
    name: str = Field(examples=["研发中心"])
    path: str = Field(examples=["研发中心"])


class PartyView(Output):
    """A side of a delegation, as far as the reader may know of them."""

    id: UUID
    name: str | None = Field(examples=["欧阳明"])
    title: str | None = Field(examples=["研发主管"])
    department: PartyDepartment | None


class DelegationState(Output):
    """What a delegation is, beside who it is between."""

    id: UUID
    kinds: list[str] | None = Field(description="Null: every kind.", examples=[["field.reveal"]])
    since: datetime = Field(alias="from")
    until: datetime
    reason: Reason
    state: Literal["planned", "live", "ended"]
    ended_at: datetime | None = Field(description="When it ended before its time.")
    cause: Cause | None = Field(description="Why it did.")


class DelegationView(DelegationState):
    """One delegation. A side whom the caller may not know of is null."""

    principal: PartyView | None = Field(description="Whose decisions they are.")
    delegate: PartyView | None = Field(description="Who decides for them.")
    filed_by: PartyView | None


class DelegationRead(DelegationView):
    """One delegation, and under which record it was shown."""

    disclosure: DisclosureNote


class DelegationPage(Output):
    """A page of delegations, newest first."""

    items: list[DelegationView]
    next: str | None
    disclosure: DisclosureNote


class DelegationReceipt(DelegationState):
    """What was given away, as the caller said it."""

    principal: UUID
    delegate: UUID
