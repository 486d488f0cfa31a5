"""Whose retention is over is erased: nothing of them can be opened by any key that is left, and everything else stays as it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from app.contacts.forms import Forms, load
from app.departures.erasing import Eraser
from app.kit.models import new_id
from tests.contacts.partners import add_partner
from tests.departures.test_crash import PulledPlug, crash_at, everything
from tests.departures.test_whole import archived, sound
from tests.effects.walking import filed
from tests.history.purges import amend, envelopes, openable, raw
from tests.hr.calls import applied, post
from tests.hr.events import joined, left, rehired
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.shared import Added, add_person

DAY: Final = date(2026, 3, 1)
SHARED: Final = pytest.mark.asyncio(loop_scope="session")
LATER: Final = timedelta(days=732)
"""As long as the card of an employee is kept, and a little longer."""


@pytest.mark.parametrize(
    ("kind", "said", "last"),
    [
        ("employee", {}, DAY + timedelta(days=730)),
        ("temporary", {"contract_until": date(2020, 1, 1)}, DAY + timedelta(days=730)),
        ("student", {}, DAY + timedelta(days=365)),
        ("external", {"contract_until": date(2026, 6, 30)}, date(2027, 6, 30)),
        ("external", {}, DAY + timedelta(days=365)),
        ("applicant", {"retain_until": date(2026, 4, 2)}, date(2026, 4, 2)),
        ("applicant", {}, date(2026, 1, 1) + timedelta(days=180)),
        ("hotline", {}, None),
        ("nothing", {}, None),
    ],
)
def test_the_form_of_a_kind_says_how_long_it_is_kept(kind: str, said: dict[str, date], last: date | None) -> None:
    given: dict[str, date | None] = {"contract_until": None, "retain_until": None, **said}
    kept = Forms(load()).kept_until(kind, created=date(2026, 1, 1), left=DAY, **given)
    assert kept == last


@asynccontextmanager
async def years_on(world: World, after: timedelta = LATER) -> AsyncIterator[Eraser]:
    """Let what erases look at a calendar of then, and begin its walk anew."""
    eraser = world.application.departures.eraser
    clock, eraser._clock = eraser._clock, FrozenClock(datetime.now(UTC) + after)
    eraser._walked = date.min
    try:
        yield eraser
    finally:
        eraser._clock = clock


async def gone(world: World, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    """Add somebody who leaves, and whose card is in the archive."""
    someone = await add_person(world, **members)
    await amend(world, someone.id, title="顾问", mobile=f"135000{someone.number}")
    await applied(world, left(f"N{someone.number}"))
    await archived(world, someone)
    return someone


async def marks(world: World, identity: UUID) -> tuple[bool, int, int, int]:
    """Tell whether somebody is marked as erased, and how many keys, live keys of history and certificates they have."""
    stored = identity if world.application.database.dialect == "postgresql" else identity.bytes
    ((found,),) = await raw(world, "SELECT erased_at IS NOT NULL FROM contact WHERE id = :id", id=stored)
    counts = [
        (await raw(world, f"SELECT count(*) FROM {table} WHERE {column} = :id{more}", id=stored))[0][0]
        for table, column, more in (
            ("data_key", "subject_id", ""),
            ("history_key", "subject_id", " AND wrapped IS NOT NULL"),
            ("erasure", "contact_id", ""),
        )
    ]
    return (bool(found), *counts)


ERASED: Final = (True, 0, 0, 1)


async def test_nothing_of_who_was_erased_can_be_opened_and_everything_stays_sound(world: World) -> None:
    someone, colleague = await gone(world), await add_person(world)
    past = await envelopes(world, someone.id)
    stored = someone.id if world.application.database.dialect == "postgresql" else someone.id.bytes
    ((card, archive),) = await raw(world, "SELECT mobile, archive FROM contact WHERE id = :id", id=stored)
    boxes = [("mobile", bytes(card)), ("archive", bytes(archive)), *((field, box) for field, _, box in past)]
    assert [await openable(world, someone.id, field, box) for field, box in boxes] == [1] * len(boxes)
    async with years_on(world) as eraser:
        assert [each.contact_id async for each in eraser.due(eraser.today())] == [someone.id]
        assert await eraser.sweep() == 1
        assert await eraser.sweep() == 0
    assert await marks(world, someone.id) == ERASED
    assert [await openable(world, someone.id, field, box) for field, box in boxes] == [0] * len(boxes)
    ((row,),) = await raw(
        world, "SELECT count(*) FROM contact WHERE id = :id AND mobile IS NULL AND name IS NULL", id=stored
    )
    assert row == 1
    whole = repr(await everything(world))
    for value in (someone.name, f"N{someone.number}", f"测试{someone.number}", *someone.secrets):
        assert value not in whole, value
    assert (await (await world.as_("hr")).get(colleague.path)).status_code == 200
    await sound(world)


@pytest.mark.parametrize("who", ["hr", "steward", "infosec", "auditor", "head", "ceo"])
@SHARED
async def test_who_was_erased_is_to_everybody_as_somebody_who_never_was(shared: World, who: str) -> None:
    someone = await gone(shared)
    async with years_on(shared) as eraser:
        assert await eraser.erase(someone.id)
    client = await shared.as_(who)
    for path in ("", "/history", "/photo"):
        one, other = await client.get(f"{someone.path}{path}"), await client.get(f"/v1/contacts/{new_id()}{path}")
        assert (one.status_code, one.json().get("code")) == (other.status_code, other.json().get("code"))
        assert one.status_code in {403, 404}
    paths, version = (someone.path, f"/v1/contacts/{new_id()}"), {"If-Match": '"1"'}
    one, other = [await client.patch(path, json={"title": "x"}, headers=version) for path in paths]
    assert (one.status_code, one.json()["code"]) == (other.status_code, other.json()["code"])


@SHARED
async def test_the_log_keeps_what_was_done_by_id_and_says_what_was_destroyed(shared: World) -> None:
    someone = await gone(shared)
    async with years_on(shared) as eraser:
        assert await eraser.erase(someone.id)
    await shared.settle()
    client = await shared.as_("infosec")
    answer = await client.get("/v1/access-events", params={"contact": str(someone.id), "limit": 50})
    assert answer.status_code == 200, answer.text
    events = answer.json()["items"]
    (erased,) = [each for each in events if each["action"] == "contact.erase"]
    told = (await client.get(f"/v1/access-events/{erased['id']}")).json()["query"]
    assert {"erasure", "kept_until", "history_keys", "history_root", "files"} == told.keys()
    assert told["history_keys"] >= 1
    assert {"contact.create", "contact.leave", "contact.delete"} <= {each["action"] for each in events}
    assert f"测试{someone.number}" not in answer.text


@SHARED
async def test_the_day_before_nobody_is_erased_and_a_form_that_is_changed_moves_the_day(shared: World) -> None:
    someone = await gone(shared)
    async with years_on(shared, timedelta(days=730)) as eraser:
        assert not await eraser.erase(someone.id)
    longer = load().model_copy(
        update={
            "forms": tuple(
                each.model_copy(update={"retention": replace_days(each.retention, 3650)}) for each in load().forms
            )
        }
    )
    async with years_on(shared) as eraser:
        archive = eraser._over.archive
        forms, archive.forms = archive.forms, Forms(longer)
        assert not await eraser.erase(someone.id)
        archive.forms = forms
        assert await eraser.erase(someone.id)
        assert not await eraser.erase(someone.id)
    assert await marks(shared, someone.id) == ERASED


def replace_days(retention: Any, days: int) -> Any:  # noqa: ANN401 — of a form
    """Keep it longer."""
    return None if retention is None else retention.model_copy(update={"days": days})


@SHARED
async def test_who_was_taken_back_is_not_erased(shared: World) -> None:
    someone = await gone(shared)
    await applied(shared, rehired(f"N{someone.number}", name="归来"))
    async with years_on(shared) as eraser:
        assert not await eraser.erase(someone.id)
    assert (await marks(shared, someone.id))[:2] == (False, 1)


@SHARED
async def test_a_return_that_is_scheduled_holds_and_so_does_an_open_request(shared: World) -> None:
    coming, asked = await gone(shared), await gone(shared)
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    told = (await post(shared, rehired(f"N{coming.number}", name="归来", effective_at=later))).json()
    assert told["state"] == "scheduled", told
    stored = str(asked.id)
    walk = await filed(
        shared, "staff", "field.reveal", ("contact", shared.people["hr"]),
        {"fields": ["mobile"], "purpose": "work_contact", "reason": "紧急联系", "duration_minutes": 60},
    )  # fmt: skip
    await raw(
        shared, "UPDATE approval_request SET subject_id = :who WHERE id = :id", who=stored, id=_id(shared, walk.path)
    )
    async with years_on(shared) as eraser:
        held = {each.contact_id: each.held_by async for each in eraser.due(eraser.today())}
        assert held[coming.id] == ("personnel_event",)
        assert held[asked.id] == ("request",)
        assert not await eraser.erase(coming.id)
        assert not await eraser.erase(asked.id)
        await raw(shared, "UPDATE approval_request SET state = 'withdrawn' WHERE id = :id", id=_id(shared, walk.path))
        assert await eraser.erase(asked.id)


def _id(world: World, path: str) -> object:
    identity = UUID(path.rpartition("/")[2])
    return identity if world.application.database.dialect == "postgresql" else identity.bytes


@SHARED
async def test_who_is_called_archived_by_sql_loses_nothing(shared: World) -> None:
    someone, other = await add_person(shared), await gone(shared)
    mine, theirs = (
        each.id if shared.application.database.dialect == "postgresql" else each.id.bytes for each in (someone, other)
    )
    await raw(
        shared,
        "UPDATE contact SET status = 'archived', archive = (SELECT archive FROM contact o WHERE o.id = :theirs) WHERE id = :mine",
        mine=mine,
        theirs=theirs,
    )
    async with years_on(shared) as eraser:
        assert not await eraser.erase(someone.id)
    await raw(shared, "UPDATE contact SET status = 'active', archive = NULL WHERE id = :mine", mine=mine)
    assert (await marks(shared, someone.id))[1] == 1


@SHARED
async def test_whoever_comes_back_afterwards_is_somebody_new_under_the_same_number_and_name(shared: World) -> None:
    someone = await gone(shared)
    number = f"N{someone.number}"
    async with years_on(shared) as eraser:
        assert await eraser.erase(someone.id)
    told = (await post(shared, rehired(number, name="归来"))).json()
    assert (told["state"], told["problem"]["code"]) == ("waiting", "unknown_subject")
    assert await marks(shared, someone.id) == ERASED
    fresh = await applied(shared, joined(number, user_name=someone.name))
    assert fresh["contact_id"] != str(someone.id)
    card = (await (await shared.as_("hr")).get(f"/v1/contacts/{fresh['contact_id']}")).json()
    assert (card["employee_no"], card["user_name"]) == (number, someone.name)
    assert await marks(shared, someone.id) == ERASED


@SHARED
async def test_an_external_contact_goes_a_year_after_its_contract(shared: World) -> None:
    partner = await add_partner(shared)
    removed = await (await shared.as_("hr")).delete(partner.path, headers={"If-Match": "*"})
    assert removed.status_code == 204, removed.text
    async with years_on(shared, timedelta(days=3650)) as eraser:
        assert await eraser.erase(partner.id)
    assert await marks(shared, partner.id) == ERASED


@SHARED
async def test_an_applicant_whom_nobody_archived_is_named_and_not_erased(shared: World) -> None:
    foreign: dict[str, Any] = dict.fromkeys(("employee_no", "user_name", "mobile", "email", "office_phone", "wechat"))
    someone = await add_person(shared, kind="applicant", **foreign)
    employee = await add_person(shared)
    async with years_on(shared, timedelta(days=179)) as eraser:
        assert someone.id not in {each.contact_id for each in await eraser.unarchived(eraser.today())}
    async with years_on(shared, timedelta(days=183)) as eraser:
        named = {each.contact_id: each.kind for each in await eraser.unarchived(eraser.today())}
        assert (named.get(someone.id), employee.id in named) == ("applicant", False)
        assert someone.id not in {each.contact_id async for each in eraser.due(eraser.today())}
        hr = await shared.as_("hr")
        seen = await hr.get(someone.path)
        assert (await hr.delete(someone.path, headers={"If-Match": seen.headers["ETag"]})).status_code == 204
        assert someone.id not in {each.contact_id for each in await eraser.unarchived(eraser.today())}
        assert someone.id in {each.contact_id async for each in eraser.due(eraser.today())}


async def crashed_every(world: World, stride: int) -> None:
    """Crash before every so many-th statement of an erasure; find everything as it was; then let it pass."""
    someone = await gone(world)
    await world.settle()
    before, at = await everything(world), 1
    async with years_on(world) as eraser:
        while True:
            with crash_at(world, at) as run:
                try:
                    done = await eraser.erase(someone.id)
                except PulledPlug:
                    done = False
            if len(run) < at:
                break
            after = await everything(world)
            assert [table for table, rows in after.items() if rows != before[table]] == [], (at, run[-1])
            at += stride
    assert done
    assert len(run) > 20
    assert await marks(world, someone.id) == ERASED


async def test_a_crash_at_some_statements_leaves_all_or_nothing(world: World) -> None:
    await crashed_every(world, 7)


@pytest.mark.slow
async def test_a_crash_at_any_statement_leaves_all_or_nothing(world: World) -> None:
    await crashed_every(world, 1)


async def test_keys_that_a_backup_brings_back_are_destroyed_again(world: World) -> None:
    someone = await gone(world)
    stored = someone.id if world.application.database.dialect == "postgresql" else someone.id.bytes
    columns = "subject_id, handle, version, kek_version, wrapped, created_at"
    ((*key,),) = await raw(world, f"SELECT {columns} FROM data_key WHERE subject_id = :id", id=stored)
    async with years_on(world) as eraser:
        assert await eraser.sweep() == 1
        names = [f"v{at}" for at in range(len(key))]
        places = ", ".join(f":{name}" for name in names)
        await raw(world, f"INSERT INTO data_key ({columns}) VALUES ({places})", **dict(zip(names, key, strict=True)))
        assert (await marks(world, someone.id))[1] == 1
        eraser._walked = date.min
        assert await eraser.sweep() == 1
        eraser._walked = date.min
        assert await eraser.sweep() == 0
    assert await marks(world, someone.id) == ERASED
    await sound(world)


@SHARED
async def test_two_processes_erase_one_person_once(shared: World) -> None:
    someone = await gone(shared)
    async with years_on(shared) as eraser:
        done = await asyncio.gather(*(eraser.erase(someone.id) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert await marks(shared, someone.id) == ERASED
