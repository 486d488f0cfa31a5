"""Phonebooks over HTTP, on both engines: whom a telephone lists, whom it does not, and what the log says of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.contacts.models import Contact
from app.devices.rules import State
from app.numbers.lines import NumberLines
from app.phonebooks import collecting
from app.phonebooks.vendors import VENDORS
from tests.numbers.calls import add_pool
from tests.phonebooks.documents import told
from tests.phonebooks.phones import Phone, add_phone, newest, place_number, with_number
from tests.support.application import World
from tests.support.company import SECRETS
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def today() -> datetime:
    return datetime.now(UTC) + timedelta(hours=8)


async def change(world: World, person: Added, **members: Any) -> None:  # noqa: ANN401 — members of a contact
    done = await (await world.as_("hr")).patch(person.path, json=members, headers={"If-Match": "*"})
    assert done.status_code == 200, done.text


@pytest.mark.parametrize("vendor", sorted(VENDORS))
async def test_a_telephone_lists_who_may_be_named_with_their_numbers(shared: World, vendor: str) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    person, digits = await with_number(shared, pool, department=code, name="令狐<&>码")
    desk, _ = await with_number(shared, pool, department=code, name="热线甲", kind="hotline", **NOBODYS)
    await add_person(shared, department=code, name="无号")
    line = await place_number(shared, pool, "department", code)
    found = {each.numbers: each for each in await phone.book(vendor, department=code)}
    assert set(found) == {(digits,), (line,), (pool.digits(1),)}
    assert found[digits,].name.startswith("令狐<&>码")
    event = await newest(shared, "phonebook.read")
    assert (event.actor_type, event.actor_id, event.count) == ("device", str(phone.id), 3)
    assert event.query == {"vendor": vendor, "department": code}
    (cohort,) = event.cohorts
    assert (set(cohort.contacts), dict(cohort.states)) == ({person.id, desk.id}, {})


NOBODYS: Any = {"user_name": None, "employee_no": None, "personal_mobile": None, "wechat": None}


async def test_the_forms_of_makes_and_their_groups(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    below = await add_department(shared, parent=code)
    _, digits = await with_number(shared, pool, department=below)
    answer = await phone.get("/v1/phonebooks/yealink", {"department": code, "grouped": "true"})
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    ((group, _, numbers),) = told(answer.content)
    assert (group, numbers) == (f"临时{below}", (digits,))
    ((group, _, numbers),) = await phone.book("grandstream/phonebook.xml", department=code)
    assert (group, numbers) == (f"临时{below}", (digits,))
    refused = await phone.get("/v1/phonebooks/fanvil", {"grouped": "true"})
    assert (refused.status_code, faults(refused)) == (422, [("?grouped", "not_offered")])
    assert (await phone.get("/v1/phonebooks/polycom")).status_code == 422
    assert (await phone.book(department="nowhere")) == []


@pytest.mark.parametrize("secrecy", ["core", "executive", "protected"])
async def test_the_guarded_are_in_no_phonebook_although_colleagues_see_their_card(shared: World, secrecy: str) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    person, digits = await with_number(shared, pool, department=code, secrecy=secrecy)
    assert await phone.book(department=code) == []
    assert await phone.book(q=digits) == []
    assert person.id not in {
        each for cohort in (await newest(shared, "phonebook.read")).cohorts for each in cohort.contacts
    }
    assert (await (await shared.as_("colleague")).get(person.path)).json()["short_numbers"] == [digits]


async def test_who_is_not_there_to_be_called_is_not_listed(shared: World) -> None:
    phone, code = await add_phone(shared), await add_department(shared)
    for at, status in enumerate(("active", "leaving", "frozen", "prehire", "left")):
        await add_person(shared, department=code, status=status, short_numbers=[f"6900{at}"])
    assert {each.numbers for each in await phone.book(department=code)} == {("69000",), ("69001",)}


async def test_a_row_that_was_edited_is_dropped(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    person, _ = await with_number(shared, pool, department=code, secrecy="core")
    async with shared.application.database.unit_of_work() as unit:
        await unit.session.execute(update(Contact).where(Contact.id == person.id).values(secrecy="normal"))
    assert await phone.book(department=code) == []


async def test_who_is_away_has_it_behind_the_name_and_who_answers_is_in_the_event(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    instead, number = await with_number(shared, pool, department="SALES")
    person, _ = await with_number(shared, pool, department=code, name="公冶离")
    until = today().date() + timedelta(days=3)
    written = until.isoformat() if until.year != today().year else f"{until:%m-%d}"
    await change(shared, person, away_until=until.isoformat(), backup_contact=str(instead.id))
    ((_, name, _),) = await phone.book(department=code)
    assert name == f"公冶离 · 临时{code} (离岗至 {written} → {number})"
    (cohort,) = (await newest(shared, "phonebook.read")).cohorts
    assert set(cohort.contacts) == {person.id, instead.id}
    ((_, name, _),) = await phone.book("fanvil", department=code, language="en")
    assert name.endswith(f"(away until {written} → {number})")
    await change(shared, instead, secrecy="core")
    ((_, name, _),) = await phone.book(department=code)
    assert name.endswith(f"(离岗至 {written})"), "who answers may not be named"
    await change(shared, person, away_until=(today().date() - timedelta(days=1)).isoformat())
    assert [each.name for each in await phone.book(department=code)] == [f"公冶离 · 临时{code}"]


async def test_card_list_and_suggestions_tell_until_when_somebody_is_away(shared: World) -> None:
    instead, person = await add_person(shared), await add_person(shared, name="公冶归")
    await change(shared, person, away_until="2031-02-03", backup_contact=str(instead.id))
    staff, expected = await shared.as_("staff"), ("2031-02-03", str(instead.id))
    card = (await staff.get(person.path)).json()
    (listed,) = (await staff.get("/v1/contacts", params={"ids": str(person.id)})).json()["items"]
    (suggested,) = (await staff.get("/v1/suggestions", params={"q": "公冶归"})).json()["items"]
    for each in (card, listed, suggested):
        assert (each["away_until"], each["backup_contact"]) == expected


async def test_what_is_typed_is_searched_for_and_stands_in_the_log_as_a_mac(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    _, digits = await with_number(shared, pool, department=code, name="闻人电")
    await with_number(shared, pool, department=code, name="轩辕话")
    room = await place_number(shared, pool, "room", f"R{code}")
    for typed in ("闻人", "wenr", digits):
        assert [each.numbers for each in await phone.book(q=typed, department=code)] == [(digits,)], typed
    event = await newest(shared, "phonebook.read")
    assert event.query == {"vendor": "yealink", "department": code, "q": shared.application.terms.masked(digits)}
    assert [each.numbers for each in await phone.book(q=f"r{code}".lower())] == [(room,)]
    assert len(await phone.book(q="", department=code)) == 2, "nothing typed yet"
    assert await phone.book(q="13800000001") == [], "no phonebook is searched by a mobile"


async def test_many_telephones_cost_no_room_its_place(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    telephone = await place_number(shared, pool, "device", str(phone.id))
    room = await place_number(shared, pool, "room", f"Z{code}")
    lines = await NumberLines().of_places(shared.application.database.reader, most=10_000)
    placed = [each for each in lines if each.holder_type != "device"]
    assert [each.digits for each in lines].index(telephone) >= len(placed)
    monkeypatch.setattr(collecting, "MOST_LINES", len(placed))
    assert [each.numbers for each in await phone.book(q=f"z{code}".lower())] == [(room,)]


async def test_a_large_phonebook_comes_in_stretches(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    make = VENDORS["yealink"]
    monkeypatch.setitem(VENDORS, "yealink", replace(make, limits=replace(make.limits, entries=2)))
    monkeypatch.setattr(collecting, "_AT_ONCE", 3)
    line = await place_number(shared, pool, "department", code)
    people = [(await with_number(shared, pool, department=code, name=f"丁{at}"))[1] for at in range(4)]
    stretches, path = [], f"/v1/phonebooks/yealink?department={code}&language=en"
    while path:
        answer = await phone.get(path)
        stretches.append([each.numbers for each in told(answer.content)])
        path = answer.headers.get("Link", "").partition(";")[0].strip("<>")
    assert stretches == [[(line,), (people[0],)], [(people[1],), (people[2],)], [(people[3],)]]
    assert await phone.book(department=code, page="9") == []


async def test_a_telephone_that_has_it_is_told_so_and_that_is_a_look(shared: World) -> None:
    phone, pool, code = await add_phone(shared), await add_pool(shared), await add_department(shared)
    person, _ = await with_number(shared, pool, department=code)
    path = f"/v1/phonebooks/grandstream?department={code}"
    first = await phone.get(path)
    before = (await newest(shared, "phonebook.read")).id
    again = await phone.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    event = await newest(shared, "phonebook.read")
    assert event.id != before
    assert [each for cohort in event.cohorts for each in cohort.contacts] == [person.id]
    await change(shared, person, name="改名")
    changed = await phone.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.headers["ETag"] != first.headers["ETag"]) == (200, True)


async def test_nothing_protected_is_in_a_phonebook(shared: World) -> None:
    phone = await add_phone(shared)
    for vendor in sorted(VENDORS):
        text = (await phone.get(f"/v1/phonebooks/{vendor}")).text
        assert [secret for secret in SECRETS if secret in text] == []


async def test_only_a_device_reads_a_phonebook(shared: World) -> None:
    stolen = await add_phone(shared, state=State.LOST)
    problem(await stolen.get("/v1/phonebooks/yealink"), 401, "device_refused")
    wrong = Phone(shared, (await add_phone(shared)).id, "x" * 32)
    problem(await wrong.get("/v1/phonebooks/yealink"), 401, "device_refused")
    for caller in (None, "hr", "directory-sync"):
        problem(await (await shared.as_(caller)).get("/v1/phonebooks/yealink"), 401, "device_refused")
