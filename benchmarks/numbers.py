"""P3: one number over HTTP, from pools of 10,000 and of 1,000,000 of which 0 to 99 % are used, on PostgreSQL with two server processes.

What is used is scattered. Rounds alternate with the yardstick, which takes the same body and answers the same shape. After every round all
that was given is taken back in the store, so that each begins alike; before that, every number must have one holder and there must be as
many as answers. A pool with fewer free numbers than a round would ask is asked in bursts, none of which comes to its end. Beside the rates
stand the pages that the store reads to take one number: no clock is involved in those.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import asyncpg
import orjson
from sqlalchemy.dialects.postgresql import asyncpg as driver

from app.application import Application
from app.audit.authors import Author
from app.auth.clients import NewClient
from app.composition import open_application
from app.kit.models import new_id
from app.numbers.pool_repository import Held, Pool, PoolRepository
from app.numbers.rules import PoolClass, Strategy, Stretch
from app.numbers.taking import TAKE_AND_TELL
from benchmarks import bare
from benchmarks.load import CONNECTIONS, BadAnswerError, measure, post
from benchmarks.machine import processor_seconds
from benchmarks.processes import Server, served
from benchmarks.reads import WARM_SECONDS
from benchmarks.stores import Store
from tests.support.plans import explained

LARGE: Final = 1_000_000
SMALL: Final = 10_000
HALF: Final = 50
FILLED: Final = (0, HALF, 90, 99)
"""Per cent of a pool that are used, in no order."""
PROCESSES: Final = 2
_SCRIPTS: Final = NewClient("it-scripts", "IT scripts", scopes=("numbers:read", "numbers:allocate"))
_AUTHOR: Final = Author(type="operator", id="os:benchmark")

_FILL: Final = """
INSERT INTO number (domain_id, pool_id, range_id, digits, state, sort_key, row_version)
SELECT $1, $2, $3, (($4::bigint + at)::text), CASE WHEN at * 7 % 100 >= $6::bigint THEN 'available' ELSE 'assigned' END,
       7 * 10::bigint ^ 15 + $4::bigint + at, 1
FROM generate_series(0::bigint, $5::bigint - 1) AS at
"""
_TAKE_BACK: Final = (
    "UPDATE number SET state = 'available' FROM number_assignment given WHERE given.number_id = number.id AND given.ended_at IS NULL",
    "UPDATE number_assignment SET ended_at = now(), cause = 'released' WHERE ended_at IS NULL",
)
_TIDY: Final = "VACUUM ANALYZE number, number_assignment, contact"
_GIVEN: Final = "SELECT count(*), count(DISTINCT number_id) FROM number_assignment WHERE ended_at IS NULL"


class Level(NamedTuple):
    """A pool of so many numbers, of which so many per cent are used."""

    size: int
    filled: int

    @property
    def free(self) -> int:
        """How many are free."""
        return self.size * (100 - self.filled) // 100

    @property
    def code(self) -> str:
        """The pool's code."""
        return f"bench-{self.size}-{self.filled}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The pools, and a token to take numbers with."""

    levels: tuple[Level, ...]
    token: str


async def _planned(store: Store, levels: Sequence[Level]) -> Plan:
    async with open_application(store.settings) as application:
        async with application.database.unit_of_work() as unit:
            await application.clients.add(unit.session, _SCRIPTS)
        for at, level in enumerate(levels):
            await _pool(application, store, level, at)
        token = await application.tokens.mint(application.database.reader, _SCRIPTS.client_id)
        return Plan(tuple(levels), token.text)


async def _pool(application: Application, store: Store, level: Level, at: int) -> None:
    """Make a pool; ``at`` keeps its digits apart from those of the others."""
    rows, now, start = PoolRepository(), application.clock.now(), (70 + at) * level.size
    async with application.database.unit_of_work() as unit:
        (domain, *_) = await rows.domains(unit.session)
        pool = Pool(
            id=new_id(),
            domain_id=domain.id,
            domain=domain.code,
            code=level.code,
            name="压测",
            pool_class=PoolClass.INTERNAL,
            strategy=Strategy.LOWEST,
            quarantine_days=0,
            department_id=None,
            joiners=False,
            low_water=None,
        )
        await rows.add_pool(unit.session, pool, at=now)
        held = Held(
            id=new_id(),
            pool_id=pool.id,
            domain_id=domain.id,
            stretch=Stretch(str(start), str(start + level.size - 1)),
            materialised=0,
            created_at=now,
        )
        await rows.add_range(unit.session, held)
    connection = await _owner(store)
    try:
        await connection.execute(_FILL, domain.id, pool.id, held.id, start, level.size, level.filled)
        await connection.execute("UPDATE number_range SET materialised = size WHERE id = $1", held.id)
        await connection.execute("VACUUM ANALYZE number")
    finally:
        await connection.close()


async def _owner(store: Store) -> "asyncpg.Connection[asyncpg.Record]":
    assert store.settings.database.owner_url is not None
    return await asyncpg.connect(store.settings.database.owner_url.get_secret_value(), command_timeout=600)


async def _taken_back(store: Store, answers: int, *, tidy: bool) -> None:
    """Undo a burst; ``tidy`` as the store does by itself in time."""
    connection = await _owner(store)
    try:
        given, distinct = await connection.fetchrow(_GIVEN) or (0, 0)
        assert given == distinct == answers, f"{answers} answers, {given} assignments of {distinct} numbers"
        for statement in _TAKE_BACK:
            await connection.execute(statement)
        if tidy:
            await connection.execute(_TIDY)
    finally:
        await connection.close()


async def pages_read(store: Store, level: Level) -> int:
    """Count the pages that the store looks at to take one number and to tell what its holder has."""
    connection = await _owner(store)
    try:
        pool = await connection.fetchval("SELECT id FROM number_pool WHERE code = $1", level.code)
        asked = {"pool": pool, "now": datetime.now(UTC), "holder": store.contacts[0], "kind": "contact"}
        statement = TAKE_AND_TELL[True, False].compiled_for(driver.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        return (await explained(connection, statement.sql, statement.arguments(asked))).pages
    finally:
        await connection.close()


def check(body: bytes) -> None:
    """Raise ``BadAnswerError`` unless one number was given."""
    numbers = orjson.loads(body)["numbers"]
    if [each["state"] for each in numbers] != ["assigned"]:
        message = f"not one number: {numbers}"
        raise BadAnswerError(message)


class _Bench:
    """Two of ours, the yardstick, and what is asked of them."""

    def __init__(self, store: Store, plan: Plan, ours: Sequence[Server], yardstick: Server) -> None:
        self._store, self._ours, self._yardstick = store, ours, yardstick
        bodies = [orjson.dumps({"holder": {"type": "contact", "id": str(each)}, "count": 1}) for each in store.contacts]
        self._asked = {
            level: [post(f"/v1/number-pools/{level.code}/allocations", body, plan.token) for body in bodies]
            for level in plan.levels
        }
        self._bare = [post("/allocations", bodies[0])]

    def ask_ours(self, level: Level, seconds: float) -> tuple[float, float]:
        """Give answers per second, and per second of processor time of all our processes."""
        answers, took, used = 0, 0.0, 0.0
        while took < seconds:
            before = self._used()
            burst = measure(
                [each.port for each in self._ours],
                self._asked[level],
                seconds - took,
                check=check,
                offset=answers,
                most=max(level.free - CONNECTIONS, 1),
            )
            used += self._used() - before
            answers, took = answers + burst.answers, took + burst.seconds
            asyncio.run(_taken_back(self._store, burst.answers, tidy=took >= seconds))
        return answers / took, answers / max(used, 0.01)

    def _used(self) -> float:
        return sum(processor_seconds(each.process) for each in self._ours)

    def ask_bare(self, seconds: float) -> float:
        """Give answers per second."""
        return measure(self._yardstick.port, self._bare, seconds, check=check).rate


@contextmanager
def _bench(store: Store, levels: Sequence[Level]) -> Iterator[_Bench]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duanhao-bench-numbers-")))
        for name in ("card.json", "page.json"):
            (folder / name).write_bytes(b"{}")
        plan = asyncio.run(_planned(store, levels))
        ours = [
            stack.enter_context(served("ours", store.environment, log=folder / f"ours-{at}.log"))
            for at in range(PROCESSES)
        ]
        yardstick = stack.enter_context(served("bare", {bare.BODIES: str(folder)}, log=folder / "bare.log"))
        yield _Bench(store, plan, ours, yardstick)


def compare(
    store: Store, *, rounds: int, seconds: float, large: int = LARGE, filled: Sequence[int] = FILLED
) -> dict[str, Any]:
    """Measure; raise ``BadAnswerError`` for a wrong answer and ``AssertionError`` when a number was given twice or lost.

    The ratio and the effect of size are those of pools that are half used.
    """
    levels = [Level(size, each) for size in sorted({SMALL, large}) for each in sorted({HALF, *filled})]
    rates: dict[Level, list[float]] = defaultdict(list)
    ratios: dict[Level, list[float]] = defaultdict(list)
    by_processor: dict[Level, list[float]] = defaultdict(list)
    yardstick = []
    with _bench(store, levels) as bench:
        bench.ask_bare(min(WARM_SECONDS, seconds))
        for level in levels:
            bench.ask_ours(level, min(WARM_SECONDS, seconds))
        pages = {level: asyncio.run(pages_read(store, level)) for level in levels}
        for _ in range(rounds):
            yardstick.append(bench.ask_bare(seconds))
            for level in levels:
                rate, processor = bench.ask_ours(level, seconds)
                rates[level].append(rate)
                by_processor[level].append(processor)
                ratios[level].append(rate / yardstick[-1])
    half = Level(large, HALF)
    return {
        "ratio": median(ratios[half]),
        "ratios": ratios[half],
        "size_effect": median(rates[half]) / median(rates[Level(SMALL, HALF)]),
        "filled_effect": _least_to_most({level: median(rates[level]) for level in levels if level.size == large}),
        "bare_per_second": median(yardstick),
        "levels": [
            {
                "size": level.size,
                "filled": level.filled,
                "ratio": median(ratios[level]),
                "per_second": median(rates[level]),
                "per_processor_second": median(by_processor[level]),
                "pages": pages[level],
            }
            for level in levels
        ],
    }


def _least_to_most(rates: Mapping[Level, float]) -> float:
    """Say what is left of the best rate at the worst level."""
    return min(rates.values()) / max(rates.values())
