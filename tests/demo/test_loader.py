"""The demo company in a store: everybody stands as documented, nothing lies there in clear, and it is loaded once or not at all."""

from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.application import Application
from app.audit.models import AuditIntent
from app.audit.repository import EventFilter
from app.auth.clients import NewClient
from app.composition import open_application
from app.contacts.models import Contact, ContactChange, SearchTag
from app.crypto.models import DataKeyRow
from app.demo.company import Company
from app.demo.loader import DemoReport, Phase, load
from app.demo.partners import EXTERNAL
from app.demo.plan import POOLS, DemoPool
from app.demo.staffing import CLIENTS, HOTLINES, PRINCIPALS, Principal
from app.lookups.service import REASONS
from app.numbers.plan_repository import PlanRepository
from app.numbers.rules import reserved_in
from tests.demo.conftest import Loaded
from tests.demo.small import small
from tests.support.application import World
from tests.support.stores import SqliteTestStore

shared = pytest.mark.asyncio(loop_scope="session")

MADE: Final = small()
CONTACTS: Final = len(MADE.contacts)
DEPARTMENTS: Final = len(MADE.departments)
ENGAGED: Final = sum(each.contact in {one.key for one in MADE.contacts} for each in MADE.engagements)
VISIBLE: Final = len(MADE.contacts) - 2
"""Everybody but the two who left."""

MARKS: Final = (
    "1380000",
    "example.com",
    "example.net",
    "99010019",
    "99010020",
    "demo_wx_",
    "京I·",
    "示例省",
    "示例大道",
    "10-8888",
    "+86108888",
)
"""Nearly every protected value of the demo has one of these in it, and chance writes none of them."""


async def identity(world: World, user_name: str) -> UUID:
    account = await world.application.accounts.by_user_name(world.application.database.reader, user_name)
    assert account is not None
    assert account.contact_id is not None
    return account.contact_id


async def read(world: World, reader: str, path: str, **query: str) -> Any:  # noqa: ANN401 — JSON
    answer = await (await world.as_(reader)).get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def total(world: World, reader: str, **query: str) -> int:
    found: int = (await read(world, reader, "/v1/contacts", total="true", limit="1", **query))["total"]
    return found


async def rows(application: Application) -> list[int]:
    """Count what a load writes; the one key of no person is there before."""
    async with application.database.session() as session:
        counts = [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Contact, ContactChange, DataKeyRow, SearchTag, AuditIntent)
        ]
        assert await session.get(DataKeyRow, REASONS) is not None
    counts[2] -= 1
    return counts


@shared
async def test_everything_is_loaded(loaded: Loaded) -> None:
    world = loaded.world
    assert loaded.report == DemoReport(loaded=True, contacts=CONTACTS, departments=DEPARTMENTS)
    assert await total(world, "demo-hr") == VISIBLE
    assert await total(world, "demo-staff", kind="hotline") == len(HOTLINES)
    tree = await world.application.standings.tree()
    assert len(tree.nodes) == DEPARTMENTS
    assert not tree.distrusted


@shared
@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda each: each.user_name)
async def test_a_principal_stands_as_written(loaded: Loaded, principal: Principal) -> None:
    viewer = await loaded.world.viewer(principal.user_name)
    standing = viewer.standing
    assert standing.kind == "person"
    assert standing.contact_id == await identity(loaded.world, principal.user_name)
    assert standing.main_department == loaded.world.departments[principal.department]
    assert standing.tier.value == principal.tier
    assert standing.roles == set(principal.roles) | ({"dept_head"} if principal.heads else set())
    assert standing.ceiling is None


@shared
@pytest.mark.parametrize("client", [each for each in CLIENTS if each.confidential], ids=lambda each: each.client_id)
async def test_a_service_account_gets_a_token_with_its_scopes(loaded: Loaded, client: NewClient) -> None:
    application = loaded.world.application
    subject = await application.verifier.verify(await loaded.world.token(client.client_id))
    assert (subject.client_id, subject.scopes) == (client.client_id, frozenset(client.scopes))


@shared
async def test_departments_are_headed_as_written(loaded: Loaded) -> None:
    world = loaded.world
    tree = await world.application.standings.tree()
    user_names = {each.key: each.members.get("user_name") for each in MADE.contacts}
    for each in MADE.departments:
        node = tree.by_code[each.code]
        assert node.head_id == await identity(world, str(user_names[each.head]))
        assert node.deputy_id == await identity(world, str(user_names[str(each.deputy)]))
        assert (node.region, node.legal_entity, node.protected) == (each.region, each.legal_entity, each.protected)
        above = "" if each.parent is None else f"{tree.path(tree.by_code[each.parent].id)}/"
        assert tree.path(node.id) == f"{above}{each.name}"
    head = (await world.viewer("demo-head")).standing
    assert {tree.nodes[each].code for each in head.headed} == {"RD", "RD-CORE", "RD-APP", "RD-APP-WEB", "RD-QA"}


@shared
async def test_a_colleague_meets_all_four_states(loaded: Loaded) -> None:
    written = next(each.members for each in MADE.contacts if each.members.get("user_name") == "demo-colleague")
    card = await read(loaded.world, "demo-staff", f"/v1/contacts/{await identity(loaded.world, 'demo-colleague')}")
    assert card["name"] == written["name"]
    assert card["email"] == {"state": "shown", "value": "demo-colleague@example.com"}
    mobile = written["mobile"]
    assert card["mobile"] == {"state": "masked", "value": f"{mobile[:3]}****{mobile[-4:]}", "next": "reveal"}
    assert card["fax"] == {"state": "empty"}
    assert card["id_number"] == {"state": "withheld"}


@shared
async def test_an_outsider_sees_less_and_the_ceo_is_covered(loaded: Loaded) -> None:
    world = loaded.world
    colleague = await read(world, "demo-outsider", f"/v1/contacts/{await identity(world, 'demo-colleague')}")
    assert colleague["mobile"]["value"] == "138********"
    assert colleague["wechat"] == {"state": "withheld"}
    ceo = await read(world, "demo-staff", f"/v1/contacts/{await identity(world, 'demo-ceo')}")
    assert (ceo["email"]["state"], ceo["mobile"]["state"]) == ("masked", "withheld")


@shared
async def test_who_left_and_who_has_not_started_are_seen_by_those_who_may(loaded: Loaded) -> None:
    world = loaded.world
    assert [await total(world, name, status="left") for name in ("demo-admin", "demo-hr", "demo-infosec")] == [2, 0, 0]
    assert [await total(world, name, status="prehire") for name in ("demo-hr", "demo-staff")] == [1, 0]
    gone = next(each.members["user_name"] for each in MADE.contacts if each.leaves)
    account = await world.application.accounts.by_user_name(world.application.database.reader, gone)
    assert account is not None
    assert account.state == "disabled"


@shared
async def test_every_write_is_in_the_log(loaded: Loaded) -> None:
    events = loaded.world.application.events
    found = {
        action: len((await events.search(EventFilter(action=action), limit=1000)).events)
        for action in (
            "demo.load",
            "contact.create",
            "contact.leave",
            "department.create",
            "client.create",
            "account.standing",
            "number_pool.create",
            "number.allocate",
            "engagement.create",
        )
    }
    assert found == {
        "demo.load": 1,
        "contact.create": CONTACTS,
        "contact.leave": 2,
        "department.create": DEPARTMENTS,
        "client.create": 5,
        "account.standing": len(MADE.standings),
        "number_pool.create": len(POOLS),
        "number.allocate": sum(len(each.numbers) for each in MADE.contacts),
        "engagement.create": ENGAGED,
    }
    assert (await rows(loaded.world.application))[-1] == 0


@shared
async def test_cards_and_the_number_plan_agree(loaded: Loaded) -> None:
    world = loaded.world
    held = {each.key: {one.digits for one in each.numbers} for each in MADE.contacts}
    assert sum(map(len, held.values())) > 100
    for name in ("demo-colleague", "demo-intern", "demo-staff"):
        written = next(each for each in MADE.contacts if each.members.get("user_name") == name)
        who = await identity(world, name)
        card = await read(world, "demo-hr", f"/v1/contacts/{who}")
        assert {*card["short_numbers"], *filter(None, [card["extension"]])} == held[written.key]
        found = await read(world, "it-scripts", "/v1/numbers", holder=str(who))
        assert {(each["digits"], each["state"]) for each in found["items"]} == {
            (digits, "assigned") for digits in held[written.key]
        }
        assert (await read(world, "demo-hr", "/v1/contacts", q=next(iter(held[written.key]))))["items"][0]["id"] == str(
            who
        )


@shared
@pytest.mark.parametrize("pool", POOLS, ids=lambda each: each.code)
async def test_every_pool_has_free_numbers_left(loaded: Loaded, pool: DemoPool) -> None:
    use = await read(loaded.world, "it-scripts", f"/v1/number-pools/{pool.code}/utilisation")
    assigned = sum(each.pool == pool.code for contact in MADE.contacts for each in contact.numbers)
    assert (use["size"], use["states"]["assigned"]) == (pool.stretch.size, assigned)
    assert use["free"] == pool.stretch.size - assigned


@shared
async def test_no_pool_runs_into_a_reserved_number(loaded: Loaded) -> None:
    found = await PlanRepository().reserved(loaded.world.application.database.reader)
    reserved = [each.digits for each in found]
    assert "110" in reserved
    assert [reserved_in(each.stretch, reserved) for each in POOLS] == [{}, {}, {}]


@shared
async def test_external_contacts_are_there(loaded: Loaded) -> None:
    async with loaded.world.application.database.session() as session:
        there = await session.scalar(select(func.count()).select_from(Contact).where(Contact.kind == EXTERNAL))
    wanted = sum(each.kind == EXTERNAL for each in small().contacts)
    assert wanted >= 5
    assert there == wanted


@shared
async def test_business_with_customers_is_in_its_hands(loaded: Loaded) -> None:
    world = loaded.world
    for who in ("demo-sales", "demo-production", "demo-service"):
        (card,) = (await read(world, who, "/v1/contacts", assigned="me"))["items"]
        (told,) = [
            each
            for each in (await read(world, who, f"/v1/contacts/{card['id']}/engagements"))["items"]
            if str(await identity(world, who)) in [one["id"] for one in each["staff"]]
        ]
        assert told["source"] == {"type": "service", "id": "crm"}
    assert (await read(world, "demo-staff", "/v1/contacts", assigned="me"))["items"] == []


@shared
async def test_a_second_load_changes_nothing(loaded: Loaded) -> None:
    application = loaded.world.application
    before = await rows(application)
    assert await load(application) == DemoReport(loaded=False, contacts=CONTACTS, departments=DEPARTMENTS)
    assert await rows(application) == before


async def test_a_load_that_fails_leaves_nothing(sqlite_store: SqliteTestStore) -> None:
    def stop(phase: Phase, done: int, total: int) -> None:
        assert done <= total
        if phase is Phase.POSITIONS:
            raise KeyboardInterrupt

    async with open_application(sqlite_store.settings) as application:
        before = await rows(application)
        with pytest.raises(KeyboardInterrupt):
            await load(application, progress=stop)
        assert await rows(application) == before
        assert before[:4] == [0, 0, 0, 0]
        assert (await load(application)).loaded
        assert (await rows(application))[0] == CONTACTS


async def test_clients_that_are_there_keep_their_secret(
    sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_application(sqlite_store.settings) as application:
        async with application.database.unit_of_work() as unit:
            issued = await application.clients.add(unit.session, CLIENTS[0])
        monkeypatch.setattr("app.demo.loader.company", lambda: Company((), (), ()))
        assert (await load(application)).loaded
        reader = application.database.reader
        assert issued.secret is not None
        assert await application.clients.authenticate(reader, CLIENTS[0].client_id, issued.secret) is not None
        assert {each.client_id for each in await application.clients.list(reader)} == {
            each.client_id for each in CLIENTS
        }


async def test_somebodys_own_data_is_left_alone(sqlite_world: World) -> None:
    before = await rows(sqlite_world.application)
    report = await load(sqlite_world.application)
    assert (report.loaded, report.contacts > 0, report.departments > 0) == (False, True, True)
    assert await rows(sqlite_world.application) == before


async def test_nothing_of_it_lies_in_clear(sqlite_store: SqliteTestStore) -> None:
    for contact in MADE.contacts:
        for name in contact.members.keys() & {
            "mobile",
            "personal_mobile",
            "email",
            "id_number",
            "wechat",
            "plate",
            "home_address",
        }:
            assert any(mark in contact.members[name] for mark in MARKS)
    async with open_application(sqlite_store.settings) as application:
        await load(application)
        files = [path for path in sqlite_store.settings.data_dir.rglob("*") if path.is_file()]
        assert {sqlite_store.business_path, sqlite_store.log_path} <= set(files)
        for path in files:
            content = path.read_bytes()
            for mark in MARKS:
                for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                    assert mark.encode(encoding) not in content, (path.name, mark, encoding)
