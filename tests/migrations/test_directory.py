"""Contacts that were there before their keys get the keys that the service would have written."""

from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import select

from app.contacts.models import ContactKey, DepartmentKey
from app.contacts.schemas import Membership
from app.kit.db import Database
from tests.support.application import OPERATOR, opened_world
from tests.support.shared import add_department, add_person
from tests.support.stores import TestStore
from tests.support.tree import ROOT

BEFORE = "7c3e9a51d0b2"


async def keys(store: TestStore) -> list[tuple[Any, ...]]:
    database = Database(store.settings)
    try:
        columns = (ContactKey.contact_id, ContactKey.rank, ContactKey.term, ContactKey.name)
        found = await database.reader.fetch(database.reader.prepare(select(*columns)))
        within = await database.reader.fetch(database.reader.prepare(select(*DepartmentKey.__table__.columns)))
        assert within
        return [*sorted(tuple(row) for row in found), *sorted(tuple(row) for row in within)]
    finally:
        await database.close()


async def test_keys_are_derived_of_everybody_there_is(store: TestStore) -> None:
    async with opened_world(store.settings) as world:
        code = await add_department(world)
        further = [Membership(department="SALES")]
        await add_person(
            world, department=code, name="欧阳 Ming", short_numbers=["61234"], extension="8001", memberships=further
        )
        await add_person(world, department=None, name_en="Nobody's", status="left")
        gone = await add_person(world, name="已归档")
        application = world.application
        viewer = await world.viewer("hr")
        record = await application.contact_rows.by_id(gone.id, viewer.tree)
        assert record is not None
        async with application.database.unit_of_work() as unit:
            await application.contact_writer.archive(unit, OPERATOR, record)
    written = await keys(store)
    assert len(written) > 200
    config = Config(ROOT / "alembic.ini")
    config.attributes["settings"] = store.settings
    command.downgrade(config, BEFORE)
    command.upgrade(config, "head")
    assert await keys(store) == written
    assert gone.id not in {value for row in written for value in row}
