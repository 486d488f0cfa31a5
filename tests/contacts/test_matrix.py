"""Who sees what of whom: the staff rows of the tier table, read through the API on both engines.

A row names a viewer, a target, and per class of fields what the card shows: ``clear``, ``fine``, ``coarse``, ``hidden``, and what the
caller may do to see more. The words are turned into the exact values and masks of the small company, so a mask that shows one digit too
many fails here.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.support.application import OPERATOR, World
from tests.support.company import PEOPLE, Person
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIELDS: Final[Mapping[str, str]] = {
    "office_phone": "C2",
    "email": "C2",
    "mobile": "C3",
    "personal_mobile": "C4",
    "wechat": "C4",
    "home_address": "C5",
    "id_number": "C5",
}
ABSENT: Final = {"fax": "C2", "wecom_id": "C3", "qq": "C4", "birth_date": "C5"}
"""Fields that the company's people do not have."""


def written(person: Person, name: str, outcome: str) -> str | None:
    """Write what ``outcome`` shows of a field."""
    number = f"{person.number:04d}"
    return {
        "clear": {
            "office_phone": f"010-8888{number}",
            "email": f"person{number}@example.com",
            "mobile": f"1380000{number}",
            "personal_mobile": f"1390000{number}",
            "wechat": f"wx_{number}_x",
            "home_address": "北京市海淀区无名路 1 号",
            "id_number": "11010519491231002X",
        },
        "fine": {
            "office_phone": f"010-****{number[2:]}",
            "email": "p***@example.com",
            "mobile": f"138****{number}",
            "personal_mobile": f"139****{number}",
            "wechat": "w***",
        },
        "coarse": {
            "mobile": "138********",
            "personal_mobile": "139********",
            "wechat": "***",
            "home_address": "***",
            "id_number": "*" * 18,
        },
    }[outcome][name]


STATES: Final = {"clear": "shown", "fine": "masked", "coarse": "masked", "hidden": "withheld"}

REVEAL: Final = "reveal"
FILE: Final = "request:field.reveal"

Row = tuple[str, str, dict[str, tuple[str, str | None]]]


def row(viewer: str, target: str, c2: str, c3: str, c4: str, c5: str) -> Row:
    """Write one row; ``fine+reveal`` is an outcome and what may follow, ``/`` stands for filing a request."""
    verdicts = {}
    for name, text in (("C2", c2), ("C3", c3), ("C4", c4), ("C5", c5)):
        outcome, _, following = text.partition("+")
        verdicts[name] = (outcome, {"": None, "reveal": REVEAL, "file": FILE}[following])
    return viewer, target, verdicts


ROWS: Final = [
    # --- an employee of RD
    row("staff", "staff", "clear", "clear", "clear", "hidden"),
    row("colleague", "staff", "clear", "fine+reveal", "coarse+file", "hidden"),
    row("outsider", "staff", "clear", "coarse+file", "hidden", "hidden"),
    row("it", "staff", "clear", "hidden+file", "hidden", "hidden"),
    row("head", "staff", "clear", "fine+reveal", "fine+reveal", "hidden"),
    row("core", "staff", "clear", "coarse+file", "hidden", "hidden"),
    row("hr", "staff", "clear", "fine+reveal", "fine", "coarse"),
    row("steward", "staff", "clear", "fine+reveal", "fine", "coarse"),
    row("infosec", "staff", "clear", "fine+file", "coarse+file", "hidden"),
    row("auditor", "staff", "clear", "fine+file", "coarse+file", "hidden"),
    row("ceo", "staff", "clear", "fine+reveal", "hidden", "hidden"),
    row("intern", "staff", "fine", "hidden", "hidden", "hidden"),
    row("directory-sync", "staff", "clear", "hidden", "hidden", "hidden"),
    # --- a department head looking below and beside
    row("head", "core", "clear", "fine+reveal", "fine+reveal", "hidden"),
    row("head", "outsider", "clear", "fine+file", "hidden", "hidden"),
    row("head", "hr", "clear", "fine+file", "hidden", "hidden"),
    # --- an executive as target
    row("ceo", "ceo", "clear", "clear", "clear", "hidden"),
    row("staff", "ceo", "fine", "hidden+file", "hidden", "hidden"),
    row("head", "ceo", "fine", "coarse+file", "hidden", "hidden"),
    row("hr", "ceo", "fine", "fine+file", "hidden", "hidden"),
    row("steward", "ceo", "fine", "fine+file", "hidden", "hidden"),
    row("infosec", "ceo", "fine", "fine+file", "hidden+file", "hidden"),
    row("intern", "ceo", "fine", "hidden", "hidden", "hidden"),
    row("directory-sync", "ceo", "fine", "hidden", "hidden", "hidden"),
    # --- an intern has a card like everybody else
    row("intern", "intern", "clear", "clear", "clear", "hidden"),
    row("outsider", "intern", "clear", "coarse+file", "hidden", "hidden"),
]


def expected(target: str, verdicts: Mapping[str, tuple[str, str | None]]) -> dict[str, dict[str, Any]]:
    """Work out every protected member of the card."""
    person = PEOPLE[target]
    found: dict[str, dict[str, Any]] = {}
    for name, field_class in (*FIELDS.items(), *ABSENT.items()):
        outcome, following = verdicts[field_class]
        has = name in FIELDS and (field_class != "C5" or person.sensitive)
        found[name] = {"state": STATES[outcome] if has or outcome == "hidden" else "empty"}
        if has and outcome != "hidden":
            found[name]["value"] = written(person, name, outcome)
        if following is not None:
            found[name]["next"] = following
    return found


@pytest.mark.parametrize(("viewer", "target", "verdicts"), ROWS, ids=[f"{each[0]}-{each[1]}" for each in ROWS])
async def test_the_card_shows_what_the_tier_table_says(
    shared: World, viewer: str, target: str, verdicts: dict[str, tuple[str, str | None]]
) -> None:
    card = await shared.card(viewer, target)
    wanted = expected(target, verdicts)
    assert {name: card[name] for name in wanted} == wanted


@pytest.mark.parametrize("viewer", sorted({each[0] for each in ROWS}))
async def test_a_page_shows_each_person_as_their_card_does(shared: World, viewer: str) -> None:
    answer = await (await shared.as_(viewer)).get(
        "/v1/contacts", params={"ids": [str(shared.people[name]) for name in ("staff", "ceo", "core")]}
    )
    items = {item["id"]: item for item in answer.json()["items"]}
    assert len(items) == 3
    for name in ("staff", "ceo", "core"):
        card = await shared.card(viewer, name)
        del card["disclosure"]
        assert items[str(shared.people[name])] == card


@pytest.mark.parametrize("viewer", ["staff", "outsider", "hr", "infosec", "ceo", "intern"])
async def test_a_hotline_is_open_to_all_staff(shared: World, viewer: str) -> None:
    card = await shared.card(viewer, "hotline")
    number = PEOPLE["hotline"].number
    assert card["office_phone"]["value"] == f"010-8888{number}"
    assert card["mobile"] == {"state": "shown", "value": f"1380000{number}"}
    assert "wechat" not in card
    assert "personal_mobile" not in card


@pytest.mark.parametrize("viewer", ["it-scripts", "hr-system", "siem"])
async def test_a_service_account_without_the_scope_reads_nobody(shared: World, viewer: str) -> None:
    client = await shared.as_(viewer)
    for path in ("/v1/contacts", f"/v1/contacts/{shared.people['staff']}"):
        problem(await client.get(path), 403, "insufficient_scope")


@pytest.mark.parametrize("viewer", ["staff", "colleague", "head", "hr", "infosec", "ceo", "directory-sync"])
async def test_somebody_who_left_is_known_to_the_steward_alone(shared: World, viewer: str) -> None:
    gone = await add_person(shared)
    application = shared.application
    assert (await (await shared.as_("steward")).get(gone.path)).status_code == 200
    record = await application.contact_rows.by_id(gone.id, await application.standings.tree())
    assert record is not None
    async with application.database.unit_of_work() as unit:
        await application.contact_writer.hide(unit, OPERATOR, record)
    problem(await (await shared.as_(viewer)).get(gone.path), 404, "not_found")
    everybody = await (await shared.as_(viewer)).get("/v1/contacts", params={"status": "left", "limit": 200})
    assert [item for item in everybody.json()["items"] if item["id"] == str(gone.id)] == []
    card = (await (await shared.as_("steward")).get(gone.path)).json()
    assert (card["status"], card["name"]) == ("left", f"新人{gone.number}")
    assert {card[name]["state"] for name in FIELDS} == {"withheld"}
    listed = await (await shared.as_("steward")).get("/v1/contacts", params={"status": "left", "limit": 200})
    assert str(gone.id) in [item["id"] for item in listed.json()["items"]]
    by_default = await (await shared.as_("steward")).get("/v1/contacts", params={"ids": str(gone.id)})
    assert by_default.json()["items"] == []
