"""Hard test 72: what a simulation foretells is what is then observed, pair by pair and head by head; and whom it is for."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise, product
from time import monotonic
from typing import Any, Final
from uuid import UUID

import pytest

from app.auth.scopes import scopes_of_person
from app.auth.subject import Person
from app.permissions.outcomes import FieldClass, Outcome, Purpose, Reason, Tier
from app.permissions.pack import Pack, load, named
from app.permissions.plan import CohortKey, Place, Plan, Standing
from app.policy.differences import Cell, Comparison, Group, differences, roles_of
from app.policy.schemas import SimulationView
from app.policy.simulations import SIMULATE, Everybody, Simulations, told
from app.worker import Worker
from tests.jobs.calls import job
from tests.packs.test_versions import closed
from tests.permissions.strategies import DEPARTMENTS, Chance
from tests.support.application import OPERATOR, World
from tests.support.clock import NOON
from tests.support.policy import activate, store
from tests.support.problems import problem

SIMULATIONS: Final = "/v1/policy/simulations"
_RANK: Final = {"withheld": 0, "masked": 1, "empty": 2, "shown": 2}


async def quietly(done: int, total: int) -> None:
    assert 0 <= done <= total


def opened(version: str = "9.5.0") -> Pack:
    """Make a pack that gives staff of other departments more, takes from colleagues, and opens executives to heads."""
    default = load()
    changed = []
    for rule in default.rules:
        match rule.id:
            case "staff.directory":
                shows = {**rule.shows, FieldClass.C3: Outcome.MASK_FINE, FieldClass.C4: Outcome.MASK_COARSE}
                changed.append(rule.model_copy(update={"shows": shows, "exports": (FieldClass.C1,)}))
            case "staff.own_department":
                changed.append(rule.model_copy(update={"shows": {FieldClass.C1: Outcome.CLEAR}, "reveals": {}}))
            case "overlay.executive.head":
                continue
            case _:
                changed.append(rule)
    return named(default.model_copy(update={"version": version, "rules": tuple(changed), "tests": ()}))


def plainly(
    packs: tuple[Pack, Pack],
    viewers: tuple[Standing, ...],
    contacts: tuple[tuple[UUID, CohortKey], ...],
    purposes: tuple[Purpose, ...],
) -> dict[Cell, tuple[int, set[int], set[int]]]:
    """Ask every pair, one by one, and count."""
    found: dict[Cell, tuple[int, set[int], set[int]]] = {}
    for (at, viewer), (place, (identity, key)) in product(enumerate(viewers), enumerate(contacts)):
        decided = {}
        for purpose in purposes:
            before, after = (Plan(pack, viewer, purpose, NOON).cohort(key, identity) for pack in packs)
            decided[purpose] = (before, after)
        for change, role in product(differences(decided), roles_of(viewer)):
            cell = Cell(role, key.kind, key.status, key.secrecy, change)
            pairs, seeing, seen = found.setdefault(cell, (0, set(), set()))
            found[cell] = (pairs + 1, seeing | {at}, seen | {place})
    return found


def chances() -> Iterator[tuple[tuple[Pack, Pack], tuple[Standing, ...], tuple[tuple[UUID, CohortKey], ...]]]:
    for seed in range(40):
        chance = Chance(seed)
        packs = (chance.pack(), chance.pack()) if chance.yes(0.7) else (load(), load("strict"))
        contacts = dict(chance.contact() for _ in range(6))
        viewers = [chance.standing(NOON) for _ in range(5)]
        viewers += [replace(each, contact_id=UUID(int=900 + at)) for at, each in enumerate(viewers[:3])]
        yield packs, tuple(viewers), tuple(contacts.items())


def test_the_count_is_that_of_asking_every_pair() -> None:
    dull = 0
    for packs, viewers, contacts in chances():
        comparison = Comparison(packs, viewers, contacts, NOON)
        for group in comparison.groups:
            comparison.count(group)
        counted = {cell: (tally.pairs, tally.viewers, tally.contacts) for cell, tally in comparison.tallies.items()}
        assert counted == plainly(packs, viewers, contacts, comparison.purposes)
        dull += not counted
    assert dull < 20, "the cases must not all be dull"


def test_equal_packs_differ_in_nothing() -> None:
    for packs, viewers, contacts in chances():
        comparison = Comparison((packs[0], packs[0]), viewers, contacts, NOON)
        for group in comparison.groups:
            comparison.count(group)
        assert comparison.tallies == {}


def test_that_more_has_to_be_said_is_a_loss_and_less_a_gain_of_high_risk() -> None:
    default, viewer = load(), Chance(3).standing(NOON)
    rules = [
        each.model_copy(update={"reason": Reason.CASE}) if each.id == "head.subtree" else each for each in default.rules
    ]
    stricter = named(default.model_copy(update={"rules": tuple(rules)}))
    head = replace(
        viewer,
        kind="person",
        tier=Tier.T2,
        ceiling=None,
        worker_kind="regular",
        marks=frozenset(),
        headed=frozenset(DEPARTMENTS),
        departments=frozenset(),
        distrusted=frozenset(),
        grants=(),
        region=Place(),
        roles=frozenset({"dept_head"}),
        contact_id=UUID(int=900),
    )
    key = CohortKey("employee", "regular", "active", "normal", DEPARTMENTS[:1])
    for packs, gains in (((default, stricter), False), ((stricter, default), True)):
        comparison = Comparison(packs, (head,), ((UUID(int=1), key),), NOON)
        for group in comparison.groups:
            comparison.count(group)
        assert {(cell.change.field_class, cell.change.power, cell.change.gains) for cell in comparison.tallies} == {
            (field_class, "reason", gains) for field_class in (FieldClass.C3, FieldClass.C4)
        }
        assert any(cell.is_high_risk for cell in comparison.tallies) is gains
        everybody = Everybody((head,), 1, ((UUID(int=1), key),), 1)
        (cell, *_) = told(packs, everybody, comparison.tallies)["gained" if gains else "lost"]
        assert (cell["from"], cell["to"]) == (("case", "text") if gains else ("text", "case"))


async def asked(world: World, candidate: str | dict[str, Any], caller: str = "infosec", **more: Any) -> dict[str, Any]:  # noqa: ANN401 — any JSON
    """Ask for a simulation and let the worker answer it."""
    answer = await (await world.as_(caller)).post(SIMULATIONS, json={"candidate": candidate, **more})
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert answer.headers["Location"] == f"{SIMULATIONS}/{receipt['id']}"
    assert await Worker(world.application).jobs.once()
    done = await job(world, caller, UUID(receipt["job_id"]))
    assert (done["kind"], done["state"]) == (SIMULATE, "done"), done
    assert done["result"]["simulation_id"] == receipt["id"]
    view = (await (await world.as_(caller)).get(f"{SIMULATIONS}/{receipt['id']}")).json()
    SimulationView.model_validate(view)
    found: dict[str, Any] = view
    return found


PEOPLE: Final = ("staff", "outsider", "head", "core", "hr", "steward", "infosec", "ceo", "intern", "it", "bare")
WATCHED: Final = {"mobile": "C3", "personal_mobile": "C4", "email": "C2"}


async def cards(world: World) -> dict[tuple[str, str], dict[str, tuple[str, str | None]]]:
    """Read everybody's card as everybody: state of each watched field, and how its value looks."""
    found = {}
    for viewer, of in product(PEOPLE, world.people):
        if of == "hotline":
            continue
        answer = await (await world.as_(viewer)).get(f"/v1/contacts/{world.people[of]}")
        card = answer.json() if answer.status_code == 200 else {}
        found[viewer, of] = {
            name: (card[name]["state"], card[name].get("value")) if name in card else ("withheld", None)
            for name in WATCHED
        }
    return found


def grade(state: str, value: str | None) -> int:
    """Say how far a value is shown: hidden, full, coarse, fine, clear."""
    if state in {"shown", "empty"}:
        return 4
    if state == "withheld" or value is None:
        return 0
    stars = value.count("*")
    return 1 if stars == len(value) else 3 if value[-1] != "*" or "@" in value else 2


@pytest.mark.parametrize("candidate", [opened(), closed(), load("strict")], ids=["opened", "closed", "strict"])
async def test_what_is_foretold_is_what_happens(sqlite_world: World, candidate: Pack) -> None:
    """Predicted for the viewers of the company, and observed on their cards before and after the activation."""
    world = sqlite_world
    version = await store(world.application, candidate)
    before = await cards(world)
    result = (await asked(world, str(version.id)))["result"]
    await activate(world.application, candidate)
    after = await cards(world)

    roles = {name: tuple(sorted((await world.viewer(name)).standing.roles)) or ("employee",) for name in PEOPLE}
    secrecy = {"ceo": "executive"}
    observed: Counter[tuple[Any, ...]] = Counter()
    for (viewer, of), fields in before.items():
        for name, old in fields.items():
            new, field_class = after[viewer, of][name], WATCHED[name]
            if name == "email" and "masked" in {old[0], new[0]}:
                continue
            if grade(*old) != grade(*new):
                kind = "gained" if grade(*new) > grade(*old) else "lost"
                for role in roles[viewer]:
                    observed[kind, role, field_class, secrecy.get(of, "normal")] += 1
    others = {"colleague", "auditor"}
    foretold: Counter[tuple[Any, ...]] = Counter()
    comparison = await compared(world, candidate, exclude=others)
    for cell, tally in comparison.tallies.items():
        change = cell.change
        if change.power == "show" and Purpose.WORK_CONTACT in change.purposes and cell.kind == "employee":
            kind = "gained" if change.gains else "lost"
            if change.field_class in {FieldClass.C3, FieldClass.C4}:
                foretold[kind, cell.role, change.field_class.value, cell.secrecy] += tally.pairs
    assert {key: count for key, count in observed.items() if key[2] != "C2"} == dict(foretold)
    assert sum(foretold.values()) > 0
    assert result["sampled"] == {"viewers": 13, "viewers_of": 13, "contacts": 14, "contacts_of": 14}


async def compared(world: World, candidate: Pack, *, exclude: set[str]) -> Comparison:
    """Compare the default with a candidate over the company as it is, but for some viewers."""
    application = world.application
    viewers = []
    for name in PEOPLE:
        account = await application.account_rows.by_key(application.database.reader, name)
        assert account is not None
        assert name not in exclude
        subject = Person(name, "", scopes_of_person(account.roles))
        viewers.append((await application.standings.passing(subject)).standing)
    tree = await application.standings.tree()
    records = await application.contact_rows.walk(UUID(int=0), tree, limit=100)
    contacts = [(each.subject, each.cohort) for each in records]
    comparison = Comparison((load(), candidate), viewers, contacts, application.clock.now())
    for group in comparison.groups:
        comparison.count(group)
    return comparison


async def test_gains_of_high_risk_are_named(world: World) -> None:
    view = await asked(world, opened().model_dump(mode="json", exclude={"digest"}))
    result = view["result"]
    named_gains = {
        (each["role"], each["class"], each["cohort"]["secrecy"], each["power"]) for each in result["high_risk"]
    }
    assert ("employee", "C4", "normal", "show") in named_gains
    assert ("employee", "C1", "normal", "export") in named_gains
    assert ("dept_head", "C3", "executive", "show") in named_gains
    assert not {each for each in named_gains if each[1:] == ("C3", "normal", "show")}
    heads = result["heads"]
    assert 0 < heads["viewers_gaining"] <= 13
    assert heads["contacts_shown_less"] > 0
    assert view["current"] is True
    assert view["author"]["id"] == str(world.people["infosec"])
    await activate(world.application, closed())
    again = (await (await world.as_("auditor")).get(f"{SIMULATIONS}/{view['id']}")).json()
    assert again["current"] is False
    assert again["result"] == result


async def test_it_tells_counts_and_nobodys_name_or_value(sqlite_world: World) -> None:
    world = sqlite_world
    view = await asked(world, opened().model_dump(mode="json", exclude={"digest"}))
    text = str(view["result"])
    assert not [each for each in world.people.values() if str(each) in text]
    assert (view["base"], view["candidate"]) == (load().digest, opened().digest)


async def test_it_is_for_those_who_govern_and_on_record(sqlite_world: World) -> None:
    world = sqlite_world
    version = await store(world.application, closed())
    body = {"candidate": str(version.id)}
    for caller in ("staff", "head", "hr", "ceo", "siem"):
        answer = await (await world.as_(caller)).post(SIMULATIONS, json=body)
        assert answer.status_code == 403
    view = await asked(world, str(version.id), caller="auditor")
    problem(await (await world.as_("hr")).get(f"{SIMULATIONS}/{view['id']}"), 403, "insufficient_scope")
    problem(await (await world.as_("infosec")).get(f"{SIMULATIONS}/{UUID(int=5)}"), 404, "not_found")
    await world.settle()
    events = (await (await world.as_("infosec")).get("/v1/access-events")).json()["items"]
    found = {(each["action"], each["actor"]["id"]) for each in events}
    auditor = str(world.people["auditor"])
    assert {(SIMULATE, auditor), ("policy.simulation", auditor)} <= found


async def test_a_candidate_that_is_none_is_refused(sqlite_world: World) -> None:
    world = sqlite_world
    infosec = await world.as_("infosec")
    problem(await infosec.post(SIMULATIONS, json={"candidate": str(UUID(int=9))}), 422, "unknown_policy_version")
    bad = {**closed().model_dump(mode="json", exclude={"digest"}), "rules": [{"id": "x"}]}
    refused = problem(await infosec.post(SIMULATIONS, json={"candidate": bad}), 422, "bad_policy_pack")
    assert {each["pointer"].split("/")[1] for each in refused["errors"]} == {"candidate"}
    problem(await infosec.post(SIMULATIONS, json={"candidate": "x"}), 422, "invalid_request")
    assert (await infosec.get("/v1/jobs")).json()["items"] == []


async def test_a_role_that_is_taken_away_ends_the_job(sqlite_world: World) -> None:
    world = sqlite_world
    version = await store(world.application, closed())
    answer = await (await world.as_("infosec")).post(SIMULATIONS, json={"candidate": str(version.id)})
    async with world.application.database.unit_of_work() as unit:
        await world.application.accounts.set_standing(unit.session, "infosec", tier="T1", roles=())
    assert await Worker(world.application).jobs.once()
    found = await world.application.jobs.rows.by_id(world.application.database.reader, UUID(answer.json()["job_id"]))
    assert found is not None
    assert (found.state, (found.problem or {})["code"]) == ("failed", "not_permitted")


async def test_the_sample_is_spread_and_told(sqlite_world: World) -> None:
    world = sqlite_world
    version = await store(world.application, closed())
    result = (await asked(world, str(version.id), sample=5))["result"]
    assert result["sampled"] == {"viewers": 5, "viewers_of": 13, "contacts": 5, "contacts_of": 14}


_MANY: Final = 100


@pytest.mark.slow
async def test_it_leaves_others_room(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Viewers of whom no two are alike, which is the most work there is; by a clock on which each takes long, others run after each."""
    chance = Chance(72)
    simulations = sqlite_world.application.policy.simulations
    made = [chance.standing(NOON) for _ in range(_MANY)]
    viewers = tuple(
        replace(each, grants=(), engagements=(), contact_id=UUID(int=10_000 + at)) for at, each in enumerate(made)
    )
    contacts = tuple((UUID(int=10_000 + at), chance.contact()[1]) for at in range(_MANY))

    async def everybody(self: Simulations, sample: int, breath: object) -> Everybody:
        del self, sample, breath
        return Everybody(viewers, _MANY, contacts, _MANY)

    monkeypatch.setattr(Simulations, "everybody", everybody)
    begins, readings = monotonic(), count(1)
    monkeypatch.setattr("app.policy.simulations.monotonic", lambda: begins + next(readings) * 60)
    beats, over, begun = 0, asyncio.Event(), []
    counted = Comparison.count

    def noted(self: Comparison, group: Group) -> None:
        begun.append(beats)
        counted(self, group)

    monkeypatch.setattr(Comparison, "count", noted)

    async def beat() -> None:
        nonlocal beats
        while not over.is_set():
            await asyncio.sleep(0)
            beats += 1

    beating = asyncio.create_task(beat())
    _, result = await simulations.at_once(OPERATOR, opened(), _MANY, quietly)
    over.set()
    await beating
    assert result["heads"]["viewers_gaining"] > 0
    assert len(begun) > 0.9 * _MANY, "hardly two of these viewers are alike"
    assert all(later > earlier for earlier, later in pairwise(begun)), "others get their turn between any two of them"
