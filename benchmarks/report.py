"""Results for people and for machines: a table beside its budgets, and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.reads import Profile
from benchmarks.searching import KINDS

_BUSY: Final = 0.9


@dataclass(frozen=True, slots=True)
class Budget:
    """What design/performance.md asks of one number."""

    key: str
    unit: str
    budget: float
    moonshot: float
    less_is_better: bool = False

    def met(self, value: float) -> str:
        """Say how a value stands to the budget."""
        sign = -1 if self.less_is_better else 1
        if sign * value >= sign * self.moonshot:
            return "moonshot"
        return "met" if sign * value >= sign * self.budget else "missed"


BUDGETS: Final[Mapping[str, tuple[Budget, ...]]] = {
    "p1": (Budget("ratio", "of bare", 0.28, 0.45),),
    "p2": (Budget("ratio", "of bare", 0.40, 0.80),),
    "p3": (
        Budget("ratio", "of bare", 0.12, 0.30),
        Budget("size_effect", "of the rate at 10,000", 0.80, 1.0),
        Budget("filled_effect", "of the best rate, least to most filled", 0.80, 1.0),
    ),
    "p4": (Budget("per_second", "events/s", 8_000, 15_000),),
    "p6": (Budget("ratio", "of the time at 10,000", 3, 1.5, less_is_better=True),),
    "p7": (
        Budget("per_second", "people/s", 2_000, 10_000),
        Budget("grown_mib", "MiB above idle", 150, 75, less_is_better=True),
        Budget("time_ratio", "of the time per person at a tenth", 1.3, 1.1, less_is_better=True),
    ),
    "p9": (
        Budget("seconds", "s", 3, 1.5, less_is_better=True),
        Budget("resident_mib", "MiB", 160, 120, less_is_better=True),
    ),
    "p10": (
        Budget("plan_and_first_verdict_ms", "ms", 5, 1, less_is_better=True),
        Budget("verdict_us", "µs", 5, 2, less_is_better=True),
    ),
    "search": tuple(
        Budget(f"{kind.name}_ratio", f"of the time at 10,000, {kind.name}", 3, 1.5, less_is_better=True)
        for kind in KINDS
    ),
    "inbox": (
        Budget("first_ratio", "of the time at 100", 1.5, 1.2, less_is_better=True),
        Budget("later_ratio", "of the time at 100, later", 1.5, 1.2, less_is_better=True),
        Budget("of_bare", "of bare", 0.1, 0.2),
    ),
}
"""The budgets, by benchmark."""


def show(results: Sequence[Mapping[str, Any]]) -> None:
    """Print the table."""
    table = Table(title="Duanhao benchmarks", title_justify="left")
    for heading in ("work", "engine", "result", "budget", "moonshot", "", "details"):
        table.add_column(heading)
    for result in results:
        for each in BUDGETS[result["work"]]:
            value = result[each.key]
            sign = "≤" if each.less_is_better else "≥"
            table.add_row(
                result["work"].upper(),
                result.get("engine", "–"),
                f"{value:,.3g} {each.unit}" if value < 1000 else f"{value:,.0f} {each.unit}",
                f"{sign} {each.budget:,g}",
                f"{sign} {each.moonshot:,g}",
                each.met(value),
                _details(result),
            )
    console = Console(width=160)
    console.print(table)
    for result in results:
        if "levels" in result:
            console.print(_levels(result))
        if result["work"] == "search":
            console.print(_questions(result))


def _questions(result: Mapping[str, Any]) -> Table:
    """Tell how each kind of question does in both directories."""
    few, more = (f"{each:,}" for each in result["people"])
    table = Table(title=f"SEARCH on {result['engine']}: first page among {few} and {more}", title_justify="left")
    unit = "pages read" if result["engine"] == "postgresql" else "100 steps"
    for heading in ("question", f"ms, {few}", f"ms, {more}", "ratio", f"{unit}, {few}", f"{unit}, {more}", "ratio"):
        table.add_column(heading, justify="right")
    for each in KINDS:
        times, work = result[f"{each.name}_ms"], result[f"{each.name}_work"]
        table.add_row(
            each.name,
            *(f"{value:.2f}" for value in times),
            f"{result[f'{each.name}_ratio']:.2f}",
            *(f"{value:,.0f}" for value in work),
            f"{result[f'{each.name}_work_ratio']:.2f}",
        )
    return table


def _levels(result: Mapping[str, Any]) -> Table:
    """Tell how allocation does by the size of a pool and by how much of it is used."""
    table = Table(title=f"{result['work'].upper()} by size and share used", title_justify="left")
    for heading in (
        "numbers",
        "used",
        "of bare",
        "per second",
        "per processor second",
        "pages read by the taking statement",
    ):
        table.add_column(heading, justify="right")
    for each in result["levels"]:
        table.add_row(
            f"{each['size']:,}",
            f"{each['filled']} %",
            f"{each['ratio']:.3f}",
            f"{each['per_second']:,.0f}",
            f"{each['per_processor_second']:,.0f}",
            str(each["pages"]),
        )
    return table


def _details(result: Mapping[str, Any]) -> str:
    if "ours_per_second" in result:
        low, high = min(result["ratios"]), max(result["ratios"])
        busy = " LOAD GENERATOR BUSY" if result["load_busy"] > _BUSY else ""
        return (
            f"{result['ours_per_second']:,.0f}/s of {result['bare_per_second']:,.0f}/s, rounds {low:.2f}–{high:.2f}; "
            f"by processor time {result['ratio_by_processor']:.2f}, {result['ours_per_processor_second']:,.0f} of "
            f"{result['bare_per_processor_second']:,.0f}; load {result['load_busy']:.0%}{busy}"
        )
    if "levels" in result:
        return f"bare {result['bare_per_second']:,.0f}/s; rounds {min(result['ratios']):.3f}–{max(result['ratios']):.3f}; levels below"
    if "rates" in result:
        low, high = min(result["rates"]), max(result["rates"])
        return f"rounds {low:,.0f}–{high:,.0f}; {result['per_processor_second']:,.0f} per processor second"
    if "starts" in result:
        low, high = min(result["starts"]), max(result["starts"])
        return (
            f"rounds {low:.2f}–{high:.2f} s, {result['processor_seconds']:.2f} s of processor time; "
            f"{result['resident_ready_mib']:.0f} MiB when ready, before it has served anybody"
        )
    if not result.keys().isdisjoint({"people", "among", "waiting"}):
        return _sizes(result)
    names = ("plan_ms", "verdict_and_masks_us", "opening_us", "verdict_opening_and_masks_us")
    return ", ".join(f"{name} {result[name]:.3g}" for name in names)


def _sizes(result: Mapping[str, Any]) -> str:
    """Tell the times of a small store beside those of a large one."""
    if "grown_mib" in result:
        return (
            f"{result['people']:,} people in {result['seconds']:.1f} s, {result['cpu_seconds']:.1f} s of processor time"
        )
    if "people" in result:
        few, more = result["people"]
        return f"filled in {result['seconds_to_fill']:,.0f} s: {few:,} and {more:,} people; times and work below"
    if "waiting" in result:
        kinds = [(kind, *result[f"{kind}_ms"]) for kind in ("first", "later", "kind")]
        times = ", ".join(f"{kind} {of_few:.2f} → {of_many:.2f}" for kind, of_few, of_many in kinds)
        few, more = result["waiting"]
        return f"ms per page of {few:,} → {more:,}: {times}; bare {result['bare_ms']:.2f}; a decision {result['decision_ms']:.2f}"
    few, more = result["among"]
    kinds = [(kind, *result[f"{kind}_ms"]) for kind in ("found", "nobody")]
    times = ", ".join(f"{kind} {of_small:.2f} → {of_large:.2f}" for kind, of_small, of_large in kinds)
    shared = " → ".join(f"{each[0]['least']}–{each[0]['most']}" for each in result["spread"])
    return f"ms per answer among {few:,} → {more:,}: {times}; {shared} share a tag"


def show_profile(title: str, profile: Profile, most: int) -> None:
    """Print processor time per thread, then per profiler the functions with the most own and with the most total time."""
    print(f"\n{title}: processor time per answer")
    for name, (own, kernel) in profile.threads.items():
        print(f"  {own + kernel:8,.0f} µs  of it kernel {kernel:6,.0f} µs  {name}")
    for profiler, every in profile.functions.items():
        print(f"{title}, {profiler}: own time")
        for line in every[:most]:
            print(f"  {line.own:6.1%}  total {line.total:6.1%}  {line.function}")
        print(f"{title}, {profiler}: total time")
        for line in sorted(every, key=lambda each: -each.total)[: 4 * most]:
            print(f"  {line.total:6.1%}  own   {line.own:6.1%}  {line.function}")


def write(target: Path, machine: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> None:
    """Write the results as JSON."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(orjson.dumps({"machine": machine, "results": results}, option=orjson.OPT_INDENT_2))
