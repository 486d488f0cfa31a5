"""What the verifier remembers, and what makes it forget: here, in another process, and by the clock."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import Select, text, update
from structlog.testing import capture_logs

from app.auth.errors import TokenExpired, TokenRejected
from app.auth.models import AccountRow, ClientRow
from app.auth.reasons import Reason
from app.auth.subject import Service
from app.auth.verifier import TokenVerifier
from app.kit.db import Prepared, Reader, Row
from app.kit.errors import Unavailable
from app.kit.together import Together
from tests.auth.forge import token_keys
from tests.auth.world import World, build


class CountingReader:
    """A reader that counts, and fails when told to."""

    def __init__(self, inner: Reader) -> None:
        self.inner, self.dialect, self.count, self.broken = inner, inner.dialect, 0, False

    def prepare(self, statement: Select[Any]) -> Prepared:
        return self.inner.prepare(statement)

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        self.count += 1
        if self.broken:
            raise Unavailable
        return await self.inner.fetch(prepared, values)

    async def fetch_raw(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        self.count += 1
        return await self.inner.fetch_raw(prepared, values)

    async def fetch_points(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        self.count += 1
        if self.broken:
            raise Unavailable
        return await self.inner.fetch_points(prepared, values)

    def stamp(self) -> int | None:
        return self.inner.stamp()

    async def close(self) -> None:
        await self.inner.close()


def counted(world: World) -> CountingReader:
    reader = CountingReader(world.database.reader)
    world.verifier._reader = reader
    return reader


async def reason(verifier: TokenVerifier, token: str) -> Reason:
    with pytest.raises(TokenRejected) as refused:
        await verifier.verify(token)
    return refused.value.reason


async def test_a_remembered_token_costs_no_read(quick: World) -> None:
    token = quick.forge.signed()
    first = await quick.verifier.verify(token)
    reader = counted(quick)
    assert await quick.verifier.verify(token) is first
    assert reader.count == 0
    quick.clock.advance(seconds=1)
    assert await quick.verifier.verify(token) is first
    assert reader.count == 1, "one look at the counter a second"


async def test_a_remembered_token_ends_on_time(quick: World) -> None:
    token = quick.forge.signed(exp=quick.forge.now + 60)
    await quick.verifier.verify(token)
    quick.clock.advance(seconds=89)
    await quick.verifier.verify(token)
    quick.clock.advance(seconds=1)
    with pytest.raises(TokenExpired):
        await quick.verifier.verify(token)


async def test_memory_is_bounded_and_keeps_what_is_used(quick: World) -> None:
    tokens = [quick.forge.signed(jti=f"t{number}") for number in range(12)]
    for token in tokens:
        await quick.verifier.verify(token)
        await quick.verifier.verify(tokens[0])
    assert len(quick.verifier._remembered) == 8
    reader = counted(quick)
    await quick.verifier.verify(tokens[0])
    assert reader.count == 0
    await quick.verifier.verify(tokens[1])
    assert reader.count > 0


async def test_a_changed_token_is_not_the_remembered_one(quick: World) -> None:
    token = quick.forge.signed()
    await quick.verifier.verify(token)
    assert await reason(quick.verifier, token[:-4] + "AAAA") is Reason.SIGNATURE


async def test_when_the_store_does_not_answer_no_token_is_taken(quick: World) -> None:
    token = quick.forge.signed()
    await quick.verifier.verify(token)
    reader = counted(quick)
    reader.broken = True
    quick.clock.advance(seconds=2)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await quick.verifier.verify(token)
    reader.broken = False
    await quick.verifier.verify(token)


async def test_a_clock_set_back_does_not_stop_the_looking(quick: World) -> None:
    token = quick.forge.signed(iat=quick.forge.now - 99, nbf=quick.forge.now - 99)
    await quick.verifier.verify(token)
    reader = counted(quick)
    quick.clock.advance(seconds=-60)
    await quick.verifier.verify(token)
    assert reader.count == 1


ENDINGS: Final = ("revoke", "suspend", "disable", "promote", "disable client", "rotate secret")
EXPECTED: Final = {
    "revoke": Reason.REVOKED,
    "suspend": Reason.EPOCH,
    "disable": Reason.SUBJECT_DISABLED,
    "promote": Reason.EPOCH,
    "disable client": Reason.CLIENT_DISABLED,
    "rotate secret": Reason.EPOCH,
}


def holder(world: World, how: str) -> str:
    """Make a token of whom this concerns."""
    if how == "rotate secret":
        return world.forge.signed(sub="hr-system", client_id="hr-system")
    return world.forge.signed()


async def end(world: World, how: str) -> str:
    """Make a token and what ends it; give the token."""
    token = holder(world, how)
    await world.verifier.verify(token)
    async with world.database.unit_of_work() as unit:
        match how:
            case "revoke":
                await world.tokens.revoke(unit.session, world.forge.claims["jti"], expires_at=world.clock.now())
            case "suspend":
                await world.accounts.suspend(unit.session, "demo-staff")
            case "disable":
                await world.accounts.disable(unit.session, "demo-staff")
            case "promote":
                await world.accounts.set_standing(unit.session, "demo-staff", tier="T2", roles=("dept_head",))
            case "disable client":
                await world.clients.disable(unit.session, "intranet")
            case _:
                await world.clients.rotate_secret(unit.session, "hr-system")
        await world.verifier.verify(token)
    return token


@pytest.mark.parametrize("how", ENDINGS)
async def test_what_ends_a_token_ends_it_at_commit_and_elsewhere_within_a_second(world: World, how: str) -> None:
    other = await build(world.database, world.clock)
    same = holder(world, how)
    await other.verifier.verify(same)
    token = await end(world, how)
    assert await reason(world.verifier, token) is EXPECTED[how]
    world.clock.advance(seconds=1)
    assert await reason(other.verifier, same) is EXPECTED[how]
    await other.http.aclose()


async def test_a_token_verified_while_it_is_revoked_is_not_remembered(
    quick: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = quick.forge.signed()
    rows = Together.rows

    async def revoked_meanwhile(known: Together, reader: Reader, **values: object) -> Mapping[str, Sequence[Row]]:
        found = await rows(known, reader, **values)
        quick.verifier.forget()
        return found

    monkeypatch.setattr(Together, "rows", revoked_meanwhile)
    await quick.verifier.verify(token)
    assert not quick.verifier._remembered


async def test_a_token_brought_many_times_at_once_is_looked_at_once_and_refused_to_all_alike(
    quick: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, rows, asked = quick.forge.signed(), quick.forge.signed(client_id="nobody"), Together.rows, list[object]()

    async def counted(known: Together, reader: Reader, **values: object) -> Mapping[str, Sequence[Row]]:
        asked.append(values["client"])
        return await rows(known, reader, **values)

    monkeypatch.setattr(Together, "rows", counted)
    people = await asyncio.gather(*(quick.verifier.verify(good) for _ in range(8)))
    assert set(people) == {people[0]}
    assert len(asked) == 1
    refused = await asyncio.gather(*(reason(quick.verifier, bad) for _ in range(8)))
    assert set(refused) == {refused[0]}
    assert len(quick.verifier._verifying) == 0


async def test_rolled_back_changes_end_nothing(quick: World) -> None:
    token = quick.forge.signed()
    await quick.verifier.verify(token)
    async with quick.database.session() as session:
        await quick.accounts.disable(session, "demo-staff")
        await session.rollback()
    quick.clock.advance(seconds=2)
    await quick.verifier.verify(token)


EDITS: Final[dict[str, tuple[type[AccountRow | ClientRow], dict[str, object]]]] = {
    "tier": (AccountRow, {"tier": "T5"}),
    "roles": (AccountRow, {"roles": ["infosec"]}),
    "state": (AccountRow, {"state": "suspended"}),
    "contact": (AccountRow, {"contact_id": None, "user_name_key": "demo-ceo"}),
    "password": (AccountRow, {"password_hash": "$argon2id$v=19$m=8"}),
    "mac": (AccountRow, {"mac": bytes(32)}),
    "client scopes": (ClientRow, {"scopes": ["access-log:read"]}),
    "client ceiling": (ClientRow, {"ceiling": "T5"}),
    "client secret": (ClientRow, {"secret_hash": bytes(32)}),
    "client owner": (ClientRow, {"owner_id": UUID(int=7)}),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_a_row_edited_by_sql_refuses_and_alarms(world: World, edit: str) -> None:
    table, values = EDITS[edit]
    person = table is AccountRow
    async with world.database.session() as session, session.begin():
        where = AccountRow.user_name_key == "demo-staff" if person else ClientRow.client_id == "intranet"
        await session.execute(update(table).where(where).values(**values))
    name = "demo-ceo" if edit == "contact" else "demo-staff"
    with capture_logs() as logs:
        assert await reason(world.verifier, world.forge.signed(sub=name)) is Reason.ROW_TAMPERED
    assert [(line["event"], line["table"], line["log_level"]) for line in logs] == [
        ("row_mac_mismatch", "user_account" if person else "client", "error")
    ]


async def test_a_mac_is_worth_nothing_on_another_row(world: World) -> None:
    async with world.database.unit_of_work() as unit:
        await world.accounts.add(unit.session, "demo-ceo", tier="T4", roles=("executive",))
    copy = text(
        "UPDATE user_account SET tier = o.tier, roles = o.roles, mac = o.mac FROM user_account AS o"
        " WHERE o.user_name_key = 'demo-ceo' AND user_account.user_name_key = 'demo-staff'"
    )
    async with world.database.session() as session, session.begin():
        await session.execute(copy)
    assert await reason(world.verifier, world.forge.signed()) is Reason.ROW_TAMPERED


async def test_another_current_key_signs_after_a_rotation(quick: World) -> None:
    keys = token_keys()
    old = await quick.tokens.mint(quick.database.reader, "hr-system")
    quick.issuer.replace_keys(replace(keys, public=keys.public[::-1]))
    quick.verifier.forget()
    assert isinstance(await quick.verifier.verify(old.text), Service)
    with pytest.raises(ValueError, match="P-256"):
        quick.issuer.replace_keys(replace(keys, public=()))
