"""What comes in about passing numbers on, taking them aside and holding them, and what goes out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, ValidationInfo, field_validator

from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.numbers.rules import State
from app.numbers.schemas import MOST_AT_ONCE, Digits, HolderRef
from app.numbers.terms import HOLD_MINUTES

Purpose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]
Pattern = Annotated[str, StringConstraints(pattern=r"^[0-9?*]{2,15}$")]
Minutes = Annotated[int, Field(ge=1, le=10_080)]
MoveReason = Literal["handover", "moved", "correction"]


class TransferCreate(Input):
    """Who is to have a number from now on."""

    to: HolderRef
    reason: MoveReason = Field("handover", description="Stands in the event; the former assignment ends as `moved`.")
    holder: HolderRef | None = Field(None, description="Whose share, where several hold a shared line.")
    until: AwareDatetime | None = Field(None, description="An earlier end than it had; an external person needs one.")


class SwapCreate(Input):
    """Two numbers that change holders."""

    other: Digits = Field(alias="with", description="The other number.", examples=["78002"])
    reason: MoveReason = "correction"


class RestorationCreate(Input):
    """A number back to whoever had it last."""

    until: AwareDatetime | None = Field(None, description="When it ends; needed in a pool of temporary numbers.")


class ConfirmationCreate(Input):
    """The word of the exchange or the carrier that a number works."""

    assignment_id: UUID | None = Field(None, description="Only if this is the assignment that was set up.")


class BlockCreate(Input):
    """Why nobody may have a number."""

    reason: Literal["leaked", "harassed", "fault", "dispute", "other"] = Field(examples=["harassed"])
    until: AwareDatetime | None = Field(
        None, description="Without it the number is blocked until somebody unblocks it."
    )


class ReservationCreate(Input):
    """What a number is kept for."""

    purpose: Purpose = Field(examples=["新园区总机"])
    until: AwareDatetime | None = Field(None, description="Without it the number is kept until somebody ends it.")


class HoldCreate(Input):
    """Numbers of a pool that nobody else is to get for a while; all of them or none."""

    pool: Annotated[str, StringConstraints(min_length=1, max_length=36)] = Field(
        description="Id or code.", examples=["desk"]
    )
    count: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 1
    digits: Digits | None = Field(None, description="This number and no other; not with `count` or `pattern`.")
    pattern: Pattern | None = Field(
        None, description="What they look like: `?` is one digit, `*` any number of them.", examples=["*88"]
    )
    minutes: Minutes = Field(HOLD_MINUTES, description="For how long; the operator's setting bounds it.")
    purpose: Purpose = Field(examples=["新项目热线"])

    @field_validator("digits", "pattern", mode="after")
    @classmethod
    def _alone(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        given = info.data.get("digits") if info.field_name == "pattern" else None
        if given is not None or (info.field_name == "digits" and info.data.get("count", 1) != 1):
            code = "not_together"
            raise Rejected(code, "A given number stands alone.", "指定号码时不能再指定数量或样式。")
        return value


class HoldAmend(Input):
    """A hold that is to last longer."""

    minutes: Minutes = Field(description="For how long from now on; never shorter than before.")


class NumberStanding(Output):
    """How a number stands; without ``available_from`` it stands so until somebody changes it."""

    digits: str = Field(examples=["78001"])
    domain: str = Field(examples=["main"])
    state: State
    available_from: datetime | None


class AsideReceipt(NumberStanding):
    """A number that was taken aside, and what for."""

    kept_for: str | None = Field(examples=["harassed"])
    released: int = Field(description="How many assignments ended.")


class PassedNumber(Output):
    """A number that went to another holder."""

    digits: str = Field(examples=["78001"])
    domain: str = Field(examples=["main"])
    state: State
    assignment_id: UUID
    until: datetime | None


class SwapReceipt(Output):
    """Both numbers, the one of the path first."""

    numbers: list[PassedNumber]


class HoldReceipt(Output):
    """A hold. ``hold`` in an allocation takes its numbers."""

    id: UUID
    pool: str = Field(examples=["desk"])
    numbers: list[str] = Field(examples=[["78001", "78002"]])
    purpose: str
    expires_at: datetime
    extensions_left: int
    version: str
