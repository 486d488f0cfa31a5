"""What a reconciliation is asked and what its lines say."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from app.kit.schemas import Input, Output
from app.numbers.rules import State
from app.numbers.schemas import Code
from app.switching.drift import Drift


class DumpFormat(StrEnum):
    """What an exchange writes of itself."""

    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"
    SHEET = "sheet"


class ReconciliationQuery(Input):
    """Of what the body is a dump."""

    format: DumpFormat = Field(
        description="`asterisk`: `pjsip.conf`; `freeswitch`: directory XML; `sheet`: CSV or XLSX with a column of numbers."
    )
    domain: Code = Field("main", description="Code of the domain whose numbers the exchange switches.")


class DriftLine(Output):
    """One difference, or the fault of a line that cannot be read."""

    kind: Drift
    digits: str | None
    pool: str | None
    state: State | None = Field(description="How the number stands in the directory.")
    directory: str | None = Field(description="What the directory says: a name, a holder, privileges.")
    exchange: str | None = Field(description="What the exchange says.")
    line: int | None = Field(description="Line of the dump.")
    contact: UUID | None


class DriftSummary(Output):
    """The last line: without it the answer is not whole."""

    domain: str
    lines: int = Field(description="Numbers that the dump has.")
    numbers: int = Field(description="Numbers of the domain that somebody holds.")
    withheld: int = Field(description="Numbers whose names were not compared: the caller may not know of their holders.")
    drift: dict[Drift, int] = Field(description="How many differences of each kind; none is an empty object.")


class DriftText(Output):
    """Lines of JSON: differences in the order of digits, and last the summary."""

    difference: DriftLine
    summary: DriftSummary
