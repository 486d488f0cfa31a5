"""``kill -9`` under load: nothing that was acknowledged is lost, nothing that was shown is unlogged."""

import asyncio
import subprocess
import sys

import httpx
import pytest

from tests.races.stored import event_ids, identity, indexes, rows
from tests.support.server import Company, Server, environment, founded, serving, until
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

READERS = ("staff", "outsider", "head", "hr")


class Load:
    """Readers and writers that note what the server acknowledged."""

    def __init__(self, server: Server, company: Company) -> None:
        self.server, self.company = server, company
        self.looks: list[str] = []
        self.made: list[str] = []
        self.amended: dict[str, str] = {}

    def as_(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.company.tokens[name]}"}

    async def read(self, client: httpx.AsyncClient, name: str, at: int) -> None:
        targets = list(self.company.people.values())
        while True:
            at += 1
            path = "/v1/contacts?limit=5" if at % 4 == 0 else f"/v1/contacts/{targets[at % len(targets)]}"
            try:
                answer = await client.get(path, headers=self.as_(name))
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                self.looks.append(answer.json()["disclosure"]["event_id"])

    async def write(self, client: httpx.AsyncClient, number: int) -> None:
        for at in range(100_000):
            mark = number * 100_000 + at
            new = {
                "name": f"新人{mark}",
                "department": "RD",
                "employee_no": f"N{mark}",
                "mobile": f"1370000{mark % 10_000:04d}",
            }
            try:
                once = {**self.as_("hr"), "Idempotency-Key": f"k{mark}"}
                answer = await client.post("/v1/contacts", json=new, headers=once)
                if answer.status_code == 201:
                    receipt = answer.json()
                    self.made.append(receipt["id"])
                    seen = {**self.as_("hr"), "If-Match": receipt["version"]}
                    changed = await client.patch(
                        f"/v1/contacts/{receipt['id']}", json={"title": f"T{mark}"}, headers=seen
                    )
                    if changed.status_code == 200:
                        self.amended[receipt["id"]] = f"T{mark}"
            except httpx.TransportError:
                return

    async def run(self, seconds: float) -> None:
        """Load the server, kill it in full flight, and let everybody notice."""
        limits = httpx.Limits(max_connections=32, max_keepalive_connections=32)
        async with httpx.AsyncClient(base_url=self.server.url, timeout=15, limits=limits) as client:
            tasks = [asyncio.create_task(self.read(client, name, 7 * at)) for at, name in enumerate(READERS * 4)]
            tasks += [asyncio.create_task(self.write(client, number)) for number in range(4)]
            await asyncio.sleep(seconds)
            self.server.kill()
            await asyncio.gather(*tasks)


def intents(store: TestStore) -> int:
    return int(rows(store, "SELECT count(*) FROM audit_intent")[0][0])


def test_after_a_kill_every_answer_has_its_event_and_every_write_its_row_history_and_event(store: TestStore) -> None:
    company = founded(store)
    made: list[str] = []
    amended: dict[str, str] = {}
    looks: list[str] = []
    for _ in range(2):
        with serving(store) as server:
            load = Load(server, company)
            asyncio.run(load.run(2.5))
        looks += load.looks
        made += load.made
        amended |= load.amended
    assert len(looks) > 100
    assert len(made) > 10
    assert set(looks) <= set(event_ids(store)), "an answered read has no event"

    with serving(store, DUANHAO_LOG_LEVEL="warning") as server:
        if store.dialect == "postgresql":
            process = subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], env=environment(store))
            try:
                until(lambda: intents(store) == 0, 30, "moving every intent")
            finally:
                process.terminate()
                process.wait(20)
        else:
            until(lambda: intents(store) == 0, 30, "moving every intent")
        token = company.tokens["hr"]
        answer = httpx.get(f"{server.url}/v1/contacts/{made[-1]}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200

    titles = {identity(row[0]): row[1] for row in rows(store, "SELECT id, title FROM contact")}
    history = {(identity(row[0]), row[1]) for row in rows(store, "SELECT contact_id, field FROM contact_change")}
    spread = 'SELECT s.contact_id, e.action FROM log.subject_entry s JOIN log.event e ON e."index" = s."index"'
    packed = 'SELECT p.contacts, e.action FROM log.subject_page p JOIN log.event e ON e."index" = p."index"'
    written = {(identity(row[0]), row[1]) for row in rows(store, spread, log=True)}
    for contacts, action in rows(store, packed, log=True):
        written |= {(identity(contacts[at : at + 16]), action) for at in range(0, len(contacts), 16)}
    for contact in made:
        assert contact in titles, "an answered write has no row"
        assert (contact, "name") in history, "an answered write has no history"
        assert (contact, "contact.create") in written, "an answered write has no event"
    for contact, title in amended.items():
        assert titles[contact] == title
        assert (contact, "title") in history
        assert (contact, "contact.update") in written
    assert indexes(store) == list(range(len(indexes(store)))), "the log has a gap"
    verified = subprocess.run(
        [sys.executable, "-m", "app.cli", "audit", "verify"], env=environment(store), capture_output=True, check=False
    )
    assert verified.returncode == 0, verified.stdout.decode() + verified.stderr.decode()
