"""Oneself and who looked at one, over HTTP on both engines: everything of one's own, and nothing of anybody whom one may not know of."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from app.audit.repository import EventFilter
from app.contacts.own_schemas import MeView, ViewedByPage
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import GrantScope
from app.permissions.repository import NewGrant
from tests.support.application import World
from tests.support.company import PEOPLE
from tests.support.problems import problem, quoted
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

#                       /v1/me, /v1/me/viewed-by
ASKED: Final = {
    None: (401, "token_required"),
    "hr-system": (403, "insufficient_scope"),
    "siem": (403, "insufficient_scope"),
    "it-scripts": (403, "insufficient_scope"),
    "directory-sync": (403, "no_contact"),
}
PEOPLE_WHO_ASK: Final = ("staff", "colleague", "outsider", "head", "hr", "steward", "infosec", "ceo", "intern", "it")


async def viewed_by(world: World, who: str, **query: str) -> ViewedByPage:
    answer = await (await world.as_(who)).get("/v1/me/viewed-by", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return ViewedByPage.model_validate_json(answer.content)


async def look(world: World, who: str, of: Added, **query: str) -> str:
    """Look at a card; give the id of the event."""
    answer = await (await world.as_(who)).get(of.path, params=query)
    assert answer.status_code == 200, answer.text
    event: str = answer.json()["disclosure"]["event_id"]
    return event


class TestWho:
    @pytest.mark.parametrize("path", ["/v1/me", "/v1/me/viewed-by"])
    @pytest.mark.parametrize("who", ASKED)
    async def test_who_is_nobody_in_the_directory_has_no_self(self, shared: World, who: str | None, path: str) -> None:
        problem(await (await shared.as_(who)).get(path), *ASKED[who])

    @pytest.mark.parametrize("path", ["/v1/me", "/v1/me/viewed-by"])
    async def test_a_leavers_live_token_has_none_either(self, shared: World, path: str) -> None:
        someone = await add_person(shared)
        client = await shared.as_(someone.name)
        assert (await client.get(path)).status_code == 200
        await (await shared.as_("hr")).delete(someone.path, headers={"If-Match": "*"})
        answer = await client.get(path)
        assert answer.status_code in {401, 403}
        assert answer.json()["code"] in {"token_revoked", "token_required", "no_contact", "invalid_token"}

    @pytest.mark.parametrize("query", ["id=x", "contact=x", "limit=0", "limit=201", "own=perhaps", "cursor=abc"])
    async def test_nobody_elses_list_can_be_asked_for(self, shared: World, query: str) -> None:
        problem(await (await shared.as_("hr")).get(f"/v1/me/viewed-by?{query}"), 422, "invalid_request")


class TestCard:
    @pytest.mark.parametrize("who", PEOPLE_WHO_ASK)
    async def test_it_is_the_card_that_reading_oneself_shows(self, shared: World, who: str) -> None:
        client = await shared.as_(who)
        answer = await client.get("/v1/me")
        assert answer.status_code == 200, answer.text
        MeView.model_validate_json(answer.content)
        card = (await client.get(f"/v1/contacts/{shared.people[who]}")).json()
        del card["disclosure"]
        assert answer.json()["card"] == card
        assert card["mobile"] == {"state": "shown", "value": PEOPLE[who].mobile}
        others = [secret for secret in quoted(answer) if f"{PEOPLE[who].number}" not in secret]
        assert others == []

    async def test_c5_of_ones_own_takes_a_second_proof(self, shared: World) -> None:
        card = (await (await shared.as_("staff")).get("/v1/me")).json()["card"]
        assert card["id_number"] == {"state": "withheld"}

    async def test_the_look_is_on_record_and_unchanged_is_304(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_(someone.name)
        answer = await client.get("/v1/me")
        for expected in (answer.json()["disclosure"]["event_id"], None):
            found = await shared.application.events.search(EventFilter(contact_id=someone.id), limit=1)
            event = found.events[0].event
            assert (event.action, event.decision, event.actor_id) == ("me.read", "allowed", str(someone.id))
            assert expected in {None, str(event.id)}
            (cohort,) = event.cohorts
            assert cohort.states["mobile"] == "shown"
            again = await client.get("/v1/me", headers={"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'

    async def test_its_version_lets_hr_change_the_card(self, shared: World) -> None:
        someone = await add_person(shared, roles=("hr",), tier="T4")
        client = await shared.as_(someone.name)
        version = (await client.get("/v1/me")).json()["card"]["version"]
        answer = await client.patch(someone.path, json={"title": "x"}, headers={"If-Match": f'"{version}"'})
        assert answer.status_code == 200


class TestStanding:
    async def standing(self, world: World, who: str) -> dict[str, Any]:
        found: dict[str, Any] = (await (await world.as_(who)).get("/v1/me")).json()["standing"]
        return found

    async def test_staff(self, shared: World) -> None:
        found = await self.standing(shared, "staff")
        assert (found["tier"], found["roles"], found["client_id"], found["ceiling"]) == ("T1", [], "intranet", None)
        assert [each["code"] for each in found["departments"]] == ["RD"]
        assert (found["headed"], found["grants"], found["step_up"]) == ([], [], False)
        assert found["scopes"] == [
            "approvals:use",
            "contacts:read",
            "contacts:reveal",
            "devices:read",
            "devices:write",
            "numbers:read",
        ]

    async def test_a_head_is_told_what_they_head(self, shared: World) -> None:
        someone = await add_person(shared)
        above = await add_department(shared, head=someone.id)
        below = await add_department(shared, parent=above)
        found = await self.standing(shared, someone.name)
        assert (found["tier"], found["roles"]) == ("T2", ["dept_head"])
        assert {each["code"] for each in found["headed"]} == {above, below}

    async def test_roles_add_scopes(self, shared: World) -> None:
        found = await self.standing(shared, "hr")
        assert (found["tier"], found["roles"]) == ("T4", ["hr"])
        assert {"contacts:write", "departments:write"} <= set(found["scopes"])

    async def test_grants_with_purpose_and_end(self, shared: World) -> None:
        application, now = shared.application, shared.application.clock.now()
        someone, of = await add_person(shared, department="SALES"), await add_person(shared)
        account = await application.account_rows.by_key(application.database.reader, someone.name)
        assert account is not None
        new = NewGrant(
            account_id=account.id,
            scope=GrantScope("contact", str(of.id)),
            fields=("wechat", "mobile"),
            outcome=Outcome.CLEAR,
            purpose=Purpose.SAFETY,
            request_id=of.id,
            starts_at=now - timedelta(minutes=5),
            ends_at=now + timedelta(minutes=5),
        )
        async with application.database.unit_of_work() as unit:
            identity = await application.grants.add(unit.session, new, at=now)
        (grant,) = (await self.standing(shared, someone.name))["grants"]
        assert grant["id"] == str(identity)
        assert grant["scope"] == {"kind": "contact", "value": str(of.id)}
        assert (grant["contact"], grant["department"]) == (str(of.id), None)
        assert (grant["fields"], grant["state"], grant["purpose"]) == (["mobile", "wechat"], "shown", "safety")
        assert MeView.model_validate((await (await shared.as_(someone.name)).get("/v1/me")).json()).standing.grants[
            0
        ].ends_at == new.ends_at.replace(microsecond=new.ends_at.microsecond)


class TestViewedBy:
    async def test_each_kind_of_look_is_told_as_it_was(self, shared: World) -> None:
        code = await add_department(shared)
        someone = await add_person(shared, department=code)
        colleague = await add_person(shared, department=code)
        read = await look(shared, "outsider", someone, purpose="safety")
        listed = await (await shared.as_("head")).get("/v1/contacts", params={"department": code})
        body = {"fields": ["mobile"], "purpose": "work_contact", "reason": "a reason that stays sealed"}
        revealed = await (await shared.as_(colleague.name)).post(f"{someone.path}/reveals", json=body)
        assert (listed.status_code, revealed.status_code) == (200, 200)
        page = await viewed_by(shared, someone.name)
        assert [
            (each.action, each.actor.id, each.purpose, each.fields.get("mobile"), each.client_id) for each in page.items
        ] == [
            ("contact.reveal", str(colleague.id), "work_contact", "shown", "intranet"),
            ("contact.list", str(shared.people["head"]), "work_contact", "masked", "intranet"),
            ("contact.read", str(shared.people["outsider"]), "safety", "masked", "intranet"),
        ]
        assert page.items[0].fields == {"mobile": "shown"}
        assert str(page.items[2].event_id) == read
        outsider = page.items[2].actor
        assert (outsider.name, outsider.type, outsider.own) == (PEOPLE["outsider"].full_name, "person", False)
        assert outsider.department is not None
        assert outsider.department.code == "SALES"
        assert page.next is None

    async def test_what_was_refused_and_what_was_written_is_no_look(self, shared: World) -> None:
        someone = await add_person(shared)
        before = len((await viewed_by(shared, someone.name)).items)
        body = {"fields": ["mobile"], "purpose": "work_contact", "reason": "a reason"}
        problem(
            await (await shared.as_("outsider")).post(f"{someone.path}/reveals", json=body), 403, "approval_required"
        )
        client = await shared.as_("hr")
        answer = await client.patch(someone.path, json={"title": "x"}, headers={"If-Match": "*"})
        assert answer.status_code == 200
        await shared.settle()
        page = await viewed_by(shared, someone.name)
        assert [each.action for each in page.items[: len(page.items) - before]] == ["contact.read"], "hr looked first"

    async def test_own_looks_are_told_when_asked_for(self, shared: World) -> None:
        someone = await add_person(shared)
        await look(shared, someone.name, someone)
        assert (await viewed_by(shared, someone.name)).items == []
        page = await viewed_by(shared, someone.name, own="true")
        assert [(each.action, each.actor.own) for each in page.items] == [("contact.read", True)]

    async def test_asking_is_itself_on_record_and_in_nobodys_list(self, shared: World) -> None:
        someone = await add_person(shared)
        await look(shared, "staff", someone)
        page = await viewed_by(shared, someone.name)
        found = await shared.application.events.search(EventFilter(actor_id=str(someone.id)), limit=1)
        event = found.events[0].event
        assert (str(event.id), event.action, event.count) == (page.disclosure.event_id, "me.viewed_by", 1)
        assert event.purpose == "subject_request"
        for who in (someone.name, "staff"):
            listed = await viewed_by(shared, who, own="true", limit="200")
            assert page.disclosure.event_id not in {str(each.event_id) for each in listed.items}

    @pytest.mark.parametrize(("language", "name"), [("en", "a colleague"), ("zh-CN", "一位同事")])
    async def test_who_left_is_a_colleague_without_an_id(self, shared: World, language: str, name: str) -> None:
        someone, leaver = await add_person(shared), await add_person(shared, department="SALES", title="Spur")
        await look(shared, leaver.name, someone)
        assert (await viewed_by(shared, someone.name)).items[0].actor.id == str(leaver.id)
        await (await shared.as_("hr")).delete(leaver.path, headers={"If-Match": "*"})
        answer = await (await shared.as_(someone.name)).get("/v1/me/viewed-by", headers={"Accept-Language": language})
        (item,) = answer.json()["items"]
        assert item["actor"] == {"type": "person", "id": None, "name": name, "department": None, "own": False}
        assert str(leaver.id) not in answer.text
        assert (item["action"], item["fields"]["email"]) == ("contact.read", "shown"), "that somebody looked is told"

    async def test_a_service_is_named(self, shared: World) -> None:
        someone = await add_person(shared)
        await look(shared, "directory-sync", someone)
        (item,) = (await viewed_by(shared, someone.name)).items
        assert (item.actor.type, item.actor.id, item.actor.name) == ("service", "directory-sync", "Directory mirror")
        assert (item.fields["email"], item.fields["mobile"]) == ("shown", "withheld")

    async def test_looks_of_security_are_told_like_any_other(self, shared: World) -> None:
        someone = await add_person(shared)
        await look(shared, "infosec", someone)
        (item,) = (await viewed_by(shared, someone.name)).items
        assert item.actor.id == str(shared.people["infosec"])

    async def test_nobody_elses_looks_are_in_it(self, shared: World) -> None:
        someone, other = await add_person(shared), await add_person(shared)
        await look(shared, "staff", other)
        assert (await viewed_by(shared, someone.name, own="true")).items == []

    async def test_pages_lead_through_all_of_it_newest_first(self, shared: World) -> None:
        someone = await add_person(shared)
        wanted = [await look(shared, who, someone) for who in ("staff", "head", "hr", "ceo", "it", "staff", "head")]
        for _ in range(3):
            await look(shared, someone.name, someone)
        found: list[str] = []
        cursor: str | None = None
        for _ in range(10):
            page = await viewed_by(shared, someone.name, limit="2", **({"cursor": cursor} if cursor else {}))
            found += [str(each.event_id) for each in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert found == wanted[::-1]

    async def test_a_cursor_is_its_callers_and_its_questions(self, shared: World) -> None:
        someone, other = await add_person(shared), await add_person(shared)
        for who in ("staff", "head"):
            await look(shared, who, someone)
        cursor = (await viewed_by(shared, someone.name, limit="1")).next
        assert cursor is not None
        for who, query in ((other.name, {}), (someone.name, {"own": "true"})):
            answer = await (await shared.as_(who)).get("/v1/me/viewed-by", params={"cursor": cursor, **query})
            problem(answer, 422, "bad_cursor")

    async def test_no_value_stands_in_it(self, shared: World) -> None:
        someone = await add_person(shared)
        for who in ("staff", "head", "hr"):
            await look(shared, who, someone)
        answer = await (await shared.as_(someone.name)).get("/v1/me/viewed-by")
        assert quoted(answer) == []
        assert [secret for secret in someone.secrets if secret in answer.text] == []

    async def test_many_own_looks_make_a_short_page_that_leads_on(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.contacts.viewed_by._AT_ONCE", 2)
        monkeypatch.setattr("app.contacts.viewed_by._MOST_PAGES", 2)
        someone = await add_person(shared)
        first = await look(shared, "staff", someone)
        for _ in range(5):
            await look(shared, someone.name, someone)
        page = await viewed_by(shared, someone.name)
        assert page.items == []
        assert page.next is not None
        rest = await viewed_by(shared, someone.name, cursor=page.next)
        assert [str(each.event_id) for each in rest.items] == [first]
        assert rest.next is None


async def test_each_viewer_sees_only_their_own_card_and_list(shared: World) -> None:
    ids: dict[str, UUID] = {who: shared.people[who] for who in PEOPLE_WHO_ASK}
    for who in PEOPLE_WHO_ASK:
        card = (await (await shared.as_(who)).get("/v1/me")).json()["card"]
        assert card["id"] == str(ids[who])
