"""What comes in about numbers, and the shapes of what goes out. Digits are text everywhere: leading zeros and lengths mean something."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.numbers.rules import Cause, State

MOST_AT_ONCE = 500

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,15}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]
PatternText = Annotated[str, StringConstraints(pattern=r"^(\*?[0-9?XxA-Ja-j]{1,15}|[0-9?XxA-Ja-j]{1,15}\*)$")]
Role = Literal["short", "extension", "shared"]
HolderType = Literal["contact", "department", "room", "device", "hotline", "external", "withheld"]

PATTERN = (
    "Looks: digits, `?` or `X` for any digit, letters `A` to `J` for the same digit at the same letter and different ones "
    "at different letters; `*` at one end for any digits, also none."
)


class HolderRef(Input):
    """Who is to hold a number."""

    type: Literal["contact", "department", "room", "device", "hotline", "external"] = Field(
        "contact", description="`hotline` and `external` are contacts of that kind.", examples=["contact"]
    )
    id: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,36}$")] = Field(
        description="Id; of a department also its code; of a room its code, at most 32 characters.",
        examples=["019a0000-0000-7000-8000-000000000001"],
    )


class AllocationCreate(Input):
    """Numbers for somebody: all that are asked for, or none."""

    holder: HolderRef
    count: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 1
    digits: Digits | None = Field(None, description="This number and no other; not with `count`.", examples=["78001"])
    pattern: PatternText | None = Field(None, description=PATTERN, examples=["*88"])
    contiguous: bool = Field(default=False, description="`count` numbers that follow one another without a gap.")
    role: Role = Field("short", description="`extension` shows as the card's extension; `shared`: a line of several.")
    until: AwareDatetime | None = Field(
        None, description="When it ends by itself; needed in a pool of temporary numbers and for external people."
    )
    consumer_ref: Reference | None = Field(
        None, description="The caller's own name for this allocation: repeated, it gives the same numbers."
    )
    hold: UUID | None = Field(None, description="The numbers of this hold, all of them; not with `count` or `digits`.")

    @field_validator("digits", mode="after")
    @classmethod
    def _one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("count", 1) != 1:
            code = "not_with_count"
            raise Rejected(code, "A given number is one number.", "指定号码时数量只能为 1。")
        return value

    @field_validator("pattern", "contiguous", mode="after")
    @classmethod
    def _not_given(cls, value: object, info: ValidationInfo) -> object:
        if value and info.data.get("digits") is not None:
            code = "not_with_digits"
            raise Rejected(code, "A given number has its looks.", "指定号码时不能再指定样式或连号。")
        return value

    @field_validator("hold", mode="after")
    @classmethod
    def _alone(cls, value: UUID | None, info: ValidationInfo) -> UUID | None:
        chosen = [info.data.get(name) for name in ("digits", "pattern", "contiguous")]
        if value is not None and (info.data.get("count", 1) != 1 or any(chosen)):
            code = "not_together"
            raise Rejected(code, "A hold says itself which numbers.", "使用预占时不能再指定数量或号码。")
        return value


class ReleaseCreate(Input):
    """The end of an assignment."""

    reason: Literal[Cause.RELEASED, Cause.LEFT, Cause.MOVED, Cause.EXPIRED, Cause.ABUSED] = Field(
        Cause.RELEASED,
        description="Decides with the pool how long the number rests; `abused` blocks it until reviewed.",
    )
    holder: HolderRef | None = Field(None, description="Whose assignment, where several hold a shared line.")


class DomainQuery(Input):
    """Which domain is meant."""

    domain: Code | None = Field(None, description="Code of the domain, where several have these digits.")


class NumbersQuery(Input):
    """What a list of numbers asks for."""

    pool: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = Field(None, description="Id or code.")
    state: State | None = None
    holder: UUID | None = Field(None, description="Contact or department.")
    digits: Digits | None = None
    id: UUID | None = Field(None, description="What a notice calls the number (`number.id`).")
    limit: Limit = 20
    cursor: CursorText | None = None

    def shape(self) -> dict[str, object]:
        """Give what the list is narrowed by, for the cursor and the log."""
        return self.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)


def _moment(value: object) -> object:
    """Tell a day from a moment: ``2026-11-21`` is a day, everything longer a time with its offset."""
    if isinstance(value, str) and len(value) == len("2026-11-21"):
        return date.fromisoformat(value)
    return value


class NumberHistoryQuery(DomainQuery):
    """Which part of a number's history."""

    at: Annotated[AwareDatetime | date, BeforeValidator(_moment)] | None = Field(
        None, description="Only who held it on that day, or at that moment.", examples=["2026-11-21"]
    )
    limit: Limit = 20
    cursor: CursorText | None = None


class AllocatedNumber(Output):
    """A number that was given out."""

    digits: str = Field(examples=["78001"])
    state: Literal["assigned", "provisioning"]
    assignment_id: UUID
    until: datetime | None


class AllocationReceipt(Output):
    """All numbers that were asked for."""

    numbers: list[AllocatedNumber]


class HolderView(Output):
    """Who holds a number; ``withheld`` for everybody of whom the reader may not know, and for those who are no more."""

    type: HolderType
    id: UUID | None
    code: str | None = Field(description="Of a room.")
    role: Role
    since: datetime
    until: datetime | None


class NumberItem(Output):
    """A number, where it stands, and who holds it."""

    digits: str
    domain: str
    pool: str
    state: State
    available_from: datetime | None
    kept_for: str | None = Field(
        description="Why it is blocked or what it is reserved for; for those who keep numbers."
    )
    holders: list[HolderView]


class NumberView(NumberItem):
    """One number."""

    disclosure: DisclosureNote


class NumberPage(Output):
    """A page of numbers by pool and digits."""

    items: list[NumberItem]
    next: str | None
    disclosure: DisclosureNote


class ReleaseReceipt(Output):
    """What became of a released number; without ``available_from`` it waits for a review."""

    digits: str
    domain: str
    state: State
    available_from: datetime | None
    reason: Cause
    released: int = Field(description="How many assignments ended.")


class AllocatedBy(Output):
    """Who gave a number out; the id only where the reader may know it."""

    type: str
    id: str | None


class HoldingView(Output):
    """One assignment of a number, past or open."""

    holder: HolderView
    ended_at: datetime | None
    reason: str | None
    by: AllocatedBy


class NumberHistoryPage(Output):
    """Who held a number, latest first."""

    items: list[HoldingView]
    next: str | None
    disclosure: DisclosureNote
