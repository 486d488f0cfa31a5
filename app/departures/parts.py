"""Everything that somebody can have here, and what becomes of it when they leave or move: the one list. Pure.

A leaving and a move are done part by part in this order, each whole or not at all. What is not in the list is nobody's own: see
``tests/departures/test_parts.py``, which holds every column that names a person, in every table, against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Part(StrEnum):
    """One sort of thing."""

    CARD = "card"
    SESSIONS = "sessions"
    POSITIONS = "positions"
    GRANTS = "grants"
    CUSTOMERS = "customers"
    DEVICES = "devices"
    DELEGATIONS = "delegations"
    PRIVILEGES = "privileges"
    NUMBERS = "numbers"
    HOLDS = "holds"
    SHIFTS = "shifts"
    EMERGENCY = "emergency"
    SERVICE_ACCOUNTS = "service_accounts"
    PROVISIONS = "provisions"
    GAINED = "gained"
    FILED = "filed"
    ABOUT = "about"
    ASKED = "asked"
    REVIEWS = "reviews"


class Fate(StrEnum):
    """What becomes of something."""

    ENDS = "ends"
    RESTS = "rests"
    HANDED_ON = "handed_on"
    REROUTED = "rerouted"
    WITHDRAWN = "withdrawn"
    BY_PLACE = "by_place"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Becomes:
    """What a leaving and a move make of it, and what that says in words."""

    leaving: Fate
    moving: Fate
    en: str
    zh: str


_E, _S = Fate.ENDS, Fate.STAYS

PARTS: Final[Mapping[Part, Becomes]] = {
    Part.CARD: Becomes(
        _E,
        Fate.BY_PLACE,
        "Out of every view, out of further departments, the account closed, every token dead; who moves is seen where they come.",
        "从所有视图与兼任部门中移除，停用账号，令牌全部失效；调岗者按新部门可见。",
    ),
    Part.SESSIONS: Becomes(
        _E, _S, "Sign-ins that are carried on, and codes on their way.", "登录会话与未使用的授权码。"
    ),
    Part.POSITIONS: Becomes(
        _E,
        Fate.BY_PLACE,
        "Head and deputy: vacated, never handed on. Who moves keeps those above where they come.",
        "负责人与副负责人职务：空出，不自动转给他人；调岗者保留其新部门上级的职务。",
    ),
    Part.GRANTS: Becomes(
        _E, _E, "Exceptions, reveals, and what was lent: tier and roles.", "例外授权、明文查看及借用的级别与角色。"
    ),
    Part.CUSTOMERS: Becomes(
        _E,
        _E,
        "Customers that were assigned: the business system names the next owner.",
        "负责的客户：由业务系统指定新负责人。",
    ),
    Part.DEVICES: Becomes(
        Fate.HANDED_ON,
        Fate.BY_PLACE,
        "To be handed over by a working day; who moves takes along what follows them.",
        "须在规定工作日内移交；调岗时随人设备随行。",
    ),
    Part.DELEGATIONS: Becomes(_E, _S, "On either side.", "委托与受托。"),
    Part.PRIVILEGES: Becomes(
        _E, _S, "What a line may do beyond the house; it ends with its number.", "通话权限；随号码终止。"
    ),
    Part.NUMBERS: Becomes(
        Fate.RESTS,
        Fate.BY_PLACE,
        "Into quarantine; who moves leaves what a department's own pool gave, and gets another.",
        "进入冷冻期；调岗者交还部门专属号段的号码并获新号。",
    ),
    Part.HOLDS: Becomes(_E, _S, "Numbers held for later; what a request reserved is the company's.", "暂留的号码。"),
    Part.SHIFTS: Becomes(_E, _S, "On-call shifts to come.", "未来的值班。"),
    Part.EMERGENCY: Becomes(_E, _S, "Appointments and open sessions.", "应急资格与进行中的应急会话。"),
    Part.SERVICE_ACCOUNTS: Becomes(
        Fate.HANDED_ON, _S, "To be taken over by a working day.", "服务账号须在规定工作日内接管。"
    ),
    Part.PROVISIONS: Becomes(
        Fate.HANDED_ON, _S, "Data that somebody outside has: who answers for its return.", "对外提供数据的责任人。"
    ),
    Part.GAINED: Becomes(
        _E, _E, "Requests under which they still have something for their work.", "仍在生效的个人申请。"
    ),
    Part.FILED: Becomes(
        Fate.WITHDRAWN,
        _S,
        "Open requests of theirs; approved again where the place counts.",
        "未决申请：离职撤回；调岗后按需重新审批。",
    ),
    Part.ABOUT: Becomes(
        Fate.WITHDRAWN,
        _S,
        "What others asked about them, but for the check-list and their own rights.",
        "他人对其提出的未决申请。",
    ),
    Part.ASKED: Becomes(
        Fate.REROUTED,
        Fate.REROUTED,
        "Requests that wait for them: others are asked, by the rules of filing.",
        "等待其审批的申请：按规则改由他人审批。",
    ),
    Part.REVIEWS: Becomes(Fate.REROUTED, _S, "Open questions of reviews: the next above is asked.", "复核待答事项。"),
}
"""Every part."""

BY_HAND: Final = frozenset({Part.CARD, Part.POSITIONS, Part.NUMBERS})
"""Parts of which a move asks where somebody comes from and goes to."""
MOVING: Final = tuple(part for part in Part if PARTS[part].moving is not Fate.STAYS and part not in BY_HAND)
"""Parts to which a move does what a leaving does."""
