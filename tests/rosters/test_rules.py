"""Which department is meant, which rows are one person's, and the order in which rows are settled; without a store."""

from typing import Final
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.departments.tree import Node, Tree
from app.rosters.ordering import keys, named, repeated, settled_in
from app.rosters.placing import Placing, Unplaced
from app.rosters.profile import Places
from app.rosters.reading import Person


def node(number: int, code: str, name: str, parent: int | None) -> Node:
    return Node(
        id=UUID(int=number),
        code=code,
        name=name,
        parent_id=None if parent is None else UUID(int=parent),
        head_id=None,
        deputy_id=None,
        order=0,
        region="CN",
        legal_entity="",
        protected=False,
    )


TREE: Final = Tree(
    [
        node(1, "RD", "研发部", None),
        node(2, "RD-1", "一组", 1),
        node(3, "SALES", "销售部", None),
        node(4, "SALES-1", "一组", 3),
        node(5, "2", "后勤部", None),
        node(6, "ODD", "甲;乙/丙", None),
    ]
)


@pytest.mark.parametrize(
    ("told", "places", "code"),
    [
        ("RD", Places(), "RD"),
        ("研发部/一组", Places(), "RD-1"),
        (" 研发部 / 一组 ", Places(), "RD-1"),
        ("研发部-一组", Places(path="-"), "RD-1"),
        ("一组", Places(), "ambiguous_department"),
        ("示例公司/研发部", Places(), "unknown_department"),
        ("示例公司/研发部", Places(company_first=True), "RD"),
        ("示例公司/研发部/一组", Places(company_first=True), "RD-1"),
        ("示例公司/一组", Places(company_first=True), "ambiguous_department"),
        ("研发部/二组", Places(company_first=True), "unknown_department"),
        ("2", Places(), "2"),
        ("2", Places(table={"2": "SALES"}), "SALES"),
        ("7", Places(table={"7": "GONE"}), "unknown_department"),
        ("00000000-0000-0000-0000-000000000004", Places(), "SALES-1"),
        ("/", Places(), "unknown_department"),
    ],
    ids=[f"case{at}" for at in range(15)],
)
def test_which_department_is_meant(told: str, places: Places, code: str) -> None:
    placing = Placing(TREE, places)
    try:
        found = placing.find(told).code
    except Unplaced as fault:
        found = fault.code
    assert found == code


@pytest.mark.parametrize("places", [Places(), Places(path="-", company_first=True), Places(table={"RD": "SALES"})])
def test_what_is_written_is_found_again(places: Places) -> None:
    placing = Placing(TREE, places)
    for each in TREE.nodes.values():
        written = placing.written(each)
        assert not any(sign in written for sign in places.separators)
        if each.code not in places.table:
            assert placing.find(written) is each


def person(line: int, number: str | None, *people: str, name: str | None = None) -> Person:
    return Person(line, number, name, people, orjson.dumps({}))


def test_rows_of_one_person_are_known_by_either_name() -> None:
    rows = [person(1, "E1", name="A"), person(2, None, name="a"), person(3, "E3"), person(4, "E1"), person(5, "A")]
    assert repeated(rows) == [True, True, False, True, False]


@given(st.lists(st.lists(st.integers(0, 12), max_size=3), max_size=12))
def test_who_is_named_comes_before_those_who_name_them(graph: list[list[int]]) -> None:
    rows = [person(at, f"E{at}", *(f"E{each}" for each in each_of)) for at, each_of in enumerate(graph)]
    order = settled_in(rows)
    assert sorted(order) == list(range(len(rows)))
    place = {at: number for number, at in enumerate(order)}

    def reach(start: int) -> set[int]:
        met: set[int] = set()
        wait = [start]
        while wait:
            for each in graph[wait.pop()]:
                if each < len(graph) and each not in met:
                    met.add(each)
                    wait.append(each)
        return met

    for at, each_of in enumerate(graph):
        for each in each_of:
            if each < len(graph) and at not in reach(each):
                assert place[each] < place[at]


def test_without_names_the_order_is_that_of_the_sheet_however_deep_it_goes() -> None:
    assert settled_in([person(at, f"E{at}") for at in range(9)]) == list(range(9))
    deep = [person(at, f"E{at}", f"E{at + 1}") for at in range(5000)]
    assert settled_in(deep) == list(reversed(range(5000)))
    assert keys(person(1, "E1", name="Ab")) == (("employee_no", "E1"), ("user_name", "ab"))
    assert named("Ab") == (("employee_no", "Ab"), ("user_name", "ab"))
