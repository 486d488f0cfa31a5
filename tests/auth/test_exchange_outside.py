"""Exchange of tokens that an issuer outside signed: they are shown here, and what is issued for them is ours."""

from typing import Any

import pytest

from app.auth.clients import NewClient
from app.auth.errors import TokenRejected
from app.auth.issuer import TOKEN_EXCHANGE
from app.auth.oauth import Fault, OAuthAnswer, OAuthFault
from app.auth.reasons import Reason
from app.auth.repository import AccountRepository
from app.auth.subject import Person
from app.auth.token_desk import TokenDesk
from app.auth.token_door import Asked
from app.crypto.rowmac import RowSigner
from app.kit.models import new_id
from tests.auth.forge import ISSUER, TENANT
from tests.auth.world import World, build

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


class Desk:
    """The desk for tokens, and a back end with its secret."""

    def __init__(self, world: World, secret: str) -> None:
        self.world, self.secret = world, secret
        self.desk = TokenDesk(
            world.tokens,
            verifier=world.verifier,
            database=world.database,
            accounts=AccountRepository(RowSigner(b"u" * 32)),
            clients=world.clients,
            clock=world.clock,
            exchange_seconds=300,
        )

    async def exchange(self, token: str) -> OAuthAnswer:
        grant = self.world.tokens._grants[TOKEN_EXCHANGE]
        form = {"client_id": "crm", "client_secret": self.secret, "subject_token": token}
        return await grant({**form, "subject_token_type": ACCESS_TOKEN}, (), "192.0.2.1")

    async def refused(self, token: str) -> Fault:
        with pytest.raises(OAuthFault) as fault:
            await self.exchange(token)
        return fault.value.fault


@pytest.fixture
async def desk(quick: World) -> Desk:
    """Bind the person to a contact and add a back end."""
    async with quick.database.unit_of_work() as unit:
        new = NewClient("crm", "CRM", scopes=("contacts:read",), exchanges=True)
        issued = await quick.clients.add(unit.session, new)
        await quick.accounts.bind(unit.session, "demo-staff", new_id())
    quick.clock.advance(seconds=10)
    assert issued.secret is not None
    return Desk(quick, issued.secret)


async def test_a_token_from_outside_becomes_one_of_ours_and_dies_with_it(desk: Desk) -> None:
    world = desk.world
    token = world.forge.entra()
    acting = (await desk.exchange(token)).body["access_token"]
    subject = await world.verifier.verify(acting)
    assert isinstance(subject, Person)
    assert (subject.user_name, subject.client_id, subject.front_end) == ("demo-staff", "crm", "intranet")
    assert (subject.issuer, subject.scopes) == (ISSUER, frozenset({"contacts:read"}))
    async with world.database.unit_of_work() as unit:
        await world.tokens.revoke(unit.session, "uti-0000000000000001", expires_at=world.clock.now(), issuer=TENANT)
    for each in (token, acting):
        with pytest.raises(TokenRejected) as rejected:
            await world.verifier.verify(each)
        assert rejected.value.reason is Reason.REVOKED


async def test_what_somebody_acts_with_already_is_not_exchanged(desk: Desk) -> None:
    forge = desk.world.forge
    chained: list[dict[str, Any]] = [{"act": {"sub": "other"}}, {"act": None}, {"may_act": {"sub": "other"}}]
    for claims in chained:
        assert await desk.refused(forge.entra(**claims)) is Fault.SUBJECT_TOKEN


async def test_somebody_without_an_account_here_has_nothing_to_exchange(desk: Desk) -> None:
    stranger = desk.world.forge.entra(preferred_username="New.Hire@corp.example.test")
    assert await desk.refused(stranger) is Fault.SUBJECT_TOKEN
    async with desk.world.database.unit_of_work() as unit:
        await desk.world.accounts.bind(unit.session, "demo-staff", None)
    desk.world.clock.advance(seconds=10)
    assert await desk.refused(desk.world.forge.entra()) is Fault.SUBJECT_TOKEN


async def test_an_issuer_without_token_ids_serves_as_well(desk: Desk) -> None:
    world = await build(desk.world.database, desk.world.clock, jti_claim=None)
    other = Desk(world, desk.secret)
    acting = (await other.exchange(world.forge.entra())).body["access_token"]
    assert isinstance(await world.verifier.verify(acting), Person)
    await world.http.aclose()


async def test_a_front_end_ends_here_what_an_issuer_outside_gave_it(desk: Desk) -> None:
    world = desk.world
    token = world.forge.entra()
    form = f"client_id=intranet&token={token}".encode()
    asked = Asked(form, "application/x-www-form-urlencoded", (), "192.0.2.1")
    assert (await desk.desk.door.revoke(asked)).status == 200
    with pytest.raises(TokenRejected) as rejected:
        await world.verifier.verify(token)
    assert rejected.value.reason is Reason.REVOKED
