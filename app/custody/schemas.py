"""Service accounts and front ends as they are told: the shapes for OpenAPI."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from app.contacts.schemas import DepartmentView
from app.disclosure.view import DisclosureNote
from app.kit.schemas import Output


class OwnerView(Output):
    """Who answers for a client, as far as the reader may know of them."""

    id: UUID
    name: str | None = Field(examples=["欧阳明"])
    title: str | None = Field(examples=["研发主管"])
    department: DepartmentView | None


class HandoverView(Output):
    """That whoever answered for it has left, and by when somebody has to take it over."""

    since: datetime
    due_at: datetime = Field(description="Not taken over by then (`POST /v1/clients/{id}/secrets`), it is disabled.")
    cause: str = Field(examples=["left"])
    former_owner: OwnerView | None = Field(description="Null for somebody of whom the caller may not know.")


class ClientView(Output):
    """A client: what it may do, and who answers for it."""

    client_id: str = Field(examples=["canteen-screen"])
    name: str = Field(examples=["食堂大屏"])
    state: Literal["active", "disabled"]
    front_end: bool = Field(description="People sign in through it; it has no secret.")
    scopes: list[str] = Field(examples=[["contacts:read"]])
    ceiling: str | None = Field(description="Highest class of fields that it may show.", examples=["C2"])
    exchanges: bool = Field(description="Whether it may act for people, with tokens that it exchanges theirs for.")
    owner: OwnerView | None = Field(
        description="Who answers for it, for the time being while there is a `handover`; null for nobody that the caller may know of."
    )
    handover: HandoverView | None


class ClientList(Output):
    """Clients by id."""

    items: list[ClientView]
    next: None
    disclosure: DisclosureNote


class ClientAnswer(ClientView):
    """One client."""

    disclosure: DisclosureNote
