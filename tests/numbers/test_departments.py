"""A department that owns a pool or holds a number is not removed, nor does it get one while it is being removed."""

import asyncio

import httpx
import pytest

from tests.hr.calls import post
from tests.hr.events import department
from tests.numbers.calls import add_pool, it_client, release
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_department

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def remove(world: World, code: str) -> httpx.Response:
    """Take a department out of the tree."""
    return await (await world.as_("hr")).delete(f"/v1/departments/{code}", headers={"If-Match": "*"})


async def test_a_department_with_a_pool_stays_until_the_pool_is_the_companys(shared: World) -> None:
    code = await add_department(shared, parent="RD")
    pool = await add_pool(shared, department=code)
    problem(await remove(shared, code), 409, "department_has_numbers")
    told = (await post(shared, department("closed", code))).json()
    assert (told["state"], told["problem"]["code"]) == ("failed", "department_has_numbers")
    it = await it_client(shared)
    changed = await it.patch(pool.path, json={"department": None}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    assert (await remove(shared, code)).status_code == 204


async def test_a_department_that_holds_a_number_stays_until_it_is_released(shared: World) -> None:
    code, pool, it = await add_department(shared, parent="RD"), await add_pool(shared), await it_client(shared)
    body = {"holder": {"type": "department", "id": code}}
    assert (await it.post(f"{pool.path}/allocations", json=body)).status_code == 201
    problem(await remove(shared, code), 409, "department_has_numbers")
    await release(shared, pool.digits(0))
    assert (await remove(shared, code)).status_code == 204
    problem(await it.post(f"{pool.path}/allocations", json=body), 422, "unknown_number_holder")


async def test_a_department_that_goes_into_another_brings_its_pools_and_numbers_along(shared: World) -> None:
    old, new = await add_department(shared, parent="RD"), await add_department(shared, parent="RD")
    own, company, it = await add_pool(shared, department=old), await add_pool(shared), await it_client(shared)
    for code, count in ((old, 2), (new, 1)):
        body = {"holder": {"type": "department", "id": code}, "count": count}
        assert (await it.post(f"{company.path}/allocations", json=body)).status_code == 201
    told = (await post(shared, department("merged", old, into=new))).json()
    assert (told["state"], told["problem"]) == ("applied", None)
    assert (await it.get(own.path)).json()["department"] == str(shared.departments[new])
    for at in range(3):
        history = (await it.get(f"/v1/numbers/{company.digits(at)}/history")).json()["items"]
        (holding,) = [each for each in history if each["ended_at"] is None]
        assert holding["holder"]["id"] == str(shared.departments[new])
    assert (await remove(shared, old)).status_code == 404


@pytest.mark.parametrize("what", ["pool", "owner", "number"])
async def test_whoever_is_first_wins(shared: World, what: str) -> None:
    """At the same time: one removes the department, the other makes something its own. Never both."""
    it = await it_client(shared)
    for _ in range(4):
        code, pool = await add_department(shared, parent="RD"), await add_pool(shared, 1)
        identity = str(shared.departments[code])
        new = {"code": f"of-{code}", "name": "新池", "class": "internal", "department": identity}
        match what:
            case "pool":
                call = it.post("/v1/number-pools", json=new)
            case "owner":
                call = it.patch(pool.path, json={"department": identity}, headers={"If-Match": "*"})
            case _:
                holder = {"type": "department", "id": identity}
                call = it.post(f"{pool.path}/allocations", json={"holder": holder})
        removed, made = await asyncio.gather(remove(shared, code), call)
        assert (removed.status_code, made.status_code) in {(204, 422), (409, 200), (409, 201)}, (
            removed.text,
            made.text,
        )
