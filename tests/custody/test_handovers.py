"""Service accounts whose owner has left: handed on in the leaver's transaction, taken over by a new secret, or over on the day named."""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from sqlalchemy import select, text

from app.audit.authors import Author
from app.auth.clients import NewClient
from app.auth.repository import Client
from app.composition import open_application
from app.main import create_app
from app.notices.models import NoticeRow
from tests.hr.events import left
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import NOON, FrozenClock
from tests.support.problems import problem
from tests.support.stores import TestStore

ID: Final = "canteen-screen"
PATH: Final = f"/v1/clients/{ID}"
OPERATOR: Final = Author(type="operator", id="os:somebody")


class Office:
    """A company, its clock, and a service account that ``staff`` (of RD, headed by ``head``) answers for."""

    def __init__(self, world: World, clock: FrozenClock) -> None:
        """Take both."""
        self.world, self.clock, self.application = world, clock, world.application

    async def client(self) -> Client:
        found = await self.application.clients.by_client_id(self.application.database.reader, ID)
        assert found is not None
        return found

    async def as_(self, name: str) -> Any:  # noqa: ANN401 — a client of now
        found = await self.world.as_(name)
        found.headers["Authorization"] = f"Bearer {await self.world.token(name)}"
        return found

    async def leaves(self, name: str) -> None:
        number = {"staff": "E2101", "head": "E2104"}[name]
        answer = await (await self.as_("hr-system")).post("/v1/hr/events", json=left(number))
        assert (answer.status_code, answer.json()["state"]) == (202, "applied"), answer.text

    async def sees(self, name: str) -> dict[str, Any]:
        answer = await (await self.as_(name)).get(PATH)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def told(self) -> list[tuple[str, list[str]]]:
        wanted = select(NoticeRow.type, NoticeRow.audience).where(NoticeRow.type.startswith("client."))
        async with self.application.database.unit_of_work() as unit:
            rows = await unit.session.execute(wanted.order_by(NoticeRow.id))
            return [(row[0], row[1]["people"]) for row in rows]

    def id(self, name: str) -> str:
        return str(self.world.people[name])


@pytest_asyncio.fixture
async def office(store: TestStore) -> AsyncIterator[Office]:
    """Give it on a Friday evening."""
    clock = FrozenClock(NOON)
    async with open_application(with_sensitive(store.settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        async with application.database.unit_of_work() as unit:
            new = NewClient(ID, "Canteen", scopes=("contacts:read",), ceiling="C2", owner=world.people["staff"])
            await application.clients.add(unit.session, new)
        try:
            yield Office(world, clock)
        finally:
            await world.close()


async def test_54_it_goes_to_the_head_with_the_leaver_and_a_new_secret_takes_it_over(office: Office) -> None:
    former = (await (await office.as_("staff")).post(f"{PATH}/secrets")).json()["secret"]
    before, begun = await office.client(), office.clock.now()
    await office.leaves("staff")
    after = await office.client()
    assert (str(after.owner), after.state) == (office.id("head"), "active")
    assert after.epoch > before.epoch, "what the leaver got with the secret is dead"
    for who in ("head", "infosec", "it"):
        seen = await office.sees(who)
        assert seen["owner"]["id"] == office.id("head")
        assert (seen["handover"]["cause"], seen["handover"]["since"]) == ("left", f"{begun:%Y-%m-%dT%H:%M:%SZ}")
    for who in ("colleague", "hr", "ceo"):
        problem(await (await office.as_(who)).get(PATH), 404, "not_found")
        problem(await (await office.as_(who)).post(f"{PATH}/secrets"), 404, "not_found")
    assert await office.told() == [("client.handed_over", [office.id("head")])]

    made = await (await office.as_("head")).post(f"{PATH}/secrets")
    assert made.status_code == 201
    assert (await office.sees("head"))["handover"] is None
    reader = office.application.database.reader
    assert await office.application.clients.authenticate(reader, ID, former) is None
    assert await office.application.clients.authenticate(reader, ID, made.json()["secret"]) is not None
    office.clock.advance(days=30)
    assert await office.application.custody.sweep() == 0
    assert (await office.client()).state == "active"
    assert [each for each, _ in await office.told()] == ["client.handed_over", "client.taken_over"]


async def test_54_what_nobody_takes_over_ends_on_the_working_day_that_was_named(office: Office) -> None:
    await office.leaves("staff")
    due = (await office.sees("head"))["handover"]["due_at"]
    assert due == "2026-11-26T10:00:00Z", "a Friday evening counts from Monday on: the end of Thursday"
    office.clock.move_to(office.clock.now().replace(day=26, hour=9, minute=59))
    assert await office.application.custody.sweep() == 0
    office.clock.advance(minutes=1)
    assert await office.application.custody.sweep() == 1
    assert (await office.client()).state == "disabled"
    assert await office.application.custody.sweep() == 0
    problem(await (await office.as_("head")).post(f"{PATH}/secrets"), 404, "not_found")
    seen = await office.sees("infosec")
    assert (seen["state"], seen["handover"]) == ("disabled", None)


async def test_who_acts_and_leaves_passes_it_on_by_the_same_day(office: Office) -> None:
    await office.leaves("staff")
    due = (await office.sees("head"))["handover"]["due_at"]
    office.clock.advance(days=2)
    await office.leaves("head")
    seen = await office.sees("infosec")
    assert (seen["owner"]["id"], seen["handover"]["due_at"]) == (office.id("steward"), due)
    assert [people for _, people in await office.told()] == [[office.id("head")], [office.id("steward")]]


async def test_the_successor_is_not_the_same_human(office: Office) -> None:
    people, application = office.world.people, office.application
    async with application.database.unit_of_work() as unit:
        await application.delegations.persons.join(unit, OPERATOR, people["staff"], people["head"])
    await office.leaves("staff")
    assert str((await office.client()).owner) == office.id("steward")


@pytest.mark.parametrize("way", ["archived", "disabled"])
async def test_54_no_way_of_leaving_misses_it(office: Office, way: str) -> None:
    if way == "archived":
        headers = {"If-Match": "*"}
        gone = await (await office.as_("steward")).delete(f"/v1/contacts/{office.id('staff')}", headers=headers)
        assert gone.status_code == 204, gone.text
    else:
        async with office.application.database.unit_of_work() as unit:
            await office.application.accounts.disable(unit.session, "staff")
        assert str((await office.client()).owner) == office.id("staff")
        assert await office.application.custody.sweep() == 1
    assert str((await office.client()).owner) == office.id("head")
    assert (await office.sees("head"))["handover"]["cause"] == {"archived": "left", "disabled": "owner_gone"}[way]


async def test_who_is_only_suspended_goes_on_answering_for_it(office: Office) -> None:
    async with office.application.database.unit_of_work() as unit:
        await office.application.accounts.suspend(unit.session, "staff")
    assert await office.application.custody.sweep() == 0
    assert str((await office.client()).owner) == office.id("staff")


async def test_an_edited_hand_over_keeps_nothing_alive(office: Office) -> None:
    await office.leaves("staff")
    async with office.application.database.unit_of_work() as unit:
        await unit.session.execute(text("UPDATE client_handover SET cause = 'never'"))
    assert await office.application.custody.sweep() == 1
    assert (await office.client()).state == "disabled"


async def test_a_list_is_of_ones_own_and_of_all_to_who_oversees(office: Office) -> None:
    async def listed(name: str) -> set[str]:
        answer = await (await office.as_(name)).get("/v1/clients")
        assert answer.status_code == 200, answer.text
        return {each["client_id"] for each in answer.json()["items"]}

    assert await listed("staff") == {ID}
    assert await listed("colleague") == set()
    assert await listed("auditor") >= {ID, "hr-system", "intranet"}
