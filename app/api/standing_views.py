"""How roles, tiers and grants are asked for, and what leaves: the shapes for OpenAPI."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.auth.roles import Held, Role
from app.contacts.own_schemas import GrantScopeView
from app.contacts.schemas import DepartmentView
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Outcome, Purpose, Tier
from app.permissions.plan import ScopeKind


class HolderView(Output):
    """Somebody who holds something, as far as the reader may know of them."""

    id: UUID
    name: str | None = Field(examples=["欧阳明"])
    title: str | None = Field(examples=["人事主管"])
    department: DepartmentView | None


class RoleView(Output):
    """A role: what it is called, how it is come by, and who holds it."""

    role: Role
    zh: str = Field(examples=["人事"])
    en: str = Field(examples=["HR"])
    held: Held = Field(
        description="`everybody` in service has it; a `position` in a department brings it; else it is `given`."
    )
    business: bool = Field(description="A business scope of tier T3.")
    scopes: list[str] = Field(description="What it adds to a token.", examples=[["contacts:write"]])
    own: bool = Field(description="Whether the caller holds it.")
    holder_count: int | None = Field(
        description="Null where everybody does. People whom the caller may not know are not counted."
    )
    holders: list[HolderView] = Field(description="The first twenty; the rest at `/v1/roles/{role}/holders`.")


class RoleList(Output):
    """Every role."""

    items: list[RoleView]
    next: None
    disclosure: DisclosureNote


class HoldersQuery(Input):
    """A page of those who hold a role."""

    limit: Limit = 20
    cursor: CursorText | None = None


class HolderPage(Output):
    """A page of those who hold a role, by account name."""

    items: list[HolderView]
    next: str | None
    disclosure: DisclosureNote


class TierView(Output):
    """A tier: the ceiling that a position gives."""

    tier: Tier
    zh: str = Field(examples=["部门负责人"])
    en: str = Field(examples=["Head of a department"])
    own: bool = Field(description="Whether it is the caller's.")
    holder_count: int | None = Field(
        description="Told to tier T5, auditors and system administrators; null for T1 too."
    )


class TierList(Output):
    """Every tier, the lowest first."""

    items: list[TierView]
    next: None
    disclosure: DisclosureNote


class GrantsQuery(Input):
    """Which grants to list. Whoever is not of tier T5, auditor or system administrator is shown their own."""

    holder: UUID | None = Field(None, description="Contact who holds them.")
    kind: ScopeKind | None = Field(None, description="Kind of scope.")
    scope: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        None, description="What the scope names: an id, or a code, region, kind or tag."
    )
    live: bool | None = Field(None, description="In force now, or not; both when left out.")
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, object]:
        """Give the filter without the place in it."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)


class GrantItem(Output):
    """An exception that an approved request made: who may be shown what of whom, how far, for which purpose, until when."""

    id: UUID
    holder: HolderView | None = Field(description="Null when the reader may not know of them.")
    scope: GrantScopeView
    about: str | None = Field(
        description="Name of the contact or department that the scope names, as far as the reader may know it."
    )
    fields: list[str] = Field(examples=[["mobile"]])
    outcome: Literal["hidden", "mask_full", "mask_coarse", "mask_fine", "clear"] = Field(
        description="How far the fields are shown at most; caps still hold."
    )
    purpose: Purpose
    request_id: UUID = Field(description="The request that made it.")
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None = Field(description="When it was given back or taken away before its end.")
    live: bool


class GrantPage(Output):
    """A page of grants, newest first."""

    items: list[GrantItem]
    next: str | None
    disclosure: DisclosureNote


def outcome_name(outcome: Outcome) -> str:
    """Write an outcome as it is told."""
    return outcome.name.lower()
