"""Facts are pushed once, changed by whoever may, and end when they end."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.engagements import service
from app.engagements.rules import MOST_STAFF
from app.kit.models import new_id
from app.permissions.plan import Engagement
from tests.approvals.delegating import same_person
from tests.contacts.partners import add_partner
from tests.engagements.calls import add_business, facts, push, pushed, reference
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Company, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_crm_pushes_and_those_concerned_are_told(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    answer = await push(shared, partner, sales.id, kind="order", order="SO-77", since="2026-01-01T00:00:00Z")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["Location"] == f"{partner.path}/engagements/{body['id']}"
    assert answer.headers["ETag"] == f'"{body["version"]}"'
    expected = {
        "id": body["id"],
        "contact": str(partner.id),
        "account": None,
        "order": "SO-77",
        "ticket": None,
        "state": "open",
        "staff": [{"id": str(sales.id), "since": "2026-01-01T00:00:00Z", "until": None}],
        "since": "2026-01-01T00:00:00Z",
        "until": None,
        "source": {"type": "service", "id": "crm"},
        "version": body["version"],
    }
    assert body == expected
    for who in (sales.name, "outsider", "hr", "steward"):
        assert await facts(shared, who, partner) == [expected], who
        one = await (await shared.as_(who)).get(answer.headers["Location"])
        assert (one.status_code, one.headers["ETag"]) == (200, answer.headers["ETag"])
        assert {name: value for name, value in one.json().items() if name != "disclosure"} == expected
    for who in ("staff", "infosec", "ceo", "intern", "head"):
        assert await facts(shared, who, partner) == [], who
        problem(await (await shared.as_(who)).get(answer.headers["Location"]), 404, "not_found")


async def test_whom_facts_do_not_concern_they_are_not_there(shared: World) -> None:
    """A contact with facts and one without are one answer, but for the record of the look."""
    partner, bare = await add_partner(shared), await add_partner(shared)
    await pushed(shared, partner, (await add_business(shared, "sales")).id)
    client, told = await shared.as_("staff"), []
    for each in (partner, bare):
        answer = await client.get(f"{each.path}/engagements")
        body = answer.json()
        body["disclosure"].pop("event_id")
        told.append((answer.status_code, body, answer.headers["Content-Length"]))
    assert told[0] == told[1]


async def test_absent_and_hidden_contacts_are_one_answer(shared: World) -> None:
    hidden = await add_person(shared, status="prehire")
    for who in ("staff", "hr-system"):
        client = await shared.as_(who)
        told = [(await client.get(f"/v1/contacts/{each}/engagements")).status_code for each in (new_id(), hidden.id)]
        assert told == ([404, 404] if who == "staff" else [403, 403])


async def test_a_push_that_is_sent_again_is_the_same_fact(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    crm, body = await shared.as_("crm"), {"ticket": reference("ticket"), "staff": [str(sales.id)]}
    first = await crm.post(f"{partner.path}/engagements", json=body)
    again = await crm.post(f"{partner.path}/engagements", json=body)
    assert (again.status_code, again.json()) == (201, first.json())
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert len(await facts(shared, sales.name, partner)) == 1
    other = await add_partner(shared)
    for path, change in ((partner.path, {"until": "2099-01-01T00:00:00Z"}), (other.path, {})):
        answer = await crm.post(f"{path}/engagements", json={**body, **change})
        problem(answer, 409, "engagement_reference_reused")
    assert (await push(shared, partner, sales.id, kind="order", order=body["ticket"])).status_code == 201


async def test_a_late_repeat_does_not_bring_back_what_ended(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    crm, body = await shared.as_("crm"), {"order": reference("order"), "staff": [str(sales.id)]}
    first = await crm.post(f"{partner.path}/engagements", json=body)
    path = f"{partner.path}/engagements/{first.json()['id']}"
    assert [(await crm.delete(path)).status_code for _ in range(2)] == [204, 204]
    again = await crm.post(f"{partner.path}/engagements", json=body)
    assert (again.status_code, again.json()["state"], again.json()["staff"]) == (201, "ended", [])
    assert await facts(shared, "hr", partner) == []
    (ended,) = await facts(shared, "hr", partner, state="ended")
    assert ended["id"] == first.json()["id"]


async def test_parallel_pushes_are_one_fact(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    crm, body = await shared.as_("crm"), {"account": reference("account"), "staff": [str(sales.id)]}
    answers = await asyncio.gather(*(crm.post(f"{partner.path}/engagements", json=body) for _ in range(8)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["id"] for each in answers}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 1
    elsewhere = [await add_partner(shared) for _ in range(4)]
    body["account"] = reference("account")
    answers = await asyncio.gather(*(crm.post(f"{each.path}/engagements", json=body) for each in elsewhere))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]


async def test_an_idempotency_key_works_here_too(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    head, key = await shared.as_("hr"), {"Idempotency-Key": f"once-{partner.number}"}
    body = {"order": reference("order"), "staff": [str(sales.id)]}
    answers = [await head.post(f"{partner.path}/engagements", json=body, headers=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    reused = await head.post(f"{partner.path}/engagements", json={**body, "order": "other"}, headers=key)
    problem(reused, 422, "idempotency_key_reused")


async def test_staff_are_named_by_id_or_employee_number(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    fact = await pushed(shared, partner, f"N{sales.number}", shared.people["outsider"])
    (told,) = await facts(shared, "hr", partner)
    assert told["id"] == str(fact.id)
    assert {each["id"] for each in told["staff"]} == {str(sales.id), str(shared.people["outsider"])}


BAD_BODIES: list[tuple[dict[str, Any], str, str]] = [
    ({"account": "A", "order": "O", "staff": ["E2101"]}, "", "one_reference"),
    ({"staff": ["E2101"]}, "", "one_reference"),
    ({"account": "A", "staff": []}, "/staff", "too_few"),
    ({"account": "A", "staff": ["E2101"] * (MOST_STAFF + 1)}, "/staff", "too_many"),
    ({"account": "with space", "staff": ["E2101"]}, "/account", "invalid_value"),
    ({"account": "A", "staff": ["E2101"], "until": "2020-01-01T00:00:00Z"}, "/until", "in_the_past"),
    ({"account": "A", "staff": ["E2101"], "since": "2090-01-01T00:00:00Z"}, "/since", "in_the_future"),
    ({"account": "A", "staff": ["E2101"], "until": "2090-01-01T00:00:00"}, "/until", "invalid_value"),
    ({"account": "A", "staff": ["E2101"], "mobile": "13800000001"}, "/mobile", "unknown_member"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), BAD_BODIES)
async def test_bad_bodies_change_nothing(shared: World, body: dict[str, Any], pointer: str, code: str) -> None:
    partner = await add_partner(shared)
    answer = await (await shared.as_("crm")).post(f"{partner.path}/engagements", json=body)
    problem(answer, 422, "invalid_request")
    assert (pointer, code) in faults(answer)
    assert await facts(shared, "hr", partner) == []


async def test_a_head_pushes_for_what_they_head_and_no_further(shared: World) -> None:
    head = await add_person(shared, department="EXEC", tier="T2", roles=("dept_head",))
    code = await add_department(shared, head=head.id)
    own, other = await add_partner(shared, department=code), await add_partner(shared)
    sales = await add_business(shared, "sales")
    fact = await pushed(shared, own, sales.id, by=head.name)
    (told,) = await facts(shared, head.name, own)
    assert told["source"] == {"type": "person", "id": str(head.id)}
    problem(await push(shared, other, sales.id, by=head.name), 403, "not_permitted")
    problem(await push(shared, own, sales.id, by="outsider"), 403, "insufficient_scope")
    problem(await push(shared, own, sales.id, by="infosec"), 403, "insufficient_scope")
    client = await shared.as_(head.name)
    assert (await client.delete(fact.path)).status_code == 204
    foreign = await pushed(shared, other, sales.id)
    problem(await client.delete(foreign.path), 403, "not_permitted")
    problem(await client.delete(f"{own.path}/engagements/{foreign.id}"), 404, "not_found")


async def test_nobody_puts_themselves_to_work_on_a_customer(shared: World) -> None:
    """Under no account of theirs: rights over the customer come of it. Who was put there by somebody else may say the list again."""
    head = await add_person(shared, department="EXEC", tier="T2", roles=("dept_head", "sales"))
    above, card = await add_person(shared, tier="T2", roles=("dept_head",)), await add_person(shared, department="EXEC")
    outer = await add_department(shared, head=above.id)
    code = await add_department(shared, parent=outer, head=head.id)
    await same_person(shared, head, card)
    own, sales = await add_partner(shared, department=code), await add_business(shared, "sales")
    for staff in ([head.id], [f"N{head.number}"], [sales.id, card.id]):
        problem(await push(shared, own, *staff, by=head.name), 403, "own_assignment")
    batch = [{"contact": str(own.id), "order": "O-1", "staff": [str(head.id)]}]
    answer = await (await shared.as_(head.name)).post("/v1/engagements/batches", json={"items": batch})
    assert answer.json()["items"][0]["problem"]["code"] == "own_assignment", answer.text
    fact = await pushed(shared, own, sales.id, by=head.name)
    client = await shared.as_(head.name)
    alone = {"staff": [str(sales.id), str(head.id)]}
    problem(await client.patch(fact.path, json=alone, headers={"If-Match": "*"}), 403, "own_assignment")
    other = await (await shared.as_(above.name)).patch(fact.path, json=alone, headers={"If-Match": "*"})
    assert other.status_code == 200, other.text
    client = await shared.as_(None)
    headers = {"Authorization": f"Bearer {await shared.token(head.name)}", "If-Match": "*"}
    again = await client.patch(fact.path, json={"staff": [str(head.id)]}, headers=headers)
    assert again.status_code == 200, again.text


async def test_a_client_changes_only_what_it_pushed(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    theirs = await pushed(shared, partner, sales.id, by="hr")
    crm = await shared.as_("crm")
    problem(await crm.delete(theirs.path), 404, "not_found")
    problem(await crm.patch(theirs.path, json={"staff": []}, headers={"If-Match": "*"}), 404, "not_found")
    own = await pushed(shared, partner, sales.id)
    assert (await (await shared.as_("hr")).delete(own.path)).status_code == 204


async def test_a_change_needs_the_version_that_was_told(shared: World) -> None:
    partner, sales, other = await add_partner(shared), *[await add_business(shared, "sales") for _ in range(2)]
    fact, crm = await pushed(shared, partner, sales.id), await shared.as_("crm")
    change = {"staff": [str(other.id)]}
    problem(await crm.patch(fact.path, json=change), 428, "precondition_required")
    problem(await crm.patch(fact.path, json=change, headers={"If-Match": '"x"'}), 412, "precondition_failed")
    done = await crm.patch(fact.path, json=change, headers={"If-Match": f'"{fact.version}"'})
    assert done.status_code == 200, done.text
    assert [each["id"] for each in done.json()["staff"]] == [str(other.id)]
    problem(
        await crm.patch(fact.path, json=change, headers={"If-Match": f'"{fact.version}"'}), 412, "precondition_failed"
    )
    (told,) = await facts(shared, "hr", partner)
    again = await (await shared.as_("hr")).patch(
        fact.path, json={"until": "2099-01-01T00:00:00Z"}, headers={"If-Match": f'"{told["version"]}"'}
    )
    assert (again.status_code, again.json()["until"]) == (200, "2099-01-01T00:00:00Z")
    assert {each["until"] for each in again.json()["staff"]} == {"2099-01-01T00:00:00Z"}
    same = await crm.patch(fact.path, json={}, headers={"If-Match": "*"})
    assert same.json() == again.json(), "what changes nothing is no new version"


async def test_what_ended_can_be_opened_again_with_staff_named(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    fact, crm = await pushed(shared, partner, sales.id), await shared.as_("crm")
    assert (await crm.delete(fact.path)).status_code == 204
    opened = await crm.patch(fact.path, json={"until": None}, headers={"If-Match": "*"})
    assert (opened.json()["state"], opened.json()["staff"]) == ("open", [])
    back = await crm.patch(fact.path, json={"staff": [str(sales.id)]}, headers={"If-Match": "*"})
    assert [each["id"] for each in back.json()["staff"]] == [str(sales.id)]


async def test_a_batch_takes_what_it_can(shared: World) -> None:
    partners = [await add_partner(shared) for _ in range(3)]
    sales, someone = await add_business(shared, "sales"), await add_person(shared)
    crm = await shared.as_("crm")

    def item(contact: object, staff: object, **more: object) -> dict[str, Any]:
        return {"contact": str(contact), "account": reference("account"), "staff": [str(staff)], **more}

    items = [
        item(partners[0].id, sales.id),
        item(new_id(), sales.id),
        item(someone.id, sales.id),
        item(partners[1].id, new_id()),
        item(partners[1].id, sales.id, until="2020-01-01T00:00:00Z"),
        item(partners[2].id, sales.id),
    ]
    answer = await crm.post("/v1/engagements/batches", json={"items": items})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["created"], told["replayed"], told["failed"]) == (2, 0, 4)
    codes = [each["problem"] and each["problem"]["code"] for each in told["items"]]
    assert codes == [None, "not_found", "not_found", "unknown_staff", "invalid_request", None]
    again = (await crm.post("/v1/engagements/batches", json={"items": items})).json()
    assert (again["created"], again["replayed"], again["failed"]) == (0, 2, 4)
    assert [each["engagement"] for each in again["items"]] == [each["engagement"] for each in told["items"]]
    assert len(await facts(shared, sales.name, partners[0])) == 1


async def test_batches_in_parallel_wait_for_one_another_in_one_order(shared: World) -> None:
    partners = [await add_partner(shared) for _ in range(6)]
    sales, crm = await add_business(shared, "sales"), await shared.as_("crm")
    items = [{"contact": str(each.id), "order": reference("order"), "staff": [str(sales.id)]} for each in partners]
    sent = [{"items": items}, {"items": items[::-1]}] * 2
    answers = await asyncio.gather(*(crm.post("/v1/engagements/batches", json=each) for each in sent))
    assert [each.status_code for each in answers] == [200] * 4
    assert sum(each.json()["created"] for each in answers) == len(partners)
    assert sum(each.json()["failed"] for each in answers) == 0


async def test_pages_over_all_contacts(shared: World) -> None:
    head = await add_person(shared, department="EXEC", tier="T2", roles=("dept_head",))
    code = await add_department(shared, head=head.id)
    sales = await add_business(shared, "sales")
    partners = [await add_partner(shared, department=code) for _ in range(3)]
    made = [await pushed(shared, each, sales.id) for each in partners]
    await pushed(shared, await add_partner(shared), sales.id)

    async def listed(who: str, **query: Any) -> list[str]:  # noqa: ANN401 — parameters of a query
        found, cursor, client = list[str](), None, await shared.as_(who)
        while True:
            params = {**query, "limit": 2, **({"cursor": cursor} if cursor else {})}
            answer = await client.get("/v1/engagements", params=params)
            assert answer.status_code == 200, answer.text
            found += [each["id"] for each in answer.json()["items"]]
            cursor = answer.json()["next"]
            if cursor is None:
                return found

    expected = [str(each.id) for each in reversed(made)]
    assert await listed(head.name) == expected
    assert [each for each in await listed("hr") if each in expected] == expected
    assert (await listed(sales.name, assigned="me"))[1:] == expected
    assert await listed("staff") == []
    crm = await shared.as_("crm")
    await crm.patch(made[1].path, json={"staff": []}, headers={"If-Match": "*"})
    assert await listed(head.name, unassigned="true") == [expected[1]]
    assert expected[1] in await listed("hr", unassigned="true")
    await crm.delete(made[0].path)
    assert await listed(head.name, state="ended") == [str(made[0].id)]
    answer = await (await shared.as_("hr")).get("/v1/engagements", params={"limit": 1})
    stolen = await (await shared.as_(head.name)).get("/v1/engagements", params={"cursor": answer.json()["next"]})
    problem(stolen, 422, "bad_cursor")


async def test_looks_and_writes_are_on_record(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    fact = await pushed(shared, partner, sales.id, kind="ticket", ticket=f"TK{partner.number}")
    listed = await (await shared.as_(sales.name)).get(f"{partner.path}/engagements")
    await (await shared.as_("crm")).delete(fact.path)
    await shared.settle()
    siem = await shared.as_("siem")
    events = (await siem.get("/v1/access-events", params={"contact": str(sales.id), "limit": "50"})).json()["items"]
    told = {each["action"]: each for each in events}
    assert {"engagement.create", "engagement.end", "engagement.list"} <= told.keys()
    assert told["engagement.list"]["id"] == listed.json()["disclosure"]["event_id"]
    whole = (await siem.get(f"/v1/access-events/{told['engagement.create']['id']}")).json()
    assert {each["id"] for each in whole["contacts"]} == {str(partner.id), str(sales.id)}
    assert told["engagement.create"]["actor"]["id"] == "crm"
    assert f"TK{partner.number}" not in str(events), "the reference is a keyed hash in the log"


async def test_a_refusal_is_on_record(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    problem(await push(shared, partner, sales.id, by="staff"), 403, "insufficient_scope")
    hidden = new_id()
    problem(
        await (await shared.as_("crm")).post(f"/v1/contacts/{hidden}/engagements", json={"order": "x", "staff": ["y"]}),
        404,
        "not_found",
    )
    siem = await shared.as_("siem")
    found = (await siem.get("/v1/access-events", params={"actor": "crm", "decision": "refused"})).json()["items"]
    assert found[0]["action"] == "engagement.create"


async def test_until_is_kept_to_the_second_it_was_given(shared: World) -> None:
    partner, sales = await add_partner(shared), await add_business(shared, "sales")
    until = shared.application.clock.now() + timedelta(days=3)
    await pushed(shared, partner, sales.id, until=until)
    viewer = await shared.viewer(sales.name)
    (engagement,) = viewer.standing.engagements
    assert engagement == Engagement(partner.id, frozenset({"account"}), until)


async def test_one_reference_twice_in_a_batch_is_one_fact(shared: World) -> None:
    partner, sales, crm = await add_partner(shared), await add_business(shared, "sales"), await shared.as_("crm")
    item = {"contact": str(partner.id), "order": reference("order"), "staff": [str(sales.id)]}
    told = (
        await crm.post("/v1/engagements/batches", json={"items": [item, item, {**item, "staff": ["E2103"]}]})
    ).json()
    assert [each["state"] for each in told["items"]] == ["created", "replayed", "failed"]
    assert told["items"][0]["engagement"] == told["items"][1]["engagement"]
    assert told["items"][2]["problem"]["code"] == "engagement_reference_reused"
    assert len(await facts(shared, "hr", partner)) == 1


async def test_nobody_is_on_more_than_a_standing_loads(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_LIVE", 2)
    partner, sales, other = await add_partner(shared), *[await add_business(shared, "sales") for _ in range(2)]
    crm = await shared.as_("crm")
    items = [{"contact": str(partner.id), "order": reference("order"), "staff": [str(sales.id)]} for _ in range(3)]
    told = (await crm.post("/v1/engagements/batches", json={"items": items})).json()
    assert [each["state"] for each in told["items"]] == ["created", "created", "failed"]
    document = problem(await push(shared, partner, sales.id), 409, "too_many_engagements")
    assert document["most"] == 2
    fact = await pushed(shared, partner, other.id)
    change = {"staff": [str(other.id), str(sales.id)]}
    problem(await crm.patch(fact.path, json=change, headers={"If-Match": "*"}), 409, "too_many_engagements")
    await crm.delete(f"{partner.path}/engagements/{told['items'][0]['engagement']['id']}")
    assert (await crm.patch(fact.path, json=change, headers={"If-Match": "*"})).status_code == 200


async def test_a_standing_is_one_range_of_one_index(company: Company) -> None:
    if company.store.dialect != "sqlite":
        pytest.skip("PostgreSQL chooses by size")
    statement = "SELECT kind FROM engagement_staff WHERE staff_id = x'00' AND until > 0 ORDER BY until, engagement_id"
    async with company.world.application.database.session() as session:
        plan = " ".join(str(row[-1]) for row in await session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
    assert "ix_engagement_staff_staff_id_until (staff_id=? AND until>?)" in plan
