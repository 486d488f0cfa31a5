"""How departments are asked for and what leaves: the shapes for OpenAPI, and the one rendering that they describe.

A department's card names who holds its positions by id, and only those of whom the reader may know.
"""

from collections.abc import Collection
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from app.departments.listing import Selection
from app.departments.schemas import DepartmentRef, readable
from app.departments.tree import Node, Tree
from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.problems import Rejected
from app.kit.schemas import Input, Output
from app.permissions.outcomes import Purpose

Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), BeforeValidator(readable)]


class DepartmentReadQuery(Input):
    """How one department is read."""

    purpose: Purpose = Purpose.WORK_CONTACT


class DepartmentListQuery(Input):
    """What a list of departments asks for."""

    parent: DepartmentRef | None = Field(None, description="Id or code: only what stands directly below it.")
    recursive: bool = Field(default=False, description="With `parent`: everything below it.")
    q: Term | None = Field(None, description="Part of a name or code.")
    limit: Limit = 20
    cursor: CursorText | None = None
    purpose: Purpose = Purpose.WORK_CONTACT
    view: Literal["list", "tree"] = Field(
        "list",
        description="`tree`: nested, in display order, whole, without pages; not together with `q` and `cursor`.",
    )

    @field_validator("view", mode="after")
    @classmethod
    def _whole(cls, value: str, info: ValidationInfo) -> str:
        if value == "tree" and any(info.data.get(name) is not None for name in ("q", "cursor")):
            code = "not_with_tree"
            raise Rejected(code, "The tree is neither searched nor paged.", "树形视图不支持搜索和分页。")
        return value

    def selection(self) -> Selection:
        """Give which departments are meant."""
        return Selection(parent=self.parent, recursive=self.recursive, text=self.q)


class DepartmentPublic(Output):
    """A department as everybody who reads contacts sees it."""

    id: UUID
    code: str = Field(examples=["RD-CORE"])
    name: str = Field(examples=["核心研发部"])
    parent: UUID | None
    path: str = Field(examples=["研发中心/核心研发部"])
    head: UUID | None = Field(description="Contact; `null` also when the reader may not know of them.")
    deputy: UUID | None = Field(description="Contact; `null` also when the reader may not know of them.")
    order: int
    region: str = Field(examples=["CN"])
    legal_entity: str | None
    protected: bool


class DepartmentReceipt(DepartmentPublic):
    """A department as just written."""

    version: str


class DepartmentItem(DepartmentPublic):
    """One department of a list."""

    version: str
    children: list["DepartmentItem"] | None = Field(None, description="With `view=tree` only.")


class DepartmentView(DepartmentPublic):
    """One department."""

    version: str
    disclosure: DisclosureNote


class DepartmentPage(Output):
    """A page of departments by code, or the nested tree."""

    items: list[DepartmentItem]
    next: str | None
    disclosure: DisclosureNote


def public(node: Node, tree: Tree, known: Collection[UUID]) -> dict[str, Any]:
    """Write one department; ``known`` are the contacts of whom the reader may know."""
    return {
        "id": str(node.id),
        "code": node.code,
        "name": node.name,
        "parent": None if node.parent_id is None else str(node.parent_id),
        "path": tree.path(node.id),
        "head": _named(node.head_id, known),
        "deputy": _named(node.deputy_id, known),
        "order": node.order,
        "region": node.region,
        "legal_entity": node.legal_entity or None,
        "protected": node.protected,
    }


def _named(holder: UUID | None, known: Collection[UUID]) -> str | None:
    return str(holder) if holder is not None and holder in known else None
