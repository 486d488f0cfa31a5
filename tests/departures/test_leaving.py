"""Who leaves loses everything in one transaction, seen by every caller; what can be handed on goes to whom the source names."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.departures.somebody import Somebody, somebody, waiting_for
from tests.devices.calls import admits, assign, call, register
from tests.effects.walking import filed
from tests.hr.calls import applied, post
from tests.hr.events import left, moved, rehired
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def parts(one: Somebody, who: str = "hr") -> dict[str, int]:
    """Give what the departure says to have found."""
    (item,) = (await one.read(who, "/v1/departures", contact=str(one.me.id)))["items"]
    return {each["part"]: each["count"] for each in item["ended"]}


async def test_somebody_with_one_of_each_thing_leaves_and_every_caller_sees_it(shared: World) -> None:
    one = await somebody(shared)
    me, heir = one.me, one.heir
    leaver = await shared.as_(me.name)
    assert (await leaver.get(me.path)).status_code == 200
    assert waiting_for(await one.requests["asked"].read()) == {str(me.id)}

    told = await one.leave(hand_over_to=f"N{heir.number}")
    assert (told["contact_id"], told["problem"], told["numbers"]) == (str(me.id), None, [])

    assert dict.fromkeys(await parts(one), 1) == {
        **dict.fromkeys(
            ("card", "sessions", "positions", "grants", "customers", "devices", "delegations", "privileges"), 1
        ),
        **dict.fromkeys(("numbers", "holds", "shifts", "emergency", "service_accounts", "provisions", "gained"), 1),
        **dict.fromkeys(("filed", "about", "asked"), 1),
    }
    for path in (me.path, "/v1/contacts", "/v1/me", "/v1/departures"):
        assert (await leaver.get(path)).status_code == 401
    for who in ("staff", "head", "hr", "infosec", "auditor", "it", "directory-sync", heir.name):
        assert (await (await shared.as_(who)).get(me.path)).status_code == 404
    card = await one.read("steward", me.path)
    assert (card["status"], card["memberships"], card["short_numbers"]) == ("left", [], [])

    department = await one.read("steward", f"/v1/departments/{one.place}")
    assert department["head"] is None
    device = await one.read("it", f"/v1/devices/{one.ids['device']}")
    assert (device["state"], device["holder"], device["answerable"]) == ("to_hand_over", None, str(heir.id))
    assert not await admits(shared, one.ids["device"], one.ids["secret"])
    number = await one.read("it-scripts", "/v1/numbers", digits=one.ids["number"])
    assert [each["state"] for each in number["items"]] == ["quarantined"]
    (client,) = [
        each for each in (await one.read("it", "/v1/clients"))["items"] if each["client_id"] == f"screen-{me.number}"
    ]
    assert client["owner"]["id"] == str(heir.id)
    eligible = await one.read("infosec", "/v1/emergency-eligibility")
    assert one.ids["appointment"] not in {each["id"] for each in eligible["items"]}
    mine = await one.read(heir.name, "/v1/provisions")
    assert [each["responsible"]["id"] for each in mine["items"]] == [str(heir.id)]
    (delegation,) = (await one.read(heir.name, "/v1/delegations"))["items"]
    assert (delegation["id"], delegation["state"]) == (one.ids["delegation"], "ended")

    states = {name: (await walk.read())["state"] for name, walk in one.requests.items()}
    assert states == {
        "gained": "revoked",
        "line": "revoked",
        "filed": "withdrawn",
        "about": "withdrawn",
        "asked": "pending",
        "check": "pending",
    }
    assert waiting_for(await one.requests["asked"].read()) == {str(shared.people["head"])}
    (departure,) = (await one.read(heir.name, "/v1/departures"))["items"]
    assert (departure["contact"], departure["hand_over_to"], departure["state"]) == (
        str(me.id),
        str(heir.id),
        "waiting",
    )
    assert (await one.read("staff", "/v1/departures", contact=str(me.id)))["items"] == []
    await one.read("staff", f"/v1/departures/{departure['id']}", 404)
    await one.read("infosec", f"/v1/departures/{departure['id']}")

    before = await parts(one)
    assert (await applied(shared, left(f"N{me.number}")))["contact_id"] == str(me.id)
    assert await parts(one) == before


@pytest.mark.parametrize("named", ["nobody", "gone", "themselves"])
async def test_a_successor_who_cannot_keeps_nobody_in(shared: World, named: str) -> None:
    me, other = await add_person(shared), await add_person(shared)
    await applied(shared, left(f"N{other.number}"))
    to = {"nobody": "E0", "gone": f"N{other.number}", "themselves": f"N{me.number}"}[named]
    told = await applied(shared, left(f"N{me.number}", hand_over_to=to))
    assert (told["problem"] or {"code": None})["code"] == (None if named == "themselves" else "unknown_contact")
    hr = await shared.as_("hr")
    (item,) = (await hr.get("/v1/departures", params={"contact": str(me.id)})).json()["items"]
    assert item["hand_over_to"] is None


async def due(world: World, contact: UUID) -> None:
    """Let the days that a card has be over."""
    book = world.application.departures.departing.book
    async with world.application.database.unit_of_work() as unit:
        waiting = await book.rows.waiting(unit.session, contact)
        assert waiting is not None
        await book.rows.save(unit.session, replace(waiting, remove_by=waiting.left_at - timedelta(minutes=1)))


async def archived(world: World, contact: UUID) -> dict[str, Any]:
    """Give how a departure stands."""
    answer = await (await world.as_("hr")).get("/v1/departures", params={"contact": str(contact)})
    found: dict[str, Any] = answer.json()["items"][0]
    return found


async def test_the_card_is_archived_in_time_and_whoever_comes_back_is_the_person_they_were(shared: World) -> None:
    me, application = await add_person(shared), shared.application
    number = f"N{me.number}"
    await applied(shared, left(number))
    await application.departures.sweep()
    assert (await archived(shared, me.id))["state"] == "waiting"
    days = await application.calendar.calendars.current(application.database.reader)
    item = await archived(shared, me.id)
    assert item["remove_by"] == days.due(application.clock.now(), 5).at.isoformat().replace("+00:00", "Z")
    await due(shared, me.id)
    assert (await archived(shared, me.id))["state"] == "overdue"
    assert await application.departures.sweep() == 1
    assert (await archived(shared, me.id))["state"] == "archived"
    assert await application.departures.sweep() == 0
    assert (await (await shared.as_("steward")).get(me.path)).json()["code"] == "not_found"

    again = await applied(shared, left(number))
    assert again["contact_id"] == str(me.id)
    nameless = (await post(shared, rehired(number))).json()
    assert (nameless["state"], nameless["problem"]["code"]) == ("failed", "name_needed")
    back = await applied(shared, rehired(number, name="逄归来", user_name=f"back{me.number}"))
    assert back["contact_id"] == str(me.id)
    card = (await (await shared.as_("hr")).get(me.path)).json()
    assert (card["status"], card["name"], card["employee_no"]) == ("active", "逄归来", number)
    assert await application.departures.sweep() == 0


async def test_who_comes_back_before_keeps_the_card(shared: World) -> None:
    me = await add_person(shared)
    await applied(shared, left(f"N{me.number}"))
    await applied(shared, rehired(f"N{me.number}"))
    assert (await archived(shared, me.id))["state"] == "returned"
    assert (await (await shared.as_("hr")).get(me.path)).json()["status"] == "active"


async def test_a_card_that_is_deleted_lets_go_of_as_much(shared: World) -> None:
    one = await somebody(shared)
    steward = await shared.as_("steward")
    seen = await steward.get(one.me.path)
    gone = await steward.delete(one.me.path, headers={"If-Match": seen.headers["ETag"]})
    assert gone.status_code == 204, gone.text
    assert (await archived(shared, one.me.id))["state"] == "archived"
    assert set(await parts(one)) >= {
        "positions",
        "grants",
        "devices",
        "numbers",
        "shifts",
        "emergency",
        "filed",
        "asked",
    }
    assert waiting_for(await one.requests["asked"].read()) == {str(shared.people["head"])}
    device = await one.read("it", f"/v1/devices/{one.ids['device']}")
    assert device["state"] == "to_hand_over"


async def test_the_check_list_asks_for_devices_and_the_undertaking_and_then_the_card_goes(shared: World) -> None:
    me = await add_person(shared)
    text = {
        "title_zh": "承诺书",
        "title_en": "Undertaking",
        "text_zh": "本人承诺不泄露任何联系方式。",
        "text_en": "I pass nothing on.",
    }
    hr, client = await shared.as_("hr"), await shared.as_(me.name)
    problem(await client.post("/v1/confidentiality-undertakings", json=text), 403, "insufficient_scope")
    first = (await hr.post("/v1/confidentiality-undertakings", json=text)).json()
    path = f"/v1/confidentiality-undertakings/{first['id']}/confirmations"
    problem(await client.post(path, json={"contact": str(shared.people["staff"])}), 403, "not_permitted")
    phone = (await register(shared))["id"]
    await assign(shared, phone, me.id)
    form = {"last_day": "2026-12-31", "devices": ["laptop"], "accounts": ["crm"]}
    walk = await filed(shared, "hr", "contact.leave", ("contact", me.id), form)
    await applied(shared, left(f"N{me.number}"))
    assert await walk.through("it") == "failed"
    assert (await walk.read())["problem"] == "devices_still_out"
    await call(shared, "it", "POST", f"/{phone}/returns")
    walk = await filed(shared, "hr", "contact.leave", ("contact", me.id), form)
    assert await walk.through("it") == "failed"
    assert (await walk.read())["problem"] == "undertaking_owed"
    noted = await hr.post(path, json={"contact": str(me.id)})
    assert (noted.status_code, noted.json()["means"], noted.json()["version"]) == (201, "recorded", first["version"])
    assert (await hr.post(path, json={"contact": str(me.id)})).status_code == 200
    own = await (await shared.as_("staff")).post(path, json={})
    assert (own.status_code, own.json()["means"]) == (201, "own")
    walk = await filed(shared, "hr", "contact.leave", ("contact", me.id), form)
    assert await walk.through("it") == "completed"
    item = await archived(shared, me.id)
    assert (item["state"], item["checked_at"] is None) == ("waiting", False)
    one = (await hr.get(f"/v1/departures/{item['id']}")).json()
    assert one["undertaking"]["means"] == "recorded"
    assert await shared.application.departures.sweep() == 1
    assert (await archived(shared, me.id))["state"] == "archived"
    second = (await hr.post("/v1/confidentiality-undertakings", json=text)).json()
    assert second["version"] == first["version"] + 1
    problem(await (await shared.as_("outsider")).post(path, json={}), 409, "undertaking_not_current")
    listed = (await hr.get("/v1/confidentiality-undertakings")).json()
    assert [each["current"] for each in listed["items"]][:2] == [True, False]


async def test_who_moves_leaves_what_was_of_the_former_place(shared: World) -> None:
    one = await somebody(shared)
    me = one.me
    told = await applied(shared, moved(f"N{me.number}", department="HR"))
    assert (told["numbers"], told["problem"]) == ([], None)
    client = await shared.as_(me.name)
    assert (await client.get(me.path)).status_code == 200
    card = await one.read("steward", me.path)
    assert (card["department"]["code"], card["status"], card["short_numbers"]) == ("HR", "active", [])
    assert (await one.read("steward", f"/v1/departments/{one.place}"))["head"] is None
    device = await one.read("it", f"/v1/devices/{one.ids['device']}")
    assert (device["state"], device["holder"]["id"]) == ("in_use", str(me.id))
    assert await admits(shared, one.ids["device"], one.ids["secret"])
    states = {name: (await walk.read())["state"] for name, walk in one.requests.items()}
    assert states == {
        "gained": "revoked",
        "line": "revoked",
        "filed": "pending",
        "about": "pending",
        "asked": "pending",
        "check": "pending",
    }
    assert waiting_for(await one.requests["asked"].read()) == {str(shared.people["head"])}
    account = await shared.application.accounts.by_contact(shared.application.database.reader, me.id)
    assert account is not None
    assert (account.state, account.roles) == ("active", ("it",))
    now, reader = shared.application.clock.now(), shared.application.database.reader
    assert not await shared.application.grants.live(reader, account.id, now)
    async with shared.application.database.session() as session:
        assert not await shared.application.engagements.service._rows.assigned_to(session, me.id, now)
