"""The words of a decision: field classes, tiers, and the totally ordered outcomes.

Pure. Because outcomes are ordered, any two rules always combine: caps by the lowest, grants by the highest.
"""

from enum import IntEnum, StrEnum
from typing import Final


class FieldClass(StrEnum):
    """How protected a field is (design/fields.md)."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"


class Tier(StrEnum):
    """Ceiling that a person's position gives (design/policy.md)."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"
    T5 = "T5"


class Outcome(IntEnum):
    """How far a value is shown. ``HIDDEN < MASK_FULL < MASK_COARSE < MASK_FINE < CLEAR``."""

    HIDDEN = 0
    MASK_FULL = 1
    MASK_COARSE = 2
    MASK_FINE = 3
    CLEAR = 4


class State(StrEnum):
    """What the API says of a protected field."""

    SHOWN = "shown"
    MASKED = "masked"
    WITHHELD = "withheld"
    EMPTY = "empty"


class Purpose(StrEnum):
    """Why a caller looks; a closed list."""

    WORK_CONTACT = "work_contact"
    HR_ADMIN = "hr_admin"
    ORDER_DELIVERY = "order_delivery"
    CUSTOMER_TICKET = "customer_ticket"
    SALES_FOLLOW_UP = "sales_follow_up"
    SAFETY = "safety"
    AUDIT = "audit"
    INCIDENT = "incident"
    EMERGENCY = "emergency"
    SUBJECT_REQUEST = "subject_request"
    SYSTEM_SYNC = "system_sync"


STATE_OF: Final = {
    Outcome.HIDDEN: State.WITHHELD,
    Outcome.MASK_FULL: State.MASKED,
    Outcome.MASK_COARSE: State.MASKED,
    Outcome.MASK_FINE: State.MASKED,
    Outcome.CLEAR: State.SHOWN,
}
CLASSES: Final = tuple(FieldClass)
