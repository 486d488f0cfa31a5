"""Domains and the reserved table over HTTP on both engines: what a domain admits, what may not be changed under its ranges."""

from itertools import count
from typing import Any, Final

import pytest

from app.numbers.pool_repository import PoolRepository
from app.numbers.repository import Grant, Holder
from app.numbers.values import Wanted
from tests.numbers.calls import add_pool, allocate, it_client
from tests.support.application import OPERATOR, World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

_NEXT: Final = count(1)


async def add_domain(world: World, **members: Any) -> str:  # noqa: ANN401 — members of a domain
    code = f"dom-{next(_NEXT)}-{world.application.database.dialect}"
    made = await (await it_client(world)).post("/v1/number-domains", json={"code": code, "name": "域", **members})
    assert made.status_code == 201, made.text
    return code


async def add_range(world: World, path: str, start: str, end: str, **members: Any) -> Any:  # noqa: ANN401 — a response
    return await (await it_client(world)).post(f"{path}/ranges", json={"start": start, "end": end, **members})


async def test_a_domain_starts_from_its_profile_and_says_otherwise(shared: World) -> None:
    it = await it_client(shared)
    desk = (await it.get("/v1/number-domains/main")).json()
    assert (desk["first_digits"], desk["shortest"], desk["longest"], desk["access_codes"]) == ("2345678", 2, 15, [])
    code = await add_domain(shared, profile="vnet", longest=5, access_codes=["*", "*", "#9"])
    seen = await it.get(f"/v1/number-domains/{code}")
    told = seen.json()
    assert (told["first_digits"], told["shortest"], told["longest"]) == ("6", 3, 5)
    assert told["access_codes"] == ["*", "#9"]
    assert (
        await it.get(f"/v1/number-domains/{code}", headers={"If-None-Match": seen.headers["ETag"]})
    ).status_code == 304
    listed = (await it.get("/v1/number-domains")).json()["items"]
    assert {key: value for key, value in told.items() if key != "disclosure"} in listed
    problem(await it.get("/v1/number-domains/nowhere"), 404, "not_found")


async def test_a_range_is_of_its_domains_shape(shared: World) -> None:
    code = await add_domain(shared, profile="vnet", access_codes=["66", "*"])
    pool = await add_pool(shared, 0, domain=code)
    for start, end, digits in (("7000", "7009", "7000"), ("6799", "7001", "7000"), ("60", "62", "60")):
        told = problem(await add_range(shared, pool.path, start, end), 422, "range_outside_domain")
        assert (told["digits"], told["first_digits"], told["shortest"], told["longest"]) == (digits, "6", 3, 6)
    told = problem(await add_range(shared, pool.path, "6600", "6609"), 422, "range_reserved")
    assert told["conflicts"] == [{"reserved": "66", "digits": "6600"}]
    assert (await add_range(shared, pool.path, "6500", "6509")).json()["warnings"] == []


async def test_where_sets_dial_digit_by_digit_no_number_begins_another(shared: World) -> None:
    code = await add_domain(shared, dialling="overlap")
    one, two = await add_pool(shared, 0, domain=code), await add_pool(shared, 0, domain=code)
    assert (await add_range(shared, one.path, "700", "720", step=10)).status_code == 201
    told = problem(await add_range(shared, two.path, "7000", "7299"), 409, "range_conflicts")
    assert told["conflicts"] == [{"code": "extends", "digits": "7000", "other": "700", "pool": one.code}]
    told = problem(await add_range(shared, two.path, "70", "71"), 409, "range_conflicts")
    assert told["conflicts"] == [{"code": "prefix_of", "digits": "70", "other": "700", "pool": one.code}]
    between = await add_range(shared, two.path, "7010", "7019")
    assert between.status_code == 201, between.text


async def test_elsewhere_it_is_a_warning_until_the_domain_dials_so(shared: World) -> None:
    it, code = await it_client(shared), await add_domain(shared)
    one, two = await add_pool(shared, 0, domain=code), await add_pool(shared, 0, domain=code)
    assert (await add_range(shared, one.path, "700", "709")).json()["warnings"] == []
    warned = await add_range(shared, two.path, "7055", "7055")
    assert warned.json()["warnings"] == [{"code": "extends", "digits": "7055", "other": "705", "pool": one.code}]
    path = f"/v1/number-domains/{code}"
    told = problem(
        await it.patch(path, json={"dialling": "overlap"}, headers={"If-Match": "*"}), 409, "domain_conflicts"
    )
    (conflict,) = told["conflicts"]
    assert (conflict["digits"], conflict["other"], conflict["of"], conflict["pool"]) == (
        "705",
        "7055",
        one.code,
        two.code,
    )
    assert (await it.get(path)).json()["dialling"] == "en_bloc"


@pytest.mark.parametrize(
    ("changes", "conflict"),
    [
        ({"first_digits": "89"}, {"code": "out_of_range", "digits": "7000"}),
        ({"longest": 3}, {"code": "out_of_range", "digits": "7000"}),
        ({"shortest": 5}, {"code": "out_of_range", "digits": "7000"}),
        ({"access_codes": ["0", "70"]}, {"code": "reserved", "digits": "7000", "other": "70"}),
    ],
)
async def test_a_change_that_ranges_contradict_is_refused(
    shared: World, changes: dict[str, Any], conflict: dict[str, str]
) -> None:
    it, code = await it_client(shared), await add_domain(shared)
    pool = await add_pool(shared, 0, domain=code)
    assert (await add_range(shared, pool.path, "7000", "7009")).status_code == 201
    path = f"/v1/number-domains/{code}"
    told = problem(await it.patch(path, json=changes, headers={"If-Match": "*"}), 409, "domain_conflicts")
    assert told["conflicts"] == [{**conflict, "pool": pool.code}]
    others = {"name": "新", "first_digits": "8877", "access_codes": ["0", "9"], "longest": 8, "dialling": "overlap"}
    seen = (await it.get(path)).headers["ETag"]
    done = await it.patch(path, json=others, headers={"If-Match": seen})
    assert done.status_code == 200, done.text
    assert done.json()["first_digits"] == "78"
    problem(await it.patch(path, json={"name": "旧"}, headers={"If-Match": seen}), 412, "precondition_failed")
    assert (await it.patch(path, json=others, headers={"If-Match": "*"})).json() == done.json()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": None}, ("", "not_removable")),
        ({"shortest": 9, "longest": 8}, ("/longest", "lengths_reversed")),
        ({"code": "other"}, ("/code", "unknown_member")),
        ({"first_digits": ""}, ("/first_digits", "invalid_value")),
        ({"access_codes": ["x"]}, ("/access_codes/0", "invalid_value")),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    shared: World, changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    it = await it_client(shared)
    answer = await it.patch("/v1/number-domains/main", json=changes, headers={"If-Match": "*"})
    problem(answer, 422, "invalid_request")
    assert faults(answer) == [fault]


async def test_digits_are_reserved_and_opened_again(shared: World) -> None:
    it, code = await it_client(shared), await add_domain(shared)
    pool = await add_pool(shared, 0, domain=code)
    body = {"digits": "87654", "name_zh": "服务台", "name_en": "Service desk"}
    made = await it.post("/v1/reserved-numbers", json=body)
    assert (made.status_code, made.json()["kind"]) == (201, "service")
    problem(await it.post("/v1/reserved-numbers", json=body), 409, "duplicate_reserved_number")
    assert made.json() in (await it.get("/v1/reserved-numbers")).json()["items"]
    told = problem(await add_range(shared, pool.path, "8760", "8769"), 422, "range_reserved")
    assert told["conflicts"] == [{"reserved": "87654", "digits": "8765"}]
    assert (await it.delete("/v1/reserved-numbers/87654")).status_code == 204
    problem(await it.delete("/v1/reserved-numbers/87654"), 404, "not_found")
    assert (await add_range(shared, pool.path, "8760", "8769")).status_code == 201
    told = problem(await it.post("/v1/reserved-numbers", json=body), 409, "reserved_number_in_use")
    assert told["conflicts"] == [{"digits": "8765", "pool": pool.code, "domain": code}]
    told = problem(await it.post("/v1/reserved-numbers", json={**body, "digits": "876"}), 409, "reserved_number_in_use")
    assert [each["digits"] for each in told["conflicts"]] == [f"876{each}" for each in range(10)]


async def test_what_the_worker_is_about_to_make_is_in_use(shared: World) -> None:
    it, code = await it_client(shared), await add_domain(shared)
    pool = await add_pool(shared, 0, domain=code)
    assert (await add_range(shared, pool.path, "430000", "449999")).status_code == 202
    body = {"digits": "4455", "name_zh": "服务台", "name_en": "Service desk"}
    told = problem(await it.post("/v1/reserved-numbers", json=body), 409, "reserved_number_in_use")
    assert told["conflicts"] == [{"digits": "445500", "pool": pool.code, "domain": code}]
    while await shared.application.outbox.drain():
        pass


@pytest.mark.parametrize("digits", ["110", "119", "120", "122", "112"])
async def test_emergency_numbers_stay(shared: World, digits: str) -> None:
    problem(await (await it_client(shared)).delete(f"/v1/reserved-numbers/{digits}"), 409, "emergency_number_stays")


async def test_a_list_is_tried_with_every_verdict(shared: World) -> None:
    it, code = await it_client(shared), await add_domain(shared, dialling="overlap", access_codes=["8"])
    pool = await add_pool(shared, 0, domain=code)
    holder = shared.people["colleague"]
    assert (await add_range(shared, pool.path, "3000", "3004")).status_code == 201
    await allocate(shared, pool, holder, digits="3000")
    await allocate(shared, pool, holder, digits="3002")
    assert (await it.post(f"/v1/numbers/3002/releases?domain={code}", json={})).status_code == 201
    numbers = ["3000", "3001", "3002", "300", "30041", "110", "1101", "8", "88", "x", "3001", "4000"]
    answer = await it.post("/v1/number-validations", json={"numbers": numbers, "domain": code})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["domain"] == code
    assert {each["place"]: each["verdicts"] for each in told["results"]} == {
        0: ["extends", "duplicate"],
        1: ["extends"],
        2: ["extends", "quarantined"],
        3: ["prefix_of", "out_of_range"],
        4: ["extends", "out_of_range"],
        5: ["prefix_of", "reserved", "out_of_range"],
        6: ["extends", "reserved", "out_of_range"],
        7: ["invalid"],
        8: ["reserved", "out_of_range"],
        9: ["invalid"],
        10: ["duplicate_in_list", "extends"],
        11: ["out_of_range"],
    }
    assert told["results"][0]["findings"][0]["place"] == 3
    first = told["results"][0]["findings"][1]["number"]
    assert (first["digits"], first["state"], first["holders"][0]["id"]) == ("3000", "assigned", str(holder))
    resting = told["results"][2]["findings"][1]
    assert resting["until"] == resting["number"]["available_from"]
    shorter = [each for each in told["results"][3]["findings"] if each["number"]]
    assert shorter[0]["number"]["digits"] == "3000"
    reserved = [each["reserved"]["digits"] for each in told["results"][5]["findings"] if each["reserved"]]
    assert reserved == ["110"]


async def test_who_holds_a_number_is_told_to_those_who_may_know(shared: World) -> None:
    pool, secret = await add_pool(shared, 1), await add_person(shared, status="prehire")
    async with shared.application.database.unit_of_work() as unit:
        found = await PoolRepository().pool(unit.session, pool.code)
        assert found is not None
        grant = Grant(holder=Holder("contact", secret.id), role="short", caller="tests", author=OPERATOR)
        await shared.application.numbers.service.allocate(unit, found, grant, Wanted(1, None))
    for reader, told in (("hr", ("contact", str(secret.id))), ("staff", ("withheld", None))):
        answer = await (await shared.as_(reader)).post("/v1/number-validations", json={"numbers": [pool.digits()]})
        (finding,) = answer.json()["results"][0]["findings"]
        (holder,) = finding["number"]["holders"]
        assert (finding["verdict"], holder["type"], holder["id"]) == ("duplicate", *told)


async def test_a_list_is_tried_against_a_pool_and_warned_where_sets_dial_at_once(shared: World) -> None:
    it, code = await it_client(shared), await add_domain(shared)
    one, two = await add_pool(shared, 0, domain=code), await add_pool(shared, 0, domain=code)
    assert (await add_range(shared, one.path, "3000", "3004")).status_code == 201
    assert (await add_range(shared, two.path, "30000", "30004")).status_code == 201
    answer = await it.post("/v1/number-validations", json={"numbers": ["3000", "30000", "3001"], "pool": one.code})
    told = {each["number"]: each["verdicts"] for each in answer.json()["results"]}
    assert told == {"3000": ["valid", "prefix_of"], "30000": ["extends", "out_of_range"], "3001": ["valid"]}
    other = {"numbers": ["3000"], "pool": one.code, "domain": "main"}
    problem(await it.post("/v1/number-validations", json=other), 422, "unknown_number_domain")
    problem(await it.post("/v1/number-validations", json={"numbers": ["3000"], "pool": "nowhere"}), 404, "not_found")
    problem(await it.post("/v1/number-validations", json={"numbers": []}), 422, "invalid_request")
    problem(await it.post("/v1/number-validations", json={"numbers": ["30"] * 1001}), 422, "invalid_request")


async def test_a_thousand_are_tried_at_once(shared: World) -> None:
    it, pool = await it_client(shared), await add_pool(shared, 1000)
    numbers = [pool.digits(place) for place in range(1000)]
    answer = await it.post("/v1/number-validations", json={"numbers": numbers})
    assert [each["verdicts"] for each in answer.json()["results"]] == [["valid"]] * 1000
