"""Tags of many cards at once, on both engines: written as ``ContactWriter`` writes them, and never upon a row that was edited past us."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.contacts.errors import UnknownContact
from app.contacts.models import Contact, ContactChange, ContactTag
from app.contacts.retagging import AT_ONCE, CardRetagger, Retag
from app.disclosure.records import Record
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.traces.models import DirectoryChange
from tests.support.application import OPERATOR, World
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def retagger(world: World) -> CardRetagger:
    application = world.application
    return CardRetagger(
        sealer=application.sealer, tracer=application.contact_writer.tracer, clock=application.contact_writer._clock
    )


async def retag(world: World, wanted: dict[UUID, Retag], refuse: Any = lambda *_: None) -> None:  # noqa: ANN401 — a function
    application = world.application
    tree = await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        await retagger(world).retag(unit, OPERATOR, tree, wanted, refuse)


async def amended(world: World, identity: UUID, tags: list[str]) -> None:
    """Write tags as every other writer does."""
    application = world.application
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(identity, tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.amend(unit, OPERATOR, tree, record, {"tags": tags})


async def told(world: World, identity: UUID) -> dict[str, Any]:
    """Read what stands of a contact's tags, wherever it stands, but for what differs between any two contacts."""
    application = world.application
    async with application.database.session() as session:
        row = (await session.execute(select(Contact).where(Contact.id == identity))).scalar_one()
        changes = select(ContactChange).where(ContactChange.contact_id == identity, ContactChange.field == "tags")
        kept = (await session.scalars(changes.order_by(ContactChange.id))).all()
        traces = select(DirectoryChange).where(DirectoryChange.subject_id == identity).order_by(DirectoryChange.seq)
        left = (await session.scalars(traces)).all()
        sides = (await session.scalars(select(ContactTag.tag).where(ContactTag.contact_id == identity))).all()
    record = await application.contact_rows.by_id(identity, await application.standings.tree())
    assert record is not None
    viewer = await world.viewer("hr")
    return {
        "tags": row.tags,
        "version": row.row_version,
        "believed": application.gate.verdict(viewer.plan(Purpose.HR_ADMIN), record) is not None,
        "sides": sorted(sides),
        "kept": [
            (each.row_version, len(b"" if each.value is None else each.value.envelope), each.actor_type, each.actor_id)
            for each in kept
        ],
        "traces": [(each.sort, each.groups, each.before is None, each.about) for each in left],
    }


async def test_it_writes_what_the_writer_of_single_cards_writes(shared: World) -> None:
    one, two, other = f"t{new_id().hex}", f"t{new_id().hex}", f"t{new_id().hex}"
    alone, together = await add_person(shared, tags=[one, other]), await add_person(shared, tags=[one, other])
    for wanted, tags in (
        (Retag(add=two), [one, other, two]),
        (Retag(add=two), [one, other, two]),
        (Retag(drop=one), [other, two]),
        (Retag(add=one, drop=other), [two, one]),
        (Retag(drop=other), [two, one]),
    ):
        await amended(shared, alone.id, tags)
        await retag(shared, {together.id: wanted})
        expected = await told(shared, alone.id)
        assert await told(shared, together.id) == expected
        assert (expected["tags"], expected["believed"]) == (tags, True)
    hr = await shared.as_("hr")
    changes = [
        [(each["field"], each["value"]) for each in (await hr.get(f"{person.path}/history")).json()["items"]]
        for person in (alone, together)
    ]
    assert [each for each in changes[0] if each[0] == "tags"] == [each for each in changes[1] if each[0] == "tags"]


async def test_more_than_a_hundred_are_written_in_their_hundreds(shared: World) -> None:
    tag = f"t{new_id().hex}"
    people = [(await add_person(shared)).id for _ in range(AT_ONCE + 2)]
    await retag(shared, dict.fromkeys(people, Retag(add=tag)))
    async with shared.application.database.session() as session:
        carried = (await session.scalars(select(ContactTag.contact_id).where(ContactTag.tag == tag))).all()
    assert sorted(carried) == sorted(people)


async def test_who_may_not_be_changed_changes_nobody(shared: World) -> None:
    tag, people = f"t{new_id().hex}", [(await add_person(shared)).id for _ in range(3)]
    before = [await told(shared, each) for each in people]

    def refuse(record: Record, wanted: Retag) -> None:
        assert wanted.add == tag
        if record.subject == max(people):
            raise NotPermitted

    with pytest.raises(NotPermitted):
        await retag(shared, dict.fromkeys(people, Retag(add=tag)), refuse)
    with pytest.raises(UnknownContact):
        await retag(shared, dict.fromkeys([*people, new_id()], Retag(add=tag)))
    assert [await told(shared, each) for each in people] == before


@pytest.mark.parametrize("edited", ["secrecy = 'executive'", "tags = '[1]'", "tags = '[\"department_head\"]'"])
async def test_a_row_that_was_edited_past_us_is_not_signed_anew(shared: World, edited: str) -> None:
    tag, person = f"t{new_id().hex}", await add_person(shared)
    async with shared.application.database.session() as session, session.begin():
        asked = {"id": person.id.bytes if session.get_bind().dialect.name == "sqlite" else person.id}
        await session.execute(text(f"UPDATE contact SET {edited} WHERE id = :id"), asked)
    with pytest.raises(UnknownContact):
        await retag(shared, {person.id: Retag(add=tag)})
