"""Naming somebody in a write asks nothing about them: whom the caller may not know of is nobody, for people and for services.

A manager, a dotted-line manager or a deputy is an id in the body. If an id that is somebody's were taken and one that is nobody's refused,
whoever may write one card could find out who there is.
"""

from typing import Any, Final

import httpx

from app.auth.clients import NewClient
from app.contacts.members import PEOPLE
from app.kit.models import new_id
from app.permissions.outcomes import Purpose
from app.permissions.pack import ContactCondition, Effect, Rule, ViewerCondition, load, named
from tests.contacts.partners import add_partner
from tests.hr.calls import post
from tests.hr.events import department, joined
from tests.policy.test_inference import told
from tests.support.application import World
from tests.support.policy import activate
from tests.support.problems import faults, problem
from tests.support.shared import add_person

SHUT: Final = Rule(
    id="test.circle",
    effect=Effect.FORBID,
    clauses=("S0-3",),
    zh="人事不可见高管",
    en="HR does not see executives",
    viewer=ViewerCondition(roles=("hr",)),
    contact=ContactCondition(secrecy=("executive",)),
)


async def test_a_person_names_nobody_of_whom_they_may_not_know(world: World) -> None:
    someone, hr = await add_person(world), await world.as_("hr")
    default = load()
    await activate(
        world.application,
        named(default.model_copy(update={"version": "9.1.0", "rules": (*default.rules, SHUT), "tests": ()})),
    )
    hidden, absent = str(world.people["ceo"]), str(new_id())
    problem(await hr.get(f"/v1/contacts/{hidden}"), 404, "not_found")

    async def asked(member: str, who: str) -> tuple[httpx.Response, httpx.Response]:
        changed = await hr.patch(someone.path, json={member: who}, headers={"If-Match": "*"})
        return changed, await hr.post("/v1/contacts", json={"name": "新", "department": "RD", member: who})

    for member in PEOPLE:
        for one, other in zip(await asked(member, hidden), await asked(member, absent), strict=True):
            problem(one, 422, "unknown_contact")
            assert faults(one) == [(f"/{member}", "unknown_contact")]
            assert told(one) == told(other)
        assert [each.status_code for each in await asked(member, str(world.people["outsider"]))] == [200, 201]
    card = (await hr.get(someone.path)).json()
    assert card["manager"] != hidden


async def test_a_service_names_whom_it_may_know_or_write(world: World) -> None:
    writer = NewClient("people-tool", "People tool", scopes=("contacts:write", "hr:write"))
    async with world.application.database.unit_of_work() as unit:
        await world.application.clients.add(unit.session, writer)
    headers = {"Authorization": f"Bearer {await world.token(writer.client_id)}"}
    client, partner = await world.as_(None), await add_partner(world)

    async def made(who: object) -> httpx.Response:
        body = {"name": "新", "department": "RD", "manager": str(who)}
        return await client.post("/v1/contacts", json=body, headers=headers)

    absent = await made(new_id())
    problem(absent, 422, "unknown_contact")
    viewer = await world.viewer(writer.client_id)
    for hidden in (partner.id, world.people["hotline"]):
        record = await world.application.contact_rows.by_id(hidden, viewer.tree)
        assert record is not None
        assert not viewer.plan(Purpose.WORK_CONTACT).cohort(record.cohort, hidden).visible
        assert told(await made(hidden)) == told(absent)
    assert (await made(world.people["staff"])).status_code == 201


async def test_the_personnel_system_names_people_alone(world: World) -> None:
    partner = await add_partner(world)

    def problem_of(answer: httpx.Response) -> Any:  # noqa: ANN401 — any JSON
        body = answer.json()
        return answer.status_code, body["state"], body["problem"]

    def opening(number: int, head: object) -> dict[str, Any]:
        return department("created", f"NEW{number}", name="新部门", head=str(head))

    for at, hidden in enumerate((partner.id, world.people["hotline"])):
        one = await post(world, joined(f"E91{at}1", manager=str(hidden)))
        other = await post(world, joined(f"E91{at}2", manager=str(new_id())))
        assert problem_of(one) == problem_of(other)
        assert problem_of(one)[2]["code"] == "unknown_contact"
        opened, missing = await post(world, opening(at, hidden)), await post(world, opening(at + 5, new_id()))
        assert problem_of(opened) == problem_of(missing)
        assert problem_of(opened)[2]["code"] == "unknown_holder"
    for at, who in enumerate(("E2104", str(world.people["head"]))):
        answer = await post(world, joined(f"E920{at}", manager=who))
        assert answer.json()["state"] == "applied", answer.text
