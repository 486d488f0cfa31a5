"""Changing the department tree: create, amend, remove. Each is part of the caller's one transaction.

Every change first moves the counter ``departments``, which makes changes of the tree queue for one another, and then reads the tree inside
its own transaction. So two moves that are harmless alone can never close a ring together, and a row that somebody edited by SQL, which the
tree leaves out, is never signed anew. The counter stands in everybody's standing: a new head stands as one from the commit on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.authors import Author, written
from app.audit.intents import gather_intent
from app.auth import epochs
from app.departments.errors import (
    DepartmentHasNumbers,
    DepartmentLoop,
    DepartmentNotEmpty,
    DepartmentTooDeep,
    DuplicateDepartmentCode,
    UnknownHolder,
    UnknownParent,
)
from app.departments.repository import DepartmentRepository
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.tree import DEPARTMENTS, MOST_LEVELS, Node, Tree
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound, PreconditionFailed
from app.kit.models import new_id
from app.kit.straight import Writes
from app.traces import marking
from app.traces.trace import CARD, PLACEMENT, Sort, Trace

_COLUMN_OF: Final[Mapping[str, str]] = {"head": "head_id", "deputy": "deputy_id"}
_SORT_OF: Final[Mapping[str, Sort]] = {"department.create": Sort.CREATED, "department.delete": Sort.REMOVED}


@dataclass(frozen=True, slots=True)
class Kept:
    """A department after its write, the tree that it then stands in, and the members that changed."""

    node: Node
    tree: Tree
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Change:
    """What was done to which department, which members changed, whose position the log is told of, and who came to one or went."""

    action: str
    node: Node
    members: tuple[str, ...]
    holders: Collection[UUID]
    moved: Collection[UUID] = ()


class DepartmentService:
    """Keeps the tree."""

    def __init__(self, repository: DepartmentRepository, clock: Clock, *, region: str) -> None:
        """Take the rows, the clock, and the region (ISO 3166) of a department at the top that names none."""
        self._repository, self._clock, self._region = repository, clock, region

    async def create(self, unit: UnitOfWork, author: Author, new: DepartmentCreate) -> Kept:
        """Add a department.

        Raises ``DuplicateDepartmentCode``, ``UnknownParent``, ``UnknownHolder`` and ``DepartmentTooDeep``; then nothing is written.
        """
        tree = await self._locked(unit)
        if new.code in tree.by_code:
            raise DuplicateDepartmentCode
        parent = None if new.parent is None else _found(tree, new.parent)
        node = Node(
            id=new_id(),
            code=new.code,
            name=new.name,
            parent_id=None if parent is None else parent.id,
            head_id=new.head,
            deputy_id=new.deputy,
            order=new.order,
            region=new.region or (self._region if parent is None else parent.region),
            legal_entity=new.legal_entity or ("" if parent is None else parent.legal_entity),
            protected=new.protected,
        )
        fits(tree, node)
        await self._known(unit, {"/head": new.head, "/deputy": new.deputy})
        try:
            await self._repository.insert(unit.session, node, at=self._clock.now())
        except IntegrityError as error:
            raise DuplicateDepartmentCode from error
        changed = tuple(sorted(name for name, value in _told(node).items() if value not in (None, "")))
        await self._announce(unit, author, _Change("department.create", node, changed, node.holders))
        return Kept(node, _with(tree, node), changed)

    async def amend(self, unit: UnitOfWork, author: Author, seen: Node, changes: DepartmentAmend) -> Kept:
        """Change members of the department that the caller has just ``seen``; a change that changes nothing writes nothing.

        Raises ``NotFound``, ``PreconditionFailed`` when the row has moved since, ``DepartmentLoop``, and as ``create`` does.
        """
        tree = await self._locked(unit)
        before = _still(tree, seen)
        after = replace(before, **_columns(tree, changes))
        told, was = _told(after), _told(before)
        changed = tuple(sorted(name for name, value in told.items() if value != was[name]))
        if not changed:
            return Kept(before, tree, ())
        if "parent" in changed:
            fits(tree, after)
        await self._known(unit, {f"/{name}": told[name] for name in ("head", "deputy") if name in changed})
        after = replace(after, row_version=before.row_version + 1)
        if not await self._repository.update(unit.session, after, seen=before.row_version, at=self._clock.now()):
            raise PreconditionFailed
        touched = {*before.holders, *after.holders} if {"head", "deputy"} & set(changed) else ()
        await self._announce(unit, author, _Change("department.update", after, changed, touched, _moved(before, after)))
        return Kept(after, _with(tree, after), changed)

    async def current(self, unit: UnitOfWork, named: str) -> Node | None:
        """Give the department of an id or code as it is now; the tree then changes in this transaction or after it."""
        return (await self._locked(unit)).find(named)

    async def remove(self, unit: UnitOfWork, author: Author, seen: Node) -> None:
        """Take a department out of the tree.

        Raises ``NotFound``, ``PreconditionFailed`` and, while anything or anybody belongs to it, ``DepartmentNotEmpty``
        and ``DepartmentHasNumbers``.
        """
        tree = await self._locked(unit)
        node = _still(tree, seen)
        await self._repository.lock(unit.session, node.id)
        if not await self._repository.is_empty(unit.session, node.id):
            raise DepartmentNotEmpty
        if await self._repository.has_numbers(unit.session, node.id):
            raise DepartmentHasNumbers
        try:
            deleted = await self._repository.delete(unit.session, node)
        except IntegrityError as error:
            raise DepartmentNotEmpty from error
        if not deleted:
            raise PreconditionFailed
        await self._announce(unit, author, _Change("department.delete", node, (), node.holders))

    async def _locked(self, unit: UnitOfWork) -> Tree:
        await epochs.bump(unit.session, DEPARTMENTS)
        epoch = await epochs.value(unit.session, DEPARTMENTS)
        return await self._repository.tree(unit.session, epoch=epoch)

    async def _known(self, unit: UnitOfWork, named: Mapping[str, UUID | None]) -> None:
        wanted = {pointer: identity for pointer, identity in named.items() if identity is not None}
        known = await self._repository.in_office(unit.session, wanted.values())
        strangers = [pointer for pointer, identity in wanted.items() if identity not in known]
        if strangers:
            raise UnknownHolder(*strangers)

    async def _announce(self, unit: UnitOfWork, author: Author, change: _Change) -> None:
        draft = written(
            author,
            change.action,
            self._clock.now(),
            contacts=sorted(change.holders),
            fields=change.members,
            query={"department": str(change.node.id)},
        )
        writes = Writes()
        gather_intent(writes, draft)
        marking.gather(writes, marking.change_set(unit.session), *_traces(change))
        await writes.run(unit.session)


def _traces(change: _Change) -> list[Trace]:
    """Say what a change leaves: one trace, and one for each contact whose position it touches, who may be known to few."""
    shown = {PLACEMENT if name == "parent" else CARD for name in change.members if name not in _COLUMN_OF}
    sort = _SORT_OF.get(change.action, Sort.MOVED if PLACEMENT in shown else Sort.UPDATED)
    own = Trace(type="department", subject=change.node.id, sort=sort, groups=tuple(sorted(shown)))
    return [own, *(replace(own, groups=(), about=each) for each in sorted(change.moved))]


def _found(tree: Tree, named: str) -> Node:
    node = tree.find(named)
    if node is None:
        raise UnknownParent
    return node


def _moved(before: Node, after: Node) -> set[UUID]:
    """Give who came to a position or went from it."""
    positions = ((before.head_id, after.head_id), (before.deputy_id, after.deputy_id))
    return {each for was, now in positions if was != now for each in (was, now) if each is not None}


def _still(tree: Tree, seen: Node) -> Node:
    node = tree.nodes.get(seen.id)
    if node is None:
        raise NotFound
    if node.row_version != seen.row_version:
        raise PreconditionFailed
    return node


def fits(tree: Tree, node: Node) -> None:
    """Raise ``DepartmentLoop`` or ``DepartmentTooDeep`` when the tree does not take ``node`` where its parent says."""
    if tree.would_loop(node.id, node.parent_id):
        raise DepartmentLoop
    above = 0 if node.parent_id is None else len(tree.ancestry(node.parent_id))
    if above + max(tree.height(node.id), 1) > MOST_LEVELS:
        raise DepartmentTooDeep


def _columns(tree: Tree, changes: DepartmentAmend) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        match name:
            case "parent":
                columns["parent_id"] = None if value is None else _found(tree, value).id
            case "legal_entity":
                columns[name] = value or ""
            case _:
                columns[_COLUMN_OF.get(name, name)] = value
    return columns


def _told(node: Node) -> dict[str, Any]:
    return {
        "code": node.code,
        "name": node.name,
        "parent": node.parent_id,
        "head": node.head_id,
        "deputy": node.deputy_id,
        "order": node.order,
        "region": node.region,
        "legal_entity": node.legal_entity,
        "protected": node.protected,
    }


def _with(tree: Tree, node: Node) -> Tree:
    others = [each for each in tree.nodes.values() if each.id != node.id]
    return Tree([*others, node], epoch=tree.epoch, distrusted=tree.distrusted)
