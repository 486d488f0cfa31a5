"""A back end acts for a person: never more than either of them may, for a short while, and on record with both names."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from app.auth.compact import decode_segment, strict_object
from app.auth.errors import ClientNotFound, MalformedName
from app.auth.issuer import TOKEN_EXCHANGE
from tests.support.application import World
from tests.support.clients import ACCESS_TOKEN, Asker, add_client, token_through
from tests.support.problems import problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORDER: Final = ("withheld", "masked", "shown")
CEILINGS: Final = (None, "C1", "C2", "C3", "C5")
FIELDS: Final = {"office_phone": "C2", "email": "C2", "mobile": "C3", "personal_mobile": "C4"}
Harm = Callable[["Scene"], Awaitable[None]]


def claims_of(token: str) -> dict[str, Any]:
    return strict_object(decode_segment(token.split(".")[1]))


async def back_end(world: World, **members: Any) -> Asker:  # noqa: ANN401 — members of a client
    return await add_client(world, **{"scopes": ("contacts:read", "contacts:reveal"), "exchanges": True, **members})


class Scene:
    """A person, the front end through which the person signed in, and a back end that acts for the person."""

    def __init__(self, world: World, person: Added, front_end: Asker, crm: Asker, token: str) -> None:
        self.world, self.person, self.front_end, self.crm, self.token = world, person, front_end, crm, token


async def scene(world: World, *, front: str | None = None, back: str | None = None) -> Scene:
    person = await add_person(world)
    front_end = await add_client(world, confidential=False, scopes=(), ceiling=front)
    crm = await back_end(world, ceiling=back)
    return Scene(world, person, front_end, crm, await token_through(world, person.name, front_end.client_id))


async def states(world: World, headers: dict[str, str], path: str) -> dict[str, str]:
    answer = await (await world.as_(None)).get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    card = answer.json()
    return {name: card[name]["state"] for name in FIELDS}


@pytest.mark.parametrize("front", CEILINGS)
@pytest.mark.parametrize("back", CEILINGS)
async def test_service_acting_for_a_user_gets_min_of_client_ceilings_and_user_plan(
    shared: World, front: str | None, back: str | None
) -> None:
    """Hard test 55."""
    found = await scene(shared, front=front, back=back)
    colleague = await add_person(shared)
    own = await states(shared, {"Authorization": f"Bearer {await shared.token(found.person.name)}"}, colleague.path)
    assert (own["email"], own["mobile"]) == ("shown", "masked"), (
        "a plan that shows something, or this test shows nothing"
    )
    acting = await states(shared, await found.crm.acting(found.token), colleague.path)
    highest = min(front or "C5", back or "C5")
    for name, field_class in FIELDS.items():
        assert acting[name] == (own[name] if field_class <= highest else "withheld"), (name, front, back)
    assert all(ORDER.index(acting[name]) <= ORDER.index(own[name]) for name in FIELDS)


async def test_the_log_tells_of_person_client_and_on_whose_behalf(shared: World) -> None:
    found = await scene(shared)
    headers, http = await found.crm.acting(found.token), await shared.as_(None)
    read = await http.get(found.person.path, headers=headers)
    refused = await http.get("/v1/access-events", headers=headers)
    problem(refused, 403, "insufficient_scope")
    hidden = await add_person(shared, status="prehire")
    problem(await http.get(hidden.path, headers=headers), 404, "not_found")
    await shared.settle()
    infosec = await shared.as_("infosec")
    items = (await infosec.get("/v1/access-events", params={"actor": str(found.person.id)})).json()["items"]
    looks = {item["id"]: item for item in items}
    look = looks[read.json()["disclosure"]["event_id"]]
    assert look["actor"]["type"] == "person"
    assert look["actor"]["id"] == look["on_behalf_of"] == str(found.person.id)
    assert look["client_id"] == found.crm.client_id
    assert look["actor"]["tier"] == "T1"
    (missed,) = [item for item in items if item["code"] == "not_found"]
    assert (missed["client_id"], missed["on_behalf_of"]) == (found.crm.client_id, str(found.person.id))
    made = (
        await infosec.get("/v1/access-events", params={"action": "token.exchange", "actor": found.crm.client_id})
    ).json()
    (exchange,) = made["items"]
    assert exchange["actor"]["type"] == "service"
    assert (exchange["client_id"], exchange["on_behalf_of"]) == (found.crm.client_id, str(found.person.id))


async def test_a_person_without_anybody_between_is_on_nobodys_behalf(shared: World) -> None:
    person = await add_person(shared)
    await (await shared.as_(person.name)).get("/v1/me")
    infosec = await shared.as_("infosec")
    items = (await infosec.get("/v1/access-events", params={"actor": str(person.id)})).json()["items"]
    assert [item["on_behalf_of"] for item in items] == [None]


async def test_a_write_through_a_back_end_names_it_too(shared: World) -> None:
    hr, other = await add_person(shared, department="HR", tier="T4", roles=("hr",)), await add_person(shared)
    crm = await back_end(shared, scopes=("contacts:read", "contacts:write"))
    token = await token_through(shared, hr.name, "intranet", "contacts:read", "contacts:write")
    headers = {**await crm.acting(token), "If-Match": "*"}
    answer = await (await shared.as_(None)).patch(other.path, json={"title": "经理"}, headers=headers)
    assert answer.status_code == 200, answer.text
    await shared.settle()
    found = await (await shared.as_("infosec")).get(
        "/v1/access-events", params={"actor": str(hr.id), "action": "contact.update"}
    )
    assert [(each["client_id"], each["on_behalf_of"]) for each in found.json()["items"]] == [
        (crm.client_id, str(hr.id))
    ]


async def test_what_is_issued_says_who_acts_and_lives_shortly(shared: World) -> None:
    found = await scene(shared)
    answer = await found.crm.exchange(
        found.token, scope="contacts:read", audience="duanhao", resource="http://127.0.0.1:8000"
    )
    body = answer.json()
    assert (answer.status_code, answer.headers["cache-control"], answer.headers["pragma"]) == (
        200,
        "no-store",
        "no-cache",
    )
    assert set(body) == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (body["issued_token_type"], body["token_type"], body["scope"]) == (ACCESS_TOKEN, "Bearer", "contacts:read")
    assert body["expires_in"] == 300
    claims, shown = claims_of(body["access_token"]), claims_of(found.token)
    assert claims["sub"] == found.person.name
    assert claims["client_id"] == found.crm.client_id
    assert claims["act"] == {"sub": found.crm.client_id, "epoch": 0}
    assert (claims["front_end"], claims["subject_jti"]) == (found.front_end.client_id, shown["jti"])
    assert claims["exp"] - claims["iat"] == 300
    assert {"acr", "auth_time"}.isdisjoint(claims)
    short = await token_through(shared, found.person.name, "intranet", lifetime=40)
    assert 0 < (await found.crm.exchange(short)).json()["expires_in"] <= 40, "never beyond the token shown"


async def test_scopes_only_shrink(shared: World) -> None:
    person = await add_person(shared)
    wide = await token_through(shared, person.name, "intranet", "contacts:read", "contacts:reveal", "numbers:read")
    narrow = await token_through(shared, person.name, "intranet", "numbers:read")
    reader = await back_end(shared, scopes=("contacts:read", "numbers:admin"))
    assert (await reader.exchange(wide)).json()["scope"] == "contacts:read"
    for token, scope in (
        (wide, "contacts:reveal"),
        (wide, "numbers:admin"),
        (wide, "contacts:read scim"),
        (narrow, ""),
    ):
        answer = await reader.exchange(token, scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope"), scope
    headers = await reader.acting(wide)
    body = {"fields": ["mobile"], "purpose": "work_contact", "reason": "a reason that is long enough"}
    http = await shared.as_(None)
    problem(await http.post(f"{person.path}/reveals", json=body, headers=headers), 403, "insufficient_scope")


async def test_a_second_proof_does_not_travel(shared: World) -> None:
    now = int(time.time())
    proof = {"acr": "urn:duanhao:acr:step-up", "auth_time": now - 5}
    token = await token_through(shared, "staff", "intranet", **proof)
    crm, http, path = await back_end(shared), await shared.as_(None), f"/v1/contacts/{shared.people['staff']}"
    own = (await http.get(path, headers={"Authorization": f"Bearer {token}"})).json()
    acting = (await http.get(path, headers=await crm.acting(token))).json()
    assert (own["id_number"]["state"], acting["id_number"]["state"]) == ("shown", "withheld")


async def test_no_chain(shared: World) -> None:
    found = await scene(shared)
    other = await back_end(shared)
    once = (await found.crm.exchange(found.token)).json()["access_token"]
    for asker in (other, found.crm):
        answer = await asker.exchange(once)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def refused(answer: Any, status: int, error: str) -> None:  # noqa: ANN401 — an answer of httpx
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"


async def test_who_may_not_exchange(shared: World) -> None:
    found = await scene(shared)
    plain = await add_client(shared)
    await refused(await plain.exchange(found.token), 400, "unauthorized_client")
    await refused(await found.front_end.exchange(found.token), 401, "invalid_client")
    await refused(await found.crm.exchange(found.token, client_secret="wrong"), 401, "invalid_client")
    nobody = Asker(shared, "nobody-at-all", "secret")
    await refused(await nobody.exchange(found.token), 401, "invalid_client")
    service = await shared.token("directory-sync")
    await refused(await found.crm.exchange(service), 400, "invalid_request")


async def test_what_keeps_no_secret_cannot_be_given_the_right(shared: World) -> None:
    front_end, plain = await add_client(shared, confidential=False, scopes=()), await add_client(shared)
    with pytest.raises(MalformedName):
        await add_client(shared, confidential=False, exchanges=True)
    token = await shared.token("staff")
    clients = shared.application.clients
    for asker, refusal in ((front_end, MalformedName), (Asker(shared, "nobody-at-all", None), ClientNotFound)):
        with pytest.raises(refusal):
            async with shared.application.database.unit_of_work() as unit:
                await clients.let_exchange(unit.session, asker.client_id, allowed=True)
    for allowed, status in ((True, 200), (False, 400)):
        async with shared.application.database.unit_of_work() as unit:
            await clients.let_exchange(unit.session, plain.client_id, allowed=allowed)
        assert (await plain.exchange(token)).status_code == status


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": "a.b.c"}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "a.b.c"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"audience": "payroll"}, "invalid_target"),
        ({"resource": "https://payroll.example.com"}, "invalid_target"),
        ({"scope": "contacts:read  scim"}, "invalid_scope"),
        ({"grant_type": TOKEN_EXCHANGE.upper()}, "unsupported_grant_type"),
    ],
    ids=str,
)
async def test_what_is_not_served(shared: World, change: dict[str, str], error: str) -> None:
    found = await scene(shared)
    await refused(await found.crm.exchange(found.token, **change), 400, error)


async def test_a_token_meant_for_another_actor_is_not_exchanged(shared: World) -> None:
    found = await scene(shared)
    for may_act, status in (
        ({"sub": "somebody-else"}, 400),
        ("crm", 400),
        ({}, 400),
        ({"sub": found.crm.client_id}, 200),
    ):
        token = await token_through(shared, found.person.name, "intranet", may_act=may_act)
        assert (await found.crm.exchange(token)).status_code == status


async def _revoke_shown(found: Scene) -> None:
    assert (await found.front_end.ask("/oauth/revoke", token=found.token)).status_code == 200


async def _rotate_secret(found: Scene) -> None:
    async with found.world.application.database.unit_of_work() as unit:
        await found.world.application.clients.rotate_secret(unit.session, found.crm.client_id)


async def _take_right(found: Scene) -> None:
    async with found.world.application.database.unit_of_work() as unit:
        await found.world.application.clients.let_exchange(unit.session, found.crm.client_id, allowed=False)


async def _disable_back_end(found: Scene) -> None:
    async with found.world.application.database.unit_of_work() as unit:
        await found.world.application.clients.disable(unit.session, found.crm.client_id)


async def _disable_front_end(found: Scene) -> None:
    async with found.world.application.database.unit_of_work() as unit:
        await found.world.application.clients.disable(unit.session, found.front_end.client_id)


async def _suspend(found: Scene) -> None:
    async with found.world.application.database.unit_of_work() as unit:
        await found.world.application.accounts.suspend(unit.session, found.person.name)


async def _promote(found: Scene) -> None:
    async with found.world.application.database.unit_of_work() as unit:
        await found.world.application.accounts.set_standing(unit.session, found.person.name, tier="T2", roles=())


HARMS: Final[list[Harm]] = [
    _revoke_shown,
    _rotate_secret,
    _take_right,
    _disable_back_end,
    _disable_front_end,
    _suspend,
    _promote,
]


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__.strip("_"))
async def test_it_ends_with_everything_that_it_rests_on(shared: World, harm: Harm) -> None:
    found = await scene(shared)
    headers, http = await found.crm.acting(found.token), await shared.as_(None)
    assert (await http.get(found.person.path, headers=headers)).status_code == 200
    await harm(found)
    assert (await http.get(found.person.path, headers=headers)).status_code == 401
    assert (await found.crm.exchange(found.token)).status_code in {400, 401}


async def test_the_back_end_may_take_its_token_back_and_nobody_else(shared: World) -> None:
    found = await scene(shared)
    token = (await found.crm.exchange(found.token)).json()["access_token"]
    headers, http = {"Authorization": f"Bearer {token}"}, await shared.as_(None)
    await refused(await found.front_end.ask("/oauth/revoke", token=token), 400, "invalid_grant")
    assert (await http.get(found.person.path, headers=headers)).status_code == 200
    assert (await found.crm.ask("/oauth/revoke", token=token)).status_code == 200
    assert (await http.get(found.person.path, headers=headers)).status_code == 401
    own = {"Authorization": f"Bearer {found.token}"}
    assert (await http.get(found.person.path, headers=own)).status_code == 200, "the person's own token lives on"


async def test_a_right_written_in_sql_is_no_right(sqlite_world: World) -> None:
    plain = await add_client(sqlite_world)
    token = await sqlite_world.token("staff")
    async with sqlite_world.application.database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE client SET exchanges = 1 WHERE client_id = ?", (plain.client_id,))
    await refused(await plain.exchange(token), 401, "invalid_client")


async def test_two_back_ends_of_one_person_do_not_share_a_standing(shared: World) -> None:
    found = await scene(shared, back="C1")
    other = await back_end(shared)
    colleague = await add_person(shared)
    low = await states(shared, await found.crm.acting(found.token), colleague.path)
    high = await states(shared, await other.acting(found.token), colleague.path)
    assert (low["email"], high["email"]) == ("withheld", "shown")
