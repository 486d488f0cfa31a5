"""What an attribute means on a card, both ways, and what other products send: rules without a store."""

import ast
from typing import Any

import pytest

from app.scim.answers import error_of
from app.scim.mapping import DIRECTORY, ENTERPRISE, changes, parted, said_by, unsaid_in, user_of, whole
from app.scim.shims import standard_bulk, standard_patch, standard_user
from tests.support.tree import ROOT

CARD: dict[str, Any] = {
    "id": "01936b00-0000-7000-8000-000000000001",
    "kind": "employee",
    "name": "欧阳明月",
    "alias": None,
    "user_name": "ouyang",
    "employee_no": "E1",
    "title": None,
    "status": "active",
    "department": {"code": "RD"},
    "manager": None,
    "dotted_manager": None,
    "short_numbers": ["61234"],
    "extension": None,
    "worker_kind": "regular",
    "email": {"state": "shown", "value": "a@example.com"},
    "mobile": {"state": "masked", "value": "138****5678"},
}


def told(**members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a card
    """Write the user of a card."""
    return user_of({**CARD, **members}, secrecy="normal", external_id=None, unsaid=())


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ("欧阳明月", "欧阳", "明月"),
        ("李雷", "李", "雷"),
        ("欧阳", "欧", "阳"),
        ("Adele Vance", "Vance", "Adele"),
        ("Ludwig van Beethoven", "Beethoven", "Ludwig van"),
    ],
)
def test_a_name_is_parted_and_put_together_again(name: str, family: str, given: str) -> None:
    assert parted(name) == {"familyName": family, "givenName": given}
    assert whole({"familyName": family, "givenName": given}) == name


def test_of_a_single_word_nobody_knows_which_part_it_is() -> None:
    assert [parted(each) for each in ("Cher", "李", "阿不都·热合曼", "")] == [None] * 4
    assert [whole(each) for each in (None, {}, {"familyName": "Cher"}, {"givenName": ""})] == [None, None, "Cher", None]


def test_a_mask_is_never_a_value() -> None:
    user = told()
    assert user["emails"] == [{"value": "a@example.com", "type": "work"}]
    assert "phoneNumbers" not in user
    assert "138****5678" not in str(user)


def test_what_nobody_touched_is_not_written() -> None:
    before = said_by(told())
    assert changes(before, before) == {}
    after = said_by({**told(), "title": "x", "phoneNumbers": [{"type": "mobile", "value": "1"}], "active": False})
    assert changes(before, after) == {"title": "x", "mobile": "1", "active": False}
    assert changes(after, before) == {"title": None, "mobile": None, "active": True}


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"displayName": "李雷"}, "李雷"),
        ({"name": {"familyName": "欧阳", "givenName": "月"}}, "欧阳月"),
        ({"displayName": "李雷", "name": {"familyName": "韩", "givenName": "梅"}}, "李雷"),
        ({"displayName": None, "name": None}, "ouyang"),
    ],
)
def test_the_whole_name_wins_over_its_parts(members: dict[str, Any], name: str) -> None:
    assert changes(said_by(told()), said_by({**told(), **members})) == {"name": name}


def test_what_a_card_cannot_be_without_stays_and_is_not_told() -> None:
    silent = {**told(), "displayName": None, "name": None, "active": None, ENTERPRISE: {}, DIRECTORY: {}}
    unsaid = unsaid_in(said_by(silent))
    assert unsaid == ("displayName", "active", "employeeNumber", "department", "workerKind")
    assert "active" not in unsaid_in(said_by(silent), new=True)
    hidden = user_of(CARD, secrecy="normal", external_id=None, unsaid=unsaid)
    assert not {"displayName", "name", "active", ENTERPRISE} & hidden.keys()
    made_up = told(employee_no="SCIM-0123")
    assert "employeeNumber" not in made_up[ENTERPRISE]


def test_of_several_mail_addresses_the_one_at_work_counts() -> None:
    home, work = {"type": "home", "value": "h"}, {"type": "work", "value": "w"}
    assert said_by({"emails": [home, work]})["email"] == "w"
    assert said_by({"emails": [home, {"value": "p", "primary": True}]})["email"] == "p"
    assert said_by({"emails": []})["email"] is None
    assert said_by({"phoneNumbers": [{"type": "fax", "value": "1"}]})["mobile"] is None


def operation(path: str | None, value: Any, op: str = "Replace") -> Any:  # noqa: ANN401 — any JSON
    """Bring one operation to the standard's form."""
    sent = {"op": op, "value": value, **({} if path is None else {"path": path})}
    return standard_patch({"Operations": [sent]})["Operations"][0]


MANAGER = f"{ENTERPRISE}:manager"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (MANAGER, "1", {"op": "Replace", "path": MANAGER, "value": {"value": "1"}}),
        (MANAGER, "", {"op": "remove", "path": MANAGER}),
        (MANAGER, {"value": ""}, {"op": "remove", "path": MANAGER}),
        (f"{MANAGER}.value", None, {"op": "remove", "path": MANAGER}),
        (MANAGER, [{"$ref": None, "value": "1"}], {"op": "Replace", "path": MANAGER, "value": {"value": "1"}}),
        (None, {MANAGER: "1"}, {"op": "Replace", "value": {MANAGER: {"value": "1"}}}),
        ("title", [{"$ref": None, "value": "x"}], {"op": "Replace", "path": "title", "value": "x"}),
        ("members", [{"value": "1"}], {"op": "Replace", "path": "members", "value": [{"value": "1"}]}),
        (
            'emails[type eq "work"]',
            [{"value": "1"}],
            {"op": "Replace", "path": 'emails[type eq "work"]', "value": [{"value": "1"}]},
        ),
        (
            'emails[type eq "work"].value',
            [{"value": "1"}],
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "1"},
        ),
    ],
)
def test_operations_are_brought_to_the_standards_form(path: str | None, value: Any, expected: Any) -> None:  # noqa: ANN401 — any JSON
    assert operation(path, value) == expected


def test_what_is_to_be_removed_is_named_by_what_is_said_of_it() -> None:
    assert operation("members", [{"$ref": None, "value": "1"}], "Remove")["value"] == [{"value": "1"}]


def test_what_bulk_operations_carry_is_brought_to_the_standards_form() -> None:
    sent = {
        "operations": [
            {"Method": "post", "path": "/Users", "Data": {ENTERPRISE: {"manager": "1"}}},
            {
                "method": "PATCH",
                "path": "Groups/1",
                "data": {"Operations": [{"op": "add", "path": MANAGER, "value": "1"}]},
            },
            {"method": "POST", "path": "/Groups", "data": {ENTERPRISE: {"manager": "1"}}},
            {"method": "DELETE", "path": "/Users/1"},
            None,
        ]
    }
    one, two, *rest = standard_bulk(sent)["operations"]
    assert one == {"Method": "post", "path": "/Users", "Data": {ENTERPRISE: {"manager": {"value": "1"}}}}
    assert two["data"] == {"Operations": [{"op": "add", "path": MANAGER, "value": {"value": "1"}}]}
    assert rest == sent["operations"][2:]
    assert [standard_bulk(each) for each in (1, {"Operations": 1})] == [1, {"Operations": 1}]


def test_bodies_of_users_are_brought_to_the_standards_form() -> None:
    assert standard_user({ENTERPRISE: {"manager": "1"}}) == {ENTERPRISE: {"manager": {"value": "1"}}}
    assert standard_user({ENTERPRISE: {"manager": {"value": ""}}}) == {ENTERPRISE: {"manager": None}}
    assert standard_user({"name": {"formatted": "李雷"}})["displayName"] == "李雷"
    assert "displayName" not in standard_user({"name": {"formatted": "Lei Li", "familyName": "Li"}})


@pytest.mark.parametrize("sent", [None, 1, "x", [], {"Operations": 1}, {"Operations": [1, {"op": 2}]}, {"name": 1}])
def test_what_is_no_body_is_left_to_the_protocol(sent: Any) -> None:  # noqa: ANN401 — any JSON
    assert (standard_patch(sent), standard_user(sent)) == (sent, sent)


def test_a_problem_is_told_as_scim_does() -> None:
    fault = {"pointer": "/mobile", "code": "malformed_phone", "detail": "This is not a mobile number."}
    problem = {"code": "invalid_request", "detail": "The request is not valid", "errors": [fault]}
    assert error_of(problem, 422) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "400",
        "scimType": "invalidValue",
        "detail": "The request is not valid /mobile: This is not a mobile number.",
    }
    assert error_of({"code": "not_found", "detail": "Not found", "errors": []}, 404)["status"] == "404"


def imported(name: str) -> set[str]:
    """Name what a module of ours imports as it is imported itself."""
    path = ROOT / (name.replace(".", "/") + ".py")
    found: set[str] = set()
    for each in ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else ():
        match each:
            case ast.Import():
                found |= {alias.name for alias in each.names}
            case ast.ImportFrom(module=str() as module):
                found |= {module, *(f"{module}.{alias.name}" for alias in each.names)}
            case _:
                continue
    return found


def test_the_library_waits_for_the_first_request() -> None:
    """It takes seconds to import: nothing that is imported at start-up imports it (design/architecture.md)."""
    seen, waiting = set[str](), ["app.main", "app.worker", "app.scim.routes"]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported(name)
    assert "app.scim.desk" in seen
    assert {each for each in seen if each.startswith(("scim2", "app.scim.service", "app.scim.storage"))} == set()
