"""What an assignment gives ends with it, for whatever reason it ends, and nobody gets one past the service."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from structlog.testing import capture_logs

from app.auth.errors import AccountRefused
from app.contacts.query_schemas import ListQuery
from app.engagements.rules import OPEN
from app.kit.models import new_id, to_microseconds
from tests.contacts.partners import add_partner
from tests.engagements.calls import add_business, facts, push, pushed
from tests.hr.calls import applied
from tests.hr.events import joined, left, moved, rehired
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Added, Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def intruder(company: Company) -> Intruder:
    """Give somebody with the database in hand."""
    return Intruder(company.store)


def restarted(world: World) -> None:
    """Drop what the process remembers of callers, as a restart does."""
    world.application.standings.forget()
    world.application.verifier.forget()


async def mine(world: World, who: str, **query: str) -> list[str]:
    """List the contacts that somebody is assigned to."""
    answer = await (await world.as_(who)).get("/v1/contacts", params={"assigned": "me", "total": "true", **query})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["total"] == len(body["items"])
    return [each["id"] for each in body["items"]]


async def newcomer(world: World) -> tuple[str, UUID]:
    """Let somebody join through the HR system; give employee number and id."""
    number = f"H{new_id().int % 10**8:08d}"
    told = await applied(
        world, joined(number, user_name=f"hired.{number.lower()}", department="IT", email=None, mobile=None)
    )
    world.people[f"hired.{number.lower()}"] = UUID(told["contact_id"])
    return number, UUID(told["contact_id"])


class TestAssigned:
    async def test_a_list_of_ones_own(self, shared: World) -> None:
        sales, other = await add_business(shared, "sales"), await add_business(shared, "sales")
        partners = [await add_partner(shared, organisation=f"甲{at}") for at in range(3)]
        assert await mine(shared, sales.name) == []
        for each in partners[:2]:
            await pushed(shared, each, sales.id)
        await pushed(shared, partners[0], sales.id, kind="order")
        assert await mine(shared, sales.name) == [str(each.id) for each in partners[:2]]
        assert await mine(shared, other.name) == []
        assert await mine(shared, sales.name, kind="employee") == []
        assert await mine(shared, sales.name, q=f"甲{1}") == [str(partners[1].id)]
        assert await mine(shared, sales.name, ids=str(partners[2].id)) == []
        assert await mine(shared, sales.name, sort="-name") == [str(each.id) for each in partners[1::-1]]
        bad = await (await shared.as_(sales.name)).get("/v1/contacts", params={"assigned": "you"})
        problem(bad, 422, "invalid_request")

    async def test_a_service_is_assigned_to_nobody(self, shared: World) -> None:
        assert await mine(shared, "directory-sync") == []

    async def test_pages_of_it(self, shared: World) -> None:
        sales, found, cursor = await add_business(shared, "sales"), list[str](), None
        partners = [await add_partner(shared) for _ in range(5)]
        for each in partners:
            await pushed(shared, each, sales.id)
        client = await shared.as_(sales.name)
        while True:
            params: dict[str, str] = {"assigned": "me", "limit": "2", **({"cursor": cursor} if cursor else {})}
            body = (await client.get("/v1/contacts", params=params)).json()
            found += [each["id"] for each in body["items"]]
            cursor = body["next"]
            if cursor is None:
                break
        assert sorted(found) == sorted(str(each.id) for each in partners)


class TestEnding:
    async def test_ending_ends_the_right_with_the_next_look(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        fact = await pushed(shared, partner, sales.id)
        assert await mine(shared, sales.name) == [str(partner.id)]
        assert (await (await shared.as_("crm")).delete(fact.path)).status_code == 204
        assert await mine(shared, sales.name) == []
        assert await facts(shared, sales.name, partner) == []

    async def test_a_remembered_standing_is_refused_by_the_log(self, shared: World) -> None:
        """The standing from before the end is still in memory; the record of the look compares epochs, and it is decided anew."""
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        fact = await pushed(shared, partner, sales.id)
        viewer = await shared.viewer(sales.name)
        assert [each.contact_id for each in viewer.standing.engagements] == [partner.id]
        await (await shared.as_("crm")).delete(fact.path)
        remembered = await shared.application.standings.of(viewer.subject)
        assert remembered is viewer, "nothing told this process"
        told = await shared.application.contacts.search(viewer, ListQuery(assigned="me"))
        assert orjson.loads(told.body)["items"] == []
        assert (await shared.application.standings.of(viewer.subject)).standing.engagements == ()

    async def test_the_end_that_was_given_is_kept_to(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        until = shared.application.clock.now() + timedelta(seconds=1.2)
        await pushed(shared, partner, sales.id, until=until)
        assert await mine(shared, sales.name) == [str(partner.id)]
        await asyncio.sleep(1.4)
        assert await mine(shared, sales.name) == []
        assert await facts(shared, sales.name, partner) == []
        (ended,) = await facts(shared, "hr", partner, state="ended")
        assert (ended["state"], ended["staff"]) == ("ended", [])

    async def test_who_is_replaced_loses_it(self, shared: World) -> None:
        partner = await add_partner(shared)
        before, after = await add_business(shared, "sales"), await add_business(shared, "sales")
        fact = await pushed(shared, partner, before.id)
        crm = await shared.as_("crm")
        await crm.patch(fact.path, json={"staff": [str(after.id)]}, headers={"If-Match": "*"})
        assert (await mine(shared, before.name), await mine(shared, after.name)) == ([], [str(partner.id)])

    async def test_one_of_two_facts_ends(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        first, _ = await pushed(shared, partner, sales.id), await pushed(shared, partner, sales.id, kind="order")
        assert {kind for each in (await shared.viewer(sales.name)).standing.engagements for kind in each.facts} == {
            "account",
            "order",
        }
        await (await shared.as_("crm")).delete(first.path)
        (left_over,) = (await shared.viewer(sales.name)).standing.engagements
        assert left_over.facts == {"order"}

    async def test_an_archived_partner_takes_its_facts_along(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        await pushed(shared, partner, sales.id)
        done = await (await shared.as_("hr")).delete(partner.path, headers={"If-Match": "*"})
        assert done.status_code == 204
        assert (await shared.viewer(sales.name)).standing.engagements == ()
        problem(await push(shared, partner, sales.id), 404, "not_found")


class TestPeopleWhoGo:
    async def test_a_leaver_leaves_a_fact_without_owner(self, shared: World) -> None:
        partner, (number, identity) = await add_partner(shared), await newcomer(shared)
        await pushed(shared, partner, identity)
        await applied(shared, left(number))
        (fact,) = await facts(shared, "hr", partner)
        assert (fact["state"], fact["staff"]) == ("open", [])
        listed = await (await shared.as_("hr")).get("/v1/engagements", params={"unassigned": "true", "limit": "200"})
        assert fact["id"] in [each["id"] for each in listed.json()["items"]]
        answer = await push(shared, partner, identity)
        problem(answer, 422, "unknown_staff")
        assert faults(answer) == [("/staff/0", "unknown_staff")]
        await applied(shared, rehired(number, department="IT"))
        assert (await facts(shared, "hr", partner))[0]["staff"] == [], "nothing comes back by itself"
        assert (await push(shared, partner, number)).status_code == 201

    async def test_a_mover_loses_the_customers_of_the_former_place(self, shared: World) -> None:
        partner, (number, identity) = await add_partner(shared), await newcomer(shared)
        await pushed(shared, partner, identity)
        name = f"hired.{number.lower()}"
        await applied(shared, moved(number, title="高级工程师"))
        assert await mine(shared, name) == [str(partner.id)]
        await applied(shared, moved(number, department="HR"))
        assert await mine(shared, name) == []
        assert (await facts(shared, "hr", partner))[0]["staff"] == []

    async def test_hr_moves_somebody_by_hand(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        await pushed(shared, partner, sales.id)
        hr = await shared.as_("hr")
        seen = await hr.get(sales.path)
        done = await hr.patch(sales.path, json={"department": "RD"}, headers={"If-Match": seen.headers["ETag"]})
        assert done.status_code == 200, done.text
        assert await mine(shared, sales.name) == []

    async def test_who_is_archived_by_hand_is_off_their_facts(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        await pushed(shared, partner, sales.id)
        assert (await (await shared.as_("hr")).delete(sales.path, headers={"If-Match": "*"})).status_code == 204
        assert (await facts(shared, "hr", partner))[0]["staff"] == []

    async def test_a_push_and_a_departure_at_once_leave_nobody_assigned_who_left(self, shared: World) -> None:
        partner = await add_partner(shared)
        for _ in range(4):
            number, identity = await newcomer(shared)
            await asyncio.gather(push(shared, partner, identity), applied(shared, left(number)))
        assert [each["staff"] for each in await facts(shared, "hr", partner) if each["staff"]] == []


class TestHostile:
    async def test_a_crm_reads_nothing(self, shared: World) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        fact, crm = await pushed(shared, partner, sales.id), await shared.as_("crm")
        for path in (partner.path, "/v1/contacts", f"{partner.path}/engagements", "/v1/engagements", "/v1/me"):
            problem(await crm.get(path), 403, "insufficient_scope")
        reveal = {"fields": ["business_phone"], "purpose": "sales_follow_up", "reason": "a reason that is long enough"}
        problem(await crm.post(f"{partner.path}/reveals", json=reveal), 403, "insufficient_scope")
        answer = await crm.patch(fact.path, json={"until": None}, headers={"If-Match": "*"})
        assert [each for each in partner.secrets if each in answer.text] == []

    async def test_nobody_of_our_own_is_a_customer(self, shared: World) -> None:
        sales, someone = await add_business(shared, "sales"), await add_person(shared)
        crm, hr = await shared.as_("crm"), await shared.as_("hr")
        body = {"account": "A-employee", "staff": [str(sales.id)]}
        told = []
        for identity in (someone.id, shared.people["hotline"], new_id()):
            answer = await crm.post(f"/v1/contacts/{identity}/engagements", json=body)
            document = problem(answer, 404, "not_found")
            told.append({name: value for name, value in document.items() if name != "instance"})
        assert told[0] == told[1] == told[2], "an employee and nobody are one answer"
        problem(await hr.post(f"{someone.path}/engagements", json=body), 422, "not_external")

    async def test_only_staff_in_service_are_assigned(self, shared: World) -> None:
        partner, other = await add_partner(shared), await add_partner(shared)
        hidden = await add_person(shared, status="prehire")
        named: list[UUID | str] = [other.id, shared.people["hotline"], hidden.id, new_id(), "E-nobody"]
        answer = await push(shared, partner, shared.people["outsider"], *named)
        problem(answer, 422, "unknown_staff")
        assert faults(answer) == [(f"/staff/{at}", "unknown_staff") for at in range(1, 6)]
        assert await facts(shared, "hr", partner) == []

    async def test_an_intern_may_be_assigned(self, shared: World) -> None:
        partner = await add_partner(shared)
        intern = await add_business(shared, "sales", worker_kind="intern")
        await pushed(shared, partner, intern.id)
        assert await mine(shared, intern.name) == [str(partner.id)]

    async def test_an_assignment_written_by_hand_gives_nothing(self, shared: World, intruder: Intruder) -> None:
        partner, victim = await add_partner(shared), await add_partner(shared)
        sales, thief = await add_business(shared, "sales"), await add_business(shared, "sales")
        fact = await pushed(shared, partner, sales.id)
        await intruder.run(
            "INSERT INTO engagement_staff SELECT engagement_id, CAST(? AS {}), contact_id, kind, since, until, cause, row_version, mac"
            " FROM engagement_staff WHERE engagement_id = ?".format("blob" if _is_sqlite(shared) else "uuid"),
            thief.id,
            fact.id,
        )
        await gives_nothing(shared, thief)
        (told,) = await facts(shared, "hr", partner)
        assert [each["id"] for each in told["staff"]] == [str(sales.id)]
        async with edited_staff(intruder, fact.id, sales.id, contact_id=victim.id):
            await gives_nothing(shared, sales)
        restarted(shared)
        assert await mine(shared, sales.name) == [str(partner.id)]

    @pytest.mark.parametrize("edit", ["until", "kind", "since", "mac"])
    async def test_an_edited_assignment_gives_nothing(self, shared: World, intruder: Intruder, edit: str) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        until = shared.application.clock.now() + timedelta(hours=1)
        fact = await pushed(shared, partner, sales.id, kind="order", until=until)
        long_ago, later = (until - timedelta(days=9), OPEN)
        columns: dict[str, Any] = {
            "until": {"until": _instant(shared, later)},
            "kind": {"kind": "ticket"},
            "since": {"since": _instant(shared, long_ago)},
            "mac": {"mac": b"\x00" * 32},
        }[edit]
        async with edited_staff(intruder, fact.id, sales.id, **columns):
            await gives_nothing(shared, sales)
        restarted(shared)
        assert await mine(shared, sales.name) == [str(partner.id)]

    async def test_what_ended_and_was_opened_by_hand_gives_nothing(self, shared: World, intruder: Intruder) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        fact = await pushed(shared, partner, sales.id)
        await (await shared.as_("crm")).delete(fact.path)
        async with edited_staff(intruder, fact.id, sales.id, until=_instant(shared, OPEN)):
            await gives_nothing(shared, sales)
        restarted(shared)

    async def test_an_edited_fact_is_not_told(self, shared: World, intruder: Intruder) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        fact = await pushed(shared, partner, sales.id)
        crm = await shared.as_("crm")
        async with intruder.edited("engagement", "id", fact.id, reference="another"):
            with capture_logs() as logged:
                assert await facts(shared, "hr", partner) == []
            assert [line["row"] for line in logged if line["event"] == "row_mac_mismatch"] == [str(fact.id)]
            problem(await crm.delete(fact.path), 404, "not_found")
            body = {"account": "x", "staff": [str(sales.id)]}
            problem(await crm.patch(fact.path, json={"staff": []}, headers={"If-Match": "*"}), 404, "not_found")
            assert (
                await crm.post(f"{partner.path}/engagements", json={**body, "account": f"n{partner.number}"})
            ).status_code == 201
        assert (await crm.delete(fact.path)).status_code == 204

    async def test_an_account_edited_by_hand_stops_no_push(self, shared: World, intruder: Intruder) -> None:
        partner, sales = await add_partner(shared), await add_business(shared, "sales")
        async with intruder.edited("user_account", "user_name_key", sales.name, tier="T5"):
            restarted(shared)
            with pytest.raises(AccountRefused):
                await shared.application.account_rows.by_contact(shared.application.database.reader, sales.id)
            await pushed(shared, partner, sales.id)
        restarted(shared)


def edited_staff(intruder: Intruder, fact: UUID, staff: UUID, **columns: Any) -> Any:  # noqa: ANN401 — driver values
    """Edit somebody's only row on a fact."""
    del fact
    return intruder.edited("engagement_staff", "staff_id", staff, **columns)


async def gives_nothing(world: World, who: Added) -> None:
    """Fail unless a row of theirs gives somebody nothing, and security is told."""
    restarted(world)
    with capture_logs() as logged:
        assert (await world.viewer(who.name)).standing.engagements == ()
    alerts = [line for line in logged if line["event"] == "row_mac_mismatch"]
    assert [line["table"] for line in alerts] == ["engagement_staff"]
    assert str(who.id) in alerts[0]["row"]
    assert await mine(world, who.name) == []


def _is_sqlite(world: World) -> bool:
    return world.application.database.dialect == "sqlite"


def _instant(world: World, moment: Any) -> Any:  # noqa: ANN401 — driver value
    return to_microseconds(moment) if _is_sqlite(world) else moment
