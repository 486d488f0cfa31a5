"""The HTTP face of contacts, operation by operation, on both engines.

What a caller gets, what is refused, what is on record, and that a refusal changed nothing. Tests share one company per engine; whoever
changes somebody adds a person of their own.
"""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from app.audit.events import EventDraft
from app.audit.repository import EventFilter
from app.auth.clients import NewClient
from app.contacts.schemas import ContactPage, ContactReceipt, ContactView, HistoryPage, RevealView
from app.departments.schemas import DepartmentAmend
from app.kit.models import new_id
from app.permissions.outcomes import Purpose
from tests.support.application import OPERATOR, World
from tests.support.company import PEOPLE
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

REASON = "Rückruf wegen der Lieferung vom 21. November"


async def events(world: World, contact: UUID, **wanted: Any) -> list[EventDraft]:  # noqa: ANN401 — members of a filter
    """Read the events about a contact from the log, newest first, without a look of our own."""
    found = await world.application.events.search(EventFilter(contact_id=contact, **wanted), limit=50)
    return [each.event for each in found.events]


async def newest(world: World, contact: UUID, **wanted: Any) -> EventDraft:  # noqa: ANN401 — members of a filter
    first, *_ = await events(world, contact, **wanted)
    return first


async def stored(world: World, identity: UUID) -> tuple[bytes, int]:
    """Give what tells whether a row was changed at all: its MAC and how much history it has."""
    application = world.application
    tree = await application.standings.tree()
    record = await application.contact_rows.by_id(identity, tree)
    assert record is not None
    changes = await application.contact_rows.changes(identity, hidden=(), before=None, limit=200)
    return record.mac, len(changes)


async def patched(world: World, who: str, someone: Added, **members: Any) -> httpx.Response:  # noqa: ANN401 — JSON
    """Read the card as ``who`` and change it on the strength of what was seen."""
    client = await world.as_(who)
    seen = await client.get(someone.path)
    return await client.patch(someone.path, json=members, headers={"If-Match": seen.headers["ETag"]})


async def forged(world: World, name: str, *scopes: str) -> dict[str, str]:
    """Give a genuine token of a person with scopes that their roles do not give; another issuer may write what it likes."""
    application = world.application
    account = await application.account_rows.by_key(application.database.reader, name)
    assert account is not None
    token = application.tokens.issuer.issue(
        subject=name, client_id="intranet", scopes=frozenset(scopes), epoch=account.epoch, lifetime=600
    )
    return {"Authorization": f"Bearer {token.text}"}


def leaks(answer: httpx.Response, *people: Added) -> list[str]:
    """Name the protected values of ``people`` that an answer holds."""
    told = answer.text + str(answer.headers)
    return [secret for someone in people for secret in someone.secrets if secret in told]


class TestRead:
    async def test_a_card_fits_its_declared_shape_and_names_its_record(self, shared: World) -> None:
        answer = await (await shared.as_("colleague")).get(f"/v1/contacts/{shared.people['staff']}")
        view = ContactView.model_validate_json(answer.content)
        assert list(answer.json())[-2:] == ["version", "disclosure"]
        assert answer.headers["ETag"] == f'"{view.version}"'
        assert answer.headers["Cache-Control"] == "no-store"
        event = await newest(shared, shared.people["staff"])
        assert str(event.id) == view.disclosure.event_id
        assert (event.action, event.decision, event.actor_id) == (
            "contact.read",
            "allowed",
            str(shared.people["colleague"]),
        )
        assert event.request_id == answer.headers["X-Request-ID"]
        assert view.disclosure.purpose is Purpose.WORK_CONTACT
        assert view.disclosure.obligations == ["watermark"]
        assert PEOPLE["colleague"].full_name in view.disclosure.watermark

    async def test_hidden_and_absent_look_alike_and_both_are_on_record(self, shared: World) -> None:
        gone = await add_person(shared, status="prehire")
        nobody = new_id()
        client = await shared.as_("outsider")
        headers = {"X-Request-ID": "the-same-request-id"}
        hidden = await client.get(gone.path, headers=headers)
        absent = await client.get(f"/v1/contacts/{nobody}", headers=headers)
        problem(hidden, 404, "not_found")
        assert hidden.content == absent.content
        assert hidden.headers == absent.headers
        for identity in (gone.id, nobody):
            event = await newest(shared, identity)
            assert (event.action, event.decision, event.code) == ("contact.read", "refused", "not_found")
            assert event.actor_id == str(shared.people["outsider"])

    @pytest.mark.parametrize("operation", ["PATCH", "DELETE", "reveal", "history"])
    async def test_every_operation_says_the_same_of_hidden_and_absent(self, shared: World, operation: str) -> None:
        left = await add_person(shared)
        await hide(shared, left)
        told = []
        for identity in (left.id, new_id()):
            path = f"/v1/contacts/{identity}"
            headers = {"If-Match": '"x"', "X-Request-ID": "the-same-request-id"}
            client = await shared.as_("hr")
            match operation:
                case "PATCH":
                    answer = await client.patch(path, json={"title": "x"}, headers=headers)
                case "DELETE":
                    answer = await client.delete(path, headers=headers)
                case "reveal":
                    body = {"fields": ["mobile"], "purpose": "work_contact", "reason": REASON}
                    answer = await client.post(f"{path}/reveals", json=body, headers=headers)
                case _:
                    answer = await client.get(f"{path}/history", headers=headers)
            problem(answer, 404, "not_found")
            told.append((answer.content, answer.headers))
            assert (await newest(shared, identity)).code == "not_found"
        assert told[0] == told[1]

    async def test_an_unchanged_card_is_304_and_a_look_all_the_same(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_("colleague")
        first = await client.get(someone.path)
        before = len(await events(shared, someone.id))
        again = await client.get(someone.path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == "no-store"
        assert len(await events(shared, someone.id)) == before + 1
        weak = await client.get(someone.path, headers={"If-None-Match": f'"x", W/{first.headers["ETag"]}'})
        assert weak.status_code == 304
        other = await client.get(someone.path, headers={"If-None-Match": '"another"'})
        assert other.status_code == 200

    async def test_the_version_changes_with_what_is_shown_and_with_nothing_else(self, shared: World) -> None:
        someone = await add_person(shared)

        async def versions() -> dict[str, str]:
            return {
                name: (await (await shared.as_(name)).get(someone.path)).headers["ETag"]
                for name in ("outsider", "colleague", "hr")
            }

        first = await versions()
        assert first == await versions()
        assert len(set(first.values())) == 3
        assert (await patched(shared, "hr", someone, personal_mobile="13611112222")).status_code == 200
        second = await versions()
        assert second["outsider"] == first["outsider"], "a hidden value changed"
        assert second["colleague"] == first["colleague"], "the coarse mask is the same"
        assert second["hr"] != first["hr"], "the fine mask is another"
        assert (await patched(shared, "hr", someone, title="工程师")).status_code == 200
        third = await versions()
        assert all(third[name] != second[name] for name in third)

    async def test_one_persons_version_tells_another_nothing(self, shared: World) -> None:
        someone = await add_person(shared)
        seen = (await (await shared.as_("hr")).get(someone.path)).headers["ETag"]
        answer = await (await shared.as_("outsider")).get(someone.path, headers={"If-None-Match": seen})
        assert answer.status_code == 200

    async def test_a_purpose_stands_in_the_event(self, shared: World) -> None:
        card = await shared.card("hr", "bare", purpose="hr_admin")
        event = await newest(shared, shared.people["bare"])
        assert (card["disclosure"]["purpose"], event.purpose) == ("hr_admin", "hr_admin")

    @pytest.mark.parametrize(
        ("query", "pointer", "code"),
        [
            ("purpose=curiosity", "?purpose", "unknown_value"),
            ("expand=manager", "?expand", "unknown_member"),
            ("fields=mobile", "?fields", "unknown_member"),
        ],
    )
    async def test_a_malformed_question_is_refused(self, shared: World, query: str, pointer: str, code: str) -> None:
        answer = await (await shared.as_("staff")).get(f"/v1/contacts/{shared.people['core']}?{query}")
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [(pointer, code)]

    async def test_an_id_that_is_none_is_named_and_not_quoted(self, shared: World) -> None:
        answer = await (await shared.as_("staff")).get("/v1/contacts/13800002101")
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("path:id", "malformed_id")]

    async def test_two_hundred_readers_at_once_each_get_their_own_view(self, shared: World) -> None:
        names = ["staff", "outsider", "hr", "intern", "infosec"]
        alone = {name: await shared.card(name, "colleague") for name in names}
        cards = await asyncio.gather(*(shared.card(names[at % 5], "colleague") for at in range(60)))
        for at, card in enumerate(cards):
            assert card["mobile"] == alone[names[at % 5]]["mobile"]
        assert len({card["disclosure"]["event_id"] for card in cards}) == 60


class TestAdmission:
    PATHS = ("/v1/contacts", "/v1/contacts/{id}", "/v1/contacts/{id}/history")

    @pytest.mark.parametrize("path", PATHS)
    async def test_nobody_reads_without_a_token(self, shared: World, path: str) -> None:
        answer = await (await shared.as_(None)).get(path.format(id=shared.people["staff"]))
        problem(answer, 401, "token_required")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    async def test_nobody_writes_without_a_token(self, shared: World) -> None:
        client, path = await shared.as_(None), f"/v1/contacts/{shared.people['staff']}"
        before = await stored(shared, shared.people["staff"])
        problem(await client.post("/v1/contacts", json={"name": "x"}), 401, "token_required")
        problem(await client.patch(path, json={"title": "x"}, headers={"If-Match": "*"}), 401, "token_required")
        problem(await client.delete(path, headers={"If-Match": "*"}), 401, "token_required")
        body = {"fields": ["mobile"], "purpose": "work_contact", "reason": REASON}
        problem(await client.post(f"{path}/reveals", json=body), 401, "token_required")
        assert await stored(shared, shared.people["staff"]) == before

    @pytest.mark.parametrize("name", ["staff", "head", "infosec", "ceo", "it", "directory-sync", "it-scripts"])
    async def test_writing_takes_its_scope_and_the_attempt_is_on_record(self, shared: World, name: str) -> None:
        client, path = await shared.as_(name), f"/v1/contacts/{shared.people['bare']}"
        before = await stored(shared, shared.people["bare"])
        for method, url, body in (
            ("POST", "/v1/contacts", {"name": "某人", "department": "RD"}),
            ("PATCH", path, {"title": "x"}),
            ("DELETE", path, None),
        ):
            answer = await client.request(method, url, json=body, headers={"If-Match": "*"})
            problem(answer, 403, "insufficient_scope")
            assert "contacts:write" in answer.headers["WWW-Authenticate"]
            found = await shared.application.events.search(EventFilter(decision="refused"), limit=1)
            assert found.events[0].event.request_id == answer.headers["X-Request-ID"]
            assert found.events[0].event.code == "insufficient_scope"
        assert await stored(shared, shared.people["bare"]) == before

    async def test_a_scope_in_a_token_does_not_stand_in_for_the_role(self, shared: World) -> None:
        headers = await forged(shared, "staff", "contacts:write", "contacts:read")
        path = f"/v1/contacts/{shared.people['staff']}"
        refused = await (await shared.as_(None)).patch(
            path, json={"title": "总裁"}, headers={**headers, "If-Match": "*"}
        )
        problem(refused, 403, "insufficient_scope")

    @pytest.mark.parametrize(
        ("of", "members", "kind"),
        [
            ("member", {"title": "组长"}, "contact.change"),
            ("member", {"mobile": "13800007777"}, "contact.change"),
            ("outsider", {"title": "组长"}, "contact.correction"),
            ("head", {"title": "组长"}, "contact.change"),
            ("head", {"mobile": "13800007777"}, "contact.change"),
            ("head", {"home_address": "somewhere"}, "contact.change"),
        ],
    )
    async def test_who_may_not_change_it_is_told_what_to_file(
        self, shared: World, of: str, members: dict[str, str], kind: str
    ) -> None:
        code = await add_department(shared)
        head = await add_person(shared, department=code, roles=("dept_head",))
        member = await add_person(shared, department=code)
        node = (await shared.application.standings.tree()).by_code[code]
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.departments.amend(unit, OPERATOR, node, DepartmentAmend(head=head.id))
        paths = {"member": member.path, "head": head.path}
        path = paths.get(of) or f"/v1/contacts/{shared.people[of]}"
        answer = await (await shared.as_(head.name)).patch(path, json=members, headers={"If-Match": "*"})
        assert problem(answer, 403, "approval_required")["request_kind"] == kind

    async def test_a_scope_alone_makes_no_writer(self, shared: World) -> None:
        """A service account may be given the scope; the policy gives it nothing to write."""
        scopes, name = ("contacts:read", "contacts:write"), f"writer-{new_id().hex[:8]}"
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.clients.add(unit.session, NewClient(name, "Writer", scopes=scopes))
        client, path = await shared.as_(name), f"/v1/contacts/{shared.people['staff']}"
        before = await stored(shared, shared.people["staff"])
        problem(await client.patch(path, json={"title": "总裁"}, headers={"If-Match": "*"}), 403, "not_permitted")
        assert (await newest(shared, shared.people["staff"], decision="refused")).code == "not_permitted"
        problem(await client.delete(path, headers={"If-Match": "*"}), 403, "not_permitted")
        problem(await client.post("/v1/contacts", json={"name": "某人", "department": "RD"}), 403, "not_permitted")
        assert await stored(shared, shared.people["staff"]) == before

    async def test_reading_does_not_include_revealing(self, shared: World) -> None:
        headers = await forged(shared, "colleague", "contacts:read")
        body = {"fields": ["mobile"], "purpose": "work_contact", "reason": REASON}
        path = f"/v1/contacts/{shared.people['staff']}/reveals"
        answer = await (await shared.as_(None)).post(path, json=body, headers=headers)
        problem(answer, 403, "insufficient_scope")

    async def test_an_account_bound_to_nobody_reads_nobody(self, shared: World) -> None:
        application, name = shared.application, f"unbound{new_id().hex[:8]}"
        async with application.database.unit_of_work() as unit:
            await application.accounts.add(unit.session, name)
        client = await shared.as_(name)
        path = f"/v1/contacts/{shared.people['staff']}"
        for answer in (await client.get("/v1/contacts"), await client.get(path)):
            problem(answer, 403, "no_contact")
            found = await application.events.search(EventFilter(decision="refused"), limit=1)
            event = found.events[0].event
            assert (event.code, event.actor_id) == ("no_contact", None)
            assert event.query == {"subject": application.terms.masked(name)}

    async def test_a_suspended_account_is_told_so_and_reads_nobody(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_(someone.name)
        assert (await client.get(someone.path)).status_code == 200
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.suspend(unit.session, someone.name)
        for answer in (await client.get(someone.path), await client.get("/v1/contacts")):
            assert answer.status_code in {401, 403}
            assert answer.json()["code"] in {"account_suspended", "invalid_token"}
            assert leaks(answer, someone) == []

    async def test_who_left_reads_nothing_more_with_the_token_in_hand(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_(someone.name)
        assert (await client.get(someone.path)).status_code == 200
        await hide(shared, someone)
        answer = await client.get(someone.path)
        assert answer.status_code in {401, 403}
        assert leaks(answer, someone) == []


async def hide(world: World, someone: Added) -> None:
    """Let a person leave."""
    application = world.application
    record = await application.contact_rows.by_id(someone.id, await application.standings.tree())
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)


class TestList:
    async def department(self, world: World, size: int = 5) -> tuple[str, list[Added]]:
        """Make a department with people in it, in the order of their names."""
        code = await add_department(world)
        return code, [await add_person(world, department=code) for _ in range(size)]

    async def names(self, world: World, who: str, **query: object) -> list[str]:
        answer = await (await world.as_(who)).get("/v1/contacts", params={"limit": 200, **query})  # type: ignore[dict-item]
        assert answer.status_code == 200, answer.text
        ContactPage.model_validate_json(answer.content)
        return [item["name"] for item in answer.json()["items"]]

    async def test_a_page_is_one_event_with_everybody_on_it(self, shared: World) -> None:
        code, people = await self.department(shared)
        answer = await (await shared.as_("outsider")).get("/v1/contacts", params={"department": code})
        page = ContactPage.model_validate_json(answer.content)
        assert [item.id for item in page.items] == [each.id for each in people]
        event = await newest(shared, people[0].id)
        assert str(event.id) == page.disclosure.event_id
        assert {each for cohort in event.cohorts for each in cohort.contacts} == {each.id for each in people}
        assert (event.action, event.count, event.query) == ("contact.list", 5, {"department": code})
        assert leaks(answer, *people) != [], "the mail address is C2 and shown"
        assert [each.mobile for each in people if each.mobile in answer.text] == []

    async def test_an_empty_page_is_a_look_at_nobody_and_on_record(self, shared: World) -> None:
        answer = await (await shared.as_("outsider")).get("/v1/contacts", params={"q": "nobody is called so"})
        assert answer.json()["items"] == []
        found = (await shared.application.events.search(EventFilter(action="contact.list"), limit=1)).events[0].event
        assert str(found.id) == answer.json()["disclosure"]["event_id"]
        assert found.count == 0
        assert found.query == {"q": shared.application.terms.masked("nobody is called so")}

    async def test_departments_are_taken_by_code_and_id_with_or_without_what_is_below(self, shared: World) -> None:
        code, people = await self.department(shared, 2)
        below = await add_department(shared, parent=code)
        deep = await add_person(shared, department=below)
        guest = await add_person(shared, department="SALES", memberships=None)
        own = [f"新人{each.number}" for each in people]
        assert await self.names(shared, "staff", department=code) == own
        assert await self.names(shared, "staff", department=str(shared.departments[code])) == own
        assert await self.names(shared, "staff", department=code, recursive="true") == [*own, f"新人{deep.number}"]
        assert await self.names(shared, "staff", department="NOSUCH") == []
        assert f"新人{guest.number}" not in await self.names(shared, "staff", department=code, recursive="true")

    async def test_a_further_membership_counts(self, shared: World) -> None:
        code, _ = await self.department(shared, 1)
        someone = await add_person(shared, department="SALES")
        answer = await patched(shared, "hr", someone, memberships=[{"department": code, "title": "顾问"}])
        assert answer.status_code == 200, answer.text
        assert f"新人{someone.number}" in await self.names(shared, "staff", department=code)
        answer = await patched(shared, "hr", someone, memberships=[])
        assert answer.status_code == 200
        assert f"新人{someone.number}" not in await self.names(shared, "staff", department=code)

    async def test_text_finds_what_everybody_may_see(self, shared: World) -> None:
        someone = await add_person(shared, alias="Zaphod", title="Galaktischer Präsident", name_en="Ford Prefect")
        for text in (f"新人{someone.number}", "zaph", "PRÄSIDENT", "prefect", someone.name, f"N{someone.number}"):
            assert f"新人{someone.number}" in await self.names(shared, "staff", q=text), text

    @pytest.mark.parametrize("query", ["q=%E6%96%B0%E2%80%8B%E4%BA%BA", "q=%EF%BB%BFzaph", "tag=a%E2%80%8Bb"])
    async def test_what_shows_nothing_may_be_typed_into_a_search(self, shared: World, query: str) -> None:
        assert (await (await shared.as_("staff")).get(f"/v1/contacts?{query}")).status_code == 200

    async def test_text_finds_nothing_protected(self, shared: World) -> None:
        someone = await add_person(shared)
        for who in ("outsider", "colleague", "hr"):
            for text in (
                *someone.secrets,
                someone.mobile[3:],
                str(someone.number) + "@",
                f"+86{someone.mobile}",
                f"010-777{someone.number}",
            ):
                assert await self.names(shared, who, q=text) == [], text

    @pytest.mark.parametrize("text", ["%", "_", "\\", "%%", "' OR 1=1 --", "🙂", "İİİ", "\u3000人\u3000"])
    async def test_text_is_text_and_never_a_pattern(self, shared: World, text: str) -> None:
        answer = await (await shared.as_("staff")).get("/v1/contacts", params={"q": text, "limit": 200})
        assert answer.status_code == 200, answer.text
        if text.strip() != "人":
            assert answer.json()["items"] == []

    async def test_tags_status_kind_and_ids_narrow(self, shared: World) -> None:
        code, people = await self.department(shared, 3)
        first, second, third = people
        tag = f"tag-{first.number}"
        assert (await patched(shared, "hr", first, tags=[tag, "zweite", tag])).json()["tags"] == [tag, "zweite"]
        assert (await patched(shared, "hr", second, status="frozen")).status_code == 200
        assert await self.names(shared, "staff", tag=tag) == [f"新人{first.number}"]
        assert await self.names(shared, "staff", tag=tag[:-1]) == []
        assert await self.names(shared, "staff", department=code, status="frozen") == [f"新人{second.number}"]
        assert await self.names(shared, "staff", department=code, kind="temporary") == []
        answer = await (await shared.as_("staff")).get(
            "/v1/contacts", params={"ids": [str(third.id), str(first.id), str(new_id())]}
        )
        assert [item["id"] for item in answer.json()["items"]] == [str(third.id), str(first.id)]
        assert (await patched(shared, "hr", first, tags=[])).json()["tags"] == []
        assert await self.names(shared, "staff", tag=tag) == []

    async def test_two_hundred_ids_are_taken_and_no_more(self, shared: World) -> None:
        client, wanted = await shared.as_("staff"), [str(new_id()) for _ in range(199)]
        answer = await client.get("/v1/contacts", params={"ids": [*wanted, str(shared.people["core"])], "limit": "200"})
        assert [item["id"] for item in answer.json()["items"]] == [str(shared.people["core"])]
        for count in (201, 300):
            answer = await client.get("/v1/contacts", params={"ids": [str(UUID(int=at)) for at in range(count)]})
            problem(answer, 422, "invalid_request")
            assert [code for _, code in faults(answer)] == ["too_many"]

    async def test_pages_follow_one_another_in_every_order_without_a_gap(self, shared: World) -> None:
        code, people = await self.department(shared, 7)
        same = await add_person(shared, department=code, name="同名", employee_no=None)
        again = await add_person(shared, department=code, name="同名", employee_no=None)
        everybody = {str(each.id) for each in (*people, same, again)}
        client = await shared.as_("staff")
        for sort in ("name", "-name", "employee_no", "-employee_no"):
            found: list[str] = []
            cursor = None
            for _ in range(9):
                query = {"department": code, "sort": sort, "limit": "2", **({"cursor": cursor} if cursor else {})}
                page = (await client.get("/v1/contacts", params=query)).json()
                found += [item["id"] for item in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
            assert len(found) == 9, sort
            assert set(found) == everybody, sort
            whole = (await client.get("/v1/contacts", params={"department": code, "sort": sort, "limit": "200"})).json()
            assert [item["id"] for item in whole["items"]] == found
            assert whole["next"] is None

    async def test_a_total_counts_what_the_caller_may_see(self, shared: World) -> None:
        code, people = await self.department(shared, 4)
        await hide(shared, people[0])
        for who in ("staff", "hr", "steward"):
            answer = await (await shared.as_(who)).get(
                "/v1/contacts", params={"department": code, "total": "true", "limit": "1"}
            )
            assert (answer.json()["total"], len(answer.json()["items"])) == (3, 1)
        answer = await (await shared.as_("staff")).get(
            "/v1/contacts", params={"department": code, "total": "true", "status": "left"}
        )
        assert (answer.json()["total"], answer.json()["items"], answer.json()["next"]) == (0, [], None)
        answer = await (await shared.as_("staff")).get("/v1/contacts", params={"department": code})
        assert "total" not in answer.json()

    async def test_a_cursor_belongs_to_its_caller_and_its_question(self, shared: World) -> None:
        code, _ = await self.department(shared, 3)
        asked = {"department": code, "limit": "1"}
        client = await shared.as_("staff")
        cursor = (await client.get("/v1/contacts", params=asked)).json()["next"]
        assert (await client.get("/v1/contacts", params={**asked, "cursor": cursor})).status_code == 200
        for who, query in (
            ("colleague", {**asked, "cursor": cursor}),
            ("staff", {**asked, "sort": "-name", "cursor": cursor}),
            ("staff", {**asked, "department": "RD", "cursor": cursor}),
            ("staff", {**asked, "q": "人", "cursor": cursor}),
            ("staff", {**asked, "cursor": cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")}),
            ("staff", {**asked, "cursor": "A" * 64}),
            ("staff", {**asked, "cursor": "ü" * 12}),
        ):
            answer = await (await shared.as_(who)).get("/v1/contacts", params=query)
            problem(answer, 422, "bad_cursor")
            assert faults(answer) == [("?cursor", "bad_cursor")]

    @pytest.mark.parametrize(
        ("query", "pointer", "code"),
        [
            ("limit=0", "?limit", "invalid_value"),
            ("limit=201", "?limit", "invalid_value"),
            ("limit=x", "?limit", "invalid_value"),
            ("sort=mobile", "?sort", "unknown_value"),
            ("sort=id_number", "?sort", "unknown_value"),
            ("mobile=13800002101", "?mobile", "unknown_member"),
            ("secrecy=executive", "?secrecy", "unknown_member"),
            ("fields=mobile", "?fields", "unknown_member"),
            ("mobile__gte=138", "?mobile__gte", "unknown_member"),
            ("q=", "?q", "too_short"),
            ("q=a%00b", "?q", "invalid_text"),
            ("q=" + "x" * 65, "?q", "too_long"),
            ("cursor=x", "?cursor", "too_short"),
            ("cursor=" + "x" * 1025, "?cursor", "too_long"),
            ("ids=1", "?ids/0", "malformed_id"),
            ("kind=boss", "?kind", "unknown_value"),
            ("status=gone", "?status", "unknown_value"),
            ("total=perhaps", "?total", "invalid_value"),
            ("purpose=fun", "?purpose", "unknown_value"),
        ],
    )
    async def test_a_malformed_question_is_refused(self, shared: World, query: str, pointer: str, code: str) -> None:
        answer = await (await shared.as_("staff")).get(f"/v1/contacts?{query}")
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [(pointer, code)]


class TestCreate:
    async def members(self, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — JSON
        number = new_id().int % 10**8
        return {
            "name": "新同事",
            "department": "RD",
            "user_name": f"new{number}",
            "employee_no": f"M{number}",
            "mobile": f"132{number:08d}",
            "email": f"new{number}@example.com",
            **members,
        }

    async def test_a_receipt_names_what_everybody_may_see_and_the_version_to_come(self, shared: World) -> None:
        members = await self.members(tags=["a"], worker_kind="part_time")
        answer = await (await shared.as_("hr")).post("/v1/contacts", json=members)
        assert answer.status_code == 201, answer.text
        receipt = ContactReceipt.model_validate_json(answer.content)
        assert answer.headers["Location"] == f"/v1/contacts/{receipt.id}"
        assert [each for each in (members["mobile"], members["email"], "masked", "****") if each in answer.text] == []
        card = await (await shared.as_("hr")).get(answer.headers["Location"])
        assert card.headers["ETag"] == answer.headers["ETag"] == f'"{receipt.version}"'
        assert card.json()["department"]["code"] == "RD"
        await shared.settle()
        event = await newest(shared, receipt.id, action="contact.create")
        assert set(event.fields) >= {"name", "department", "mobile", "email", "kind", "tags"}
        assert event.actor_id == str(shared.people["hr"])
        assert event.request_id == answer.headers["X-Request-ID"]

    async def test_the_new_persons_user_name_is_bound(self, shared: World) -> None:
        members = await self.members()
        answer = await (await shared.as_("hr")).post("/v1/contacts", json=members)
        client = await shared.as_(members["user_name"])
        card = await client.get(answer.headers["Location"])
        assert card.json()["mobile"] == {"state": "shown", "value": members["mobile"]}

    @pytest.mark.parametrize(
        ("members", "code", "where"),
        [
            ({"mobile": "12345"}, "invalid_request", [("/mobile", "malformed_phone")]),
            ({"mobile": "010-88880000"}, "invalid_request", [("/mobile", "malformed_phone")]),
            ({"office_phone": "ruf mich an"}, "invalid_request", [("/office_phone", "malformed_phone")]),
            ({"email": "nobody at example"}, "invalid_request", [("/email", "malformed_email")]),
            ({"id_number": "110105194912310021"}, "invalid_request", [("/id_number", "malformed_id_number")]),
            ({"birth_date": "1990-02-30"}, "invalid_request", [("/birth_date", "malformed_date")]),
            ({"wechat": "a\u0007b"}, "invalid_request", [("/wechat", "invalid_text")]),
            ({"qq": "1" * 65}, "invalid_request", [("/qq", "too_long")]),
            (
                {"mobile": "1", "email": "2", "qq": "\u200b"},
                "invalid_request",
                [("/email", "malformed_email"), ("/mobile", "malformed_phone"), ("/qq", "invalid_text")],
            ),
            ({"department": "NOSUCH"}, "unknown_department", [("/department", "unknown_department")]),
            (
                {"memberships": [{"department": "NOSUCH"}]},
                "unknown_department",
                [("/memberships/0/department", "unknown_department")],
            ),
            ({"manager": str(UUID(int=7))}, "unknown_contact", [("/manager", "unknown_contact")]),
            ({"manager": "boss"}, "invalid_request", [("/manager", "malformed_id")]),
            (
                {"kind": "student"},
                "not_collected",
                [(f"/{name}", "not_collected") for name in ("email", "employee_no", "mobile", "user_name")],
            ),
            (
                {"kind": "external"},
                "not_collected",
                [(f"/{name}", "not_collected") for name in ("email", "employee_no", "mobile", "user_name")],
            ),
            ({"kind": "hotline", "wechat": "x1234"}, "not_collected", [("/wechat", "not_collected")]),
            ({"business_phone": "13800000000"}, "not_collected", [("/business_phone", "not_collected")]),
            ({"organisation": "示例有限公司"}, "not_collected", [("/organisation", "not_collected")]),
            ({"tier": "T5"}, "invalid_request", [("/tier", "unknown_member")]),
            ({"roles": ["hr"]}, "invalid_request", [("/roles", "unknown_member")]),
            ({"status": "archived"}, "invalid_request", [("/status", "unknown_member")]),
            ({"row_version": 7}, "invalid_request", [("/row_version", "unknown_member")]),
            ({"short_numbers": ["61234"]}, "invalid_request", [("/short_numbers", "unknown_member")]),
            ({"a/b~c": 1}, "invalid_request", [("/a~1b~0c", "unknown_member")]),
            ({"name": ""}, "invalid_request", [("/name", "too_short")]),
            ({"name": "x" * 101}, "invalid_request", [("/name", "too_long")]),
            ({"name": "a\nb"}, "invalid_request", [("/name", "invalid_text")]),
            ({"name": "林\u200b雷"}, "invalid_request", [("/name", "invalid_text")]),
            ({"alias": "a\u200db"}, "invalid_request", [("/alias", "invalid_text")]),
            ({"tags": ["a\u00adb"]}, "invalid_request", [("/tags/0", "invalid_text")]),
            ({"name": None}, "invalid_request", [("/name", "invalid_value")]),
            ({"tags": ["x"] * 51}, "invalid_request", [("/tags", "too_many")]),
            ({"user_name": "a b"}, "invalid_request", [("/user_name", "invalid_value")]),
            ({"secrecy": "top"}, "invalid_request", [("/secrecy", "unknown_value")]),
        ],
        ids=lambda value: "-".join(value)[:40] if isinstance(value, dict) else "",
    )
    async def test_what_cannot_be_read_is_named_never_quoted_and_nothing_is_made(
        self, shared: World, members: dict[str, Any], code: str, where: list[tuple[str, str]]
    ) -> None:
        given = await self.members(**members)
        answer = await (await shared.as_("hr")).post("/v1/contacts", json=given)
        problem(answer, 422, code)
        assert sorted(faults(answer)) == sorted(where)
        values = [value for value in members.values() if isinstance(value, str) and len(value) > 4]
        assert [value for value in values if value in answer.text and value != "NOSUCH"] == []
        assert (
            await shared.application.accounts.by_user_name(shared.application.database.reader, given["user_name"])
            is None
        )

    async def test_a_missing_name_is_missing(self, shared: World) -> None:
        answer = await (await shared.as_("hr")).post("/v1/contacts", json={"department": "RD"})
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("/name", "missing")]

    async def test_taken_names_are_told_apart_and_a_taken_mobile_is_not_taken(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_("hr")
        answer = await client.post("/v1/contacts", json=await self.members(employee_no=f"N{someone.number}"))
        problem(answer, 409, "duplicate_employee_no")
        answer = await client.post("/v1/contacts", json=await self.members(user_name=someone.name.upper()))
        problem(answer, 409, "duplicate_user_name")
        answer = await client.post("/v1/contacts", json=await self.members(mobile=someone.mobile))
        assert answer.status_code == 201, "a conflict would be an oracle for numbers"

    async def test_two_at_once_with_one_name_make_one(self, shared: World) -> None:
        members = await self.members()
        client = await shared.as_("hr")
        answers = await asyncio.gather(*(client.post("/v1/contacts", json=members) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert codes <= {"duplicate_employee_no", "duplicate_user_name"}

    @pytest.mark.parametrize(
        ("body", "headers", "status", "code"),
        [
            (b'{"name": "x"', {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b"\xff\xfe", {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b'{"name": "\xff"}', {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b"[" * 100_000, {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b'{"name": ' + b"9" * 5000 + b"}", {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b'["x"]', {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b"null", {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b"", {"Content-Type": "application/json"}, 422, "invalid_request"),
            (b'{"name": "x"}', {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
            (b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
            (b'{"name": "x"}', {}, 415, "unsupported_media_type"),
            (b'{"name": "' + b"x" * 1_048_576 + b'"}', {"Content-Type": "application/json"}, 413, "body_too_large"),
        ],
    )
    async def test_a_body_of_another_kind_is_refused(
        self, shared: World, body: bytes, headers: dict[str, str], status: int, code: str
    ) -> None:
        answer = await (await shared.as_("hr")).post("/v1/contacts", content=body, headers=headers)
        problem(answer, status, code)

    async def test_a_body_that_never_says_how_long_it_is_is_counted(self, shared: World) -> None:
        async def endless() -> Any:  # noqa: ANN401 — an async iterator
            for _ in range(300):
                yield b"x" * 8192

        answer = await (await shared.as_("hr")).post(
            "/v1/contacts", content=endless(), headers={"Content-Type": "application/json"}
        )
        problem(answer, 413, "body_too_large")


class TestIdempotency:
    async def created(self, world: World, key: str, who: str = "hr", **members: Any) -> httpx.Response:  # noqa: ANN401 — JSON
        body = {"name": "一次", "department": "RD", **members}
        return await (await world.as_(who)).post("/v1/contacts", json=body, headers={"Idempotency-Key": key})

    async def test_a_repeated_call_is_answered_and_not_repeated(self, shared: World) -> None:
        key = new_id().hex
        first = await self.created(shared, key, mobile="13312345678")
        second = await self.created(shared, key, mobile="13312345678")
        assert (first.status_code, second.status_code) == (201, 201)
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.json() == first.json()
        assert second.headers["Location"] == first.headers["Location"]

    async def test_members_in_another_order_are_the_same_body(self, shared: World) -> None:
        client = await shared.as_("hr")
        headers = {"Idempotency-Key": new_id().hex, "Content-Type": "application/json"}
        first = await client.post("/v1/contacts", content='{"name":"甲","title":"乙"}'.encode(), headers=headers)
        again = await client.post("/v1/contacts", content='{ "title": "乙", "name": "甲" }'.encode(), headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.headers["Idempotency-Replayed"] == "true"

    async def test_another_body_under_the_key_is_refused(self, shared: World) -> None:
        key = new_id().hex
        await self.created(shared, key)
        problem(await self.created(shared, key, title="anders"), 422, "idempotency_key_reused")
        problem(await self.created(shared, key, title=None), 422, "idempotency_key_reused")

    async def test_keys_belong_to_their_caller(self, shared: World) -> None:
        key = new_id().hex
        first, second = await self.created(shared, key), await self.created(shared, key, "steward")
        assert second.status_code == 201
        assert first.json()["id"] != second.json()["id"]

    async def test_at_the_same_time_one_works_and_the_others_are_told(self, shared: World) -> None:
        key = new_id().hex
        answers = await asyncio.gather(*(self.created(shared, key) for _ in range(6)))
        made = [answer for answer in answers if answer.status_code == 201]
        assert len({answer.json()["id"] for answer in made}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
        for answer in answers:
            if answer.status_code != 201:
                problem(answer, 409, "idempotency_in_progress")

    async def test_a_refused_call_leaves_its_key_free(self, shared: World) -> None:
        key = new_id().hex
        problem(await self.created(shared, key, department="NOSUCH"), 422, "unknown_department")
        assert (await self.created(shared, key)).status_code == 201

    async def test_a_replay_asks_again_whether_the_caller_may(self, shared: World) -> None:
        someone = await add_person(shared, department="HR", tier="T4", roles=("hr",))
        key = new_id().hex
        assert (await self.created(shared, key, someone.name)).status_code == 201
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.set_standing(unit.session, someone.name, tier="T1", roles=())
        dead = await self.created(shared, key, someone.name)
        problem(dead, 401, "invalid_token")
        headers = await forged(shared, someone.name, "contacts:write")
        answer = await (await shared.as_(None)).post(
            "/v1/contacts", json={"name": "一次", "department": "RD"}, headers={**headers, "Idempotency-Key": key}
        )
        problem(answer, 403, "insufficient_scope")

    async def test_the_receipt_of_somebody_archived_is_forgotten(self, shared: World) -> None:
        key = new_id().hex
        first = await self.created(shared, key)
        client, path = await shared.as_("hr"), first.headers["Location"]
        gone = await client.delete(path, headers={"If-Match": first.headers["ETag"]})
        assert gone.status_code == 204, gone.text
        await shared.application.outbox.drain()
        again = await self.created(shared, key)
        assert again.status_code == 201
        assert "Idempotency-Replayed" not in again.headers
        assert again.json()["id"] != first.json()["id"]

    @pytest.mark.parametrize("key", ["", "x" * 201, "a b", "ü"])
    async def test_a_malformed_key_is_refused(self, shared: World, key: str) -> None:
        answer = await (await shared.as_("hr")).post(
            "/v1/contacts",
            json={"name": "x"},
            headers={b"Idempotency-Key": key.encode()},
        )
        problem(answer, 422, "invalid_request")
        assert faults(answer)[0][0].lower() == "header:idempotency-key"


class TestAmend:
    async def test_members_merge_null_removes_and_the_receipt_foretells_the_version(self, shared: World) -> None:
        someone = await add_person(shared, title="Alt", location="A1")
        answer = await patched(shared, "hr", someone, title="Neu", location=None, mobile="13312349876", wechat=None)
        assert answer.status_code == 200, answer.text
        receipt = ContactReceipt.model_validate_json(answer.content)
        assert (receipt.title, receipt.location, receipt.name) == ("Neu", None, f"新人{someone.number}")
        assert "13312349876" not in answer.text
        card = await (await shared.as_("hr")).get(someone.path)
        assert card.headers["ETag"] == answer.headers["ETag"]
        assert card.json()["mobile"]["value"] == "133****9876"
        assert card.json()["wechat"]["state"] == "empty"
        assert card.json()["email"]["value"] == f"someone{someone.number}@example.com"

    async def test_every_kind_of_change_is_foretold(self, shared: World) -> None:
        someone = await add_person(shared)
        for members in (
            {"tags": ["x"]},
            {"email": "Neu@Example.COM"},
            {"id_number": "11010519491231002X"},
            {"id_number": None},
            {"department": "SALES"},
            {"contract_until": "2027-01-31"},
            {"manager": str(shared.people["head"])},
            {"status": "leaving"},
            {"memberships": [{"department": "RD"}]},
        ):
            answer = await patched(shared, "hr", someone, **members)
            assert answer.status_code == 200, answer.text
            card = await (await shared.as_("hr")).get(someone.path)
            if answer.json()["version"] is not None:
                assert card.headers["ETag"] == answer.headers["ETag"], members

    async def test_a_version_that_only_a_look_can_tell_is_null(self, shared: World) -> None:
        someone = await add_person(shared)
        answer = await patched(shared, "hr", someone, secrecy="executive")
        assert answer.status_code == 200
        assert answer.json()["version"] is None
        assert "ETag" not in answer.headers

    async def test_a_change_that_changes_nothing_writes_no_history(self, shared: World) -> None:
        someone = await add_person(shared, title="Gleich")
        before = await stored(shared, someone.id)
        answer = await patched(
            shared,
            "hr",
            someone,
            title="Gleich",
            mobile=f"+86 {someone.mobile}",
            email=f"someone{someone.number}@EXAMPLE.com",
            qq=None,
        )
        assert answer.status_code == 200
        assert await stored(shared, someone.id) == before
        assert (await patched(shared, "hr", someone)).status_code == 200
        assert await stored(shared, someone.id) == before

    async def test_the_version_seen_must_be_the_version_now(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_("hr")
        seen = (await client.get(someone.path)).headers["ETag"]
        assert (await patched(shared, "steward", someone, title="Erste")).status_code == 200
        before = await stored(shared, someone.id)
        stale = await client.patch(someone.path, json={"title": "Zweite"}, headers={"If-Match": seen})
        problem(stale, 412, "precondition_failed")
        foreign = (await (await shared.as_("outsider")).get(someone.path)).headers["ETag"]
        problem(
            await client.patch(someone.path, json={"title": "x"}, headers={"If-Match": foreign}),
            412,
            "precondition_failed",
        )
        problem(await client.patch(someone.path, json={"title": "x"}), 428, "precondition_required")
        assert await stored(shared, someone.id) == before
        anything = await client.patch(someone.path, json={"title": "Dritte"}, headers={"If-Match": "*"})
        assert anything.status_code == 200

    async def test_of_many_at_once_exactly_one_wins(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_("hr")
        seen = (await client.get(someone.path)).headers["ETag"]
        answers = await asyncio.gather(
            *(client.patch(someone.path, json={"title": f"T{at}"}, headers={"If-Match": seen}) for at in range(5))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
        winner = next(answer for answer in answers if answer.status_code == 200)
        assert (await client.get(someone.path)).json()["title"] == winner.json()["title"]

    @pytest.mark.parametrize(
        ("members", "pointer", "code"),
        [
            ({"name": None}, "/name", "not_removable"),
            ({"tags": None}, "/tags", "not_removable"),
            ({"status": None}, "/status", "not_removable"),
            ({"status": "left"}, "/status", "unknown_value"),
            ({"status": "archived"}, "/status", "unknown_value"),
            ({"kind": "hotline"}, "/kind", "unknown_member"),
            ({"id": str(UUID(int=1))}, "/id", "unknown_member"),
            ({"version": "x"}, "/version", "unknown_member"),
            ({"tier": "T5"}, "/tier", "unknown_member"),
            ({"mobile": {"value": "13800000000"}}, "/mobile", "invalid_value"),
            ({"mobile": "138"}, "/mobile", "malformed_phone"),
        ],
    )
    async def test_what_cannot_be_changed_is_named_and_nothing_is(
        self, shared: World, members: dict[str, Any], pointer: str, code: str
    ) -> None:
        identity = shared.people["bare"]
        before = await stored(shared, identity)
        answer = await (await shared.as_("hr")).patch(
            f"/v1/contacts/{identity}", json=members, headers={"If-Match": "*"}
        )
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [(pointer, code)]
        assert await stored(shared, identity) == before

    async def test_a_changed_user_name_takes_the_old_account_away(self, shared: World) -> None:
        someone = await add_person(shared)
        old = await shared.as_(someone.name)
        assert (await old.get(someone.path)).status_code == 200
        new = f"renamed{someone.number}"
        assert (await patched(shared, "hr", someone, user_name=new)).status_code == 200
        answer = await old.get(someone.path)
        assert answer.status_code in {401, 403}
        card = await (await shared.as_(new)).get(someone.path)
        assert card.json()["mobile"]["state"] == "shown"

    async def test_a_move_is_felt_at_once_by_who_moves(self, shared: World) -> None:
        someone = await add_person(shared, department="RD")
        client = await shared.as_(someone.name)
        staff = f"/v1/contacts/{shared.people['staff']}"
        assert (await client.get(staff)).json()["mobile"]["value"] == "138****2101"
        assert (await patched(shared, "hr", someone, department="SALES")).status_code == 200
        assert (await client.get(staff)).json()["mobile"]["value"] == "138********"


class TestArchive:
    async def test_an_archived_contact_is_gone_for_everybody_and_sealed(self, shared: World) -> None:
        someone = await add_person(shared, title="Chef", tags=["weg"])
        client = await shared.as_("hr")
        seen = (await client.get(someone.path)).headers["ETag"]
        answer = await client.delete(someone.path, headers={"If-Match": seen})
        assert (answer.status_code, answer.content) == (204, b"")
        for who in ("hr", "steward", "infosec", "outsider", "directory-sync"):
            problem(await (await shared.as_(who)).get(someone.path), 404, "not_found")
            listed = await (await shared.as_(who)).get(
                "/v1/contacts", params={"ids": str(someone.id), "status": "archived"}
            )
            assert listed.json()["items"] == []
        problem(await client.get(f"{someone.path}/history"), 404, "not_found")
        problem(await client.delete(someone.path, headers={"If-Match": "*"}), 404, "not_found")
        record = await shared.application.contact_rows.by_id(someone.id, await shared.application.standings.tree())
        assert record is not None
        card: dict[str, Any] = orjson.loads(orjson.dumps(record.public))
        plain = {name: value for name, value in card.items() if value not in (None, [])}
        assert set(plain) <= {"id", "kind", "status", "worker_kind", "department", "tags"}
        assert plain["status"] == "archived"
        await shared.settle()
        event = await newest(shared, someone.id, action="contact.delete")
        assert event.actor_id == str(shared.people["hr"])

    async def test_whoever_was_archived_signs_in_no_more(self, shared: World) -> None:
        someone = await add_person(shared)
        own = await shared.as_(someone.name)
        assert (await own.get(someone.path)).status_code == 200
        client = await shared.as_("hr")
        seen = (await client.get(someone.path)).headers["ETag"]
        assert (await client.delete(someone.path, headers={"If-Match": seen})).status_code == 204
        assert (await own.get("/v1/contacts")).status_code in {401, 403}

    async def test_a_stale_or_missing_version_archives_nobody(self, shared: World) -> None:
        someone = await add_person(shared)
        client = await shared.as_("hr")
        seen = (await client.get(someone.path)).headers["ETag"]
        assert (await patched(shared, "hr", someone, title="Neu")).status_code == 200
        problem(await client.delete(someone.path, headers={"If-Match": seen}), 412, "precondition_failed")
        problem(await client.delete(someone.path), 428, "precondition_required")
        assert (await client.get(someone.path)).status_code == 200


class TestReveal:
    def body(self, *fields: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — JSON
        return {"fields": list(fields), "purpose": "work_contact", "reason": REASON, **members}

    async def reveal(self, world: World, who: str, of: str, *fields: str, **members: Any) -> httpx.Response:  # noqa: ANN401 — JSON
        path = f"/v1/contacts/{world.people[of]}/reveals"
        return await (await world.as_(who)).post(path, json=self.body(*fields, **members))

    @pytest.mark.parametrize(
        ("who", "of", "purpose", "fields"),
        [
            ("colleague", "staff", "work_contact", ("mobile",)),
            ("colleague", "staff", "work_contact", ("mobile", "email", "mobile")),
            ("head", "core", "work_contact", ("mobile", "personal_mobile")),
            ("hr", "staff", "work_contact", ("mobile",)),
            ("hr", "staff", "hr_admin", ("mobile", "wechat")),
            ("ceo", "outsider", "work_contact", ("mobile",)),
            ("staff", "staff", "work_contact", ("personal_mobile",)),
        ],
    )
    async def test_a_reason_opens_what_the_policy_gives_on_a_reason(
        self, shared: World, who: str, of: str, purpose: str, fields: tuple[str, ...]
    ) -> None:
        answer = await self.reveal(shared, who, of, *fields, purpose=purpose)
        assert answer.status_code == 200, answer.text
        view = RevealView.model_validate_json(answer.content)
        number = PEOPLE[of].number
        clear = {
            "mobile": f"1380000{number}",
            "personal_mobile": f"1390000{number}",
            "email": f"person{number}@example.com",
            "wechat": f"wx_{number}_x",
        }
        assert answer.json()["fields"] == {
            name: {"state": "shown", "value": clear[name]} for name in dict.fromkeys(fields)
        }
        assert view.display_seconds > 0
        assert answer.headers["Cache-Control"] == "no-store"

    async def test_the_event_names_the_fields_and_seals_the_reason(self, shared: World) -> None:
        answer = await self.reveal(shared, "colleague", "staff", "mobile", purpose="emergency")
        event = await newest(shared, shared.people["staff"], action="contact.reveal")
        assert str(event.id) == answer.json()["disclosure"]["event_id"]
        assert (event.purpose, event.fields) == ("emergency", ("mobile",))
        assert event.reason is not None
        assert event.reason[:2] == b"\xd5\x01"
        for encoding in ("utf-8", "utf-16-le"):
            assert REASON.encode(encoding) not in event.reason
        (cohort,) = event.cohorts
        assert (dict(cohort.states), cohort.contacts) == ({"mobile": "shown"}, (shared.people["staff"],))

    @pytest.mark.parametrize(
        ("who", "of", "field"),
        [
            ("outsider", "staff", "mobile"),
            ("colleague", "staff", "wechat"),
            ("colleague", "staff", "qq"),
            ("infosec", "staff", "mobile"),
            ("infosec", "ceo", "personal_mobile"),
            ("hr", "ceo", "mobile"),
        ],
    )
    async def test_what_takes_a_request_names_its_kind_and_opens_nothing(
        self, shared: World, who: str, of: str, field: str
    ) -> None:
        before = shared.application.opener.opened
        answer = await self.reveal(shared, who, of, field)
        document = problem(answer, 403, "approval_required")
        assert (document["request_kind"], document["fields"]) == ("field.reveal", [field])
        assert shared.application.opener.opened == before
        event = await newest(shared, shared.people[of])
        assert (event.action, event.decision, event.code) == ("contact.reveal", "refused", "approval_required")

    @pytest.mark.parametrize(
        ("who", "of", "fields"),
        [
            ("colleague", "staff", ("id_number",)),
            ("colleague", "staff", ("birth_date",)),
            ("colleague", "staff", ("mobile", "id_number")),
            ("hr", "staff", ("id_number",)),
            ("intern", "staff", ("mobile",)),
            ("intern", "staff", ("email",)),
            ("staff", "ceo", ("email",)),
        ],
    )
    async def test_what_no_request_gives_is_refused_whole_and_opens_nothing(
        self, shared: World, who: str, of: str, fields: tuple[str, ...]
    ) -> None:
        """Whether there is a value or none, the answer is the same."""
        before = shared.application.opener.opened
        problem(await self.reveal(shared, who, of, *fields), 403, "not_permitted")
        assert shared.application.opener.opened == before
        event = await newest(shared, shared.people[of])
        assert (event.action, event.decision, event.code) == ("contact.reveal", "refused", "not_permitted")

    async def test_ones_own_sensitive_value_takes_a_second_proof(self, shared: World) -> None:
        before = shared.application.opener.opened
        answer = await self.reveal(shared, "staff", "staff", "id_number")
        problem(answer, 401, "insufficient_user_authentication")
        assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
        assert shared.application.opener.opened == before

    async def test_a_value_that_is_not_there_is_empty_for_who_might_see_it(self, shared: World) -> None:
        answer = await self.reveal(shared, "hr", "bare", "qq", purpose="hr_admin")
        assert answer.json()["fields"] == {"qq": {"state": "empty"}}

    @pytest.mark.parametrize(
        ("members", "code", "where"),
        [
            ({"fields": []}, "invalid_request", ("/fields", "too_few")),
            ({"fields": ["mobile"] * 21}, "invalid_request", ("/fields", "too_many")),
            ({"fields": ["salary"]}, "unknown_field", ("/fields", "unknown_field")),
            ({"fields": ["*"]}, "unknown_field", ("/fields", "unknown_field")),
            ({"fields": ["mobile.value"]}, "unknown_field", ("/fields", "unknown_field")),
            ({"fields": ["name"]}, "unknown_field", ("/fields", "unknown_field")),
            ({"fields": ["archive"]}, "unknown_field", ("/fields", "unknown_field")),
            ({"reason": None}, "invalid_request", ("/reason", "invalid_value")),
            ({"reason": "  a  "}, "invalid_request", ("/reason", "too_short")),
            ({"reason": "x" * 501}, "invalid_request", ("/reason", "too_long")),
            ({"reason": "a\u0000bcdef"}, "invalid_request", ("/reason", "invalid_text")),
            ({"purpose": "fun"}, "invalid_request", ("/purpose", "unknown_value")),
            ({"until": "2027-01-01"}, "invalid_request", ("/until", "unknown_member")),
        ],
    )
    async def test_a_malformed_wish_is_refused(
        self, shared: World, members: dict[str, Any], code: str, where: tuple[str, str]
    ) -> None:
        answer = await self.reveal(shared, "colleague", "staff", "mobile", **members)
        problem(answer, 422, code)
        assert faults(answer) == [where]

    @pytest.mark.parametrize("member", ["fields", "purpose", "reason"])
    async def test_every_member_of_a_wish_is_required(self, shared: World, member: str) -> None:
        body = self.body("mobile")
        del body[member]
        path = f"/v1/contacts/{shared.people['staff']}/reveals"
        answer = await (await shared.as_("colleague")).post(path, json=body)
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [(f"/{member}", "missing")]


class TestHistory:
    async def told(self, world: World, who: str, someone: Added, **query: str) -> HistoryPage:
        answer = await (await world.as_(who)).get(f"{someone.path}/history", params=query)
        assert answer.status_code == 200, answer.text
        return HistoryPage.model_validate_json(answer.content)

    async def test_a_change_names_who_when_and_which_request(self, shared: World) -> None:
        someone = await add_person(shared)
        answer = await patched(shared, "hr", someone, mobile="13312345670", title="Neu", wechat=None)
        page = await self.told(shared, "steward", someone, limit="3", purpose="hr_admin")
        assert {(each.field, each.state, each.value) for each in page.items} == {
            ("mobile", "told", "133****5670"),
            ("title", "told", "Neu"),
            ("wechat", "removed", None),
        }
        for each in page.items:
            assert each.actor.model_dump() == {"type": "person", "id": str(shared.people["hr"])}
            assert each.request_id == answer.headers["X-Request-ID"]
            assert each.at.startswith("20")
        event = await newest(shared, someone.id, action="contact.history")
        assert str(event.id) == page.disclosure.event_id

    async def test_changes_of_what_could_not_be_shown_are_not_even_listed(self, shared: World) -> None:
        someone = await add_person(shared)
        await patched(
            shared, "hr", someone, mobile="13312345671", personal_mobile="13312345672", id_number="11010519491231002X"
        )
        await patched(shared, "hr", someone, secrecy="core")
        await patched(shared, "hr", someone, secrecy="normal")
        fields = {
            who: {each.field for each in (await self.told(shared, who, someone)).items}
            for who in ("outsider", "colleague", "hr", "infosec")
        }
        assert not fields["outsider"] & {"mobile", "personal_mobile", "wechat", "id_number"}
        assert "email" in fields["outsider"]
        assert "mobile" in fields["colleague"]
        assert not fields["colleague"] & {"personal_mobile", "wechat", "id_number"}
        assert "mobile" in fields["hr"]
        assert not fields["hr"] & {"personal_mobile", "wechat", "id_number"}
        for_personnel = {each.field for each in (await self.told(shared, "hr", someone, purpose="hr_admin")).items}
        assert for_personnel >= {"mobile", "personal_mobile", "wechat"}
        assert "id_number" not in for_personnel
        for who in ("outsider", "colleague", "infosec"):
            assert "secrecy" not in fields[who], "no card tells it"

    async def test_no_emergency_opens_the_past(self, shared: World) -> None:
        someone = await add_person(shared)
        answer = await (await shared.as_("hr")).get(f"{someone.path}/history", params={"purpose": "emergency"})
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("?purpose", "not_for_histories")]

    async def test_nothing_in_a_history_counts_what_is_not_told(self, shared: World) -> None:
        """A row counter with gaps would tell of every hidden change."""
        someone = await add_person(shared)
        for at in range(3):
            await patched(shared, "hr", someone, personal_mobile=f"1331234560{at}")
        answer = await patched(shared, "hr", someone, title="Neu")
        assert answer.status_code == 200
        listed = await (await shared.as_("outsider")).get(f"{someone.path}/history", params={"limit": "1"})
        (item,) = listed.json()["items"]
        assert set(item) == {"field", "state", "value", "at", "actor", "request_id"}

    async def test_pages_lead_to_the_beginning(self, shared: World) -> None:
        someone = await add_person(shared)
        whole = [(each.field, each.at) for each in (await self.told(shared, "hr", someone, limit="200")).items]
        found: list[tuple[str, str]] = []
        cursor: str | None = None
        for _ in range(20):
            page = await self.told(shared, "hr", someone, limit="2", **({"cursor": cursor} if cursor else {}))
            found += [(each.field, each.at) for each in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert found == whole
        first = await self.told(shared, "hr", someone, limit="1")
        assert first.next is not None
        for who, path in (("steward", someone.path), ("hr", f"/v1/contacts/{shared.people['bare']}")):
            answer = await (await shared.as_(who)).get(f"{path}/history", params={"cursor": first.next})
            problem(answer, 422, "bad_cursor")

    async def test_a_service_account_is_told_what_its_card_would_show(self, shared: World) -> None:
        someone = await add_person(shared)
        page = await self.told(shared, "directory-sync", someone)
        assert {each.field for each in page.items} >= {"name", "email", "office_phone"}
        assert not {each.field for each in page.items} & {"mobile", "personal_mobile", "wechat"}
