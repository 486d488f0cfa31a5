"""Who leaves loses everything in one transaction: the rights, the tokens, the numbers, the positions and the place in every view."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from app.auth.models import AccountRow
from app.contacts.models import Contact
from tests.devices.calls import admits, assign, read, register
from tests.hr.calls import applied, counted, grant_to, grown, listed, live_grants, post
from tests.hr.conftest import with_pool
from tests.hr.events import joined, left, moved, rehired, updated
from tests.hr.numbers import FakeNumbers
from tests.support.application import World

TABLES = (
    "access_grant", "audit_intent", "contact", "contact_change", "contact_department", "contact_tag", "data_key", "department",
    "device", "device_assignment", "device_secret", "epoch", "hr_event", "outbox", "revoked_token", "standing_loan", "user_account",
)  # fmt: skip
"""Everything that an event can touch; for the leaver see tests/departures/test_crash.py."""


class PulledPlug(Exception):
    """The process ends here."""


@contextmanager
def crash_at(world: World, statement: int) -> Iterator[list[str]]:
    """Fail before the given statement of the business store (from 1 on; 0 never); give what was run."""
    engine, run = world.application.database.engine.sync_engine, []

    def count(_: object, __: object, sql: str, *___: object) -> None:
        run.append(sql)
        if len(run) == statement:
            raise PulledPlug

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", count)


async def everything(world: World) -> dict[str, list[str]]:
    """Read every row that could have changed."""
    async with world.application.database.session() as session:
        return {
            table: sorted(repr(tuple(row)) for row in await session.execute(text(f"SELECT * FROM {table}")))
            for table in TABLES
        }


async def test_a_leavers_token_grants_numbers_and_positions_are_dead_at_once(world: World, pool: FakeNumbers) -> None:
    told = await applied(world, joined("E9001"))
    person, (digits,) = UUID(told["contact_id"]), told["numbers"]
    account = await grant_to(world, "E9001", of="outsider")
    holder = await world.as_("steward")
    for code, position in (("SALES", "head"), ("IT", "deputy"), ("IT", "head")):
        seen = await holder.get(f"/v1/departments/{code}")
        headers = {"If-Match": seen.headers["ETag"]}
        changed = await holder.patch(f"/v1/departments/{code}", json={position: str(person)}, headers=headers)
        assert changed.status_code == 200, changed.text
    phone = await register(world, follows="person")
    await assign(world, phone["id"], person)
    assert await admits(world, phone["id"], phone["secret"])
    leaver = await world.as_("test.e9001")
    paths = ("/v1/contacts", f"/v1/contacts/{person}", f"/v1/contacts/{world.people['outsider']}", "/v1/departments")
    for path in paths:
        assert (await leaver.get(path)).status_code == 200
    assert (await world.viewer("test.e9001")).standing.headed
    assert await live_grants(world, account) == 1

    told = await applied(world, left("E9001"))
    assert (told["contact_id"], told["numbers"]) == (str(person), [])

    for path in paths:
        assert (await leaver.get(path)).status_code == 401
    assert await live_grants(world, account) == 0
    handed = await read(world, "it", phone["id"])
    assert (handed["state"], handed["holder"], handed["answerable"]) == (
        "to_hand_over",
        None,
        str(world.people["head"]),
    )
    assert not await admits(world, phone["id"], phone["secret"])
    assert (pool.held, pool.quarantined) == ({}, {digits: person})
    tree = await world.application.standings.tree()
    assert tree.headed_by(person) == frozenset()
    assert [node.code for node in tree.nodes.values() if person in node.holders] == []
    assert tree.by_code["RD"].head_id == world.people["head"]
    async with world.application.database.session() as session:
        found = await session.get_one(AccountRow, account)
        contact = await session.get_one(Contact, person)
    assert (found.state, contact.status) == ("disabled", "left")


async def test_nobody_but_the_steward_finds_a_leaver(world: World, pool: FakeNumbers) -> None:
    told = await applied(world, joined("E9001", manager="E2104"))
    person = told["contact_id"]
    await applied(world, joined("E9002", manager="E9001"))
    await applied(world, left("E9001"))
    assert pool.quarantined
    for reader in ("colleague", "outsider", "head", "hr", "infosec", "auditor", "ceo", "it", "directory-sync"):
        client = await world.as_(reader)
        assert (await client.get(f"/v1/contacts/{person}")).status_code == 404
        for query in ({"q": "E9001"}, {"q": "逄试9001"}, {"ids": person}, {"status": "left"}, {"department": "RD"}):
            assert person not in {each["id"] for each in await listed(world, reader, **query, limit="200")}
    assert await listed(world, "steward", q="E9001") == []
    (card,) = await listed(world, "steward", status="left")
    assert (card["id"], card["name"], card["mobile"]["state"]) == (person, "逄试9001", "withheld")


async def test_leaving_again_is_applied_and_changes_nothing(world: World, pool: FakeNumbers) -> None:
    await applied(world, joined("E9001"))
    first = await applied(world, left("E9001"))
    before, waiting = await counted(world), dict(pool.quarantined)
    assert {**await applied(world, left("E9001")), "id": 0} == {**first, "id": 0}
    assert grown(before, await counted(world)) == {"hr_event": 1, "audit_intent": 1}
    assert pool.quarantined == waiting


async def test_a_leaver_without_account_numbers_or_grants_just_leaves(world: World) -> None:
    person = (await applied(world, joined("E9001", user_name=None)))["contact_id"]
    assert (await applied(world, left("E9001")))["contact_id"] == person


async def test_an_account_that_was_edited_by_sql_keeps_no_leaver_in(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    async with world.application.database.unit_of_work() as unit:
        await unit.session.execute(text("UPDATE user_account SET tier = 'T5' WHERE user_name_key = 'test.e9001'"))
    await applied(world, left("E9001"))
    assert (await (await world.as_("hr")).get(f"/v1/contacts/{person}")).status_code == 404


@pytest.mark.parametrize("kind", ["joined", "moved", "rehired"])
async def test_the_other_events_are_as_whole(sqlite_world: World, kind: str) -> None:
    pool = with_pool(sqlite_world, "61001", "61002")
    bodies: dict[str, dict[str, Any]] = {
        "joined": joined("E9002"),
        "moved": moved("E9001", department="SALES", title="x", memberships=[{"department": "HR"}]),
        "rehired": rehired("E9001", user_name="test.other", mobile="13700007777"),
    }
    await applied(sqlite_world, joined("E9001"))
    await grant_to(sqlite_world, "E9001", of="outsider")
    if kind == "rehired":
        await applied(sqlite_world, left("E9001"))
    await sqlite_world.settle()
    before, held, count = await everything(sqlite_world), dict(pool.held), 0
    while True:
        count += 1
        with crash_at(sqlite_world, count) as run:
            answer = await post(sqlite_world, bodies[kind])
        if len(run) < count:
            break
        assert answer.status_code == 500, run[-1]
        assert await everything(sqlite_world) == before, run[-1]
        assert pool.held == held, run[-1]
    assert count > 10
    assert answer.json()["state"] == "applied"


async def test_what_a_leaver_leaves_behind_names_nobody(world: World) -> None:
    """Ledger, outbox, intents and the log itself, every byte of a life: no name, number, address or employee number in clear."""
    lives = [
        joined("E9001", personal_mobile="13700008888", wechat="wx_ledger_x", id_number="11010519491231002X"),
        moved("E9001", department="SALES", title="逄职务"),
        updated("E9001", name="逄改名", mobile="13700007777", home_address="无名路九号"),
        left("E9001"),
        updated("E9001", name="逄又改"),
        rehired("E9001", department="HR", private_notes="逄备注"),
        moved("E9001", department="NOWHERE", title="逄何处"),
        left("E9001"),
    ]
    states = [(await post(world, body)).json()["state"] for body in lives]
    assert states == ["applied"] * 4 + ["waiting", "applied", "failed", "applied"]
    tables = ["hr_event", "outbox", "audit_intent"]
    async with world.application.database.session() as session:
        rows = [tuple(row) for table in tables for row in await session.execute(text(f"SELECT * FROM {table}"))]
        unsealed = await session.scalar(text("SELECT count(*) FROM hr_event WHERE payload IS NULL"))
    assert len(rows) > 2 * len(lives)
    assert unsealed == 0
    await world.settle()
    events = await (await world.as_("infosec")).get("/v1/access-events", params={"limit": 200})
    haystack = b"\x00".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    haystack = haystack.replace(lives[0]["source"].encode(), b"")
    personal = (
        "13700009001", "13700008888", "13700007777", "wx_ledger_x", "11010519491231002X", "test.e9001", "E9001", "逄职务",
        "逄改名", "逄又改", "逄备注", "逄何处", "无名路九号", "逄试", "@example",
    )  # fmt: skip
    for value in personal:
        for form in (value.encode(), value.encode("utf-16-le"), value.encode("unicode_escape")):
            assert form not in haystack, value
    for value in ("13700009001", "13700008888", "13700007777", "wx_ledger_x", "11010519491231002X", "无名路九号"):
        assert value not in events.text
