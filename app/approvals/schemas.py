"""What comes in and goes out of requests."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, AwareDatetime, Field

from app.approvals.chains import KindName
from app.approvals.machine import State
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output

Text = Annotated[str, Field(min_length=1, max_length=2000)]


def _storable(form: dict[str, Any]) -> dict[str, Any]:
    """Refuse what JSON can say and nobody can keep: numbers past 64 bits, halves of characters."""
    try:
        orjson.dumps(form)
    except TypeError as error:
        message = "a form holds numbers of 64 bits and whole characters"
        raise ValueError(message) from error
    return form


Form = Annotated[dict[str, Any], Field(max_length=64), AfterValidator(_storable)]


class SubjectRef(Input):
    """What a request is about."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$", examples=["contact"])]
    id: Annotated[str, Field(min_length=1, max_length=128, examples=["0192f0c0-7c1e-7abc-8def-0123456789ab"])]


class RequestCreate(Input):
    """A request; `form` fits the schema of its kind, `beneficiary` is who gains, the requester unless said."""

    kind: KindName
    subject: SubjectRef
    form: Form
    beneficiary: UUID | None = None
    attachments: Annotated[list[UUID], Field(max_length=10)] = Field(
        default_factory=list, description="Files that the caller has uploaded, beside those that the form names."
    )


class RequestAmend(Input):
    """The form as it is to be from now on; without it, the request is filed again as it was."""

    form: Form | None = None


class Shorter(Input):
    """Less time than was asked for."""

    duration_minutes: Annotated[int, Field(ge=1, le=527_040)] | None = None
    until: AwareDatetime | None = None


class DecisionCreate(Input):
    """What the caller says to the step that awaits them; `for` names the person when it is said for somebody else."""

    decision: Literal["approve", "reject", "return"]
    comment: Annotated[str, Field(max_length=2000)] | None = None
    shorten: Shorter | None = None
    on_behalf_of: UUID | None = None


class BulkDecision(DecisionCreate):
    """One of many."""

    request: UUID


class DecisionBatch(Input):
    """Up to 100 decisions, each on its own."""

    items: Annotated[list[BulkDecision], Field(min_length=1, max_length=100)]


class TransferCreate(Input):
    """Who is to answer instead of the caller, or beside them."""

    to: UUID
    reason: Annotated[str, Field(max_length=500)] | None = None
    on_behalf_of: UUID | None = None


class CommentCreate(Input):
    """Words beside a request."""

    text: Text


class RevocationCreate(Input):
    """Why what was approved is taken back."""

    reason: Text


class RequestListQuery(Input):
    """Which requests: `inbox=true` lists what awaits the caller, the most urgent first; otherwise those that concern them, newest first."""

    inbox: bool = False
    kind: KindName | None = None
    state: State | None = None
    subject: Annotated[str, Field(max_length=128)] | None = None
    all: Annotated[bool, Field(description="For infosec and auditors: everybody's.")] = False
    limit: Limit = 20
    cursor: CursorText | None = None


class PersonView(Output):
    """Somebody by id; with name and place where the caller may know of them."""

    id: UUID
    name: str | None
    title: str | None
    department: dict[str, Any] | None


class Titles(Output):
    """A name in both languages."""

    zh: str
    en: str


class TaskView(Output):
    """One person asked, what they said, and who said it for them."""

    person: PersonView
    how: str
    by: UUID | None
    decision: str | None
    decided_by: PersonView | None
    decided_at: datetime | None
    comment: str | None
    moved: bool


class StepView(Output):
    """One step. `first_due_at` is what was said before the calendar was revised."""

    id: str
    title: Titles
    type: str
    state: str
    due_at: datetime | None
    first_due_at: datetime | None
    predicted: bool | None
    people: list[TaskView]


class RequestItem(Output):
    """A request as lists show it."""

    id: UUID
    kind: str
    title: Titles
    state: str
    version: str
    requester: PersonView
    beneficiary: PersonView
    subject: dict[str, Any]
    step: str | None
    due_at: datetime | None
    awaits_me: bool
    filed_at: datetime
    updated_at: datetime
    ends_at: datetime | None


class CommentView(Output):
    """Words beside a request."""

    id: UUID
    author: PersonView
    text: str
    at: datetime


class AttachedView(Output):
    """A file that the request rests on; `digest` stands for exactly its content, and is part of what is signed."""

    id: UUID
    digest: str


class EffectView(Output):
    """What the request did: ids and codes."""

    effect: str
    result: dict[str, Any]
    applied_at: datetime
    ended_at: datetime | None
    cause: str | None


class RequestRead(RequestItem):
    """A request, whole. `digest` stands for exactly what is asked; every decision is signed over it."""

    form: dict[str, Any]
    term: dict[str, Any]
    round: int
    chain: str
    digest: str
    closes_at: datetime
    problem: str | None
    steps: list[StepView]
    comments: list[CommentView]
    attachments: list[AttachedView]
    effects: list[EffectView]
    actions: list[str]
    disclosure: DisclosureNote


class RequestPage(Output):
    """A page of requests; `waiting` counts what awaits the caller, with `inbox=true`."""

    items: list[RequestItem]
    next: str | None
    waiting: int | None
    disclosure: DisclosureNote


class RequestReceipt(Output):
    """What a write on a request answers."""

    id: UUID
    kind: str
    state: str
    version: str
    step: str | None


class BatchOutcome(Output):
    """What became of one of many decisions."""

    request: UUID
    state: str | None
    problem: dict[str, Any] | None


class BatchReceipt(Output):
    """What became of each, in the order of the batch."""

    items: list[BatchOutcome]


class PreviewStepView(Output):
    """A step as it would be if the request were filed now."""

    id: str
    title: Titles
    type: str
    days: int
    due_at: datetime | None
    predicted: bool | None
    escalated: bool
    people: list[PersonView]


class PreviewRead(Output):
    """The chain that a request would go through; `form` as it would be kept, protected values left out."""

    kind: str
    chain: str
    form: dict[str, Any]
    steps: list[PreviewStepView]
    disclosure: DisclosureNote


class KindView(Output):
    """One kind of request: its form is a JSON Schema."""

    kind: str
    title: Titles
    subject: str
    clauses: list[str]
    form: dict[str, Any]
    may_file: bool


class KindList(Output):
    """Kinds that can be filed."""

    version: str
    items: list[KindView]
