"""A counter in the shared company, on either engine."""

import pytest

from tests.effects.counter import Counter, counter_in
from tests.support.application import World


@pytest.fixture
def counter(shared: World) -> Counter:
    """Give the counter."""
    return counter_in(shared)
