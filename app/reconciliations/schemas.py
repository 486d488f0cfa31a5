"""What is asked about reconciliations, and the shapes of what goes out: counts, codes, names of members and employee numbers."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.disclosure.view import DisclosureNote
from app.hr.data import Moment
from app.hr.fuse import FuseExtent, FuseReason
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output
from app.reconciliations.kinds import DifferenceOutcome, DiffKind, ReconciliationState

Format = Literal["jsonl", "csv", "xlsx"]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ReconciliationAsk(Input):
    """What the head-count is of."""

    format: Format = Field(
        description="`jsonl`: a line for each person, the members of `employee.joined` and `employee_no`; "
        "`csv` or `xlsx`: the first row names the columns."
    )
    source: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,54}$")] | None = Field(
        None, description="Which personnel system it comes from; the caller's client id unless given."
    )
    as_of: Moment | None = Field(None, description="When the file was true; now unless given.")
    department: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,36}$")] | None = Field(
        None,
        description="Code or id of the department that it is of, with everything below; the whole company unless given.",
    )


class ApplicationAsk(Input):
    """Which diff is to be applied: the one that was looked at."""

    digest: Hex = Field(description="`digest` of the reconciliation, as it was read.")


class ReconciliationQuery(Input):
    """Which page."""

    limit: Limit = 20
    cursor: CursorText | None = None


class DifferencesQuery(Input):
    """Which differences."""

    kind: DiffKind | None = Field(None, description="Only these.")
    outcome: DifferenceOutcome | None = Field(None, description="Only those of which this became.")
    limit: Limit = 100
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)


class ReconciliationReceipt(Output):
    """What handing in a head-count answers."""

    id: UUID
    state: Literal["queued"]
    job_id: UUID = Field(description="Under `/v1/jobs`.")


class ApplicationReceipt(Output):
    """What asking for an application answers."""

    id: UUID
    state: Literal["applying"]
    job_id: UUID = Field(description="Under `/v1/jobs`.")


class ReconciliationProgress(Output):
    """How far it is; `total` is null until the file has been read."""

    done: int
    total: int | None


class FuseView(Output):
    """Whether so many may leave without an approved request."""

    blown: bool
    reason: FuseReason
    extent: FuseExtent = Field(
        description="Of what the counts are: this diff, or all that were applied within a day, in its scope or anywhere."
    )
    leavers: int
    people: int
    released_by: UUID | None = Field(description="The approved request by which this diff may be applied all the same.")


class ReconciliationItem(Output):
    """One reconciliation."""

    id: UUID
    source: str = Field(examples=["hr-system"])
    format: Format
    department: str | None = Field(description="Code of its scope; `null`: the whole company.", examples=["RD"])
    as_of: datetime
    size: int = Field(description="Bytes of the file.")
    state: ReconciliationState
    progress: ReconciliationProgress = Field(description="Rows of the file compared; then differences applied.")
    counts: dict[str, int] = Field(
        description="Differences by kind, and people without any.", examples=[{"changed": 4}]
    )
    outcomes: dict[str, int] = Field(description="Differences by what became of them.")
    people: int = Field(description="Employees in service in the scope when it was compared.")
    nameless: int = Field(description="Rows that name nobody. While there are any, nothing can be applied.")
    digest: str | None = Field(description="Over all differences; names the diff when it is applied.")
    problem: str | None = Field(description="Code of why it failed, or why its application stopped.")
    job_id: UUID
    apply_job_id: UUID | None
    mine: bool = Field(description="Whether the caller handed it in.")
    created_at: datetime
    compared_at: datetime | None
    begun_at: datetime | None = Field(description="When its application was allowed.")
    finished_at: datetime | None


class ReconciliationView(ReconciliationItem):
    """One reconciliation with what stands beside its differences, on record."""

    unknown_departments: dict[str, int] = Field(
        description="Departments of the file that do not exist, each with its rows.", examples=[{"RD-X": 3}]
    )
    ignored_columns: list[str]
    fuse: FuseView | None = Field(description="`null` until it is compared, and when it has been applied.")
    disclosure: DisclosureNote


class ReconciliationPage(Output):
    """Reconciliations, newest first."""

    items: list[ReconciliationItem]
    next: str | None
    disclosure: DisclosureNote


class DifferenceItem(Output):
    """One difference, or one row that could not be read."""

    number: int
    kind: DiffKind
    line: int | None = Field(description="Line of the file, or row of the sheet; `null` for leavers.")
    employee_no: str | None = Field(examples=["E9001"])
    contact_id: UUID | None
    members: list[str] = Field(description="Names of the members that are different; never their values.")
    column: str | None = Field(description="Column or member that is at fault.")
    code: str | None = Field(examples=["malformed_phone"])
    message: str | None
    message_zh: str | None
    outcome: DifferenceOutcome | None = Field(description="What became of it; `null` until it is applied.")
    result: str | None = Field(description="Code of why.")


class DifferencePage(Output):
    """Differences, in the order of the file; leavers after them."""

    items: list[DifferenceItem]
    next: str | None
    disclosure: DisclosureNote
