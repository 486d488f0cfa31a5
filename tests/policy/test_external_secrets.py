"""Sealed names: nowhere in clear, and not to be had by whoever edits rows past the service."""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import asyncpg
import pytest
import structlog
from structlog.testing import capture_logs

from app.kit import logging as structured
from tests.contacts.partners import Partner, add_partner, members, next_number
from tests.policy.tampering import Intruder
from tests.policy.test_leaks import dump, found_in, undeclared
from tests.support.application import World, opened_world
from tests.support.problems import problem
from tests.support.shared import Added, Company, add_person
from tests.support.stores import TestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALERTS: Final = {"seal_broken", "row_mac_mismatch", "row_not_disclosed"}


@pytest.fixture
def intruder(company: Company) -> Intruder:
    """Give somebody with the database in hand."""
    return Intruder(company.store)


async def nothing_is_told(world: World, someone: Partner | Added, *secrets: str) -> None:
    """Fail unless nobody gets anything of a contact by any way, and security is told."""
    for who in ("hr", "outsider", "infosec", "staff"):
        client = await world.as_(who)
        with capture_logs() as logged:
            wish = {"fields": ["name"], "purpose": "work_contact", "reason": "no reason that would help"}
            answers = [
                await client.get(someone.path),
                await client.get(f"{someone.path}/history"),
                await client.post(f"{someone.path}/reveals", json=wish),
            ]
            listed = await client.get("/v1/contacts", params={"ids": str(someone.id)})
        for answer in answers:
            problem(answer, 404, "not_found")
        assert listed.json()["items"] == []
        assert ALERTS & {line["event"] for line in logged}
        for answer in (*answers, listed):
            assert [secret for secret in secrets if secret in answer.text] == []
    hr = await world.as_("hr")
    problem(await hr.patch(someone.path, json={"title": "x"}, headers={"If-Match": "*"}), 404, "not_found")


async def test_a_name_moved_to_another_partner_stays_shut(shared: World, intruder: Intruder) -> None:
    victim, own = await add_partner(shared, department="RD"), await add_partner(shared)
    stolen = await intruder.column("contact", "id", victim.id, "sealed_name")
    for columns in ({"sealed_name": stolen}, {"sealed_alias": stolen}, {"sealed_name": None}):
        async with intruder.edited("contact", "id", own.id, **columns):
            await nothing_is_told(shared, own, victim.name, own.name)


async def test_names_swapped_between_their_columns_stay_shut(shared: World, intruder: Intruder) -> None:
    own = await add_partner(shared)
    name = await intruder.column("contact", "id", own.id, "sealed_name")
    alias = await intruder.column("contact", "id", own.id, "sealed_alias")
    async with intruder.edited("contact", "id", own.id, sealed_name=alias, sealed_alias=name):
        await nothing_is_told(shared, own, own.name)


async def test_a_name_added_taken_or_moved_below_other_columns_stays_shut(shared: World, intruder: Intruder) -> None:
    """Rows without any sealed name are covered without their places: to put one there shows all the same."""
    bare = await add_partner(shared, name_en=None, alias=None)
    box = await intruder.column("contact", "id", bare.id, "sealed_name")
    for columns in (
        {"sealed_name": None},
        {"sealed_name": None, "sealed_name_en": box},
        {"sealed_alias": box},
        {"sealed_name": None, "private_notes": box},
        {"delivery_address": box},
    ):
        async with intruder.edited("contact", "id", bare.id, **columns):
            await nothing_is_told(shared, bare, bare.name)


async def test_a_partners_name_in_an_employees_row_is_not_shown(shared: World, intruder: Intruder) -> None:
    victim, someone = await add_partner(shared, department="RD"), await add_person(shared, department="SALES")
    stolen = await intruder.column("contact", "id", victim.id, "sealed_name")
    for name in ("office_phone", "email", "mobile"):
        async with intruder.edited("contact", "id", someone.id, **{name: stolen}):
            await nothing_is_told(shared, someone, victim.name)


async def test_a_partner_made_an_employee_by_hand_shows_no_name(shared: World, intruder: Intruder) -> None:
    """The database refuses the plain edit; somebody who takes the constraint away as well gets nothing for it."""
    partner = await add_partner(shared, department="RD")
    with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError)):
        await intruder.run("UPDATE contact SET kind = 'employee' WHERE id = ?", partner.id)
    with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError)):
        await intruder.run("UPDATE contact SET name = 'x' WHERE id = ?", partner.id)
    async with intruder.unconstrained("contact"):
        for columns in ({"kind": "employee"}, {"kind": "employee", "worker_kind": "regular"}, {"kind": "hotline"}):
            async with intruder.edited("contact", "id", partner.id, **columns):
                await nothing_is_told(shared, partner, *partner.secrets)


async def test_an_owner_changed_by_hand_gives_the_thief_nothing(shared: World, intruder: Intruder) -> None:
    partner = await add_partner(shared, department="RD")
    async with intruder.edited("contact", "id", partner.id, department_id=shared.departments["SALES"]):
        await nothing_is_told(shared, partner, *partner.secrets)


async def test_a_plain_name_written_beside_the_sealed_one_is_on_no_card(shared: World, intruder: Intruder) -> None:
    partner = await add_partner(shared)
    async with intruder.unconstrained("contact"), intruder.edited("contact", "id", partner.id, name="Mallory"):
        answer = await (await shared.as_("outsider")).get(partner.path)
        assert answer.json()["name"] == {"state": "shown", "value": partner.name}
        assert "Mallory" not in answer.text


@pytest.fixture
def log_lines(capfd: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Print logs as the service does, at the most talkative."""
    structured.configure("debug")
    yield capfd
    structlog.reset_defaults()


async def test_a_partners_life_leaves_nothing_in_clear(store: TestStore, log_lines: pytest.CaptureFixture[str]) -> None:
    numbers = [next_number() for _ in range(3)]
    secrets: list[str] = []
    async with opened_world(store.settings) as world:
        hr = await world.as_("hr")
        for number in numbers:
            secrets += Partner(world.people["hr"], number).secrets
            body: dict[str, Any] = {"kind": "external", **members(number)}
            wrong = [
                {**body, "mobile": body["business_phone"]},
                {**body, "organisation": ""},
                {**body, "department": "X"},
            ]
            path = ""
            for each in (*wrong, body, body):
                answer = await hr.post("/v1/contacts", json=each, headers={"Idempotency-Key": f"k{number}"})
                assert found_in(answer.content, secrets) == []
                path = f"/v1/contacts/{answer.json().get('id')}"
            for who in ("outsider", "staff", "infosec", "hr", "directory-sync"):
                client = await world.as_(who)
                for query in (path, f"{path}/history", f"/v1/contacts?q={body['name']}", "/v1/contacts?sort=-name"):
                    answer = await client.get(query)
                    rest = answer.text
                    for value in sorted(_shown(answer.json()), key=len, reverse=True):
                        rest = rest.replace(value, "")
                    assert found_in(rest.encode(), secrets) == [], query
                    assert undeclared(answer) == []
            seen = await hr.get(path)
            changed = await hr.patch(path, json={"alias": body["name"]}, headers={"If-Match": seen.headers["ETag"]})
            assert changed.status_code == 200
            assert found_in(changed.content, secrets) == []
            if number == numbers[-1]:
                assert (await hr.delete(path, headers={"If-Match": "*"})).status_code == 204
        await world.settle()
        await world.application.outbox.drain()
        for form in ("ndjson", "csv"):
            export = await (await world.as_("siem")).post("/v1/access-events/exports", json={"format": form})
            assert found_in(export.content, secrets) == []
        held = await dump(store)
    assert len(secrets) == 18
    for name, content in held.items():
        assert found_in(content, secrets) == [], name
    printed = log_lines.readouterr()
    assert '"event":"request"' in printed.err
    assert found_in((printed.out + printed.err).encode(), secrets) == []


def _shown(value: object) -> set[str]:
    match value:
        case {"value": str(text), "state": "shown" | "told"}:
            return {text}
        case dict():
            return set().union(*(_shown(each) for each in value.values()))
        case list():
            return set().union(*(_shown(each) for each in value))
        case _:
            return set()
