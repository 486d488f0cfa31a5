"""What comes in about the policy, and the shapes of what goes out. A pack itself comes in as text and is read elsewhere (``reading``)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output

Reason = Annotated[str, StringConstraints(min_length=4, max_length=500)]
State = Literal["candidate", "in_force", "past"]

_DIGEST = "SHA-256 of the canonical JSON of the pack, its tests included."
_LABEL = "As events and disclosures name it."


class PageQuery(Input):
    """Which page."""

    limit: Limit = 20
    cursor: CursorText | None = None


class RuleView(Output):
    """One rule, as it is written in the pack; what a member leaves out is not a condition, or nothing given."""

    id: str = Field(examples=["staff.own_department"])
    effect: Literal["forbid", "cap", "grant"]
    clauses: list[str] = Field(examples=[["S1c-10.1"]])
    zh: str
    en: str
    viewer: dict[str, Any] = Field(description="Which viewers it speaks of.")
    contact: dict[str, Any] = Field(description="Which contacts it speaks of.")
    gives: dict[str, Any] = Field(
        description="What it gives, or at most leaves: outcomes by class, powers, request kinds, obligations, purposes."
    )


class PolicyView(Output):
    """The pack in force."""

    id: UUID
    label: str = Field(description=_LABEL, examples=["open-1.1.0+e5fdad44e822"])
    version: str = Field(examples=["1.1.0"])
    profile: Literal["open", "strict"]
    digest: str = Field(description=_DIGEST)
    zh: str
    en: str
    since: datetime
    rules: list[RuleView]
    tests: int = Field(description="How many examples the pack carries and keeps.")


class Actor(Output):
    """Who did it."""

    type: Literal["person", "service", "operator", "system"]
    id: str


class VersionItem(Output):
    """One stored version."""

    id: UUID
    label: str = Field(description=_LABEL)
    version: str
    profile: Literal["open", "strict"]
    digest: str = Field(description=_DIGEST)
    state: State
    author: Actor
    created_at: datetime


class VersionPage(Output):
    """Versions, newest first."""

    items: list[VersionItem]
    next: str | None
    disclosure: DisclosureNote


class RemarkView(Output):
    """Something in a pack that can never matter."""

    pointer: str = Field(examples=["/rules/3"])
    about: str = Field(examples=["staff.directory"])
    code: Literal["never_applies", "always_forbidden", "above_cap", "asked_in_vain", "unknown_field"]
    en: str
    zh: str


class VersionView(VersionItem):
    """One stored version with its rules, its author's text and what can never matter in it."""

    zh: str
    en: str
    rules: list[RuleView]
    tests: int
    remarks: list[RemarkView]
    source: str
    disclosure: DisclosureNote


class VersionReceipt(Output):
    """What was stored."""

    id: UUID
    label: str
    digest: str
    state: State
    tests: int
    remarks: list[RemarkView]


class ActivationItem(Output):
    """One entry into force."""

    id: UUID
    version: UUID
    previous: UUID | None
    kind: Literal["first", "activated", "rolled_back"]
    at: datetime
    actor: Actor
    request_id: UUID | None
    simulation_id: UUID | None
    reason: str


class ActivationPage(Output):
    """Entries into force, newest first."""

    items: list[ActivationItem]
    next: str | None
    disclosure: DisclosureNote


class SimulationCreate(Input):
    """A pack to compare with the one in force: a stored version by its id, or the pack itself as JSON."""

    candidate: UUID | dict[str, Any] = Field(examples=["019a0000-0000-7000-8000-000000000001"])
    sample: Annotated[int, Field(ge=1, le=20_000, description="Most viewers, and most contacts, to ask about.")] = 2_000


class SimulationReceipt(Output):
    """What was asked; the job tells how far the answer is."""

    id: UUID
    job_id: UUID
    base: str = Field(description=_DIGEST)
    candidate: str = Field(description=_DIGEST)


class CohortRef(Output):
    """What the policy reads of contacts that are counted together."""

    kind: str
    status: str
    secrecy: str


class CellView(Output):
    """Pairs of a viewer and a contact for whom the same would change."""

    role: str = Field(examples=["employee"])
    field_class: Literal["C1", "C2", "C3", "C4", "C5"] = Field(alias="class")
    cohort: CohortRef
    purposes: list[str] = Field(description="For which purposes; all that the two packs speak of, or fewer.")
    power: Literal["show", "reveal", "reason", "match", "order", "count", "export", "lookup", "edit"]
    before: str = Field(
        alias="from", description="Outcome, what a reveal has to say, or `no` and `yes`.", examples=["mask_coarse"]
    )
    to: str = Field(examples=["mask_fine"])
    pairs: int
    viewers: int
    contacts: int


class SampledView(Output):
    """How many were asked about, of how many."""

    viewers: int
    viewers_of: int
    contacts: int
    contacts_of: int


class HeadsView(Output):
    """Heads, each counted once."""

    viewers_gaining: int
    viewers_losing: int
    contacts_shown_more: int
    contacts_shown_less: int


class SimulationResult(Output):
    """Counts, and no value of anybody."""

    base: str = Field(description=_LABEL)
    candidate: str = Field(description=_LABEL)
    sampled: SampledView
    heads: HeadsView
    gained: list[CellView]
    lost: list[CellView]
    high_risk: list[CellView] = Field(
        description="Gains over C4 and C5, over people of a guarded circle, and of export."
    )
    left_out: int = Field(description="Rows beyond the thousand that are listed.")
    steps: int


class SimulationView(Output):
    """One simulation."""

    id: UUID
    state: Literal["pending", "done"]
    base: str = Field(description=_DIGEST)
    candidate: str = Field(description=_DIGEST)
    current: bool = Field(description="Whether the base is still in force; else the result speaks of the past.")
    job_id: UUID | None
    sample: int
    author: Actor
    created_at: datetime
    finished_at: datetime | None
    result: SimulationResult | None
    disclosure: DisclosureNote
