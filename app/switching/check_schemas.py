"""What a check of the number plan is asked and what it says."""

from uuid import UUID

from pydantic import Field

from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.numbers.invariants import Rule

MOST_TOLD = 200
"""Most findings of one rule in an answer; all are counted."""


class CheckCreate(Input):
    """How much is to be told."""

    findings: int = Field(20, ge=0, le=MOST_TOLD, description="Most findings of each rule; all are counted.")


class CheckedRows(Output):
    """How much was looked at."""

    domains: int
    pools: int
    ranges: int
    numbers: int
    assignments: int
    cards: int
    privileges: int


class RuleView(Output):
    """A rule that something broke, and how often."""

    rule: Rule
    count: int
    en: str
    zh: str


class CheckFinding(Output):
    """One thing that is not as it always is."""

    rule: Rule
    domain: str | None = Field(description="Code; none where the finding is about a card.")
    pool: str | None
    digits: str | None
    contact: UUID | None = Field(description="The holder, where the caller may know of them.")
    other: str | None = Field(description="What it is held against: digits, a date, an assignment, a state.")


class CheckView(Output):
    """What a check found."""

    sound: bool = Field(description="Nothing was found.")
    rules: int = Field(description="How many rules were checked.")
    checked: CheckedRows
    broken: list[RuleView]
    findings: list[CheckFinding]
    disclosure: DisclosureNote
