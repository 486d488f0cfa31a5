"""What is asked about holds, and the shapes of what goes out."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output
from app.numbers.move_schemas import HoldReceipt


class HoldQuery(Input):
    """Which holds."""

    pool: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = Field(None, description="Id or code.")
    expires_before: AwareDatetime | None = Field(None, description="Those that end before this moment.")
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, object]:
        """Give what the list is narrowed by, for the cursor and the log."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)


class HoldOwner(Output):
    """Whose a hold is; of a person whom the reader may not know, no id."""

    type: str = Field(examples=["service"])
    id: str | None = Field(examples=["it-scripts"])


class HoldItem(HoldReceipt):
    """A hold and how it stands; a reservation is one that an approved request made."""

    kind: Literal["hold", "reservation"]
    state: Literal["open", "used", "dropped", "expired"]
    created_at: datetime
    by: HoldOwner


class HoldView(HoldItem):
    """A hold, on record."""

    disclosure: DisclosureNote


class HoldPage(Output):
    """Holds that are not over, latest first."""

    items: list[HoldItem]
    next: str | None
    disclosure: DisclosureNote
