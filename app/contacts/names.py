"""How a name comes out: a bare value for kinds whose names are C1, a protected field for the others. And what comes in, by example."""

from typing import Annotated, Final, TypeAlias

from pydantic import Field, JsonValue

from app.disclosure.view import FieldView

PLAIN_NAME: Final = "Absent for the kinds `external`, `student` and `applicant`, whose names are protected."

NameView: TypeAlias = Annotated[
    str | FieldView | None,
    Field(
        description=(
            "For the kinds `employee`, `temporary` and `hotline` a bare value or null. For `external`, `student` and `applicant` a "
            "protected field, as `mobile` is."
        ),
        examples=["曾若砚", {"state": "masked", "value": "曾**"}],
    ),
]

NEW_CONTACTS: Final[list[JsonValue]] = [
    {"name": "曾若砚", "department": "RD", "user_name": "zeng.ruoyan", "mobile": "13800000001"},
    {
        "kind": "external",
        "name": "解思远",
        "organisation": "示例云帆贸易有限公司",
        "relation": "客户",
        "contract_ref": "HT-2099-001",
        "contract_until": "2099-12-31",
        "department": "SALES",
        "business_phone": "13800000001",
        "business_email": "partner@example.net",
    },
]
"""Bodies of `POST /v1/contacts`."""
