"""P3: one number over HTTP, from a pool of 10,000 and from one of 1,000,000, both half used, on PostgreSQL with two server processes.

Rounds alternate with the yardstick, which takes the same body and answers the same shape. After every round all that was given is taken
back in the store, so that each begins alike; before that, every number must have one holder and there must be as many as answers.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import orjson

from app.application import Application
from app.audit.authors import Author
from app.auth.clients import NewClient
from app.composition import open_application
from app.kit.models import new_id
from app.numbers.pool_repository import Held, Pool, PoolRepository
from app.numbers.rules import PoolClass, Strategy, Stretch
from benchmarks import bare
from benchmarks.load import BadAnswerError, measure, post
from benchmarks.machine import processor_seconds
from benchmarks.processes import Server, served
from benchmarks.reads import WARM_SECONDS
from benchmarks.stores import Store

SIZES: Final = (10_000, 1_000_000)
PROCESSES: Final = 2
_SCRIPTS: Final = NewClient("it-scripts", "IT scripts", scopes=("numbers:read", "numbers:allocate"))
_AUTHOR: Final = Author(type="operator", id="os:benchmark")

_FILL: Final = """
INSERT INTO number (domain_id, pool_id, range_id, digits, state, sort_key, row_version)
SELECT $1, $2, $3, (($4::bigint + at)::text), CASE WHEN hashint8(at) % 2 = 0 THEN 'available' ELSE 'assigned' END,
       7 * 10::bigint ^ 15 + $4::bigint + at, 1
FROM generate_series(0::bigint, $5::bigint - 1) AS at
"""
_TAKE_BACK: Final = (
    "UPDATE number SET state = 'available' FROM number_assignment given WHERE given.number_id = number.id AND given.ended_at IS NULL",
    "UPDATE number_assignment SET ended_at = now(), cause = 'released' WHERE ended_at IS NULL",
    "VACUUM ANALYZE number, number_assignment, contact",
)
_GIVEN: Final = "SELECT count(*), count(DISTINCT number_id) FROM number_assignment WHERE ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Plan:
    """A pool of each size, and a token to take numbers with."""

    pools: dict[int, str]
    token: str


async def _planned(store: Store) -> Plan:
    async with open_application(store.settings) as application:
        async with application.database.unit_of_work() as unit:
            await application.clients.add(unit.session, _SCRIPTS)
        pools = {size: await _pool(application, store, size) for size in SIZES}
        token = await application.tokens.mint(application.database.reader, _SCRIPTS.client_id)
        return Plan(pools, token.text)


async def _pool(application: Application, store: Store, size: int) -> str:
    """Make a pool of ``size`` numbers, every other one used, in no order."""
    rows, now, start = PoolRepository(), application.clock.now(), 7 * size * 10
    async with application.database.unit_of_work() as unit:
        (domain, *_) = await rows.domains(unit.session)
        pool = Pool(
            id=new_id(),
            domain_id=domain.id,
            domain=domain.code,
            code=f"bench-{size}",
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
            stretch=Stretch(str(start), str(start + size - 1)),
            materialised=0,
            created_at=now,
        )
        await rows.add_range(unit.session, held)
    connection = await _owner(store)
    try:
        await connection.execute(_FILL, domain.id, pool.id, held.id, start, size)
        await connection.execute("UPDATE number_range SET materialised = size WHERE id = $1", held.id)
        await connection.execute("VACUUM ANALYZE number")
    finally:
        await connection.close()
    return pool.code


async def _owner(store: Store) -> "asyncpg.Connection[asyncpg.Record]":
    assert store.settings.database.owner_url is not None
    return await asyncpg.connect(store.settings.database.owner_url.get_secret_value(), command_timeout=600)


async def _taken_back(store: Store, answers: int) -> None:
    connection = await _owner(store)
    try:
        given, distinct = await connection.fetchrow(_GIVEN) or (0, 0)
        assert given == distinct == answers, f"{answers} answers, {given} assignments of {distinct} numbers"
        for statement in _TAKE_BACK:
            await connection.execute(statement)
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
            size: [post(f"/v1/number-pools/{code}/allocations", body, plan.token) for body in bodies]
            for size, code in plan.pools.items()
        }
        self._bare = [post("/allocations", bodies[0])]

    def ask_ours(self, size: int, seconds: float) -> tuple[float, float]:
        """Give answers per second, and per second of processor time of all our processes."""
        before = sum(processor_seconds(each.process) for each in self._ours)
        found = measure([each.port for each in self._ours], self._asked[size], seconds, check=check)
        used = sum(processor_seconds(each.process) for each in self._ours) - before
        asyncio.run(_taken_back(self._store, found.answers))
        return found.rate, found.answers / max(used, 0.01)

    def ask_bare(self, seconds: float) -> float:
        """Give answers per second."""
        return measure(self._yardstick.port, self._bare, seconds, check=check).rate


@contextmanager
def _bench(store: Store) -> Iterator[_Bench]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duanhao-bench-numbers-")))
        for name in ("card.json", "page.json"):
            (folder / name).write_bytes(b"{}")
        plan = asyncio.run(_planned(store))
        ours = [
            stack.enter_context(served("ours", store.environment, log=folder / f"ours-{at}.log"))
            for at in range(PROCESSES)
        ]
        yardstick = stack.enter_context(served("bare", {bare.BODIES: str(folder)}, log=folder / "bare.log"))
        yield _Bench(store, plan, ours, yardstick)


def compare(store: Store, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure; raise ``BadAnswerError`` for a wrong answer and ``AssertionError`` when a number was given twice or lost."""
    with _bench(store) as bench:
        bench.ask_bare(min(WARM_SECONDS, seconds))
        for size in SIZES:
            bench.ask_ours(size, min(WARM_SECONDS, seconds))
        ratios: dict[int, list[float]] = {size: [] for size in SIZES}
        rates: dict[int, list[float]] = {size: [] for size in SIZES}
        by_processor: dict[int, list[float]] = {size: [] for size in SIZES}
        yardstick = []
        for _ in range(rounds):
            yardstick.append(bench.ask_bare(seconds))
            for size in SIZES:
                rate, processor = bench.ask_ours(size, seconds)
                rates[size].append(rate)
                by_processor[size].append(processor)
                ratios[size].append(rate / yardstick[-1])
    small, large = SIZES
    return {
        "ratio": median(ratios[large]),
        "ratios": ratios[large],
        "size_effect": median(rates[large]) / median(rates[small]),
        "per_second": {str(size): median(rates[size]) for size in SIZES},
        "per_processor_second": {str(size): median(by_processor[size]) for size in SIZES},
        "bare_per_second": median(yardstick),
    }
