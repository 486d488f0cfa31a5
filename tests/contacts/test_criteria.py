"""A list is compiled once for its shape, whatever words, ids or tags it is asked with."""

import pytest

from app.contacts.criteria import Criteria
from app.kit.models import new_id
from tests.support.application import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_ids_count_by_their_rounded_number_and_tags_not_at_all() -> None:
    three, four, five = (Criteria(ids=tuple(new_id() for _ in range(count))) for count in (3, 4, 5))
    assert three.shape == four.shape != five.shape
    assert len(set(three.values)) == len(set(four.values)) == 4
    assert set(three.values.values()) == set(three.ids)
    assert Criteria(tag="a").shape == Criteria(tag="b").shape != Criteria().shape


async def test_other_ids_and_tags_are_asked_without_compiling_anew(shared: World) -> None:
    client, statements = await shared.as_("staff"), shared.application.contact_rows._listings
    one, other = shared.people["staff"], shared.people["colleague"]
    for query in ("ids={}", "ids={}&total=true", "tag={}", "tag={}&total=true"):
        assert (await client.get(f"/v1/contacts?{query.format(new_id())}")).status_code == 200
        before = set(statements)
        for value in (one, other, new_id()):
            assert (await client.get(f"/v1/contacts?{query.format(value)}")).status_code == 200
        assert set(statements) == before
    found = (await client.get(f"/v1/contacts?ids={other},{new_id()},{one}&total=true")).json()
    assert [each["id"] for each in found["items"]] == [str(other), str(one)]
    assert found["total"] == 2
