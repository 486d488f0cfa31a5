"""Rows that an earlier version wrote are taken under what their MAC covers now, once, and forged ones are not."""

from uuid import UUID

from sqlalchemy import text

from app.auth import epochs
from app.contacts.covering import COVERED, cover_all
from app.contacts.rows import covered
from tests.support.application import World


async def _tagged_as_before(world: World, name: str, tags: list[str], *, signed: bool = True) -> UUID:
    """Leave a row as the version before this one did: with tags, under a MAC that does not cover them."""
    application, identity = world.application, world.people[name]
    async with application.database.unit_of_work() as unit:
        loaded = await application.contact_rows.for_change(unit.session, identity)
        assert loaded is not None
        contact, key = loaded
        contact.tags = tags
        if signed:
            contact.mac = application.sealer.existing(identity, key).mac(covered(contact)[:-2])
        await unit.session.execute(text("DELETE FROM epoch WHERE key = :key"), {"key": COVERED})
    return identity


async def _cover(world: World) -> int:
    application = world.application
    return await cover_all(application.database, application.contact_rows, application.sealer)


async def test_a_row_of_before_is_believed_again_and_the_work_is_done_once(world: World) -> None:
    identity = await _tagged_as_before(world, "colleague", ["driver"])
    reader = await world.as_("staff")
    assert (await reader.get(f"/v1/contacts/{identity}")).status_code == 404
    assert await _cover(world) == 1
    assert (await reader.get(f"/v1/contacts/{identity}")).json()["tags"] == ["driver"]
    assert await epochs.value(world.application.database.reader, COVERED) == 1
    assert await _cover(world) == 0


async def test_a_tag_put_there_by_hand_is_not_taken_over(world: World) -> None:
    await _tagged_as_before(world, "outsider", ["driver"])
    await _cover(world)
    identity = await _tagged_as_before(world, "outsider", ["driver", "safety_officer"], signed=False)
    assert await _cover(world) == 0
    assert (await (await world.as_("staff")).get(f"/v1/contacts/{identity}")).status_code == 404
