"""Which departments a list names: below whom, how deep, by which text; and in which order."""

import pytest

from app.departments.listing import Selection
from app.departments.tree import Tree
from tests.departments.test_tree import node

TOP = node(0, code="RD", name="研发中心", order=2)
CORE = node(1, TOP.id, code="RD-CORE", name="核心研发部")
LAB = node(2, CORE.id, code="LAB", name="Lab")
SALES = node(3, code="SALES", name="销售部", order=1)
TREE = Tree([LAB, SALES, CORE, TOP])


@pytest.mark.parametrize(
    ("selection", "codes"),
    [
        (Selection(), ["LAB", "RD", "RD-CORE", "SALES"]),
        (Selection(recursive=True), ["LAB", "RD", "RD-CORE", "SALES"]),
        (Selection(parent="RD"), ["RD-CORE"]),
        (Selection(parent=str(TOP.id)), ["RD-CORE"]),
        (Selection(parent="RD", recursive=True), ["LAB", "RD-CORE"]),
        (Selection(parent="LAB", recursive=True), []),
        (Selection(parent="NONE", recursive=True), []),
        (Selection(text="研发"), ["RD", "RD-CORE"]),
        (Selection(text="lab"), ["LAB"]),
        (Selection(text="core", parent="RD"), ["RD-CORE"]),
        (Selection(text="core", parent="RD-CORE"), []),
    ],
)
def test_a_list_names_what_it_was_asked_for(selection: Selection, codes: list[str]) -> None:
    assert [each.code for each in selection.of(TREE)] == codes


@pytest.mark.parametrize(("parent", "codes"), [(None, ["SALES", "RD"]), ("RD", ["RD-CORE"]), ("LAB", []), ("NONE", [])])
def test_the_nested_view_starts_in_display_order(parent: str | None, codes: list[str]) -> None:
    assert [each.code for each in Selection(parent=parent).roots(TREE)] == codes


def test_different_lists_have_different_shapes() -> None:
    lists = [
        Selection(),
        Selection(parent="RD"),
        Selection(parent="RD", recursive=True),
        Selection(text="RD"),
        Selection(text="RD", parent="RD"),
    ]
    shapes = [dict(each.shape()) for each in lists]
    assert all(shape != other for at, shape in enumerate(shapes) for other in shapes[:at])
