"""Which departments a list names, and in which order. Pure.

The order is by code, which never changes, so that a department which is moved or renamed between two pages is neither told twice nor left
out. The order for the eye, by ``order`` among siblings, is that of the nested view.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.departments.tree import Node, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a list asks for: below which department, how deep, and with which text in name or code."""

    parent: str | None = None
    recursive: bool = False
    text: str | None = None

    def of(self, tree: Tree) -> list[Node]:
        """List the departments, by code; none when ``parent`` names none."""
        text = None if self.text is None else self.text.casefold()
        found = [node for node in self._below(tree) if text is None or _speaks_of(node, text)]
        return sorted(found, key=lambda node: node.code)

    def roots(self, tree: Tree) -> tuple[Node, ...]:
        """List the departments that stand directly below ``parent``, in display order."""
        if self.parent is None:
            return tree.children.get(None, ())
        above = tree.find(self.parent)
        return () if above is None else tree.children.get(above.id, ())

    def shape(self) -> Mapping[str, Any]:
        """Give what identifies the list, without its page: for the cursor and the log."""
        given = {"parent": self.parent, "recursive": self.recursive or None, "q": self.text}
        return {"of": "departments", **{name: value for name, value in given.items() if value is not None}}

    def _below(self, tree: Tree) -> list[Node]:
        if self.parent is None:
            return list(tree.nodes.values())
        above = tree.find(self.parent)
        if above is None:
            return []
        if not self.recursive:
            return list(tree.children.get(above.id, ()))
        return [tree.nodes[each] for each in tree.subtree(above.id) if each != above.id]


def _speaks_of(node: Node, text: str) -> bool:
    return text in node.name.casefold() or text in node.code.casefold()
