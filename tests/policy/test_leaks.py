"""A hunt for every protected value of the company, in UTF-8 and UTF-16, wherever it could lie about.

That is: answers, headers, log lines, the description of the API, both database files with their write-ahead logs, every table. The hunt
proves itself first: it finds a value where one was put.
"""

import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
import structlog

from app.kit import logging as structured
from tests.contacts.partners import add_partner
from tests.support.application import World, opened_world
from tests.support.company import PEOPLE, SECRETS
from tests.support.pictures import picture, with_metadata
from tests.support.problems import quoted
from tests.support.stores import SqliteTestStore, TestStore

REASON: Final = "Rückruf 8613800002199 wegen Lieferung"
SEARCHED: Final = "13800002101"


def needles(texts: Iterable[str] = SECRETS) -> dict[bytes, str]:
    """Write every value as it could stand in a file."""
    return {text.encode(encoding): text for text in texts for encoding in ("utf-8", "utf-16-le", "utf-16-be")}


def found_in(haystack: bytes, texts: Iterable[str] = SECRETS) -> list[str]:
    """Name the values that ``haystack`` holds."""
    return sorted({text for needle, text in needles(texts).items() if needle in haystack})


def files(folder: Path) -> Iterator[Path]:
    """Walk a data directory."""
    return (Path(where) / name for where, _, names in os.walk(folder) for name in names)


async def dump(store: TestStore) -> dict[str, bytes]:
    """Read everything that is stored."""
    held = {str(path): path.read_bytes() for path in files(store.settings.data_dir)}
    if isinstance(store, SqliteTestStore):
        assert {Path(name).name for name in held} >= {"duanhao.sqlite3", "log.sqlite3", "log.sqlite3-wal"}
        return held
    connection = await asyncpg.connect(store.superuser_dsn)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        assert len(tables) > 15
        for schema, table in tables:
            rows = await connection.fetch(f'SELECT * FROM "{schema}"."{table}"')
            held[f"{schema}.{table}"] = b"\x00".join(_raw(value) for row in rows for value in row)
    finally:
        await connection.close()
    return held


def _raw(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


async def busy_day(world: World) -> AsyncIterator[httpx.Response]:
    """Do everything once, rightly and wrongly."""
    hr, staff, outsider = await world.as_("hr"), await world.as_("staff"), await world.as_("outsider")
    colleague = f"/v1/contacts/{world.people['colleague']}"
    for name in ("staff", "outsider", "hr", "infosec", "head", "ceo", "intern", "directory-sync", "siem"):
        client = await world.as_(name)
        yield await client.get(colleague)
        yield await client.get("/v1/contacts", params={"limit": "200", "total": "true"})
        yield await client.get(f"{colleague}/history")
    yield await outsider.get("/v1/contacts", params={"q": SEARCHED})
    yield await outsider.get("/v1/contacts", params={"mobile": SEARCHED})
    yield await outsider.get(colleague, headers={"X-Request-ID": SEARCHED})
    yield await outsider.get(f"/v1/contacts/{SEARCHED}")
    yield await outsider.get("/v1/contacts", params={"cursor": "person2101@example.com"})
    body = {"fields": ["mobile"], "purpose": "work_contact", "reason": REASON}
    yield await staff.post(f"{colleague}/reveals", json=body)
    yield await outsider.post(f"{colleague}/reveals", json=body)
    new: dict[str, Any] = {"name": "新", "mobile": SEARCHED, "email": "person2101@example.com", "department": "RD"}
    for members in ({}, {"email": "person2101@example.com@"}, {"id_number": "11010519491231002X0"}, {"nope": SEARCHED}):
        yield await hr.post("/v1/contacts", json={**new, **members})
    yield await hr.post(
        "/v1/contacts", content=b'{"mobile": "13800002101"', headers={"Content-Type": "application/json"}
    )
    yield await hr.post("/v1/contacts", json=new, headers={"Idempotency-Key": "leak-hunt"})
    yield await hr.post("/v1/contacts", json=new, headers={"Idempotency-Key": "leak-hunt"})
    seen = await hr.get(colleague)
    yield await hr.patch(colleague, json={"wechat": "wx_2101_x"}, headers={"If-Match": seen.headers["ETag"]})
    photo = {"Content-Type": "image/png", "If-Match": "*"}
    for content in (picture("PNG"), with_metadata("JPEG"), SEARCHED.encode()):
        yield await hr.post(f"{colleague}/photo", content=content, headers=photo)
        yield await outsider.post(f"{colleague}/photo", content=content, headers=photo)
    yield await hr.delete(f"{colleague}/photo", headers={"If-Match": SEARCHED})
    yield await hr.post("/v1/tags", json={"name": "x" * 65 + SEARCHED})
    yield await outsider.get("/v1/tags", params={"q": SEARCHED})
    yield await hr.delete(f"/v1/tags/{SEARCHED}")
    for name in ("staff", "outsider", "hr", "infosec", "directory-sync", "siem"):
        client = await world.as_(name)
        for path in ("/v1/me", "/v1/me/viewed-by", "/v1/fields", "/v1/tags"):
            yield await client.get(path)
    for part in (business, provided, stand_ins):
        async for each in part(world):
            yield each
    gone = f"/v1/contacts/{world.people['bare']}"
    yield await hr.delete(gone, headers={"If-Match": "*"})
    yield await hr.get(gone)
    await world.settle()
    await world.application.outbox.drain()
    for name in ("infosec", "auditor", "siem"):
        yield await (await world.as_(name)).get("/v1/access-events", params={"limit": "200"})
        yield await (await world.as_(name)).get("/v1/access-events/summary", params={"actor": SEARCHED})
        yield await (await world.as_(name)).get("/v1/access-events", params={"request": SEARCHED})
        for form in ("ndjson", "csv"):
            yield await (await world.as_(name)).post("/v1/access-events/exports", json={"format": form})
    yield await (await world.as_(None)).get("/openapi.json")


async def business(world: World) -> AsyncIterator[httpx.Response]:
    """Push, change, read and end what concerns a customer, rightly and wrongly."""
    crm, partner = await world.as_("crm"), await add_partner(world)
    facts = f"{partner.path}/engagements"
    pushed = await crm.post(facts, json={"order": "SO-1", "staff": [str(world.people["outsider"])]})
    yield pushed
    yield await crm.post(facts, json={"order": "SO-1", "staff": [SEARCHED]})
    yield await crm.post(facts, json={"order": f" {SEARCHED}", "staff": ["person2101@example.com"]})
    yield await crm.post("/v1/engagements/batches", json={"items": [{"contact": SEARCHED}]})
    for name in ("outsider", "staff", "hr", "infosec", "crm"):
        client = await world.as_(name)
        for path in (facts, pushed.headers["Location"], "/v1/engagements", f"/v1/engagements?assigned={SEARCHED}"):
            yield await client.get(path)
    yield await (await world.as_("outsider")).get("/v1/contacts", params={"assigned": "me"})
    yield await crm.patch(pushed.headers["Location"], json={"staff": [SEARCHED]}, headers={"If-Match": SEARCHED})
    yield await crm.delete(pushed.headers["Location"])


async def stand_ins(world: World) -> AsyncIterator[httpx.Response]:
    """Give decisions away, list who decides for whom, and end it, rightly and wrongly."""
    staff, until = await world.as_("staff"), (world.application.clock.now() + timedelta(days=1)).isoformat()
    given = await staff.post("/v1/delegations", json={"to": str(world.people["colleague"]), "until": until})
    yield given
    for wrong in (
        {"to": SEARCHED},
        {"to": str(world.people["intern"])},
        {"to": str(world.people["outsider"]), "on_behalf_of": str(world.people["ceo"])},
        {"to": str(world.people["staff"]), "kinds": [SEARCHED]},
    ):
        yield await staff.post("/v1/delegations", json={"until": until, **wrong})
    for name in ("staff", "colleague", "outsider", "infosec"):
        client = await world.as_(name)
        for path in ("/v1/delegations", given.headers["Location"], f"/v1/delegations?person={SEARCHED}"):
            yield await client.get(path)
    yield await staff.delete(given.headers["Location"])


async def provided(world: World) -> AsyncIterator[httpx.Response]:
    """Give a colleague's mobile to somebody outside, with consent, and have it back."""
    until = (world.application.clock.now() + timedelta(days=9)).isoformat()
    recipient = {"name": "Partner", "contact": "partner@example.com", "region": "CN"}
    form = {"recipient": recipient, "purpose": REASON, "method": REASON, "until": until, "fields": ["mobile", "email"]}
    body = {"kind": "provide.external", "subject": {"type": "contract", "id": "HT-2026-018"}}
    staff = await world.as_("staff")
    filed = await staff.post(
        "/v1/requests", json={**body, "form": {**form, "contacts": [str(world.people["colleague"])]}}
    )
    yield filed
    for name in ("head", "steward", "colleague"):
        client = await world.as_(name)
        yield await client.post(f"{filed.headers['Location']}/decisions", json={"decision": "approve"})
    listed = await staff.get("/v1/provisions")
    yield listed
    path = f"/v1/provisions/{listed.json()['items'][0]['id']}"
    yield await staff.post(f"{path}/packages", json={})
    yield await staff.post(f"{path}/packages", json={})
    yield await staff.post(f"{path}/returns", json={"kind": "destroyed", "evidence": REASON})
    confirmation = {"decision": "confirm", "comment": REASON}
    yield await (await world.as_("steward")).post(f"{path}/return-confirmations", json=confirmation)
    for name in ("colleague", "auditor", "outsider"):
        yield await (await world.as_(name)).get(path)


def shown(value: object) -> set[str]:
    """Collect the values that an answer says are shown to its caller."""
    match value:
        case {"state": "shown" | "told", "value": str(text)}:
            return {text}
        case dict():
            return set().union(*(shown(each) for each in value.values()))
        case list():
            return set().union(*(shown(each) for each in value))
        case _:
            return set()


def undeclared(answer: httpx.Response) -> list[str]:
    """Name the protected values in an answer beyond those that stand in a member whose state says so."""
    found = quoted(answer)
    if not found or answer.headers["Content-Type"] != "application/json":
        return found
    declared = shown(answer.json())
    rest = answer.text
    for text in sorted(declared, key=len, reverse=True):
        rest = rest.replace(text, "")
    return [secret for secret in found if secret in rest]


@pytest.fixture
def log_lines(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Print logs as the service does, at the most talkative, libraries included."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    structured.configure("debug")
    yield capfd
    structlog.reset_defaults()
    root.handlers, root.level = before, level


def test_the_hunt_finds_what_there_is() -> None:
    assert found_in(b"x" + PEOPLE["staff"].mobile.encode("utf-16-le")) == [PEOPLE["staff"].mobile]
    assert found_in(b"x" + PEOPLE["hr"].email.encode()) == [PEOPLE["hr"].email]
    assert found_in("住在无名路".encode()) == ["无名路"]
    assert found_in(b"nothing") == []


@pytest.mark.slow
async def test_a_busy_day_leaves_no_protected_value_anywhere(
    store: TestStore, log_lines: pytest.CaptureFixture[str]
) -> None:
    structured.configure("debug")
    async with opened_world(store.settings) as world:
        statuses = []
        clear = 0
        async for answer in busy_day(world):
            statuses.append(answer.status_code)
            assert undeclared(answer) == [], (answer.request.url, answer.status_code)
            clear += bool(quoted(answer))
        assert {200, 201, 204, 403, 404, 422} <= set(statuses)
        assert 500 not in statuses
        assert clear > 5, "the day shows what may be shown"
        held = await dump(store)
    for name, content in held.items():
        assert found_in(content, (*SECRETS, REASON)) == [], name
    printed = log_lines.readouterr()
    assert printed.err.count("\n") > 20
    assert found_in((printed.out + printed.err).encode(), (*SECRETS, REASON)) == []
    assert '"event":"request"' in printed.err


async def test_names_of_people_do_not_stand_in_the_log_either(
    sqlite_world: World, sqlite_store: SqliteTestStore
) -> None:
    """No append-only table holds a personal value in clear: names and user names included."""
    async for answer in busy_day(sqlite_world):
        assert answer.status_code < 500
    names = [person.full_name for person in PEOPLE.values()] + ["person2101", "E2101"]
    for path in files(sqlite_store.settings.data_dir):
        if path.name.startswith("log.sqlite3"):
            assert found_in(path.read_bytes(), names) == [], path
