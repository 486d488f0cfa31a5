"""A pool of numbers that behaves as promised, in place of the real one."""

from typing import Any

import pytest

from tests.hr.numbers import FakeNumbers
from tests.support.application import World


def with_pool(world: World, *free: str) -> FakeNumbers:
    """Let joiners get ``free`` numbers."""
    pool = FakeNumbers(list(free))
    applier: Any = world.application.hr.applier
    applier._joining._numbers = pool
    parting: Any = world.application.departures.departing.numbers
    parting._service = pool
    return pool


@pytest.fixture
def pool(world: World) -> FakeNumbers:
    """Give the company of ``world`` a pool of two."""
    return with_pool(world, "61001", "61002")


@pytest.fixture
def sqlite_pool(sqlite_world: World) -> FakeNumbers:
    """Give the company of ``sqlite_world`` a pool of two."""
    return with_pool(sqlite_world, "61001", "61002")
