"""What is asked about jobs, and the shapes of what goes out: states, counts and ids."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output

State = Literal["queued", "running", "done", "failed", "cancelled"]


class JobQuery(Input):
    """Which page."""

    limit: Limit = 20
    cursor: CursorText | None = None


class RowsQuery(Input):
    """Which page of a job's items; ``next`` of the page before is the number to go on after."""

    limit: Limit = 100
    after: Annotated[int, Field(ge=-1, le=10_000_000, description="Number of the last item seen.")] = -1


class Progress(Output):
    """How far it is; `total` 0 means that nobody knows yet."""

    done: int
    total: int


class JobProblem(Output):
    """Why it failed."""

    code: str = Field(examples=["not_permitted"])
    title: str
    title_zh: str


class JobItem(Output):
    """One job."""

    id: UUID
    kind: str = Field(examples=["policy.simulate"])
    resource: str | None = Field(description="Path of what it works on, where that is there already.")
    state: State
    progress: Progress
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None = Field(description="Ids and counts.")
    problem: JobProblem | None


class JobView(JobItem):
    """One job, on record."""

    disclosure: DisclosureNote


class JobPage(Output):
    """The caller's own jobs, newest first."""

    items: list[JobItem]
    next: str | None
    disclosure: DisclosureNote


class RowItem(Output):
    """What became of one item."""

    number: int
    state: str
    detail: dict[str, Any] = Field(description="Ids, codes and counts.")


class RowPage(Output):
    """Items by number."""

    items: list[RowItem]
    next: int | None
    disclosure: DisclosureNote
