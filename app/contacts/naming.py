"""Whom a caller may name in a write, as somebody's manager or deputy: those of whom they may know.

Otherwise whoever may write one card could ask it about everybody: an id that is taken there is somebody's. A service account that writes
people sees nobody, so it may name those whom it may write.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.contacts.members import PEOPLE
from app.contacts.repository import NIL, ContactRepository
from app.disclosure.gate import Gate
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.standing import Viewer


class Naming:
    """Tells whom a viewer may name."""

    def __init__(self, *, contacts: ContactRepository, gate: Gate) -> None:
        """Take the rows and the gate."""
        self._contacts, self._gate = contacts, gate

    async def may_name(self, viewer: Viewer, identity: UUID) -> bool:
        """Tell whether the viewer may name this contact; nobody may name whom there is not, or whose row was edited past us."""
        record, plan = await self._contacts.by_id(identity, viewer.tree), viewer.plan(Purpose.WORK_CONTACT)
        if record is None:
            return False
        if self._gate.verdict(plan, record) is not None:
            return True
        writes = FieldClass.C1 in plan.cohort(record.cohort, record.subject).edits
        return viewer.standing.kind == "service" and writes

    async def named(self, viewer: Viewer, given: Mapping[str, Any]) -> dict[str, Any]:
        """Put nobody in the place of those whom the viewer may not name, so that writing says of them what it says of nobody."""
        strangers = [
            name for name in PEOPLE if given.get(name) is not None and not await self.may_name(viewer, given[name])
        ]
        return {**given, **dict.fromkeys(strangers, NIL)}
