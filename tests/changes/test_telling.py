"""Programs are told of a run of versions at once; what is kept no longer is refused; and polling costs next to nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from app.changes.telling import CHANGED, changed
from app.kit.db import Prepared, Row
from app.kit.models import new_id
from app.notices.models import NoticeRow
from app.notices.notice import NoticeMalformed, payload, written
from app.notices.webhook import Webhook
from app.worker import Worker
from tests.support.application import OPERATOR, World
from tests.support.clock import NOON
from tests.support.problems import problem
from tests.support.shared import add_person

LATER: Final = 123_456_789_012


@asynccontextmanager
async def subscribed(world: World) -> AsyncIterator[None]:
    """Subscribe a program to the directory."""
    rows, now, identity = world.application.notices._webhooks, datetime.now(UTC), new_id()
    webhook = Webhook(
        id=identity,
        kind="standard",
        label="门户",
        address=rows.boxed(identity, "address", "https://portal.example.com/hook"),
        secret=rows.boxed(identity, "secret", "whsec_none"),
        former_secret=None,
        former_until=None,
        types=("directory.*",),
        roles=(),
        state="paused",
        cause=None,
        owner=None,
        row_version=1,
        created_at=now,
    )
    async with world.application.database.unit_of_work() as unit:
        await rows.add(unit.session, webhook, at=now)
    world.application.notices.service._heard.clear()
    yield


async def notices(world: World) -> list[Mapping[str, Any]]:
    async with world.application.database.session() as session:
        found = await session.scalars(select(NoticeRow).where(NoticeRow.type == CHANGED).order_by(NoticeRow.id))
        return [{"resource": each.resource, "version": each.version, **each.body} for each in found]


def test_a_notice_names_versions_however_large_and_nothing_else() -> None:
    notice = written(changed(LATER, after=LATER - 7, at=NOON))
    sent = payload(notice, "https://directory.example.com")
    assert sent["data"] == {
        "directory": {"id": "company", "version": LATER},
        "directory_version": LATER,
        "after": LATER - 7,
        "links": {"changes": "https://directory.example.com/v1/changes"},
    }
    assert (notice.resource, notice.version, notice.path) == ("directory:company", LATER, None)
    elsewhere = changed(1, after=0, at=NOON)
    object.__setattr__(elsewhere, "body", {"elsewhere": {"directory_version": 13_800_001_234}})
    with pytest.raises(NoticeMalformed):
        written(elsewhere)


async def test_a_run_is_told_once_and_only_where_somebody_subscribes(world: World) -> None:
    changes = world.application.changes
    await add_person(world)
    assert not await changes.sweep()
    assert await notices(world) == []
    async with subscribed(world):
        before = (await changes.sequencer.place()).version
        for _ in range(3):
            await add_person(world)
        assert not await changes.sweep(), "notices stand a second apart"
        changes.sweep.__self__._told_at = 0.0  # type: ignore[attr-defined]
        assert await Worker(world.application).round()
        expected = {"directory": {"id": "company", "version": before + 3}, "directory_version": before + 3}
        (found,) = await notices(world)
        assert {name: found[name] for name in expected} == expected
        assert (found["after"], found["resource"], found["version"]) == (before, "directory:company", before + 3)
        changes.sweep.__self__._told_at = 0.0  # type: ignore[attr-defined]
        assert not await changes.sweep()
        assert len(await notices(world)) == 1


async def test_what_is_kept_no_longer_is_refused_and_the_directory_is_to_be_read_again(world: World) -> None:
    application, client = world.application, await world.as_("staff")
    await add_person(world)
    here = (await client.get("/v1/changes")).json()["latest"]
    assert here > 1
    assert await application.changes.forget() == 0
    traces = application.changes._traces
    assert await traces.forget(application.database, before=datetime.now(UTC) + timedelta(days=1)) > 0
    refused = problem(await client.get("/v1/changes", params={"since": here - 1}), 410, "feed_truncated")
    assert "latest" not in refused
    zh = await client.get("/v1/changes", params={"since": 0}, headers={"Accept-Language": "zh"})
    assert "请重新读取" in zh.json()["title"]
    again = (await client.get("/v1/changes")).json()["latest"]
    assert again == (await application.changes.sequencer.place()).floor
    person = await add_person(world)
    page = (await client.get("/v1/changes", params={"since": again})).json()
    assert [each["id"] for found in page["items"] for each in found["items"]] == [str(person.id)]


async def test_polling_where_nothing_changed_is_one_statement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    application, client = world.application, await world.as_("staff")
    asked: list[str] = []
    reader = application.database.reader
    for name in ("fetch_raw", "fetch_points"):
        monkeypatch.setattr(reader, name, counted(getattr(reader, name), asked))
    await add_person(world)
    first = await client.get("/v1/changes")
    here, headers = {"since": first.json()["latest"]}, {"If-None-Match": ""}
    for _ in range(2):
        answer = await client.get("/v1/changes", params=here, headers=headers)
        headers = {"If-None-Match": answer.headers["etag"]}
    asked.clear()
    assert (await client.get("/v1/changes", params=here, headers=headers)).status_code == 304
    assert len(about_changes(asked)) == 1
    hidden = await add_person(world)
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(hidden.id, tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    here = {"since": (await client.get("/v1/changes")).json()["latest"]}
    headers = {"If-None-Match": (await client.get("/v1/changes", params=here)).headers["etag"]}
    for at in range(6):
        await renamed(world, hidden.id, f"无人知晓{at}")
    await application.changes.sequencer.place()
    asked.clear()
    assert (await client.get("/v1/changes", params=here, headers=headers)).status_code == 304
    assert len(about_changes(asked)) <= 4


async def renamed(world: World, identity: UUID, title: str) -> None:
    application = world.application
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(identity, tree)
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.amend(unit, OPERATOR, tree, record, {"title": title})


def counted(fetch: Any, asked: list[str]) -> Any:  # noqa: ANN401 — a method of the reader
    async def counting(prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        asked.append(prepared.sql)
        found: list[Row] = await fetch(prepared, values)
        return found

    return counting


def about_changes(asked: list[str]) -> list[str]:
    """Leave out who the caller is, which is asked of everybody; on PostgreSQL one way of asking goes by the other."""
    return list(
        dict.fromkeys(each for each in asked if "directory_" in each or ("FROM contact" in each and " IN (" in each))
    )
