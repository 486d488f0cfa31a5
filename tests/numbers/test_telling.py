"""Every change of a number is told to programs that subscribe, in the order of its versions, and to nobody where nobody does."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.audit.authors import Author
from app.kit.models import new_id
from app.notices.messages import TITLES
from app.notices.models import NoticeRow
from app.notices.notice import TYPES
from app.notices.service import Notices
from app.notices.webhook import Webhook
from app.numbers.naming import NumberNames
from app.numbers.rules import TRANSITIONS, Verb
from app.numbers.telling import FAMILY, HOLD_EXPIRED, SWAPPED, TOLD
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.numbers.test_holds import held
from tests.support.application import World
from tests.support.shared import add_person

SHARED = pytest.mark.asyncio(loop_scope="session")
OTHERS = {"exhaustion", "expired", "low_water", "reminder"}
"""What people are told too, by the sweeps."""


def test_there_is_a_type_for_every_transition_and_a_title_for_every_type() -> None:
    assert {verb for _, verb in TRANSITIONS} <= set(TOLD) == set(Verb)
    told = {*TOLD.values(), SWAPPED, HOLD_EXPIRED, *OTHERS}
    assert {f"{FAMILY}.{each}" for each in told} == {each for each in TYPES if each.startswith(f"{FAMILY}.")}
    assert set(TYPES) == set(TITLES)


@given(st.lists(st.integers(0, 2**40), min_size=2, max_size=5, unique=True), st.uuids())
def test_a_name_is_read_back_by_its_key_alone(rows: list[int], strange: UUID) -> None:
    names, others = NumberNames(bytes(32)), NumberNames(bytes([1]) * 32)
    assert [names.row(names.of(row)) for row in rows] == rows
    assert len({names.of(row) for row in rows}) == len(rows)
    assert all(others.row(names.of(row)) is None for row in rows)
    assert names.row(strange) is None


@asynccontextmanager
async def subscribed(world: World) -> AsyncIterator[None]:
    """Subscribe a program to what becomes of numbers."""
    rows, now = world.application.notices._webhooks, datetime.now(UTC)
    identity = new_id()
    webhook = Webhook(
        id=identity,
        kind="standard",
        label="交换机",
        address=rows.boxed(identity, "address", "https://pbx.example.com/hook"),
        secret=rows.boxed(identity, "secret", "whsec_none"),
        former_secret=None,
        former_until=None,
        types=("number.*",),
        roles=(),
        state="paused",
        cause=None,
        owner=None,
        row_version=1,
        created_at=now,
    )
    async with world.application.database.unit_of_work() as unit:
        await rows.add(unit.session, webhook, at=now)
    teller = world.application.numbers.telling._teller
    assert isinstance(teller, Notices)
    teller._heard.clear()
    try:
        yield
    finally:
        async with world.application.database.unit_of_work() as unit:
            await rows.remove(unit.session, webhook)


async def told(world: World, pool: str) -> list[Mapping[str, Any]]:
    """List what was put about numbers of a pool, in the order in which it was put."""
    async with world.application.database.session() as session:
        rows = await session.execute(
            select(NoticeRow.type, NoticeRow.body, NoticeRow.resource, NoticeRow.version)
            .where(NoticeRow.type.like("number.%"))
            .order_by(NoticeRow.id)
        )
        return [
            {"type": row[0].removeprefix("number."), "resource": row[2], "row": row[3], **row[1]["number"]}
            for row in rows
            if row[1]["number"].get("pool") == pool
        ]


async def pool_id(client: httpx.AsyncClient, pool: TestPool) -> str:
    return str((await client.get(pool.path)).json()["id"])


@SHARED
async def test_every_change_is_told_in_order_and_names_no_digits(shared: World) -> None:
    it = await it_client(shared)
    pool, other = await add_pool(shared, 9), await add_person(shared)
    person = await add_person(shared)
    one = pool.digits()

    async def does(part: str, body: dict[str, Any] | None = None, digits: str = one, method: str = "POST") -> None:
        answer = await it.request(method, f"/v1/numbers/{digits}/{part}", json=body)
        assert answer.status_code in {201, 204}, answer.text

    async with subscribed(shared):
        await allocate(shared, pool, person.id)
        await does("transfers", {"to": {"type": "contact", "id": str(other.id)}})
        await allocate(shared, pool, person.id)
        await does("swaps", {"with": pool.digits(1)})
        await release(shared, one)
        await does("restorations", {})
        await does("blocks", {"reason": "harassed"})
        await does("blocks", method="DELETE")
        await does("retirements")
        await does("reservations", {"purpose": "总机"}, pool.digits(2))
        await does("reservations", None, pool.digits(2), "DELETE")
        kept = await held(shared, pool, digits=pool.digits(2))
        gone = await it.delete(f"/v1/number-holds/{kept['id']}", headers={"If-Match": f'"{kept["version"]}"'})
        assert gone.status_code == 204
        ident = await pool_id(it, pool)
        found = await told(shared, ident)
        by_number: dict[str, list[str]] = {}
        for each in found:
            by_number.setdefault(each["id"], []).append(each["type"])
        assert list(by_number.values()) == [
            [
                "allocated",
                "transferred",
                "swapped",
                "released",
                "restored",
                "released",
                "blocked",
                "unblocked",
                "retired",
            ],
            ["allocated", "swapped"],
            ["reserved", "opened", "held", "hold_dropped"],
        ]
        for identity in by_number:
            versions = [each["version"] for each in found if each["id"] == identity]
            assert versions == sorted(versions)
            assert {each["resource"] for each in found if each["id"] == identity} == {f"number:{identity}"}
        digits = {pool.digits(at) for at in range(9)}
        assert not any(each in str(found) for each in digits)
        (seen,) = (await it.get("/v1/numbers", params={"id": found[2]["id"]})).json()["items"]
        assert seen["digits"] == pool.digits(1)
        assert (await it.get("/v1/numbers", params={"id": str(new_id())})).json()["items"] == []
    await allocate(shared, pool, person.id)
    assert len(await told(shared, ident)) == len(found), "nobody subscribes any more"


@SHARED
async def test_what_the_exchange_confirms_and_what_leavers_lose_is_told(shared: World) -> None:
    it = await it_client(shared)
    pool, person = await add_pool(shared, 3, confirms=True), await add_person(shared)
    async with subscribed(shared):
        (digits,) = await allocate(shared, pool, person.id)
        assert (await it.post(f"/v1/numbers/{digits}/confirmations", json={})).status_code == 201
        async with shared.application.database.unit_of_work() as unit:
            author = Author(type="system", id="hr")
            await shared.application.numbers.service.end_assignments(unit, author, contact_id=person.id, cause="left")
        found = await told(shared, await pool_id(it, pool))
    assert [(each["type"], each["state"], each.get("cause")) for each in found] == [
        ("allocated", "provisioning", None),
        ("confirmed", "assigned", None),
        ("released", "quarantined", "left"),
    ]
    assert all("holder" not in each and str(person.id) not in str(each) for each in found), (
        "who may know asks for the number"
    )
