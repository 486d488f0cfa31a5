"""P1 and P2: a card and a page of a hundred over HTTP, masked and on record, in rounds that alternate with the yardstick.

After the rounds the log must hold one look per answer, and verify.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

import orjson

from benchmarks import bare, profiling
from benchmarks.load import BadAnswerError, Measured, get, measure
from benchmarks.machine import processor_seconds, thread_seconds
from benchmarks.processes import Server, served
from benchmarks.profiling import Line, Spy
from benchmarks.stores import Store

Work = Literal["p1", "p2"]
PAGE: Final = 100
WARM_SECONDS: Final = 1.5
_PATIENCE: Final = 30.0
"""Seconds in which a first answer comes."""
MASKED: Final = ("mobile", "wecom_id", "personal_mobile", "wechat", "plate")
_ACTIONS: Final[dict[Work, str]] = {"p1": "contact.read", "p2": "contact.list"}

_PATIENT: Final = {"DUANHAO_AUDIT__DEADLINE_SECONDS": "30", "DUANHAO_AUDIT__PERMIT_SECONDS": "30"}
"""A profiler slows the service down; no look is to fail by that."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one server: answers per second on the wall, and per second of processor time of the server."""

    rate: float
    by_processor: float
    load_busy: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The rounds of both servers, pair by pair."""

    bare: tuple[Round, ...]
    ours: tuple[Round, ...]
    events: int

    @property
    def ratios(self) -> list[float]:
        """Ours over bare, by the wall clock, per pair of rounds."""
        return [own.rate / other.rate for own, other in zip(self.ours, self.bare, strict=True)]

    @property
    def processor_ratios(self) -> list[float]:
        """Ours over bare, by processor time, per pair of rounds."""
        return [own.by_processor / other.by_processor for own, other in zip(self.ours, self.bare, strict=True)]

    def summary(self) -> dict[str, Any]:
        """Write the results."""
        return {
            "ratio": median(self.ratios),
            "ratios": self.ratios,
            "ratio_by_processor": median(self.processor_ratios),
            "ratios_by_processor": self.processor_ratios,
            "bare_per_second": median(each.rate for each in self.bare),
            "ours_per_second": median(each.rate for each in self.ours),
            "bare_per_processor_second": median(each.by_processor for each in self.bare),
            "ours_per_processor_second": median(each.by_processor for each in self.ours),
            "load_busy": max(each.load_busy for each in (*self.bare, *self.ours)),
            "events_on_record": self.events,
        }


def requests_of(work: Work, store: Store) -> list[bytes]:
    """Lay out what is asked of the service, everybody's token and every contact in turn."""
    if work == "p2":
        return [get(f"/v1/contacts?limit={PAGE}", token) for token in store.tokens]
    tokens = store.tokens
    return [get(f"/v1/contacts/{each}", tokens[at % len(tokens)]) for at, each in enumerate(store.contacts)]


def check_card(card: dict[str, Any]) -> None:
    """Raise ``BadAnswerError`` unless at least four fields are masked, or the card is the reader's own."""
    states = [card[name]["state"] for name in MASKED]
    if states.count("masked") < 4 and set(states) != {"shown"}:
        message = f"not a masked card: {states}"
        raise BadAnswerError(message)


def check_body(body: bytes) -> None:
    """Raise ``BadAnswerError`` unless ``body`` is a card or a page that was masked and put on record."""
    document = orjson.loads(body)
    if not document["disclosure"]["event_id"]:
        message = "an answer without its event"
        raise BadAnswerError(message)
    for card in document.get("items", [document]):
        check_card(card)


def _check_page(body: bytes) -> None:
    check_body(body)
    found = len(orjson.loads(body)["items"])
    if found != PAGE:
        message = f"a page of {found}"
        raise BadAnswerError(message)


class _Bench:
    """Both servers, and how often ours has answered."""

    def __init__(self, work: Work, store: Store, ours: Server, yardstick: Server) -> None:
        self._work, self._store, self.ours, self._yardstick = work, store, ours, yardstick
        self._requests = requests_of(work, store)
        self._bare_requests = [get("/card" if work == "p1" else "/page")]
        self.answers = 0

    def ask_ours(self, seconds: float) -> Round:
        before = processor_seconds(self.ours.process)
        check = check_body if self._work == "p1" else _check_page
        measured = measure(self.ours.port, self._requests, seconds, check=check, offset=self.answers)
        self.answers += measured.answers
        return _round(measured, processor_seconds(self.ours.process) - before)

    def ask_bare(self, seconds: float) -> Round:
        before = processor_seconds(self._yardstick.process)
        measured = measure(self._yardstick.port, self._bare_requests, seconds, check=check_body)
        return _round(measured, processor_seconds(self._yardstick.process) - before)


def _round(measured: Measured, used: float) -> Round:
    return Round(measured.rate, measured.answers / max(used, 0.01), measured.busy)


def _record(store: Store, ours: Server, folder: Path) -> None:
    """Keep a card and a page as the service answers them, for the yardstick to answer the same."""
    kept: list[bytes] = []
    for request in (
        get(f"/v1/contacts/{store.contacts[-1]}", store.tokens[0]),
        get(f"/v1/contacts?limit={PAGE}", store.tokens[0]),
    ):
        kept.clear()
        measure(ours.port, [request], _PATIENCE, check=kept.append, most=1)
        name = "page.json" if b"?limit" in request else "card.json"
        (folder / name).write_bytes(kept[0])


@contextmanager
def _bench(work: Work, store: Store, profile: Path | None = None) -> Iterator[_Bench]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duanhao-bench-bodies-")))
        log = folder / "ours.log"
        environment = {**store.environment, "DUANHAO_LOG_LEVEL": "info", **({} if profile is None else _PATIENT)}
        ours = stack.enter_context(served("ours", environment, log=log, profile=profile))
        _record(store, ours, folder)
        yardstick = stack.enter_context(served("bare", {bare.BODIES: str(folder)}, log=folder / "bare.log"))
        yield _Bench(work, store, ours, yardstick)


def compare(work: Work, store: Store, *, rounds: int, seconds: float) -> Compared:
    """Measure ``work`` on ``store``.

    Raises ``BadAnswerError`` for a wrong answer and ``AssertionError`` when the log does not hold every look, or does not verify.
    """
    with _bench(work, store) as bench:
        before = asyncio.run(store.events(_ACTIONS[work]))
        bench.ask_bare(min(WARM_SECONDS, seconds))
        bench.ask_ours(min(WARM_SECONDS, seconds))
        pairs = [(bench.ask_bare(seconds), bench.ask_ours(seconds)) for _ in range(rounds)]
        on_record = asyncio.run(store.events(_ACTIONS[work])) - before
        assert on_record == bench.answers, f"{bench.answers} answers, {on_record} looks on record"
    report = asyncio.run(store.verified())
    assert report.intact, f"the log does not verify: {report.damage[:3]}"
    return Compared(tuple(own for own, _ in pairs), tuple(other for _, other in pairs), on_record)


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time goes: per thread, microseconds of processor time per answer (own, kernel); per profiler, functions."""

    threads: Mapping[str, tuple[float, float]]
    functions: Mapping[str, Sequence[Line]]


def profile(work: Work, store: Store, *, seconds: float) -> Profile:
    """Load the service for so many seconds without a profiler, then under each that there is."""
    found: dict[str, Sequence[Line]] = {}
    with tempfile.TemporaryDirectory(prefix="duanhao-bench-profile-") as folder:
        target = Path(folder) / "samples.json"
        with _bench(work, store, target) as bench:
            bench.ask_ours(WARM_SECONDS)
            answers, before = bench.answers, thread_seconds(bench.ours.process)
            bench.ask_ours(seconds)
            threads = _per_answer(before, thread_seconds(bench.ours.process), bench.answers - answers)
            spy = Spy(bench.ours.process, seconds)
            try:
                bench.ask_ours(seconds + 0.5)
            finally:
                seen = spy.finish()
            if seen:
                found["py-spy"] = seen
            bench.ours.start_profile()
            bench.ask_ours(seconds)
        found["pyinstrument"] = profiling.read(target)
    return Profile(threads, found)


def _per_answer(
    before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]], answers: int
) -> dict[str, tuple[float, float]]:
    found = {}
    for name, (own, kernel) in after.items():
        was = before.get(name, (0.0, 0.0))
        found[name] = (1e6 * (own - was[0]) / answers, 1e6 * (kernel - was[1]) / answers)
    return found
