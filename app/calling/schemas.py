"""What comes in about calling privileges, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.calling.rules import Cause, Function
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output


class PrivilegeQuery(Input):
    """Which privileges are listed."""

    contact: UUID | None = Field(None, description="Whose lines.")
    digits: Annotated[str, Field(pattern=r"^[0-9]{2,15}$")] | None = Field(None, description="Which line.")
    function: Function | None = None
    state: Literal["active", "ended"] | None = Field("active", description="In force now, or over.")
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what identifies the query, without its page."""
        return self.model_dump(mode="json", exclude={"cursor", "limit"}, exclude_none=True)


class LineHolder(Output):
    """Whose line it is."""

    id: UUID
    name: str | None
    title: str | None
    department: dict[str, Any] | None


class PrivilegeView(Output):
    """One function that a line has until a time."""

    id: UUID
    digits: str = Field(examples=["78001"])
    domain: str = Field(examples=["main"])
    contact: LineHolder | None = Field(description="Null where the caller may not know of them.")
    function: Function
    state: Literal["active", "expired", "ended"] = Field(
        description="`ended`: before its time, or because the line is no longer its holder's."
    )
    since: datetime
    until: datetime
    ended_at: datetime | None
    cause: Cause | None
    request: UUID = Field(description="The request that it was granted by.")


class PrivilegeRead(PrivilegeView):
    """One privilege, and under which record it was shown."""

    disclosure: DisclosureNote


class PrivilegePage(Output):
    """A page of privileges, newest first."""

    items: list[PrivilegeView]
    next: str | None
    disclosure: DisclosureNote
