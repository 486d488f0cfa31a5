"""Domains, pools and ranges over HTTP on both engines: what is made, what is refused, and who may."""

from typing import Any, Final

import pytest

from app.jobs.schemas import JobView
from app.kit.models import new_id
from tests.numbers.calls import add_pool, it_client
from tests.support.application import World
from tests.support.problems import faults, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")

POOL: Final[dict[str, Any]] = {"code": "plain", "name": "普通", "class": "internal"}


async def test_a_pool_takes_its_rest_from_its_class(shared: World) -> None:
    it = await it_client(shared)
    made = await it.post("/v1/number-pools", json={**POOL, "code": "guests", "class": "temporary"})
    assert made.status_code == 201
    told = made.json()
    assert (told["quarantine_days"], told["strategy"], told["domain"], told["joiners"]) == (7, "lowest", "main", False)
    for named in ("guests", told["id"]):
        seen = await it.get(f"/v1/number-pools/{named}")
        assert {name: value for name, value in seen.json().items() if name != "disclosure"} == told
        assert seen.headers["ETag"] == made.headers["ETag"]
    listed = (await it.get("/v1/number-pools")).json()
    assert told in listed["items"]


async def test_a_pool_is_changed_by_whoever_saw_it(shared: World) -> None:
    pool, it = await add_pool(shared, 0), await it_client(shared)
    seen = (await it.get(pool.path)).headers["ETag"]
    problem(await it.patch(pool.path, json={"name": "新"}), 428, "precondition_required")
    problem(await it.patch(pool.path, json={"name": "新"}, headers={"If-Match": '"old"'}), 412, "precondition_failed")
    changes = {"name": "新", "department": "RD", "low_water": 5, "quarantine_days": 1, "joiners": False}
    done = await it.patch(pool.path, json=changes, headers={"If-Match": seen})
    assert done.status_code == 200, done.text
    assert done.headers["ETag"] != seen
    after = await it.get(pool.path, headers={"If-None-Match": seen})
    assert after.json()["department"] == str(shared.departments["RD"])
    assert (after.json()["low_water"], after.json()["quarantine_days"]) == (5, 1)
    assert (await it.get(pool.path, headers={"If-None-Match": done.headers["ETag"]})).status_code == 304
    gone = await it.patch(pool.path, json={"low_water": None, "department": None}, headers={"If-Match": "*"})
    assert (gone.json()["low_water"], gone.json()["department"]) == (None, None)
    same = await it.patch(pool.path, json={"low_water": None}, headers={"If-Match": "*"})
    assert same.json() == gone.json()


@pytest.mark.parametrize(
    ("changes", "status", "code", "fault"),
    [
        ({"name": None}, 422, "invalid_request", ("/name", "not_removable")),
        ({"strategy": "random"}, 422, "invalid_request", ("/strategy", "unknown_member")),
        ({"quarantine_days": -1}, 422, "invalid_request", ("/quarantine_days", "invalid_value")),
        ({"department": "NOPE"}, 422, "unknown_department", ("/department", "unknown_department")),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    shared: World, changes: dict[str, Any], status: int, code: str, fault: tuple[str, str]
) -> None:
    pool = await add_pool(shared, 0)
    answer = await (await it_client(shared)).patch(pool.path, json=changes, headers={"If-Match": "*"})
    problem(answer, status, code)
    assert faults(answer) == [fault]


async def test_codes_are_unique(shared: World) -> None:
    it = await it_client(shared)
    pool = await add_pool(shared, 0)
    problem(await it.post("/v1/number-pools", json={**POOL, "code": pool.code}), 409, "duplicate_pool_code")
    problem(await it.post("/v1/number-domains", json={"code": "main", "name": "x"}), 409, "duplicate_domain_code")
    problem(await it.post("/v1/number-pools", json={**POOL, "domain": "mars"}), 422, "unknown_number_domain")
    problem(await it.get("/v1/number-pools/nowhere"), 404, "not_found")
    problem(await it.get(f"/v1/number-pools/{new_id()}"), 404, "not_found")
    problem(await it.post("/v1/number-pools/nowhere/ranges", json={"start": "70", "end": "79"}), 404, "not_found")


async def test_a_range_with_steps_and_gaps_and_leading_zeros(shared: World) -> None:
    it = await it_client(shared)
    domain = {"code": "zeros", "name": "零", "dialling": "overlap", "first_digits": "0"}
    assert (await it.post("/v1/number-domains", json=domain)).status_code == 201
    pool = await add_pool(shared, 0, domain="zeros")
    body = {"start": "0070", "end": "0080", "step": 2, "excluded": ["0072", "0075-0078"]}
    made = await it.post(f"{pool.path}/ranges", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["size"], made.json()["materialised"], made.json()["state"]) == (3, 3, "ready")
    assert (await it.get(f"{pool.path}/available")).json()["items"] == ["0070", "0074", "0080"]
    longer = await it.post(f"{pool.path}/ranges", json={"start": "070", "end": "071"})
    assert longer.status_code == 201
    assert (await it.get(f"{pool.path}/available")).json()["items"] == ["070", "071", "0070", "0074", "0080"]
    listed = (await it.get(f"{pool.path}/ranges")).json()["items"]
    assert [(each["start"], each["excluded"]) for each in listed] == [
        ("070", []),
        ("0070", ["0072", "0075-0078"]),
    ]


@pytest.mark.parametrize(
    ("body", "code", "fault"),
    [
        ({"start": "700", "end": "7000"}, "range_refused", ("/end", "range_of_two_lengths")),
        ({"start": "710", "end": "700"}, "range_refused", ("/end", "range_reversed")),
        ({"start": "700", "end": "709", "excluded": ["70"]}, "range_refused", ("/excluded/0", "malformed_exclusion")),
        ({"start": "700", "end": "709", "excluded": ["700-709"]}, "range_refused", ("/excluded", "empty_range")),
        ({"start": "7", "end": "9"}, "invalid_request", ("/start", "invalid_value")),
        ({"start": "70a", "end": "709"}, "invalid_request", ("/start", "invalid_value")),
        ({"start": "\u0667\u0660\u0660", "end": "709"}, "invalid_request", ("/start", "invalid_value")),
        ({"start": "7000000000", "end": "7009999999"}, "range_too_large", ("/end", "range_too_large")),
        ({"start": "1000", "end": "1999"}, "range_reserved", ("/excluded", "range_reserved")),
        ({"start": "11", "end": "11"}, "range_reserved", ("/excluded", "range_reserved")),
        ({"start": "110", "end": "110"}, "range_reserved", ("/excluded", "range_reserved")),
    ],
)
async def test_a_range_that_cannot_be_is_refused(
    shared: World, body: dict[str, Any], code: str, fault: tuple[str, str]
) -> None:
    pool, it = await add_pool(shared, 0), await it_client(shared)
    answer = await it.post(f"{pool.path}/ranges", json=body)
    problem(answer, 422, code)
    assert fault in faults(answer)
    assert (await it.get(f"{pool.path}/ranges")).json()["items"] == []


async def test_reserved_numbers_are_named_and_can_be_left_out(shared: World) -> None:
    it = await it_client(shared)
    assert (
        await it.post("/v1/number-domains", json={"code": "ones", "name": "一", "first_digits": "1"})
    ).status_code == 201
    pool = await add_pool(shared, 0, domain="ones")
    body: dict[str, Any] = {"start": "1100", "end": "1149"}
    told = problem(await it.post(f"{pool.path}/ranges", json=body), 422, "range_reserved")
    named = {each["reserved"]: each["digits"] for each in told["conflicts"]}
    assert named == {"110": "1100", "112": "1120", "114": "1140"}
    body["excluded"] = ["1100-1109", "1120-1129", "1140-1149"]
    assert (await it.post(f"{pool.path}/ranges", json=body)).json()["size"] == 20


async def test_no_two_ranges_of_a_domain_have_a_number_in_common(shared: World) -> None:
    it = await it_client(shared)
    one, two = await add_pool(shared, 10), await add_pool(shared, 0)
    body = {"start": one.digits(5), "end": one.digits(30)}
    told = problem(await it.post(f"{two.path}/ranges", json=body), 409, "range_overlaps")
    assert (told["pool"], told["digits"]) == (one.code, one.digits(5))
    between = {**body, "excluded": [f"{one.digits(5)}-{one.digits(9)}"]}
    assert (await it.post(f"{two.path}/ranges", json=between)).json()["size"] == 21
    assert (await it.post("/v1/number-domains", json={"code": f"at-{two.code}", "name": "另"})).status_code == 201
    elsewhere = await add_pool(shared, 0, domain=f"at-{two.code}")
    assert (await it.post(f"{elsewhere.path}/ranges", json=body)).status_code == 201


async def test_a_large_range_is_made_by_the_worker(shared: World) -> None:
    pool, it = await add_pool(shared, 0), await it_client(shared)
    while await shared.application.outbox.drain():
        pass
    body = {"start": pool.digits(), "end": pool.digits(24_999)}
    made = await it.post(f"{pool.path}/ranges", json=body)
    assert made.status_code == 202
    assert (made.json()["state"], made.json()["materialised"]) == ("materialising", 0)
    path = made.json()["job"]
    assert made.headers["location"] == path
    job = JobView.model_validate((await it.get(path)).json())
    assert (job.state, job.progress.done, job.progress.total) == ("queued", 0, 25_000)
    assert (await it.get(str(job.resource))).json()["items"][0]["id"] == made.json()["id"]
    problem(await it.delete(path), 409, "job_goes_on")
    problem(await it.post(f"{pool.path}/ranges", json=body), 409, "range_overlaps")
    for expected in (10_000, 20_000, 25_000, 25_000):
        await shared.application.outbox.drain(most=1)
        (told,) = (await it.get(f"{pool.path}/ranges")).json()["items"]
        assert (told["materialised"], told["state"] == "ready") == (expected, expected == 25_000)
        job = JobView.model_validate((await it.get(path)).json())
        assert (job.progress.done, job.state == "done") == (expected, expected == 25_000)
    assert (job.result, job.finished_at is not None) == ({"made": 25_000}, True)
    rows = (await it.get(f"{path}/rows")).json()["items"]
    assert [(each["state"], each["detail"]) for each in rows] == [
        ("done", {"made": made_then}) for made_then in (10_000, 10_000, 5_000)
    ]
    problem(await it.delete(path), 409, "job_finished")
    problem(await (await shared.as_("staff")).get(path), 404, "not_found")
    assert JobView.model_validate((await (await shared.as_("it")).get(path)).json()).state == "done"
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert (use["size"], use["free"], use["used"]) == (25_000, 25_000, 0.0)


async def test_the_same_key_makes_one_range(shared: World) -> None:
    pool, it = await add_pool(shared, 0), await it_client(shared)
    body = {"start": pool.digits(), "end": pool.digits(9)}
    first = await it.post(f"{pool.path}/ranges", json=body, headers={"Idempotency-Key": pool.code})
    again = await it.post(f"{pool.path}/ranges", json=body, headers={"Idempotency-Key": pool.code})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = {**body, "end": pool.digits(10)}
    answer = await it.post(f"{pool.path}/ranges", json=other, headers={"Idempotency-Key": pool.code})
    problem(answer, 422, "idempotency_key_reused")


async def test_a_scope_alone_makes_nobody_keeper_of_the_plan(shared: World) -> None:
    pool = await add_pool(shared, 0)
    staff, it = await shared.as_("staff"), await shared.as_("it")
    assert (await staff.get(pool.path)).status_code == 200
    for method, path in (("POST", "/v1/number-pools"), ("POST", f"{pool.path}/ranges"), ("PATCH", pool.path)):
        answer = await staff.request(method, path, json={}, headers={"If-Match": "*"})
        problem(answer, 403, "insufficient_scope")
    by_person = await it.patch(pool.path, json={"name": "由人修改"}, headers={"If-Match": "*"})
    assert by_person.status_code == 200
