"""What the change feed takes and gives."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.changes.judging import Change
from app.disclosure.view import DisclosureNote
from app.kit.pagination import Limit
from app.kit.schemas import Input, Output

DirectoryVersion = Annotated[int, Field(ge=0, le=2**53 - 1)]
Group = Literal["card", "placement", "numbers", "tags", "status", "confirmation", "positions", "protected"]


class ChangeQuery(Input):
    """After which version, and how much at once."""

    since: DirectoryVersion | None = Field(
        None,
        description="`latest` or `next` of the answer before. Without it nothing is listed, and `latest` tells from where to follow.",
        examples=[1187],
    )
    limit: Limit = 20


class ChangeItem(Output):
    """What became of one contact or department."""

    type: Literal["contact", "department"]
    id: UUID
    change: Change = Field(
        description="`removed`: you may see it no longer, for whatever reason; `created`: you may see it from now on, for whatever reason."
    )
    groups: list[Group] = Field(
        description="Of which groups of members something changed: C1 by name, everything sealed as `protected`, and that only where "
        "you may be shown it. Empty for `created` and `removed`.",
        examples=[["placement", "numbers"]],
    )


class ChangeSet(Output):
    """What one committed change set did, as far as you may know of it."""

    version: DirectoryVersion = Field(description="`directory_version` since then.", examples=[1188])
    at: datetime = Field(description="When it was numbered, at most a moment after the commit.")
    items: list[ChangeItem]


class ChangePage(Output):
    """Change sets, oldest first; those that show you nothing are left out."""

    since: DirectoryVersion
    items: list[ChangeSet]
    next: DirectoryVersion | None = Field(
        description="More is there: ask again with this as `since`. `null`: this is all."
    )
    latest: DirectoryVersion = Field(description="Where you are after this page: ask with it as `since` next time.")
    view: str = Field(
        description="Another one than last time: your rights are others, or time has ended somebody's contract. What you may see is then "
        "another without a change in the directory: read the directory again.",
        examples=["q3pK0vX1tYb7cE9sWmZa"],
    )
    disclosure: DisclosureNote
