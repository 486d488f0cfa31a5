"""Roles, tiers and grants over HTTP on both engines: who is told of whom, what is on record, and how a grant ends."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.api.role_reading import TIERS
from app.api.standing_views import GrantPage, HolderPage, RoleList, TierList
from app.audit.repository import EventFilter, FoundEvent
from app.auth.roles import Role
from app.kit.models import new_id
from app.permissions.outcomes import ROLES, Outcome, Tier
from app.permissions.plan import GrantScope
from tests.support.application import World
from tests.support.company import PEOPLE
from tests.support.grants import give
from tests.support.problems import problem, quoted
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_roles_are_the_words_of_policy() -> None:
    assert [role.value for role in Role] == list(ROLES)
    assert list(TIERS) == [tier.value for tier in Tier]


async def asked(world: World, who: str, path: str, **query: str) -> httpx.Response:
    answer = await (await world.as_(who)).get(path, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert quoted(answer) == []
    return answer


async def newest(world: World, who: str) -> FoundEvent:
    found = await world.application.events.search(EventFilter(actor_id=str(world.people[who])), limit=1)
    return found.events[0]


class TestRoles:
    async def test_every_role_with_who_holds_it_is_told_on_record(self, shared: World) -> None:
        answer = await asked(shared, "staff", "/v1/roles")
        listed = RoleList.model_validate_json(answer.content)
        assert [each.role for each in listed.items] == list(Role)
        by_role = {each.role.value: each for each in listed.items}
        assert (by_role["hr"].zh, by_role["hr"].en) == ROLES["hr"]
        auditor = by_role["auditor"]
        assert shared.people["auditor"] in {each.id for each in auditor.holders}
        assert PEOPLE["auditor"].full_name in {each.name for each in auditor.holders}
        assert (auditor.held, auditor.scopes, auditor.own) == ("given", ["access-log:read"], False)
        assert (by_role["employee"].held, by_role["employee"].holder_count, by_role["employee"].own) == (
            "everybody",
            None,
            True,
        )
        assert [by_role[name].business for name in ("sales", "production", "customer_service", "safety")] == [True] * 4
        event = (await newest(shared, "staff")).event
        assert (event.action, str(event.id)) == ("role.list", str(listed.disclosure.event_id))
        assert shared.people["auditor"] in {each for cohort in event.cohorts for each in cohort.contacts}

    async def test_a_position_brings_a_role_and_takes_it_away(self, shared: World) -> None:
        someone = await add_person(shared)
        await add_department(shared, head=someone.id)
        assert someone.id in await holders(shared, "staff", "dept_head")
        assert someone.id not in await holders(shared, "staff", "deputy")

    async def test_who_may_not_be_known_is_neither_named_nor_counted(self, shared: World) -> None:
        before = await self.counted(shared, "committee")
        someone = await add_person(shared, roles=("committee",), status="prehire")
        assert await self.counted(shared, "committee") == before
        assert someone.id not in await holders(shared, "staff", "committee")
        assert someone.id in await holders(shared, "hr", "committee")

    async def test_holders_come_by_the_page(self, shared: World) -> None:
        added = [(await add_person(shared, roles=("safety",))).id for _ in range(3)]
        client, found, cursor = await shared.as_("staff"), list[str](), None
        for _ in range(9):
            query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
            page = (await client.get("/v1/roles/safety/holders", params=query)).json()
            found += [each["id"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert {str(each) for each in added} <= set(found)
        assert len(found) == len(set(found))
        problem(await client.get("/v1/roles/hr/holders", params={"limit": "2", "cursor": "x" * 12}), 422, "bad_cursor")

    @pytest.mark.parametrize("role", ["HR", "nobody", "h%CB%B3r", "\uff48\uff52"])
    async def test_13_a_role_that_there_is_not_is_refused(self, shared: World, role: str) -> None:
        problem(await (await shared.as_("staff")).get(f"/v1/roles/{role}/holders"), 422, "invalid_request")

    async def counted(self, world: World, role: str) -> int | None:
        listed = RoleList.model_validate_json((await asked(world, "staff", "/v1/roles")).content)
        return {each.role.value: each.holder_count for each in listed.items}[role]


async def holders(world: World, who: str, role: str) -> set[Any]:
    answer = await asked(world, who, f"/v1/roles/{role}/holders", limit="200")
    return {each.id for each in HolderPage.model_validate_json(answer.content).items}


class TestTiers:
    async def test_everybody_is_told_the_tiers_and_their_own(self, shared: World) -> None:
        for who, tier in (("staff", "T1"), ("head", "T2"), ("hr", "T4"), ("infosec", "T5")):
            listed = TierList.model_validate_json((await asked(shared, who, "/v1/tiers")).content)
            assert [each.tier.value for each in listed.items] == list(TIERS)
            assert [each.tier.value for each in listed.items if each.own] == [tier]

    async def test_how_many_are_of_a_tier_is_told_to_overseers(self, shared: World) -> None:
        for who, told in (("staff", False), ("hr", False), ("it", True), ("auditor", True), ("directory-sync", False)):
            items = (await asked(shared, who, "/v1/tiers")).json()["items"]
            counts = {each["tier"]: each["holder_count"] for each in items}
            assert counts["T1"] is None
            assert (counts["T5"] is not None) is told, who
            if told:
                assert counts["T5"] >= 2
                assert counts["T2"] >= 1, "the head of a department is of T2 without being given it"


async def listed(world: World, who: str, **query: str) -> GrantPage:
    return GrantPage.model_validate_json((await asked(world, who, "/v1/grants", **query)).content)


class TestGrants:
    async def test_ones_own_are_told_whole_and_on_record(self, shared: World) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        request = new_id()
        identity = await give(shared, who.name, GrantScope("contact", str(whom.id)), request_id=request)
        page = await listed(shared, who.name)
        (item,) = page.items
        assert (item.id, item.request_id, item.live, item.ended_at) == (identity, request, True, None)
        assert item.holder is not None
        assert item.holder.id == who.id
        assert (item.scope.kind, item.scope.value, item.about) == ("contact", str(whom.id), f"新人{whom.number}")
        assert (item.fields, item.outcome, item.purpose) == (["mobile"], "clear", "work_contact")
        event = (await newest(shared, who.name)).event
        assert (event.action, str(event.id)) == ("grant.list", page.disclosure.event_id)
        assert {each for cohort in event.cohorts for each in cohort.contacts} == {who.id, whom.id}

    async def test_anothers_are_told_to_overseers_alone(self, shared: World) -> None:
        who = await add_person(shared)
        identity = await give(shared, who.name, GrantScope("company", ""))
        for reader in ("auditor", "infosec", "it"):
            assert identity in {each.id for each in (await listed(shared, reader, holder=str(who.id))).items}
            assert identity in {each.id for each in (await listed(shared, reader, limit="200")).items}
        for reader in ("staff", "hr", "steward", "ceo", "directory-sync"):
            answer = await (await shared.as_(reader)).get("/v1/grants", params={"holder": str(who.id)})
            problem(answer, 403, "not_permitted")
            assert identity not in {each.id for each in (await listed(shared, reader, limit="200")).items}

    async def test_filters(self, shared: World) -> None:
        who, now = await add_person(shared), shared.application.clock.now()
        code = await add_department(shared)
        department = str(shared.departments[code])
        wanted = {
            "tag": await give(shared, who.name, GrantScope("tag", "消防")),
            "subtree": await give(shared, who.name, GrantScope("subtree", department)),
            "region": await give(
                shared,
                who.name,
                GrantScope("region", "CN"),
                starts_at=now + timedelta(days=1),
                ends_at=now + timedelta(days=2),
            ),
        }

        async def found(**query: str) -> set[str]:
            page = await listed(shared, "auditor", holder=str(who.id), **query)
            return {kind for kind, identity in wanted.items() if identity in {each.id for each in page.items}}

        assert await found() == {"tag", "subtree", "region"}
        assert await found(kind="tag") == {"tag"}
        assert await found(scope=department) == {"subtree"}
        assert await found(scope="消防", kind="region") == set()
        assert await found(live="true") == {"tag", "subtree"}
        assert await found(live="false") == {"region"}
        page = await listed(shared, who.name, kind="subtree")
        assert page.items[0].about == f"临时{code}"
        for query in ({"kind": "planet"}, {"live": "perhaps"}, {"holder": "x"}, {"account": "x"}):
            problem(await (await shared.as_("auditor")).get("/v1/grants", params=query), 422, "invalid_request")

    async def test_pages_lead_through_all_newest_first(self, shared: World) -> None:
        who = await add_person(shared)
        given = [await give(shared, who.name, GrantScope("kind", "employee")) for _ in range(5)]
        found, cursor = list[Any](), None
        while True:
            page = await listed(shared, who.name, limit="2", **({"cursor": cursor} if cursor else {}))
            found += [each.id for each in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert found == given[::-1]

    async def test_each_scope_shows_whom_it_names(self, shared: World) -> None:
        code = await add_department(shared)
        below = await add_department(shared, parent=code)
        whom = await add_person(shared, department=below, tags=["消防安全员"])
        for scope, shows in (
            (GrantScope("contact", str(whom.id)), True),
            (GrantScope("department", str(shared.departments[below])), True),
            (GrantScope("department", str(shared.departments[code])), False),
            (GrantScope("subtree", str(shared.departments[code])), True),
            (GrantScope("company", ""), True),
            (GrantScope("kind", "employee"), True),
            (GrantScope("kind", "temporary"), False),
            (GrantScope("tag", "消防安全员"), True),
            (GrantScope("tag", "急救员"), False),
            (GrantScope("region", "CN"), True),
            (GrantScope("region", "US"), False),
            (GrantScope("assigned", ""), False),
        ):
            who = await add_person(shared, department="SALES")
            await give(shared, who.name, scope)
            card = (await (await shared.as_(who.name)).get(whom.path)).json()
            assert (card["mobile"]["state"] == "shown") is shows, scope


class TestEnding:
    async def holder(self, world: World) -> tuple[Added, Added, str]:
        who, whom = await add_person(world, department="SALES"), await add_person(world)
        identity = await give(world, who.name, GrantScope("contact", str(whom.id)))
        assert (await self.mobile(world, who, whom))["state"] == "shown"
        return who, whom, f"/v1/grants/{identity}"

    async def mobile(self, world: World, who: Added, whom: Added) -> dict[str, Any]:
        found: dict[str, Any] = (await (await world.as_(who.name)).get(whom.path)).json()["mobile"]
        return found

    @pytest.mark.parametrize("ender", ["holder", "infosec", "steward"])
    async def test_it_ends_at_once_and_on_record(self, shared: World, ender: str) -> None:
        who, whom, path = await self.holder(shared)
        name = who.name if ender == "holder" else ender
        client = await shared.as_(name)
        assert (await client.delete(path)).status_code == 204
        assert (await self.mobile(shared, who, whom))["state"] == "masked"
        assert (await client.delete(path)).status_code == 204, "what is over stays over"
        await shared.settle()
        found = await shared.application.events.search(
            EventFilter(actor_id=str(shared.people[name]), action="grant.end"), limit=5
        )
        (event,) = [each.event for each in found.events if str(dict(each.event.query or {})["grant"]) in path]
        assert dict(event.query or {})["by"] == ("holder" if ender == "holder" else "security")
        assert [each for cohort in event.cohorts for each in cohort.contacts] == [who.id]
        (item,) = (await listed(shared, who.name)).items
        assert (item.live, item.ended_at is not None) == (False, True)

    @pytest.mark.parametrize("other", ["staff", "hr", "ceo", "auditor", "it", "head"])
    async def test_anothers_grant_is_as_one_that_there_is_not(self, shared: World, other: str) -> None:
        who, whom, path = await self.holder(shared)
        client = await shared.as_(other)
        there, absent = await client.delete(path), await client.delete(f"/v1/grants/{new_id()}")
        assert (problem(there, 404, "not_found")["detail"], there.status_code) == (
            problem(absent, 404, "not_found")["detail"],
            absent.status_code,
        )
        assert (await self.mobile(shared, who, whom))["state"] == "shown"

    async def test_nobody_gives_or_changes_one(self, shared: World) -> None:
        who, _, path = await self.holder(shared)
        for name in (who.name, "infosec", "it", "hr"):
            client = await shared.as_(name)
            for method, at in (("POST", "/v1/grants"), ("PATCH", path), ("PUT", path)):
                answer = await client.request(method, at, json={"ends_at": "2099-01-01T00:00:00Z"})
                assert answer.status_code == 405, (name, method)

    async def test_a_grant_that_is_a_mask_shows_a_mask(self, shared: World) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        await give(shared, who.name, GrantScope("contact", str(whom.id)), outcome=Outcome.MASK_FINE)
        assert (await self.mobile(shared, who, whom))["value"] == f"137****{whom.mobile[-4:]}"
