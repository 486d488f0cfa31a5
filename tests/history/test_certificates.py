"""What was purged, as the steward, security and auditors are shown it, and that anybody who may read it can compute it anew."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
import pytest
import pytest_asyncio

from app.audit.merkle import leaf_hash, root_of
from app.crypto.history_purging import KeptKey
from app.doctor.findings import Level
from app.doctor.history import history as examined
from app.doctor.store import store_of
from app.history.errors import CertificateInvalid
from app.history.replaying import destroyed_again, lines
from app.history.repository import PurgeRepository
from app.history.rules import opened
from app.kit.db import Database
from tests.history.purges import CUT, purged, raw, with_a_past
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("closed")]

PURGES: Final = "/v1/history-purges"


@pytest_asyncio.fixture(loop_scope="session")
async def done(shared: World) -> tuple[Added, str]:
    """Give somebody whose spring and summer were purged, and the request's id."""
    someone = await with_a_past(shared)
    return someone, await purged(shared, someone)


async def got(world: World, who: str, path: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401 — JSON
    answer = await (await world.as_(who)).get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_certificate_says_what_went_by_whose_word_under_the_logs_signature(
    shared: World, done: tuple[Added, str]
) -> None:
    someone, request = done
    seen = [await got(shared, who, f"{PURGES}/{request}") for who in ("steward", "infosec", "auditor")]
    told_of = seen[-1]
    assert {each["note"] for each in seen} == {told_of["note"]}
    assert (told_of["id"], told_of["before"], told_of["intact"]) == (request, CUT, True)
    assert (told_of["subjects"], told_of["keys"], told_of["quarters"]) == (1, 2, ["2019-Q2", "2019-Q3"])
    assert told_of["scope"] == {"scope": "contacts", "contacts": [str(someone.id)]}
    assert told_of["filed_by"] == str(shared.people["steward"])
    assert told_of["decided_by"][-1] == str(shared.people["infosec"])
    assert datetime.fromisoformat(told_of["at"]).tzinfo == UTC
    statement = opened([shared.application.log_signer.verifier()], told_of["note"])
    assert statement is not None
    assert (statement["root"], statement["request"]) == (told_of["root"], request)
    for value in (*someone.secrets, "职务1", "past its time"):
        assert value not in str(told_of)


async def test_the_root_is_that_of_the_keys_page_by_page(shared: World, done: tuple[Added, str]) -> None:
    someone, request = done
    keys, query = list[KeptKey](), {"limit": "1"}
    while True:
        page = await got(shared, "auditor", f"{PURGES}/{request}/keys", **query)
        for each in page["items"]:
            year, which = each["quarter"].split("-Q")
            keys.append(KeptKey(bytes.fromhex(each["handle"]), UUID(each["contact"]), int(year + which)))
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert {each.subject for each in keys} == {someone.id}
    certificate = await got(shared, "auditor", f"{PURGES}/{request}")
    assert root_of([leaf_hash(each.leaf()) for each in keys]).hex() == certificate["root"]


async def test_purges_are_listed_newest_first_and_page_by_page(shared: World, done: tuple[Added, str]) -> None:
    _, older = done
    newer = await purged(shared, await with_a_past(shared))
    first = await got(shared, "steward", PURGES, limit="1")
    second = await got(shared, "steward", PURGES, limit="1", cursor=first["next"])
    assert [each["items"][0]["id"] for each in (first, second)] == [newer, older]
    answer = await (await shared.as_("auditor")).get(PURGES, params={"cursor": first["next"]})
    problem(answer, 422, "bad_cursor")


async def test_nobody_else_is_told_and_every_look_is_on_record(shared: World, done: tuple[Added, str]) -> None:
    _, request = done
    for path in (PURGES, f"{PURGES}/{request}", f"{PURGES}/{request}/keys", f"{PURGES}/{UUID(int=3)}"):
        for who in ("staff", "hr", "head", "ceo"):
            problem(await (await shared.as_(who)).get(path), 403, "not_permitted")
    problem(await (await shared.as_("auditor")).get(f"{PURGES}/{UUID(int=3)}"), 404, "not_found")
    look = await got(shared, "auditor", f"{PURGES}/{request}")
    await shared.settle()
    event = await got(shared, "infosec", f"/v1/access-events/{look['disclosure']['event_id']}")
    assert (event["action"], event["query"]) == ("history_purge.read", {"purge": request})
    written = await got(shared, "infosec", "/v1/access-events", action="history.purge", limit="1")
    event = await got(shared, "infosec", f"/v1/access-events/{written['items'][0]['id']}")
    assert event["query"]["request"] == request
    assert (event["query"]["keys"], event["query"]["root"]) == (2, look["root"])


class TestExported:
    async def test_it_holds_no_value_and_destroying_again_is_harmless(
        self, shared: World, done: tuple[Added, str]
    ) -> None:
        someone, request = done
        line = await exported(shared, request)
        assert not [each for each in (*someone.secrets, "职务1") if each.encode() in line]
        verifiers = [shared.application.log_signer.verifier()]
        async with shared.application.database.unit_of_work() as unit:
            replayed = await destroyed_again(unit.session, PurgeRepository(), verifiers, line)
        assert (str(replayed.id), replayed.keys, replayed.destroyed, replayed.unknown) == (request, 2, 0, 0)

    async def test_a_line_that_is_not_ours_changes_nothing(self, shared: World, done: tuple[Added, str]) -> None:
        someone, request = done
        given = orjson.loads(await exported(shared, request))
        verifiers = [shared.application.log_signer.verifier()]
        live = "SELECT handle, quarter FROM history_key WHERE wrapped IS NOT NULL ORDER BY handle"
        before = await raw(shared, live)
        more = [*given["keys"], [bytes(before[0][0]).hex(), str(someone.id), before[0][1]]]
        others: list[object] = [
            {**given, "keys": more},
            {**given, "keys": given["keys"][:1]},
            {**given, "keys": [["zz", "", 0]]},
            {**given, "note": given["note"].replace('"keys":2', '"keys":3')},
            {"note": given["note"]},
            [],
        ]
        for other in others:
            async with shared.application.database.unit_of_work() as unit:
                with pytest.raises(CertificateInvalid):
                    await destroyed_again(unit.session, PurgeRepository(), verifiers, orjson.dumps(other))
        assert await raw(shared, live) == before


async def exported(world: World, request: str) -> bytes:
    """Give the line that ``history export`` writes of a purge."""
    found = [each async for each in lines(world.application.database.reader, PurgeRepository())]
    (line,) = [each for each in found if request.encode() in each]
    return line


async def test_the_doctor_finds_every_purge_as_certified(shared: World, done: tuple[Added, str]) -> None:
    del done
    settings = shared.application.settings
    ((level, what),) = [(each.level, each.what.en) async for each in examined(settings, store_of(Database(settings)))]
    assert (level, what.partition(" ")[2]) == (Level.OK, "purges, each as certified")
