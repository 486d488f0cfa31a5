"""Reading the company by the page, by many tokens, by reveals, by exports: each ends at the day's quota, on record. Hard tests 29 to 32."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from app.audit.repository import EventFilter
from app.config import QuotasSettings
from app.contacts.vcards import NEXT
from app.permissions.outcomes import FieldClass
from app.permissions.pack import Relation, load
from tests.support.application import OPERATOR, World, opened_world
from tests.support.clock import FrozenClock
from tests.support.company import PEOPLE
from tests.support.problems import problem, quoted
from tests.support.server import founded, serving
from tests.support.stores import PostgresTestStore, TestStore

CONTACTS, REVEALS = 10, 4
REASON = {"purpose": "work_contact", "reason": "a reason that is long enough"}


@pytest_asyncio.fixture
async def frugal(store: TestStore) -> AsyncIterator[World]:
    """Give the company on either engine, where a day's quota is soon spent."""
    quotas = QuotasSettings(contacts=CONTACTS, reveals=REVEALS, alarms=(5, 9))
    async with opened_world(store.settings.model_copy(update={"quotas": quotas})) as world:
        yield world


@pytest_asyncio.fixture
async def usual(store: TestStore) -> AsyncIterator[World]:
    """Give the company on either engine with the quotas that the service comes with."""
    async with opened_world(store.settings.model_copy(update={"quotas": QuotasSettings()})) as world:
        yield world


def spent(answer: httpx.Response, kind: str) -> None:
    """Expect the refusal: when to come again, nothing of anybody."""
    problem(answer, 429, "quota_spent")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert answer.json()["quota"] == kind
    assert quoted(answer) == []


async def used(world: World, who: str) -> dict[str, int]:
    """Tell what a person has used today."""
    me = (await (await world.as_(who)).get("/v1/me")).json()
    return {each["kind"]: each["used"] for each in me["standing"]["quotas"]}


async def staffed(world: World, count: int) -> list[UUID]:
    """Add so many colleagues of ``staff`` at once."""
    tree = await world.application.standings.tree()
    async with world.application.database.unit_of_work() as unit:
        return [
            (
                await world.application.contact_writer.create(
                    unit,
                    OPERATOR,
                    tree,
                    "employee",
                    {"name": f"同事{at}", "department": "RD", "mobile": f"1380000{at:04d}"},
                )
            ).record.subject
            for at in range(count)
        ]


async def test_29_a_page_walk_of_the_whole_company_ends_at_the_quota_with_alarms(frugal: World) -> None:
    staff, cursor, seen = await frugal.as_("staff"), None, 0
    own, hotline = str(frugal.people["staff"]), str(frugal.people["hotline"])
    with capture_logs() as lines:
        while True:
            opened = frugal.application.opener.opened
            answer = await staff.get("/v1/contacts", params={"limit": "3", **({"cursor": cursor} if cursor else {})})
            if answer.status_code != 200:
                break
            seen += sum(
                each["id"] not in {own, hotline} and each["mobile"]["state"] != "withheld"
                for each in answer.json()["items"]
            )
            cursor = answer.json()["next"]
            assert cursor is not None, "the company is larger than the quota"
    spent(answer, "contacts")
    assert frugal.application.opener.opened == opened, "nothing was opened for the refusal"
    assert CONTACTS - 3 < seen <= CONTACTS
    assert (await used(frugal, "staff"))["contacts"] == seen
    told = [(line["event"], line.get("threshold")) for line in lines if line["event"].startswith("quota")]
    assert told == [("quota_alarm", 5), ("quota_alarm", 9), ("quota_spent", None)]
    found = await frugal.application.events.search(EventFilter(actor_id=own, decision="refused"), limit=5)
    assert [each.event.code for each in found.events] == ["quota_spent"]


async def test_29_what_costs_nothing_is_still_answered_and_others_are_not_charged(frugal: World) -> None:
    staff = await frugal.as_("staff")
    for _ in range(CONTACTS):
        assert (await staff.get(f"/v1/contacts/{frugal.people['head']}")).status_code == 200
    spent(await staff.get(f"/v1/contacts/{frugal.people['head']}"), "contacts")
    spent(await staff.get(f"/v1/contacts/{frugal.people['head']}", headers={"If-None-Match": "*"}), "contacts")
    spent(await staff.get(f"/v1/contacts/{frugal.people['head']}/history"), "contacts")
    for free in (
        f"/v1/contacts/{frugal.people['staff']}",
        f"/v1/contacts/{frugal.people['hotline']}",
        "/v1/me",
        "/v1/me/viewed-by",
        "/v1/suggestions?q=欧阳",
        "/v1/departments",
    ):
        assert (await staff.get(free)).status_code == 200, free
    problem(await staff.get(f"/v1/contacts/{UUID(int=1)}"), 404, "not_found")
    assert (await (await frugal.as_("colleague")).get(f"/v1/contacts/{frugal.people['head']}")).status_code == 200


async def test_29_who_is_shown_nothing_of_c3_pays_nothing(frugal: World) -> None:
    client = await frugal.as_("directory-sync")
    for _ in range(CONTACTS + 2):
        answer = await client.get(f"/v1/contacts/{frugal.people['head']}")
        assert (answer.status_code, answer.json()["mobile"]["state"]) == (200, "withheld")


async def test_29_the_quota_is_whole_again_at_the_companys_midnight(
    frugal: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, path = await frugal.as_("staff"), f"/v1/contacts/{frugal.people['head']}"
    for _ in range(CONTACTS):
        await staff.get(path)
    answer = await staff.get(path)
    spent(answer, "contacts")
    tomorrow = datetime.now(UTC) + timedelta(seconds=int(answer.headers["Retry-After"]))
    monkeypatch.setattr(frugal.application.gate._quotas, "_clock", FrozenClock(tomorrow))
    assert (await staff.get(path)).status_code == 200
    assert (await used(frugal, "staff"))["contacts"] == 1


async def test_30_parallel_tokens_of_one_person_share_one_quota(frugal: World) -> None:
    path = f"/v1/contacts/{frugal.people['head']}"
    transport = httpx.ASGITransport(app=frugal.app, raise_app_exceptions=False)
    tokens = [await frugal.token("staff") for _ in range(4)]
    assert len(set(tokens)) == len(tokens)

    async def look(token: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://duanhao.test") as client:
            return (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code

    answers = await asyncio.gather(*(look(token) for token in tokens for _ in range(CONTACTS)))
    assert (answers.count(200), answers.count(429)) == (CONTACTS, 3 * CONTACTS)
    assert (await used(frugal, "staff"))["contacts"] == CONTACTS


@pytest.mark.slow
def test_30_two_processes_share_one_quota(postgres_store: PostgresTestStore) -> None:
    company = founded(postgres_store)
    headers = {"Authorization": f"Bearer {company.tokens['staff']}"}

    async def load(urls: list[str]) -> list[int]:
        async def against(url: str) -> list[int]:
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as client:
                asked = [client.get(f"/v1/contacts/{company.people['head']}") for _ in range(40)]
                return [answer.status_code for answer in await asyncio.gather(*asked)]

        return [status for statuses in await asyncio.gather(*map(against, urls)) for status in statuses]

    with (
        serving(postgres_store, DUANHAO_QUOTAS__CONTACTS="25") as one,
        serving(postgres_store, DUANHAO_QUOTAS__CONTACTS="25") as other,
    ):
        statuses = asyncio.run(load([one.url, other.url]))
    assert (statuses.count(200), statuses.count(429)) == (25, 55)


@pytest.mark.slow
async def test_31_a_reveal_loop_over_500_contacts_ends_at_fifty(usual: World) -> None:
    staff, people = await usual.as_("staff"), await staffed(usual, 500)
    statuses, opened = [], usual.application.opener.opened
    for at, person in enumerate(people):
        answer = await staff.post(f"/v1/contacts/{person}/reveals", json={"fields": ["mobile"], **REASON})
        statuses.append(answer.status_code)
        if answer.status_code != 200:
            spent(answer, "reveals")
            assert answer.json()["limit"] == 50
            assert f"1380000{at:04d}" not in answer.text
    assert statuses == [200] * 50 + [429] * 450
    assert usual.application.opener.opened == opened + 50
    found = await usual.application.events.search(
        EventFilter(actor_id=str(usual.people["staff"]), decision="refused"), limit=200
    )
    assert {each.event.code for each in found.events} == {"quota_spent"}
    assert await used(usual, "staff") == {"contacts": 0, "reveals": 50}


async def test_31_ones_own_reveals_are_free(frugal: World) -> None:
    staff, own = await frugal.as_("staff"), frugal.people["staff"]
    for _ in range(REVEALS + 1):
        answer = await staff.post(f"/v1/contacts/{own}/reveals", json={"fields": ["mobile"], **REASON})
        assert answer.json()["fields"]["mobile"]["value"] == PEOPLE["staff"].mobile
    assert (await used(frugal, "staff"))["reveals"] == 0


async def test_32_an_export_holds_nothing_that_the_cap_counts_and_what_the_cap_counts_is_in_no_export(
    frugal: World,
) -> None:
    """Work contacts (C1, C2) leave as vCards by the page, and cost nothing; C3 costs, and leaves as no file, spent quota or not."""
    people = await staffed(frugal, CONTACTS + 5)
    client, cursor, left = await frugal.as_("hr"), "", 0
    while True:
        further = {"cursor": cursor} if cursor else {}
        answer = await client.get("/v1/vcards", params={"department": "RD", "limit": "6", **further})
        assert answer.status_code == 200, answer.text
        left += answer.text.count("BEGIN:VCARD")
        assert "1380000" not in answer.text
        if NEXT not in answer.headers:
            break
        cursor = answer.headers[NEXT]
    assert left > len(people) > CONTACTS
    assert (await used(frugal, "hr"))["contacts"] == 0
    for each in people[:CONTACTS]:
        assert (await client.get(f"/v1/contacts/{each}")).status_code == 200
    spent(await client.get(f"/v1/contacts/{people[-1]}"), "contacts")
    assert "1380000" not in (await client.get(f"/v1/contacts/{people[0]}/card.vcf")).text


@pytest.mark.parametrize("profile", ["default", "strict"])
def test_32_no_shipped_rule_exports_what_reaches_somebody_else(profile: str) -> None:
    own, others = set[FieldClass](), set[FieldClass]()
    for rule in load(profile).rules:
        (own if rule.contact.relation is Relation.SELF else others).update(rule.exports)
    assert others == {FieldClass.C1, FieldClass.C2}
    assert own > others


def test_32_alarms_come_at_half_of_what_the_criminal_law_counts() -> None:
    assert QuotasSettings().alarms == (250, 2_500)
