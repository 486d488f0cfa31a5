"""The policy over HTTP: everybody reads the rules, those who govern read who wrote them, nobody activates without an approved request."""

from typing import Final
from uuid import UUID

import httpx
import pytest

from app.kit.models import new_id
from app.permissions.pack import load, named, texts
from app.policy.errors import PolicyVersionTaken
from app.policy.schemas import ActivationPage, PolicyView, VersionPage, VersionView
from app.policy.service import PolicyService
from tests.packs.test_versions import closed, mobile
from tests.support.application import World
from tests.support.policy import activate, store
from tests.support.problems import faults, problem

VERSIONS: Final = "/v1/policy/versions"
ACTIVATIONS: Final = "/v1/policy/activations"
YAML: Final = {"Content-Type": "application/yaml"}


def text(version: str = "9.1.0", also: str = "") -> str:
    return f"""version: {version}
profile: open
zh: 测试策略
en: Test policy
rules:
  - id: staff.some
    effect: grant
    clauses: [S1a-7]
    zh: 规则
    en: A rule
    shows: {{C1: clear}}
{also}"""


async def upload(world: World, body: str, *, caller: str = "infosec", **headers: str) -> httpx.Response:
    return await (await world.as_(caller)).post(VERSIONS, content=body.encode(), headers={**YAML, **headers})


async def test_everybody_reads_the_rules(sqlite_world: World) -> None:
    world = sqlite_world
    answer = await (await world.as_("intern")).get("/v1/policy")
    assert answer.status_code == 200
    view = PolicyView.model_validate(answer.json())
    pack = load()
    assert (view.label, view.profile, view.tests) == (pack.label, "open", len(pack.tests))
    assert [each.id for each in view.rules] == [each.id for each in pack.rules]
    own = next(each for each in view.rules if each.id == "staff.own_department")
    assert own.clauses == ["S1c-10.1", "S0-use", "S1a-13"]
    assert own.gives["shows"] == {"C1": "clear", "C2": "clear", "C3": "mask_fine", "C4": "mask_coarse"}
    assert own.contact == {"relation": "own_department", "kinds": ["employee", "temporary"]}
    await activate(world.application, closed())
    assert (await (await world.as_("intern")).get("/v1/policy")).json()["label"] == closed().label


async def test_a_candidate_is_stored_and_changes_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    viewer = "{kinds: [service], roles: [hr]}"
    dead = f"  - {{id: dead.rule, effect: cap, clauses: [X], zh: 规则, en: rule, viewer: {viewer}, shows: {{C1: hidden}}}}\n"
    answer = await upload(world, text(also=dead))
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert answer.headers["Location"] == f"{VERSIONS}/{receipt['id']}"
    assert (receipt["state"], receipt["tests"]) == ("candidate", 0)
    assert [(each["about"], each["code"]) for each in receipt["remarks"]] == [("dead.rule", "never_applies")]
    assert (await mobile(world))["state"] == "masked"
    again = await upload(world, text(also=dead) + "# the same\n")
    assert (again.status_code, again.json()["id"]) == (200, receipt["id"])
    problem(await upload(world, text()), 409, "policy_version_taken")

    infosec = await world.as_("infosec")
    listed = (await infosec.get(VERSIONS)).json()
    page = VersionPage.model_validate(listed)
    assert [each.state for each in page.items] == ["candidate", "in_force"]
    assert page.items[0].author.id == str(world.people["infosec"])
    one = VersionView.model_validate((await infosec.get(f"{VERSIONS}/{receipt['id']}")).json())
    assert one.source == text(also=dead)
    problem(await infosec.get(f"{VERSIONS}/{new_id()}"), 404, "not_found")


async def test_the_number_of_a_pack_that_ships_is_kept_for_it(sqlite_world: World) -> None:
    """Somebody who uploads the shipped rules without their tests must not keep the installer from the pack itself."""
    world, strict = sqlite_world, load("strict")
    rules, tests = texts("strict")
    for spoilt in (rules, f"{rules}\n{tests}".replace("colleague.card", "colleague.kard")):
        refused = problem(await upload(world, spoilt), 409, "policy_version_taken")
        assert f"strict-{strict.version}" in refused["detail"]
    whole = await upload(world, f"{rules}\n{tests}")
    assert (whole.status_code, whole.json()["digest"]) == (201, strict.digest), whole.text
    assert (await activate(world.application, strict)).id == UUID(whole.json()["id"])
    own = await upload(world, rules.replace(f"version: {strict.version}", f"version: {strict.version}9"))
    assert own.status_code == 201, own.text


async def test_who_has_a_number_is_said_with_what_to_do(sqlite_world: World) -> None:
    """A number that was taken before a pack with it began to ship."""
    world = sqlite_world
    await store(world.application, closed("2.7.0"))
    shipped = named(load().model_copy(update={"version": "2.7.0"}))
    with pytest.raises(PolicyVersionTaken) as taken:
        await store(world.application, shipped)
    async with world.application.database.unit_of_work() as unit:
        held = await world.application.policy.service.named(unit, "open-2.7.0")
    for said in (taken.value.detail, taken.value.detail_zh):
        assert held.label in said
        assert str(held.id) in said


async def test_lists_go_on_by_their_cursor(sqlite_world: World) -> None:
    world = sqlite_world
    for number in range(3):
        await activate(world.application, closed(f"9.0.{number}"))
    auditor = await world.as_("auditor")
    for path, model in ((VERSIONS, VersionPage), (ACTIVATIONS, ActivationPage)):
        seen, cursor = [], None
        while True:
            answer = await auditor.get(path, params={"limit": "2", **({} if cursor is None else {"cursor": cursor})})
            page = model.model_validate(answer.json())
            seen += [each.id for each in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 4
        if cursor is None:
            problem(await (await world.as_("infosec")).get(path, params={"cursor": "x" * 30}), 422, "bad_cursor")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (text().replace("effect: grant", "effect: grant\n    effect: cap"), ("/rules/0/effect", "duplicate_member")),
        (text().replace("en: A rule", "<<: {a: b}\n    en: A rule"), ("/rules/0/<<", "merge_key")),
        (text().replace("en: A rule", "en: A rule\n    viewer: {roles: [\u0430uditor]}"), ("/rules/0/viewer/roles/0", "look_alike")),
        ("version: [", ("", "malformed_yaml")),
        ("", ("", "missing")),
    ],
)  # fmt: skip
async def test_what_is_no_pack_is_refused_with_its_place(
    sqlite_world: World, body: str, expected: tuple[str, str]
) -> None:
    world = sqlite_world
    answer = await upload(world, body)
    problem(answer, 422, "bad_policy_pack")
    assert faults(answer) == [expected]
    listed = await (await world.as_("infosec")).get(VERSIONS)
    assert len(listed.json()["items"]) == 1


async def test_what_is_too_long_or_no_text_is_refused(sqlite_world: World) -> None:
    world = sqlite_world
    problem(await upload(world, "#" * 1_048_577), 413, "body_too_large")
    for kind in ("text/html", "application/x-www-form-urlencoded", ""):
        problem(await upload(world, text(), **{"Content-Type": kind}), 415, "unsupported_media_type")
    bad = await (await world.as_("infosec")).post(VERSIONS, content=b"\xff\xfe\x00", headers=YAML)
    problem(bad, 422, "bad_policy_pack")


async def test_nothing_is_activated_but_by_an_approved_request(sqlite_world: World) -> None:
    """There is no door: the effect of ``policy.change`` is the only way over HTTP (tests/effects/test_policies.py)."""
    one = (await upload(sqlite_world, text())).json()
    for caller in ("infosec", "it"):
        answer = await (await sqlite_world.as_(caller)).post(ACTIVATIONS, json={"version": one["id"], "reason": "why"})
        problem(answer, 405, "method_not_allowed")


async def test_who_may_is_decided_by_role_and_of_now(sqlite_world: World) -> None:
    world = sqlite_world
    for caller in ("staff", "head", "hr", "ceo"):
        client = await world.as_(caller)
        for path in (VERSIONS, ACTIVATIONS):
            assert (await client.get(path)).status_code == 403
        assert (await upload(world, text(), caller=caller)).status_code == 403
    auditor = await world.as_("auditor")
    assert (await auditor.get(VERSIONS)).status_code == 200
    assert (await upload(world, text(), caller="auditor")).status_code == 403
    siem = await world.as_("siem")
    problem(await siem.get(VERSIONS), 403, "not_permitted")
    assert isinstance(world.application.policy.service, PolicyService)
