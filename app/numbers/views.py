"""How the parts of the plan are written: one rendering for looks and receipts alike."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from app.numbers.hold_repository import Hold
from app.numbers.nice import looks
from app.numbers.outlook import Outlook
from app.numbers.plan_repository import ReservedNumber
from app.numbers.pool_repository import Domain, Held, Pool
from app.numbers.terms import HOLD_EXTENSIONS
from app.numbers.values import AllocatedOne


def domain_view(domain: Domain) -> dict[str, Any]:
    """Write a domain."""
    profile = domain.profile
    return {
        "id": str(domain.id),
        "code": domain.code,
        "name": domain.name,
        "dialling": domain.dialling,
        "first_digits": profile.first_digits,
        "shortest": profile.shortest,
        "longest": profile.longest,
        "access_codes": list(profile.access_codes),
    }


def reserved_view(reserved: ReservedNumber) -> dict[str, Any]:
    """Write an entry of the reserved table."""
    return {
        "digits": reserved.digits,
        "kind": reserved.kind,
        "name_zh": reserved.name_zh,
        "name_en": reserved.name_en,
    }


def pool_view(pool: Pool) -> dict[str, Any]:
    """Write a pool, without its version."""
    return {
        "id": str(pool.id),
        "code": pool.code,
        "name": pool.name,
        "class": pool.pool_class.value,
        "domain": pool.domain,
        "strategy": pool.strategy.value,
        "pattern": pool.pattern,
        "quarantine_days": pool.quarantine_days,
        "department": None if pool.department_id is None else str(pool.department_id),
        "joiners": pool.joiners,
        "low_water": pool.low_water,
        "lead_days": pool.lead_days,
        "keeps_nice": pool.keeps_nice,
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
        "opens_at": None if held.opens_at is None else held.opens_at.isoformat(),
    }


def hold_view(hold: Hold, pool: str, digits: Sequence[str]) -> dict[str, Any]:
    """Write a hold of a pool (its code): what its version is made of."""
    return {
        "id": str(hold.id),
        "pool": pool,
        "numbers": list(digits),
        "purpose": hold.purpose,
        "expires_at": hold.expires_at.isoformat(),
        "extensions_left": HOLD_EXTENSIONS - hold.extended,
    }


def free_view(digits: str, *, kept: bool) -> dict[str, Any]:
    """Write a free number with its looks."""
    found = looks(digits)
    return {
        "digits": digits,
        "nice": found.level.name.lower(),
        "score": found.score,
        "traits": list(found.traits),
        "version": found.version,
        "kept": kept,
    }


def forecast_view(pool: Pool, found: Outlook, *, now: datetime, today: date, announced: int | None) -> dict[str, Any]:
    """Write what lies ahead of a pool; ``announced`` of those who are known to come HR has told of, if that may be told."""
    slope, ahead = found.forecast.slope, found.forecast
    return {
        "pool": pool.code,
        "as_of": now,
        "free": found.to_give,
        "weeks": [{"from": begin, "net": net} for begin, net in found.weeks],
        "weekly": None
        if slope is None
        else {"net": round(slope.weekly, 2), "low": round(slope.low, 2), "high": round(slope.high, 2)},
        "announced": announced,
        "joiners": sum(each.count for each in found.known) - (announced or 0),
        "exhausted_on": ahead.exhausted_on,
        "earliest": ahead.earliest,
        "latest": ahead.latest,
        "lead_days": pool.lead_days,
        "short": found.runs_short(pool, today),
        "low_water": pool.low_water,
        "low": found.is_low(pool, today),
    }


def allocated_view(each: AllocatedOne) -> dict[str, Any]:
    """Write a number that was given out."""
    return {
        "digits": each.digits,
        "state": each.state,
        "assignment_id": str(each.assignment),
        "until": None if each.until is None else each.until.isoformat(),
    }
