"""Forms as data: what is refused when they are read, what they answer, and what they make of every write."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from app.contacts.fields import CATALOGUE
from app.contacts.forms import (
    CONSENTS,
    KEPT_BY_SERVICE,
    BadFormsError,
    Forms,
    load,
    load_file,
    pack_consents,
    parse,
    unpack_consents,
)
from app.contacts.schemas import ContactMembers
from app.disclosure.fields import ALL_KINDS
from app.kit.strict_yaml import BadYamlError, read
from app.permissions.outcomes import FieldClass
from tests.hr import events
from tests.hr.calls import post
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

NOW: Final = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SHIPPED: Final = (files("app.contacts") / "form_sets" / "default.yaml").read_text(encoding="utf-8")
shared_loop = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("name", ["default", "strict"])
class TestWhatShips:
    def test_every_kind_has_a_form_and_every_field_a_ground(self, name: str) -> None:
        forms = Forms(load(name))
        assert set(forms.by_kind) == ALL_KINDS
        assert set(forms.made.bases) >= {"hr_management", "contract", *CONSENTS}
        for kind in ALL_KINDS:
            assert "name" in forms.required(kind)

    def test_sensitive_fields_are_off_and_can_be_switched_on_where_a_form_names_them(self, name: str) -> None:
        sensitive = {field.name for field in CATALOGUE.declared if field.field_class is FieldClass.C5}
        off, on = Forms(load(name)), Forms(load(name), switched_on=sensitive)
        for kind in ALL_KINDS:
            assert [each for each in sensitive if off.collects(kind, each)] == []
        assert on.collects("employee", "id_number")
        assert on.collects("student", "relations")
        assert not on.collects("hotline", "id_number")
        assert not on.collects("external", "relations")

    def test_everything_that_a_form_asks_for_can_be_said(self, name: str) -> None:
        sayable = {*ContactMembers.model_fields, "photo"}
        for form in load(name).forms:
            assert {each for names in form.fields.values() for each in names} <= sayable

    def test_accounts_are_for_those_who_work_here(self, name: str) -> None:
        forms = Forms(load(name))
        assert not any(forms.collects(kind, "user_name") for kind in ("applicant", "student", "external"))


def test_staff_consents_to_private_fields_where_the_strict_forms_are_in_force() -> None:
    strict, default = Forms(load("strict")), Forms(load("default"))
    assert strict.consent("employee", "wechat") == "consent"
    assert strict.consent("employee", "home_address") == "separate_consent"
    assert default.consent("employee", "wechat") is None
    assert strict.label != default.label


def test_only_those_kept_from_their_making_have_a_last_day_at_once() -> None:
    forms = Forms(load())
    assert forms.retain_until("applicant", NOW) == date(2027, 5, 21)
    assert [forms.retain_until(kind, NOW) for kind in sorted(ALL_KINDS - {"applicant"})] == [None] * 5


def test_live_consents_are_written_in_one_way_and_read_back() -> None:
    live = {("wechat", "consent"), ("relations", "separate_consent"), ("plate", "provision")}
    text = pack_consents(live)
    assert text == "plate:provision relations:separate_consent wechat:consent"
    assert unpack_consents(text) == live
    assert pack_consents(()) is None
    assert unpack_consents(None) == unpack_consents("") == unpack_consents("wechat :consent") == frozenset()


def form(made: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [each for each in made["forms"] if each["kind"] == kind]
    return found


def _stranger(made: dict[str, Any]) -> None:
    form(made, "hotline")["fields"]["not_personal"].append("wechat")


def _twice(made: dict[str, Any]) -> None:
    form(made, "applicant")["fields"]["consent"].append("personal_mobile")


def _required_consent(made: dict[str, Any]) -> None:
    form(made, "applicant")["required"].append("wechat")


def _required_off(made: dict[str, Any]) -> None:
    form(made, "employee")["required"].append("id_number")


def _required_elsewhere(made: dict[str, Any]) -> None:
    form(made, "employee")["required"].append("organisation")


def _plain_consent(made: dict[str, Any]) -> None:
    form(made, "employee")["fields"]["hr_management"].remove("title")
    form(made, "employee")["fields"]["consent"] = ["title"]


def _sensitive_lightly(made: dict[str, Any]) -> None:
    form(made, "student")["fields"]["separate_consent"].remove("birth_date")
    form(made, "student")["fields"]["consent"].append("birth_date")


def _kept_by_service(made: dict[str, Any]) -> None:
    form(made, "employee")["fields"]["hr_management"].append("short_numbers")


def _no_ground(made: dict[str, Any]) -> None:
    form(made, "employee")["fields"]["habit"] = ["title"]
    form(made, "employee")["fields"]["hr_management"].remove("title")


def _two_forms(made: dict[str, Any]) -> None:
    made["forms"].append(form(made, "hotline"))


def _more(made: dict[str, Any]) -> None:
    form(made, "hotline")["colour"] = "red"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_stranger, "wechat: not carried"),
        (_twice, "personal_mobile: named twice"),
        (_required_consent, "wechat: required"),
        (_required_off, "id_number: required"),
        (_required_elsewhere, "organisation: required or off"),
        (_plain_consent, "title: plain"),
        (_sensitive_lightly, "birth_date: sensitive"),
        (_kept_by_service, "short_numbers: not carried"),
        (_no_ground, "habit"),
        (_two_forms, "two forms"),
        (_more, "colour"),
    ],
)
def test_forms_that_do_not_hold_together_are_refused(
    spoil: Callable[[dict[str, Any]], None], told: str, tmp_path: Path
) -> None:
    made = read(SHIPPED)
    spoil(made)
    path = tmp_path / "forms.yaml"
    path.write_bytes(orjson.dumps(made))
    with pytest.raises(BadFormsError, match=told):
        load_file(path)


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "a: &x {b: 1}\nc: *x", "<<: {a: 1}", "? [a]\n: b", "a: [", "a: !!python/name:os.system"]
)
def test_what_a_reviewer_could_overlook_is_not_read(text: str) -> None:
    with pytest.raises(BadYamlError):
        read(text)
    with pytest.raises(BadFormsError):
        parse(text)


@shared_loop
class TestCollectionForms:
    async def test_everybody_is_told_the_same_and_it_can_be_kept(self, shared: World) -> None:
        staff, hr = await shared.as_("staff"), await shared.as_("hr")
        answer = await staff.get("/v1/collection-forms")
        assert answer.status_code == 200
        assert answer.json() == (await hr.get("/v1/collection-forms")).json()
        kept = await staff.get("/v1/collection-forms", headers={"If-None-Match": answer.headers["ETag"]})
        assert (kept.status_code, kept.content) == (304, b"")

    async def test_each_field_says_its_ground_and_whether_it_is_collected(self, shared: World) -> None:
        told = (await (await shared.as_("staff")).get("/v1/collection-forms")).json()
        kinds = {each["kind"]: {field["name"]: field for field in each["fields"]} for each in told["items"]}
        assert set(kinds) == ALL_KINDS
        assert kinds["applicant"]["wechat"] == {
            "name": "wechat", "zh": "微信", "en": "WeChat", "class": "C4", "basis": "consent", "required": False, "collected": True,
        }  # fmt: skip
        assert kinds["external"]["organisation"]["required"]
        assert kinds["employee"]["id_number"]["collected"]
        assert not {field for fields in kinds.values() for field in fields} & KEPT_BY_SERVICE
        grounds = {each["id"] for each in told["bases"]}
        assert {field["basis"] for fields in kinds.values() for field in fields.values()} <= grounds
        applicant = next(each for each in told["items"] if each["kind"] == "applicant")
        assert applicant["retention"] == {"begins": "created", "days": 180}

    async def test_a_query_parameter_is_refused(self, shared: World) -> None:
        problem(await (await shared.as_("staff")).get("/v1/collection-forms?kind=employee"), 422, "invalid_request")


@shared_loop
class TestOutsideTheForm:
    @pytest.mark.parametrize(
        ("kind", "members", "named"),
        [
            ("applicant", {"user_name": "somebody", "mobile": "13800000001"}, ["/mobile", "/user_name"]),
            ("applicant", {"relations": []}, ["/relations"]),
            ("student", {"office_phone": "010-88880001", "department": "RD"}, ["/office_phone"]),
            ("external", {"relations": [], "organisation": "x", "department": "RD"}, ["/relations"]),
            ("hotline", {"wechat": "x", "id_number": "x"}, ["/id_number", "/wechat"]),
            ("employee", {"organisation": "x", "delivery_address": "x"}, ["/delivery_address", "/organisation"]),
        ],
    )
    async def test_a_new_contact_is_refused_whole(
        self, collecting: World, kind: str, members: dict[str, Any], named: list[str]
    ) -> None:
        before = await collecting.application.contact_rows.size()
        hr = await collecting.as_("hr")
        answer = await hr.post("/v1/contacts", json={"kind": kind, "name": "逄外表", **members})
        problem(answer, 422, "not_collected")
        assert sorted(faults(answer)) == [(pointer, "not_collected") for pointer in named]
        assert await collecting.application.contact_rows.size() == before

    async def test_what_a_kind_cannot_be_without_is_missing_by_name(self, collecting: World) -> None:
        hr = await collecting.as_("hr")
        answer = await hr.post("/v1/contacts", json={"kind": "student", "name": "逄学"})
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("/department", "missing")]

    async def test_a_change_and_an_event_are_refused_alike(self, collecting: World) -> None:
        someone = await add_person(collecting, qq=None)
        hr = await collecting.as_("hr")
        answer = await hr.patch(someone.path, json={"organisation": "x", "title": "y"}, headers={"If-Match": "*"})
        problem(answer, 422, "not_collected")
        assert faults(answer) == [("/organisation", "not_collected")]
        assert (await hr.get(someone.path)).json()["title"] is None


async def test_an_event_points_into_its_data(sqlite_world: World) -> None:
    sqlite_world.application.hr.service._members.forms = Forms(load())
    answer = await post(sqlite_world, events.joined("E7901", birth_date="1990-01-01"))
    problem(answer, 422, "not_collected")
    assert faults(answer) == [("/data/birth_date", "not_collected")]
