"""Requests to purge, walked over HTTP: what goes, that it goes for good and once, what stays, and who may ask for what."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from app.contacts.proposals import ProposalBoxes
from app.crypto import quarters
from app.crypto.errors import SealBroken
from app.crypto.stored import stored_key
from app.kit.models import new_id
from tests.effects.directory_walking import filed, read, said
from tests.history.purges import (
    AUTUMN,
    COMPANY,
    CUT,
    SUMMER,
    amend,
    asked,
    at,
    envelopes,
    history,
    openable,
    purged,
    raw,
    requested,
    told,
    with_a_past,
)
from tests.provisions.agency import Agency
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.problems import faults, problem
from tests.support.shared import add_department, add_person

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("closed")]

REASON: Final = "audit.reason"


async def test_what_is_old_goes_for_good_and_all_else_stays(shared: World) -> None:
    someone = await with_a_past(shared)
    application = shared.application
    async with application.database.unit_of_work() as unit:
        own = await stored_key(unit.session, someone.id)
    kept = application.sealer.existing(someone.id, own).seal(REASON, "asked on the telephone").envelope
    card = await shared.card(someone.name, someone.name)
    assert card["mobile"]["value"] == f"138300{someone.number}"
    before = await envelopes(shared, someone.id)
    old = [each for each in before if each[1] < AUTUMN]
    assert [await openable(shared, someone.id, *each[::2]) for each in before[::5]] == [1] * len(before[::5])
    assert await told(shared, someone, "title") == ["职务1", "职务2", "职务3"]

    path = await requested(shared, someone)
    asked_for = await read(shared, "infosec", path)
    found = asked_for["form"]["found"]
    assert (found["subjects"], found["keys"], found["quarters"]) == (1, 2, ["2019-Q2", "2019-Q3"])
    assert (found["changes"], found["left"], found["held"]) == (len(old), 0, 0)
    assert await told(shared, someone, "title") == ["职务1", "职务2", "职务3"]
    assert (await said(shared, "infosec", path))["state"] == "completed"

    for who in (someone.name, "hr", "steward"):
        assert await told(shared, someone, "title", who) == [None, "职务2", "职务3"]
    assert len(await told(shared, someone, "mobile")) == 4
    assert (await told(shared, someone, "mobile"))[:2] == [None, None]
    assert (await shared.card(someone.name, someone.name))["version"] == card["version"]
    names = {each["field"] for each in await history(shared, someone) if each["state"] == "purged"}
    assert {"kind", "name", "mobile", "wechat", "title"} <= names
    assert await envelopes(shared, someone.id) == before
    assert [await openable(shared, someone.id, *each[::2]) for each in old] == [0] * len(old)
    later = [each for each in before if each[1] >= AUTUMN]
    assert [await openable(shared, someone.id, *each[::2]) for each in later] == [1] * len(later)
    assert await openable(shared, someone.id, REASON, kept) == 1
    await amend(shared, someone.id, title="职务4")
    assert await told(shared, someone, "title") == [None, "职务2", "职务3", "职务4"]


async def test_a_value_that_waited_closed_goes_too(shared: World) -> None:
    someone = await add_person(shared)
    application, number = shared.application, "+8613900005555"
    async with application.database.unit_of_work() as unit:
        waiting = await ProposalBoxes(application.sealer).seal(unit, someone.id, {"mobile": number})
    with at(shared, SUMMER):
        await amend(shared, someone.id, waiting)
    assert await told(shared, someone, "mobile") == [someone.mobile, number.removeprefix("+86")]
    ((field, _, envelope),) = [each for each in await envelopes(shared, someone.id) if each[1] < AUTUMN]
    assert waiting["mobile"].envelope not in envelope
    await purged(shared, someone)
    assert await told(shared, someone, "mobile") == [someone.mobile, None]
    assert await openable(shared, someone.id, field, envelope) == 0
    assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == number.removeprefix("+86")


async def test_a_department_with_all_below_it_and_nobody_else(shared: World) -> None:
    above = await add_department(shared)
    below = await add_department(shared, parent=above)
    inside, deep, outside = [await with_a_past(shared, department=each) for each in (above, below, "RD")]
    path = await requested(shared, inside, scope="department", contacts=None, department=above)
    assert (await read(shared, "steward", path))["form"]["found"]["subjects"] == 2
    await said(shared, "infosec", path)
    assert [(await told(shared, each, "title"))[0] for each in (inside, deep, outside)] == [None, None, "职务1"]


async def test_the_whole_company(shared: World) -> None:
    people = [await with_a_past(shared) for _ in range(2)]
    await purged(shared, people[0], scope="all", contacts=None)
    assert [(await told(shared, each, "title"))[0] for each in people] == [None, None]
    again = await asked(shared, people[0], scope="all", contacts=None)
    problem(again, 409, "nothing_to_purge")


async def test_what_the_cards_key_sealed_before_is_counted_and_left(shared: World) -> None:
    someone = await with_a_past(shared)
    application = shared.application
    async with application.database.unit_of_work() as unit:
        own = application.sealer.existing(someone.id, await stored_key(unit.session, someone.id))
    postgresql = application.database.dialect == "postgresql"
    await raw(
        shared,
        "INSERT INTO contact_change (id, contact_id, row_version, field, value, at, actor_type, actor_id)"
        " VALUES (:id, :contact, 1, 'title', :value, :at, 'operator', 'os:before')",
        id=new_id() if postgresql else new_id().bytes,
        contact=someone.id if postgresql else someone.id.bytes,
        value=own.seal("title", "从前").envelope,
        at=SUMMER if postgresql else int(SUMMER.timestamp() * 1_000_000),
    )
    path = await requested(shared, someone)
    assert (await read(shared, "steward", path))["form"]["found"]["left"] == 1
    done = await said(shared, "infosec", path)
    assert (done["state"], (await read(shared, "steward", path))["effects"][0]["result"]["left"]) == ("completed", 1)
    assert "从前" in await told(shared, someone, "title")


class TestAsking:
    @pytest.mark.parametrize(
        ("form", "pointer", "code"),
        [
            ({"before": "2019-09-30"}, "/form/before", "no_quarter"),
            ({"before": "2019-13-01"}, "/form/before", "form_format"),
            ({"scope": "department"}, "/form/department", "unfit_scope"),
            ({"scope": "all"}, "/form/contacts", "unfit_scope"),
            ({"scope": "department", "contacts": None, "department": "NONE"}, "/form/department", "unknown_department"),
            ({"contacts": [str(UUID(int=7))]}, "/form/contacts/0", "unknown_contact"),
            ({"keep": [str(UUID(int=7))]}, "/form/keep/0", "unknown_contact"),
            ({"scope": "everything"}, "/form/scope", "form_enum"),
            ({"reason": "so"}, "/form/reason", "form_minLength"),
        ],
    )
    async def test_what_is_no_purge(self, shared: World, form: dict[str, Any], pointer: str, code: str) -> None:
        someone = await add_person(shared)
        answer = await asked(shared, someone, **form)
        assert answer.status_code == 422
        assert faults(answer) == [(pointer, code)]

    async def test_what_the_company_keeps_is_out_of_reach(self, shared: World) -> None:
        someone = await with_a_past(shared)
        newest = shared.application.history.purger.newest()
        today = shared.application.clock.now()
        assert newest == quarters.begins(quarters.earlier(quarters.quarter_of(today), 12))
        following = quarters.begins(quarters.quarter_on(newest + timedelta(days=100)))
        answer = await asked(shared, someone, before=following.isoformat())
        assert faults(answer) == [("/form/before", "kept")]
        assert f"{newest}" in answer.json()["errors"][0]["detail"]
        tomorrow = date.fromisoformat(newest.isoformat())
        assert (await asked(shared, someone, before=tomorrow.isoformat())).status_code == 201

    async def test_only_the_steward_asks_and_only_security_decides(self, shared: World) -> None:
        someone = await with_a_past(shared)
        for who in ("staff", "hr", "infosec", "auditor"):
            problem(await asked(shared, someone, who=who), 403, "may_not_file")
        both = await add_person(shared, department="SEC", roles=("infosec", "directory_steward"), tier="T5")
        path = await requested(shared, someone)
        for who in ("steward", "auditor", "hr"):
            answer = await (await shared.as_(who)).post(f"{path}/decisions", json={"decision": "approve"})
            assert answer.status_code in {403, 404}, answer.text
        await said(shared, both.name, path)
        own = await asked(shared, await with_a_past(shared), who=both.name)
        assert own.status_code == 201
        answer = await (await shared.as_(both.name)).post(
            f"{own.headers['Location']}/decisions", json={"decision": "approve"}
        )
        assert answer.status_code == 403
        await (await shared.as_(both.name)).post(f"{own.headers['Location']}/withdrawals")

    async def test_another_subject_is_absent(self, shared: World) -> None:
        client = await shared.as_("steward")
        body = {"kind": "purge.history", "subject": {"type": "history", "id": "other"}}
        form = {"before": CUT, "scope": "all", "reason": "past its time"}
        problem(await client.post("/v1/requests", json={**body, "form": form}), 404, "not_found")

    async def test_a_preview_names_the_chain_and_changes_nothing(self, shared: World) -> None:
        someone = await with_a_past(shared)
        form = {"before": CUT, "scope": "contacts", "contacts": [str(someone.id)], "reason": "past its time"}
        body = {"kind": "purge.history", "subject": dict(zip(("type", "id"), COMPANY, strict=True)), "form": form}
        answer = await (await shared.as_("steward")).post("/v1/request-previews", json=body)
        assert answer.status_code == 200, answer.text
        assert [each["id"] for each in answer.json()["steps"]] == ["steward", "infosec"]
        assert answer.json()["form"]["found"]["keys"] == 2
        assert await told(shared, someone, "title") == ["职务1", "职务2", "职务3"]


class TestEnding:
    async def test_until_it_is_decided_it_can_be_withdrawn_and_afterwards_nothing_takes_it_back(
        self, shared: World
    ) -> None:
        someone = await with_a_past(shared)
        path = await requested(shared, someone)
        answer = await (await shared.as_("steward")).post(f"{path}/withdrawals")
        assert answer.json()["state"] == "withdrawn", answer.text
        assert (await told(shared, someone, "title"))[0] == "职务1"
        path = await requested(shared, someone)
        await said(shared, "infosec", path)
        for who in ("steward", "infosec"):
            for what in ("withdrawals", "revocations"):
                answer = await (await shared.as_(who)).post(f"{path}/{what}", json={"comment": "we want it back"})
                assert answer.status_code in {403, 404, 409, 422}, answer.text
        assert (await told(shared, someone, "title"))[0] is None

    async def test_what_is_no_more_as_it_was_asked_is_decided_anew(self, shared: World) -> None:
        someone, other = await with_a_past(shared), await with_a_past(shared)
        both = [str(someone.id), str(other.id)]
        path = await requested(shared, someone, contacts=both)
        another = await add_person(shared, department="ADMIN", roles=("directory_steward",), tier="T4")
        quicker = await asked(shared, other, who=another.name)
        await said(shared, "infosec", quicker.headers["Location"])
        assert (await said(shared, "infosec", path))["state"] == "needs_reapproval"
        assert (await told(shared, someone, "title"))[0] == "职务1"
        answer = await (await shared.as_("steward")).post(f"{path}/amendments", json={})
        assert answer.status_code == 200, answer.text
        assert (await read(shared, "infosec", path))["form"]["found"]["subjects"] == 1
        assert (await said(shared, "infosec", path))["state"] == "completed"
        assert (await told(shared, someone, "title"))[0] is None


class TestHolding:
    async def test_whom_an_open_request_is_about_is_spared_until_it_is_decided(self, shared: World) -> None:
        someone, other = await with_a_past(shared), await with_a_past(shared)
        both = [str(someone.id), str(other.id)]
        open_one = await filed(
            shared,
            someone.name,
            "contact.change",
            ("contact", someone.id),
            changes={"duties": "值班"},
            reason="new duties",
        )
        path = await requested(shared, someone, contacts=both)
        assert (await read(shared, "infosec", path))["form"]["found"]["held"] == 1
        await said(shared, "infosec", path)
        result = (await read(shared, "infosec", path))["effects"][0]["result"]
        assert (result["subjects"], result["held"]) == (1, 1)
        assert [(await told(shared, each, "title"))[0] for each in (someone, other)] == ["职务1", None]
        await (await shared.as_(someone.name)).post(f"{open_one}/withdrawals")
        await purged(shared, someone, contacts=both)
        assert (await told(shared, someone, "title"))[0] is None

    async def test_whose_data_somebody_outside_has_is_spared(self, shared: World) -> None:
        someone, other = await with_a_past(shared), await with_a_past(shared)
        await Agency(shared, FrozenClock(datetime.now(UTC))).begun([someone])
        await purged(shared, someone, contacts=[str(someone.id), str(other.id)])
        assert [(await told(shared, each, "title"))[0] for each in (someone, other)] == ["职务1", None]

    async def test_whom_the_request_keeps_is_kept(self, shared: World) -> None:
        someone, other = await with_a_past(shared), await with_a_past(shared)
        await purged(shared, someone, contacts=[str(someone.id), str(other.id)], keep=[str(someone.id)])
        assert [(await told(shared, each, "title"))[0] for each in (someone, other)] == ["职务1", None]


class TestOnce:
    async def test_two_who_decide_at_once_purge_once(self, shared: World) -> None:
        someone = await with_a_past(shared)
        second = await add_person(shared, department="SEC", roles=("infosec",), tier="T5")
        path = await requested(shared, someone)
        clients = [await shared.as_(each) for each in ("infosec", second.name)]
        answers = await asyncio.gather(
            *(each.post(f"{path}/decisions", json={"decision": "approve"}) for each in clients)
        )
        assert min(each.status_code for each in answers) == 200
        assert (await read(shared, "steward", path))["state"] == "completed"
        assert len((await read(shared, "steward", path))["effects"]) == 1
        ((count,),) = await raw(shared, "SELECT count(*) FROM history_purge WHERE note LIKE :id", id=f"%{path[-36:]}%")
        assert count == 1

    async def test_what_is_cut_off_between_decision_and_effect_never_happened(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        someone = await with_a_past(shared)
        path = await requested(shared, someone)

        async def cut_off(*_: object) -> None:
            message = "the process dies"
            raise RuntimeError(message)

        with monkeypatch.context() as patch:
            patch.setattr("app.history.service.add_intent", cut_off)
            client = await shared.as_("infosec")
            answer = await client.post(f"{path}/decisions", json={"decision": "approve"})
            problem(answer, 500, "internal_error")
        assert (await read(shared, "steward", path))["state"] == "pending"
        assert (await told(shared, someone, "title"))[0] == "职务1"
        assert (await said(shared, "infosec", path))["state"] == "completed"
        assert (await told(shared, someone, "title"))[0] is None

    async def test_what_is_written_meanwhile_is_readable_or_purged_and_nothing_else(self, shared: World) -> None:
        someone = await with_a_past(shared)
        path = await requested(shared, someone)

        async def write() -> None:
            for step in range(6):
                await amend(shared, someone.id, duties=f"值班{step}")

        with at(shared, SUMMER):
            decided, _ = await asyncio.gather(said(shared, "infosec", path), write())
        assert decided["state"] in {"completed", "needs_reapproval"}
        duties = await told(shared, someone, "duties")
        assert len(duties) == 6
        assert all(each is None or each == f"值班{step}" for step, each in enumerate(duties))
        await amend(shared, someone.id, duties="此后")
        assert (await told(shared, someone, "duties"))[-1] == "此后"


class TestTampering:
    async def test_a_destroyed_key_neither_comes_back_nor_goes_without_a_trace(self, shared: World) -> None:
        someone = await with_a_past(shared)
        await purged(shared, someone)
        for statement in (
            "UPDATE history_key SET wrapped = handle, destroyed_at = NULL, purge_id = NULL WHERE wrapped IS NULL",
            "DELETE FROM history_key WHERE wrapped IS NULL",
            "UPDATE history_key SET quarter = 20194 WHERE quarter = 20193",
            "UPDATE history_purge SET note = 'nothing'",
            "DELETE FROM history_purge",
        ):
            with pytest.raises(DBAPIError, match=r"destroyed once|append-only|permission denied"):
                await raw(shared, statement)

    async def test_a_key_in_anothers_place_opens_nothing(self, shared: World) -> None:
        someone, other = await with_a_past(shared), await with_a_past(shared)
        postgresql = shared.application.database.dialect == "postgresql"
        one, two = [each.id if postgresql else each.id.bytes for each in (someone, other)]
        await raw(
            shared,
            "UPDATE history_key SET wrapped = (SELECT wrapped FROM history_key WHERE subject_id = :two AND quarter = 20193)"
            " WHERE subject_id = :one AND quarter = 20193",
            one=one,
            two=two,
        )
        answer = await (await shared.as_(someone.name)).get(f"{someone.path}/history", params={"limit": 200})
        problem(answer, 500, SealBroken.code)
        assert "职务" not in answer.text
