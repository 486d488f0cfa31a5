"""What our own data says of a right that is reviewed: hints for its reviewer, and how closely it must be looked at. Pure.

Every hint is a code with one definition, given here, and is said only when it is known: where the part of the log that was read does not
reach back to the beginning of a right, nothing is said of whether it was used. The log records of a look who, whom, which fields and when,
but not which right it rested on; so "never used" is certain (nothing that the right could have shown was shown), and "last used" the last
time at which it can have been.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from app.campaigns.rules import GRANT, MARKED, Candidate, Risk

WINDOW: Final = timedelta(days=92)
"""How far back use is judged: a quarter."""
LONG_LIVED: Final = timedelta(days=90)
_OFF_HOURS: Final = 5
_REFUSED: Final = 10
_ELSEWHERE: Final = 10

NEVER_USED: Final = "never_used"
NOT_USED_LATELY: Final = "not_used_lately"
MOVED: Final = "moved_since"
OVER_SCOPE: Final = "over_scope"
OFTEN_REFUSED: Final = "often_refused"
OFF_HOURS: Final = "off_hours"
LASTING: Final = "long_lived"
HIGH_CLASS: Final = "high_class"
EXECUTIVE: Final = "executive_scope"
WIDE: Final = "company_wide"
POWERFUL: Final = "power_role"
FURTHER_NUMBER: Final = "further_number"
PRIZED: Final = "prized_number"
PASSING: Final = "temporary"
OWNER_LEFT: Final = "owner_left"

HINTS: Final[Mapping[str, tuple[str, str, Risk]]] = MappingProxyType(
    {
        NEVER_USED: (
            "从未使用：自授予以来未向持有人展示过其范围内的任何字段",
            "Never used: since it began, nothing that it shows was shown to its holder",
            Risk.HIGH,
        ),
        NOT_USED_LATELY: (
            "近一季度未使用通讯录",
            "The holder has not used the directory for a quarter",
            Risk.HIGH,
        ),
        MOVED: ("授予后已调岗", "The holder changed department since", Risk.HIGH),
        OVER_SCOPE: (
            "近一季度查看本部门以外人员明文 10 次以上",
            "Ten or more reveals of people outside of the holder's departments within a quarter",
            Risk.HIGH,
        ),
        OFTEN_REFUSED: ("近一季度被拒绝 10 次以上", "Ten or more refusals within a quarter", Risk.HIGH),
        OFF_HOURS: (
            "近一季度在 20 时至 7 时或非工作日查看 5 次以上",
            "Five or more looks between 20:00 and 07:00 or on days off within a quarter",
            Risk.HIGH,
        ),
        LASTING: ("期限超过 90 天", "Lasts longer than 90 days", Risk.LOW),
        HIGH_CLASS: ("涉及 C4 及以上字段或 T4 及以上层级", "Class C4 or above, or tier T4 or above", Risk.HIGH),
        EXECUTIVE: ("涉及高管或受保护人员", "About executives or protected people", Risk.HIGH),
        WIDE: ("范围为全公司", "The whole company", Risk.HIGH),
        POWERFUL: (
            "管理类角色或可写入的服务账号",
            "A role, or a service account, with power over others' data or rights",
            Risk.HIGH,
        ),
        FURTHER_NUMBER: ("持有一个以上号码", "The holder has other numbers too", Risk.HIGH),
        PRIZED: ("高管号段或靓号", "From the executives' pool, or a nice number", Risk.HIGH),
        PASSING: ("临时授予，到期收回", "Given for a time", Risk.LOW),
        OWNER_LEFT: ("原负责人已离职，尚未接管", "Its owner has left, and nobody has taken it over yet", Risk.HIGH),
    }
)
"""Every hint: in Chinese, in English, and the risk that it makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the log tells of one person. ``reaches``: from when on it was read whole, newest first.

    ``shown`` is when a field of somebody else was last shown clear, ``shown_of`` the same of one contact; counts are within ``WINDOW``.
    """

    reaches: datetime
    last_look: datetime | None = None
    off_hours: int = 0
    refused: int = 0
    shown: Mapping[str, datetime] = field(default_factory=dict)
    shown_of: Mapping[tuple[UUID, str], datetime] = field(default_factory=dict)
    revealed_elsewhere: int = 0
    moved_at: datetime | None = None


def last_used(candidate: Candidate, usage: Usage) -> datetime | None:
    """Give the last time at which a right can have been of use; ``None`` when it never was, or nothing is known."""
    if candidate.kind in MARKED:
        return usage.last_look
    if candidate.kind != GRANT:
        return None
    scope, names = candidate.detail["scope"], candidate.detail["fields"]
    if scope["kind"] == "contact":
        told = [usage.shown_of.get((UUID(scope["value"]), name)) for name in names]
    else:
        told = [usage.shown.get(name) for name in names]
    since = candidate.held_since
    return max((each for each in told if each is not None and (since is None or each >= since)), default=None)


def hints_of(candidate: Candidate, usage: Usage, now: datetime) -> tuple[str, ...]:
    """List the hints of a right, in the order of ``HINTS``."""
    since, used = candidate.held_since, last_used(candidate, usage)
    found = set(candidate.flags)
    if used is None and candidate.kind == GRANT and since is not None and usage.reaches <= since:
        found.add(NEVER_USED)
    idle = used is None or used < now - WINDOW
    if idle and candidate.kind in MARKED and usage.reaches <= now - WINDOW:
        found.add(NOT_USED_LATELY)
    if usage.moved_at is not None and usage.moved_at > (since or now - WINDOW):
        found.add(MOVED)
    if usage.revealed_elsewhere >= _ELSEWHERE:
        found.add(OVER_SCOPE)
    if usage.refused >= _REFUSED:
        found.add(OFTEN_REFUSED)
    if usage.off_hours >= _OFF_HOURS:
        found.add(OFF_HOURS)
    if since is not None and candidate.until is not None and candidate.until - since > LONG_LIVED:
        found.add(LASTING)
    return tuple(each for each in HINTS if each in found)


def flagged(candidate: Candidate) -> tuple[str, ...]:
    """List the hints that rows alone give, in the order of ``HINTS``: of what the log tells nothing."""
    return tuple(each for each in HINTS if each in candidate.flags)


def risk_of(hints: Iterable[str]) -> Risk:
    """Tell how closely a right with these hints must be looked at."""
    return Risk.HIGH if any(HINTS[each][2] is Risk.HIGH for each in hints) else Risk.LOW
