"""The tree against a plain reading of its rules: who is believed, what hangs where, and who heads what.

The trees are made at random, with rings, parents that are missing and rows that do not verify among them.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.departments.tree import Node, Tree

PEOPLE = tuple(UUID(int=each) for each in range(1, 4))
MISSING = UUID(int=999)


def node(number: int, parent: UUID | None = None, **members: Any) -> Node:  # noqa: ANN401 — members of Node
    plain = Node(
        id=UUID(int=100 + number),
        code=f"D{number}",
        name=f"部门{number}",
        parent_id=parent,
        head_id=None,
        deputy_id=None,
        order=0,
        region="CN",
        legal_entity="",
        protected=False,
    )
    return replace(plain, **members)


@st.composite
def forests(draw: st.DrawFn, *, broken: bool) -> tuple[list[Node], frozenset[UUID]]:
    """Make nodes and the ids of rows that do not verify; without ``broken`` every parent stands earlier in the list."""
    size = draw(st.integers(1, 12))
    distrusted = (
        frozenset(UUID(int=100 + each) for each in draw(st.sets(st.integers(0, size - 1)))) if broken else frozenset()
    )
    nodes = []
    for number in range(size):
        above = [UUID(int=100 + each) for each in range(size if broken else number)]
        parents = st.sampled_from([None, *above, *([MISSING] if broken else [])])
        nodes.append(
            node(
                number,
                draw(parents),
                head_id=draw(st.sampled_from([None, *PEOPLE])),
                deputy_id=draw(st.sampled_from([None, *PEOPLE])),
                order=draw(st.integers(0, 2)),
                protected=draw(st.booleans()),
            )
        )
    return [each for each in nodes if each.id not in distrusted], distrusted


def way_up(nodes: Sequence[Node], start: Node) -> list[Node] | None:
    """Walk from a department to the top; ``None`` where the way leads in a ring or into nothing."""
    by_id = {each.id: each for each in nodes}
    way = [start]
    while (parent := way[-1].parent_id) is not None:
        if parent not in by_id or len(way) > len(nodes):
            return None
        way.append(by_id[parent])
    return way


def unprotected_way(nodes: Sequence[Node], below: Node, above: UUID) -> bool:
    """Tell whether one may pass from ``above`` down to ``below`` without entering a protected department."""
    way = way_up(nodes, below)
    assert way is not None
    for each in way:
        if each.id == above:
            return True
        if each.protected:
            return False
    return False


@given(forests(broken=True))
def test_only_what_hangs_from_the_top_is_believed(made: tuple[list[Node], frozenset[UUID]]) -> None:
    nodes, distrusted = made
    tree = Tree(nodes, distrusted=distrusted)
    believed = {each.id for each in nodes if way_up(nodes, each) is not None}
    assert set(tree.nodes) == believed
    assert tree.distrusted == distrusted | {each.id for each in nodes if each.id not in believed}


@given(forests(broken=True), st.randoms())
def test_the_order_of_the_rows_means_nothing(made: tuple[list[Node], frozenset[UUID]], random: Random) -> None:
    nodes, distrusted = made
    tree = Tree(nodes, distrusted=distrusted)
    shuffled = list(nodes)
    random.shuffle(shuffled)
    other = Tree(shuffled, distrusted=distrusted)
    assert (dict(other.nodes), other.distrusted) == (dict(tree.nodes), tree.distrusted)
    assert other.children == tree.children


@given(forests(broken=True))
def test_a_subtree_is_what_has_the_department_above_it(made: tuple[list[Node], frozenset[UUID]]) -> None:
    nodes, distrusted = made
    tree = Tree(nodes, distrusted=distrusted)
    for root in nodes:
        below = {each.id for each in tree.nodes.values() if root.id in {step.id for step in way_up(nodes, each) or ()}}
        assert tree.subtree(root.id) == below
        open_to = {each for each in below if unprotected_way(nodes, tree.nodes[each], root.id)}
        assert tree.subtree(root.id, into_protected=False) == open_to
        depths = [len(tree.ancestry(each)) for each in below]
        assert tree.height(root.id) == (max(depths) - min(depths) + 1 if depths else 0)


@given(forests(broken=True), st.sampled_from(PEOPLE))
def test_a_person_heads_down_to_the_protected_and_no_further(
    made: tuple[list[Node], frozenset[UUID]], person: UUID
) -> None:
    nodes, distrusted = made
    tree = Tree(nodes, distrusted=distrusted)
    headed = {
        each.id
        for each in tree.nodes.values()
        if any(step.head_id == person and unprotected_way(nodes, each, step.id) for step in way_up(nodes, each) or ())
    }
    assert tree.headed_by(person) == headed


@given(forests(broken=False), st.data())
def test_a_move_loops_exactly_when_the_tree_would_lose_what_it_moves(
    made: tuple[list[Node], frozenset[UUID]], data: st.DataObject
) -> None:
    nodes, _ = made
    moved = data.draw(st.sampled_from(nodes))
    parent = data.draw(st.sampled_from([None, *(each.id for each in nodes)]))
    after = Tree([replace(each, parent_id=parent) if each.id == moved.id else each for each in nodes])
    assert Tree(nodes).would_loop(moved.id, parent) == (moved.id not in after.nodes)


@given(forests(broken=False))
def test_paths_and_children_agree(made: tuple[list[Node], frozenset[UUID]]) -> None:
    nodes, _ = made
    tree = Tree(nodes)
    for each in nodes:
        above = "" if each.parent_id is None else tree.path(each.parent_id) + "/"
        assert tree.path(each.id) == above + each.name
        assert each in tree.children[each.parent_id]
    for siblings in tree.children.values():
        assert list(siblings) == sorted(siblings, key=lambda sibling: (sibling.order, sibling.code))


def test_a_protected_department_answers_to_its_own_head() -> None:
    boss, own = PEOPLE[:2]
    top = node(0, head_id=boss)
    closed = node(1, top.id, head_id=own, protected=True)
    inside = node(2, closed.id)
    tree = Tree([top, closed, inside])
    assert tree.headed_by(boss) == {top.id}
    assert tree.headed_by(own) == {closed.id, inside.id}


def test_a_deputy_heads_nothing() -> None:
    assert Tree([node(0, deputy_id=PEOPLE[0])]).headed_by(PEOPLE[0]) == frozenset()


def test_a_department_is_found_by_code_and_by_id() -> None:
    looks_like_an_id = "ABCDEF0123456789ABCDEF0123456789"
    one, other = node(0), node(1, code=looks_like_an_id)
    tree = Tree([one, other])
    assert tree.find("D0") is one
    assert tree.find(str(one.id)) is one
    assert tree.find(looks_like_an_id) is other
    assert [tree.find(each) for each in ("d0", "", "D", str(MISSING))] == [None] * 4


def test_what_is_not_in_the_tree_has_nothing() -> None:
    tree = Tree([node(0)])
    assert (tree.path(MISSING), tree.ancestry(MISSING), tree.subtree(MISSING), tree.height(MISSING)) == (
        "",
        (),
        frozenset(),
        0,
    )


def test_a_deep_tree_is_walked_without_a_stack() -> None:
    chain = [node(0), *(node(each, UUID(int=99 + each)) for each in range(1, 5000))]
    tree = Tree(reversed(chain))
    assert tree.height(chain[0].id) == 5000
    assert len(tree.subtree(chain[0].id)) == 5000
