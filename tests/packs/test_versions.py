"""What is in force is what was activated last: at once, in every process, on record, and never anything that was edited past us."""

import asyncio
from typing import Any, Final
from uuid import UUID

import pytest

from app.auth import epochs
from app.composition import open_application
from app.main import create_app
from app.opening import first_pack
from app.permissions.errors import PolicyUnreadable
from app.permissions.outcomes import FieldClass, Outcome
from app.permissions.pack import Pack, load, named
from app.permissions.pack_tests import PackTest
from app.permissions.versions import POLICY
from app.policy.errors import (
    PolicyInForce,
    PolicyTestsFailed,
    PolicyVersionTaken,
    SimulationMismatch,
    UnknownPolicyVersion,
)
from app.policy.founding import INSTALLER, found_policy
from app.policy.service import Grounds
from tests.permissions.test_current_rights import meanwhile
from tests.policy.tampering import Intruder
from tests.support.application import World, with_sensitive
from tests.support.policy import activate, pack_in_force, store
from tests.support.problems import problem
from tests.support.stores import TestStore

STRICT: Final = load("strict")


def closed(version: str = "9.0.0") -> Pack:
    """Make a pack under which colleagues see no mobile at all."""
    default = load()
    cap = next(rule for rule in default.rules if rule.id == "viewer.temporary")
    everybody = cap.model_copy(
        update={
            "id": "test.closed",
            "viewer": cap.viewer.model_copy(update={"worker_kinds": ()}),
            "shows": {FieldClass.C3: Outcome.HIDDEN},
        }
    )
    return named(default.model_copy(update={"version": version, "rules": (*default.rules, everybody), "tests": ()}))


async def mobile(world: World, of: str = "colleague") -> dict[str, Any]:
    found: dict[str, Any] = (await world.card("staff", of))["mobile"]
    return found


async def actions(world: World) -> list[tuple[str, str, str | None]]:
    await world.settle()
    answer = await (await world.as_("infosec")).get("/v1/access-events", params={"limit": "200"})
    return [
        (each["action"], each["actor"]["id"], each["decision"])
        for each in answer.json()["items"]
        if each["action"].startswith("policy.")
    ]


async def test_the_first_start_puts_the_packs_of_the_settings_in_force_as_an_event(sqlite_world: World) -> None:
    world = sqlite_world
    application = world.application
    pack, text = first_pack(application.settings)
    activation, version = await application.policy.service.versions.in_force(application.database.reader)
    assert await pack_in_force(application) == pack == load()
    assert (version.digest, version.source, version.author_id) == (pack.digest, text, "installer")
    assert (activation.kind, activation.seq, activation.previous_id, activation.reason) == (
        "first",
        1,
        None,
        "first start",
    )
    assert ("policy.activate", "installer", "allowed") in await actions(world)


async def test_a_second_start_changes_nothing(world: World) -> None:
    application = world.application
    before = await epochs.value(application.database.reader, POLICY)
    await asyncio.gather(
        *(found_policy(application.database, application.policy.service, lambda: (STRICT, "")) for _ in range(3))
    )
    assert await epochs.value(application.database.reader, POLICY) == before
    assert (await pack_in_force(application)).profile == "open"


async def test_an_activation_holds_for_the_next_request(world: World) -> None:
    assert (await mobile(world))["state"] == "masked"
    version = await activate(world.application, closed())
    card = await world.card("staff", "colleague")
    assert card["mobile"]["state"] == "withheld"
    assert card["disclosure"]["policy_version"] == version.label
    listed = (await (await world.as_("staff")).get("/v1/contacts", params={"limit": "200"})).json()["items"]
    others = [each for each in listed if each["kind"] == "employee" and each["id"] != str(world.people["staff"])]
    assert {each["mobile"]["state"] for each in others} == {"withheld"}


async def test_an_activation_holds_in_another_process_without_restart(world: World) -> None:
    """The other process has its own caches, and has remembered the viewer under the pack before."""
    async with open_application(with_sensitive(world.application.settings)) as second:
        other = World(second, create_app(second.settings, second), world.departments, world.people)
        try:
            assert (await mobile(other))["state"] == "masked"
            await activate(world.application, closed())
            assert (await mobile(other))["state"] == "withheld"
        finally:
            await other.close()


async def test_a_look_decided_under_the_pack_before_is_not_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mobile(world)

    async def happens() -> None:
        await activate(world.application, closed())

    drafts = meanwhile(world, monkeypatch, happens)
    card = await world.card("staff", "colleague")
    assert card["mobile"]["state"] == "withheld"
    assert [draft.policy_version for draft in drafts] == [load().label, closed().label]
    assert card["disclosure"]["policy_version"] == closed().label


async def test_a_remembered_viewer_costs_no_read(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = await sqlite_world.viewer("staff")

    async def never(*_: object, **__: object) -> None:
        pytest.fail("a remembered standing reads nothing")

    for name in ("fetch", "fetch_points", "fetch_raw"):
        monkeypatch.setattr(sqlite_world.application.database.reader, name, never)
    assert await sqlite_world.application.standings.of(viewer.subject) is viewer
    assert viewer.standing.epochs[POLICY] >= 1


async def test_back_and_forth_is_told_as_what_it_is(sqlite_world: World) -> None:
    world = sqlite_world
    application = world.application
    service, reader = application.policy.service, application.database.reader
    first = (await service.versions.in_force(reader))[1]
    second = await activate(application, closed())
    async with application.database.unit_of_work() as unit:
        assert await service.earlier(unit) == first
        back = await service.activate(unit, INSTALLER, await service.earlier(unit), Grounds(reason="too closed"))
    assert (back.kind, back.version_id, back.previous_id) == ("rolled_back", first.id, second.id)
    assert (await mobile(world))["state"] == "masked"
    kinds = [each.kind for each in await service.versions.activations(reader, before=100, limit=10)]
    assert kinds == ["rolled_back", "activated", "first"]
    assert (await actions(world)).count(("policy.activate", "installer", "allowed")) == 3


async def test_what_may_not_be_in_force_is_not(sqlite_world: World) -> None:
    world = sqlite_world
    application = world.application
    service = application.policy.service
    broken = named(
        closed("9.0.1").model_copy(update={"tests": (PackTest.model_validate({"id": "some.test", "visible": False}),)})
    )
    stored = await store(application, broken)
    moved = await epochs.value(application.database.reader, POLICY)
    with pytest.raises(PolicyTestsFailed) as refused:
        async with application.database.unit_of_work() as unit:
            await service.activate(unit, INSTALLER, stored, Grounds(reason="a test"))
    assert [fault.pointer for fault in refused.value.errors] == ["/tests/0"]
    _, first = await service.versions.in_force(application.database.reader)
    with pytest.raises(PolicyInForce):
        async with application.database.unit_of_work() as unit:
            await service.activate(unit, INSTALLER, first, Grounds(reason="a test"))
    fine = await store(application, closed())
    for simulation in (stored.id, UUID(int=1)):
        with pytest.raises(SimulationMismatch):
            async with application.database.unit_of_work() as unit:
                await service.activate(unit, INSTALLER, fine, Grounds(reason="x", simulation_id=simulation))
    with pytest.raises(UnknownPolicyVersion):
        async with application.database.unit_of_work() as unit:
            await service.earlier(unit)
    assert await epochs.value(application.database.reader, POLICY) == moved
    assert await pack_in_force(application) == load()


async def test_a_number_names_one_content(sqlite_world: World) -> None:
    world = sqlite_world
    application = world.application
    first, again = await store(application, closed()), await store(application, closed())
    assert first == again
    other = closed().model_copy(update={"en": "Another"})
    with pytest.raises(PolicyVersionTaken):
        await store(application, other)
    async with application.database.unit_of_work() as unit:
        for name in ("open-9.0.0", first.label, str(first.id)):
            assert await application.policy.service.named(unit, name) == first
        for name in ("open-9.0.1", "9.0.0", "x", ""):
            with pytest.raises(UnknownPolicyVersion):
                await application.policy.service.named(unit, name)


async def test_two_activations_at_once_are_one_after_the_other(world: World) -> None:
    application = world.application
    packs = [closed(f"9.0.{number}") for number in range(4)]
    await asyncio.gather(*(activate(application, each) for each in packs))
    found = await application.policy.service.versions.activations(application.database.reader, before=100, limit=10)
    assert [each.seq for each in found] == [5, 4, 3, 2, 1]
    assert [each.previous_id for each in found[:-1]] == [each.version_id for each in found[1:]]


TAMPERED: Final[dict[str, tuple[str, str, Any]]] = {
    "another version": ("policy_activation", "version_id", UUID(int=7)),
    "another reason": ("policy_activation", "reason", "edited"),
    "another rule": ("policy_version", "canonical", load().model_dump_json().replace("hidden", "clear")),
    "another author": ("policy_version", "author_id", "somebody"),
    "another text": ("policy_version", "source", "edited"),
}


@pytest.mark.parametrize("edit", TAMPERED)
async def test_an_edited_row_puts_nothing_in_force_until_somebody_activates(
    world: World, store: TestStore, edit: str
) -> None:
    table, column, value = TAMPERED[edit]
    if column == "canonical":
        value = (await world.application.policy.service.versions.in_force(world.application.database.reader))[
            1
        ].canonical.replace('"C3":0', '"C3":4', 1)
    intruder, client = Intruder(store), await world.as_("staff")
    await unfenced(intruder, store, table, f"UPDATE {table} SET {column} = ?", value)
    world.application.standings.forget()
    world.application.packs._held = None
    problem(await client.get(f"/v1/contacts/{world.people['colleague']}"), 503, "policy_unreadable")
    with pytest.raises(PolicyUnreadable):
        await pack_in_force(world.application)
    await activate(world.application, closed())
    assert (await mobile(world))["state"] == "withheld"


async def unfenced(intruder: Intruder, store: TestStore, table: str, statement: str, *values: Any) -> None:  # noqa: ANN401 — driver values
    """Edit what is append-only, as somebody who first takes the fence down."""
    if store.dialect == "sqlite":
        await intruder.run(f"DROP TRIGGER {table}_no_update")
    else:
        await intruder.run(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await intruder.run(statement, *values)
