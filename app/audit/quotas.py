"""What is said of daily quotas: to the caller whose quota does not cover a look, and to the security log when much has been looked at.

The counting itself is the batch's (``stores.plan``): there it is atomic over all tokens and processes. Lines of the security log carry the
actor's id and numbers, nothing of whom was looked at.
"""

from datetime import datetime
from math import ceil

import structlog

from app.audit.errors import QuotaSpent
from app.audit.stores import QuotaCharge, Spent

_log = structlog.get_logger("duanhao.security")


def refusal(quota: QuotaCharge, spent: Spent, at: datetime) -> QuotaSpent:
    """Make the refusal of a look at ``at``, with the seconds until the quota is whole again; the security log is told."""
    _log.warning("quota_spent", actor_id=quota.actor_id, kind=quota.kind, day=quota.day, used=spent.used)
    until = quota.resets_at
    wait = {} if until is None else {"Retry-After": str(max(1, ceil((until - at).total_seconds())))}
    return QuotaSpent(headers=wait, quota=quota.kind, limit=spent.limit, used=spent.used)


def tell(quota: QuotaCharge, used: int) -> None:
    """Tell the security log which alarms a charge has passed that left the counter at ``used``."""
    for threshold in quota.alarms:
        if used - quota.amount < threshold <= used:
            _log.warning(
                "quota_alarm",
                actor_id=quota.actor_id,
                kind=quota.kind,
                day=quota.day,
                used=used,
                threshold=threshold,
            )
