"""An exchange over HTTP on both engines: what it is told is what it says, what it says otherwise is told, and every look is on record."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from app.calling.rules import Function
from app.calling.service import Line
from app.kit.models import new_id
from app.numbers.repository import Grant, Holder
from app.numbers.values import Wanted
from app.switching import live, reconciling
from tests.contacts.partners import add_partner
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.phonebooks.phones import add_phone
from tests.support.application import OPERATOR, World
from tests.support.clients import Asker, add_client
from tests.support.problems import problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOMAINS: Final = count(1)
NAME: Final = '王"五; <7>'
FILES: Final = {"asterisk": "text/plain", "freeswitch": "application/xml", "csv": "text/csv"}
FIRST: Final = frozenset({"unreadable", "twice_in_exchange"})
READ_AS: Final = {"asterisk": "asterisk", "freeswitch": "freeswitch", "csv": "sheet"}


async def new_domain(world: World) -> str:
    code = f"pbx{next(DOMAINS)}"
    made = await (await it_client(world)).post("/v1/number-domains", json={"code": code, "name": "交换机"})
    assert made.status_code == 201, made.text
    return code


async def privileged(world: World, digits: str, *functions: Function) -> datetime:
    """Let a line do more for a while."""
    seen = await (await it_client(world)).get(f"/v1/numbers/{digits}/history")
    first, application = seen.json()["items"][0]["holder"], world.application
    until = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
    async with application.database.unit_of_work() as unit:
        number = (await application.numbers.service._numbers.named(unit.session, digits, domain=None))[0]
        (held,) = await application.numbers.service._numbers.open_of(unit.session, number.id)
        line = Line(assignment_id=held.id, contact_id=UUID(first["id"]), domain=number.domain, digits=digits)
        await application.calling.service.give(unit, OPERATOR, line, functions, request_id=new_id(), until=until)
    return until


class Exchange:
    """A domain with three numbers that people hold, and the account of the exchange that switches them."""

    def __init__(self, world: World, domain: str, pool: TestPool, people: tuple[Added, ...], asker: Asker) -> None:
        """Take what was made."""
        self.world, self.domain, self.pool, self.people, self._asker = world, domain, pool, people, asker

    async def get(self, what: str, headers: dict[str, str] | None = None, **query: str) -> httpx.Response:
        """Ask for an export as the exchange."""
        signed = await self._asker.ask("/oauth/token", grant_type="client_credentials", scope="numbers:export")
        given = {"Authorization": f"Bearer {signed.json()['access_token']}", **(headers or {})}
        client = await self.world.as_(None)
        return await client.get(f"/v1/number-exports/{what}", params={"domain": self.domain, **query}, headers=given)

    async def dump(self, what: str) -> bytes:
        """Ask for an export; fails unless it is given."""
        answer = await self.get(what)
        assert answer.status_code == 200, answer.text
        return answer.content

    async def drift(self, form: str, content: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Compare the plan with a dump; fails unless that is answered to its end."""
        query = {"format": form, "domain": self.domain}
        it = await it_client(self.world)
        answer = await it.post("/v1/number-reconciliations", params=query, content=content)
        assert answer.status_code == 200, answer.text
        *found, last = [json.loads(each) for each in answer.text.splitlines()]
        return [each["difference"] for each in found], last["summary"]


async def exchange(world: World) -> Exchange:
    domain = await new_domain(world)
    pool = await add_pool(world, 10, domain=domain)
    one, two = await add_person(world, name=NAME), await add_person(world)
    await allocate(world, pool, one.id)
    await allocate(world, pool, two.id, role="extension")
    await allocate(world, pool, two.id, digits=pool.digits(5))
    await privileged(world, pool.digits(), Function.INTERNATIONAL, Function.LONG_DISTANCE)
    return Exchange(world, domain, pool, (one, two), await add_client(world, scopes=("numbers:export",)))


@pytest.mark.parametrize("what", list(FILES))
async def test_what_an_exchange_is_told_is_no_drift(shared: World, what: str) -> None:
    exchange_ = await exchange(shared)
    answer = await exchange_.get(what)
    assert answer.headers["Content-Type"].startswith(FILES[what])
    assert "attachment" in answer.headers["Content-Disposition"]
    found, summary = await exchange_.drift(READ_AS[what], answer.content)
    assert found == []
    assert summary == {"domain": exchange_.domain, "lines": 3, "numbers": 3, "withheld": 0, "drift": {}}
    again = await exchange_.get(what)
    assert (again.content, again.headers["ETag"]) == (answer.content, answer.headers["ETag"])
    known = await exchange_.get(what, {"If-None-Match": answer.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    for secret in (*exchange_.people[0].secrets, *exchange_.people[1].secrets, "password", "auth"):
        assert secret not in answer.text
    await release(shared, exchange_.pool.digits(5))
    changed = await exchange_.get(what, {"If-None-Match": answer.headers["ETag"]})
    assert (changed.status_code, exchange_.pool.digits(5) in changed.text) == (200, False)
    elsewhere = await exchange_.get(what, pool="nowhere")
    assert exchange_.pool.digits() not in elsewhere.text


async def test_privileges_are_told_with_their_ends_and_without_names(shared: World) -> None:
    exchange_ = await exchange(shared)
    rows = [json.loads(each) for each in (await exchange_.dump("privileges-ndjson")).splitlines()]
    assert [(each["digits"], each["function"]) for each in rows] == [
        (exchange_.pool.digits(), "international"),
        (exchange_.pool.digits(), "long_distance"),
    ]
    assert all(datetime.fromisoformat(each["until"]) > datetime.now(UTC) for each in rows)
    sheet = (await exchange_.dump("privileges-csv")).decode("utf-8-sig").splitlines()
    assert sheet[0] == "domain,digits,function,until"
    assert len(sheet) == 3
    assert not any("王" in each for each in sheet)


async def test_drift_is_told_both_ways(shared: World) -> None:
    exchange_ = await exchange(shared)
    one, two = exchange_.people
    digits, extension, released, free = (exchange_.pool.digits(at) for at in (0, 1, 5, 7))
    await release(shared, released)
    dump = (
        "号码,姓名,工号,权限\n"
        f"{digits},李四,N{one.number},international\n"
        f"{released},新人{two.number},,\n"
        f"{free},,,\n"
        "299,客人,,\n"
        "299,别人,,\n"
        ",坏行,,\n"
    )
    found, summary = await exchange_.drift("sheet", dump.encode())
    told = [(each["kind"], each["digits"], each["directory"], each["exchange"]) for each in found]
    assert sorted(told, key=str) == sorted(
        [
            ("unreadable", None, None, "no_number"),
            ("twice_in_exchange", "299", None, "别人"),
            ("other_name", digits, NAME, "李四"),
            ("other_privileges", digits, "international,long_distance", "international"),
            ("missing_in_exchange", extension, f"新人{two.number}", None),
            ("unknown_to_directory", "299", None, "客人"),
            ("still_live", released, None, f"新人{two.number}"),
            ("not_given_out", free, None, None),
        ],
        key=str,
    )
    assert [each for each in told if each[0] not in FIRST] == sorted(
        (each for each in told if each[0] not in FIRST), key=lambda each: str(each[1])
    )
    assert summary["lines"] == 4
    assert sum(summary["drift"].values()) == len(found) == 8
    assert [each["contact"] for each in found if each["kind"] == "missing_in_exchange"] == [str(two.id)]
    assert [each["line"] for each in found if each["kind"] == "still_live"] == [3]


async def test_each_page_is_on_record_and_its_order_is_that_of_digits(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange_ = await exchange(shared)
    whole = await exchange_.dump("asterisk")
    monkeypatch.setattr(live, "WINDOW", 1)
    monkeypatch.setattr(reconciling, "PAGE", 1)
    monkeypatch.setattr(reconciling, "WINDOW", 1)
    assert await exchange_.dump("asterisk") == whole
    found, summary = await exchange_.drift("asterisk", b"[299]\ntype=endpoint\n")
    assert [each["kind"] for each in found if each["digits"] == "299"] == ["unknown_to_directory"]
    assert summary["drift"] == {"missing_in_exchange": 3, "unknown_to_directory": 1}
    digits = [each["digits"] for each in found]
    assert digits == sorted(digits)
    await shared.settle()
    siem = await shared.as_("siem")
    for action, least in (("number.export", 4), ("number.reconcile", 5)):
        query = {"action": action, "contact": str(exchange_.people[1].id)}
        events = (await siem.get("/v1/access-events", params=query)).json()["items"]
        assert 1 <= len(events) <= least, action
        assert {each["decision"] for each in events} == {"allowed"}


async def test_who_may_not_is_told_nothing(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange_ = await exchange(shared)
    for name in ("staff", "it-scripts", "siem"):
        client = await shared.as_(name)
        problem(await client.get("/v1/number-exports/csv"), 403, "insufficient_scope")
    crm = await shared.as_("crm")
    problem(
        await crm.post("/v1/number-reconciliations", params={"format": "sheet"}, content=b""), 403, "insufficient_scope"
    )
    problem(await exchange_.get("csv", domain="mars"), 422, "invalid_request")
    problem(await exchange_.get("word"), 422, "invalid_request")
    monkeypatch.setattr(shared.application.switching.exports, "_most", 2)
    problem(await exchange_.get("csv"), 422, "export_too_large")
    it = await it_client(shared)
    problem(await it.post("/v1/number-reconciliations", content=b""), 422, "invalid_request")
    found, summary = await exchange_.drift("freeswitch", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    assert [each["kind"] for each in found] == ["unreadable", *["missing_in_exchange"] * 3]
    assert summary["lines"] == 0


async def test_who_has_a_telephone_is_told_with_no_number(shared: World) -> None:
    domain = await new_domain(shared)
    pool = await add_pool(shared, 10, domain=domain)
    it, phone, person = await it_client(shared), await add_phone(shared, label="样机"), await add_person(shared)
    who = {"type": "contact", "id": str(person.id)}
    assert (await it.post(f"/v1/devices/{phone.id}/assignments", json={"holder": who})).status_code == 201
    for holder in (who, {"type": "device", "id": str(phone.id)}):
        answer = await it.post(f"{pool.path}/allocations", json={"holder": holder, "role": "short"})
        assert answer.status_code == 201, answer.text
    exchange_ = Exchange(shared, domain, pool, (), await add_client(shared, scopes=("numbers:export",)))
    found, _ = await exchange_.drift("sheet", "短号\n".encode())
    assert [(each["directory"], each["contact"]) for each in found] == [
        (f"新人{person.number}", str(person.id)),
        ("样机", None),
    ]
    assert str(person.id) not in (await exchange_.dump("csv")).decode()


async def test_of_whom_an_exchange_may_not_know_it_is_told_the_number_alone(shared: World) -> None:
    domain = await new_domain(shared)
    pool = await add_pool(shared, 10, domain=domain)
    partner, room = await add_partner(shared), {"type": "room", "id": "A-101"}
    application = shared.application
    async with application.database.unit_of_work() as unit:
        found = await application.numbers.service._plan.pool(unit.session, pool.code)
        assert found is not None
        holder = Holder("contact", partner.id)
        given = Grant(holder=holder, role="short", caller="operator:os:test", author=OPERATOR, until=None)
        await application.numbers.service.allocate(unit, found, given, Wanted())
    it = await it_client(shared)
    desk, own = await add_phone(shared, label="前台 3"), await add_phone(shared, label="顾问专线")
    guarded = await add_person(shared, secrecy="executive")
    for phone, who in ((desk, {"type": "room", "id": "A-101"}), (own, {"type": "contact", "id": str(guarded.id)})):
        assert (await it.post(f"/v1/devices/{phone.id}/assignments", json={"holder": who})).status_code == 201
    devices = [{"type": "device", "id": str(phone.id)} for phone in (desk, own)]
    for ref in (room, {"type": "department", "id": "RD"}, *devices):
        answer = await it.post(f"{pool.path}/allocations", json={"holder": ref, "role": "short"})
        assert answer.status_code == 201, answer.text
    exchange_ = Exchange(shared, domain, pool, (), await add_client(shared, scopes=("numbers:export",)))
    dump = await exchange_.dump("csv")
    first, second, third, fourth, fifth = dump.decode().splitlines()[1:]
    assert first.split(",")[:7] == [pool.digits(), "", "", "", "", "", ""]
    assert second.split(",")[:7] == [pool.digits(1), "", "A-101", "", "", "A-101", ""]
    assert third.split(",")[:2] + third.split(",")[6:7] == [pool.digits(2), "", "RD"]
    assert fourth.split(",")[:7] == [pool.digits(3), "", "前台 3", "", "", "", "RD"]
    assert fifth.split(",")[:7] == [pool.digits(4), "", "", "", "", "", ""]
    assert not any(each in dump.decode() for each in (*partner.secrets, str(partner.id)))
    found_, summary = await exchange_.drift("sheet", dump.replace(b",,,,,,,", ",,张三,,,,,".encode(), 1))
    assert found_ == []
    assert (summary["withheld"], summary["numbers"]) == (1, 5)
    found_, _ = await exchange_.drift("sheet", dump.replace("前台 3".encode(), "后门".encode()))
    assert [(each["kind"], each["directory"], each["exchange"]) for each in found_] == [
        ("other_name", "前台 3", "后门")
    ]
