"""External contacts: their names are protected fields, and who sees and keeps them follows from the department that owns them."""

from datetime import date, timedelta
from typing import Any, Final

import httpx
import pytest

from app.config import PolicySettings
from app.contacts.fields import NAMES
from app.contacts.schemas import ContactPage, ContactReceipt, ContactView, HistoryPage
from tests.contacts.partners import Partner, add_partner, members, next_number
from tests.support.application import World, opened_world
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person
from tests.support.stores import SqliteTestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

REVEAL, FILE = {"next": "reveal"}, {"next": "request:field.reveal"}
SEALED: Final = {
    "name": "C2",
    "name_en": "C2",
    "alias": "C2",
    "business_phone": "C3",
    "business_email": "C3",
    "delivery_address": "C4",
}


def written(partner: Partner, name: str, outcome: str) -> str | None:
    """Write what ``outcome`` shows of a field."""
    number = partner.number
    every: dict[str, str | None] = {
        "clear": members(number)[name],
        "fine": {
            "name": "解**",
            "name_en": "X**",
            "alias": "老**",
            "business_phone": f"134****{number}",
            "business_email": "p***@example.net",
            "delivery_address": "浙江省杭州市",
        }[name],
        "coarse": "杭州市" if name == "delivery_address" else "***",
        "hidden": None,
    }
    return every[outcome]


STATES: Final = {"clear": "shown", "fine": "masked", "coarse": "masked", "hidden": "withheld"}

MATRIX: Final = [
    ("staff of the owner", "outsider", "SALES", "clear fine+reveal coarse+file"),
    ("staff of another department", "staff", "SALES", "hidden+file hidden+file hidden"),
    ("an intern of the owner", "intern", "RD", "fine hidden hidden"),
    ("an intern of another department", "intern", "SALES", "hidden hidden hidden"),
    ("the head of the owner", "head", "RD", "clear fine+reveal fine+reveal"),
    ("the head above the owner", "head", "RD-CORE", "clear fine+reveal fine+reveal"),
    ("the head of another department", "head", "SALES", "hidden+file hidden+file hidden"),
    ("HR", "hr", "SALES", "clear fine+reveal coarse+file"),
    ("the steward", "steward", "SALES", "clear fine+reveal coarse+file"),
    ("security", "infosec", "SALES", "fine+file fine+file coarse+file"),
    ("an auditor", "auditor", "SALES", "fine+file fine+file coarse+file"),
    ("an executive", "ceo", "SALES", "hidden+file hidden+file hidden"),
    ("a technician", "it", "SALES", "hidden+file hidden+file hidden"),
]


@pytest.mark.parametrize(("viewer", "owner", "text"), [each[1:] for each in MATRIX], ids=[each[0] for each in MATRIX])
async def test_the_card_shows_what_the_tier_table_says(shared: World, viewer: str, owner: str, text: str) -> None:
    partner = await add_partner(shared, department=owner)
    client = await shared.as_(viewer)
    answer = await client.get(partner.path)
    ContactView.model_validate_json(answer.content)
    card = answer.json()
    outcomes = dict(zip(("C2", "C3", "C4"), text.split(), strict=True))
    for name, field_class in SEALED.items():
        outcome, _, following = outcomes[field_class].partition("+")
        wanted = {"state": STATES[outcome], **{"reveal": REVEAL, "file": FILE, "": {}}[following]}
        value = written(partner, name, outcome)
        assert card[name] == {**wanted, **({} if value is None else {"value": value})}, name
    assert card["organisation"] == f"示例{partner.number}公司"
    assert card["department"]["code"] == owner
    if outcomes["C2"].startswith("hidden"):
        assert [secret for secret in partner.secrets if secret in answer.text] == []
    page = await client.get("/v1/contacts", params={"ids": str(partner.id)})
    ContactPage.model_validate_json(page.content)
    del card["disclosure"]
    assert page.json()["items"] == [card]


async def test_services_are_told_of_nobody_outside(shared: World) -> None:
    partner = await add_partner(shared)
    client = await shared.as_("directory-sync")
    problem(await client.get(partner.path), 404, "not_found")
    page = await client.get("/v1/contacts", params={"kind": "external", "total": "true"})
    assert (page.json()["items"], page.json()["total"]) == ([], 0)
    for name in ("hr-system", "it-scripts", "siem"):
        problem(await (await shared.as_(name)).get(partner.path), 403, "insufficient_scope")


async def test_the_strict_pack_tells_other_departments_nothing(sqlite_store: SqliteTestStore) -> None:
    strict = sqlite_store.settings.model_copy(update={"policy": PolicySettings(profile="strict")})
    async with opened_world(strict) as world:
        partner = await add_partner(world)
        for who, status in {"staff": 404, "ceo": 404, "it": 404, "outsider": 200, "hr": 200, "infosec": 200}.items():
            client = await world.as_(who)
            assert (await client.get(partner.path)).status_code == status, who
            listed = await client.get("/v1/contacts", params={"kind": "external"})
            assert (str(partner.id) in listed.text) is (status == 200), who
        assert (await (await world.as_("outsider")).get(partner.path)).json()["name"]["value"] == partner.name


async def test_who_left_our_side_is_hidden_like_everybody(shared: World) -> None:
    partner = await add_partner(shared)
    hr = await shared.as_("hr")
    seen = await hr.get(partner.path)
    assert (await hr.delete(partner.path, headers={"If-Match": seen.headers["ETag"]})).status_code == 204
    for who in ("hr", "steward", "outsider"):
        problem(await (await shared.as_(who)).get(partner.path), 404, "not_found")


class TestCreate:
    async def post(self, world: World, who: str = "hr", **given: Any) -> httpx.Response:  # noqa: ANN401 — members of a contact
        client = await world.as_(who)
        return await client.post("/v1/contacts", json={"kind": "external", **members(next_number(), **given)})

    async def test_a_receipt_names_nobody_and_a_repeat_gives_the_same(self, shared: World) -> None:
        client, number = await shared.as_("hr"), next_number()
        body = {"kind": "external", **members(number, contract_until="2099-12-31", review_due="2099-06-30")}
        key = {"Idempotency-Key": f"partner-{number}"}
        first = await client.post("/v1/contacts", json=body, headers=key)
        assert first.status_code == 201, first.text
        ContactReceipt.model_validate_json(first.content)
        again = await client.post("/v1/contacts", json=body, headers=key)
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
        receipt = first.json()
        assert not set(NAMES) & receipt.keys()
        assert [secret for secret in Partner(receipt["id"], number).secrets if secret in first.text] == []
        assert (receipt["organisation"], receipt["contract_until"]) == (f"示例{number}公司", "2099-12-31")
        assert receipt["worker_kind"] is None
        card = await client.get(f"/v1/contacts/{receipt['id']}")
        assert card.json()["version"] == receipt["version"]
        assert card.json()["name"] == {"state": "shown", "value": f"解外人{number}"}

    async def test_names_that_nobody_gave_are_empty(self, shared: World) -> None:
        answer = await self.post(shared, name_en=None, alias=None)
        card = (await (await shared.as_("hr")).get(f"/v1/contacts/{answer.json()['id']}")).json()
        assert (card["name_en"], card["alias"]) == ({"state": "empty"}, {"state": "empty"})
        partner = await (await shared.as_("staff")).get(f"/v1/contacts/{answer.json()['id']}")
        assert partner.json()["alias"] == partner.json()["name"] == {"state": "withheld", **FILE}

    async def test_a_name_is_spelt_as_its_script_is(self, shared: World) -> None:
        answer = await self.post(shared, name="نیک\u200cپی", alias="葛\U000e0100城")
        card = (await (await shared.as_("hr")).get(f"/v1/contacts/{answer.json()['id']}")).json()
        assert (card["name"]["value"], card["alias"]["value"]) == ("نیک\u200cپی", "葛\U000e0100城")

    @pytest.mark.parametrize(
        ("given", "code", "where"),
        [
            ({"employee_no": "E1"}, "not_collected", {"/employee_no": "not_collected"}),
            ({"user_name": "someone.outside"}, "not_collected", {"/user_name": "not_collected"}),
            ({"mobile": "13800000001"}, "not_collected", {"/mobile": "not_collected"}),
            ({"office_phone": "010-88880001"}, "not_collected", {"/office_phone": "not_collected"}),
            ({"worker_kind": "intern"}, "not_collected", {"/worker_kind": "not_collected"}),
            ({"memberships": []}, "not_collected", {"/memberships": "not_collected"}),
            ({"manager": "0193b5a0-0000-7000-8000-000000000000"}, "not_collected", {"/manager": "not_collected"}),
            ({"organisation": None}, "invalid_request", {"/organisation": "missing"}),
            ({"department": None}, "invalid_request", {"/department": "missing"}),
            ({"name": None}, "invalid_request", {"/name": "missing"}),
            ({"department": "NOSUCH"}, "unknown_department", {"/department": "unknown_department"}),
            ({"contract_until": "2020-12-31"}, "invalid_request", {"/contract_until": "past_date"}),
            ({"review_due": "2020-12-31"}, "invalid_request", {"/review_due": "past_date"}),
            ({"business_phone": "123"}, "invalid_request", {"/business_phone": "malformed_phone"}),
            ({"business_email": "no mail"}, "invalid_request", {"/business_email": "malformed_email"}),
            ({"alias": "\u200b"}, "invalid_request", {"/alias": "invalid_text"}),
            ({"organisation": "示例\ufe0f公司"}, "invalid_request", {"/organisation": "invalid_text"}),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    async def test_what_does_not_fit_is_refused_and_never_quoted(
        self, shared: World, given: dict[str, Any], code: str, where: dict[str, str]
    ) -> None:
        answer = await self.post(shared, **given)
        if given.get("name", ...) is None or given.get("organisation", ...) is None:
            assert answer.status_code == 422
        problem(answer, 422, code)
        assert dict(faults(answer)) == where
        assert "解外人" not in answer.text
        assert "1340000" not in answer.text

    async def test_a_contract_may_end_today_wherever_that_is(self, shared: World) -> None:
        today = shared.application.clock.now().date()
        for ends, status in ((today, 201), (today + timedelta(days=1), 201), (today - timedelta(days=2), 422)):
            assert (await self.post(shared, contract_until=ends.isoformat())).status_code == status, ends

    @pytest.mark.parametrize(
        "who", ["staff", "outsider", "head", "infosec", "ceo", "intern", "hr-system", "directory-sync"]
    )
    async def test_who_keeps_nobody_makes_nobody(self, shared: World, who: str) -> None:
        problem(await self.post(shared, who), 403, "insufficient_scope")

    async def test_no_fields_of_partners_on_an_employee(self, shared: World) -> None:
        someone = await add_person(shared)
        for name, value in {
            "organisation": "示例",
            "relation": "客户",
            "review_due": "2099-01-01",
            "delivery_address": "x",
        }.items():
            client = await shared.as_("hr")
            answer = await client.patch(someone.path, json={name: value}, headers={"If-Match": "*"})
            problem(answer, 422, "not_collected")


async def head_of(world: World, *, parent: str | None = None) -> tuple[Added, str]:
    """Add a head with the role that lets them write, and the department."""
    head = await add_person(world, department="EXEC", roles=("dept_head",))
    return head, await add_department(world, parent=parent, head=head.id)


async def patch(world: World, who: str, partner: Partner, **given: Any) -> httpx.Response:  # noqa: ANN401 — members of a contact
    client = await world.as_(who)
    seen = await client.get(partner.path)
    return await client.patch(partner.path, json=given, headers={"If-Match": seen.headers.get("ETag", '"x"')})


class TestKeeping:
    async def test_hr_the_steward_and_the_head_of_the_owner_change_them(self, shared: World) -> None:
        head, code = await head_of(shared)
        partner = await add_partner(shared, department=code)
        for at, who in enumerate(("hr", "steward", head.name)):
            answer = await patch(shared, who, partner, name=f"新名{at}", business_phone=f"1350000000{at}")
            assert answer.status_code == 200, (who, answer.text)
            assert "新名" not in answer.text
            card = (await (await shared.as_(who)).get(partner.path)).json()
            assert card["version"] == answer.json()["version"], "the receipt foretold it"
            assert card["name"] == {"state": "shown", "value": f"新名{at}"}
            assert card["business_phone"]["value"] == f"135****000{at}"

    async def test_others_do_not(self, shared: World) -> None:
        _, code = await head_of(shared)
        other, _ = await head_of(shared)
        member = await add_person(shared, department=code, roles=("dept_head",))
        partner = await add_partner(shared, department=code)
        for who in (other.name, member.name):
            problem(await patch(shared, who, partner, relation="伙伴"), 403, "not_permitted")
            problem(await (await shared.as_(who)).delete(partner.path, headers={"If-Match": "*"}), 403, "not_permitted")
        for who in ("outsider", "staff", "infosec", "hr-system"):
            answer = await (await shared.as_(who)).patch(
                partner.path, json={"relation": "x"}, headers={"If-Match": "*"}
            )
            problem(answer, 403, "insufficient_scope")

    async def test_a_head_hands_over_only_to_what_they_head(self, shared: World) -> None:
        head, code = await head_of(shared)
        below = await add_department(shared, parent=code)
        partner = await add_partner(shared, department=code)
        problem(await patch(shared, head.name, partner, department="SALES"), 403, "not_permitted")
        assert (await patch(shared, head.name, partner, department=below)).status_code == 200
        assert (await patch(shared, "hr", partner, department="SALES")).status_code == 200
        problem(await patch(shared, head.name, partner, relation="x"), 403, "not_permitted")

    async def test_a_head_makes_and_archives_in_what_they_head(self, shared: World) -> None:
        head, code = await head_of(shared)
        client = await shared.as_(head.name)
        body = {"kind": "external", **members(next_number(), department=code)}
        answer = await client.post("/v1/contacts", json=body)
        assert answer.status_code == 201, answer.text
        problem(await client.post("/v1/contacts", json={**body, "department": "SALES"}), 403, "not_permitted")
        problem(await client.post("/v1/contacts", json={"name": "新人", "department": code}), 403, "not_permitted")
        path = f"/v1/contacts/{answer.json()['id']}"
        assert (await client.delete(path, headers={"If-Match": "*"})).status_code == 204
        problem(await client.get(path), 404, "not_found")

    async def test_headship_without_the_role_carries_no_scope(self, shared: World) -> None:
        head = await add_person(shared, department="EXEC")
        code = await add_department(shared, head=head.id)
        partner = await add_partner(shared, department=code)
        problem(await patch(shared, head.name, partner, relation="x"), 403, "insufficient_scope")

    async def test_what_a_partner_cannot_be_without_stays(self, shared: World) -> None:
        partner = await add_partner(shared)
        for name in ("organisation", "department", "name"):
            answer = await patch(shared, "hr", partner, **{name: None})
            problem(answer, 422, "invalid_request")
            assert faults(answer) == [(f"/{name}", "not_removable")]
        assert (await patch(shared, "hr", partner, alias=None, delivery_address=None)).status_code == 200
        card = (await (await shared.as_("hr")).get(partner.path)).json()
        assert (card["alias"], card["delivery_address"]) == ({"state": "empty"}, {"state": "empty", **FILE})

    async def test_a_contract_that_ended_meanwhile_can_be_sent_back_unchanged(self, shared: World) -> None:
        partner = await add_partner(shared, contract_until=date(2099, 1, 1))
        later = date(2099, 1, 2)
        clock = shared.application.clock
        ended = (clock.now() - timedelta(days=9)).date().isoformat()
        problem(await patch(shared, "hr", partner, contract_until=ended), 422, "invalid_request")
        assert (await patch(shared, "hr", partner, contract_until=later.isoformat())).status_code == 200
        assert (await patch(shared, "hr", partner, contract_until=None)).status_code == 200

    async def test_a_name_of_equal_value_changes_nothing(self, shared: World) -> None:
        partner = await add_partner(shared)
        before = (await (await shared.as_("hr")).get(partner.path)).json()["version"]
        answer = await patch(shared, "hr", partner, name=partner.name, organisation=f"示例{partner.number}公司")
        assert answer.json()["version"] == before
        history = await (await shared.as_("hr")).get(f"{partner.path}/history", params={"limit": 200})
        assert len([each for each in history.json()["items"] if each["field"] == "name"]) == 1


class TestLooking:
    async def test_history_tells_names_to_whom_the_card_does(self, shared: World) -> None:
        partner = await add_partner(shared)
        assert (await patch(shared, "hr", partner, name="改名", relation="伙伴")).status_code == 200
        for who, told in {"outsider": True, "hr": True, "staff": False, "infosec": False, "ceo": False}.items():
            answer = await (await shared.as_(who)).get(f"{partner.path}/history", params={"limit": 200})
            HistoryPage.model_validate_json(answer.content)
            values = [each["value"] for each in answer.json()["items"] if each["field"] == "name"]
            assert values == (["改名", partner.name] if told else []), who
            assert ("改名" in answer.text) is told
            assert [each["value"] for each in answer.json()["items"] if each["field"] == "relation"] == ["伙伴", "客户"]

    async def test_an_employees_name_is_told_in_history_as_ever(self, shared: World) -> None:
        someone = await add_person(shared, alias="阿新")
        answer = await (await shared.as_("outsider")).get(f"{someone.path}/history", params={"limit": 200})
        told = {each["field"]: each.get("value") for each in answer.json()["items"]}
        assert (told["name"], told["alias"]) == (f"新人{someone.number}", "阿新")

    async def test_reveals(self, shared: World) -> None:
        partner, someone = await add_partner(shared), await add_person(shared)
        wish = {"purpose": "work_contact", "reason": "call back about the order"}

        async def reveal(who: str, path: str, *names: str) -> httpx.Response:
            return await (await shared.as_(who)).post(f"{path}/reveals", json={**wish, "fields": names})

        answer = await reveal("outsider", partner.path, "business_phone", "name")
        assert {name: each["value"] for name, each in answer.json()["fields"].items()} == {
            "business_phone": f"1340000{partner.number}",
            "name": partner.name,
        }
        problem(await reveal("outsider", partner.path, "delivery_address"), 403, "approval_required")
        for who in ("staff", "infosec", "ceo"):
            problem(await reveal(who, partner.path, "name"), 403, "approval_required")
        problem(await reveal("intern", partner.path, "name"), 403, "not_permitted")
        problem(await reveal("hr", someone.path, "name"), 422, "unknown_field")
        problem(await reveal("hr", partner.path, "mobile"), 422, "unknown_field")

    async def test_the_log_says_how_a_name_was_shown(self, shared: World) -> None:
        partner = await add_partner(shared)
        for who, state in {"outsider": "shown", "staff": "withheld", "infosec": "masked"}.items():
            event = (await (await shared.as_(who)).get(partner.path)).json()["disclosure"]["event_id"]
            told = (await (await shared.as_("infosec")).get(f"/v1/access-events/{event}")).json()
            (contact,) = told["contacts"]
            assert contact["fields"]["name"] == state
            found = await (await shared.as_("siem")).get(
                "/v1/access-events", params={"contact": str(partner.id), "field": "name", "state": state}
            )
            assert event in [each["id"] for each in found.json()["items"]], found.text
            assert [secret for secret in partner.secrets if secret in found.text] == []

    async def test_an_employees_card_is_what_it_was(self, shared: World) -> None:
        card = await shared.card("outsider", "staff")
        assert (card["name"], card["name_en"], card["alias"]) == ("欧阳明", None, None)
        assert not {"business_phone", "business_email", "delivery_address"} & card.keys()
