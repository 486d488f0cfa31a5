"""Who has a part in a session or an appointment, counted by natural persons: a second account is no second person."""

from collections.abc import Iterable
from uuid import UUID

from app.approvals.resolving import Persons
from app.auth.repository import Source
from app.departments.tree import Tree
from app.emergency.errors import OwnPart
from app.permissions.standing import Viewer

OVERDUE_RETURN, UNTRAINED, FOREIGN_REGION = "overdue_return", "untrained", "foreign_region"


class Parts:
    """Tells people apart."""

    def __init__(self, persons: Persons) -> None:
        """Take where the natural person behind a contact is read."""
        self._persons = persons

    async def refuse(self, source: Source, who: UUID, others: Iterable[UUID]) -> None:
        """Raise ``OwnPart`` when the person behind ``who`` is the one behind any of ``others``."""
        if await self.has(source, who, others):
            raise OwnPart

    async def has(self, source: Source, who: UUID, others: Iterable[UUID]) -> bool:
        """Tell whether the person behind ``who`` is the one behind any of ``others``."""
        parties = set(others)
        behind = await self._persons.of(source, {who, *parties})
        return behind[who] in {behind[each] for each in parties}


def owed(viewer: Viewer, tree: Tree, departments: Iterable[UUID], *, everywhere: bool) -> list[str]:
    """Name what bounds a viewer whatever they break: marks, and a border between them and whom they ask about.

    No session lifts it without a second person (``permissions.pack.Rule.takes_second``); security is told of it by name.
    """
    standing = viewer.standing
    wanted = set(tree.nodes) if everywhere else {below for each in departments for below in tree.subtree(each)}
    marks = [each for each in (OVERDUE_RETURN, UNTRAINED) if each in standing.marks]
    beyond = not wanted.isdisjoint(standing.region.other)
    return [*marks, *([FOREIGN_REGION] if beyond else [])]
