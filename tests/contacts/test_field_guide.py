"""What the fields mean to whom: the catalogue whole, and the very verdicts that cards bear out."""

from typing import Any, Final

import pytest

from app.audit.events import FieldBits
from app.contacts.fields import CATALOGUE, NAMES, PHOTO
from app.contacts.own_schemas import FieldGuideList
from app.disclosure.fields import Catalogue, MaskKind, ProtectedField, PublicField
from app.permissions.outcomes import FieldClass
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLERS: Final = {
    None: (401, "token_required"),
    "hr-system": (403, "insufficient_scope"),
    "siem": (403, "insufficient_scope"),
    "it-scripts": (403, "insufficient_scope"),
}
SHOWN, WITHHELD = {"state": "shown"}, {"state": "withheld"}
REVEAL, FILE = {"state": "masked", "next": "reveal"}, {"state": "masked", "next": "request:field.reveal"}

SIGHT: Final[list[tuple[str, str, dict[str, dict[str, str]]]]] = [
    ("staff", "email", {"self": SHOWN, "own_department": SHOWN, "others": SHOWN}),
    ("staff", "mobile", {"self": SHOWN, "own_department": REVEAL, "others": FILE}),
    ("staff", "wechat", {"self": SHOWN, "own_department": FILE, "others": WITHHELD}),
    ("staff", "id_number", {"self": WITHHELD, "own_department": WITHHELD, "others": WITHHELD}),
    (
        "staff",
        "business_phone",
        {"own_department": REVEAL, "others": {"state": "withheld", "next": "request:field.reveal"}},
    ),
    ("head", "sealed name", {"headed": SHOWN, "others": {"state": "withheld", "next": "request:field.reveal"}}),
    ("infosec", "sealed name", {"own_department": SHOWN, "others": FILE}),
    ("directory-sync", "sealed name", {"others": WITHHELD}),
    ("directory-sync", "organisation", {"others": WITHHELD}),
    ("staff", "photo", {"self": SHOWN, "own_department": SHOWN, "others": SHOWN}),
    ("intern", "photo", {"self": SHOWN, "own_department": WITHHELD, "others": WITHHELD}),
    ("intern", "email", {"self": SHOWN, "own_department": {"state": "masked"}, "others": {"state": "masked"}}),
    ("head", "wechat", {"self": SHOWN, "headed": REVEAL, "others": WITHHELD}),
    ("head", "name", {"self": SHOWN, "headed": SHOWN, "others": SHOWN}),
    (
        "hr",
        "id_number",
        {"self": {"state": "masked"}, "own_department": {"state": "masked"}, "others": {"state": "masked"}},
    ),
    ("directory-sync", "email", {"others": SHOWN}),
    ("directory-sync", "mobile", {"others": WITHHELD}),
]


async def guide(world: World, who: str) -> dict[str, dict[str, Any]]:
    answer = await (await world.as_(who)).get("/v1/fields")
    assert answer.status_code == 200, answer.text
    FieldGuideList.model_validate_json(answer.content)
    return {
        each["name"] if each["name"] not in NAMES or not each["protected"] else f"sealed {each['name']}": each
        for each in answer.json()["items"]
    }


@pytest.mark.parametrize("who", CALLERS)
async def test_who_may_not_read_cards_is_told_nothing(shared: World, who: str | None) -> None:
    problem(await (await shared.as_(who)).get("/v1/fields"), *CALLERS[who])


async def test_every_field_is_told_once_in_both_languages(shared: World) -> None:
    found = await guide(shared, "staff")
    sealed = [f"sealed {each.name}" if each.name in NAMES else each.name for each in CATALOGUE.declared]
    assert list(found) == [*(each.name for each in CATALOGUE.public), *sealed]
    for name, each in found.items():
        assert each["zh"], name
        assert each["en"], name
        assert each["kinds"], name
        assert each["protected"] is (name.removeprefix("sealed ") in CATALOGUE.classes and name not in NAMES)
    assert found["mobile"]["class"] == "C3"
    assert found["mobile"]["mask"] == "mobile"
    assert found["mobile"]["kinds"] == ["employee", "temporary", "hotline"]
    assert (found["name"]["mask"], found["name"]["path"]) == (None, None)
    assert found["name"]["kinds"] == ["employee", "temporary", "hotline"]
    assert (found["sealed name"]["class"], found["sealed name"]["mask"]) == ("C2", "name")
    assert found["sealed name"]["kinds"] == ["external", "student", "applicant"]
    assert found["organisation"]["kinds"] == ["external"]
    assert "external" not in found["employee_no"]["kinds"]
    assert (found["photo"]["mask"], found["photo"]["path"]) == ("picture", "/v1/contacts/{id}/photo")
    assert found["id_number"]["collected"], "the tests' settings ask for it"


@pytest.mark.parametrize(("who", "name", "sight"), SIGHT)
async def test_what_policy_gives(shared: World, who: str, name: str, sight: dict[str, dict[str, str]]) -> None:
    assert (await guide(shared, who))[name]["sight"] == sight


@pytest.mark.parametrize("who", ["staff", "head", "hr", "infosec", "ceo", "intern", "it", "directory-sync"])
async def test_cards_bear_it_out(shared: World, who: str) -> None:
    """An ordinary contact shows exactly the states and next steps that the guide foretold."""
    found, client = await guide(shared, who), await shared.as_(who)
    someone = {"others": await add_person(shared, department="SALES")}
    if who in {"staff", "intern"}:
        someone["own_department"] = await add_person(shared, department="RD")
    if who == "head":
        someone["headed"] = await add_person(shared, department="RD-CORE")
    for relation, each in someone.items():
        card = (await client.get(each.path)).json()
        for name in CATALOGUE.by_name:
            if not isinstance(card.get(name), dict):
                continue
            told = found[name]["sight"][relation]
            assert card[name].get("next") == told.get("next"), (relation, name)
            assert card[name]["state"] in {told["state"], *({"empty"} if told["state"] != "withheld" else ())}


async def test_a_field_is_declared_once_for_a_kind() -> None:
    sealed = ProtectedField("a", FieldClass.C2, MaskKind.TEXT, "甲", "A", frozenset({"external"}), stored_as="sealed_a")
    both = Catalogue((PublicField("a", "甲", "A", frozenset({"employee"})),), (sealed,))
    assert (both.protects("external", "a"), both.protects("employee", "a")) == (sealed, None)
    assert both.protects("student", "a") is sealed, "what nobody collects in clear is nowhere in clear"
    assert [sorted(both.plain(kind)) for kind in ("employee", "external")] == [["a"], []]
    for public, protected in (
        ((PublicField("a", "甲", "A"),), (sealed,)),
        ((), (sealed, sealed)),
        ((), (sealed, ProtectedField("a", FieldClass.C3, MaskKind.TEXT, "甲", "A", frozenset({"student"})))),
    ):
        with pytest.raises(ValueError, match="twice"):
            Catalogue(public, protected)


async def test_it_is_the_same_until_something_changes(shared: World) -> None:
    client = await shared.as_("staff")
    first = await client.get("/v1/fields")
    assert first.headers["ETag"] == f'"{first.json()["version"]}"'
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = await client.get("/v1/fields", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await (await shared.as_("hr")).get("/v1/fields", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


async def test_it_takes_no_questions(shared: World) -> None:
    problem(await (await shared.as_("staff")).get("/v1/fields?contact=x"), 422, "invalid_request")


async def test_bits_of_the_log_keep_their_places() -> None:
    """Old index rows mean what they meant: a field that came later stands behind all that were there."""
    bits = FieldBits(CATALOGUE.logged)
    assert bits.order[:17] == tuple(each.name for each in CATALOGUE.protected)[:17]
    assert bits.order[17] == PHOTO.name
    assert bits.order[18:] == (*NAMES, "relations")
    assert bits.of({"office_phone": "masked"}) == 1
    assert bits.of({"photo": "shown"}) == 2 << 34
    assert bits.of({"name": "shown"}) == 2 << 36


async def test_what_stands_apart_is_on_no_card() -> None:
    both = Catalogue(
        (),
        (
            ProtectedField("a", FieldClass.C2, MaskKind.TEXT, "甲", "A", frozenset({"employee"})),
            ProtectedField("b", FieldClass.C2, MaskKind.PICTURE, "乙", "B", frozenset({"employee"}), on_card=False),
            ProtectedField("c", FieldClass.C4, MaskKind.TEXT, "丙", "C", frozenset({"employee"})),
        ),
    )
    assert [each.name for each in both.of_kind("employee")] == ["a", "c"]
    assert dict(both.place) == {"a": 0, "c": 1}
    assert both.logged == ("a", "b", "c")
    assert set(both.by_name) == {"a", "c"}
    assert set(both.apart) == {"b"}
    assert both.classes["b"] is FieldClass.C2
