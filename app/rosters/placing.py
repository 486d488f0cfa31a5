"""Which department of ours a sheet means. No I/O.

By the profile's table of ids, then by code, then by name: the whole path from the top, else a path that ends one of ours and no other. A
path that begins with the company's name is tried without it where the profile says so. Nothing is guessed between two.
"""

from functools import cached_property
from typing import Final

from app.departments.tree import Node, Tree
from app.rosters.profile import Places
from app.rosters.verdicts import Verdict

UNKNOWN: Final = "unknown_department"


class Unplaced(Exception):
    """No department is meant, or more than one; ``code`` says which."""

    def __init__(self, code: str) -> None:
        """Name the fault."""
        super().__init__(code)
        self.code = code


class Placing:
    """Finds departments of one tree as one profile writes them."""

    def __init__(self, tree: Tree, places: Places) -> None:
        """Take the tree, and how departments are written."""
        self.tree, self._places = tree, places

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[tuple[str, ...], Node]]]:
        found: dict[str, list[tuple[tuple[str, ...], Node]]] = {}
        for node in self.tree.nodes.values():
            names = tuple(each.name for each in self.tree.ancestry(node.id))
            found.setdefault(names[-1], []).append((names, node))
        return found

    def find(self, told: str) -> Node:
        """Give the department that is meant; raise ``Unplaced``."""
        node = self.tree.find(self._places.table.get(told, told))
        if node is not None:
            return node
        levels = tuple(part for each in told.split(self._places.path) if (part := each.strip()))
        found = self._called(levels)
        if not found and self._places.company_first and len(levels) > 1:
            found = self._called(levels[1:])
        whole = [node for names, node in found if len(names) == len(levels)]
        fitting = whole or [node for _, node in found]
        if len(fitting) == 1:
            return fitting[0]
        raise Unplaced(Verdict.AMBIGUOUS_DEPARTMENT if fitting else UNKNOWN)

    def _called(self, levels: tuple[str, ...]) -> list[tuple[tuple[str, ...], Node]]:
        if not levels:
            return []
        return [(names, node) for names, node in self._by_name.get(levels[-1], ()) if names[-len(levels) :] == levels]

    def written(self, node: Node) -> str:
        """Write a department so that it is found again: its path where that is unmistakable, else its code."""
        path = self._places.path.join(each.name for each in self.tree.ancestry(node.id))
        separated = any(each in path for each in self._places.separators)
        try:
            return path if not separated and self.find(path) is node else node.code
        except Unplaced:
            return node.code
