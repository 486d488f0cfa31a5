"""What comes in about business facts, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from app.disclosure.view import DisclosureNote
from app.engagements.rules import FACTS, MOST_STAFF
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose
from app.permissions.plan import Fact

MOST_AT_ONCE = 100

Reference = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
StaffRef = Annotated[str, StringConstraints(min_length=1, max_length=36)]

_REFERENCE = (
    "The reference in the system that pushes; exactly one of `account`, `order` and `ticket`. No personal data."
)
_STAFF = "Who works on it: ids or employee numbers."
_UNTIL = "When it ends, and the staff's rights with it; absent or null: open."
_EXAMPLE: dict[str, Any] = {"order": "SO-2026-0001", "staff": ["E2103"], "until": "2099-12-31T10:00:00Z"}


class EngagementCreate(Input):
    """A business fact about an external contact: that it has an account, an order in hand or an open ticket, and who works on it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    account: Reference | None = Field(None, description=_REFERENCE)
    order: Reference | None = Field(None, description=_REFERENCE)
    ticket: Reference | None = Field(None, description=_REFERENCE)
    staff: Annotated[tuple[StaffRef, ...], Field(min_length=1, max_length=MOST_STAFF)] = Field(description=_STAFF)
    since: AwareDatetime | None = Field(None, description="When it began; absent: now. Not in the future.")
    until: AwareDatetime | None = Field(None, description=_UNTIL)

    @model_validator(mode="after")
    def _one_reference(self) -> Self:
        if sum(getattr(self, each) is not None for each in FACTS) != 1:
            code, detail = "one_reference", "Give exactly one of account, order and ticket."
            raise Rejected(code, detail, "account、order、ticket 必须且只能填写一个。")
        return self

    @property
    def kind(self) -> Fact:
        """Which fact it is."""
        (kind,) = (each for each in FACTS if getattr(self, each) is not None)
        return kind

    @property
    def reference(self) -> str:
        """What its source calls it."""
        found: str = getattr(self, self.kind)
        return found


class BatchItem(EngagementCreate):
    """One fact of a batch, with the contact that it is about."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"contact": "019a0000-0000-7000-8000-000000000001", **_EXAMPLE}]}
    )
    contact: UUID


class EngagementBatch(Input):
    """Facts that are pushed together; each is taken or refused by itself."""

    items: Annotated[tuple[BatchItem, ...], Field(min_length=1, max_length=MOST_AT_ONCE)]


class EngagementAmend(Input):
    """Changes to a fact, as a JSON Merge Patch (RFC 7396)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"staff": ["E2103", "E2104"]}, {"until": None}]})
    staff: Annotated[tuple[StaffRef, ...], Field(max_length=MOST_STAFF)] = Field((), description=_STAFF)
    until: AwareDatetime | None = Field(None, description=_UNTIL)


class EngagementReadQuery(Input):
    """How a fact is read."""

    purpose: Purpose = Purpose.WORK_CONTACT


class EngagementQuery(EngagementReadQuery):
    """How the facts about one contact are listed."""

    state: Literal["open", "ended"] = "open"
    limit: Limit = 20
    cursor: CursorText | None = None


class EngagementListQuery(EngagementQuery):
    """Which facts are listed, over all contacts."""

    unassigned: bool = Field(
        default=False, description="Only those that nobody works on (any more), and that need a new owner."
    )
    assigned: Literal["me"] | None = Field(None, description="Only those that the caller works on.")

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit", "purpose"}, exclude_defaults=True)


class StaffView(Output):
    """Somebody at work on a fact, whom the caller may know of."""

    id: UUID
    since: datetime
    until: datetime | None


class SourceView(Output):
    """Who said it. A person whom the caller may not know of has no id."""

    type: Literal["service", "person", "operator"]
    id: str | None


class EngagementView(Output):
    """One business fact."""

    id: UUID
    contact: UUID
    account: str | None = Field(examples=[None])
    order: str | None = Field(examples=["SO-2026-0001"])
    ticket: str | None = Field(examples=[None])
    state: Literal["open", "ended"]
    staff: list[StaffView] = Field(description="Who works on it now.")
    since: datetime
    until: datetime | None
    source: SourceView
    version: str


class EngagementRead(EngagementView):
    """One business fact, and under which record it was shown."""

    disclosure: DisclosureNote


class EngagementPage(Output):
    """A page of facts, newest first."""

    items: list[EngagementView]
    next: str | None
    disclosure: DisclosureNote


class BatchProblem(Output):
    """Why an item was not taken."""

    code: str = Field(examples=["unknown_staff"])
    detail: str
    pointers: list[str] = Field(examples=[["/staff/0"]])


class BatchOutcome(Output):
    """What became of one item, in the order in which they were sent."""

    state: Literal["created", "replayed", "failed"]
    engagement: EngagementView | None
    problem: BatchProblem | None


class BatchReceipt(Output):
    """What became of a batch."""

    created: int
    replayed: int
    failed: int
    items: list[BatchOutcome]
