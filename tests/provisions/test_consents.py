"""Separate consent: who refuses, is silent or takes it back is not provided; nobody else's data wait for them or go with them."""

import pytest

from app.permissions.marks import MarkKind, MarkReason
from tests.hr.calls import applied
from tests.hr.events import left
from tests.provisions.agency import Agency
from tests.support.grants import set_mark
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def names(agency: Agency, provision: str) -> set[str]:
    return {each["fields"]["mobile"] for each in (await agency.packaged(provision))["people"]}


async def test_whoever_is_silent_is_left_out_when_the_time_is_over(agency: Agency) -> None:
    says, silent = people = await agency.people(2)
    path = await agency.filed(agency.form(people, days=60))
    await agency.through(path, "head", "steward", says.name)
    await agency.pass_(days=10)
    assert (await agency.request(path))["state"] == "pending"
    await agency.pass_(days=10)
    assert (await agency.request(path))["state"] == "active"
    answer = await agency.call(silent.name, "POST", f"{path}/decisions", {"decision": "approve"})
    problem(answer, 409, "request_not_open")
    assert await names(agency, await agency.provision(path)) == {says.mobile}


async def test_whoever_leaves_is_not_waited_for(agency: Agency) -> None:
    """Of who left nobody gives the consent: the others are provided at once, and of nobody there is nothing to provide."""
    says, leaves = people = await agency.people(2)
    path = await agency.filed(agency.form(people))
    await agency.through(path, "head", "steward", says.name)
    alone = await agency.people(1)
    other = await agency.filed(agency.form(alone))
    await agency.through(other, "head", "steward")
    await set_mark(agency.world, alone[0].name, reason=MarkReason.LEAVE)
    await agency.pass_(minutes=1)
    assert (await agency.request(path))["state"] == (await agency.request(other))["state"] == "pending"
    for each in (leaves, alone[0]):
        await applied(agency.world, left(f"N{each.number}"))
    await agency.pass_(minutes=1)
    found = await agency.request(path)
    assert found["state"] == "active", found["problem"]
    assert await names(agency, await agency.provision(path)) == {says.mobile}
    assert [(each["decision"], each["moved"]) for each in found["steps"][-1]["people"]] == [
        ("approve", False),
        (None, True),
    ]
    assert (await agency.request(other))["state"] == "rejected"


@pytest.mark.parametrize("words", [("reject", "reject"), ("reject", None), (None, None)])
async def test_without_anybody_nothing_is_provided(agency: Agency, words: tuple[str | None, ...]) -> None:
    people = await agency.people(2)
    path = await agency.filed(agency.form(people, days=90))
    await agency.through(path, "head", "steward")
    for each, word in zip(people, words, strict=True):
        if word is not None:
            await agency.say(path, each.name, word)
    await agency.pass_(days=30)
    found = await agency.request(path)
    assert found["state"] == ("timed_out" if None in words else "rejected")
    assert found["effects"] == []


async def test_taken_back_before_the_last_has_answered(agency: Agency) -> None:
    """Hard test 44, before."""
    regrets, stays = people = await agency.people(2)
    path = await agency.filed(agency.form(people))
    await agency.through(path, "head", "steward", regrets.name)
    assert "revocations" in (await agency.request(path, regrets.name))["actions"]
    assert (await agency.withdraw(path, regrets.name)).json()["state"] == "pending"
    problem(await agency.withdraw(path, regrets.name), 403, "not_asked")
    answer = await agency.call(regrets.name, "POST", f"{path}/decisions", {"decision": "approve"})
    problem(answer, 409, "already_decided")
    assert await agency.say(path, stays.name) == "active"
    assert await names(agency, await agency.provision(path)) == {stays.mobile}


async def test_taken_back_before_the_package(agency: Agency) -> None:
    regrets, stays = people = await agency.people(2)
    path, provision = await agency.begun(people)
    assert (await agency.withdraw(path, regrets.name)).json()["state"] == "active"
    assert await names(agency, provision) == {stays.mobile}
    found = await agency.read("auditor", provision)
    withdrawn = {each["contact"]["id"] for each in found["people"] if each["withdrawn_at"]}
    assert withdrawn == {str(regrets.id)}
    assert found["package"]["left_out"] == 1


async def test_taken_back_after_the_package_whoever_answers_is_told(agency: Agency) -> None:
    """Hard test 44, after."""
    regrets, stays = people = await agency.people(2)
    path, provision = await agency.begun(people)
    await agency.packaged(provision)
    assert (await agency.withdraw(path, regrets.name)).json()["state"] == "active"
    asker = str(agency.world.people[agency.asker])
    assert (await agency.told(provision))[-1] == ("consent_withdrawn", {asker}, ("administration", "infosec"))
    (event,) = await agency.events("provision.withdraw", provision)
    assert (event.query or {})["provided"] is True
    assert (await agency.withdraw(path, stays.name)).json()["state"] == "revoked"
    found = await agency.read("auditor", provision)
    assert (found["state"], found["cause"]) == ("provided", "consent_withdrawn")
    assert all(each["withdrawn_at"] for each in found["people"])
    assert found["return_by"] < found["ends_at"]
    assert (await agency.told(provision))[-1][0] == "revoked"


async def test_who_refused_takes_nothing_back_and_revokes_nothing(agency: Agency) -> None:
    consents, refuses = people = await agency.people(2)
    path = await agency.filed(agency.form(people))
    await agency.through(path, "head", "steward", consents.name)
    await agency.say(path, refuses.name, "reject")
    problem(await agency.withdraw(path, refuses.name), 403, "not_asked")
    assert await agency.state(await agency.provision(path)) == "open"


async def test_taken_back_as_a_whole_before_the_package_there_is_none(agency: Agency) -> None:
    path, provision = await agency.begun(await agency.people(1))
    revoked = await agency.call("steward", "POST", f"{path}/revocations", {"reason": "The contract was not signed"})
    assert revoked.json()["state"] == "revoked"
    problem(await agency.package(provision), 409, "provision_ended")
    found = await agency.read("auditor", provision)
    assert (found["state"], found["cause"], bool(found["keep_until"])) == ("lapsed", "revoked", True)


async def test_tightened_meanwhile_it_is_approved_again(agency: Agency) -> None:
    """Hard test 47: what whoever answers could be given when it was filed is not what they could be given now."""
    (one,) = people = await agency.people(1)
    path = await agency.filed(agency.form(people))
    await agency.through(path, "head", "steward")
    await set_mark(agency.world, agency.asker, MarkKind.UNTRAINED, MarkReason.NOT_TRAINED)
    assert await agency.say(path, one.name) == "needs_reapproval"
    assert (await agency.request(path))["effects"] == []


async def test_the_term_is_over_before_the_package(agency: Agency) -> None:
    _, provision = await agency.begun(await agency.people(1), days=2)
    agency.clock.advance(days=2)
    problem(await agency.package(provision), 409, "provision_ended")
    await agency.pass_(minutes=1)
    assert await agency.state(provision) == "lapsed"
    assert await agency.marks() == frozenset()


async def test_a_decision_shortens_the_term_and_lengthens_it_never(agency: Agency) -> None:
    """Hard test 46."""
    (one,) = people = await agency.people(1)
    form, later = agency.form(people, days=30), agency.form(people, days=60)["until"]
    path = await agency.filed(form)
    longer = {"decision": "approve", "shorten": {"until": later}}
    problem(await agency.call("head", "POST", f"{path}/decisions", longer), 422, "not_shorter")
    await agency.say(path, "head", shorten={"until": agency.form(people, days=5)["until"]})
    await agency.through(path, "steward", one.name)
    found = await agency.read("auditor", await agency.provision(path))
    assert found["ends_at"] < form["until"]


async def test_nobody_approves_what_they_gain_or_ask_for(agency: Agency) -> None:
    """Hard tests 35 and 36: whoever answers for it gains by it, and whoever files asks."""
    people = await agency.people(1)
    path = await agency.filed(agency.form(people), beneficiary=agency.world.people["head"])
    asked = (await agency.request(path))["steps"][0]["people"]
    assert str(agency.world.people["head"]) not in {each["person"]["id"] for each in asked}
    refused = await agency.call("head", "POST", f"{path}/decisions", {"decision": "approve"})
    problem(refused, 403, "not_asked")
    own = await agency.filed(agency.form(await agency.people(1)), "steward")
    steps = (await agency.request(own))["steps"]
    assert all(str(agency.world.people["steward"]) not in str(each["people"]) for each in steps)
    problem(await agency.call("steward", "POST", f"{own}/decisions", {"decision": "approve"}), 403, "not_asked")


async def test_whoever_answers_declares_and_administration_that_has_a_part_confirms_nothing(agency: Agency) -> None:
    (one,) = people = await agency.people(1)
    office = await add_person(agency.world, department="RD", roles=("administration",), tier="T4")
    path = await agency.filed(agency.form(people), office.name)
    await agency.through(path, "head", "steward", one.name)
    provision = await agency.provision(path)
    await agency.packaged(provision, office.name)
    assert (await agency.declare(provision, office.name)).status_code == 201
    problem(await agency.confirm(provision, office.name), 403, "provision_own_part")
    assert (await agency.confirm(provision)).json()["state"] == "destroyed"


@pytest.mark.parametrize(
    ("where", "crosses", "chain", "consent"),
    [
        ({"region": "CN"}, [], "standard", "provision"),
        ({"region": "SG"}, ["region"], "crossing", "cross_border"),
    ],
)
async def test_what_crosses_a_border_is_looked_at_once_more(
    agency: Agency, where: dict[str, str], crosses: list[str], chain: str, consent: str
) -> None:
    (one,) = people = await agency.people(1)
    form = agency.form(people)
    form["recipient"] = {**form["recipient"], **where}
    path = await agency.filed(form)
    asked = ["head", "steward", *(["infosec"] if crosses else []), one.name]
    assert await agency.through(path, *asked) == "active"
    assert (await agency.request(path))["chain"] == chain
    found = await agency.read(one.name, await agency.provision(path))
    assert (found["crosses"], found["consent"]) == (crosses, consent)


class TestWhatIsNotAskedFor:
    async def refused(
        self, agency: Agency, form: dict[str, object], contract: str | None = None
    ) -> list[tuple[str, str]]:
        return faults(await agency.file(form, contract=contract))

    async def test_people(self, agency: Agency) -> None:
        (one,) = await agency.people(1)
        (hidden,) = await agency.people(1, status="prehire")
        form = agency.form([one])
        for other in (str(hidden.id), "01936b00-0000-7000-8000-000000000001"):
            asked = {**form, "contacts": [str(one.id), other]}
            assert await self.refused(agency, asked) == [("/form/contacts/1", "unknown_contact")]
        asked = {**form, "contacts": [str(agency.world.people["hotline"])]}
        assert await self.refused(agency, asked) == [("/form/contacts/0", "no_consent_here")]
        asked = {**form, "contacts": [str(one.id)] * 2}
        assert await self.refused(agency, asked) == [("/form/contacts", "form_uniqueItems")]

    async def test_fields_terms_and_contracts(self, agency: Agency) -> None:
        people = await agency.people(1)
        assert await self.refused(agency, agency.form(people, "id_number")) == [("/form/fields/0", "other_class")]
        assert await self.refused(agency, agency.form(people, "shoe_size")) == [("/form/fields/0", "unknown_field")]
        for days in (-1.0, 0.0, 2000.0):
            assert await self.refused(agency, agency.form(people, days=days)) == [("/form/until", "unfit_term")]
        for contract in ("x", "HT\n1", "x" * 65):
            refusal = await self.refused(agency, agency.form(people), contract=contract)
            assert refusal == [("/subject", "malformed_contract")]

    async def test_by_who_carries_a_mark(self, agency: Agency) -> None:
        _, provision = await agency.begun(await agency.people(1))
        await set_mark(agency.world, agency.asker, MarkKind.SUSPENDED, MarkReason.INVESTIGATION)
        problem(await agency.package(provision), 403, "provision_marked")


async def seen_alone(agency: Agency, path: str, who: str) -> tuple[dict[str, object], str]:
    """Read a request as somebody; give what they are told, but for the name of the look, and its version."""
    answer = await agency.call(who, "GET", path)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    del told["disclosure"]
    return told, answer.headers["ETag"]


async def test_nothing_tells_whoever_is_asked_of_the_others(agency: Agency) -> None:
    """Neither body nor ETag moves when another answers, writes or brings a file; and no look of theirs counts as one at the others."""
    one, other = people = await agency.people(2)
    form = agency.form(people)
    path = await agency.filed(form)
    await agency.through(path, "head", "steward")
    before = await seen_alone(agency, path, one.name)
    assert (await agency.call(other.name, "POST", f"{path}/comments", {"text": "wer noch?"})).status_code == 200
    assert await agency.say(path, other.name) == "pending"
    assert await seen_alone(agency, path, one.name) == before
    for part in (str(other.id), other.mobile, "wer noch?", "updated"):
        assert (part in str(before)) is (part == "updated")
    problem(await agency.call(one.name, "GET", f"{path}/attachments"), 404, "not_found")
    listed = await agency.read(one.name, "/v1/requests")
    assert next(each for each in listed["items"] if path.endswith(each["id"]))["version"] == before[0]["version"]
    await agency.world.settle()
    viewers = await agency.read(other.name, "/v1/me/viewed-by")
    assert one.name not in str(viewers)
    assert str(one.id) not in str(viewers)
    headers = {"Authorization": f"Bearer {await agency.world.token(one.name)}", "If-Match": before[1]}
    client = await agency.world.as_(None)
    answered = await client.post(f"{path}/decisions", json={"decision": "approve"}, headers=headers)
    assert answered.status_code == 200, answered.text


async def test_nothing_tells_whoever_consented_that_another_took_it_back(agency: Agency) -> None:
    stays, regrets = people = await agency.people(2)
    path, provision = await agency.begun(people)
    request, read = await seen_alone(agency, path, stays.name), await seen_alone(agency, provision, stays.name)
    assert (await agency.withdraw(path, regrets.name)).json()["state"] == "active"
    assert await seen_alone(agency, path, stays.name) == request
    assert await seen_alone(agency, provision, stays.name) == read
    auditor = await agency.read("auditor", provision)
    assert auditor["version"] != read[0]["version"]
