"""Questions of reviews pass on in the transaction of the leaving, and what was asked about the leaver's own card is closed."""

import pytest

from tests.campaigns.conftest import reviews
from tests.campaigns.reviews import Reviews
from tests.hr.calls import applied
from tests.hr.events import left

__all__ = ["reviews"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_a_leaver_was_asked_the_next_one_above_is_asked(reviews: Reviews) -> None:
    world = reviews.world
    campaign = await reviews.start("accuracy", by="hr")
    own = await reviews.item(campaign, "card", "head")
    lists = [each for each in await reviews.items(campaign) if each["reviewer"] == own["reviewer"]]
    gone = str(world.people["head"])
    assert own["reviewer"] == gone
    assert len(lists) > 1
    await applied(world, left("E2104"))
    after = {each["id"]: each for each in await reviews.items(campaign)}
    assert after[own["id"]]["state"] == "moot"
    others = [after[each["id"]] for each in lists if each["id"] != own["id"]]
    assert gone not in {each["reviewer"] for each in others}
