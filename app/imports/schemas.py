"""What is asked about imports, and the shapes of what goes out: counts, codes and identifiers."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.disclosure.view import DisclosureNote
from app.imports.kinds import ImportState, Outcome
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output

Kind = Literal["number_plan", "contacts"]
Format = Literal["csv", "xlsx", "asterisk", "freeswitch"]


class ImportAsk(Input):
    """What is to be done with a file."""

    kind: Kind = Field(description="What the file is about.")
    format: Format = Field(
        description="`csv` or `xlsx`: the first row names the columns; `asterisk`: `pjsip.conf`; `freeswitch`: XML directory."
    )
    domain: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,36}$")] = Field(
        "main", description="Of `number_plan`: numbering domain, by its code, that the numbers are of."
    )
    profile: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,31}$")] = Field(
        "generic",
        description=(
            "Of `contacts`: how the sheet is written. Shipped: `generic` (headings are field names or their labels), `wecom`, `dingtalk`, "
            "`feishu`, `beisen`; the operator may add others."
        ),
    )
    dry_run: bool = Field(default=True, description="Tell what would become of every row, and change nothing.")
    overrule: bool = Field(
        default=False,
        description="Of `number_plan`: take over nice numbers too that their pool keeps back for requests. It counts once another person, "
        "too, has handed in this very file with `overrule` within seven days, and that import is done.",
    )


class ImportQuery(Input):
    """Which page."""

    limit: Limit = 20
    cursor: CursorText | None = None


class ImportRowsQuery(Input):
    """Which rows."""

    outcome: Outcome | None = Field(None, description="Only these.")
    limit: Limit = 100
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)


class ImportReceipt(Output):
    """What handing in a file answers."""

    id: UUID
    state: Literal["queued"]
    job_id: UUID = Field(description="Under `/v1/jobs`; deleting the job stops the import.")
    dry_run: bool


class ImportProgress(Output):
    """How far it is; `total` is null until the file has been read."""

    done: int
    total: int | None


class ImportItem(Output):
    """One import."""

    id: UUID
    kind: Kind
    format: Format
    domain: str | None = Field(description="Of a number plan.", examples=["main"])
    profile: str | None = Field(description="Of contacts.", examples=["wecom"])
    dry_run: bool
    overrule: bool
    size: int = Field(description="Bytes of the file.")
    state: ImportState
    progress: ImportProgress
    counts: dict[str, int] = Field(
        description="Rows by outcome; `adopted` are those that were written. In a dry run `adopted` are those that would be.",
        examples=[{"adopted": 40}],
    )
    proposals: dict[str, Any] | None = Field(
        description=(
            "`ranges`: stretches of the file's numbers that no range has, to be added to a pool. `columns`: columns of the sheet that were "
            "not read, each with its `heading`, `code` and messages."
        )
    )
    problem: str | None = Field(description="Code of why it failed.")
    job_id: UUID
    mine: bool = Field(description="Whether the caller handed it in.")
    created_at: datetime
    finished_at: datetime | None


class ImportView(ImportItem):
    """One import, on record."""

    disclosure: DisclosureNote


class ImportPage(Output):
    """Imports of the kinds that the caller may do, newest first."""

    items: list[ImportItem]
    next: str | None
    disclosure: DisclosureNote


class ImportNote(Output):
    """Something to know about a row."""

    code: str
    message: str
    message_zh: str


class ImportRowItem(Output):
    """What became of one row."""

    number: int
    line: int = Field(description="Line of the file, or row of the sheet.")
    column: str | None = Field(description="Column of the sheet, or setting or attribute, that is at fault.")
    item: str | None = Field(
        description="What the row is about: a number; an employee number, or the user name of who has none.",
        examples=["61234"],
    )
    outcome: Outcome
    code: str = Field(
        description="What became of the row, or what hindered it: the code that a request of the same content would be refused with.",
        examples=["held_by_another"],
    )
    message: str
    message_zh: str
    notes: list[ImportNote]


class ImportRowPage(Output):
    """Rows: first what could not be read, then in the order of the file."""

    items: list[ImportRowItem]
    next: str | None
    disclosure: DisclosureNote
