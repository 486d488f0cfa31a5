"""``department.*``: the tree follows the personnel system, at once, and refuses what would break it."""

from typing import Any

from app.departments.tree import Node
from tests.hr.calls import applied, counted, grown, kept, post
from tests.hr.events import department, joined, moved
from tests.support.application import World


async def node(world: World, code: str) -> Node | None:
    return (await world.application.standings.tree()).by_code.get(code)


async def test_the_life_of_a_department(world: World) -> None:
    body = department("created", "RD-DATA", name="数据平台部", parent="RD", head="E2105", order=7)
    told = await applied(world, body)
    assert (told["contact_id"], told["numbers"], told["problem"]) == (None, [], None)
    found = await node(world, "RD-DATA")
    assert found is not None
    assert (found.name, found.order, found.head_id) == ("数据平台部", 7, world.people["core"])
    assert found.parent_id == world.departments["RD"]
    assert (await world.viewer("core")).standing.headed == {found.id}

    person = (await applied(world, joined("E9001", department="RD-DATA")))["contact_id"]
    await applied(
        world, department("updated", "RD-DATA", name="数据部", head="E9001", deputy=str(world.people["core"]))
    )
    await applied(world, department("moved", "RD-DATA", parent="IT"))
    found = await node(world, "RD-DATA")
    assert found is not None
    assert (found.name, str(found.head_id), found.deputy_id) == ("数据部", person, world.people["core"])
    assert found.parent_id == world.departments["IT"]
    card = (await (await world.as_("hr")).get(f"/v1/contacts/{person}")).json()
    assert card["department"]["path"] == "部门IT/数据部"

    full = (await post(world, department("closed", "RD-DATA"))).json()
    assert (full["state"], full["problem"]["code"]) == ("failed", "department_not_empty")
    await applied(world, moved("E9001", department="IT"))
    await applied(world, department("moved", "RD-DATA", parent=None))
    await applied(world, department("closed", "RD-DATA"))
    assert await node(world, "RD-DATA") is None


async def test_an_update_that_changes_nothing_writes_nothing(world: World) -> None:
    before, found = await counted(world), await node(world, "RD")
    await applied(world, department("updated", "RD", name="部门RD", head="E2104"))
    assert grown(before, await counted(world)) == {"hr_event": 1, "audit_intent": 1}
    assert await node(world, "RD") == found


async def test_null_empties_a_position(world: World) -> None:
    await applied(world, department("updated", "RD", head=None))
    found = await node(world, "RD")
    assert found is not None
    assert found.head_id is None
    assert not (await world.viewer("head")).standing.headed


async def test_an_event_about_a_department_is_kept_as_hashes(world: World) -> None:
    body = department("created", "RD-DATA", name="数据平台部", parent="RD", head="E2105")
    await applied(world, body)
    row = await kept(world, body["id"])
    assert (row.contact_id, row.payload, row.numbers) == (None, None, None)
    again = await post(world, body)
    assert (again.json()["state"], again.headers["Idempotency-Replayed"]) == ("applied", "true")


async def test_the_log_says_who_changed_the_tree(world: World) -> None:
    await applied(world, department("created", "RD-DATA", name="数据平台部", parent="RD", head="E2105"))
    await world.settle()
    events: list[dict[str, Any]] = (
        await (await world.as_("infosec")).get("/v1/access-events", params={"actor": "hr-system"})
    ).json()["items"]
    assert {event["action"] for event in events} == {"department.create", "hr.event"}
