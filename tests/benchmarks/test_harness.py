"""The harness measures every benchmark for a moment and reports it; how fast anything was is nobody's business here.

It runs as a process of its own, because it binds itself to a core.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from app.contacts.search import keys_of
from benchmarks.crowds import card, keys, names
from benchmarks.load import BadAnswerError, get, measure
from benchmarks.plans import RULES, padded_pack
from benchmarks.profiling import lines
from benchmarks.reads import check_body
from benchmarks.report import BUDGETS, Budget
from benchmarks.searching import KINDS

ROOT = Path(__file__).resolve().parents[2]
SECONDS = "0.3"


def _run(tmp_path: Path, *arguments: str) -> list[dict[str, Any]]:
    target = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", *arguments, "--json", str(target)]
    done = subprocess.run(
        [*command, "--rounds", "1", "--seconds", SECONDS, "--contacts", "100"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert str(target) in done.stdout
    written = orjson.loads(target.read_bytes())
    assert written["machine"]["cores"] >= 1
    results: list[dict[str, Any]] = written["results"]
    for result in results:
        for budget in BUDGETS[result["work"]]:
            assert result[budget.key] > 0
    return results


@pytest.mark.slow
def test_every_benchmark_measures_and_reports(tmp_path: Path) -> None:
    results = _run(tmp_path, "--engine", "sqlite")
    assert [each["work"] for each in results] == ["p1", "p2", "p4", "p9", "p10"]
    for read in results[:2]:
        assert read["events_on_record"] > 0
        assert len(read["ratios"]) == 1
        assert read["ratio"] == pytest.approx(read["ours_per_second"] / read["bare_per_second"])
    assert results[3]["resident_mib"] >= results[3]["resident_ready_mib"] > 10
    assert len(results[3]["starts"]) == 1
    assert results[4]["rules"] == RULES
    assert results[4]["fields"] >= 14


@pytest.mark.slow
def test_postgresql_is_measured_too(tmp_path: Path) -> None:
    results = _run(tmp_path, "p1", "p4", "--engine", "postgresql")
    assert [(each["work"], each["engine"]) for each in results] == [("p1", "postgresql"), ("p4", "postgresql")]


@pytest.mark.slow
def test_searching_is_measured_in_two_directories(tmp_path: Path) -> None:
    (result,) = _run(tmp_path, "search", "--engine", "sqlite", "--people", "2000")
    assert (result["work"], result["people"]) == ("search", [10_000, 2_000])
    for kind in KINDS:
        assert result[f"{kind.name}_ratio"] > 0
        assert min(result[f"{kind.name}_work"]) > 0


@pytest.mark.slow
def test_an_inbox_is_measured_beside_a_longer_one(tmp_path: Path) -> None:
    (result,) = _run(tmp_path, "inbox", "--engine", "sqlite", "--waiting", "220")
    assert (result["work"], result["waiting"]) == ("inbox", [100, 220])
    assert result["decision_ms"] > 0
    of_few, of_many = result["first_ms"]
    assert result["first_ratio"] == pytest.approx(of_many / of_few)


@pytest.mark.slow
def test_allocation_is_measured_by_size_and_share_used(tmp_path: Path) -> None:
    (result,) = _run(tmp_path, "p3", "--pool", "20000", "--filled", "99")
    levels = result["levels"]
    assert [(each["size"], each["filled"]) for each in levels] == [
        (10_000, 50),
        (10_000, 99),
        (20_000, 50),
        (20_000, 99),
    ]
    assert min(each["per_second"] for each in levels) > 0
    assert max(each["pages"] for each in levels) < 100
    assert result["ratio"] == levels[2]["ratio"]


def test_a_longer_crowd_begins_with_the_shorter() -> None:
    people = list(islice(names(), 7_000))
    assert people[:2_000] == list(islice(names(), 2_000))
    assert len(set(people)) > 2_000
    assert all(each.asked for each in KINDS)


def test_keys_worked_out_in_parts_are_those_that_the_service_writes() -> None:
    for number, name in enumerate(islice(names(), 200)):
        person = card(name, number)
        missing = dict.fromkeys(("name_en", "alias", "organisation", "extension"))
        assert keys(person, UUID(int=1)) == keys_of({**missing, **person}, [UUID(int=1)])


def test_the_padded_pack_is_a_pack_of_its_size() -> None:
    pack = padded_pack()
    assert len(pack.rules) == RULES
    assert len({rule.id for rule in pack.rules}) == RULES


@pytest.mark.parametrize(
    ("value", "less", "verdict"),
    [(0.2, False, "missed"), (0.28, False, "met"), (0.45, False, "moonshot"), (6, True, "missed"), (0.4, True, "met")],
)
def test_a_budget_says_how_it_is_met(value: float, less: bool, verdict: str) -> None:  # noqa: FBT001 — a parameter of the test
    budget = Budget("x", "", 5, 0.3, less_is_better=True) if less else Budget("x", "", 0.28, 0.45)
    assert budget.met(value) == verdict


@pytest.mark.parametrize(
    "card",
    [
        {"disclosure": {"event_id": ""}},
        {"disclosure": {"event_id": "1"}, **{name: {"state": "withheld"} for name in ("mobile", "wecom_id")}},
    ],
)
def test_an_answer_that_is_not_masked_or_not_on_record_is_no_answer(card: dict[str, Any]) -> None:
    rest = {name: {"state": "withheld"} for name in ("personal_mobile", "wechat", "plate", "mobile", "wecom_id")}
    with pytest.raises(BadAnswerError):
        check_body(orjson.dumps({**rest, **card}))


async def _asked(answer: bytes, check: Callable[[bytes], None] | None = None) -> Any:  # noqa: ANN401 — whatever was measured
    """Load a server that says ``answer`` to every request, in two pieces."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            writer.write(answer[:20])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(answer[20:])

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await asyncio.to_thread(measure, port, [get("/", "token")], 0.05, check=check)


async def test_the_load_generator_counts_whole_answers_and_hands_bodies_to_the_check() -> None:
    seen: list[bytes] = []
    measured = await _asked(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", seen.append)
    assert measured.answers >= 32
    assert set(seen) == {b"hello"}


async def test_a_refusal_ends_the_run() -> None:
    with pytest.raises(BadAnswerError, match="503"):
        await _asked(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")


def test_samples_are_added_up_by_function() -> None:
    found = lines([(("a", "b"), 3.0), (("a",), 1.0), (("a", "b", "a"), 4.0)])
    assert [(each.function, each.own, each.total) for each in found] == [("a", 0.625, 1.0), ("b", 0.375, 0.875)]
