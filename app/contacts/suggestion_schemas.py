"""What type-ahead takes and gives."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.contacts.query_schemas import SearchText
from app.disclosure.view import DisclosureNote
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose
from app.permissions.pack import Kind


class SuggestionQuery(Input):
    """What was typed so far."""

    q: SearchText = Field(description="As `q` of `GET /v1/contacts`.", examples=["zengx"])
    limit: Annotated[int, Field(ge=1, le=10, description="Most suggestions.")] = 10
    purpose: Purpose = Purpose.WORK_CONTACT


class SuggestionView(Output):
    """Somebody who may be meant: C1 members alone."""

    id: UUID
    kind: Kind
    name: str | None = Field(examples=["曾若砚"], description="Null where the name is protected: see `organisation`.")
    organisation: str | None
    department: str | None = Field(description="Name of the main department.", examples=["研发部"])
    title: str | None = Field(examples=["工程师"])
    short_numbers: list[str] = Field(examples=[["61234"]])
    away_until: date | None = Field(description="Last day on which they are not there, also one that is over.")
    backup_contact: UUID | None = Field(description="Who answers instead.")


class SuggestionList(Output):
    """Suggestions, the likeliest first."""

    items: list[SuggestionView]
    disclosure: DisclosureNote
