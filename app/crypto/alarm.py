"""What the security log and the metrics learn of a box that did not open: whose, which field, why. Never a value."""

from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from app.crypto.errors import PermitRefused, SealBroken

WRAPPED_KEY: Final = "(data key)"
"""Stands where a field name would, when the person's key itself did not unwrap."""

ROW: Final = "(row)"
"""Stands where a field name would, when the MAC over the row does not hold."""

_SEALS_BROKEN: Final = Counter("duanhao_seal_broken", "Openings and checks that failed, by cause.", ["cause"])
_PERMITS_REFUSED: Final = Counter(
    "duanhao_permit_refused", "Openings refused for want of a permit, by cause.", ["cause"]
)


def seal_broken(subject: UUID, field: str, cause_code: str) -> SealBroken:
    """Record a failure to open, and give the one error to raise."""
    _SEALS_BROKEN.labels(cause_code).inc()
    structlog.get_logger("duanhao.security").error(
        "seal_broken", subject_id=str(subject), field=field, cause_code=cause_code
    )
    return SealBroken(cause_code)


def permit_refused(subject: UUID, cause_code: str) -> PermitRefused:
    """Record an attempt to open without leave, and give the error to raise."""
    _PERMITS_REFUSED.labels(cause_code).inc()
    structlog.get_logger("duanhao.security").error("permit_refused", subject_id=str(subject), cause_code=cause_code)
    return PermitRefused(cause_code)
