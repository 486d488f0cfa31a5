"""A pack enters into force by the committee and security, as the very content that was simulated, and never by who wrote it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.auth.repository import Source
from app.cli import session
from app.cli.giving import activate as put_in_force
from app.custody.founding import Waits
from app.disclosure.errors import ApprovalRequired
from app.permissions.errors import PolicyUnreadable
from app.permissions.pack import Pack, canonical
from tests.effects.test_reveals import states
from tests.effects.walking import Walk, file, filed
from tests.packs.test_simulations import asked, opened
from tests.packs.test_versions import closed
from tests.support.application import World
from tests.support.policy import activate
from tests.support.problems import faults, problem
from tests.support.shared import add_person

_JSON = {"Content-Type": "application/json"}


async def govern(world: World) -> list[str]:
    """Add two of the committee and a second person of security; give their names."""
    made = [await add_person(world, department="HR", roles=("committee",)) for _ in range(2)]
    made.append(await add_person(world, department="SEC", tier="T5", roles=("infosec",)))
    return [each.name for each in made]


async def uploaded(world: World, pack: Pack) -> str:
    answer = await (await world.as_("infosec")).post("/v1/policy/versions", content=canonical(pack), headers=_JSON)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def change(world: World, version: str, simulation: dict[str, Any], who: str = "infosec", **more: str) -> Walk:
    form = {"simulation_id": simulation["id"], "reason": "公开更多信息", **more}
    return await filed(world, who, "policy.change", ("policy_version", version), form)


async def label(world: World) -> str:
    return str((await (await world.as_("staff")).get("/v1/policy")).json()["label"])


async def test_two_bodies_put_a_pack_in_force(world: World) -> None:
    first, second, security = await govern(world)
    about = await add_person(world, department="SALES")
    version = await uploaded(world, opened())
    simulation = await asked(world, version)
    walk = await change(world, version, simulation)
    assert (await states(world, "staff", about))["personal_mobile"] == "withheld"
    problem(await walk.act("infosec", "decisions", decision="approve"), 403, "not_asked")
    assert await walk.through(first, second) == "pending"
    problem(await walk.act("infosec", "decisions", decision="approve"), 403, "not_asked")
    assert await walk.through(security) == "completed"
    assert (await states(world, "staff", about))["personal_mobile"] == "masked"
    newest = (await (await world.as_("infosec")).get("/v1/policy/activations")).json()["items"][0]
    assert (newest["version"], newest["simulation_id"]) == (version, simulation["id"])
    assert walk.path.endswith(newest["request_id"])
    refused = await file(
        world,
        "infosec",
        "policy.change",
        ("policy_version", version),
        {"simulation_id": simulation["id"], "reason": "再来一次"},
    )
    problem(refused, 409, "policy_in_force")


async def test_another_pack_in_force_meanwhile_asks_again(world: World) -> None:
    first, second, security = await govern(world)
    version = await uploaded(world, opened())
    walk = await change(world, version, await asked(world, version))
    await walk.through(first, second)
    await activate(world.application, closed())
    before = await label(world)
    assert await walk.through(security) == "needs_reapproval"
    assert await label(world) == before


async def test_who_files_what(sqlite_world: World) -> None:
    world = sqlite_world
    *_, security = await govern(world)
    version = await uploaded(world, opened())
    simulation = await asked(world, version)
    form = {"simulation_id": simulation["id"], "reason": "公开更多信息"}
    about = ("policy_version", version)
    problem(await file(world, "hr", "policy.change", about, form), 403, "may_not_file")
    theirs = await file(world, security, "policy.change", about, form)
    assert faults(theirs) == [("/subject", "other_author")]
    absent = await file(world, "infosec", "policy.change", ("policy_version", UUID(int=7)), form)
    problem(absent, 404, "not_found")
    wrong = {**form, "simulation_id": str(UUID(int=7))}
    problem(await file(world, "infosec", "policy.change", about, wrong), 422, "simulation_mismatch")
    late = {**form, "begins": (world.application.clock.now() - timedelta(days=1)).isoformat()}
    assert faults(await file(world, "infosec", "policy.change", about, late)) == [("/form/begins", "unfit_term")]


async def test_in_production_the_command_line_is_no_way_round(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = sqlite_world.application
    async with application.database.unit_of_work() as unit:
        assert await put_in_force(application, unit, {"pack": "x"}) is None
    settings = application.settings.model_copy(update={"env": "production"})
    there = replace(application, settings=settings)
    async with application.database.unit_of_work() as unit:
        with pytest.raises(ApprovalRequired):
            await put_in_force(there, unit, {"pack": "x"})

    async def unreadable(source: Source) -> None:
        del source
        raise PolicyUnreadable

    monkeypatch.setattr(application.policy.service.versions, "in_force", unreadable)
    monkeypatch.setattr(session, "login", lambda: "one")
    async with application.database.unit_of_work() as unit:
        assert isinstance(await put_in_force(there, unit, {"pack": "x"}), Waits), (
            "two operators, where nobody can approve"
        )
    monkeypatch.setattr(session, "login", lambda: "two")
    async with application.database.unit_of_work() as unit:
        assert await put_in_force(there, unit, {"pack": "x"}) is None
