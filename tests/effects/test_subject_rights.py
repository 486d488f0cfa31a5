"""Rights over one's own data by request: what each does, what is refused with reasons, and what the person takes back."""

from typing import Any

import pytest

from tests.effects.directory_walking import file, filed, read, said
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW = "13700005566"


async def asked(world: World, someone: Added, right: str, **form: Any) -> str:  # noqa: ANN401 — JSON
    return await filed(world, someone.name, "subject.right", ("contact", someone.id), right=right, **form)


async def result(world: World, someone: Added, path: str) -> dict[str, Any]:
    (effect,) = (await read(world, someone.name, path))["effects"]
    found: dict[str, Any] = effect["result"]
    return found


@pytest.mark.parametrize("right", ["view", "copy"])
async def test_what_is_kept_is_where_the_answer_says(shared: World, right: str) -> None:
    someone = await add_person(shared)
    path = await asked(shared, someone, right)
    assert (await said(shared, "steward", path))["state"] == "completed"
    where = (await result(shared, someone, path))["where"]
    client = await shared.as_(someone.name)
    for address in where:
        answer = await client.get(address)
        assert answer.status_code in {200, 404}, answer.text
        assert answer.status_code == 200 or address.endswith("/photo")


async def test_what_is_wrong_is_corrected(shared: World) -> None:
    someone = await add_person(shared)
    path = await asked(shared, someone, "correct", changes={"personal_mobile": NEW})
    assert NEW not in str(await read(shared, "steward", path))
    assert (await said(shared, "steward", path))["state"] == "completed"
    assert (await shared.card(someone.name, someone.name))["personal_mobile"]["value"] == NEW


async def test_what_is_optional_is_erased_and_history_is_told_to_the_person_alone(shared: World) -> None:
    someone = await add_person(shared)
    path = await asked(shared, someone, "delete", fields=["wechat", "personal_mobile"])
    assert (await said(shared, "steward", path))["state"] == "completed"
    card = await shared.card(someone.name, someone.name)
    assert [card[name]["state"] for name in ("wechat", "personal_mobile", "mobile")] == ["empty", "empty", "shown"]
    assert await result(shared, someone, path) == {
        "contact": str(someone.id),
        "erased": ["personal_mobile", "wechat"],
        "history": "sealed",
    }
    told = (await (await shared.as_("colleague")).get(f"{someone.path}/history")).text
    assert someone.personal_mobile not in told


async def test_a_limited_card_opens_when_the_person_gives_it_back(shared: World) -> None:
    someone = await add_person(shared)
    before = await shared.card("colleague", someone.name)
    path = await asked(shared, someone, "limit", reason="somebody keeps calling me")
    assert (await said(shared, "steward", path))["state"] == "active"
    limited = await shared.card("colleague", someone.name)
    assert (before["mobile"]["state"], limited["mobile"]["state"]) == ("masked", "withheld")
    assert (await shared.card(someone.name, someone.name))["mobile"]["state"] == "shown"
    answer = await (await shared.as_(someone.name)).post(f"{path}/returns", json={})
    assert answer.json()["state"] == "returned", answer.text
    after = await shared.card("colleague", someone.name)
    assert after["mobile"]["state"] == "masked"


async def test_what_was_limited_already_stays_as_it_was(shared: World) -> None:
    someone = await add_person(shared, secrecy="core")
    path = await asked(shared, someone, "limit")
    assert (await said(shared, "steward", path))["state"] == "completed"
    assert await result(shared, someone, path) == {"contact": str(someone.id), "secrecy": "core"}


async def test_a_refusal_says_why(shared: World) -> None:
    someone = await add_person(shared)
    path = await asked(shared, someone, "delete", fields=["mobile"])
    client = await shared.as_("steward")
    for comment in (None, "  "):
        mute = await client.post(f"{path}/decisions", json={"decision": "reject", "comment": comment})
        problem(mute, 422, "invalid_request")
        assert faults(mute) == [("/comment", "reasons_required")]
    assert (await said(shared, "steward", path, "reject", "the company pays for this number"))["state"] == "rejected"
    (step,) = (await read(shared, someone.name, path))["steps"]
    assert "the company pays for this number" in [each["comment"] for each in step["people"]]
    assert (await shared.card(someone.name, someone.name))["mobile"]["state"] == "shown"


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ({"right": "correct"}, [("/form/changes", "missing")]),
        ({"right": "delete"}, [("/form/fields", "missing")]),
        ({"right": "view", "fields": ["mobile"]}, [("/form/fields", "unknown_member")]),
        ({"right": "correct", "changes": {"mobile": "12"}}, [("/form/changes/mobile", "malformed_phone")]),
        (
            {"right": "delete", "fields": ["title", "id_number", "photo", "wechat"]},
            [
                ("/form/fields/0", "not_erasable"),
                ("/form/fields/1", "not_erasable"),
                ("/form/fields/2", "not_erasable"),
            ],
        ),
        ({"right": "forget"}, [("/form/right", "form_enum")]),
    ],
)
async def test_bad_forms_name_every_fault(shared: World, form: dict[str, Any], found: list[tuple[str, str]]) -> None:
    someone = await add_person(shared)
    answer = await file(shared, someone.name, "subject.right", ("contact", someone.id), **form)
    assert answer.status_code == 422, answer.text
    assert faults(answer) == found


async def test_nobody_asks_for_somebody_else(shared: World) -> None:
    someone = await add_person(shared)
    refused = await file(shared, "hr", "subject.right", ("contact", someone.id), right="delete", fields=["wechat"])
    problem(refused, 403, "not_permitted")
