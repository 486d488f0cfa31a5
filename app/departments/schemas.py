"""What comes in about departments, read strictly: unknown members are refused, texts bounded and without control characters.

A department's code is given once and stays, because contacts, personnel events and scripts name departments by it.
"""

import unicodedata
from typing import Annotated, Final
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from app.kit.letters import UNSEEN, hides
from app.kit.problems import Rejected
from app.kit.schemas import Input

_UNREADABLE: Final = ("invalid_text", "The text has control characters.", "文本含有控制字符。")
_NOT_REMOVABLE: Final = ("not_removable", "This member cannot be removed.", "此字段不能删除。")


def readable(value: object) -> object:
    """Refuse a text with control, formatting or unassigned characters; a validator for schemas."""
    if isinstance(value, str) and any(unicodedata.category(letter).startswith("C") for letter in value):
        raise Rejected(*_UNREADABLE)
    return value


def _visible(value: object) -> object:
    if isinstance(value, str) and hides(value):
        raise Rejected(*UNSEEN)
    return readable(value)


DepartmentName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), BeforeValidator(_visible)
]
LegalEntity = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), BeforeValidator(_visible)
]
DepartmentCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{0,31}$")]
DepartmentRef = Annotated[str, StringConstraints(min_length=1, max_length=36)]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Order = Annotated[int, Field(ge=0, le=1_000_000)]

_PARENT = "Id or code of the department above; absent for a department at the top."
_REGION = "ISO 3166 country or region; by default that of the department above, else the company's."
_ENTITY = "Legal entity; by default that of the department above."
_HEAD = "Contact who heads it and all below that is not protected."
_DEPUTY = "Contact who stands in for the head; holds no standing of their own by this."
_PROTECTED = "Answers to its own head alone, not to those above."
_ORDER = "Place among its siblings, smallest first."


class DepartmentCreate(Input):
    """A new department."""

    code: DepartmentCode = Field(description="Stable code, accepted wherever the id is.", examples=["RD-CORE"])
    name: DepartmentName = Field(examples=["核心研发部"])
    parent: DepartmentRef | None = Field(None, description=_PARENT, examples=["RD"])
    head: UUID | None = Field(None, description=_HEAD)
    deputy: UUID | None = Field(None, description=_DEPUTY)
    order: Order = Field(0, description=_ORDER)
    region: Region | None = Field(None, description=_REGION, examples=["CN"])
    legal_entity: LegalEntity | None = Field(None, description=_ENTITY, examples=["Demo Ltd."])
    protected: bool = Field(default=False, description=_PROTECTED)


class DepartmentAmend(Input):
    """Changes to a department, as a JSON Merge Patch (RFC 7396); absent members stay as they are, ``null`` removes."""

    name: DepartmentName | None = Field(None, examples=["核心研发部"])
    parent: DepartmentRef | None = Field(None, description=_PARENT, examples=["RD"])
    head: UUID | None = Field(None, description=_HEAD)
    deputy: UUID | None = Field(None, description=_DEPUTY)
    order: Order | None = Field(None, description=_ORDER)
    region: Region | None = Field(None, examples=["CN"])
    legal_entity: LegalEntity | None = Field(None, examples=["Demo Ltd."])
    protected: bool | None = Field(None, description=_PROTECTED)

    @field_validator("name", "order", "region", "protected", mode="after")
    @classmethod
    def _not_removed(cls, value: object) -> object:
        if value is None:
            raise Rejected(*_NOT_REMOVABLE)
        return value
