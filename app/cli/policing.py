"""What the commands of ``policy`` do: read, try and say; or open the store and activate as the operating-system user."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from app.application import Application
from app.auth.scopes import VOCABULARY
from app.cli.giving import activate
from app.cli.session import operator, run
from app.contacts.fields import CATALOGUE
from app.custody.founding import Waits
from app.kit.db import UnitOfWork
from app.permissions.pack import SHIPPED, texts
from app.permissions.versions import Activation, Version
from app.policy.checking import remarks
from app.policy.errors import BadPolicyPack
from app.policy.reading import Fault, Reading, read
from app.policy.service import Grounds
from app.policy.simulation_repository import Simulation
from app.policy.simulations import Step
from app.policy.trials import try_pack

DONE: Final = 0
FAULTY: Final = 1
_MOST_SHOWN: Final = 40
_COLUMNS: Final = ("role", "class", "kind", "secrecy", "power", "from", "to", "purposes", "pairs")


def pack_texts(named: str) -> tuple[str, str | None]:
    """Give the text of a pack, and that of its tests where they stand beside it. Raises ``OSError``."""
    if named in SHIPPED:
        return texts(named)
    path = Path(named)
    beside = path.with_suffix(".tests.yaml")
    return path.read_text(encoding="utf-8"), beside.read_text(encoding="utf-8") if beside.is_file() else None


def check_file(named: str, *, as_json: bool) -> int:
    """Say what is wrong with a pack, and what can never matter in it; give the exit code."""
    reading = read(*pack_texts(named))
    found = () if reading.pack is None else remarks(reading.pack, scopes=VOCABULARY, classes=CATALOGUE.classes)
    if as_json:
        told: dict[str, Any] = {
            "pack": None if reading.pack is None else reading.pack.label,
            "faults": [asdict(each) for each in reading.faults],
            "remarks": [{**asdict(each), "line": reading.lines.get(each.pointer)} for each in found],
        }
        _say(json.dumps(told, ensure_ascii=False))
    else:
        _faults(named, reading)
        for each in found:
            _say(f"{named}:{reading.lines.get(each.pointer, 1)}: remark · 提示: {each.about}: {each.en} · {each.zh}")
        if reading.pack is not None:
            _say(
                f"{reading.pack.label}: {len(reading.pack.rules)} rules · 条规则, {len(reading.pack.tests)} tests · 个测试"
            )
    return DONE if reading.pack is not None else FAULTY


def try_files(names: list[str], *, as_json: bool) -> int:
    """Try the tests of packs; give the exit code."""
    told: list[dict[str, Any]] = []
    code = DONE
    for named in names:
        reading = read(*pack_texts(named))
        if reading.pack is None:
            told.append({"file": named, "pack": None, "faults": [asdict(each) for each in reading.faults]})
            code = FAULTY
            if not as_json:
                _faults(named, reading)
            continue
        pack = reading.pack
        failures = try_pack(pack, CATALOGUE.classes)
        code = FAULTY if failures else code
        failed = {each.test for each in failures}
        told.append(
            {
                "file": named,
                "pack": pack.label,
                "tests": len(pack.tests),
                "failed": len(failed),
                "failures": [asdict(each) for each in failures],
            }
        )
        if not as_json:
            _table(named, pack.label, [(each.id, each.id not in failed) for each in pack.tests])
            for each in failures:
                _say(f"  {each}")
    if as_json:
        _say(json.dumps({"packs": told}, ensure_ascii=False))
    return code


def activate_version(named: str, reason: str, simulation: str | None) -> str | Waits:
    """Put a version or a pack in force; say what is in force now, or that another operator has to do it."""
    path = None if _is_stored(named) else pack_texts(named)

    async def work(application: Application) -> str | Waits:
        async with application.database.unit_of_work() as unit:
            waits = await activate(application, unit, {"pack": named, "reason": reason})
            if waits is not None:
                return waits
            version = await _stored(application, unit, named, path)
            grounds = Grounds(reason=reason, simulation_id=None if simulation is None else UUID(simulation))
            activation = await application.policy.service.activate(unit, operator(), version, grounds)
        return _now(activation, version)

    return run(work)


def roll_back(reason: str) -> str | Waits:
    """Put back what was in force before; say what is in force now, or that another operator has to do it."""

    async def work(application: Application) -> str | Waits:
        service = application.policy.service
        async with application.database.unit_of_work() as unit:
            waits = await activate(application, unit, {"pack": "before", "reason": reason})
            if waits is not None:
                return waits
            version = await service.earlier(unit)
            activation = await service.activate(unit, operator(), version, Grounds(reason=reason))
        return _now(activation, version)

    return run(work)


async def _stored(
    application: Application, unit: UnitOfWork, named: str, given: tuple[str, str | None] | None
) -> Version:
    service = application.policy.service
    if given is None:
        return await service.named(unit, named)
    reading = read(*given)
    if reading.pack is None:
        raise BadPolicyPack("; ".join(_line(each) for each in reading.faults))
    version, _ = await service.store(unit, operator(), reading.pack, "---\n".join(filter(None, given)))
    return version


def _is_stored(named: str) -> bool:
    return named not in SHIPPED and not Path(named).is_file()


def _now(activation: Activation, version: Version) -> str:
    return f"{version.label} in force · 已生效 ({activation.kind})"


def _faults(named: str, reading: Reading) -> None:
    for each in reading.faults:
        sys.stderr.write(f"{named}:{_line(each)}\n")


def _line(fault: Fault) -> str:
    said = f" ({fault.said})" if fault.said else ""
    return f"{fault.line}: {fault.pointer or '/'} {fault.code}: {fault.en}{said} · {fault.zh}"


def _table(named: str, label: str, tests: list[tuple[str, bool]]) -> None:
    from rich.console import Console
    from rich.table import Table

    held = sum(each for _, each in tests)
    _say(f"{named} · {label}: {held}/{len(tests)}")
    table = Table()
    table.add_column("test · 测试", overflow="fold")
    table.add_column("", justify="right")
    for name, holds in tests:
        table.add_row(name, "ok" if holds else "failed · 失败")
    Console().print(table)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def simulate_file(named: str, sample: int, *, as_json: bool) -> int:
    """Count what a pack would change; say it, and give the exit code."""
    reading = read(*pack_texts(named))
    pack = reading.pack
    if pack is None:
        _faults(named, reading)
        return FAULTY

    async def work(application: Application) -> tuple[Simulation, dict[str, Any]]:
        with _progress() as step:
            return await application.policy.simulations.at_once(operator(), pack, sample, step)

    simulation, result = run(work)
    if as_json:
        _say(json.dumps({"id": str(simulation.id), **result}, ensure_ascii=False))
        return DONE
    sampled, heads = result["sampled"], result["heads"]
    _say(f"{result['base']} → {result['candidate']} · {simulation.id}")
    _say(
        f"viewers · 查看者 {sampled['viewers']}/{sampled['viewers_of']}, contacts · 联系人 {sampled['contacts']}/{sampled['contacts_of']}; "
        f"gain · 增加 {heads['viewers_gaining']}, lose · 减少 {heads['viewers_losing']}"
    )
    for title, name in (("high risk · 高风险", "high_risk"), ("gained · 增加", "gained"), ("lost · 减少", "lost")):
        _changes(title, result[name])
    return DONE


def _changes(title: str, cells: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    _say(f"{title}: {len(cells)}")
    if not cells:
        return
    table = Table()
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name == "pairs" else "left", no_wrap=True)
    for each in cells[:_MOST_SHOWN]:
        cell = {**each, **each["cohort"], "purposes": len(each["purposes"])}
        table.add_row(*(str(cell[name]) for name in _COLUMNS))
    Console().print(table)


@contextmanager
def _progress() -> Iterator[Step]:
    """Show a bar on standard error; on no terminal it shows nothing."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("policy simulate", total=None)

        async def step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield step
