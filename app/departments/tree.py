"""The tree as a value: paths, subtrees and whom a person heads, computed once for a directory version.

Pure. A department whose row does not verify is left out by whoever builds the tree, and with it everything below, so that nobody's standing
rests on a row that somebody edited by hand.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final
from uuid import UUID

import orjson

DEPARTMENTS: Final = "departments"
"""The counter that moves with every change of the tree, and with it everybody's standing."""

MOST_LEVELS: Final = 24
"""How deep the tree may grow; far beyond any company, far below any limit of a stack."""

PATH_SEPARATOR: Final = "/"


@dataclass(frozen=True, slots=True)
class Node:
    """One department, as its row's MAC covers it."""

    id: UUID
    code: str
    name: str
    parent_id: UUID | None
    head_id: UUID | None
    deputy_id: UUID | None
    order: int
    region: str
    legal_entity: str
    protected: bool
    row_version: int = 1

    @property
    def holders(self) -> tuple[UUID, ...]:
        """Who holds a position in it: head, then deputy."""
        return tuple(dict.fromkeys(each for each in (self.head_id, self.deputy_id) if each is not None))


class Tree:
    """All verified departments of one directory version."""

    def __init__(self, nodes: Iterable[Node], *, epoch: int = 0, distrusted: Iterable[UUID] = ()) -> None:
        """Take every node once. Nodes that hang below a distrusted one, or in a ring, are distrusted too."""
        given = {node.id: node for node in nodes}
        self.epoch = epoch
        bad = set(distrusted)
        good: dict[UUID, Node] = {}
        for node in given.values():
            trail: dict[UUID, None] = {}
            at: UUID | None = node.id
            while at is not None and at in given and at not in trail and at not in bad and at not in good:
                trail[at] = None
                at = given[at].parent_id
            if at is None or at in good:
                good.update((each, given[each]) for each in trail)
            else:
                bad.update(trail)
        self.nodes: Mapping[UUID, Node] = MappingProxyType(good)
        self.distrusted: frozenset[UUID] = frozenset(bad)

    @cached_property
    def by_code(self) -> Mapping[str, Node]:
        """Departments by their stable code."""
        return {node.code: node for node in self.nodes.values()}

    @cached_property
    def children(self) -> Mapping[UUID | None, tuple[Node, ...]]:
        """Direct children of each department, in display order; the roots stand under ``None``."""
        found: dict[UUID | None, list[Node]] = defaultdict(list)
        for node in self.nodes.values():
            found[node.parent_id].append(node)
        return {parent: tuple(sorted(each, key=lambda node: (node.order, node.code))) for parent, each in found.items()}

    @cached_property
    def _paths(self) -> dict[UUID, str]:
        return {identity: PATH_SEPARATOR.join(node.name for node in self.ancestry(identity)) for identity in self.nodes}

    @cached_property
    def views(self) -> Mapping[UUID, bytes]:
        """Every department as cards name it, rendered once: id, code, name and path."""
        return {
            node.id: orjson.dumps({"id": node.id, "code": node.code, "name": node.name, "path": self.path(node.id)})
            for node in self.nodes.values()
        }

    @cached_property
    def by_region(self) -> Mapping[str, frozenset[UUID]]:
        """Departments by their region; those of which none is known stand under an empty one."""
        return _grouped((node.region, node.id) for node in self.nodes.values())

    @cached_property
    def by_legal_entity(self) -> Mapping[str, frozenset[UUID]]:
        """Departments by their legal entity; those of which none is known stand under an empty one."""
        return _grouped((node.legal_entity, node.id) for node in self.nodes.values())

    def ancestry(self, identity: UUID) -> tuple[Node, ...]:
        """Give the department and everything above it, the root first; empty when it is not in the tree."""
        found: list[Node] = []
        at: UUID | None = identity
        while at is not None and (node := self.nodes.get(at)) is not None:
            found.append(node)
            at = node.parent_id
        return tuple(reversed(found))

    def find(self, named: str) -> Node | None:
        """Find a department by its code or its id; the code wins, since some codes could be read as an id."""
        found = self.by_code.get(named)
        if found is not None:
            return found
        try:
            return self.nodes.get(UUID(named))
        except ValueError:
            return None

    def path(self, identity: UUID) -> str:
        """Write the names from the root down, as the card shows them."""
        return self._paths.get(identity, "")

    def subtree(self, identity: UUID, *, into_protected: bool = True) -> frozenset[UUID]:
        """Give the ids of the department and of everything below it; protected children are left out unless asked for."""
        return frozenset(each for level in self._levels(identity, into_protected=into_protected) for each in level)

    def height(self, identity: UUID) -> int:
        """Count the levels of the subtree: 1 for a department without children, 0 for one that is not in the tree."""
        return len(self._levels(identity, into_protected=True))

    def headed_by(self, contact_id: UUID) -> frozenset[UUID]:
        """Give the departments that a person heads, directly or from above.

        A department marked protected answers to its own head alone, not to those above it.
        """
        return frozenset().union(
            *(self.subtree(node.id, into_protected=False) for node in self.nodes.values() if node.head_id == contact_id)
        )

    def would_loop(self, identity: UUID, parent_id: UUID | None) -> bool:
        """Tell whether hanging ``identity`` below ``parent_id`` would make a ring."""
        return parent_id is not None and parent_id in self.subtree(identity)

    def _levels(self, identity: UUID, *, into_protected: bool) -> list[list[UUID]]:
        levels: list[list[UUID]] = []
        level = [identity] if identity in self.nodes else []
        while level:
            levels.append(level)
            below = [child for each in level for child in self.children.get(each, ())]
            level = [child.id for child in below if into_protected or not child.protected]
        return levels


def _grouped(named: Iterable[tuple[str, UUID]]) -> Mapping[str, frozenset[UUID]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    for name, identity in named:
        found[name].add(identity)
    return MappingProxyType({name: frozenset(each) for name, each in found.items()})
