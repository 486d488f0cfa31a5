"""A reveal that nothing but a second proof keeps shut asks for it (RFC 9470), and says nothing of what is stored."""

import re
import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from tests.support.application import World
from tests.support.clients import add_client, token_through
from tests.support.problems import problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

SENSITIVE: Final = ("id_number", "home_address", "birth_date", "private_notes")
CODE: Final = "insufficient_user_authentication"
_REQUEST: Final = re.compile(r"urn:duanhao:request:[0-9a-f]+")


async def reveal(world: World, token: str, of: object, *fields: str) -> httpx.Response:
    body = {"fields": list(fields), "purpose": "work_contact", "reason": "a reason that is long enough"}
    headers = {"Authorization": f"Bearer {token}"}
    return await (await world.as_(None)).post(f"/v1/contacts/{of}/reveals", json=body, headers=headers)


async def through(world: World, name: str, **claims: Any) -> str:  # noqa: ANN401 — claims
    return await token_through(world, name, "intranet", **claims)


def second_proof(age: float = 5, acr: str = "urn:duanhao:acr:step-up") -> dict[str, object]:
    return {"acr": acr, "auth_time": int(time.time() - age)}


async def test_ones_own_sensitive_fields_ask_for_a_second_proof_and_open_with_it(shared: World) -> None:
    of = shared.people["staff"]
    answer = await reveal(shared, await through(shared, "staff"), of, "id_number")
    document = problem(answer, 401, CODE)
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="duanhao", error="insufficient_user_authentication", error_description="')
    found = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    assert found["max_age"] == "600"
    assert found["acr_values"].split(" ")[0] == "urn:duanhao:acr:step-up"
    assert document["errors"] == []
    for acr in found["acr_values"].split(" "):
        proven = await reveal(shared, await through(shared, "staff", **second_proof(acr=acr)), of, "id_number")
        assert proven.status_code == 200, "what the challenge names is taken"
        assert proven.json()["fields"]["id_number"]["state"] == "shown"


@pytest.mark.parametrize(
    "proven",
    [
        lambda: second_proof(age=601 + 60),
        lambda: second_proof(age=-86_400),
        lambda: second_proof(acr="urn:duanhao:acr:password"),
        lambda: second_proof(acr="0"),
        lambda: {"acr": "mfa"},
        lambda: {"auth_time": int(time.time())},
    ],
    ids=["too old", "of tomorrow", "a password only", "of no level", "without a time", "without a level"],
)
async def test_what_is_no_fresh_second_proof_is_asked_again(
    shared: World, proven: Callable[[], dict[str, object]]
) -> None:
    proof = proven()
    answer = await reveal(shared, await through(shared, "staff", **proof), shared.people["staff"], "id_number")
    problem(answer, 401, CODE)


def told(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "date"}}
    return answer.status_code, _REQUEST.sub("-", answer.text), headers


@pytest.mark.parametrize("field", SENSITIVE)
async def test_the_challenge_is_the_same_whether_there_is_a_value_or_none(shared: World, field: str) -> None:
    empty, full = (
        await add_person(shared),
        await add_person(shared, id_number="11010519491231002X", home_address="无名路 9 号"),
    )
    answers = [await reveal(shared, await through(shared, each.name), each.id, field) for each in (empty, full)]
    assert answers[0].status_code == 401
    assert told(answers[0]) == told(answers[1])
    assert len(answers[0].content) == len(answers[1].content)


async def test_a_plain_look_is_no_challenge_and_names_no_way(shared: World) -> None:
    token = await through(shared, "staff")
    answer = await (await shared.as_(None)).get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    for field in SENSITIVE:
        assert answer.json()["card"][field] == {"state": "withheld"}


async def test_where_a_second_proof_would_not_help_none_is_asked_for(shared: World) -> None:
    staff = await through(shared, "staff")
    problem(await reveal(shared, staff, shared.people["colleague"], "id_number"), 403, "not_permitted")
    problem(await reveal(shared, staff, shared.people["staff"], "id_number", "shoe_size"), 422, "unknown_field")
    hidden = await add_person(shared, status="prehire")
    problem(await reveal(shared, staff, hidden.id, "id_number"), 404, "not_found")
    proven = await through(shared, "staff", **second_proof())
    problem(await reveal(shared, proven, shared.people["colleague"], "id_number"), 403, "not_permitted")


async def test_a_back_end_that_acts_for_the_person_is_refused_and_not_sent_to_sign_in(shared: World) -> None:
    crm = await add_client(shared, scopes=("contacts:read", "contacts:reveal"), exchanges=True)
    token = (await crm.exchange(await through(shared, "staff", **second_proof()))).json()["access_token"]
    problem(await reveal(shared, token, shared.people["staff"], "id_number"), 403, "not_permitted")


async def test_with_what_may_be_shown_anyway_it_is_still_asked_for(shared: World) -> None:
    token, of = await through(shared, "staff"), shared.people["staff"]
    assert (await reveal(shared, token, of, "mobile")).status_code == 200
    problem(await reveal(shared, token, of, "mobile", "id_number"), 401, CODE)


async def test_a_challenge_is_a_refusal_on_record(shared: World) -> None:
    person = await add_person(shared)
    problem(await reveal(shared, await through(shared, person.name), person.id, "id_number"), 401, CODE)
    infosec = await shared.as_("infosec")
    found = (await infosec.get("/v1/access-events", params={"actor": str(person.id)})).json()["items"]
    assert [(each["action"], each["decision"], each["code"]) for each in found] == [("contact.reveal", "refused", CODE)]
