"""``department.*``: the tree as the personnel system keeps it, and the positions in it of who leaves.

The events apply at once (design/product.md, conflicts: structure changes). Departments are named by code; everything is decided on the tree
as it stands inside the transaction, which every other change of the tree waits for. A department that goes into another takes everything
along: people of any kind, departments below, numbers and pools, and whoever heads it where the other has nobody. Exceptions stay: nobody's
work has changed.
"""

from typing import Any, Final, assert_never
from uuid import UUID

from app.audit.authors import Author
from app.contacts.errors import UnknownContact, UnknownDepartment
from app.contacts.rows import closed
from app.contacts.schemas import Membership
from app.departments.errors import DepartmentLoop, UnknownHolder
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.service import DepartmentService
from app.departments.tree import Node, Tree
from app.hr.data import (
    DepartmentClosedData,
    DepartmentCreatedData,
    DepartmentMergedData,
    DepartmentMovedData,
    DepartmentUpdatedData,
    EventData,
    StructureData,
)
from app.hr.numbers import Numbers
from app.hr.subjects import People, Subjects
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.standing import Viewer, author_of

_POSITIONS: Final = ("head", "deputy")


class Restructuring:
    """Changes the tree."""

    def __init__(self, *, people: People, departments: DepartmentService, subjects: Subjects, numbers: Numbers) -> None:
        """Take where people are written and found, who keeps the tree, and who keeps numbers."""
        self._people, self._departments, self._subjects, self._numbers = people, departments, subjects, numbers

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
            case DepartmentMergedData():
                await self._merge(viewer, unit, await self._current(unit, code), data.into)
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

    async def _merge(self, viewer: Viewer, unit: UnitOfWork, node: Node, into: str) -> None:
        """Bring everything of ``node`` to the department ``into``, and close it; raise ``DepartmentLoop`` for itself and what is below."""
        author, tree = author_of(viewer), viewer.tree
        target = await self._departments.current(unit, into)
        if target is None or tree.find(target.code) is None:
            raise UnknownDepartment("/data/into")
        if tree.would_loop(node.id, target.id):
            raise DepartmentLoop
        for child in [each for each in tree.nodes.values() if each.parent_id == node.id]:
            below = await self._current(unit, child.code)
            await self._departments.amend(unit, author, below, DepartmentAmend(parent=target.code))
        for identity in await self._people.contacts.belonging_to(unit.session, node.id):
            await self._bring(viewer, unit, identity, node, target)
        await self._numbers.bring_along(unit, author, from_id=node.id, to_id=target.id)
        heads = {
            name: who
            for name, who, there in (
                ("head", node.head_id, target.head_id),
                ("deputy", node.deputy_id, target.deputy_id),
            )
            if who is not None and there is None and who not in target.holders
        }
        if heads:
            await self._departments.amend(unit, author, target, DepartmentAmend(**heads))  # type: ignore[arg-type]
        await self._departments.remove(unit, author, await self._current(unit, node.code))

    async def _bring(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, node: Node, target: Node) -> None:
        """Let somebody belong to ``target`` wherever they belong to ``node``; raise ``NotFound`` for a row that was edited past us."""
        loaded = await self._people.contacts.for_change(unit.session, identity)
        if loaded is None:
            raise NotFound
        contact, tree = loaded[0], viewer.tree
        given: dict[str, Any] = {}
        main = contact.department_id
        if main == node.id:
            given["department"], main = target.code, target.id
        besides = {target.id if each == node.id else each: detail for each, detail in _further(contact.memberships)}
        if (
            len(besides) != len(contact.memberships)
            or node.id in dict(_further(contact.memberships))
            or main in besides
        ):
            given["memberships"] = [
                Membership(department=tree.nodes[each].code, **detail)
                for each, detail in besides.items()
                if each != main and each in tree.nodes
            ]
        await self._people.writer.amend(unit, author_of(viewer), tree, closed(*loaded, tree), given)

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


def _further(memberships: list[dict[str, Any]]) -> list[tuple[UUID, dict[str, Any]]]:
    """Part the departments that somebody also belongs to from what they are there."""
    return [
        (UUID(each["department_id"]), {name: value for name, value in each.items() if name != "department_id"})
        for each in memberships
    ]
