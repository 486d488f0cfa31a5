"""``org.change``: a department is made, renamed, moved or led by somebody else, as its head asks and the executives decide.

Read as ``POST`` and ``PATCH /v1/departments`` read it, written through the same service when administration publishes it. An approval is
of the department as it stood when the request was filed: after any other change of it, somebody decides anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.approvals.errors import BadForm, SeparationOfDuties
from app.approvals.resolving import Persons
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.repository import ContactRepository
from app.departments.errors import DuplicateDepartmentCode, UnknownHolder, UnknownParent
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.departments.service import DepartmentService, fits
from app.departments.tree import Node, Tree
from app.disclosure.gate import Gate
from app.effects.errors import DepartmentMoved
from app.effects.forms import placed, read
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

CREATE: Final = "create"
_POSITIONS: Final = ("head", "deputy")
_KEEPERS: Final = frozenset({"administration", "executive"})
"""Roles that may ask for a change of any department; everybody else of those that they head."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What is asked: the department that it is about (above the new one), and the change as its operation takes it."""

    at: Node
    change: DepartmentCreate | DepartmentAmend

    @property
    def holders(self) -> dict[str, UUID]:
        """Who is to hold which position."""
        named = {name: getattr(self.change, name) for name in _POSITIONS}
        return {name: holder for name, holder in named.items() if holder is not None}


class OrganisationChange:
    """Changes the tree."""

    def __init__(
        self,
        *,
        departments: DepartmentService,
        contacts: ContactRepository,
        persons: Persons,
        standings: Standings,
        gate: Gate,
    ) -> None:
        """Take who keeps the tree, where contacts and the natural persons behind them are found, the tree of now, and the gate."""
        self._departments, self._contacts, self._persons = departments, contacts, persons
        self._standings, self._gate = standings, gate

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Read the change; raise ``NotFound``, ``NotPermitted`` for a department that somebody else heads, and what the operation would."""
        del source
        tree = await self._standings.tree() if viewer is None else viewer.tree
        node = tree.find(asked.subject.id)
        if node is None:
            raise NotFound
        if viewer is not None and node.id not in viewer.standing.headed and _KEEPERS.isdisjoint(viewer.standing.roles):
            raise NotPermitted
        wanted = _read(node, asked.form)
        with placed("changes"):
            _refuse_unfit(tree, wanted)
            await self._refuse_strangers(viewer, tree, wanted)
        return Examined(
            form={**asked.form, "changes": wanted.change.model_dump(mode="json", exclude_unset=True)},
            facts={"action": asked.form["action"], "department": str(node.id), "version": str(node.row_version)},
            owner=node.id,
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Write the change.

        Raises ``DepartmentMoved``, ``SeparationOfDuties`` when somebody decided on a position of their own, and as the service does.
        """
        node = await self._departments.current(unit, approved.facts["department"])
        if node is None or str(node.row_version) != approved.facts["version"]:
            raise DepartmentMoved
        wanted, by = _read(node, approved.asked.form), replace(author, request_id=str(approved.id))
        holders = list(wanted.holders.values())
        person = await self._persons.of(unit.session, [*approved.decided_by, *holders])
        if not {person[each] for each in approved.decided_by}.isdisjoint(person[each] for each in holders):
            raise SeparationOfDuties
        if isinstance(wanted.change, DepartmentCreate):
            kept = await self._departments.create(unit, by, wanted.change)
        else:
            kept = await self._departments.amend(unit, by, node, wanted.change)
        return Applied(
            result={"department": str(kept.node.id), "code": kept.node.code, "changed": sorted(kept.changed)}
        )

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: what was published is changed by another request."""

    async def _refuse_strangers(self, viewer: Viewer | None, tree: Tree, wanted: _Read) -> None:
        """Raise ``UnknownHolder`` for somebody who is not there, or of whom ``viewer`` may not know."""
        found = await self._contacts.by_ids(list(wanted.holders.values()), tree) if wanted.holders else {}
        plan = None if viewer is None else viewer.plan(Purpose.WORK_CONTACT)
        strangers = [
            f"/{name}"
            for name, holder in wanted.holders.items()
            if holder not in found or (plan is not None and self._gate.verdict(plan, found[holder]) is None)
        ]
        if strangers:
            raise UnknownHolder(*strangers)


def _read(node: Node, form: Mapping[str, Any]) -> _Read:
    """Read the form; a new department stands below the one that the request is about, which its ``parent`` need not say."""
    changes: Mapping[str, Any] = form["changes"]
    if form["action"] != CREATE:
        return _Read(node, read(DepartmentAmend, changes, "changes"))
    if "parent" in changes and changes["parent"] not in {str(node.id), node.code}:
        raise BadForm(
            errors=[
                FieldError(
                    "/form/changes/parent",
                    "other_parent",
                    "A new department stands below the one that the request is about.",
                    "新部门须设在所申请的部门之下。",
                )
            ]
        )
    return _Read(node, read(DepartmentCreate, {**changes, "parent": str(node.id)}, "changes"))


def _refuse_unfit(tree: Tree, wanted: _Read) -> None:
    change = wanted.change
    if isinstance(change, DepartmentCreate):
        if change.code in tree.by_code:
            raise DuplicateDepartmentCode
    elif change.parent is not None:
        parent = tree.find(change.parent)
        if parent is None:
            raise UnknownParent
        fits(tree, replace(wanted.at, parent_id=parent.id))
