"""Accounts and clients on both engines: made, changed, found, refused."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth import epochs
from app.auth.clients import NewClient, secret_hash
from app.auth.errors import AccountExists, AccountNotFound, ClientExists, ClientNotFound, MalformedName
from app.auth.models import ClientRow
from tests.auth.world import World

CONTACT = UUID("01930000-0000-7000-8000-00000000ada0")
OTHER = UUID("01930000-0000-7000-8000-00000000be10")


async def test_an_account_is_found_by_name_in_any_case_inside_and_outside_of_a_transaction(world: World) -> None:
    async with world.database.unit_of_work() as unit:
        made = await world.accounts.add(
            unit.session, "Zhang.San@corp.test", contact_id=CONTACT, tier="T2", roles=["hr", "employee", "hr"]
        )
        assert await world.accounts.by_user_name(unit.session, "zhang.san@CORP.test") == made
    found = await world.accounts.by_user_name(world.database.reader, "ZHANG.SAN@corp.test")
    assert found == made == await world.accounts.by_contact(world.database.reader, CONTACT)
    assert (made.user_name, made.tier, made.roles) == ("zhang.san@corp.test", "T2", ("employee", "hr"))
    assert (made.state, made.epoch, made.contact_id) == ("active", 0, CONTACT)
    assert await world.accounts.by_contact(world.database.reader, OTHER) is None


@pytest.mark.parametrize(
    "name", ["", "a b", "tab\t", "nul\x00", "\N{KELVIN SIGN}elvin", "\N{FULLWIDTH LATIN SMALL LETTER Z}hang", "x" * 129]
)
async def test_a_name_that_could_be_mistaken_is_no_name(quick: World, name: str) -> None:
    async with quick.database.session() as session:
        with pytest.raises(MalformedName):
            await quick.accounts.add(session, name)
    assert await quick.accounts.by_user_name(quick.database.reader, name) is None


@pytest.mark.parametrize("standing", [{"tier": "T6"}, {"tier": "t1"}, {"roles": ["HR"]}, {"roles": [""]}])
async def test_a_standing_that_is_none_is_refused(quick: World, standing: dict[str, Any]) -> None:
    async with quick.database.session() as session:
        with pytest.raises(MalformedName):
            await quick.accounts.add(session, "demo-new", **standing)
        with pytest.raises(MalformedName):
            await quick.accounts.set_standing(session, "demo-staff", **{"tier": "T1", "roles": [], **standing})


async def test_a_name_and_a_contact_belong_to_one_account(world: World) -> None:
    async with world.database.unit_of_work() as unit:
        await world.accounts.add(unit.session, "first", contact_id=CONTACT)
    attempts = (("FIRST", OTHER), ("second", CONTACT))
    for name, contact in attempts:
        with pytest.raises(AccountExists):
            async with world.database.unit_of_work() as unit:
                await world.accounts.add(unit.session, name, contact_id=contact)
    with pytest.raises(AccountExists):
        async with world.database.unit_of_work() as unit:
            await world.accounts.bind(unit.session, "demo-staff", CONTACT)


async def test_a_person_and_a_client_never_share_a_name(world: World) -> None:
    async with world.database.session() as session:
        for name in ("intranet", "HR-System"):
            with pytest.raises(AccountExists):
                await world.accounts.add(session, name)
        with pytest.raises(ClientExists):
            await world.clients.add(session, NewClient("demo-staff", "Not a person"))


async def test_every_change_moves_the_epoch_and_the_counters_with_it(world: World) -> None:
    steps: list[tuple[str, Any]] = [
        ("bind", lambda session: world.accounts.bind(session, "demo-staff", CONTACT)),
        ("standing", lambda session: world.accounts.set_standing(session, "demo-staff", tier="T3", roles=("hr",))),
        ("suspend", lambda session: world.accounts.suspend(session, "demo-staff")),
        ("disable", lambda session: world.accounts.disable(session, "DEMO-STAFF")),
        ("activate", lambda session: world.accounts.activate(session, "demo-staff")),
    ]
    states = []
    changed = None
    for number, (_, change) in enumerate(steps, start=1):
        world.clock.advance(minutes=1)
        async with world.database.unit_of_work() as unit:
            changed = await change(unit.session)
        found = await world.accounts.by_user_name(world.database.reader, "demo-staff")
        assert found == changed
        assert (changed.epoch, changed.epoch_at) == (number, world.clock.now())
        assert await epochs.value(world.database.reader, changed.epoch_key) == number
        assert await epochs.value(world.database.reader, epochs.TOKENS) == number
        states.append(changed.state)
    assert states == ["active", "active", "suspended", "disabled", "active"]
    assert changed is not None
    assert (changed.tier, changed.roles, changed.contact_id) == ("T3", ("hr",), CONTACT)


async def test_an_unknown_account_or_client_cannot_be_changed(quick: World) -> None:
    async with quick.database.session() as session:
        with pytest.raises(AccountNotFound):
            await quick.accounts.disable(session, "demo-nobody")
        with pytest.raises(ClientNotFound):
            await quick.clients.disable(session, "nobody")
        with pytest.raises(ClientNotFound):
            await quick.clients.rotate_secret(session, "nobody")


async def test_a_secret_is_shown_once_stored_as_its_hash_and_never_printed(world: World) -> None:
    async with world.database.unit_of_work() as unit:
        issued = await world.clients.add(
            unit.session, NewClient("siem", "安全日志", ("access-log:read",), ceiling="T5")
        )
    assert issued.secret is not None
    assert len(issued.secret) == 43
    assert issued.secret not in repr(issued)
    async with world.database.session() as session:
        assert await session.scalar(select(ClientRow.secret_hash).where(ClientRow.client_id == "siem")) == secret_hash(
            issued.secret
        )
    reader = world.database.reader
    assert await world.clients.authenticate(reader, "siem", issued.secret) == issued.client
    for client_id, secret in (
        ("siem", "wrong"),
        ("siem", ""),
        ("nobody", issued.secret),
        ("intranet", ""),
        ("a b", "x"),
    ):
        assert await world.clients.authenticate(reader, client_id, secret) is None
    async with world.database.unit_of_work() as unit:
        rotated = await world.clients.rotate_secret(unit.session, "siem")
    assert rotated.secret is not None
    assert await world.clients.authenticate(reader, "siem", issued.secret) is None
    assert await world.clients.authenticate(reader, "siem", rotated.secret) == rotated.client
    async with world.database.unit_of_work() as unit:
        await world.clients.disable(unit.session, "siem")
    assert await world.clients.authenticate(reader, "siem", rotated.secret) is None


async def test_clients_are_listed_by_id_without_secrets(world: World) -> None:
    listed = await world.clients.list(world.database.reader)
    assert [(client.client_id, client.ceiling) for client in listed] == [("hr-system", None), ("intranet", None)]
    assert "secret" not in repr(listed)
    front_end = await world.clients.by_client_id(world.database.reader, "intranet")
    assert front_end == listed[1]
    assert listed[1].secret_hash is None


@pytest.mark.parametrize(
    "new",
    [
        NewClient("UPPER", "x"),
        NewClient("x", "x"),
        NewClient("-x", "x"),
        NewClient("x" * 64, "x"),
        NewClient("good", ""),
        NewClient("good", "x" * 129),
        NewClient("good", "x", ("contacts:everything",)),
    ],
    ids=repr,
)
async def test_a_client_that_cannot_be_kept_is_refused(quick: World, new: NewClient) -> None:
    async with quick.database.session() as session:
        with pytest.raises(MalformedName):
            await quick.clients.add(session, new)


async def test_a_client_id_is_taken_once(world: World) -> None:
    with pytest.raises(ClientExists):
        async with world.database.unit_of_work() as unit:
            await world.clients.add(unit.session, NewClient("intranet", "Another"))
