"""How the parts of the plan are written: one rendering for looks and receipts alike."""

from typing import Any

from app.numbers.pool_repository import Domain, Held, Pool
from app.numbers.values import AllocatedOne


def domain_view(domain: Domain) -> dict[str, Any]:
    """Write a domain."""
    return {"id": str(domain.id), "code": domain.code, "name": domain.name, "dialling": domain.dialling}


def pool_view(pool: Pool) -> dict[str, Any]:
    """Write a pool, without its version."""
    return {
        "id": str(pool.id),
        "code": pool.code,
        "name": pool.name,
        "class": pool.pool_class.value,
        "domain": pool.domain,
        "strategy": pool.strategy.value,
        "quarantine_days": pool.quarantine_days,
        "department": None if pool.department_id is None else str(pool.department_id),
        "joiners": pool.joiners,
        "low_water": pool.low_water,
        "confirms": pool.confirms,
    }


def range_view(held: Held, pool: Pool) -> dict[str, Any]:
    """Write a range and how much of it is there yet."""
    stretch = held.stretch
    return {
        "id": str(held.id),
        "pool": pool.code,
        "start": stretch.first,
        "end": stretch.last,
        "step": stretch.step,
        "excluded": [low if low == high else f"{low}-{high}" for low, high in stretch.excluded],
        "size": stretch.size,
        "materialised": held.materialised,
        "state": "ready" if held.materialised == stretch.size else "materialising",
    }


def allocated_view(each: AllocatedOne) -> dict[str, Any]:
    """Write a number that was given out."""
    return {
        "digits": each.digits,
        "state": each.state,
        "assignment_id": str(each.assignment),
        "until": None if each.until is None else each.until.isoformat(),
    }
