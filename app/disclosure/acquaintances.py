"""People who hold something, named only to those who may know of them: by the verdict that the person's card would get."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

OVERSEERS: Final = frozenset({"auditor", "system_admin"})
"""Roles to which every grant and every tier is told, as it is to tier T5."""


class ClosedContacts(Protocol):
    """Where contacts are found, closed."""

    async def by_id(self, identity: UUID, tree: Tree) -> Record | None:
        """Load one; calls made together become one statement."""
        ...


class Acquaintances:
    """Knows whom a viewer may know."""

    def __init__(self, contacts: ClosedContacts, gate: Gate) -> None:
        """Take the contacts and the gate."""
        self._contacts, self._gate = contacts, gate

    async def known(self, viewer: Viewer, contacts: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
        """Give those of ``contacts`` of whom ``viewer`` may know, each as a holder is told."""
        return {
            identity: {
                "id": identity,
                "name": card.get("name"),
                "title": card.get("title"),
                "department": card.get("department"),
            }
            for identity, card in (await self.cards(viewer, contacts)).items()
        }

    async def cards(self, viewer: Viewer, contacts: Iterable[UUID]) -> dict[UUID, Mapping[str, Any]]:
        """Give the C1 members of those of ``contacts`` of whom ``viewer`` may know, for rules that ask about them."""
        wanted = list(dict.fromkeys(contacts))
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        plan = viewer.plan(Purpose.WORK_CONTACT)
        return {
            record.subject: record.public
            for record in records
            if record is not None and self._gate.verdict(plan, record) is not None
        }


def oversees(viewer: Viewer) -> bool:
    """Tell whether standing is told to ``viewer`` whosever it is."""
    standing = viewer.standing
    return standing.kind == "person" and (standing.tier.value == "T5" or not standing.roles.isdisjoint(OVERSEERS))
