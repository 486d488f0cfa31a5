"""No way past an approval at the machine: every command by name with the reason why it is none, and what each refuses, on both engines.

A command that is new, or gone, fails here until somebody has written down why nobody gains a right by it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import pytest
import typer
from sqlalchemy import select, text
from typer.testing import CliRunner, Result

from app.application import Application
from app.auth.clients import NewClient
from app.auth.repository import Account
from app.cli import session
from app.cli.root import app
from app.composition import open_application
from app.kit.clock import SystemClock
from app.kit.errors import Problem
from app.notices.models import NoticeRow
from app.permissions.marks import MarkKind, MarkReason
from tests.support.server import environment, founded
from tests.support.stores import TestStore

T = TypeVar("T")

NOTHING = "reads, or keeps the installation running; no account, client or pack is written"
SERVICE = "speaks to the service over HTTP with the caller's own token, and may what that may"
TAKES = "takes away, at once, on record and told"
TWO = "two operators, each on record, told to every office that oversees; before that nothing is changed"

REASONS: Final = {
    "serve": NOTHING,
    "worker": NOTHING,
    "doctor": NOTHING,
    "db upgrade": NOTHING,
    "db check": NOTHING,
    "keys init": NOTHING,
    "keys status": NOTHING,
    "keys rotate": "new keys for what is sealed and signed already; whoever could read nothing reads nothing",
    "keys retag": "opens values under the job's own permits, on record, and tells them to nobody",
    "audit head": NOTHING,
    "audit verify": NOTHING,
    "openapi write": NOTHING,
    "openapi check": NOTHING,
    "calendar show": NOTHING,
    "calendar import": "moves working days, and with them due dates, on record; no step is answered or left out by it",
    "archive due": NOTHING,
    "archive erase": "destroys, and only whom the day's sweep destroys anyway; holds are asked as ever",
    "history export": "certificates and the names of keys that are gone; no value is in it",
    "history destroy-again": "destroys, and only what the log's own signature says was destroyed",
    "hr deadlines": SERVICE,
    "hr push": "speaks to the service over HTTP with the caller's own token or a source's secret, and may what that may",
    "hr reconcile": f"{SERVICE}; a blown fuse takes an approved request",
    "hr sources add": f"a source's signature gives what its service account may, and no more: {TWO}",
    "hr sources disable": TAKES,
    "hr sources list": NOTHING,
    "hr sources rotate": TWO,
    "import": f"{SERVICE}; a number that is kept back for requests takes two people who hand in the same file; people as by hand",
    "devices add": SERVICE,
    "devices assign": SERVICE,
    "devices list": SERVICE,
    "devices lost": SERVICE,
    "devices retire": SERVICE,
    "devices return": SERVICE,
    "devices rotate-secret": SERVICE,
    "numbers allocate": SERVICE,
    "numbers block": SERVICE,
    "numbers confirm": SERVICE,
    "numbers drop": SERVICE,
    "numbers extend": SERVICE,
    "numbers hold": SERVICE,
    "numbers holds": SERVICE,
    "numbers reserve": SERVICE,
    "numbers restore": SERVICE,
    "numbers retire": SERVICE,
    "numbers swap": SERVICE,
    "numbers transfer": SERVICE,
    "numbers unblock": SERVICE,
    "numbers unreserve": SERVICE,
    "numbers check": SERVICE,
    "numbers forecast": SERVICE,
    "numbers reconcile": SERVICE,
    "numbers release": SERVICE,
    "emergency keygen": "a key pair of the caller's own; a sheet is sealed to it once its holder gives it to the service",
    "emergency open": "opens what was sealed to the caller's own key, with a signed reason that is uploaded",
    "emergency upload": SERVICE,
    "demo load": "an empty store alone, and never in production",
    "policy check": NOTHING,
    "provisions keygen": "a key pair of the recipient's own; a package is sealed to what its request names",
    "provisions open": "opens what was sealed to the recipient's own key, away from the service",
    "policy test": NOTHING,
    "policy simulate": NOTHING,
    "policy activate": "in production refused while a pack can be read: `policy.change`; else two operators",
    "policy rollback": "as `policy activate`",
    "token mint": "in production service accounts alone, with a reason, by two operators; elsewhere it is for trying things out",
    "clients add": f"after the founding a request of kind `client.register`; what that does not make: {TWO}",
    "clients list": NOTHING,
    "clients rotate-secret": f"never of a client that somebody answers for; else {TWO}",
    "clients exchange": f"--deny {TAKES}; --allow: {TWO}",
    "clients disable": TAKES,
    "clients redirect-uris": f"--remove {TAKES}; --add: {TWO}",
    "users add": f"tier T1 and no role; of who holds a position: {TWO}",
    "users found": f"the first holder of an office, once; where all have gone: {TWO}",
    "users disable": TAKES,
    "users set": f"{TAKES}; more is refused and names the request",
    "users set-password": f"of who decides on others: {TWO}",
    "users reset-totp": f"of who decides on others: {TWO}",
    "users mark": TAKES,
    "users unmark": "what an operator took an operator gives back, and nothing else",
    "users same-person": "takes away: two accounts decide for each other no more",
    "users distinct-person": TWO,
}
"""Every command, and why it gives nobody a right that no request gave."""


def commands(group: typer.Typer, before: str = "") -> Iterator[str]:
    for each in group.registered_commands:
        assert each.callback is not None
        yield f"{before}{each.name or each.callback.__name__.replace('_', '-').removesuffix('-')}"
    for noun in group.registered_groups:
        assert noun.typer_instance is not None
        yield from commands(noun.typer_instance, f"{before}{noun.name} ")


def test_35_every_command_says_why_it_is_no_way_past_an_approval() -> None:
    assert sorted(commands(app)) == sorted(REASONS)
    assert all(len(reason) > 10 for reason in REASONS.values())


Machine = Callable[..., Result]


@pytest.fixture
def machine(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Run commands on the small company, as whoever ``by`` names."""
    founded(store)
    return at(store, monkeypatch)


@pytest.fixture
def bare(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Do the same on a company in which nobody was ever given an office."""
    founded(store)

    async def strip(application: Application) -> None:
        async with application.database.unit_of_work() as unit:
            for each in await application.accounts.set_apart(unit.session):
                await application.accounts.set_standing(unit.session, each.user_name, tier="T1", roles=())

    afterwards(store, strip)
    return at(store, monkeypatch)


def at(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name, value in environment(store).items():
        if name.startswith("DUANHAO_"):
            monkeypatch.setenv(name, value)

    def run(*words: str, by: str = "one", later: timedelta = timedelta()) -> Result:
        with pytest.MonkeyPatch.context() as patch, shifted(later):
            patch.setattr(session, "login", lambda: by)
            return CliRunner().invoke(app, list(words))

    return run


@contextmanager
def shifted(later: timedelta) -> Iterator[None]:
    """Let the clock of the machine go ahead."""
    now = SystemClock.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda clock: now(clock) + later)
        yield


def afterwards(store: TestStore, work: Callable[[Application], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with open_application(store.settings) as application:
            return await work(application)

    return asyncio.run(opened())


def account(store: TestStore, name: str) -> Account:
    async def work(application: Application) -> Account:
        found = await application.accounts.by_user_name(application.database.reader, name)
        assert found is not None
        return found

    return afterwards(store, work)


def told(store: TestStore) -> list[tuple[str, str, tuple[str, ...], int]]:
    """List what operators did as it was told: type, action, roles, how many people."""

    async def work(application: Application) -> list[tuple[str, str, tuple[str, ...], int]]:
        wanted = select(NoticeRow.type, NoticeRow.body, NoticeRow.audience).where(
            NoticeRow.type.startswith("operator.")
        )
        async with application.database.unit_of_work() as unit:
            rows = await unit.session.execute(wanted.order_by(NoticeRow.id))
            return [(row[0], row[1]["action"], tuple(row[2]["roles"]), len(row[2]["people"])) for row in rows]

    return afterwards(store, work)


def refused(result: Result, code: str) -> Problem:
    assert isinstance(result.exception, Problem), result.output
    assert result.exception.code == code
    return result.exception


def waits(result: Result) -> None:
    assert (result.exit_code, "another operator" in result.output) == (1, True), result.output


TWO_DAYS: Final = timedelta(days=4)
"""Enough for the end of the next working day, whichever day it is."""
LONG: Final = timedelta(days=40)


def test_35_no_right_is_given_to_who_has_less(machine: Machine, store: TestStore) -> None:
    before = account(store, "staff")
    for words in (("--tier", "T5"), ("--roles", "sales"), ("--tier", "T3", "--roles", "sales,deputy")):
        problem = refused(machine("users", "set", "staff", *words), "right_by_request")
        assert '"kind":"tier.change"' in problem.detail
        assert str(before.contact_id) in problem.detail
        assert "(head)" in problem.detail, "and who files it"
    for role in ("infosec", "administration", "it", "executive", "system_admin", "directory_steward"):
        refused(machine("users", "found", role, "staff"), "right_by_request")
    for role in ("hr", "committee", "auditor", "sales", "dept_head"):
        refused(machine("users", "found", role, "staff"), "cannot_be_founded")
    refused(machine("users", "found", "root", "staff"), "malformed_name")
    assert account(store, "staff") == before
    assert told(store) == []


def test_an_installation_is_founded_once_by_one_operator(bare: Machine, store: TestStore) -> None:
    for role, name in (("administration", "steward"), ("infosec", "infosec"), ("executive", "ceo"), ("it", "it")):
        done = bare("users", "found", role, name)
        assert done.exit_code == 0, done.output
        assert "without a request, by one" in done.stderr
    assert (account(store, "infosec").tier, account(store, "infosec").roles) == ("T5", ("infosec",))
    assert (account(store, "it").tier, account(store, "it").roles) == ("T1", ("it",))
    refused(bare("users", "found", "infosec", "staff"), "right_by_request")
    assert [each[:2] for each in told(store)] == [("operator.founded", "operator.found")] * 4
    assert bare("users", "set-password", "infosec").exit_code == 0, "whoever founded gives the first password"
    waits(bare("users", "set-password", "infosec"))


def test_offices_that_decide_together_are_different_people(bare: Machine, store: TestStore) -> None:
    async def same(application: Application) -> None:
        accounts = [
            await application.accounts.by_user_name(application.database.reader, each) for each in ("staff", "bare")
        ]
        one, other = (each.contact_id for each in accounts if each is not None)
        async with application.database.unit_of_work() as unit:
            await application.delegations.persons.join(unit, session.operator(), one, other)

    assert bare("users", "found", "infosec", "staff").exit_code == 0
    refused(bare("users", "found", "it", "staff"), "one_founder")
    afterwards(store, same)
    refused(bare("users", "found", "executive", "bare"), "one_founder")
    assert bare("users", "found", "system_admin", "staff").exit_code == 0, "which decides on nothing"
    refused(bare("users", "found", "it", "intern"), "cannot_be_founded")


def test_an_office_that_everybody_has_left_takes_two_operators_and_a_working_day(
    machine: Machine, store: TestStore
) -> None:
    assert machine("users", "disable", "infosec").exit_code == 0
    waits(machine("users", "found", "infosec", "colleague"))
    waits(machine("users", "found", "infosec", "colleague", later=TWO_DAYS))
    assert account(store, "colleague").roles == (), "the same operator is never the second"
    refused(machine("users", "found", "infosec", "colleague", by="two"), "still_too_early")
    waits(machine("users", "found", "infosec", "bare", by="two", later=TWO_DAYS))
    assert account(store, "bare").roles == (), "the second does what the first put down, and nothing else"
    assert machine("users", "found", "infosec", "colleague", by="two", later=TWO_DAYS).exit_code == 0
    assert account(store, "colleague").roles == ("infosec",)
    proposed = [each for each in told(store) if each[0] == "operator.proposed"]
    assert [each[1] for each in proposed] == ["operator.propose"] * 2
    assert all("auditor" in roles and people for _, _, roles, people in proposed)
    refused(machine("users", "found", "infosec", "bare", by="three", later=TWO_DAYS), "right_by_request")


def test_what_was_put_down_long_ago_is_void(machine: Machine, store: TestStore) -> None:
    assert machine("users", "disable", "infosec").exit_code == 0
    waits(machine("users", "found", "infosec", "colleague"))
    waits(machine("users", "found", "infosec", "colleague", by="two", later=LONG))
    assert account(store, "colleague").roles == ()


def test_an_act_that_was_written_past_us_is_nobodys_word(machine: Machine, store: TestStore) -> None:
    assert machine("users", "disable", "infosec").exit_code == 0
    waits(machine("users", "found", "infosec", "colleague"))

    async def forge(application: Application) -> None:
        async with application.database.unit_of_work() as unit:
            await unit.session.execute(text("UPDATE operator_act SET proposed_by = 'os:nobody'"))

    afterwards(store, forge)
    waits(machine("users", "found", "infosec", "colleague", later=TWO_DAYS))
    assert account(store, "colleague").roles == ()


def test_who_decides_on_others_gets_no_new_sign_in_from_one_operator(machine: Machine, store: TestStore) -> None:
    for name in ("infosec", "head", "ceo"):
        before = account(store, name).password_hash
        waits(machine("users", "set-password", name))
        waits(machine("users", "set-password", name))
        assert account(store, name).password_hash == before
    done = machine("users", "set-password", "head", by="two")
    assert (done.exit_code, len(done.stdout.split())) == (0, 1), "there is no day to wait, and the second is shown it"
    waits(machine("users", "reset-totp", "infosec"))
    refused(machine("users", "reset-totp", "infosec", by="two"), "totp_not_begun")
    assert machine("users", "set-password", "staff").exit_code == 0
    assert ("operator.acted", "account.set_password") in [each[:2] for each in told(store)]


def test_a_new_account_has_no_right_and_of_a_head_it_takes_two(machine: Machine, store: TestStore) -> None:
    head = account(store, "head")

    async def unbind(application: Application) -> None:
        async with application.database.unit_of_work() as unit:
            for name in ("head", "bare"):
                await application.accounts.bind(unit.session, name, None)

    contact = account(store, "bare").contact_id
    afterwards(store, unbind)
    assert machine("users", "add", "newcomer", "--contact", str(contact)).exit_code == 0
    assert (account(store, "newcomer").tier, account(store, "newcomer").roles) == ("T1", ())
    assert machine("users", "add", "x", "--contact", str(contact), "--role", "infosec").exit_code == 2
    waits(machine("users", "add", "usurper", "--contact", str(head.contact_id)))


def test_a_signing_secret_takes_two_operators_and_ending_one_takes_one(machine: Machine, store: TestStore) -> None:
    registers = ("hr", "sources", "add", "payroll", "--client", "hr-system")
    waits(machine(*registers))
    assert machine("hr", "sources", "list").stdout == ""
    refused(machine(*registers, by="two"), "still_too_early")
    made = machine(*registers, by="two", later=TWO_DAYS)
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("whsec_"), "the second operator is shown it, this once"
    refused(machine("hr", "sources", "add", "other", "--client", "it-scripts"), "hr_source_unfit")
    waits(machine("hr", "sources", "rotate", "payroll"))
    waits(machine("hr", "sources", "rotate", "payroll", "--overlap-hours", "48", by="two"))
    other = machine("hr", "sources", "rotate", "payroll", by="two")
    assert other.stdout.startswith("whsec_")
    assert other.stdout != made.stdout
    assert "older=" in machine("hr", "sources", "list").stdout
    assert machine("hr", "sources", "disable", "payroll").exit_code == 0
    assert machine("hr", "sources", "list").stdout.split("\t")[1] == "disabled"
    refused(machine("hr", "sources", "rotate", "payroll"), "hr_source_not_found")
    acted = [each[:2] for each in told(store) if each[0] == "operator.acted"]
    assert acted == [("operator.acted", f"hr_source.{what}") for what in ("create", "rotate", "disable")]


def test_a_mark_of_the_service_is_not_the_operators_to_lift(machine: Machine, store: TestStore) -> None:
    async def owe(application: Application) -> None:
        found = await application.accounts.by_user_name(application.database.reader, "staff")
        assert found is not None
        now = application.clock.now()
        async with application.database.unit_of_work() as unit:
            await application.marks.add(
                unit.session, found.id, MarkKind.OVERDUE_RETURN, MarkReason.NOT_RETURNED, at=now, request_id=found.id
            )
            await application.marks.add(
                unit.session, found.id, MarkKind.SUSPENDED, MarkReason.NOT_RECERTIFIED, at=now, operator="campaign:x"
            )

    afterwards(store, owe)
    for kind in ("overdue_return", "suspended"):
        refused(machine("users", "unmark", "staff", kind), "not_the_operators")
    assert machine("users", "mark", "staff", "untrained", "--reason", "not_trained").exit_code == 0
    assert machine("users", "unmark", "staff", "untrained", by="two").exit_code == 0

    async def edit(application: Application) -> None:
        async with application.database.unit_of_work() as unit:
            await unit.session.execute(text("UPDATE standing_mark SET operator = 'os:one' WHERE kind = 'suspended'"))

    afterwards(store, edit)
    waits(machine("users", "unmark", "staff", "suspended"))


def test_two_accounts_are_parted_by_two_operators(machine: Machine, store: TestStore) -> None:
    assert machine("users", "same-person", "staff", "bare").exit_code == 0
    waits(machine("users", "distinct-person", "bare"))
    assert behind(store, "staff", "bare") == 1
    done = machine("users", "distinct-person", "bare", by="two", later=TWO_DAYS)
    assert (done.exit_code, done.stdout.split()[0]) == (0, "parted")
    assert behind(store, "staff", "bare") == 2


def behind(store: TestStore, *names: str) -> int:
    """Count the natural persons behind accounts."""

    async def work(application: Application) -> int:
        reader, found = application.database.reader, list[UUID]()
        for name in names:
            held = await application.accounts.by_user_name(reader, name)
            assert held is not None
            assert held.contact_id is not None
            found.append(held.contact_id)
        return len(set((await application.delegations.persons.of(reader, found)).values()))

    return afterwards(store, work)


def client(store: TestStore, name: str) -> Any:  # noqa: ANN401 — a client or none
    async def work(application: Application) -> Any:  # noqa: ANN401 — a client or none
        return await application.clients.by_client_id(application.database.reader, name)

    return afterwards(store, work)


def test_service_accounts_are_asked_for_once_security_is_there(machine: Machine, store: TestStore) -> None:
    words = ("clients", "add", "mirror", "--name", "Mirror", "--scope", "contacts:read", "--ceiling", "C3")
    problem = refused(machine(*words), "right_by_request")
    assert '"kind":"client.register"' in problem.detail
    for further in (("--scope", "access-log:read"), ("--front-end", "--redirect-uri", "https://x.example.com/cb")):
        waits(machine("clients", "add", "other", "--name", "Other", *further))
    waits(machine("clients", "add", "acting", "--name", "Acting", "--may-exchange"))
    waits(machine("clients", "exchange", "crm", "--allow"))
    waits(machine("clients", "rotate-secret", "siem"))
    waits(machine("clients", "redirect-uris", "intranet", "--add", "https://evil.example.com/cb"))
    assert [client(store, each) for each in ("mirror", "other", "acting")] == [None, None, None]
    assert client(store, "crm").exchanges is False
    assert machine("clients", "redirect-uris", "intranet").stdout == ""
    assert machine("clients", "disable", "crm").exit_code == 0
    done = machine("clients", "rotate-secret", "siem", by="two")
    assert (done.exit_code, len(done.stdout.strip()) > 40) == (0, True)


def test_a_client_that_somebody_answers_for_has_no_secret_for_operators(machine: Machine, store: TestStore) -> None:
    async def own(application: Application) -> None:
        found = await application.accounts.by_user_name(application.database.reader, "staff")
        assert found is not None
        async with application.database.unit_of_work() as unit:
            new = NewClient("canteen-screen", "Canteen", scopes=("contacts:read",), owner=found.contact_id)
            await application.clients.add(unit.session, new)

    afterwards(store, own)
    for by in ("one", "two"):
        problem = refused(machine("clients", "rotate-secret", "canteen-screen", by=by), "owner_answers")
        assert "POST /v1/clients/canteen-screen/secrets" in problem.detail


def test_the_first_clients_are_made_before_there_is_security(bare: Machine) -> None:
    done = bare("clients", "add", "mirror", "--name", "Mirror", "--scope", "contacts:read")
    assert (done.exit_code, len(done.stdout.strip()) > 40) == (0, True), done.output
    assert bare("users", "found", "infosec", "infosec").exit_code == 0
    refused(bare("clients", "add", "second", "--name", "S", "--scope", "contacts:read"), "right_by_request")


def test_the_operator_is_who_the_kernel_says(monkeypatch: pytest.MonkeyPatch) -> None:
    before = session.login()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert session.login() == before != "somebody-else"
