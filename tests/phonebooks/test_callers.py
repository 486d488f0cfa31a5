"""The name behind a number that rings, over HTTP on both engines: C1, one answer for all who may not be named, and a rate of its own."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import update

from app.auth.clients import NewClient
from app.config import LimitsSettings
from app.devices.models import DeviceAssignment
from app.devices.rules import State
from app.phonebooks.schemas import CallerName
from tests.numbers.calls import add_pool, allocate, it_client, wanted
from tests.phonebooks.phones import Phone, add_phone, newest, place_number, with_number
from tests.support.application import World, opened_world
from tests.support.problems import problem, quoted
from tests.support.shared import add_department, add_person
from tests.support.stores import TestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")
_BY_NATURE = re.compile(r"urn:duanhao:request:[0-9a-f]+")


async def exchange(world: World) -> httpx.AsyncClient:
    """Give a client that calls as the exchange; make its service account the first time."""
    application = world.application
    async with application.database.unit_of_work() as unit:
        if not await application.clients.taken(unit.session, "pbx"):
            await application.clients.add(unit.session, NewClient("pbx", "Exchange", scopes=("caller-names:read",)))
    return await world.as_("pbx")


async def test_a_telephone_and_an_exchange_name_who_calls(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    person, digits = await with_number(shared, pool, department=code, name="司空铃")
    answer = await phone.get(f"/v1/caller-names/{digits}")
    CallerName.model_validate_json(answer.content)
    body = answer.json()
    note = body.pop("disclosure")
    assert body == {"number": digits, "kind": "person", "name": "司空铃", "department": f"临时{code}"}
    event = await newest(shared, "caller_name.read")
    assert (str(event.id), event.actor_type, event.actor_id) == (note["event_id"], "device", str(phone.id))
    assert (event.query, event.count) == ({"number": digits}, 1)
    (cohort,) = event.cohorts
    assert (cohort.contacts, dict(cohort.states)) == ((person.id,), {})
    pbx = await exchange(shared)
    domain = (await (await it_client(shared)).get(f"/v1/numbers/{digits}")).json()["domain"]
    assert (await pbx.get(f"/v1/caller-names/{digits}?domain={domain}")).json()["name"] == "司空铃"
    problem(await pbx.get(f"/v1/caller-names/{digits}?domain=elsewhere"), 404, "not_found")
    assert (await pbx.get(f"/v1/caller-names/{digits}")).json()["name"] == "司空铃"
    event = await newest(shared, "caller_name.read")
    assert (event.actor_type, event.actor_id) == ("service", "pbx")


async def test_extensions_shared_lines_departments_and_rooms_have_names(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    one, two = [await add_person(shared, department=code, name=name) for name in ("左丘", "右丘")]
    (extension,) = await allocate(shared, pool, one.id, role="extension")
    assert (await phone.get(f"/v1/caller-names/{extension}")).json()["name"] == "左丘"
    it = await it_client(shared)
    for person in (one, two):
        body = wanted(person.id, digits=pool.digits(5), role="shared")
        given = await it.post(f"{pool.path}/allocations", json=body)
        assert given.status_code == 201, given.text
    line, room = await place_number(shared, pool, "department", code), await place_number(shared, pool, "room", "A-801")
    told = {digits: (await phone.get(f"/v1/caller-names/{digits}")).json() for digits in (pool.digits(5), line, room)}
    assert [(each["kind"], each["name"], each["department"]) for each in told.values()] == [
        ("person", "左丘、右丘", f"临时{code}"),
        ("department", f"临时{code}", None),
        ("room", "A-801", None),
    ]


async def give(world: World, device: object, holder: object, kind: str) -> None:
    """Let somebody have a device."""
    body = {"holder": {"type": kind, "id": str(holder)}}
    answer = await (await it_client(world)).post(f"/v1/devices/{device}/assignments", json=body)
    assert answer.status_code == 201, answer.text


async def test_telephones_have_names_of_their_own_while_whoever_has_them_may_be_named(shared: World) -> None:
    pool, code = await add_pool(shared), await add_department(shared)
    stands = {"department_id": shared.departments[code]}
    reader, desk = await add_phone(shared), await add_phone(shared, label="前台", **stands)
    wall, plain = await add_phone(shared, room="B-7", **stands), await add_phone(shared, **stands)
    own = await add_phone(shared, label="顾问专线", **stands)
    number = {each.id: await place_number(shared, pool, "device", str(each.id)) for each in (desk, wall, plain, own)}
    open_one, hidden = await add_person(shared, department=code), await add_person(shared, secrecy="executive")
    for each in (desk, plain):
        await give(shared, each.id, code, "department")
    await give(shared, wall.id, "B-7", "room")
    await give(shared, own.id, open_one.id, "contact")

    async def told(phone: Phone) -> object:
        answer = await reader.get(f"/v1/caller-names/{number[phone.id]}")
        found = answer.json()
        return answer.status_code if answer.status_code != 200 else (found["kind"], found["name"], found["department"])

    where = f"临时{code}"
    assert [await told(each) for each in (desk, wall, plain, own)] == [
        ("device", "前台", where),
        ("device", "B-7", where),
        ("device", "yealink T54W", where),
        ("device", "顾问专线", where),
    ]
    book = {each.name: each.numbers for each in await reader.book(department=code)}
    assert book == {f"前台 · {where}": (number[desk.id],), f"B-7 · {where}": (number[wall.id],)}
    assert [each.numbers for each in await reader.book(q="前台", department=code)] == [(number[desk.id],)]
    await give(shared, own.id, hidden.id, "contact")
    it = await it_client(shared)
    assert (await it.post(f"/v1/devices/{desk.id}/losses")).status_code == 200
    await edit(shared, plain)
    assert [await told(each) for each in (own, desk, plain)] == [404, 404, 404]
    assert [each.numbers for each in await reader.book(department=code)] == [(number[wall.id],)]


async def edit(world: World, phone: Phone) -> None:
    """Say past the service that somebody else has a device."""
    async with world.application.database.unit_of_work() as unit:
        changed = update(DeviceAssignment).where(DeviceAssignment.device_id == phone.id)
        await unit.session.execute(changed.values(holder_type="room", holder_name="Z-1"))


async def test_whoever_may_not_be_named_is_nobody_in_answer_and_shape(shared: World) -> None:
    """Hidden people equal numbers that nobody has: status, body, headers; and none of them is named in the log."""
    phone, pool = await add_phone(shared), await add_pool(shared, size=30)
    hidden: dict[str, str] = {}
    for secrecy in ("core", "executive", "protected"):
        _, hidden[secrecy] = await with_number(shared, pool, secrecy=secrecy)
    frozen, hidden["frozen"] = await with_number(shared, pool)
    hr = await shared.as_("hr")
    assert (await hr.patch(frozen.path, json={"status": "frozen"}, headers={"If-Match": "*"})).status_code == 200
    callers: tuple[Phone | httpx.AsyncClient, ...] = (phone, await exchange(shared))
    for caller in callers:
        asked = {**hidden, "free": pool.digits(29), "no number": "9999999", "a mobile": "13800000001"}
        shapes = set()
        for name, digits in asked.items():
            answer = await caller.get(f"/v1/caller-names/{digits}")
            problem(answer, 404, "not_found")
            assert quoted(answer) == [], name
            event = await newest(shared, "caller_name.read")
            assert (event.decision, event.code, event.cohorts, event.query) == ("refused", "not_found", (), None)
            shapes.add((_BY_NATURE.sub("-", answer.text), tuple(sorted(answer.headers.keys()))))
        assert len(shapes) == 1


async def test_who_may_ask(shared: World) -> None:
    pool = await add_pool(shared)
    _, digits = await with_number(shared, pool)
    path = f"/v1/caller-names/{digits}"
    problem(await (await shared.as_(None)).get(path), 401, "token_required")
    for caller in ("hr", "staff", "directory-sync", "it-scripts"):
        problem(await (await shared.as_(caller)).get(path), 403, "insufficient_scope")
    problem(await (await add_phone(shared, state=State.SUSPENDED)).get(path), 401, "device_refused")
    phone = await add_phone(shared)
    for wrong in ("1", "12a", "%2B8613800000001", "1" * 16):
        assert (await phone.get(f"/v1/caller-names/{wrong}")).status_code == 422, wrong


@pytest_asyncio.fixture
async def hurried(sqlite_store: TestStore) -> AsyncIterator[World]:
    """Open the company where three callers may be named at once."""
    limits = LimitsSettings(caller_names=0.01, burst_seconds=300)
    async with opened_world(sqlite_store.settings.model_copy(update={"limits": limits})) as world:
        yield world


@pytest.mark.asyncio(loop_scope="function")
async def test_each_caller_has_a_rate_of_its_own_and_no_quota(hurried: World) -> None:
    one, other = await add_phone(hurried), await add_phone(hurried)
    codes = [(await one.get("/v1/caller-names/9999999")).status_code for _ in range(5)]
    assert codes == [404, 404, 404, 429, 429]
    limited = await one.get("/v1/caller-names/9999999")
    problem(limited, 429, "rate_limited")
    assert int(limited.headers["Retry-After"]) > 0
    assert (await other.get("/v1/caller-names/9999999")).status_code == 404
    assert (await one.get("/v1/phonebooks/fanvil")).status_code == 200
