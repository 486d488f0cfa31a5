"""The package: made once however many ask at once, by the policy of now, for whom it is sealed to, and for nobody who touched it."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from app.crypto.parcels import NotOpened, new_passphrase
from app.provisions.sealing import PACKAGE, RecipientKeys, open_with_passphrase, read_public, seal_package
from tests.provisions.agency import KEYS, Agency
from tests.support.clock import NOON
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_two_calls_at_once_make_one(agency: Agency) -> None:
    people = await agency.people(2)
    _, provision = await agency.begun(people)
    answers = await asyncio.gather(*(agency.package(provision) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert len(await agency.events("provision.provide", provision)) == 1
    (made,) = [each.json() for each in answers if each.status_code == 201]
    assert (await agency.read("auditor", provision))["package"]["id"] == made["id"]


@pytest.mark.parametrize("whole", [True, False])
async def test_taken_back_at_the_same_moment(agency: Agency, *, whole: bool) -> None:
    """Hard test 38: either it left before and is to come back, or it did not leave with what was taken back."""
    one, _ = people = await agency.people(2)
    path, provision = await agency.begun(people)
    revoked = (
        agency.call("steward", "POST", f"{path}/revocations", {"reason": "The contract was not signed"})
        if whole
        else agency.withdraw(path, one.name)
    )
    made, taken = await asyncio.gather(agency.package(provision), revoked)
    assert taken.status_code == 200, taken.text
    assert made.status_code in {201, 409}
    found = await agency.read("auditor", provision)
    assert (found["package"] is not None) == (made.status_code == 201)
    assert found["state"] == ("provided" if made.status_code == 201 else "lapsed" if whole else "open")
    if made.status_code == 201 and not whole:
        told = {each["contact"]["id"]: each for each in found["people"]}[str(one.id)]
        assert told["withdrawn_at"]
        assert told["provided"] is None or (await agency.told(provision))[-1][0] == "consent_withdrawn"


async def test_by_whoever_answers_for_it_alone(agency: Agency) -> None:
    who = await add_person(agency.world, department="RD")
    (one,) = people = await agency.people(1)
    path = await agency.filed(agency.form(people), beneficiary=who.id)
    await agency.through(path, "head", "steward", one.name)
    provision = await agency.provision(path)
    problem(await agency.package(provision), 403, "not_permitted")
    for each in ("colleague", "steward", "infosec", one.name):
        problem(await agency.package(provision, each), 404, "not_found")
    assert (await agency.package(provision, who.name)).status_code == 201


async def test_the_policy_of_now_decides(agency: Agency) -> None:
    executive = (await agency.people(1, department="EXEC", secrecy="executive"))[0]
    leaves, stays = await agency.people(2)
    _, provision = await agency.begun([executive, leaves, stays])
    gone = await agency.world.as_("hr")
    headers = {"If-Match": "*", "Authorization": f"Bearer {await agency.world.token('hr')}"}
    assert (await gone.delete(leaves.path, headers=headers)).status_code == 204
    before = await agency.read(agency.asker, executive.path)
    assert before["mobile"]["state"] == "withheld"
    content = await agency.packaged(provision)
    assert {each["fields"]["mobile"] for each in content["people"]} == {executive.mobile, stays.mobile}
    assert content["left_out"] == 1
    assert (await agency.read(agency.asker, executive.path))["mobile"]["state"] == "withheld", (
        "a package is no right to see"
    )


async def test_nobody_who_may_be_provided_is_left(agency: Agency) -> None:
    (one,) = people = await agency.people(1)
    _, provision = await agency.begun(people)
    headers = {"If-Match": "*", "Authorization": f"Bearer {await agency.world.token('hr')}"}
    assert (await (await agency.world.as_("hr")).delete(one.path, headers=headers)).status_code == 204
    problem(await agency.package(provision), 409, "provision_nothing_left")
    assert await agency.state(provision) == "open"


async def test_a_row_that_was_edited_past_the_service_is_not_there(agency: Agency) -> None:
    _, provision = await agency.begun(await agency.people(1))
    identity = UUID(provision.rpartition("/")[2])
    edit = text("UPDATE provision SET contract = 'HT-OTHER' WHERE id = :id")
    postgresql = agency.world.application.database.dialect == "postgresql"
    async with agency.world.application.database.unit_of_work() as unit:
        await unit.session.execute(edit, {"id": identity if postgresql else identity.bytes})
    for who in (agency.asker, "auditor"):
        problem(await agency.call(who, "GET", provision), 404, "not_found")
    problem(await agency.package(provision), 404, "not_found")


async def test_what_is_no_key_is_refused(agency: Agency) -> None:
    _, provision = await agency.begun(await agency.people(1))
    path = f"{provision}/packages"
    useless = {"recipient_key": "duanhao-recipient-1:" + "A" * 43}
    problem(await agency.call(agency.asker, "POST", path, useless), 422, "recipient_key_not_usable")
    problem(await agency.call(agency.asker, "POST", path, {"recipient_key": "x"}), 422, "invalid_request")
    assert await agency.state(provision) == "open"


class TestSealing:
    def sealed(self, key: bytes | None) -> tuple[bytes, str | None]:
        made = seal_package({"people": []}, package=UUID(int=1), provision=UUID(int=2), at=NOON, public_key=key)
        return made.parcel, made.passphrase

    async def test_keys_are_read_as_they_are_written(self) -> None:
        assert read_public(KEYS.public_text()) == KEYS.public
        assert RecipientKeys.read(KEYS.secret_text()).public == KEYS.public
        assert repr(KEYS).startswith("<recipient's keys")
        with pytest.raises(NotOpened, match="no key file"):
            RecipientKeys.read(KEYS.public_text())

    async def test_another_key_or_passphrase_opens_nothing(self) -> None:
        to_key, _ = self.sealed(KEYS.public)
        under, passphrase = self.sealed(None)
        assert KEYS.open(to_key) == {"people": []}
        assert passphrase is not None
        assert open_with_passphrase(passphrase.replace("-", " "), under) == {"people": []}
        with pytest.raises(NotOpened, match="sealed to"):
            RecipientKeys.new().open(to_key)
        with pytest.raises(NotOpened, match="sealed to passphrase"):
            KEYS.open(under)
        with pytest.raises(NotOpened, match="sealed to the key"):
            open_with_passphrase(passphrase, to_key)
        with pytest.raises(NotOpened, match="not for what it was opened with"):
            open_with_passphrase(new_passphrase(), under)

    @pytest.mark.parametrize("at", [0, 25, 60, 120, -40, -1])
    async def test_a_package_that_was_touched_does_not_open(self, at: int) -> None:
        whole, _ = self.sealed(KEYS.public)
        touched = bytearray(whole)
        touched[at] ^= 1
        for each in (bytes(touched), whole[:-1], whole[:90], b""):
            with pytest.raises(NotOpened):
                KEYS.open(each)

    async def test_the_header_tells_everybody_what_it_is_and_nothing_else(self) -> None:
        whole, _ = self.sealed(KEYS.public)
        assert PACKAGE.header(whole).keys() == {"package", "provision", "made_at", "to"}
