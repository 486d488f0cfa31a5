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


class Power(StrEnum):
    """What else may be done with a field beside showing it, which is graded (``Outcome``)."""

    MATCH = "match"
    ORDER = "order"
    COUNT = "count"
    EXPORT = "export"
    LOOKUP = "lookup"
    EDIT = "edit"


class Reason(StrEnum):
    """What a caller has to say before a value is revealed, the least first: each asks for what stands before it too."""

    NONE = "none"
    PURPOSE = "purpose"
    TEXT = "text"
    CASE = "case"


class Tag(StrEnum):
    """By what a contact is found whose value the searcher already has; each is a kind of search tag."""

    MOBILE = "mobile.exact"
    MOBILE_LAST4 = "mobile.last4"
    EMAIL = "email.exact"
    NAME = "name.exact"
    WECHAT = "wechat.exact"
    ID_NUMBER = "id_number.exact"


EMERGENCY_CLASSES: Final = frozenset({FieldClass.C1, FieldClass.C2, FieldClass.C3})
"""What an emergency session reaches at most."""
STATE_OF: Final = {
    Outcome.HIDDEN: State.WITHHELD,
    Outcome.MASK_FULL: State.MASKED,
    Outcome.MASK_COARSE: State.MASKED,
    Outcome.MASK_FINE: State.MASKED,
    Outcome.CLEAR: State.SHOWN,
}
CLASSES: Final = tuple(FieldClass)
TAG_CLASS: Final = {
    Tag.MOBILE: FieldClass.C3,
    Tag.MOBILE_LAST4: FieldClass.C3,
    Tag.EMAIL: FieldClass.C2,
    Tag.NAME: FieldClass.C2,
    Tag.WECHAT: FieldClass.C4,
    Tag.ID_NUMBER: FieldClass.C5,
}
OBLIGATIONS: Final = frozenset({"watermark", "no_export", "no_forward"})
"""What answers can carry along. A rule that asks for anything else asks for what nobody would do."""
ROLES: Final = {
    "employee": ("员工", "Employee"),
    "dept_head": ("部门负责人", "Department head"),
    "deputy": ("备份负责人", "Deputy head"),
    "hr": ("人事", "Human resources"),
    "directory_steward": ("通讯录管理员", "Directory steward"),
    "infosec": ("信息安全", "Information security"),
    "auditor": ("审计", "Auditor"),
    "administration": ("行政", "Administration"),
    "it": ("信息技术", "IT"),
    "executive": ("高管", "Executive"),
    "committee": ("信息管理小组", "Information committee"),
    "system_admin": ("系统管理员", "System administrator"),
    "office_reader": ("通讯录外部版读者", "Office reader"),
    "sales": ("销售", "Sales"),
    "production": ("生产", "Production"),
    "customer_service": ("客服", "Customer service"),
    "safety": ("安全管理", "Safety"),
}
"""Every role with its titles: who somebody is. The last four are business scopes, which tier T3 goes with."""
MARKS: Final = {
    "untrained": ("未完成培训", "Not yet trained"),
    "suspended": ("权限暂停", "Suspended"),
    "overdue_return": ("逾期未归还", "Return overdue"),
}
"""What lowers a person's view until it is settled."""
