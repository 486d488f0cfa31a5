"""``policy``: faults with their lines, tests as a table and as JSON; whoever holds the machine changes what is in force, on record."""

import asyncio
import json
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner, Result

from app.cli.failures import explained
from app.cli.policy import app
from app.cli.root import app as root
from app.cli.session import login
from app.permissions.pack import canonical, load
from tests.cli.test_audit import settings_of
from tests.packs.test_versions import closed, mobile
from tests.support.application import World
from tests.support.policy import pack_in_force

GOOD: Final = """version: 9.9.0
profile: open
zh: 测试策略
en: Test policy
rules:
  - id: staff.some
    effect: grant
    clauses: [S1a-7]
    zh: 规则
    en: A rule
    contact: {kinds: [employee]}
    shows: {C1: clear}
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


async def beside(world: World, *arguments: str | Path) -> Result:
    """Run a command while the application of this test is open, as a server is."""
    with settings_of(world.application.settings):
        return await asyncio.to_thread(run, *arguments)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_pack_is_read_with_the_tests_beside_it(pack: Path) -> None:
    pack.with_suffix(".tests.yaml").write_text("tests:\n  - {id: some.test, expect: {C1: clear}}\n", encoding="utf-8")
    checked = run("check", pack)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "1 rules" in checked.stdout
    assert "1 tests" in checked.stdout
    tried = run("test", pack)
    assert tried.exit_code == 0
    assert "some.test" in tried.stdout


def test_faults_have_their_lines(pack: Path) -> None:
    pack.write_text(GOOD.replace("effect: grant", "efect: grant").replace("[S1a-7]", "[]"), encoding="utf-8")
    for command in ("check", "test"):
        found = run(command, pack)
        assert found.exit_code == 1
        assert f"{pack}:7: /rules/0/efect unknown_member" in found.stderr
        assert f"{pack}:8: /rules/0/clauses too_few" in found.stderr
    told = json.loads(run("check", pack, "--json").stdout)
    assert told["pack"] is None
    assert {each["line"] for each in told["faults"]} == {6, 7, 8}


def test_remarks_do_not_fail(pack: Path) -> None:
    pack.write_text(GOOD.replace("contact:", "viewer: {kinds: [service], roles: [hr]}\n    contact:"), encoding="utf-8")
    found = run("check", pack)
    assert found.exit_code == 0
    assert f"{pack}:6: remark" in found.stdout
    assert json.loads(run("check", pack, "--json").stdout)["remarks"][0]["code"] == "never_applies"


def test_a_test_that_fails_is_named(pack: Path) -> None:
    pack.write_text(f"{GOOD}tests:\n  - {{id: some.test, expect: {{C1: hidden, C2: hidden}}}}\n", encoding="utf-8")
    found = run("test", pack)
    assert found.exit_code == 1
    assert "some.test: C1 outcome: expected hidden, found clear" in found.stdout
    told = json.loads(run("test", pack, "--json").stdout)
    assert [(each["tests"], each["failed"]) for each in told["packs"]] == [(1, 1)]


def test_both_packs_that_ship_are_tried_by_default() -> None:
    found = run("test", "--json")
    assert found.exit_code == 0
    packs = json.loads(found.stdout)["packs"]
    assert [(each["pack"], each["failed"]) for each in packs] == [(load("default").label, 0), (load("strict").label, 0)]


def test_a_file_that_is_not_there_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, explained():
        root(["policy", "check", "nowhere.yaml"], standalone_mode=False)
    assert stopped.value.code == 2
    assert "nowhere.yaml" in capsys.readouterr().err


async def test_an_activation_holds_in_the_server_that_runs_and_is_on_record(
    sqlite_world: World, tmp_path: Path
) -> None:
    world, path = sqlite_world, tmp_path / "closed.json"
    path.write_bytes(canonical(closed()))
    assert (await mobile(world))["state"] == "masked"
    simulated = await beside(world, "simulate", path, "--json")
    assert simulated.exit_code == 0, simulated.output
    result = json.loads(simulated.stdout)
    assert (result["candidate"], result["high_risk"]) == (closed().label, [])
    done = await beside(world, "activate", path, "--reason", "a test of it", "--simulation", result["id"])
    assert (done.exit_code, closed().label in done.stdout) == (0, True), done.output
    assert (await mobile(world))["state"] == "withheld"
    back = await beside(world, "rollback", "--reason", "too closed")
    assert "rolled_back" in back.stdout
    assert await pack_in_force(world.application) == load()
    again = await beside(world, "activate", "open-9.0.0", "--reason", "once more")
    assert again.exit_code == 0, again.output
    await world.settle()
    events = (await (await world.as_("infosec")).get("/v1/access-events", params={"actor": f"os:{login()}"})).json()
    assert [each["action"] for each in events["items"]] == [
        "policy.activate",
        "policy.activate",
        "policy.activate",
        "policy.upload",
        "policy.simulate",
    ]
    listed = (await (await world.as_("infosec")).get("/v1/policy/activations")).json()["items"]
    assert [(each["kind"], each["reason"]) for each in listed[:3]] == [
        ("rolled_back", "once more"),
        ("rolled_back", "too closed"),
        ("activated", "a test of it"),
    ]
