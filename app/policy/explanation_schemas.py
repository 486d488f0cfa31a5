"""What is asked about views, and what is told of them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.permissions.explaining import Way
from app.permissions.outcomes import FieldClass, Purpose, Reason, State, Tier

OutcomeName = Literal["hidden", "mask_full", "mask_coarse", "mask_fine", "clear"]


class ExplanationRequest(Input):
    """Whose view of whom."""

    contact: UUID
    viewer: UUID | None = Field(
        None, description="Contact id of the person whose view it is; default: the caller. Others: T5."
    )
    fields: Annotated[tuple[str, ...], Field(max_length=30)] = Field((), examples=[["mobile"]])
    purpose: Purpose = Purpose.WORK_CONTACT


class RuleName(Output):
    """A rule as people read it."""

    id: str = Field(examples=["staff.own_department"])
    clauses: list[str] = Field(examples=[["S1c-10.1"]])
    zh: str
    en: str


class ForbidView(RuleName):
    """A rule that hides the contact altogether where it applies."""

    applied: bool


class TriedView(RuleName):
    """How far a rule lets the field be shown and revealed. Of caps, those that speak of the viewer; of grants, those that apply."""

    applied: bool
    shows: OutcomeName | None
    reveals: OutcomeName | None
    liftable: bool
    reason: Reason | None = Field(None, description="Of grants: what a reveal by this rule has to say.")


class ExceptionView(Output):
    """A live grant of an approved request that speaks of the field."""

    id: UUID
    outcome: OutcomeName
    ends_at: datetime


class RequestDraft(Output):
    """A request, filled in as far as the explanation knows."""

    kind: str = Field(examples=["field.reveal"])
    subject: dict[str, Any]
    form: dict[str, Any]


class ChangeView(Output):
    """The nearest change that would show more."""

    way: Way = Field(
        description=(
            "`reveal`: post a reveal; `purpose`: look for the purpose in `value`; `step_up`: prove who you are once more; "
            "`settle`: have the mark in `value` settled; `request`: file the request."
        )
    )
    value: str | None
    leads_to: OutcomeName
    reason: Reason | None = Field(description="What the reveal then has to say; null for a request.")
    request: RequestDraft | None


class FieldExplanation(Output):
    """Why one field is shown as far as it is. `card` stands for the C1 members."""

    field: str
    field_class: FieldClass = Field(alias="class")
    state: Literal[State.SHOWN, State.MASKED, State.WITHHELD]
    outcome: OutcomeName
    revealed: OutcomeName = Field(description="How far a reveal would go.")
    reason: Reason = Field(
        description="What a reveal has to say: `case` a case number too; `none` where it shows no more than the card."
    )
    decided_by: list[str] = Field(description="The rules that give most, or the exceptions that lead further.")
    forbids: list[ForbidView]
    caps: list[TriedView]
    grants: list[TriedView]
    exceptions: list[ExceptionView]
    obligations: list[str]
    change: ChangeView | None = Field(description="Null where nothing leads further.")


class ExplainedViewer(Output):
    """Whose view it is."""

    id: str
    name: str
    tier: Tier
    roles: list[str]
    marks: list[str]


class ExplanationView(Output):
    """A view of one contact, explained."""

    contact: UUID
    viewer: ExplainedViewer
    purpose: Purpose
    visible: bool
    policy_version: str
    fields: list[FieldExplanation]
    disclosure: DisclosureNote


class ReportQuery(Input):
    """For which purpose the report asks."""

    purpose: Purpose = Purpose.WORK_CONTACT


class SightView(Output):
    """How far a class is shown on a card, and how far a reveal goes."""

    shown: OutcomeName
    revealed: OutcomeName


class MemberView(Output):
    """Somebody of a group."""

    id: str
    name: str


class AccessGroupView(Output):
    """People who are shown the same by the same rules."""

    people: int
    sight: dict[FieldClass, SightView]
    rules: list[RuleName]
    roles: dict[str, int] = Field(description="How many of them have a role; who has none counts as `employee`.")
    tiers: dict[Tier, int]
    members: list[MemberView] | None = Field(
        description="At most 50 of them, for the security team; null for the person."
    )


class AccessReportView(Output):
    """Who can see what of a contact; whoever is shown most stands first."""

    contact: UUID
    purpose: Purpose
    policy_version: str
    asked: int = Field(description="People who may sign in, all of whom were asked about.")
    groups: list[AccessGroupView]
    disclosure: DisclosureNote


class StrengthReceipt(Output):
    """The job that measures; its result tells, per field and mask, contacts, least, median, alone, and whether the mask is weak."""

    job_id: UUID


class ClauseRuleView(Output):
    """A rule that carries out a clause."""

    id: str
    effect: Literal["forbid", "cap", "grant"]
    zh: str
    en: str
    tests: list[str] = Field(description="Tests of the pack that the rule decides.")
    last_decided_at: datetime | None = Field(description="When it last decided a look; within a minute.")


class ClauseView(Output):
    """A clause of a rule book or a law."""

    clause: str = Field(examples=["S1c-10.1"])
    rules: list[ClauseRuleView]
    last_decided_at: datetime | None


class ClauseList(Output):
    """Every clause that the pack in force carries out."""

    items: list[ClauseView]
    policy_version: str


class BoardQuery(Input):
    """In which language the page is."""

    lang: Literal["zh", "en"] = "zh"
