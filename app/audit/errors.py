"""What can go wrong between a look and its record.

    Problem
    ├── Unavailable 503
    │   └── LogUnavailable     access_log_unavailable   (kit) the record could not be made durable in time
    ├── Conflict 409
    │   └── EpochMoved         standing_changed         the viewer's rights changed while the look was being recorded
    ├── TooMany 429
    │   └── QuotaSpent         quota_spent              the day's quota does not cover this look
    └── Internal 500
        ├── AuditInsideTransaction  audit_inside_transaction   the log was awaited inside a business transaction
        └── EventUnrecordable       event_unrecordable         the log refuses this one event, and would refuse it again

``LogDamaged`` is no problem of a caller: it stops the start of the service.
"""

from app.kit.errors import Conflict, Internal, LogUnavailable, TooMany

__all__ = ["AuditInsideTransaction", "EpochMoved", "EventUnrecordable", "LogDamaged", "LogUnavailable", "QuotaSpent"]


class EpochMoved(Conflict):
    """The viewer's standing was loaded, then changed: the look must be decided again."""

    code, title, title_zh = "standing_changed", "Your rights changed meanwhile; try again", "权限刚刚发生变化，请重试"


class QuotaSpent(TooMany):
    """The look would pass the caller's quota of the day; nothing was opened or charged."""

    code, title, title_zh = "quota_spent", "The quota of the day is spent", "当日配额已用完"


class AuditInsideTransaction(Internal):
    """A mistake in our code: look first, logged; then write. Otherwise two locks could wait for each other."""

    code, title, title_zh = "audit_inside_transaction", "Internal error", "内部错误"


class EventUnrecordable(Internal):
    """The store refuses this event for what it contains; nothing was opened."""

    code, title, title_zh = "event_unrecordable", "Internal error", "内部错误"


class LogDamaged(Exception):
    """The log contradicts itself or a checkpoint kept elsewhere; the service does not start on it."""
