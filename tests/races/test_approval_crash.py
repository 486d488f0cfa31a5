"""``kill -9`` while requests get their last word: each has its word, effect and grant, or none of them; done again, it is one grant."""

import asyncio
import random
from collections import Counter

import httpx
import pytest
from sqlalchemy import text

from app.composition import open_application
from tests.races.stored import identity, rows
from tests.support.application import with_sensitive
from tests.support.server import Company, Server, founded, serving
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

ASKING = ("staff", "colleague", "core")
ABOUT = ("outsider", "hr", "infosec", "auditor", "it")


class Requests:
    """Looks at people of other departments, asked for over HTTP."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.paths: list[str] = []
        self.taken: set[str] = set()

    def client(self, server: Server) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=server.url, timeout=15)

    def as_(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.company.tokens[name]}"}

    async def file(self, server: Server) -> None:
        """File them all, and bring each to its last word, which is steward's."""
        async with self.client(server) as client:
            for who in ASKING:
                for about in ABOUT:
                    form = {
                        "fields": ["mobile"],
                        "purpose": "work_contact",
                        "reason": "紧急联系",
                        "duration_minutes": 600,
                    }
                    subject = {"type": "contact", "id": self.company.people[about]}
                    body = {"kind": "field.reveal", "subject": subject, "form": form}
                    answer = await client.post("/v1/requests", json=body, headers=self.as_(who))
                    assert answer.status_code == 201, answer.text
                    self.paths.append(answer.headers["Location"])
            for path in self.paths:
                said = await client.post(f"{path}/decisions", json={"decision": "approve"}, headers=self.as_("head"))
                assert said.json()["state"] == "pending", said.text

    async def decide(self, path: str, client: httpx.AsyncClient) -> None:
        """Say the last word; note what was acknowledged."""
        try:
            said = await client.post(f"{path}/decisions", json={"decision": "approve"}, headers=self.as_("steward"))
        except httpx.TransportError:
            return
        if said.status_code == 200:
            assert said.json()["state"] == "active", said.text
            self.taken.add(path)

    async def decide_all(self, server: Server, killed_after: float | None) -> None:
        """Say the last word to everything at once; kill the server in the middle of it."""
        async with self.client(server) as client:
            tasks = [asyncio.create_task(self.decide(path, client)) for path in self.paths]
            if killed_after is not None:
                await asyncio.sleep(killed_after)
                server.kill()
            await asyncio.gather(*tasks)


def words(store: TestStore) -> set[str]:
    """List the requests that steward has said yes to."""
    found = rows(store, "SELECT request_id, step FROM approval_decision")
    return {identity(row[0]) for row in found if row[1] == "owner"}


def effects(store: TestStore) -> Counter[str]:
    return Counter(identity(row[0]) for row in rows(store, "SELECT request_id FROM approval_effect"))


def grants(store: TestStore) -> Counter[str]:
    return Counter(identity(row[0]) for row in rows(store, "SELECT request_id FROM access_grant"))


async def done_again(store: TestStore) -> None:
    """Do everything that was promised five times more."""
    async with open_application(with_sensitive(store.settings)) as application:
        for _ in range(5):
            async with application.database.unit_of_work() as unit:
                await unit.session.execute(text("UPDATE outbox SET done_at = NULL, attempts = 0"))
            while await application.outbox.drain():
                await application.notices.sweep()
            await application.approvals.clock.sweep()


def test_45_a_kill_leaves_a_word_with_its_effect_or_neither_and_work_done_again_gives_one_grant(
    store: TestStore,
) -> None:
    requests, chance = Requests(founded(store)), random.Random(45)
    with serving(store) as server:
        asyncio.run(requests.file(server))
        asyncio.run(requests.decide_all(server, chance.uniform(0.05, 0.15)))
    for _ in range(2):
        there = words(store)
        assert set(effects(store)) == there == set(grants(store)), (
            "a word without its effect, or an effect without its word"
        )
        assert {path.rpartition("/")[2] for path in requests.taken} <= there, "an answered word is not there"
        with serving(store) as server:
            asyncio.run(requests.decide_all(server, chance.uniform(0.05, 0.15)))
    with serving(store) as server:
        asyncio.run(requests.decide_all(server, None))
    asyncio.run(done_again(store))
    everything = {path.rpartition("/")[2] for path in requests.paths}
    for found in (effects(store), grants(store)):
        assert found == dict.fromkeys(everything, 1)
