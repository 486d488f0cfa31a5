"""Lookups where something fails or runs beside: no log, no answer; one quota over two processes; service accounts and their ceilings."""

import asyncio

import httpx
import pytest

from app.auth.clients import NewClient
from app.composition import open_application
from app.config import LookupSettings
from app.main import create_app
from tests.lookups.asking import REASON, ask, lookups, without_log
from tests.support.application import World, opened_world, with_sensitive
from tests.support.company import PEOPLE
from tests.support.stores import PostgresTestStore, SqliteTestStore


async def test_without_a_log_nobody_is_told_anything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await ask(world, "staff", numbers=[PEOPLE["colleague"].mobile])).status_code == 200
    without_log(world, monkeypatch)
    for number in (PEOPLE["colleague"].mobile, "13899990000"):
        answer = await ask(world, "staff", numbers=[number])
        assert (answer.status_code, answer.json()["code"]) == (503, "access_log_unavailable")
        assert str(world.people["colleague"]) not in answer.text
    monkeypatch.undo()
    assert (await ask(world, "staff", numbers=[PEOPLE["colleague"].mobile])).status_code == 200
    assert len(await lookups(world)) == 2


async def test_two_processes_charge_one_quota(postgres_store: PostgresTestStore) -> None:
    settings = with_sensitive(postgres_store.settings)
    async with opened_world(settings) as world, open_application(settings) as second:
        other = httpx.ASGITransport(app=create_app(settings, second), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {await world.token('staff')}"}
        body = {"numbers": ["13899990000"], "purpose": "work_contact", "reason": REASON}
        async with httpx.AsyncClient(transport=other, base_url="http://other.test", headers=headers) as there:
            here = await world.as_("staff")
            answers = await asyncio.gather(*((here, there)[at % 2].post("/v1/lookups", json=body) for at in range(36)))
    assert sorted(each.status_code for each in answers) == [200] * 20 + [429] * 16


async def test_a_service_account_needs_its_scope_and_has_a_ceiling_of_its_own(sqlite_store: SqliteTestStore) -> None:
    limits = LookupSettings(service_terms_per_day=9, client_terms_per_day={"small": 2})
    settings = sqlite_store.settings.model_copy(update={"lookups": limits})
    async with opened_world(settings) as world:
        async with world.application.database.unit_of_work() as unit:
            for name in ("small", "large"):
                new = NewClient(name, name, scopes=("contacts:read", "contacts:lookup"))
                await world.application.clients.add(unit.session, new)
        assert (await ask(world, "directory-sync", employee_nos=["E2102"])).status_code == 403
        counts = {}
        for name in ("small", "large"):
            answers = [await ask(world, name, employee_nos=["E2102"]) for _ in range(10)]
            counts[name] = [each.status_code for each in answers].count(200)
            card = answers[0].json()["results"][0]["match"]
            assert card["id"] == str(world.people["colleague"])
        assert counts == {"small": 2, "large": 9}
        (first, *_) = [each for each in await lookups(world, "small") if each.decision == "allowed"]
        assert first.reason is not None
        assert (first.actor_type, first.client_id) == ("service", "small")


async def test_whoever_is_set_to_nothing_looks_up_nothing(sqlite_store: SqliteTestStore) -> None:
    settings = sqlite_store.settings.model_copy(update={"lookups": LookupSettings(terms_per_day=0)})
    async with opened_world(settings) as world:
        answer = await ask(world, "staff", employee_nos=["E2102"])
        assert (answer.status_code, answer.json()["code"]) == (429, "quota_spent")
