"""Giving decisions away and taking them back, over HTTP on both engines: who may, to whom, what is told, and that nobody sees more."""

import asyncio
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.approvals.delegation_rules import MOST_GIVEN, Delegated, Reason
from app.kit.models import new_id
from app.permissions.marks import MarkKind, MarkReason
from app.permissions.outcomes import Purpose
from tests.approvals.delegating import (
    KIND,
    acting,
    add_people,
    body,
    deputies,
    end,
    gave,
    give,
    listed,
    principals,
    same_person,
)
from tests.contacts.partners import add_partner
from tests.support.application import World
from tests.support.grants import set_mark
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("filable")]


async def events(world: World, action: str, contact: UUID) -> list[dict[str, Any]]:
    """Read the log as security does."""
    await world.settle()
    client = await world.as_("infosec")
    answer = await client.get("/v1/access-events", params={"action": action, "contact": str(contact)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


class TestGiving:
    async def test_a_receipt_and_both_sides_are_told(self, shared: World) -> None:
        head, colleague, other = await add_people(shared, 3)
        answer = await give(shared, head, colleague, kinds=[KIND], reason="OUT_OF_OFFICE")
        assert answer.status_code == 201, answer.text
        receipt = answer.json()
        assert answer.headers["Location"] == f"/v1/delegations/{receipt['id']}"
        assert (receipt["principal"], receipt["delegate"]) == (str(head.id), str(colleague.id))
        assert (receipt["kinds"], receipt["reason"], receipt["state"]) == ([KIND], "OUT_OF_OFFICE", "live")
        for who, side in ((head, "given"), (colleague, "received")):
            (told,) = await listed(shared, who)
            assert [each["id"] for each in await listed(shared, who, side=side)] == [receipt["id"]]
            assert told["principal"]["name"] == f"新人{head.number}"
            assert told["delegate"]["name"] == f"新人{colleague.number}"
            assert told["filed_by"]["id"] == str(head.id)
            one = await (await shared.as_(who.name)).get(answer.headers["Location"])
            assert {**told, "disclosure": one.json()["disclosure"]} == one.json()
        assert await listed(shared, head, side="received") == []
        assert await listed(shared, other) == []
        problem(await (await shared.as_(other.name)).get(answer.headers["Location"]), 404, "not_found")

    async def test_it_is_on_record_with_both_names(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        identity = await gave(shared, head, colleague)
        for side in (head, colleague):
            (event,) = await events(shared, "delegation.give", side.id)
            assert (event["actor"]["id"], event["contact_count"]) == (str(head.id), 2)
            assert [each["id"] for each in event["contacts"]] == [str(side.id)]
        await listed(shared, colleague)
        (look,) = [
            each
            for each in await events(shared, "delegation.list", head.id)
            if each["actor"]["id"] == str(colleague.id)
        ]
        assert look["decision"] == "allowed"
        assert (await end(shared, colleague, identity)).status_code == 204
        (event,) = await events(shared, "delegation.end", head.id)
        assert event["actor"]["id"] == str(colleague.id)

    async def test_a_repeat_is_the_same_delegation(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        client, said = await shared.as_(head.name), body(shared, colleague)
        once = {"Idempotency-Key": "delegation-1"}
        first = await client.post("/v1/delegations", json=said, headers=once)
        again = await client.post("/v1/delegations", json=said, headers=once)
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["Idempotency-Replayed"] == "true"
        other = await client.post("/v1/delegations", json={**said, "kinds": [KIND]}, headers=once)
        problem(other, 422, "idempotency_key_reused")
        assert len(await listed(shared, head)) == 1

    async def test_pages(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        made = [await gave(shared, head, colleague, kinds=[KIND]) for _ in range(5)]
        client, found, cursor = await shared.as_(head.name), list[str](), None
        while True:
            params = {"limit": "2", "live": "true", **({"cursor": cursor} if cursor else {})}
            page = (await client.get("/v1/delegations", params=params)).json()
            found += [each["id"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert found == [str(each) for each in reversed(made)]
        first = (await client.get("/v1/delegations", params={"limit": "2", "live": "true"})).json()["next"]
        stolen = await (await shared.as_(colleague.name)).get(
            "/v1/delegations", params={"limit": "2", "live": "true", "cursor": first}
        )
        problem(stolen, 422, "bad_cursor")

    async def test_overseers_are_told_everybodys_and_nobody_else(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        identity = str(await gave(shared, head, colleague))
        for overseer in ("infosec", "auditor"):
            assert identity in [each["id"] for each in await listed(shared, overseer)]
            assert [each["id"] for each in await listed(shared, overseer, person=str(head.id))] == [identity]
            assert await listed(shared, overseer, person=str(head.id), side="received") == []
            assert await listed(shared, overseer, side="given") == []
        for other in ("hr", "ceo", "steward", "it", colleague.name):
            client = await shared.as_(other)
            answer = await client.get("/v1/delegations", params={"person": str(head.id)})
            problem(answer, 403, "not_permitted")

    async def test_who_may_not_be_known_is_not_named(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        await gave(shared, head, colleague)
        hidden = await (await shared.as_("hr")).delete(colleague.path, headers={"If-Match": "*"})
        assert hidden.status_code == 204
        (told,) = await listed(shared, head)
        assert (told["delegate"], told["state"], told["cause"]) == (None, "ended", "left")
        assert str(colleague.id) not in str(told)

    async def test_it_can_begin_later_and_is_half_open(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        begins = shared.application.clock.now() + timedelta(days=2)
        await gave(shared, head, colleague, **{"from": begins.isoformat()})
        (told,) = await listed(shared, head)
        assert told["state"] == "planned"
        ends = datetime.fromisoformat(told["until"])
        tick = timedelta(microseconds=1)
        wanted = [(begins - tick, []), (begins, [head.id]), (ends - tick, [head.id]), (ends, [])]
        for moment, expected in wanted:
            assert await principals(shared, colleague, at=moment) == expected
            assert await principals(shared, colleague, at=moment, through="session") == expected


class TestReach:
    async def test_two_hands_over_the_store(self, shared: World) -> None:
        head, second, third = await add_people(shared, 3)
        first = await gave(shared, head, second, kinds=[KIND])
        held = await gave(shared, second, third)
        (near, far) = await acting(shared, third)
        assert (near.id, near.principal, near.kinds, near.through) == (held, second.id, None, ())
        assert (far.id, far.principal, far.kinds, far.through) == (first, head.id, frozenset({KIND}), (held,))
        assert await deputies(shared, head) == [second.id, third.id]
        assert await deputies(shared, head, "tier.grant") == []
        assert await deputies(shared, second, "tier.grant") == [third.id]

    async def test_a_third_hand_is_refused(self, shared: World) -> None:
        head, second, third, fourth = await add_people(shared, 4)
        await gave(shared, head, second)
        await gave(shared, second, third)
        problem(await give(shared, third, fourth), 409, "delegation_too_deep")
        problem(await give(shared, fourth, head), 409, "delegation_too_deep")
        assert await listed(shared, fourth) == []

    async def test_41_a_ring_is_refused(self, shared: World) -> None:
        head, second, third = await add_people(shared, 3)
        identity = await gave(shared, head, second)
        problem(await give(shared, second, head), 409, "delegation_ring")
        await gave(shared, second, third)
        problem(await give(shared, third, head), 409, "delegation_ring")
        assert (await end(shared, head, identity)).status_code == 204
        await gave(shared, third, head)

    async def test_two_at_once_make_no_ring(self, shared: World) -> None:
        for _ in range(4):
            one, other = await add_people(shared, 2)
            answers = await asyncio.gather(give(shared, one, other), give(shared, other, one))
            assert sorted(each.status_code for each in answers) == [201, 409], [each.text for each in answers]

    async def test_to_oneself_on_any_card_is_refused(self, shared: World) -> None:
        head, card, colleague = await add_people(shared, 3)
        problem(await give(shared, head, head), 422, "self_delegation")
        await same_person(shared, head, card)
        answer = await give(shared, head, card)
        problem(answer, 422, "self_delegation")
        assert faults(answer) == [("/to", "self_delegation")]
        await gave(shared, head, colleague)
        problem(await give(shared, colleague, card), 409, "delegation_ring")

    async def test_a_card_that_turns_out_to_be_ones_own_stands_in_for_nobody(self, shared: World) -> None:
        head, card = await add_people(shared, 2)
        await gave(shared, head, card)
        assert await principals(shared, card) == [head.id]
        await same_person(shared, head, card)
        assert await principals(shared, card) == []
        assert await deputies(shared, head) == []

    async def test_too_many_at_once(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        made = [await gave(shared, head, colleague, kinds=[KIND]) for _ in range(MOST_GIVEN)]
        problem(await give(shared, head, colleague), 409, "too_many_delegations")
        await end(shared, head, made[-1])
        await gave(shared, head, colleague)


class TestWhoCanDecide:
    async def test_nobody_unfit_is_told_from_nobody_at_all(self, shared: World) -> None:
        """A stranger, somebody hidden, a leaver, an intern, somebody suspended: one answer, so that none of it is learnt."""
        head = await add_person(shared)
        gone = await add_person(shared)
        await (await shared.as_("hr")).delete(gone.path, headers={"If-Match": "*"})
        marked, suspended, disabled = await add_people(shared, 3)
        await set_mark(shared, marked.name)
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.suspend(unit.session, suspended.name)
            await shared.application.accounts.disable(unit.session, disabled.name)
        unfit = [
            new_id(),
            (await add_person(shared, status="prehire")).id,
            (await add_person(shared, status="frozen")).id,
            gone.id,
            (await add_person(shared, worker_kind="intern")).id,
            (await add_person(shared, worker_kind="outsourced")).id,
            (await add_person(shared, kind="temporary")).id,
            (await add_person(shared, user_name=None)).id,
            shared.people["hotline"],
            (await add_partner(shared)).id,
            marked.id,
            suspended.id,
            disabled.id,
        ]
        told = []
        for each in unfit:
            answer = await give(shared, head, each)
            document = problem(answer, 422, "unfit_delegate")
            assert faults(answer) == [("/to", "unfit_delegate")]
            told.append({name: value for name, value in document.items() if name != "instance"})
        assert all(each == told[0] for each in told)
        assert await listed(shared, head) == []

    async def test_10_a_head_gives_nothing_to_an_intern(self, shared: World) -> None:
        answer = await give(shared, "head", shared.people["intern"])
        problem(answer, 422, "unfit_delegate")

    async def test_10_an_intern_under_a_delegation_sees_nothing_more(self, shared: World) -> None:
        """The row is there, as for somebody who became an intern after: they decide nothing and are shown what they were shown."""
        intern, someone = await add_person(shared, worker_kind="intern"), await add_person(shared)
        client = await shared.as_(intern.name)
        before, card = await shared.viewer(intern.name), (await client.get(someone.path)).json()
        now = shared.application.clock.now()
        row = Delegated(
            id=new_id(),
            principal_id=shared.people["head"],
            delegate_id=intern.id,
            kinds=frozenset({KIND}),
            starts_at=now,
            ends_at=now + timedelta(hours=1),
            reason=Reason.MANUAL,
            filed_by=shared.people["head"],
            created_at=now,
        )
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.delegations.service._rows.add(unit.session, row)
        assert await principals(shared, intern) == []
        assert intern.id not in await deputies(shared, Added("head", shared.people["head"], 0))
        after = await shared.viewer(intern.name)
        assert after.standing == before.standing
        same = (await client.get(someone.path)).json()
        assert {**same, "disclosure": None} == {**card, "disclosure": None}

    async def test_no_sight_passes_with_it(self, shared: World) -> None:
        colleague, other = await add_people(shared, 2, department="SALES")
        before = await shared.viewer(colleague.name)
        cohorts = await verdicts(shared, colleague)
        identity = await gave(shared, "head", colleague)
        await gave(shared, "hr", colleague)
        during = await shared.viewer(colleague.name)
        assert during.standing == before.standing
        assert during.standing.epochs == before.standing.epochs, "no counter has moved, so no look is decided anew"
        assert await verdicts(shared, colleague) == cohorts
        assert {shared.people["head"], shared.people["hr"]} == set(await principals(shared, colleague))
        answer = await (await shared.as_(colleague.name)).patch(
            other.path, json={"title": "x"}, headers={"If-Match": "*"}
        )
        problem(answer, 403, "insufficient_scope")
        await end(shared, "head", identity)
        assert await verdicts(shared, colleague) == cohorts

    async def test_a_service_account_has_no_part_in_it(self, shared: World) -> None:
        for service in ("directory-sync", "it-scripts", "hr-system"):
            client = await shared.as_(service)
            problem(await client.get("/v1/delegations"), 403, "insufficient_scope")
            answer = await client.post("/v1/delegations", json=body(shared, shared.people["staff"]))
            problem(answer, 403, "insufficient_scope")


async def verdicts(world: World, who: Added) -> list[Any]:
    """Write out what somebody's plan says of everybody in the company, for two purposes."""
    viewer, found = await world.viewer(who.name), []
    for purpose in (Purpose.WORK_CONTACT, Purpose.EMERGENCY):
        for identity in sorted(world.people.values()):
            record = await world.application.contact_rows.by_id(identity, viewer.tree)
            if record is not None:
                cohort = viewer.plan(purpose).cohort(record.cohort, record.subject)
                found.append(
                    [(each.name, getattr(cohort, each.name)) for each in fields(cohort) if each.name != "program"]
                )
    return found


class TestTerms:
    @pytest.mark.parametrize(
        ("since", "until", "pointer"),
        [
            (-timedelta(minutes=6), timedelta(days=1), "/from"),
            (timedelta(days=366), timedelta(days=367), "/from"),
            (None, timedelta(0), "/until"),
            (None, -timedelta(days=1), "/until"),
            (timedelta(days=2), timedelta(days=1), "/until"),
            (None, timedelta(days=90, hours=1), "/until"),
        ],
    )
    async def test_a_term_that_is_none(
        self, shared: World, since: timedelta | None, until: timedelta, pointer: str
    ) -> None:
        (head, colleague), now = await add_people(shared, 2), shared.application.clock.now()
        said = {"to": str(colleague.id), "until": (now + until).isoformat()}
        if since is not None:
            said["from"] = (now + since).isoformat()
        answer = await (await shared.as_(head.name)).post("/v1/delegations", json=said)
        document = problem(answer, 422, "unfit_term")
        assert (document["most_days"], faults(answer)) == (90, [(pointer, "unfit_term")])
        assert await listed(shared, head) == []

    @pytest.mark.parametrize(
        "members",
        [
            {"until": "2026-12-01T00:00:00"},
            {"until": "9999-12-31T23:59:59-14:00"},
            {"from": "0001-01-01T00:00:00+14:00"},
            {"until": None},
            {"kinds": []},
            {"kinds": ["Field.Reveal"]},
            {"reason": "holiday"},
            {"to": "E2101"},
            {"principal": "x"},
            {"on_behalf_of": "nobody"},
        ],
    )
    async def test_what_cannot_be_meant(self, shared: World, members: dict[str, Any]) -> None:
        head, colleague = await add_people(shared, 2)
        answer = await (await shared.as_(head.name)).post(
            "/v1/delegations", json={**body(shared, colleague), **members}
        )
        assert answer.status_code == 422, answer.text
        assert await listed(shared, head) == []

    async def test_only_kinds_that_can_be_filed(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        answer = await give(shared, head, colleague, kinds=[KIND, "field.nonsense"])
        problem(answer, 422, "unknown_kind")
        assert faults(answer) == [("/kinds/1", "unknown_kind")]

    async def test_a_clock_a_little_behind_is_forgiven(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        now = shared.application.clock.now()
        await gave(shared, head, colleague, **{"from": (now - timedelta(minutes=4)).isoformat()})
        (told,) = await listed(shared, head)
        assert datetime.fromisoformat(told["from"]).astimezone(UTC) >= now, "nothing is given for what was"


class TestOnBehalf:
    async def test_a_head_gives_away_what_an_absent_member_decides(self, shared: World) -> None:
        head = await add_person(shared)
        code = await add_department(shared, head=head.id)
        absent, colleague = await add_people(shared, 2, department=code)
        identity = await gave(shared, head, colleague, on_behalf_of=str(absent.id), reason="OUT_OF_OFFICE")
        assert await principals(shared, colleague) == [absent.id]
        (told,) = await listed(shared, absent)
        assert await listed(shared, head) == [told], "who filed it is told too"
        assert (await listed(shared, head, side="given"), await listed(shared, head, side="received")) == ([], [])
        assert (told["filed_by"]["id"], told["principal"]["id"]) == (str(head.id), str(absent.id))
        assert (await (await shared.as_(head.name)).get(f"/v1/delegations/{identity}")).status_code == 200
        (event,) = await events(shared, "delegation.give", absent.id)
        assert event["actor"]["id"] == str(head.id)
        assert (await end(shared, absent, identity)).status_code == 204, "whose decisions they are can take them back"

    async def test_a_manager_on_the_card_may(self, shared: World) -> None:
        manager, colleague = await add_people(shared, 2)
        absent = await add_person(shared, manager=manager.id)
        await gave(shared, manager, colleague, on_behalf_of=str(absent.id))

    async def test_a_superior_does_not_name_himself(self, shared: World) -> None:
        head, card = await add_people(shared, 2)
        code = await add_department(shared, head=head.id)
        absent = await add_person(shared, department=code)
        problem(await give(shared, head, head, on_behalf_of=str(absent.id)), 422, "self_delegation")
        await same_person(shared, head, card)
        problem(await give(shared, head, card, on_behalf_of=str(absent.id)), 422, "self_delegation")

    async def test_nobody_else_may_and_nobody_is_told_who_is_there(self, shared: World) -> None:
        head = await add_person(shared)
        code = await add_department(shared, head=head.id)
        (member, colleague), outsider = await add_people(shared, 2, department=code), await add_person(shared)
        hidden = await add_person(shared, status="prehire")
        told = []
        for who, absent in (
            (member, colleague.id),
            (member, head.id),
            (outsider, member.id),
            (outsider, hidden.id),
            (outsider, new_id()),
        ):
            answer = await give(shared, who, shared.people["staff"], on_behalf_of=str(absent))
            document = problem(answer, 403, "not_permitted")
            told.append({name: value for name, value in document.items() if name != "instance"})
        assert all(each == told[0] for each in told)
        for office in ("hr", "infosec", "steward", "it", "ceo"):
            answer = await give(shared, office, shared.people["staff"], on_behalf_of=str(member.id))
            problem(answer, 403, "not_permitted")


class TestEnding:
    @pytest.mark.parametrize("side", ["principal", "delegate", "infosec"])
    async def test_either_side_and_security_end_it(self, shared: World, side: str) -> None:
        head, colleague = await add_people(shared, 2)
        identity = await gave(shared, head, colleague)
        by: Added | str = {"principal": head, "delegate": colleague}.get(side, side)
        assert (await end(shared, by, identity)).status_code == 204
        assert await principals(shared, colleague) == []
        (told,) = await listed(shared, head)
        assert (told["state"], told["cause"]) == ("ended", "ended")
        assert (await end(shared, by, identity)).status_code == 204, "twice is once"
        assert await listed(shared, head) == [told]
        assert len(await events(shared, "delegation.end", head.id)) == 1

    async def test_nobody_else(self, shared: World) -> None:
        head, colleague, other = await add_people(shared, 3)
        identity = await gave(shared, head, colleague)
        told = []
        for who, which in ((other, identity), (other, new_id())):
            document = problem(await end(shared, who, which), 404, "not_found")
            told.append({name: value for name, value in document.items() if name != "instance"})
        assert told[0] == told[1]
        for office in ("auditor", "hr", "ceo", "steward"):
            problem(await end(shared, office, identity), 404, "not_found")
        assert await principals(shared, colleague) == [head.id]

    async def test_twice_at_once_is_one_event(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        identity = await gave(shared, head, colleague)
        answers = await asyncio.gather(*(end(shared, who, identity) for who in (head, colleague, "infosec")))
        assert {each.status_code for each in answers} == {204}
        assert len(await events(shared, "delegation.end", head.id)) == 1


class TestTrust:
    """Who may decide is asked when it counts: a suspended account, a mark, a frozen card end it in that moment."""

    @pytest.mark.parametrize("side", ["principal", "delegate"])
    async def test_a_suspended_account_decides_nothing_and_nothing_is_decided_for_it(
        self, shared: World, side: str
    ) -> None:
        head, colleague = await add_people(shared, 2)
        await gave(shared, head, colleague)
        suspended = head if side == "principal" else colleague
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.suspend(unit.session, suspended.name)
        assert (await principals(shared, colleague), await deputies(shared, head)) == ([], [])
        assert await shared.application.delegations.sweep() >= 1
        (told,) = await listed(shared, colleague if side == "principal" else head)
        assert (told["state"], told["cause"]) == ("ended", "suspended")
        (event,) = await events(shared, "delegation.end", head.id)
        assert (event["actor"]["type"], event["actor"]["id"]) == ("system", "delegations")
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.activate(unit.session, suspended.name)
        assert await principals(shared, colleague) == [], "it does not come back"

    async def test_the_sweep_leaves_alone_what_stands(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        await gave(shared, head, colleague)
        await shared.application.delegations.sweep()
        assert await shared.application.delegations.sweep() == 0
        assert await principals(shared, colleague) == [head.id]

    async def test_leave_is_what_it_is_for(self, shared: World) -> None:
        head, colleague, third = await add_people(shared, 3)
        await gave(shared, head, colleague)
        await gave(shared, colleague, third)
        await set_mark(shared, head.name, MarkKind.SUSPENDED, MarkReason.LEAVE)
        assert await principals(shared, colleague) == [head.id]
        await set_mark(shared, colleague.name, MarkKind.SUSPENDED, MarkReason.LEAVE)
        assert await principals(shared, colleague) == []
        assert await principals(shared, third) == [colleague.id, head.id]
        assert await deputies(shared, head) == [third.id]
        await shared.application.delegations.sweep()
        assert await principals(shared, third) == [colleague.id, head.id], "it is not ended"

    async def test_an_inquiry_into_either_side_ends_it(self, shared: World) -> None:
        head, colleague, third = await add_people(shared, 3)
        await gave(shared, head, colleague)
        await gave(shared, colleague, third)
        await set_mark(shared, colleague.name, MarkKind.SUSPENDED, MarkReason.INVESTIGATION)
        assert (await principals(shared, colleague), await principals(shared, third)) == ([], [])
        assert await shared.application.delegations.sweep() >= 2
        assert {each["cause"] for each in await listed(shared, "infosec", person=str(colleague.id))} == {"suspended"}

    async def test_untrained_is_no_question_of_trust(self, shared: World) -> None:
        head, colleague = await add_people(shared, 2)
        await gave(shared, head, colleague)
        await set_mark(shared, colleague.name, MarkKind.UNTRAINED, MarkReason.NOT_TRAINED)
        assert await principals(shared, colleague) == [head.id]
