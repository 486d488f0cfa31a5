"""The number plan of the demo: three pools, who holds what of them, and free numbers in each.

Staff have an extension of ``desk`` (8 and the end of the office number) and a short number of ``mobile``, those who are here for a time one
of ``temp`` until their contracts end. ``desk`` also serves those who join.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.numbers.jobs import fill
from app.numbers.pool_repository import Held, Pool, PoolRepository
from app.numbers.rules import CLASS_DAYS, PoolClass, Strategy, Stretch

HOTLINE_NUMBERS: Final = 84100
_DESK: Final = 81000
_MOBILE: Final = 610000
_TEMP: Final = 7000
_TEMP_ENDS: Final = datetime(2027, 7, 1, tzinfo=timezone(timedelta(hours=8)))
"""The day after the last one of the contracts, where the company is."""


@dataclass(frozen=True, slots=True)
class DemoNumber:
    """A number that a contact has from the start."""

    pool: str
    digits: str
    role: str = "short"
    until: datetime | None = None


def numbers_of(number: int, worker_kind: str) -> tuple[DemoNumber, ...]:
    """List what a person holds: the ``number``-th (1 to 2000) of the staff or, for those here for a time, of these."""
    match worker_kind:
        case "intern" | "outsourced":
            return (DemoNumber("temp", str(_TEMP + number), until=_TEMP_ENDS),)
        case "part_time":
            return (DemoNumber("mobile", str(_MOBILE + number)),)
        case _:
            return DemoNumber("desk", str(_DESK + number), "extension"), DemoNumber("mobile", str(_MOBILE + number))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPool:
    """One pool and its only range."""

    code: str
    name: str
    pool_class: PoolClass
    strategy: Strategy
    start: str
    end: str
    joiners: bool = False

    @property
    def stretch(self) -> Stretch:
        """Its numbers."""
        return Stretch(self.start, self.end)


POOLS: Final = (
    DemoPool(
        code="desk",
        name="座机短号",
        pool_class=PoolClass.INTERNAL,
        strategy=Strategy.LOWEST,
        start="81000",
        end="84499",
        joiners=True,
    ),
    DemoPool(
        code="mobile",
        name="手机短号",
        pool_class=PoolClass.INTERNAL,
        strategy=Strategy.LONGEST_IDLE,
        start="610000",
        end="613499",
    ),
    DemoPool(
        code="temp",
        name="临时短号",
        pool_class=PoolClass.TEMPORARY,
        strategy=Strategy.RANDOM,
        start="7000",
        end="7999",
    ),
)
"""design/api.md, "Command line": demo pools."""


async def load_pools(unit: UnitOfWork, author: Author, clock: Clock) -> dict[str, Pool]:
    """Make the pools in the first domain, with all their numbers free, in the transaction that loads the company; give them by code."""
    plan, now = PoolRepository(), clock.now()
    made: dict[str, Pool] = {}
    (domain, *_) = await plan.domains(unit.session)
    for each in POOLS:
        pool = Pool(
            id=new_id(),
            domain_id=domain.id,
            domain=domain.code,
            code=each.code,
            name=each.name,
            pool_class=each.pool_class,
            strategy=each.strategy,
            quarantine_days=CLASS_DAYS[each.pool_class],
            department_id=None,
            joiners=each.joiners,
            low_water=None,
        )
        held = Held(
            id=new_id(),
            pool_id=pool.id,
            domain_id=domain.id,
            stretch=each.stretch,
            materialised=0,
            created_at=now,
        )
        await plan.add_pool(unit.session, pool, at=now)
        await plan.add_range(unit.session, held)
        await fill(unit, plan, held, pool)
        detail = {"pool": pool.code, "start": each.start, "end": each.end}
        await add_intent(unit.session, written(author, "number_pool.create", now, query=detail))
        made[pool.code] = pool
    return made
