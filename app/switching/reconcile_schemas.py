"""What a reconciliation is asked and what its lines say."""

from enum import StrEnum

from pydantic import Field

from app.kit.schemas import Input, Output
from app.numbers.schemas import Code


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


class DriftText(Output):
    """Lines of JSON: differences in the order of digits, and last the summary.

    ``{"difference": {"kind", "digits", "pool", "state", "directory", "exchange", "line", "contact"}}`` and
    ``{"summary": {"domain", "lines", "numbers", "withheld", "drift": {kind: count}}}``.
    """
