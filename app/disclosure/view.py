"""What leaves: rendered bytes behind a permit, typed by what they contain, and the shapes for OpenAPI.

``Disclosed[T]`` is a response that only the gate makes; a service that promises one cannot hand out a row. The body is rendered once and
never validated again on the way out; that the bytes fit the declared schema is proven by tests.
"""

from typing import Annotated, Any, Final, Generic, Literal, TypeVar

from fastapi import Response
from pydantic import Field

from app.kit.schemas import Output
from app.permissions.outcomes import Purpose

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

NEXT_STEPS: Final = (
    "`reveal`: post a reveal with purpose and reason, and a case where the policy asks for one; `request:<kind>`: file that request; "
    "absent: nothing to ask for."
)


class RelationView(Output):
    """Somebody to call for a contact: in an emergency, or because they answer for a minor."""

    kind: Literal["emergency", "guardian"]
    name: str
    phone: str


class ShownField(Output):
    """The value, clear."""

    state: Literal["shown"]
    value: str | list[RelationView] = Field(description="A text; of `relations` the list.", examples=["13800001234"])


class MaskedField(Output):
    """A part of the value."""

    state: Literal["masked"]
    value: str = Field(examples=["138****1234"])
    next: str | None = Field(None, description=NEXT_STEPS, examples=["reveal"])


class WithheldField(Output):
    """Not for this caller; says nothing of whether there is a value."""

    state: Literal["withheld"]
    next: str | None = Field(None, description=NEXT_STEPS, examples=["request:field.reveal"])


class EmptyField(Output):
    """The caller may see it, and there is none."""

    state: Literal["empty"]
    next: str | None = Field(None, description=NEXT_STEPS)


FieldView = Annotated[ShownField | MaskedField | WithheldField | EmptyField, Field(discriminator="state")]


class DisclosureNote(Output):
    """Under which record and rules this was disclosed, and what the reader owes."""

    event_id: str | None = Field(
        description="The look's event in the access log. `null` only for hotlines, which are nobody's data, while the log cannot be "
        "written: then `obligations` has `unlogged`, and every protected field is `withheld`."
    )
    purpose: Purpose
    policy_version: str
    obligations: list[str]
    watermark: str


class Disclosed(Response, Generic[T_co]):
    """A rendered answer whose look is on record. Made by ``disclosure.gate`` alone."""

    media_type = "application/json"

    def __init__(
        self, body: bytes, *, etag: str | None = None, status_code: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Send ``body`` as it is; never cached by anybody in between."""
        every = {"Cache-Control": "no-store", "Vary": "Authorization", **(headers or {})}
        if etag is not None:
            every["ETag"] = f'"{etag}"'
        super().__init__(body, status_code=status_code, headers=every)


def disclosed_response(model: Any, description: str) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 — a model class
    """Describe a disclosing 200 for OpenAPI."""
    return {200: {"model": model, "description": description, "headers": {"ETag": {"schema": {"type": "string"}}}}}
