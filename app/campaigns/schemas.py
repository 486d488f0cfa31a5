"""What comes in about reviews, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from app.campaigns.rules import MOST_AT_ONCE, Kind, Risk, Silence, Stage, State, Verdict
from app.contacts.schemas import DepartmentView
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output

_ID = "019a0000-0000-7000-8000-000000000001"
_UNTIL = "With `shorten` alone: when the right ends. Before it would end anyway."


class CampaignStart(Input):
    """A campaign that begins now. What is left out is as the service is set up."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "rights"}, {"kind": "accuracy", "answer_days": 5}]}
    )
    kind: Kind = Field(
        description="`rights`: every grant, role and tier, by its owner. `accuracy`: cards, by whom they are about; departments, by heads."
    )
    answer_days: Annotated[int, Field(ge=1, le=60)] | None = Field(None, description="Working days to answer in.")
    suspend_days: Annotated[int, Field(ge=0, le=60)] | None = Field(
        None, description="Working days after the deadline until silence counts."
    )
    on_silence: Silence | None = Field(
        None, description="`suspend` rights that nobody answers for, or `keep` them, which is on record."
    )


class Decision(Input):
    """An answer for one item."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"verdict": "revoke"}, {"verdict": "shorten", "until": "2099-01-31T10:00:00Z"}]}
    )
    verdict: Verdict = Field(description="Rights: `keep`, `shorten`, `revoke`. Cards and lists: `confirm`, `dispute`.")
    until: AwareDatetime | None = Field(None, description=_UNTIL)


class OneDecision(Decision):
    """An answer of several, with the item that it is for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item": _ID, "verdict": "keep"}]})
    item: UUID


class Decisions(Input):
    """Answers for several items, each on its own; or: keep whatever is of low risk."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decisions": [{"item": _ID, "verdict": "keep"}]}, {"keep": "low_risk"}]}
    )
    decisions: Annotated[tuple[OneDecision, ...], Field(max_length=MOST_AT_ONCE)] = ()
    keep: Literal["low_risk"] | None = Field(
        None,
        description=f"Keep at most {MOST_AT_ONCE} open items of the caller's that are of low risk; those of high risk are left.",
    )

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.decisions) == (self.keep is not None):
            code, detail = "either", "Give decisions, or keep, and not both."
            raise Rejected(code, detail, "decisions 与 keep 必须且只能填写一个。")
        return self


class CampaignQuery(Input):
    """How campaigns are listed."""

    limit: Limit = 20
    cursor: CursorText | None = None


class ItemQuery(Input):
    """Which items are listed."""

    reviewer: UUID | Literal["me", "all", "none"] = Field(
        "me",
        description="Whose: one's own, or, for overseers of reviews, anybody's, all, or those that nobody is asked about.",
    )
    state: State | None = None
    risk: Risk | None = None
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_defaults=True)


class ProgressView(Output):
    """How many items there are, how many are still open, and how many of those are of high risk."""

    total: int
    open: int
    open_high_risk: int
    states: dict[State, int] = Field(examples=[{"open": 3, "kept": 12, "revoked": 1}])


class CampaignView(Output):
    """One campaign. ``progress`` is told to overseers of reviews, ``own`` is what the caller is asked."""

    id: UUID
    kind: Kind
    stage: Stage
    scheduled: bool
    on_silence: Silence
    started_at: datetime
    remind_at: datetime
    due_at: datetime
    suspend_at: datetime
    predicted: bool = Field(description="Whether the dates rest on working days that are not confirmed yet.")
    closed_at: datetime | None
    own: ProgressView
    progress: ProgressView | None


class CampaignRead(CampaignView):
    """One campaign, and under which record it was shown."""

    disclosure: DisclosureNote


class CampaignPage(Output):
    """A page of campaigns, newest first."""

    items: list[CampaignView]
    next: str | None
    disclosure: DisclosureNote


class CampaignReceipt(Output):
    """A campaign that was begun; whoever is asked is asked within a minute or so."""

    id: UUID
    kind: Kind
    stage: Stage
    on_silence: Silence
    remind_at: datetime
    due_at: datetime
    suspend_at: datetime
    predicted: bool


class ReviewHolderView(Output):
    """Who holds what is reviewed, as far as the caller may know of them."""

    id: UUID
    name: str | None = Field(examples=["欧阳明"])
    title: str | None
    department: DepartmentView | None


class HintView(Output):
    """Something that our own data says of a right."""

    code: str = Field(examples=["never_used"])
    zh: str
    en: str


class ItemView(Output):
    """One item: what it is about, who holds it, what is known of it, what became of it."""

    id: UUID
    kind: str = Field(
        description="`grant`, `role`, `tier`, `card`, `list`, or another thing that people hold.", examples=["role"]
    )
    reference: str = Field(
        description="The grant's id, the role, the tier, the contact or department.", examples=["sales"]
    )
    about: str | None = Field(description="Whom a grant is for, or the department; where the caller may know.")
    detail: dict[str, Any] = Field(
        description="Of a grant: scope, fields, outcome, purpose, request, end. Ids and codes.",
        examples=[{"fields": ["mobile"], "scope": {"kind": "company", "value": ""}}],
    )
    holder: ReviewHolderView | None
    reviewer: UUID | None
    post: str | None = Field(description="As what the reviewer is asked.", examples=["head"])
    risk: Risk
    hints: list[HintView]
    held_since: datetime | None
    last_used_at: datetime | None = Field(description="When it can have been of use last, as the access log tells.")
    opened: bool = Field(description="Whether the caller has read it by itself.")
    state: State
    until: datetime | None
    decided_at: datetime | None
    verdicts: list[Verdict] = Field(description="What can be answered now.")


class ItemRead(ItemView):
    """One item, and under which record it was shown."""

    disclosure: DisclosureNote


class ItemPage(Output):
    """A page of items."""

    items: list[ItemView]
    next: str | None
    disclosure: DisclosureNote


class DecisionReceipt(Output):
    """What became of an item."""

    item: UUID
    state: State = Field(description="`moot` when the right was gone already.")
    until: datetime | None


class DecisionProblem(Output):
    """Why an answer was not taken."""

    code: str = Field(examples=["campaign_item_unopened"])
    detail: str


class DecisionOutcome(Output):
    """What became of one answer."""

    item: UUID
    state: State | None
    problem: DecisionProblem | None


class DecisionsReceipt(Output):
    """What became of several answers, in their order."""

    taken: int
    refused: int
    left: int = Field(description="Items of the caller's in this campaign that are still open.")
    items: list[DecisionOutcome]


class CardConfirmation(Output):
    """That callers said that their own cards are right."""

    contact: UUID
    confirmed_at: datetime
    answered: int = Field(description="How many open questions of campaigns that answers.")
