"""The whole way over HTTP: asked for, decided, consented to one by one, packaged once, opened by its recipient, brought back."""

import json
import stat
from base64 import b64decode
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.cli.packages import make_keys, open_package
from app.provisions.sealing import RecipientKeys
from tests.provisions.agency import KEYS, PROVISIONS, RECIPIENT, Agency
from tests.support.problems import faults, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_from_the_request_to_the_confirmed_return(
    agency: Agency, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, refuses, third = people = await agency.people(3)
    path = await agency.filed(agency.form(people, "mobile", "email"))
    assert await agency.through(path, "head", "steward") == "pending"
    assert (await agency.request(path))["step"] == "consent"
    assert await agency.say(path, first.name) == "pending"
    assert await agency.say(path, refuses.name, "reject") == "pending"
    assert await agency.say(path, third.name) == "active"
    provision = await agency.provision(path)
    assert make_keys(tmp_path / "key") == 0
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    keys = RecipientKeys.read((tmp_path / "key").read_text())
    answer = await agency.package(provision, keys=keys)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["people"], made["left_out"], made["passphrase"]) == (2, 1, None)
    assert answer.headers["Cache-Control"] == "no-store"
    assert first.mobile not in answer.text
    (tmp_path / "package").write_bytes(b64decode(made["content"]))
    capsys.readouterr()
    assert open_package(tmp_path / "package", key=tmp_path / "key", passphrase=None, as_json=True) == 0
    content = json.loads(capsys.readouterr().out)
    card = await agency.read(first.name, first.path)
    assert content["watermark"] == made["watermark"]
    assert RECIPIENT["name"] in content["watermark"]
    assert made["id"] in content["watermark"]
    assert content["left_out"] == 1
    values = {each["name"]: each["fields"] for each in content["people"]}
    assert values[card["name"]] == {"mobile": first.mobile, "email": card["email"]["value"]}
    assert len(values) == 2
    problem(await agency.package(provision, keys=keys), 409, "provision_package_taken")
    assert await agency.state(provision) == "provided"
    await returned(agency, provision)


async def returned(agency: Agency, provision: str) -> None:
    problem(await agency.confirm(provision), 409, "provision_nothing_out")
    problem(await agency.declare(provision, "colleague"), 404, "not_found")
    assert (await agency.declare(provision)).status_code == 201
    problem(await agency.declare(provision), 409, "provision_nothing_out")
    for who in (agency.asker, "colleague", "infosec", "head"):
        problem(await agency.confirm(provision, who), 403, "not_permitted")
    assert (await agency.confirm(provision, decision="refuse")).json()["state"] == "provided"
    assert (await agency.declare(provision, kind="returned")).status_code == 201
    assert (await agency.confirm(provision)).json()["state"] == "returned"
    found = await agency.read("auditor", provision)
    said = [(each["said"], each["kind"]) for each in found["returns"]]
    assert said == [
        ("declared", "destroyed"),
        ("refused", "destroyed"),
        ("declared", "returned"),
        ("confirmed", "returned"),
    ]
    assert datetime.fromisoformat(found["keep_until"]) == agency.clock.now() + timedelta(days=1096)
    types = [each[0] for each in await agency.told(provision)]
    assert types == ["prepared", "fetched", "declared", "due", "declared", "returned"]


async def test_the_record_says_who_and_which_and_never_what(agency: Agency) -> None:
    one, two = people = await agency.people(2)
    _, provision = await agency.begun(people, "mobile")
    content = await agency.packaged(provision)
    found = await agency.call("steward", "GET", provision)
    assert {each["contact"]["id"] for each in found.json()["people"]} == {str(one.id), str(two.id)}
    assert all(each["provided"] == ["mobile"] for each in found.json()["people"])
    assert found.json()["to"] == {**RECIPIENT}
    assert not [each for each in (*one.secrets, *two.secrets) if each in found.text]
    (look,) = await agency.events("provision.package", provision)
    assert {str(each) for cohort in look.cohorts for each in cohort.contacts} == {str(one.id), str(two.id)}
    assert all(dict(cohort.states) == {"mobile": "shown"} for cohort in look.cohorts)
    (write,) = await agency.events("provision.provide", provision)
    assert (write.query or {})["package"] == content["package"]
    own = (await agency.read(one.name, "/v1/me/viewed-by"))["items"]
    assert [each["fields"] for each in own if each["action"] == "provision.package"] == [{"mobile": "shown"}]


@pytest.mark.parametrize("table", ["provision", "provision_consent", "provision_package", "provision_part"])
async def test_nothing_of_a_provision_is_deleted(agency: Agency, table: str) -> None:
    people = await agency.people(1)
    _, provision = await agency.begun(people)
    await agency.packaged(provision)
    with pytest.raises(DBAPIError):
        async with agency.world.application.database.unit_of_work() as unit:
            await unit.session.execute(text(f"DELETE FROM {table}"))
    answer = await agency.call("steward", "DELETE", provision)
    assert answer.status_code == 405


async def test_a_passphrase_is_told_once_and_opens_it(
    agency: Agency, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = people = await agency.people(1)
    _, provision = await agency.begun(people)
    made = (await agency.package(provision, keys=None)).json()
    file = tmp_path / "package"
    file.write_bytes(b64decode(made["content"]))
    capsys.readouterr()
    assert open_package(file, key=None, passphrase=made["passphrase"].lower(), as_json=False) == 0
    told = capsys.readouterr().out.strip().split("\n")
    assert told[0] == told[-1] == made["watermark"]
    assert f"  mobile: {one.mobile}" in told
    assert open_package(file, key=None, passphrase="A" * 30, as_json=False) == 2
    (tmp_path / "key").write_text(KEYS.secret_text())
    assert open_package(file, key=tmp_path / "key", passphrase=None, as_json=False) == 2
    assert capsys.readouterr().out == ""
    assert made["passphrase"] not in (await agency.call("auditor", "GET", provision)).text


async def test_not_brought_back_costs_whoever_answers_for_it(agency: Agency) -> None:
    mate = (await agency.people(1, department="RD"))[0]
    _, again = await agency.begun(await agency.people(1), days=60)
    _, provision = await agency.begun(await agency.people(2), days=20)
    await agency.packaged(provision)
    before = (await agency.read(agency.asker, mate.path))["mobile"]["value"]
    await agency.pass_(days=14)
    assert await agency.state(provision) == "provided"
    await agency.pass_(days=7)
    assert await agency.state(provision) == "overdue"
    assert await agency.marks() == {"overdue_return"}
    capped = (await agency.read(agency.asker, mate.path))["mobile"]["value"]
    assert capped == "***" != before
    assert (await agency.read("auditor", provision))["overdue"] is True
    asked = await agency.file(agency.form(await agency.people(1)))
    assert faults(asked) == [("/form/fields/0", "beyond_reach")]
    problem(await agency.package(again), 403, "provision_marked")
    assert (await agency.declare(provision)).status_code == 201
    assert await agency.marks() == {"overdue_return"}, "until it is confirmed"
    assert (await agency.confirm(provision)).json()["state"] == "destroyed"
    assert await agency.marks() == frozenset()
    assert (await agency.package(again)).status_code == 201
    told = await agency.told(provision)
    assert [each[0] for each in told if each[0] != "ended"] == [
        "prepared",
        "fetched",
        "due",
        "overdue",
        "declared",
        "destroyed",
    ]
    assert ("overdue", {str(agency.world.people[agency.asker])}, ("administration", "infosec")) in told
    (marked,) = await agency.events("provision.mark", provision)
    assert marked.actor_type == "system"


async def test_lists(agency: Agency) -> None:
    (one,) = people = await agency.people(1)
    contract = "采购[2026]第18号"
    path = await agency.filed(agency.form(people), contract=contract)
    await agency.through(path, "head", "steward", one.name)
    provision = (await agency.provision(path)).rpartition("/")[2]

    async def ids(who: str, **params: object) -> list[str]:
        return [each["id"] for each in (await agency.read(who, PROVISIONS, **params))["items"]]

    for who in (agency.asker, one.name, "steward", "infosec", "auditor"):
        assert await ids(who, contract=contract) == [provision], who
        assert await ids(who, contract=contract, state="open") == [provision], who
        assert await ids(who, contract=contract, state="overdue") == [], who
    assert await ids("colleague", contract=contract) == []
    assert await ids("auditor", contact=str(one.id)) == [provision]
    assert await ids(one.name, contact=str(one.id)) == [provision]
    problem(await agency.call(agency.asker, "GET", PROVISIONS, contact=str(one.id)), 403, "not_permitted")
    first = await agency.read("auditor", PROVISIONS, limit=1)
    assert first["next"]
    second = await agency.read("auditor", PROVISIONS, limit=1, cursor=first["next"])
    assert second["items"][0]["id"] != first["items"][0]["id"]
    problem(await agency.call("steward", "GET", PROVISIONS, limit=1, cursor=first["next"]), 422, "bad_cursor")


async def test_to_whom_it_does_not_concern_it_is_not_there(agency: Agency) -> None:
    consents, refuses = people = await agency.people(2)
    path = await agency.filed(agency.form(people))
    await agency.through(path, "head", "steward", consents.name)
    await agency.say(path, refuses.name, "reject")
    provision, absent = await agency.provision(path), f"{PROVISIONS}/{consents.id}"
    for who in ("colleague", "head", refuses.name):
        answers = [await agency.call(who, "GET", each) for each in (provision, absent)]
        answers += [await agency.package(each, who) for each in (provision, absent)]
        answers += [await agency.declare(each, who) for each in (provision, absent)]
        for each in answers:
            problem(each, 404, "not_found")
    own = await agency.read(consents.name, provision)
    assert [each["contact"]["id"] for each in own["people"]] == [str(consents.id)]
    assert (own["asked"], own["package"], own["returns"]) == (None, None, [])
    asked = await agency.request(path, refuses.name)
    assert asked["form"]["contacts"] == [str(refuses.id)]
    (step,) = [each for each in asked["steps"] if each["id"] == "consent"]
    assert [each["person"]["id"] for each in step["people"]] == [str(refuses.id)]
