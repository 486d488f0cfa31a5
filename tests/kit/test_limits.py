"""Buckets: how many at once, how many in the long run, whose, and how much memory they take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.limits import Limiter, Rate, RateLimited


class Ticks:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def test_as_many_at_once_as_the_bucket_holds_then_one_for_every_interval(ticks: Ticks) -> None:
    limiter = Limiter(Rate(2.0, 5), clock=ticks)
    assert [limiter.wait("a") for _ in range(7)] == [0, 0, 0, 0, 0, 1, 1]
    ticks.now += 0.5
    assert [limiter.wait("a"), limiter.wait("a")] == [0, 1]
    ticks.now += 60
    assert [limiter.wait("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1], "a rest fills it, and never beyond its size"


def test_a_refusal_costs_nothing_more(ticks: Ticks) -> None:
    limiter = Limiter(Rate(0.1, 1), clock=ticks)
    assert limiter.wait("a") == 0
    assert [limiter.wait("a") for _ in range(50)] == [10] * 50
    ticks.now += 9.5
    assert limiter.wait("a") == 1
    ticks.now += 0.5
    assert limiter.wait("a") == 0


def test_everybody_has_a_bucket_of_their_own(ticks: Ticks) -> None:
    limiter = Limiter(Rate(1.0, 1), clock=ticks)
    assert [limiter.wait(each) for each in ("a", "b", "a", "c", "b")] == [0, 0, 1, 0, 1]


def test_memory_is_bounded_and_who_calls_all_the_time_is_not_forgotten(ticks: Ticks) -> None:
    limiter = Limiter(Rate(1.0, 1), clock=ticks, capacity=100)
    assert limiter.wait("busy") == 0
    for number in range(5000):
        limiter.wait(f"stranger {number}")
        assert limiter.wait("busy") == 1
        assert len(limiter) <= 200
    assert limiter.wait("stranger 0") == 0, "what is long past is forgotten"


def test_a_refusal_is_told_once_a_minute(ticks: Ticks) -> None:
    limiter = Limiter(Rate(1.0, 1), clock=ticks, capacity=10)
    assert [limiter.is_news("a"), limiter.is_news("a"), limiter.is_news("b")] == [True, False, True]
    ticks.now += 61
    assert limiter.is_news("a")
    assert sum(limiter.is_news(f"n{number}") for number in range(1000)) == 1000
    assert len(limiter._told) <= 10


@given(
    per_second=st.floats(0.01, 10_000),
    at_once=st.integers(1, 500),
    pauses=st.lists(st.floats(0, 5), max_size=120),
)
def test_never_more_than_a_bucketful_and_what_flowed_in(per_second: float, at_once: int, pauses: list[float]) -> None:
    ticks = Ticks()
    limiter = Limiter(Rate(per_second, at_once), clock=ticks)
    admitted, began = 0, ticks.now
    for pause in pauses:
        ticks.now += pause
        wait = limiter.wait("a")
        admitted += wait == 0
        assert admitted <= at_once + (ticks.now - began) * per_second + 1e-3
        if wait:
            ticks.now += wait
            assert limiter.wait("a") == 0, "who waits as long as told is let through"
            admitted += 1


def test_the_refusal_says_when() -> None:
    refusal = RateLimited(7)
    assert (refusal.status, refusal.code, refusal.headers) == (429, "rate_limited", {"Retry-After": "7"})
