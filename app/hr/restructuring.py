"""``department.*``: the tree as the personnel system keeps it, and the positions in it of who leaves.

The events apply at once (design/product.md, conflicts: structure changes). Departments are named by code; everything is decided on the tree
as it stands inside the transaction, which every other change of the tree waits for.
"""

from typing import Any, Final, assert_never
from uuid import UUID

from app.audit.authors import Author
from app.contacts.errors import UnknownContact, UnknownDepartment
from app.departments.errors import UnknownHolder
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.service import DepartmentService
from app.departments.tree import Node, Tree
from app.hr.data import (
    DepartmentClosedData,
    DepartmentCreatedData,
    DepartmentMovedData,
    DepartmentUpdatedData,
    EventData,
    StructureData,
)
from app.hr.subjects import Subjects
from app.kit.db import UnitOfWork
from app.permissions.standing import Viewer, author_of

_POSITIONS: Final = ("head", "deputy")


class Restructuring:
    """Changes the tree."""

    def __init__(self, *, departments: DepartmentService, subjects: Subjects) -> None:
        """Take who keeps the tree, and where people are found."""
        self._departments, self._subjects = departments, subjects

    async def change(self, viewer: Viewer, unit: UnitOfWork, code: str, data: StructureData) -> None:
        """Do what ``data`` says to the department of this code.

        Raises ``UnknownDepartment``, and as ``DepartmentService`` does.
        """
        author = author_of(viewer)
        match data:
            case DepartmentCreatedData():
                new = DepartmentCreate(code=code, **await self._given(viewer, unit, data))
                await self._departments.create(unit, author, new)
            case DepartmentUpdatedData() | DepartmentMovedData():
                node = await self._current(unit, code)
                changes = DepartmentAmend(**await self._given(viewer, unit, data))
                await self._departments.amend(unit, author, node, changes)
            case DepartmentClosedData():
                await self._departments.remove(unit, author, await self._current(unit, code))
            case _:
                assert_never(data)

    async def vacate(self, unit: UnitOfWork, author: Author, tree: Tree, holder: UUID) -> None:
        """Leave the positions of ``holder`` empty, wherever ``tree`` has them."""
        for held in [node for node in tree.nodes.values() if holder in node.holders]:
            node = await self._departments.current(unit, held.code)
            if node is None:
                continue
            positions: dict[str, Any] = {
                name: None
                for name, who in zip(_POSITIONS, (node.head_id, node.deputy_id), strict=True)
                if who == holder
            }
            await self._departments.amend(unit, author, node, DepartmentAmend(**positions))

    async def _current(self, unit: UnitOfWork, code: str) -> Node:
        node = await self._departments.current(unit, code)
        if node is None:
            raise UnknownDepartment("/subject")
        return node

    async def _given(self, viewer: Viewer, unit: UnitOfWork, data: EventData) -> dict[str, Any]:
        given = data.given()
        for name in _POSITIONS:
            if given.get(name) is not None:
                pointer = f"/data/{name}"
                try:
                    given[name] = await self._subjects.person(viewer, unit, given[name], pointer)
                except UnknownContact as error:
                    raise UnknownHolder(pointer) from error
        return given
