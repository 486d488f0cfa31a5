"""What phonebooks and the look-up of callers take and give."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from app.contacts.query_schemas import SearchText
from app.contacts.schemas import DepartmentRef
from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.phonebooks.entry import Language

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,15}$")]


def _typed(value: object) -> object:
    """Take a search for which nothing was typed, as telephones send it, for none."""
    return None if isinstance(value, str) and not value.strip() else value


class PhonebookQuery(Input):
    """Which part of the phonebook, and how it is laid out."""

    q: Annotated[SearchText | None, BeforeValidator(_typed)] = Field(
        None, description="What was typed on the telephone, as `q` of `GET /v1/contacts`.", examples=["zengx"]
    )
    department: DepartmentRef | None = Field(
        None, description="Id or code: this department and everything below it.", examples=["RD"]
    )
    grouped: bool = Field(
        default=False,
        description="Yealink: one menu for every department. Grandstream's phonebook always has groups, Fanvil's never.",
    )
    page: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="Which stretch of as many entries as the telephone takes; `Link` names the next."
    )
    language: Language = Field("zh", description="Of the words that tell until when somebody is away.")


class CallerQuery(Input):
    """Where the number is, if two domains have it."""

    domain: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = Field(
        None, description="Code of the number domain; without it a number is looked for in all.", examples=["main"]
    )


class CallerName(Output):
    """Whose number rings: C1 alone."""

    number: str = Field(examples=["61234"])
    kind: Literal["person", "hotline", "department", "room", "device"]
    name: str = Field(description="Several people who share a line, all of them.", examples=["曾若砚"])
    department: str | None = Field(description="Name of the main department.", examples=["研发部"])
    disclosure: DisclosureNote
