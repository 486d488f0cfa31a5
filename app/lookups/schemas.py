"""What is looked up, and what is answered."""

from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from app.contacts.names import PLAIN_NAME
from app.contacts.schemas import ContactPublic, DepartmentRef, Reason
from app.disclosure.view import DisclosureNote
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.lookups.reading import LISTS, MOST_TERMS, plain_digits
from app.permissions.outcomes import Purpose

Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=254)]
Terms = Annotated[tuple[Term, ...], Field(max_length=MOST_TERMS)]


class Ending(Input):
    """The last four digits of a mobile, among the members of one department."""

    digits: Annotated[str, BeforeValidator(plain_digits), StringConstraints(pattern=r"^[0-9]{4}$")] = Field(
        examples=["0001"]
    )
    department: DepartmentRef = Field(description="Id or code.", examples=["RD"])


class LookupRequest(Input):
    """Exact values to be looked up, at most 100 together; each is one term of the day's quota, also when it is repeated."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "numbers": ["13800000001", "61234"],
                    "emails": ["staff@example.com"],
                    "purpose": "work_contact",
                    "reason": "Two missed calls on the shared line this morning",
                }
            ]
        }
    )
    numbers: Terms = Field((), description="Mobiles in any form, business phones, short numbers, extensions.")
    emails: Terms = Field((), description="Office and business mail addresses; case does not matter.")
    employee_nos: Terms = ()
    names: Terms = Field((), description="Whole names of external contacts, students and applicants, which are sealed.")
    wechats: Terms = Field((), description="Where the operator has switched it on.")
    id_numbers: Terms = Field((), description="Where the operator has switched it on.")
    last4: Annotated[tuple[Ending, ...], Field(max_length=MOST_TERMS)] = ()
    purpose: Purpose
    reason: Reason

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        total = sum(len(getattr(self, name)) for name in LISTS)
        if total == 0:
            raise Rejected("too_few", "There is nothing to look up.", "没有要查询的内容。")
        if total > MOST_TERMS:
            raise Rejected("too_many", f"There are more than {MOST_TERMS} terms.", f"查询项超过 {MOST_TERMS} 个。")
        return self


class LookupCard(ContactPublic):
    """Who it is: the C1 members of the card, so it names no external contact. Read the card to see the card."""

    name: str | None = Field(None, description=PLAIN_NAME)
    name_en: str | None = Field(None, description=PLAIN_NAME)
    alias: str | None = Field(None, description=PLAIN_NAME)


class LookupResult(Output):
    """What one term found. A term that found several people has one result for each, five at most."""

    query_index: int = Field(
        description="Which term: all of `numbers`, `emails`, `employee_nos`, `names`, `wechats`, `id_numbers`, `last4`, counted from 0."
    )
    match: LookupCard | None = Field(
        description="Null alike where nobody has the value and where the caller may not know who has it."
    )
    truncated: bool = Field(default=False, description="There are more than five; absent where there are not.")


class LookupAnswer(Output):
    """Results in the order of the terms."""

    results: list[LookupResult]
    disclosure: DisclosureNote
