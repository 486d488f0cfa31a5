"""``duanhao users``: tier, roles and marks, each change on record with who sat at the machine, and none that is not a word of the list."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from app.application import Application
from app.approvals.delegation_rules import Delegated, Reason
from app.audit.authors import Author
from app.audit.repository import EventFilter
from app.auth.repository import Account
from app.cli.root import app
from app.cli.session import login
from app.composition import open_application
from app.kit.errors import Problem
from app.kit.models import new_id
from tests.support.server import environment, founded
from tests.support.stores import TestStore

Command = Callable[..., Result]
T = TypeVar("T")
ROLES_THAT_ARE_NONE = (
    "HR",
    "\u04bbr",
    "\uff48\uff52",
    "hr\u200b",
    "\u04bb\u0433",
    "hr;auditor",
    "root",
    "dept-head",
    "hr\u0000",
)


@pytest.fixture
def users(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run ``duanhao users`` on a store with the small company in it."""
    founded(store)
    for name, value in environment(store).items():
        if name.startswith("DUANHAO_"):
            monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(app, ["users", *words])


def afterwards(store: TestStore, work: Callable[[Application], Awaitable[T]]) -> T:
    """Open the store once more and look."""

    async def opened() -> T:
        async with open_application(store.settings) as application:
            return await work(application)

    return asyncio.run(opened())


def account(store: TestStore, name: str = "staff") -> Account:
    async def work(application: Application) -> Account:
        found = await application.accounts.by_user_name(application.database.reader, name)
        assert found is not None
        return found

    return afterwards(store, work)


def marks(store: TestStore) -> list[tuple[str, str, bool]]:
    async def work(application: Application) -> list[tuple[str, str, bool]]:
        found = await application.accounts.by_user_name(application.database.reader, "staff")
        assert found is not None
        now = application.clock.now()
        live = await application.marks.of(application.database.reader, found.id, now)
        return [(mark.kind.value, mark.reason.value, mark.ends_at is not None) for mark in live]

    return afterwards(store, work)


def events(store: TestStore, action: str) -> list[tuple[str, str | None, dict[str, Any]]]:
    async def work(application: Application) -> list[tuple[str, str | None, dict[str, Any]]]:
        found = await application.events.search(EventFilter(action=action), limit=9)
        return [(each.event.actor_type, each.event.actor_id, dict(each.event.query or {})) for each in found.events]

    return afterwards(store, work)


def refused(result: Result, code: str) -> None:
    assert isinstance(result.exception, Problem), result.output
    assert result.exception.code == code


def test_rights_are_taken_on_record_and_what_is_left_out_stays(users: Command, store: TestStore) -> None:
    before = account(store, "steward")
    assert (before.tier, before.roles) == ("T4", ("administration", "directory_steward"))
    assert users("set", "steward", "--roles", "administration").exit_code == 0
    found = account(store, "steward")
    assert (found.tier, found.roles) == ("T4", ("administration",))
    assert found.epoch > before.epoch, "tokens and prepared looks of before are dead"
    assert users("set", "steward", "--tier", "T1", "--roles", "").exit_code == 0
    assert (account(store, "steward").tier, account(store, "steward").roles) == ("T1", ())
    told = events(store, "account.set")
    assert {(actor, name) for actor, name, _ in told} == {("operator", f"os:{login()}")}
    assert [(detail["tier"], detail["roles"]) for _, _, detail in reversed(told)] == [
        ("T4", ["administration"]),
        ("T1", []),
    ]


def test_13_a_role_that_merely_looks_like_one_is_refused(users: Command, store: TestStore) -> None:
    before = account(store)
    for role in ROLES_THAT_ARE_NONE:
        refused(users("set", "staff", "--roles", role), "malformed_name")
    refused(users("set", "staff", "--tier", "T6"), "malformed_name")
    refused(users("set", "nobody", "--tier", "T1"), "account_not_found")
    assert account(store) == before
    assert events(store, "account.set") == [], "nothing was done, so nothing is said to have been"


def test_a_mark_is_set_and_taken_off_on_record(users: Command, store: TestStore) -> None:
    assert users("mark", "staff", "suspended", "--reason", "investigation", "--until", "2031-12-01").exit_code == 0
    assert users("mark", "staff", "untrained", "--reason", "training_expired").exit_code == 0
    assert marks(store) == [("suspended", "investigation", True), ("untrained", "training_expired", False)]
    refused(users("mark", "staff", "suspended", "--reason", "leave"), "already_marked")
    assert users("unmark", "staff", "suspended").exit_code == 0
    assert marks(store) == [("untrained", "training_expired", False)]
    refused(users("unmark", "staff", "suspended"), "mark_not_found")
    told = [*events(store, "account.mark"), *events(store, "account.unmark")]
    assert {(actor, name) for actor, name, _ in told} == {("operator", f"os:{login()}")}
    assert [detail["mark"] for _, _, detail in told] == ["untrained", "suspended", "suspended"]
    assert account(store).state == "active", "a mark is no state of the account"


def test_a_mark_takes_a_reason_of_its_own_and_an_end_to_come(users: Command, store: TestStore) -> None:
    refused(users("mark", "staff", "suspended", "--reason", "not_trained"), "unfit_reason")
    refused(users("mark", "staff", "untrained", "--reason", "unverified"), "unfit_reason")
    refused(users("mark", "staff", "untrained", "--reason", "not_trained", "--until", "2020-01-01"), "unfit_reason")
    for words in (
        ("mark", "staff", "banned", "--reason", "misuse"),
        ("mark", "staff", "suspended", "--reason", "因为"),
        ("mark", "staff", "suspended", "--reason", "misuse", "--until", "soon"),
        ("mark", "staff", "suspended"),
        ("unmark", "staff", "banned"),
    ):
        assert users(*words).exit_code == 2, words
    assert marks(store) == []
    assert events(store, "account.mark") == []


def persons(store: TestStore, *names: str) -> list[UUID]:
    async def work(application: Application) -> list[UUID]:
        reader, found = application.database.reader, list[UUID]()
        for name in names:
            account = await application.accounts.by_user_name(reader, name)
            assert account is not None
            assert account.contact_id is not None
            found.append(account.contact_id)
        behind = await application.delegations.persons.of(reader, found)
        return [behind[each] for each in found]

    return afterwards(store, work)


def test_two_accounts_are_said_to_be_one_person_and_not_to_be(users: Command, store: TestStore) -> None:
    said = users("same-person", "staff", "bare")
    assert (said.exit_code, said.output.split()[0]) == (0, "2")
    one, other, third = persons(store, "staff", "bare", "colleague")
    assert one == other != third
    assert users("same-person", "COLLEAGUE", "staff").output.startswith("3 ")
    assert len(set(persons(store, "staff", "bare", "colleague"))) == 1
    assert {name for _, name, _ in events(store, "person.join")} == {f"os:{login()}"}
    refused(users("same-person", "staff", "staff"), "same_person")
    refused(users("same-person", "staff", "nobody"), "account_not_found")
    refused(users("distinct-person", "nobody"), "account_not_found")


def test_a_disabled_account_stands_in_for_nobody_any_more(users: Command, store: TestStore) -> None:
    async def give(application: Application) -> None:
        who = [await application.accounts.by_user_name(application.database.reader, each) for each in ("staff", "bare")]
        principal, delegate = (each.contact_id for each in who if each is not None and each.contact_id is not None)
        now = application.clock.now()
        new = Delegated(
            id=new_id(),
            principal_id=principal,
            delegate_id=delegate,
            kinds=None,
            starts_at=now,
            ends_at=now + timedelta(days=1),
            reason=Reason.MANUAL,
            filed_by=principal,
            created_at=now,
        )
        async with application.database.unit_of_work() as unit:
            await application.delegations.service.give(unit, Author(type="person", id=str(principal)), new)

    async def unended(application: Application) -> int:
        rows, now = application.delegations.service._rows, application.clock.now()
        return len(await rows.unended(application.database.reader, now))

    afterwards(store, give)
    assert afterwards(store, unended) == 1
    assert users("disable", "bare").exit_code == 0
    assert afterwards(store, unended) == 0
    assert [detail["cause"] for _, _, detail in events(store, "delegation.end")] == ["suspended"]
