"""``python -m benchmarks``: measures, prints a table, writes JSON."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, get_args

import orjson

from benchmarks import inbox, lookups, numbers, reads, reconciling, report, searching, starts
from benchmarks.machine import described, load_core, pin
from benchmarks.processes import ROOT, clean_environment
from benchmarks.stores import CONTACTS, ENGINES, Engine, Store, opened

WORKS: Final = ("p1", "p2", "p3", "p4", "p6", "p7", "p9", "p10", "search", "inbox")
_LONG: Final = frozenset({"p3", "p6", "p7", "search", "inbox"})
"""Measured only when named: filling a pool or a directory of a million, or an inbox of ten thousand, takes minutes."""
_RESULTS: Final = ROOT / "benchmarks" / "results"


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "works",
        nargs="*",
        metavar="|".join(WORKS),
        help="what to measure; default: everything but p3, p6, p7, search and inbox",
    )
    parser.add_argument("--engine", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each server; they alternate")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    parser.add_argument("--contacts", type=int, default=CONTACTS, help="people in the store; at least a page")
    parser.add_argument("--people", type=int, default=searching.LARGE, help="search: people in the large directory")
    parser.add_argument("--lookup-people", type=int, default=lookups.LARGE, help="p6: people in the large directory")
    parser.add_argument("--pool", type=int, default=numbers.LARGE, help="p3: numbers in the large pools")
    parser.add_argument(
        "--filled",
        type=int,
        nargs="*",
        default=numbers.FILLED,
        help="p3: per cent of a pool that are used; 50 always is",
    )
    parser.add_argument("--head-count", type=int, default=reconciling.LARGE, help="p7: people in the head-count")
    parser.add_argument("--waiting", type=int, default=inbox.MANY, help="inbox: requests that await the busy head")
    parser.add_argument("--json", type=Path, help="where the results go; default: benchmarks/results/<time>.json")
    parser.add_argument("--profile", action="store_true", help="p1 and p2: profile the service instead of measuring it")
    parser.add_argument("--lines", type=int, default=15, help="functions of a profile to print")
    chosen = parser.parse_args(given)
    unknown = sorted(set(chosen.works) - set(WORKS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    if chosen.contacts < reads.PAGE:
        parser.error(f"--contacts is at least {reads.PAGE}")
    if not 0 < chosen.people <= searching.LARGE:
        parser.error(f"--people is at most {searching.LARGE}")
    if not numbers.SMALL <= chosen.pool <= numbers.LARGE or chosen.pool % 100:
        parser.error(f"--pool is between {numbers.SMALL} and {numbers.LARGE}, in hundreds")
    if not 1000 <= chosen.head_count <= reconciling.LARGE or chosen.head_count % 1000:
        parser.error(f"--head-count is between 1000 and {reconciling.LARGE}, in thousands")
    if not all(0 <= each <= numbers.FILLED[-1] for each in chosen.filled):
        parser.error(f"--filled is between 0 and {numbers.FILLED[-1]}")
    return chosen


def _apart(module: str, told: Sequence[float], store: Store | None = None) -> dict[str, Any]:
    """Run a benchmark that takes no requests in a process of its own, told these numbers; raise when it fails.

    What it found is the last line that it prints: a service that has to wait says so before.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, told)]
    environment = clean_environment({} if store is None else store.environment)
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = orjson.loads(done.stdout.splitlines()[-1])
    return found


def _measured(work: str, engine: Engine, chosen: argparse.Namespace) -> dict[str, Any]:
    with opened(engine, contacts=chosen.contacts) as store:
        if work == "p7":
            return {"work": work, "engine": engine, **_apart("reconciling", [chosen.head_count], store)}
        if work == "p4":
            found = _apart("appends", (chosen.rounds, chosen.seconds), store)
            return {"work": work, "engine": engine, "per_second": median(found["rates"]), **found}
        compared = reads.compare(_read(work), store, rounds=chosen.rounds, seconds=chosen.seconds)
        return {"work": work, "engine": engine, **compared.summary()}


def _read(work: str) -> reads.Work:
    return next(each for each in get_args(reads.Work) if each == work)


def _sizes(work: str, engine: Engine, chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure what compares a small store with a large one."""
    rounds, seconds = chosen.rounds, chosen.seconds
    match work:
        case "p6":
            return lookups.compare(engine, large=chosen.lookup_people, rounds=rounds, seconds=seconds)
        case "search":
            return searching.compare(engine, large=chosen.people, rounds=rounds, seconds=seconds)
        case _:
            return inbox.compare(engine, many=chosen.waiting, rounds=rounds, seconds=seconds)


def measure(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure what was chosen; give one result per benchmark and engine."""
    engines: Sequence[Engine] = ENGINES if chosen.engine == "both" else (chosen.engine,)
    results = []
    for work in chosen.works or [each for each in WORKS if each not in _LONG]:
        if work == "p10":
            results.append({"work": work, **_apart("plans", (chosen.rounds, chosen.seconds))})
            continue
        if work == "p3":
            with opened("postgresql", contacts=chosen.contacts) as store:
                found = numbers.compare(
                    store,
                    rounds=chosen.rounds,
                    seconds=chosen.seconds,
                    large=chosen.pool,
                    filled=chosen.filled,
                )
                results.append({"work": work, "engine": "postgresql", **found})
            continue
        if work == "p9":
            with opened("sqlite", contacts=chosen.contacts) as store:
                results.append({"work": work, "engine": "sqlite", **starts.measured(store, chosen.rounds)})
            continue
        if work in {"p6", "search", "inbox"}:
            results += [{"work": work, "engine": engine, **_sizes(work, engine, chosen)} for engine in engines]
            continue
        results += [_measured(work, engine, chosen) for engine in engines]
    return results


def profile(chosen: argparse.Namespace) -> None:
    """Print where the service's time goes."""
    engines: Sequence[Engine] = ENGINES if chosen.engine == "both" else (chosen.engine,)
    for work in chosen.works or get_args(reads.Work):
        for engine in engines:
            with opened(engine, contacts=chosen.contacts) as store:
                seconds = chosen.rounds * chosen.seconds
                found = reads.profile(_read(work), store, seconds=seconds)
                report.show_profile(f"{work.upper()} on {engine}", found, chosen.lines)


def main(given: Sequence[str] | None = None) -> None:
    """Do what the arguments say; ``given`` instead of those of the process."""
    chosen = _arguments(given)
    pin(load_core())
    if chosen.profile:
        profile(chosen)
        return
    machine = described()
    with ExitStack() as after:
        results = measure(chosen)
        target = chosen.json or _RESULTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"
        after.callback(print, f"written: {target}")
        report.write(target, {**machine, "load_average_after": described()["load_average"]}, results)
        report.show(results)


if __name__ == "__main__":
    main()
