"""Drawing with a seed gives the same names everywhere, each once."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.demo.names import DOT, Draw, Names


def test_dotted_names_are_names_too() -> None:
    names = Names(Draw(1))
    given_out = [names.next_dotted() for _ in range(100)]
    assert len({each.han for each in given_out}) == len({each.user_name for each in given_out}) == 100
    assert all(each.han.count(DOT) == 1 and re.fullmatch(r"[a-z]+\.[a-z]+\d*", each.user_name) for each in given_out)


def test_names_are_never_given_twice() -> None:
    names = Names(Draw(1), taken=["ruoxi.wang"])
    given_out = [names.next() for _ in range(2000)]
    assert len({each.han for each in given_out}) == 2000
    assert len({each.user_name for each in given_out}) == 2000
    assert "ruoxi.wang" not in {each.user_name for each in given_out}
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d*", each.user_name) for each in given_out)


@given(st.integers(0, 2**32), st.integers(-5, 5), st.integers(0, 20))
def test_a_draw_stays_between_its_ends(seed: int, least: int, span: int) -> None:
    draw = Draw(seed)
    assert all(least <= draw.number(least, least + span) <= least + span for _ in range(50))


def test_seeds_differ() -> None:
    assert len({Draw(seed).number(0, 10**9) for seed in range(20)}) == 20
