"""Exports over HTTP: everything that fits, page by page on record before it leaves, and cut where anybody can see it."""

import asyncio
import csv
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from itertools import islice
from typing import Any, Final

import httpx
import orjson
import pytest

from app.audit.errors import EpochMoved, LogUnavailable
from app.audit.events import EventDraft
from app.crypto.permit import Permit
from app.disclosure.log_export import AccessLogExports
from app.disclosure.log_queries import EventExport
from app.disclosure.log_views import EventLine
from app.permissions.errors import NotPermitted
from tests.api.log_calls import EVENTS, ask, every, export, log, made
from tests.audit.questions import some_events
from tests.support.application import World
from tests.support.company import PEOPLE, SECRETS
from tests.support.problems import faults, problem
from tests.support.shared import add_department, add_person

EXPORT = "access_event.export"


async def filled(world: World, count: int) -> list[EventDraft]:
    """Put drawn events on record under actions of this module's own."""
    drafts = [
        replace(each, id=made(world).id, action=f"exported.{each.action.replace('.', '_')}")
        for each in some_events(11, count)
    ]
    for each in drafts:
        await world.application.log.record(each)
    return drafts


def paged(world: World, events: int) -> None:
    """Let a page of an export hold so many events."""
    small = replace(world.application.log_exports, page_events=events)
    object.__setattr__(world.application, "log_exports", small)


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.text.endswith("\n") or not answer.text
    assert [secret for secret in SECRETS if secret in answer.text] == []
    return [json.loads(line) for line in answer.text.splitlines()]


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert [secret for secret in SECRETS if secret in answer.text] == []
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_an_export_holds_what_the_list_lists(world: World) -> None:
    drafts = await filled(world, 60)
    seen = next(each for draft in drafts for cohort in draft.cohorts for each in cohort.contacts)
    paged(world, 7)
    for asked in (
        {"action": "exported.*"},
        {"action": "exported.*", "sort": "at"},
        {"action": "exported.*", "field": "mobile", "state": "shown"},
        {"action": "exported.*", "from_": drafts[20].at.isoformat(), "decision": "allowed"},
        {"action": "exported.*", "contact": seen, "sort": "at"},
        {"action": "exported.nothing"},
    ):
        listed = await every(world, limit=200, **asked)
        found = lines(await export(world, format="ndjson", **asked))
        for line in found:
            EventLine.model_validate_json(orjson.dumps(line))
        assert [
            {k: v for k, v in line.items() if k not in {"query", "count", "export_event_id"}} for line in found
        ] == listed
        told = rows(await export(world, format="csv", **asked))
        assert [(row["id"], row["contact_id"]) for row in told] == [
            (item["id"], each) for item in listed for each in ([who["id"] for who in item["contacts"]] or [""])
        ]


async def test_each_page_is_a_look_before_it_leaves(world: World) -> None:
    await filled(world, 25)
    paged(world, 10)
    answer = await export(world, "siem", format="ndjson", action="exported.*", ip="0.0.0.0/0", sort="at")
    found = lines(answer)
    looks = await every(world, action=EXPORT, actor="siem", sort="at")
    auditor = await world.as_("auditor")
    whole = [(await auditor.get(f"{EVENTS}/{item['id']}")).json() for item in looks]
    by_page = [[line["id"] for line in found if line["export_event_id"] == item["id"]] for item in looks]
    assert (
        [each["count"] for each in whole]
        == [len(page) for page in by_page]
        == [10] * (len(found) // 10) + [len(found) % 10]
    )
    assert [each["query"] for each in whole] == [
        {"action": "exported.*", "ip": "0.0.0.0/0", "sort": "at", "format": "ndjson", "page": number}
        for number in range(1, len(whole) + 1)
    ]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="access-events.ndjson"'
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_export_ends_with_what_was_there_when_it_began(world: World) -> None:
    """Its own pages are events too; whoever exports everything, oldest first, would never come to an end."""
    paged(world, 3)
    before = [item["id"] for item in await every(world, limit=200, sort="at")]
    found = [line["id"] for line in lines(await export(world, format="ndjson", sort="at"))]
    assert found[: len(before)] == before
    more = [item["action"] for item in await every(world, limit=200, sort="at")][len(before) : len(found)]
    assert set(more) == {"access_event.list"}, "the pages of the question above"


async def test_an_empty_export_is_a_look_too(world: World) -> None:
    assert lines(await export(world, format="ndjson", action="nothing.at_all")) == []
    assert rows(await export(world, format="csv", action="nothing.at_all")) == []
    assert len(await every(world, action=EXPORT)) == 2


class TestOutage:
    @pytest.fixture
    def failing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EventDraft]]:
        """Let the log take two pages and no third."""
        paged(world, 5)
        true_permit, taken = world.application.log.permit, list[EventDraft]()

        async def permit(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — as the writer's
            if draft.action == EXPORT and len(taken) == 2:
                raise LogUnavailable
            granted = await true_permit(draft, **given)
            if draft.action == EXPORT:
                taken.append(draft)
            return granted

        monkeypatch.setattr(world.application.log, "permit", permit)
        yield taken
        monkeypatch.undo()

    async def test_lines_end_with_the_problem_and_hold_nothing_unlogged(
        self, world: World, failing: list[EventDraft]
    ) -> None:
        await filled(world, 20)
        *found, last = lines(await export(world, format="ndjson", action="exported.*"))
        assert {line["export_event_id"] for line in found} == {str(each.id) for each in failing}
        assert len(found) == sum(each.count or 0 for each in failing) == 10
        assert (last["code"], last["status"]) == ("access_log_unavailable", 503)

    async def test_a_table_is_broken_off(self, world: World, failing: list[EventDraft]) -> None:
        await filled(world, 20)
        transport = httpx.ASGITransport(app=world.app, raise_app_exceptions=True)
        headers = {"Authorization": f"Bearer {await world.token('infosec')}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://duanhao.test", headers=headers) as client:
            with pytest.raises(Exception, match="Internal error"):
                await client.post(f"{EVENTS}/exports", json={"format": "csv", "action": "exported.*"})
        assert len(failing) == 2

    async def test_without_a_log_it_does_not_begin(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        async def down(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — as the writer's
            del draft, given
            raise LogUnavailable

        monkeypatch.setattr(world.application.log, "permit", down)
        for name in ("ndjson", "csv"):
            problem(await export(world, format=name), 503, "access_log_unavailable")


class TestRights:
    async def begun(self, world: World) -> tuple[AccessLogExports, Any]:
        """Begin an export as infosec; give it after its first page."""
        await filled(world, 20)
        exports = replace(world.application.log_exports, page_events=5)
        asked = EventExport(format="ndjson", action="exported.*")
        return exports, await exports.export(await world.viewer("infosec"), asked)

    async def test_whoever_loses_the_role_gets_no_further_page(self, world: World) -> None:
        _, stream = await self.begun(world)
        async with world.application.database.unit_of_work() as unit:
            await world.application.accounts.set_standing(unit.session, "infosec", tier="T1", roles=())
        with pytest.raises(NotPermitted):
            await anext(stream.body_iterator)
        assert len(await every(world, "auditor", action=EXPORT)) == 1

    async def test_whoever_keeps_the_role_in_another_account_asks_again(self, world: World) -> None:
        _, stream = await self.begun(world)
        async with world.application.database.unit_of_work() as unit:
            await world.application.accounts.set_standing(unit.session, "infosec", tier="T4", roles=("infosec",))
        with pytest.raises(EpochMoved):
            await anext(stream.body_iterator)

    async def test_a_new_department_interrupts_nobody(self, world: World) -> None:
        _, stream = await self.begun(world)
        await add_department(world)
        assert (await anext(stream.body_iterator)).count(b"\n") == 5


async def test_a_formula_in_a_name_does_not_run(world: World) -> None:
    evil = await add_person(world, name="=HYPERLINK(1)")
    await log(world, evil.id, actor_type="operator", actor_id="@SUM(A1)", request_id="-1-request")
    (row,) = rows(await export(world, format="csv", contact=evil.id, action="test.made"))
    assert (row["contact_name"], row["actor_id"], row["request_id"]) == ("'=HYPERLINK(1)", "'@SUM(A1)", "'-1-request")
    (line,) = lines(await export(world, format="ndjson", contact=evil.id, action="test.made"))
    assert line["contacts"][0]["name"] == "=HYPERLINK(1)"


async def test_names_are_told_and_nothing_protected(world: World) -> None:
    for reader in ("staff", "hr", "infosec"):
        await (await world.as_(reader)).get("/v1/contacts", params={"limit": "200"})
    found = lines(await export(world, format="ndjson"))
    named = {each["name"] for line in found for each in line["contacts"]}
    assert {PEOPLE["staff"].full_name, PEOPLE["ceo"].full_name} <= named
    assert len(rows(await export(world, format="csv"))) > len(found)


MALFORMED: Final[tuple[tuple[dict[str, Any], str, str], ...]] = (
    ({}, "/format", "missing"),
    ({"format": "xml"}, "/format", "unknown_value"),
    ({"format": "csv", "contact": "staff"}, "/contact", "malformed_id"),
    ({"format": "csv", "from": "yesterday"}, "/from", "malformed_time"),
    ({"format": "csv", "from": 1700000000}, "/from", "malformed_time"),
    ({"format": "csv", "ip": "10.0.0.0/33"}, "/ip", "malformed_address"),
    ({"format": "csv", "ip": 7}, "/ip", "malformed_address"),
    ({"format": "csv", "field": "nothing"}, "/field", "unknown_value"),
    ({"format": "csv", "department": "NOWHERE"}, "/department", "unknown_department"),
    ({"format": "csv", "from": "2026-11-22T00:00:00Z", "to": "2026-11-21T00:00:00Z"}, "/to", "reversed_range"),
    ({"format": "csv", "limit": 5}, "/limit", "unknown_member"),
    ({"format": "csv", "cursor": "abcdefghij"}, "/cursor", "unknown_member"),
)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_malformed_request_is_refused_where_it_is_wrong(shared: World) -> None:
    infosec = await shared.as_("infosec")
    before = len(await every(shared, action=EXPORT))
    for body, pointer, code in MALFORMED:
        answer = await infosec.post(f"{EVENTS}/exports", json=body)
        problem(answer, 422, "invalid_request")
        assert (body, faults(answer)) == (body, [(pointer, code)])
    assert (await infosec.post(f"{EVENTS}/exports?format=csv", json={"format": "csv"})).status_code == 422
    assert len(await every(shared, action=EXPORT)) == before


@pytest.mark.slow
async def test_memory_is_flat_however_long_the_log_is(sqlite_world: World) -> None:
    """Ten times the events, the same memory; an event of these is about a kilobyte as it is written."""
    exports, viewer = sqlite_world.application.log_exports, await sqlite_world.viewer("infosec")
    moment, peaks = sqlite_world.application.clock.now(), list[int]()
    for count in (2_000, 20_000):
        have = (await ask(sqlite_world, limit=1))["items"][0]["index"]
        drafts = (
            made(sqlite_world, *sqlite_world.people.values(), at=moment - timedelta(seconds=number), purpose="audit")
            for number in range(count - have)
        )
        while some := list(islice(drafts, 1000)):
            await asyncio.gather(*(sqlite_world.application.log.record(draft) for draft in some))
        tracemalloc.start()
        stream = await exports.export(viewer, EventExport(format="ndjson"))
        size = len(stream._first)
        async for page in stream.body_iterator:
            size += len(page)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert size > count * 1000
    assert peaks[1] < 1.5 * peaks[0] + 1_000_000, peaks
