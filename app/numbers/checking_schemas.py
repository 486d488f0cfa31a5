"""What a list that is tried against the plan looks like, and what is said of it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.numbers.conflicts import NumberVerdict
from app.numbers.plan_schemas import ReservedReceipt
from app.numbers.schemas import Code, NumberItem

_LIST = "As they would be dialled. What is no number is told so and does no harm."

PoolRef = Annotated[str, StringConstraints(min_length=1, max_length=36)]


class ValidationCreate(Input):
    """A list of numbers to be tried."""

    numbers: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1, max_length=1000)] = (
        Field(description=_LIST, examples=[["78001", "78002", "110"]])
    )
    domain: Code | None = Field(None, description="Code of the domain; that of the pool, or `main`.")
    pool: PoolRef | None = Field(None, description="Id or code: numbers outside of it are `out_of_range`.")


class FindingView(Output):
    """One thing about a number: with what it collides, as far as the caller may know."""

    verdict: NumberVerdict
    severity: Literal["error", "warning"]
    place: int | None = Field(description="Place in the list of the number that it collides with.")
    until: datetime | None = Field(description="When its quarantine ends.")
    reserved: ReservedReceipt | None
    access_code: str | None
    number: NumberItem | None = Field(description="The number of the plan that it collides with, or is.")


class ValidationResult(Output):
    """All about one number. Without an error it is `valid`, whatever it is warned of."""

    place: int
    number: str
    verdicts: list[NumberVerdict]
    findings: list[FindingView]


class ValidationView(Output):
    """Every number in the order of the list."""

    domain: str
    results: list[ValidationResult]
    disclosure: DisclosureNote
