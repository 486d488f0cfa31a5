"""What comes in about departures and undertakings, and the shapes of what goes out: ids, codes and times, and texts of the company's."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.departures.parts import Part
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output

RemovalState = Literal["waiting", "overdue", "archived", "returned"]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=20_000)]


class DepartureQuery(Input):
    """Which departures; `open` are those whose card waits to be taken away."""

    open: bool | None = Field(None, description="Only those whose card waits to be taken away, or only the others.")
    contact: UUID | None = None
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, Any]:
        """Give what a cursor is bound to."""
        return {"departures": self.open, "contact": None if self.contact is None else str(self.contact)}


class EndedPart(Output):
    """How much of a part the leaving found and ended, handed on or passed on."""

    part: Part
    count: int
    en: str
    zh: str


class UndertakingState(Output):
    """Whether the person confirmed the undertaking in force; null where the company has none."""

    version: int
    confirmed_at: datetime | None
    means: Literal["own", "recorded"] | None


class DepartureItem(Output):
    """One leaving."""

    id: UUID
    contact: UUID
    hand_over_to: UUID | None = Field(description="Who takes over what can be handed on; null: the next head.")
    left_at: datetime
    remove_by: datetime = Field(description="End of the working day by which the card is in the sealed archive.")
    state: RemovalState
    checked_at: datetime | None = Field(description="When the check-list was done; the card is then archived at once.")
    archived_at: datetime | None
    ended: list[EndedPart]


class DepartureView(DepartureItem):
    """One leaving, with what is owed."""

    undertaking: UndertakingState | None
    disclosure: DisclosureNote


class DeparturePage(Output):
    """Departures, newest first."""

    items: list[DepartureItem]
    next: str | None
    disclosure: DisclosureNote


class TextQuery(Input):
    """Which page of versions."""

    limit: Limit = 20
    cursor: CursorText | None = None


class TextCreate(Input):
    """A version of the confidentiality undertaking, in both languages."""

    title_zh: Title = Field(examples=["离职保密承诺书"])
    title_en: Title = Field(examples=["Confidentiality undertaking of leavers"])
    text_zh: Words = Field(examples=["本人承诺离职后不留存、不使用、不泄露在职期间获知的联系方式。"])
    text_en: Words = Field(examples=["I keep, use and pass on none of the contact data that I learnt in my work."])


class TextView(Output):
    """A version of the confidentiality undertaking."""

    id: UUID
    version: int = Field(examples=[1])
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    digest: str = Field(description="SHA-256 of version, titles and texts, in hexadecimal.")
    published_at: datetime
    current: bool


class TextPage(Output):
    """Versions, newest first."""

    items: list[TextView]
    next: str | None


class TextReceipt(Output):
    """A version that was published."""

    id: UUID
    version: int
    digest: str


class ConfirmationCreate(Input):
    """Who confirms: the caller, or, as HR puts on record, somebody who signed on paper."""

    contact: UUID | None = Field(
        None, description="Somebody else, who signed on paper; HR and the steward put that on record."
    )


class ConfirmationReceipt(Output):
    """A confirmation."""

    undertaking: UUID
    version: int
    contact: UUID
    means: Literal["own", "recorded"]
    confirmed_at: datetime
